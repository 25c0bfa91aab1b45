"""The command palette: everything that the keys do, and every user by name or address."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.console_operator import Operator
from textual.binding import Binding
from textual.events import Key

from chat_console.app.keys import KEYS, OFFERS, UNSEEN_KEYS
from chat_console.app.palette import MOST, Offer, found, key_text
from chat_console.server.addresses import Address
from chat_console.server.room.events import Joined, Renamed
from chat_console.widgets.choice_list import Choice, ChoiceList
from chat_console.widgets.help_screen import HelpScreen
from chat_console.widgets.palette_screen import PaletteScreen
from chat_console.widgets.user_row import User

ON_USERS = [offer for offer in OFFERS if offer.is_for_users]


def user(number: int, name: str, *, muted: bool = False) -> User:
    return User(number, name, f"10.0.0.1|{number}", 0.0, muted)


async def titles(
    query: str, users: Sequence[User] = (), selected: int | None = None, offers: Sequence[Offer] = OFFERS
) -> list[str]:
    """What is offered for `query`, best first."""
    return [choice.title for choice in await found(query, offers, users, selected)]


# What is found

ANN, BOB = user(1, "Ann"), user(2, "Bob")


@pytest.mark.quick
@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.action)
def test_each_row_bears_the_key_that_does_the_same(offer: Offer) -> None:
    action = offer.action.partition("(")[0].removeprefix("app.")
    bindings = [binding for binding in (*KEYS, *UNSEEN_KEYS) if isinstance(binding, Binding)]
    keys = {binding.key for binding in bindings if binding.action == action}
    assert not keys or offer.key in keys


@pytest.mark.quick
async def test_before_anything_is_typed_it_offers_all_but_what_is_done_to_users() -> None:
    assert await titles("", [ANN, BOB]) == [offer.title for offer in OFFERS if not offer.is_for_users]


@pytest.mark.quick
async def test_what_can_be_done_to_the_selected_user_comes_first_and_has_its_key() -> None:
    first, *_ = choices = await found("", OFFERS, [ANN, BOB], BOB.id)
    assert first == Choice("Write to Bob", "10.0.0.1|2", "F2", "message(2)")
    assert [choice.title for choice in choices[:4]] == ["Write to Bob", "Kick Bob", "Mute Bob", "Ban Bob"]
    assert not any("Ann" in choice.title for choice in choices)


@pytest.mark.quick
async def test_of_any_other_user_no_key_is_said_to_do_it() -> None:
    kick_bob, kick_ann = await found("kick", OFFERS, [ANN, BOB], BOB.id)
    assert kick_bob == Choice("Kick Bob", "10.0.0.1|2", "F3", "kick(2)")
    assert kick_ann == Choice("Kick Ann", "10.0.0.1|1", "", "kick(1)")


@pytest.mark.quick
async def test_a_user_of_another_node_is_found_by_that_too() -> None:
    roman = replace(ANN, node="rome")
    for query in ("kick rome", "kick @rome", "kick ann @ro"):
        assert await found(query, OFFERS, [roman, BOB], None) == [
            Choice("Kick Ann", "10.0.0.1|1 @rome", "", "kick(1)")
        ]
    nameless = replace(roman, name=roman.address)
    (choice,) = await found("kick rome", OFFERS, [nameless], None)
    assert (choice.title, choice.note) == ("Kick 10.0.0.1|1", "@rome")


@pytest.mark.quick
async def test_a_user_is_found_by_name_or_address_whatever_the_order_and_case() -> None:
    for query in ("ann", "ANN", "0.1|1", "ann 10.0.0.1|1"):
        assert await titles(query, [ANN, BOB]) == [
            *("Write to Ann", "Kick Ann", "Mute Ann", "Ban Ann", "Find all lines of Ann")
        ]
    for query in ("kick ann", "ann kick", "ki nn"):
        assert await titles(query, [ANN, BOB]) == ["Kick Ann"]
    assert await titles("carol", [ANN, BOB]) == []


@pytest.mark.quick
@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("msg ann", "Write to Ann"),
        ("silence ann", "Mute Ann"),
        ("throw ann", "Kick Ann"),
        ("block ann", "Ban Ann"),
        ("exit", "Stop the server and quit"),
        ("who", "Go to the users"),
        ("theme", "Change the colours"),
        ("f1", "Help: all keys and commands"),
        ("ctrl+q", "Stop the server and quit"),
    ],
)
async def test_other_words_for_it_find_it_too(query: str, title: str) -> None:
    assert (await titles(query, [ANN, BOB]))[0] == title


@pytest.mark.quick
async def test_whole_words_come_first_and_beginnings_before_what_is_within() -> None:
    users = [user(number, name) for number, name in enumerate(("bigmax", "maximilian", "max"), 1)]
    assert await titles("kick max", users) == ["Kick max", "Kick maximilian", "Kick bigmax"]


@pytest.mark.quick
async def test_who_is_muted_can_be_unmuted() -> None:
    found_first = await titles("mute", [ANN, user(2, "Bob", muted=True)])
    assert found_first[:3] == ["Mute Ann", "Lift the last mute or ban", "Unmute Bob"]
    unmute, _ = await found("unmute", OFFERS, [ANN, user(2, "Bob", muted=True)], None)
    assert unmute.value == "mute(2, False)"


@pytest.mark.quick
async def test_a_name_is_nothing_but_text() -> None:
    name = "[/nope]{name}{id}{0.__class__}"
    choices = await found("kick", OFFERS, [user(7, name)], None)
    assert choices == [Choice(f"Kick {name}", "10.0.0.1|7", "", "kick(7)")]
    no_name = User(8, "10.0.0.1|8", "10.0.0.1|8", 0.0)
    assert await found("kick", OFFERS, [no_name], None) == [Choice("Kick 10.0.0.1|8", "", "", "kick(8)")]


@pytest.mark.quick
@given(st.text("anKik m1|", max_size=8), st.lists(st.text("ann", min_size=1, max_size=4), max_size=4))
async def test_what_is_found_has_every_word_and_nothing_else_has(query: str, names: list[str]) -> None:
    users = [user(number, name) for number, name in enumerate(names, 1)]
    values = [choice.value for choice in await found(query, ON_USERS, users, None)]
    assert len(set(values)) == len(values)
    expected = {
        offer.action.replace("{id}", str(one.id))
        for offer in ON_USERS
        for one in users
        if query.split() and offer.muted is not True
        if all(
            word in offer.title.replace("{name}", "").lower()
            or any(alias.startswith(word) for alias in offer.aliases.split())
            or word in f"{one.name} {one.address}"
            for word in query.lower().split()
        )
    }
    assert set(values) == expected


@pytest.mark.quick
def test_keys_are_called_what_is_printed_on_them() -> None:
    assert [key_text(key) for key in ("f3", "ctrl+f", "escape", "")] == ["F3", "Ctrl+F", "Esc", ""]


@pytest.mark.quick
async def test_a_search_among_thousands_lets_the_chat_go_on() -> None:
    users = [user(number, f"user{number}") for number in range(1, 10_001)]
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    chat = asyncio.create_task(turn())
    assert len(await found("kic", OFFERS, users, None)) == MOST
    chat.cancel()
    assert turns >= 20
    assert (await titles("kick user9999", users))[0] == "Kick user9999"


# The palette of the console


async def open_palette(operator: Operator, query: str = "") -> ChoiceList:
    """Open the palette, and type into it."""
    await operator.press("ctrl+p")
    await operator.until(lambda: isinstance(operator.console.screen, PaletteScreen))
    await operator.press(*("space" if letter == " " else letter for letter in query))
    return operator.console.screen.query_one(ChoiceList)


async def run(operator: Operator, query: str) -> None:
    """Do what is offered first."""
    await open_palette(operator, query)
    await operator.press("enter")


async def offered(operator: Operator, query: str) -> list[str]:
    """What the palette offers; it is closed again."""
    choices = await open_palette(operator, query)
    found = [choice.title for choice in choices.choices]
    await operator.press("escape")
    await operator.back()
    return found


async def test_it_goes_where_the_keys_go(operator: Operator) -> None:
    for query, reached in (
        ("to the users", lambda: operator.user_list.has_focus),
        ("to the log", lambda: operator.log.has_focus),
        ("write to everybody", lambda: operator.line.has_focus),
        ("help", lambda: isinstance(operator.console.screen, HelpScreen)),
    ):
        await run(operator, query)
        await operator.until(reached)


async def test_what_is_typed_ahead_of_it_goes_to_it(operator: Operator) -> None:
    await operator.gather("Ann", "Bob")
    for key in ("ctrl+p", *"kick", "space", *"bob", "enter"):
        character = " " if key == "space" else key if len(key) == 1 else None
        operator.console.post_message(Key(key, character))
    assert (await operator.dialog()).question.name == "Bob"


async def test_it_opens_once_and_its_key_closes_it(operator: Operator) -> None:
    await open_palette(operator)
    await operator.press("ctrl+p")
    await operator.back()
    await operator.press("f1", "ctrl+p")
    assert isinstance(operator.console.screen, HelpScreen)


async def test_it_changes_the_theme(operator: Operator) -> None:
    await run(operator, "theme")
    await operator.until(lambda: "in use" in operator.text)
    await operator.press(*"nord", "enter")
    await operator.back()
    assert operator.console.theme == "nord"
    await run(operator, "theme")
    await operator.press("escape")
    await operator.back()
    assert operator.console.theme == "nord"


async def test_no_text_in_it_is_textuals(operator: Operator) -> None:
    await operator.gather("Ann")
    seen = ""
    for query in ("", "nothing like this", "theme"):
        await open_palette(operator, query)
        await operator.painted()
        seen += operator.text
        await operator.press("escape")
    for words in ("Search for", "No matches", "Maximize", "Screenshot", "Show help", "🔎", "palette"):
        assert words not in seen


async def test_message_begins_a_message_to_that_user(operator: Operator) -> None:
    _, bob = await operator.gather("Ann", "Bob")
    await run(operator, "message bob")
    assert operator.line.recipient is not None and operator.line.recipient.id == bob.id
    assert operator.line.has_focus


async def test_kick_asks_and_kicks_that_user_whoever_is_selected(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = ann.id
    await run(operator, "kick bob")
    assert (await operator.dialog()).question.user_id == bob.id
    await operator.press("enter")
    await operator.until(lambda: operator.names == ["Ann"])


async def test_mute_and_unmute_change_that_user_whoever_is_selected(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = ann.id
    await run(operator, "mute bob")
    await operator.dialog()
    await operator.press("enter")
    await operator.until(lambda: operator.user_list.users[bob.id].muted)
    assert (ann.muted, bob.muted) == (False, True)
    assert (await offered(operator, "mute"))[:2] == ["Mute Ann", "Lift the last mute or ban"]
    await run(operator, "unmute bob")
    await operator.until(lambda: not operator.user_list.users[bob.id].muted)
    assert (ann.muted, bob.muted) == (False, False)


@pytest.mark.parametrize("muted", [True, False])
async def test_what_is_offered_is_done_though_somebody_did_it_before(operator: Operator, muted: bool) -> None:
    (ann,) = await operator.gather("Ann")
    (operator.other.unmute if muted else operator.other.mute)(ann.id)
    await operator.until(lambda: operator.user_list.users[ann.id].muted is not muted)
    await open_palette(operator, "mute ann")
    (operator.other.mute if muted else operator.other.unmute)(ann.id)
    await operator.until(lambda: operator.user_list.users[ann.id].muted is muted)
    await operator.press("enter")
    if muted:
        await operator.dialog()
        await operator.press("enter")
    await operator.back()
    assert ann.muted is muted


async def test_ban_asks_and_bans_that_users_address_whoever_is_selected(operator: Operator) -> None:
    ann, _ = await operator.gather("Ann", "Bob")
    carol = operator.join("Carol", address="192.0.2.7|1")
    await operator.until(lambda: "Carol" in operator.names)
    operator.user_list.selected = ann.id
    await run(operator, "ban carol")
    assert (await operator.dialog()).question.hit == ["Carol"]
    await operator.press("shift+tab", "enter")
    await operator.until(lambda: operator.names == ["Ann", "Bob"])
    assert operator.clients[carol].finished


@pytest.mark.parametrize("action", ["message", "kick", "mute", "ban"])
async def test_of_a_user_that_is_gone_by_then_the_operator_is_told(operator: Operator, action: str) -> None:
    _, bob = await operator.gather("Ann", "Bob")
    await open_palette(operator, f"{action} bob")
    await operator.leave(bob)
    await operator.press("enter")
    await operator.until(lambda: operator.answer == "! this user has already left")
    assert (operator.at_home, operator.line.value, operator.names) == (True, "", ["Ann"])


async def test_markup_in_a_name_is_shown_as_it_is(operator: Operator) -> None:
    name = "[@click=app.quit]eve"
    operator.happen(Joined(0, 1, Address("[/nope]", 1)), Renamed(0, 1, "[/nope]|1", name))
    await operator.until(lambda: name in operator.names)
    await open_palette(operator, "eve")
    await operator.until(lambda: f"Kick {name}  [/nope]|1" in operator.text)


async def test_a_click_does_it(operator: Operator) -> None:
    await operator.gather("Ann", "Bob")
    await open_palette(operator, "kick")
    await operator.click("Kick Bob")
    assert (await operator.dialog()).question.name == "Bob"
