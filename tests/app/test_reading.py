# ruff: noqa: RUF001
"""Ways through the log: find from anywhere, what calls for attention, and what is saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.chat_clients import ipv6
from support.console_operator import Operate, Operator

from chat_console.app.reading import departure, name_in
from chat_console.server.settings import Settings
from chat_console.widgets.entry import Entry, Kind
from chat_console.widgets.find_bar import FindBar
from chat_console.widgets.prompt import Recipient


def left(who: int, text: str, *folded: Entry) -> Entry:
    return Entry(0.0, Kind.LEAVE, "", text, who, folded)


def test_a_departure_is_found_by_id_the_latest_first_and_within_a_row_of_several() -> None:
    several = left(1, "2 left", left(1, "Ann left"), left(2, "Bob left"))
    other = Entry(0.0, Kind.CHAT, "Cid", "Bob left", 3)
    assert departure([several, other], 2) == left(2, "Bob left")
    assert departure([left(4, "old"), left(4, "new")], 4) == left(4, "new")
    assert departure([several, other], 3) is None


def test_a_name_is_that_of_the_last_line_from_a_user_and_not_of_one_to_it() -> None:
    flood = Entry(0.0, Kind.FOLD, "", "1 more", 1, (Entry(0.0, Kind.CHAT, "Ann", "a", 1),))
    sent = Entry(0.0, Kind.SENT, "to Ann", "b", 1)
    old = Entry(0.0, Kind.CHAT, "Old", "c", 1)
    other = Entry(0.0, Kind.CHAT, "Bob", "d", 2)
    assert name_in([old, flood, sent, other], 1) == "Ann"
    assert name_in([sent, left(1, "Ann left")], 1) == ""


async def test_all_lines_of_one_who_has_left_are_found_too(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.say(ann, "a needle")
    operator.say(bob, "another")
    await operator.leave(ann)
    operator.console.chat.action_lines_of(ann.id)
    await operator.until(lambda: "find: 1 of 3" in operator.text)
    assert "find › Ann" in operator.text
    await operator.press("escape")
    await operator.until(lambda: "everybody ›" in operator.text)


@pytest.mark.parametrize("keys", [["ctrl+f"], ["f4", "ctrl+f"], ["f5", "ctrl+f"], ["f5", "slash"]])
async def test_find_opens_from_every_pane_and_escape_goes_to_the_line(
    operator: Operator, keys: list[str]
) -> None:
    (ann,) = await operator.gather("Ann")
    operator.say(ann, "a needle")
    await operator.until(lambda: operator.last == "  Ann: a needle")
    await operator.press(*keys)
    await operator.press(*"needle")
    await operator.until(lambda: "find: 1 of 1" in operator.text)
    await operator.press("escape")
    await operator.until(lambda: "everybody ›" in operator.text)
    assert operator.focused is operator.line and operator.line.value == ""


async def test_while_only_hits_are_shown_they_alone_are_saved(operator: Operator, tmp_path: Path) -> None:
    (ann,) = await operator.gather("Ann")
    operator.say(ann, "a needle", "some hay")
    await operator.until(lambda: operator.last == "  Ann: some hay")
    await operator.press("ctrl+f", *"needle")
    await operator.until(lambda: "find: 1 of 1" in operator.text)
    await operator.press("tab")
    await operator.until(lambda: operator.log.only)
    await operator.console.chat._reading.save(str(tmp_path / "hits"))  # pyright: ignore[reportPrivateUsage]
    saved = (tmp_path / "hits").read_text().splitlines()
    assert len(saved) == 1 and saved[0].endswith("Ann: a needle")
    assert (tmp_path / "hits").stat().st_mode & 0o777 == 0o600


async def test_hits_that_are_still_to_be_found_are_saved_too(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("SLICE", 0), ("PAUSE", 0.05)):
        monkeypatch.setattr(f"chat_console.widgets.find_bar.{name}", seconds)
    operator.log.write_entries([Entry(0.0, Kind.CHAT, "Ann", f"needle {number}") for number in range(500)])
    find_bar = operator.console.screen.query_one(FindBar)
    find_bar.open("needle")
    find_bar.toggle_only()
    assert operator.log.only and find_bar.is_searching
    await operator.console.chat._reading.save(str(tmp_path / "hits"))  # pyright: ignore[reportPrivateUsage]
    assert len((tmp_path / "hits").read_text().splitlines()) == 500


async def test_f9_selects_the_flooder_before_it_goes_to_what_came_in_an_absence(operator: Operator) -> None:
    ann, eve = await operator.gather("Ann", "Eve")
    away = operator.console.chat.feed.away
    operator.say(ann, "/msg Operator help")
    operator.say(eve, *(f"buy {number}" for number in range(40)))
    await operator.until(lambda: "! Eve" in operator.status)
    (private,) = [entry for entry in operator.log.entries if entry.kind is Kind.PRIVATE]
    serial = operator.log.write_entries(()) - len(operator.log.entries) + operator.log.entries.index(private)
    away._places.append(serial)  # pyright: ignore[reportPrivateUsage]
    await operator.press("f9")
    assert operator.selected == eve.id and operator.log.pointer is None
    await operator.press("f9")
    assert operator.log.pointed == private


@pytest.mark.skipif(not ipv6, reason="this machine has no IPv6")
async def test_an_empty_log_says_how_to_join_at_each_address(operate: Operate) -> None:
    async with operate(settings=Settings(port=0, hosts=("127.0.0.1", "::1"))) as operator:
        port = operator.server.port
        for host in ("127.0.0.1", "::1"):
            await operator.until(lambda: f"nc {host} {port}" in operator.text)  # noqa: B023


async def test_nobody_is_said_to_flood_where_who_does_is_selected_already(operator: Operator) -> None:
    (eve,) = await operator.gather("Eve")
    operator.say(eve, *(f"buy {number}" for number in range(40)))
    await operator.until(lambda: "! Eve" in operator.status)
    await operator.press("f9")
    assert (operator.selected, operator.answer) == (eve.id, "")
    await operator.press("f9")
    assert operator.answer == "! who floods is selected; nothing more came while you were away"


@pytest.mark.parametrize("pane", ["escape", "f4", "f5"])
async def test_a_key_that_needs_a_user_says_that_nobody_is_selected_any_more(
    operator: Operator, pane: str
) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    await operator.press(pane)
    for key in ("f2", "f3", "f6", "f7"):
        await operator.press(key)
        assert (operator.answer, operator.at_home) == ("! nobody is selected", True)
        await operator.press("ctrl+l")
    operator.user_list.selected = bob.id
    await operator.leave(bob)
    await operator.until(lambda: "Bob left" in operator.last)
    await operator.press("f2")
    assert operator.answer.startswith("! Bob left")
    assert operator.answer.endswith("; nobody is selected")
    assert operator.line.recipient is None
    operator.user_list.selected = ann.id
    await operator.press("f2")
    assert operator.line.recipient == Recipient(ann.id, "Ann")
