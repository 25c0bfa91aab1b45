# ruff: noqa: RUF001
"""The operator's screen: every key, button and line, whatever the users do meanwhile."""

from __future__ import annotations

import re
import time
from itertools import product
from pathlib import Path

import pytest
from support.console_operator import Operate, Operator
from textual import events

from chat_console.server.addresses import Address
from chat_console.server.room.events import Joined, LeaveReason, Left, Renamed, Said
from chat_console.server.settings import Settings
from chat_console.widgets.find_bar import FindBar
from chat_console.widgets.message_log import MessageLog
from chat_console.widgets.user_buttons import UserButtons

HOSTILE = "[/x][@click=app.quit]\x1b[2J\x1b]0;title\x07\x9b31m\u202e"
HARMLESS = "[/x][@click=app.quit]"


def lines_of(operator: Operator, name: str) -> list[str]:
    (member,) = [member for member in operator.clients if member.name == name]
    return operator.clients[member].lines


async def fill(operator: Operator, name: str = "Eve", count: int = 25) -> None:
    """Let somebody say more than the screen shows, slowly enough that nothing is folded."""
    (member,) = await operator.gather(name)
    for number in range(count):
        operator.say(member, f"line {number}")
        operator.happen(Said(time.time(), -1, "somebody", (f"between {number}",)))
    await operator.until(lambda: operator.last.endswith(f"between {count - 1}"))


# What is on it


@pytest.mark.quick
async def test_it_starts_in_the_line_and_says_how_to_join(operator: Operator) -> None:
    port = operator.server.port
    await operator.until(lambda: f"nc 127.0.0.1 {port}" in operator.text)
    assert f"127.0.0.1:{port} · 0 users" in operator.status
    assert operator.focused is operator.line
    for text in ("Nobody is here yet", "Say something to everybody, or /help", "everybody ›", "following"):
        assert text in operator.text
    operator.join()
    await operator.until(lambda: "nc 127.0.0.1" not in operator.text)


@pytest.mark.quick
async def test_every_size_shows_what_it_has_room_for(operator: Operator) -> None:
    ann, _ = await operator.gather("Ann", "Bob")
    operator.user_list.selected = ann.id
    operator.say(ann, "hello everybody")
    everywhere = ("hello everybody", "2 users", "everybody ›", "F1 help", "F4 users", "^F find", "[Mute")
    for size, more in (
        ((40, 12), ()),
        ((69, 15), ()),
        ((80, 24), ("following", "── Ann ──", "[Kick F3]", "▸Ann")),
        ((80, 12), ("following", "▸Ann")),
        ((120, 40), ("following", "── Ann ──", "[Kick]", "▸Ann", "sort: loud", "F7 ban", "[Find all lines]")),
        ((200, 60), ("following", "── Ann ──", "[Kick]", "▸Ann", "sort: loud", "F7 ban")),
    ):
        await operator.resize(*size)
        await operator.until(lambda: all(text in operator.text for text in (*everywhere, *more)))  # noqa: B023
        assert operator.text.count("[Ban") == 1
        if size[0] >= 70:
            assert operator.log.region.right == size[0]
            assert operator.user_list.region.x == 0
    assert operator.focused is operator.line


async def test_where_it_is_narrow_an_answer_takes_the_place_of_the_buttons(operate: Operate) -> None:
    async with operate(size=(40, 12)) as operator:
        (ann,) = await operator.gather("Ann")
        operator.user_list.selected = ann.id
        below = operator.console.screen.query_one("#buttons-below", UserButtons)
        await operator.until(lambda: below.region and not operator.answer_row.region)
        await operator.submit("/nobody")
        await operator.until(lambda: operator.answer_row.region and not below.region)
        assert "! Unknown command" in operator.text
        await operator.press("x")
        await operator.until(lambda: below.region and not operator.answer_row.region)


async def test_where_it_is_narrow_the_list_takes_the_place_of_the_log(operate: Operate) -> None:
    async with operate(size=(40, 12)) as operator:
        await operator.gather("Ann")
        await operator.until(lambda: "joined" in operator.text)
        await operator.press("f4")
        await operator.until(lambda: "sort: loud" in operator.text and "joined:" not in operator.text)
        await operator.press("escape")
        await operator.until(lambda: "sort: loud" not in operator.text)


@pytest.mark.quick
async def test_hostile_names_and_texts_are_text_wherever_they_are_shown(operator: Operator) -> None:
    address, name = Address("192.0.2.7", 1), f"{HOSTILE}eve"
    operator.happen(Joined(0, 1, address), Renamed(0, 1, str(address), name), Said(0, 1, name, (HOSTILE,)))
    operator.server.chat.failed(HOSTILE, ValueError(HOSTILE))
    await operator.submit(f"/kick {HOSTILE}")
    await operator.until(lambda: "nobody here is called" in operator.answer)

    def harmless() -> bool:
        shown = operator.text
        return not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown) and HARMLESS in shown

    assert harmless()
    operator.user_list.selected = 1
    await operator.press("f2", "ctrl+f", *"eve")
    assert harmless()
    await operator.press("escape", "f3")
    await operator.dialog()
    assert harmless()
    await operator.press("enter")
    await operator.until(lambda: "has left" in operator.answer)
    assert harmless()


# Answers


@pytest.mark.parametrize(
    ("line", "answer", "logged"),
    [
        ("/msg ann hi", "= sent to Ann", "» to ann: hi"),
        ("/mute ann 10m insults", "= Ann is muted for 10m (insults) · Ctrl+Z undoes", None),
        ("/kick ann", "= Ann was kicked", None),
        ("/ban 192.0.2.7", "= 192.0.2.7 is banned until unbanned · Ctrl+Z undoes", None),
        ("/list", "= 10.0.0.1|1001 as Ann", "= 10.0.0.1|1001 as Ann"),
        ("/kick annn", "! nobody here is called annn (Ann?)", None),
        ("/unmute ann", "! Ann was not muted", None),
        ("/kick", "! Usage: /kick <recipient> [reason]", None),
        ("/foo", "! Unknown command /foo. Type /help.", None),
    ],
)
async def test_an_answer_says_in_plain_words_what_came_of_a_command(
    operator: Operator, line: str, answer: str, logged: str | None
) -> None:
    await operator.gather("Ann")
    before = len(operator.entries)
    await operator.submit(line)
    await operator.until(lambda: operator.answer == answer)
    new = operator.entries[before:]
    assert new == ([logged] if logged else new[: len(new)]) and len(new) <= 1
    assert not any(entry.startswith(("=", "!")) for entry in new if entry != logged)


async def test_of_several_lines_the_row_has_the_first_and_the_log_has_all(operator: Operator) -> None:
    await operator.gather("Ann", "Bob", "Cid")
    await operator.submit("/list")
    await operator.until(lambda: operator.answer == "= 10.0.0.1|1001 as Ann · 2 more in the log")
    assert [entry[:3] for entry in operator.entries[-3:]] == ["= 1"] * 3


async def test_an_error_stays_until_a_key(operator: Operator) -> None:
    await operator.submit("/foo")
    await operator.until(lambda: operator.answer)
    await operator.press("a")
    assert not operator.answer


async def test_notifications_are_answers_and_cover_nothing(operator: Operator) -> None:
    operator.console.notify("[b]careful[/b]", title="Textual")
    assert operator.answer == "= Textual: careful"


# Scrolling


async def test_a_command_never_moves_a_log_that_is_scrolled_and_speaking_follows_again(
    operator: Operator,
) -> None:
    await fill(operator)
    await operator.press("pageup")
    await operator.until(lambda: re.search(r"paused \d\d:\d\d · End", operator.text))
    top = operator.log.scroll_offset
    await operator.submit("/kick nobody")
    await operator.submit("/list")
    await operator.until(lambda: re.search(r"paused \d\d:\d\d · 1 new · End", operator.text))
    assert operator.log.scroll_offset == top
    await operator.submit("hello")
    await operator.until(lambda: operator.log.following and "> Operator: hello" in operator.text)


async def test_the_log_is_scrolled_from_the_line(operator: Operator) -> None:
    await fill(operator)
    for key, following in (("pageup", False), ("pagedown", True), ("ctrl+home", False), ("ctrl+end", True)):
        await operator.press(key)
        assert operator.log.following is following, key
    await operator.press("pageup", "end")
    assert operator.log.following
    await operator.press("pageup")
    operator.line.value = "text"
    await operator.press("end")
    assert not operator.log.following
    await operator.click("· End")
    await operator.until(lambda: operator.log.following)


# To whom the operator writes


async def test_a_private_line_is_answered_with_one_key_and_the_text(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.say(bob, "/msg Operator help")
    await operator.until(lambda: "» 1 private" in operator.status and "F8 reply »1" in operator.text)
    assert "»1" in operator.rows[2] + operator.rows[3]
    await operator.press("f8", *"yes", "enter")
    assert lines_of(operator, "Bob")[-1] == "Operator (private): yes "
    assert lines_of(operator, "Ann")[-1] != "Operator (private): yes "
    await operator.until(lambda: "private" not in operator.status and "»1" not in operator.text)
    assert operator.selected == bob.id and ann.id != bob.id
    assert "to Bob ›" in operator.text


@pytest.mark.parametrize("keys", [["escape"], ["backspace"]])
async def test_the_prompt_stays_until_it_is_taken_back(operator: Operator, keys: list[str]) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    await operator.press("f2", *"psst", "enter", *keys, *"all", "enter")
    assert lines_of(operator, "Ann")[-2:] == ["Operator (private): psst ", "Operator: all"]


async def test_whoever_leaves_gets_nothing_and_nor_does_anybody_else(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = bob.id
    await operator.press("f2", *"secret")
    await operator.leave(bob)
    await operator.until(lambda: "Bob has left ›" in operator.text)
    operator.join("Bob")
    await operator.press("enter")
    assert operator.answer == "! Bob has left; Esc writes to everybody"
    assert operator.line.value == "secret"
    assert not any("secret" in line for client in operator.clients.values() for line in client.lines)
    await operator.press("escape", "enter")
    assert lines_of(operator, "Ann")[-1] == "Operator: secret"
    assert ann in operator.server.members


async def test_whoever_leaves_between_the_key_and_the_frame_gets_nothing_either(operator: Operator) -> None:
    _, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = bob.id
    await operator.press("f2", *"secret")
    operator.go(bob)
    operator.line.post_message(operator.line.Line(operator.line, "secret", bob.id))
    await operator.until(lambda: operator.answer.startswith("!"))
    assert operator.line.value == "secret"
    assert not any("secret" in line for client in operator.clients.values() for line in client.lines)


async def test_another_name_changes_the_prompt_and_not_the_recipient(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = bob.id
    await operator.press("f2")
    operator.say(bob, "/nick Rob")
    operator.say(ann, "/nick Bob")
    await operator.until(lambda: "to Rob ›" in operator.text)
    await operator.press(*"hi", "enter")
    assert lines_of(operator, "Rob")[-1] == "Operator (private): hi "
    assert "hi" not in lines_of(operator, "Bob")[-1]


async def test_a_command_is_one_whoever_the_prompt_names(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = bob.id
    await operator.press("f2")
    operator.line.value = "/kick Ann"
    await operator.press("enter")
    assert list(operator.server.members) == [bob]
    assert ann not in operator.server.members


# What is done to users


async def test_a_flooder_is_muted_with_three_keys(operator: Operator) -> None:
    ann, eve = await operator.gather("Ann", "Eve")
    operator.say(eve, *(f"buy {number}" for number in range(40)))
    await operator.until(lambda: "! Eve" in operator.status and "⋮ " in operator.text)
    assert any("Eve floods" in entry for entry in operator.entries)
    await operator.press("f9", "f6")
    await operator.dialog()
    await operator.press("enter")
    await operator.until(lambda: eve.muted)
    assert not ann.muted
    await operator.until(lambda: operator.answer == "= Eve is muted for 10m · Ctrl+Z undoes")
    operator.say(eve, "can anybody hear me?")
    await operator.until(lambda: operator.last == "⊘ Eve: can anybody hear me?")
    await operator.press("ctrl+z")
    assert not eve.muted
    assert operator.answer == "= Eve is unmuted"


async def test_a_kick_has_a_reason_for_the_log_alone_and_cannot_be_undone(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = bob.id
    await operator.press("f3")
    await operator.dialog()
    await operator.press(*"spam", "enter")
    await operator.until(lambda: operator.last == "- Bob left (kicked: spam)")
    assert list(operator.server.members) == [ann]
    assert "spam" not in "".join(lines_of(operator, "Ann"))
    await operator.press("ctrl+z")
    assert operator.answer == "! a kick cannot be undone; Bob may join again"
    await operator.press("ctrl+z")
    assert operator.answer == "! nothing to undo"


async def test_a_ban_names_who_is_hit_and_enter_alone_does_nothing(operator: Operator) -> None:
    ann = operator.join("Ann", address="192.0.2.7|1")
    operator.join("Bob", address="192.0.2.7|2")
    (cid,) = await operator.gather("Cid")
    operator.user_list.selected = ann.id
    await operator.press("f7")
    await operator.dialog()
    assert "192.0.2.7" in operator.text and "This drops Ann, Bob." in operator.text
    await operator.press("enter")
    await operator.back()
    assert len(operator.server.members) == 3
    await operator.press("f7")
    await operator.dialog()
    await operator.press("shift+tab", "enter")
    await operator.until(lambda: list(operator.server.members) == [cid])
    await operator.press("ctrl+z")
    await operator.until(lambda: "no longer banned" in operator.answer)
    assert not operator.server.chat.bans.covers(ann.ip)


async def test_a_user_on_this_machine_is_not_banned_by_key(operator: Operator) -> None:
    ann = operator.join("Ann", address="127.0.0.1|9")
    await operator.until(lambda: operator.names == ["Ann"])
    operator.user_list.selected = ann.id
    await operator.press("f7")
    assert operator.answer.startswith("! 127.0.0.1 is this machine itself")
    assert operator.at_home


async def test_whoever_leaves_before_the_answer_is_told_of_and_nobody_else_is_hit(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = bob.id
    await operator.press("f3")
    await operator.dialog()
    operator.go(bob)
    operator.join("Bob")
    await operator.until(lambda: "Bob has left" in operator.text)
    await operator.press("enter")
    await operator.until(lambda: operator.answer == "! Bob has left; nobody was kicked")
    assert len(operator.server.members) == 2 and ann in operator.server.members


async def test_without_a_selected_user_the_keys_for_one_do_nothing(operator: Operator) -> None:
    await operator.gather("Ann")
    await operator.press("f2", "f3", "f6", "f7")
    assert operator.at_home and operator.line.recipient is None


@pytest.mark.parametrize(
    ("button", "text"), [("Message", "to Ann ›"), ("Kick", "Kick Ann"), ("Mute", "Mute Ann")]
)
async def test_the_mouse_does_what_the_keys_do(operator: Operator, button: str, text: str) -> None:
    await operator.gather("Ann")
    await operator.click(" Ann")
    await operator.until(lambda: "── Ann ──" in operator.text)
    await operator.click(f"[{button} ")
    await operator.until(lambda: text in operator.text)


async def test_a_muted_user_is_heard_again_with_the_same_key(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    operator.other.mute(ann.id, 600)
    await operator.until(lambda: "[Unmute F6]" in operator.text and "mute 10m" in operator.text)
    await operator.resize(120, 40)
    await operator.until(lambda: "F6 unmute" in operator.text)
    await operator.press("f6")
    assert not ann.muted and operator.at_home
    await operator.until(lambda: "F6 mute" in operator.text)


# The list and the log


async def test_in_the_list_its_key_sorts_it_and_says_so(operator: Operator) -> None:
    await operator.gather("Ann")
    await operator.until(lambda: "F4 users" in operator.text)
    await operator.press("f4")
    await operator.until(lambda: "F4 sort" in operator.text and "loud ▾" in operator.text)
    await operator.press("f4")
    await operator.until(lambda: "idle ▾" in operator.text)
    operator.console.chat.action_users()  # as the palette's "Go to the users" does
    await operator.painted()
    assert "idle ▾" in operator.text


async def test_the_card_of_one_of_hundreds_is_four_letters_away(operate: Operate) -> None:
    async with operate(size=(100, 30)) as operator:
        members = [operator.join(f"user{number:03}") for number in range(299)]
        await operator.until(lambda: operator.user_list.count == 299)
        await operator.press("f4", *"r250")
        await operator.until(lambda: operator.selected == members[250].id)
        await operator.until(lambda: "── user250 ──" in operator.text)


async def test_a_line_selects_its_author_and_enter_writes_to_it(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.say(ann, "one")
    operator.say(bob, "two")
    await operator.until(lambda: operator.last == "  Bob: two")
    await operator.press("f5", "up", "up")
    assert operator.selected == ann.id
    await operator.press("enter")
    assert operator.line.recipient is not None and operator.line.recipient.id == ann.id
    assert operator.focused is operator.line


async def test_of_an_author_that_is_gone_it_says_when_and_how_it_left(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.say(ann, "one")
    await operator.leave(ann)
    await operator.press("f5", "up", "up")
    await operator.until(lambda: re.fullmatch(r"! Ann left.* at \d\d:\d\d", operator.answer))
    assert operator.selected is None


async def test_of_one_who_left_on_another_day_it_says_the_date(operator: Operator) -> None:
    at = time.mktime((2024, 2, 29, 9, 5, 0, 0, 0, -1))
    operator.happen(Said(at, 7, "Eve", ("one",)), Left(at, 7, "Eve", LeaveReason.QUIT))
    await operator.until(lambda: "- Eve left" in operator.last)
    await operator.press("f5", "up", "up")
    await operator.until(lambda: operator.answer == "! Eve left at 29 Feb 2024 09:05")


async def test_find_takes_the_place_of_the_line_and_escape_gives_it_back(operator: Operator) -> None:
    await fill(operator)
    await operator.press("ctrl+f", *"between", "space", "7")
    await operator.until(lambda: "find: 1 of 2" in operator.text)
    assert "everybody ›" not in operator.text and "find ›" in operator.text
    await operator.press("escape")
    await operator.until(lambda: "everybody ›" in operator.text)
    assert operator.focused is operator.line
    assert not operator.console.screen.query_one(FindBar).is_open


async def test_all_lines_of_a_user_are_found_by_its_id(operator: Operator) -> None:
    await fill(operator, "Eve", 3)
    (eve,) = operator.server.members
    operator.say(eve, "/nick Adam")
    operator.say(eve, "bye")
    operator.user_list.selected = eve.id
    await operator.until(lambda: operator.last == "  Adam: bye")
    await operator.resize(120, 40)
    await operator.click("[Find all lines]")
    await operator.until(lambda: "find: 1 of 6" in operator.text)


async def test_saving_tells_where_and_how_much_and_overwrites_nothing(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await fill(operator, count=3)
    await operator.press("ctrl+s")
    await operator.until(lambda: "lines saved in" in operator.answer)
    (file,) = sorted(tmp_path.iterdir())  # noqa: ASYNC240
    assert file.stat().st_mode & 0o777 == 0o600
    assert "Eve: line 2" in file.read_text()
    await operator.submit(f"/save {file}")
    await operator.until(lambda: operator.answer.endswith("is there already: nothing was saved"))


async def test_nothing_calls_for_attention(operator: Operator) -> None:
    await operator.press("f9")
    assert operator.answer == "! nobody floods, and nothing more came while you were away"
    await operator.press("f8")
    assert operator.answer == "! nobody waits for an answer"


async def test_what_came_while_the_terminal_had_no_focus_is_one_key_away(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(operator)
    (eve,) = operator.server.members
    monkeypatch.setattr("chat_console.app.away.LOOKED_AWAY", 0.0)
    operator.console.post_message(events.AppBlur())
    await operator.settle()
    operator.say(eve, "first of many")
    operator.happen(Said(0, -1, "somebody", ("between",)))
    operator.say(eve, "/msg Operator look")
    await operator.until(lambda: any("away since" in entry for entry in operator.entries))
    operator.console.post_message(events.AppFocus())
    await operator.until(lambda: any("2 lines · 1 private" in entry for entry in operator.entries))
    await operator.press("f9")
    assert operator.log.pointer is not None or not operator.log.following
    await operator.press("f9")
    pointed = operator.console.screen.query_one(MessageLog).pointed
    assert pointed is not None and pointed.text == "look"


PANES = ("f5", "f4", "escape")


@pytest.mark.quick
async def test_what_is_typed_in_the_log_goes_into_the_line(operator: Operator) -> None:
    for pane, text in product(("f5", "escape"), ("no", "?", " q", "Ж漢ü")):
        operator.line.value = "ab"
        await operator.press(pane)
        for character in text:
            # An input method tells of a character without a key to it.
            operator.console.post_message(events.Key("unknown", character))
            await operator.settle()
        assert (operator.line.value, operator.focused) == (f"ab{text}", operator.line), (pane, text)


async def test_what_is_pasted_in_any_pane_goes_into_the_line(operator: Operator) -> None:
    for pane in PANES:
        operator.line.value = ""
        await operator.press(pane)
        operator.console.post_message(events.Paste("one\ntwo"))
        await operator.settle()
        assert operator.line.value == "one two"
    assert operator.answer == "= 2 pasted lines were joined into one"


async def test_the_selection_stays_with_the_user_whoever_comes_and_goes(operator: Operator) -> None:
    members = await operator.gather(*(f"user{number}" for number in range(20)))
    operator.user_list.selected = members[10].id
    for gone in members[5:8]:
        await operator.leave(gone)
    await operator.gather("Zoe")
    assert operator.selected == members[10].id
    await operator.leave(members[10])
    assert operator.selected is None


async def test_the_bell_rings_for_what_may_go_unseen_unless_it_may_not(operate: Operate) -> None:
    for bell in (True, False):
        async with operate(bell=bell) as operator:
            rung: list[bool] = []
            operator.console.bell = lambda rung=rung: rung.append(True)
            await fill(operator)
            (eve,) = operator.server.members
            operator.say(eve, "/msg Operator one")
            await operator.until(lambda: operator.last.endswith("one"))
            assert not rung
            await operator.press("pageup")
            operator.say(eve, "/msg Operator two", "/msg Operator three")
            await operator.until(lambda: operator.last.endswith("three"))
            assert rung == [True] * bell


async def test_users_who_share_a_name_show_their_address(operate: Operate) -> None:
    async with operate(settings=Settings(port=0, shared_nicks=True), size=(120, 40)) as operator:
        members = await operator.gather("Bob", "Bob")
        for member in members:
            await operator.until(lambda: f"|{member.address.port}" in operator.text)  # noqa: B023


async def test_a_click_on_a_chip_does_what_its_key_does(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.say(ann, "/msg Operator help")
    await operator.click("» 1 private")
    await operator.until(lambda: "to Ann ›" in operator.text)
