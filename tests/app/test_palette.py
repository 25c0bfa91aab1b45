"""The command palette: what the keys do, and every user by name or address."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from support.console_operator import Operate, Operator
from textual.command import CommandPalette, DiscoveryHit, Hit
from textual.content import Content

from chat_console.app.palette import ConsoleCommands
from chat_console.server.addresses import Address
from chat_console.server.room.events import Joined, Renamed
from chat_console.widgets.help_screen import HelpScreen


async def search(operator: Operator, query: str) -> list[Hit]:
    """The hits for `query`, best first, as the palette sorts them."""
    provider = ConsoleCommands(operator.console.screen)
    hits = [hit async for hit in provider.search(query)]
    assert all(isinstance(hit, Hit) for hit in hits)
    return sorted((hit for hit in hits if isinstance(hit, Hit)), reverse=True)


async def titles(operator: Operator, query: str) -> list[str | None]:
    return [hit.text for hit in await search(operator, query)]


async def choose(hit: Hit | DiscoveryHit) -> None:
    """Do what a hit offers."""
    done = hit.command()
    assert inspect.isawaitable(done)
    await done


async def run(operator: Operator, query: str) -> None:
    """Do what the best hit offers."""
    hits = await search(operator, query)
    await choose(hits[0])


async def test_it_offers_what_the_keys_do_before_anything_is_typed(operator: Operator) -> None:
    provider = ConsoleCommands(operator.console.screen)
    hits = [hit async for hit in provider.discover()]
    assert [hit.text for hit in hits] == ["Help", "User list", "Message log"]
    assert all(isinstance(hit, DiscoveryHit) and hit.help for hit in hits)
    for hit, reached in zip(
        hits,
        (
            lambda: isinstance(operator.console.screen, HelpScreen),
            lambda: operator.user_list.has_focus,
            lambda: operator.log.has_focus,
        ),
        strict=True,
    ):
        await choose(hit)
        await operator.until(reached)
        if not operator.at_home:
            await operator.press("escape")
            await operator.back()


async def test_nothing_of_textuals_hides_the_line_or_who_is_acted_upon(operator: Operator) -> None:
    console = operator.console
    for go_to in (console.action_log, console.action_users, console.action_line):
        go_to()
        offered = [command.title for command in console.get_system_commands(console.screen)]
        assert {"Theme", "Quit"} <= set(offered)
        assert "Maximize" not in offered


async def test_a_user_is_found_by_name_or_address_whatever_the_order_and_case(operator: Operator) -> None:
    ann, _ = await operator.gather("Ann", "Bob")
    for query in ("ann", "ANN", str(ann.address), f"ann {ann.address}"):
        assert await titles(operator, query) == ["Message Ann", "Kick Ann", "Mute Ann", "Ban Ann"]
    for query in ("kick ann", "ann kick", "ki nn"):
        assert await titles(operator, query) == ["Kick Ann"]
    assert await titles(operator, "message") == ["Message log", "Message Ann", "Message Bob"]
    assert await titles(operator, "carol") == []


async def test_message_begins_a_message_to_that_user(operator: Operator) -> None:
    await operator.gather("Ann", "Bob")
    await run(operator, "message bob")
    assert operator.line.value == "/msg Bob "
    assert operator.line.has_focus


async def test_kick_asks_and_kicks_that_user_whoever_is_selected(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = ann.id
    await run(operator, "kick bob")
    assert await operator.question() == f"Kick Bob ({bob.address})?"
    await operator.press("y")
    await operator.until(lambda: operator.names == ["Ann"])


async def test_mute_and_unmute_change_that_user_whoever_is_selected(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = ann.id
    await run(operator, "mute bob")
    await operator.until(lambda: operator.user_list.users[bob.id].muted)
    assert (ann.muted, bob.muted) == (False, True)
    assert await titles(operator, "mute") == ["Mute Ann", "Unmute Bob"]
    await run(operator, "unmute bob")
    await operator.until(lambda: not operator.user_list.users[bob.id].muted)
    assert (ann.muted, bob.muted) == (False, False)


@pytest.mark.parametrize("muted", [True, False])
async def test_what_is_offered_is_done_though_somebody_did_it_before(operator: Operator, muted: bool) -> None:
    (ann,) = await operator.gather("Ann")
    (operator.other.unmute if muted else operator.other.mute)(ann.id)
    await operator.until(lambda: operator.user_list.users[ann.id].muted is not muted)
    hits = await search(operator, "mute ann")
    (operator.other.mute if muted else operator.other.unmute)(ann.id)
    await operator.until(lambda: operator.user_list.users[ann.id].muted is muted)
    await choose(hits[0])
    assert ann.muted is muted


async def test_ban_asks_and_bans_that_users_address_whoever_is_selected(operator: Operator) -> None:
    ann, _ = await operator.gather("Ann", "Bob")
    carol = operator.join("Carol", address="192.0.2.7|1")
    await operator.until(lambda: "Carol" in operator.names)
    operator.user_list.selected = ann.id
    await run(operator, "ban carol")
    assert await operator.question() == "Ban 192.0.2.7? This drops Carol."
    await operator.press("y")
    await operator.until(lambda: operator.names == ["Ann", "Bob"])
    assert operator.clients[carol].finished


@pytest.mark.parametrize("action", ["message", "kick", "mute", "ban"])
async def test_of_a_user_that_is_gone_by_then_the_operator_is_told(operator: Operator, action: str) -> None:
    _, bob = await operator.gather("Ann", "Bob")
    hits = await search(operator, f"{action} bob")
    await operator.leave(bob)
    await choose(hits[0])
    await operator.until(lambda: operator.entries[-1] == "= This user has already left.")
    assert (operator.at_home, operator.line.value, operator.names) == (True, "", ["Ann"])


async def test_among_very_many_whole_words_come_first(operator: Operator) -> None:
    *_, last = await operator.gather(*(f"user{number}" for number in range(10, 70)), "user1")
    actions = ["Message user1", "Kick user1", "Mute user1", "Ban user1"]
    assert (await titles(operator, "user1"))[:4] == actions
    assert len(await search(operator, "user")) == 50
    assert set((await titles(operator, str(last.address)))[:4]) == set(actions)


async def test_a_search_among_thousands_lets_the_chat_go_on(operator: Operator) -> None:
    operator.happen(*(Joined(0, number, Address("10.0.0.1", number)) for number in range(1, 2001)))
    await operator.until(lambda: operator.user_list.count == 2000)
    turns: list[int] = []

    def turn() -> None:
        turns.append(len(turns))
        operator.user_list.apply(removed=[1000 + len(turns)])
        if len(turns) < 20:
            asyncio.get_running_loop().call_soon(turn)

    turn()
    assert len(await search(operator, "kick")) == 50
    assert 5 < len(turns) <= 12


async def test_markup_in_a_name_is_shown_as_it_is(operator: Operator) -> None:
    name = "[@click=app.quit]eve"
    operator.happen(Joined(0, 1, Address("[/nope]", 1)), Renamed(0, 1, "[/nope]|1", name))
    await operator.until(lambda: name in operator.names)
    hits = await search(operator, "eve")
    for hit, title in zip(hits, ("Message", "Kick", "Mute", "Ban"), strict=True):
        assert isinstance(hit.match_display, Content)
        assert hit.match_display.plain == f"{title} {name}\n[/nope]|1"
        assert hit.help is None  # a string there would be read as markup


async def test_the_palette_opens_searches_and_acts_by_keyboard(operate: Operate) -> None:
    async with operate(size=(80, 24)) as operator:
        operator.join("Ann")
        operator.happen(Joined(0, 2, Address("[/nope][@click=app.quit]", 1)))
        await operator.until(lambda: operator.user_list.count == 2)
        await operator.press("ctrl+p")
        await operator.until(lambda: isinstance(operator.console.screen, CommandPalette))
        await operator.press(*"kick")
        await operator.until(lambda: "Kick [/nope][@click=app.quit]|1" in operator.text)
        await operator.press("space", *"ann")
        await operator.until(lambda: "Kick Ann" in operator.text and "Kick [" not in operator.text)
        await operator.press("enter")
        assert (await operator.question()).startswith("Kick Ann ")
