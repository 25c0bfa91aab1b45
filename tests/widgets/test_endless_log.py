"""Scrolling over the boundary between a log's entries and the lines of its archive, and back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from support.archives import Archive
from support.log_reader import LONG, NOON, Reader, entry, numbered
from textual import events

from chat_console.widgets.message_log import Entry, Kind, MessageLog
from chat_console.widgets.past import PAGE
from chat_console.widgets.scrollback import PAST_SERIAL

pytestmark = pytest.mark.usefixtures("quick_again")


@pytest.fixture
def quick_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_console.widgets.endless_log.AGAIN", 0.01)


@pytest.fixture
def max_lines() -> int:
    return 20


async def past(reader: Reader, count: int, text: str = "line {}") -> Archive:
    """Give the log an archive of `count` lines, counted from 1."""
    archive = Archive(numbered(1, count + 1, text))
    reader.log.continue_into(archive, archive.next)
    await settle(reader, archive)
    return archive


async def settle(reader: Reader, archive: Archive) -> None:
    """Answer until nothing is asked for any more."""
    await reader.pilot.pause()
    while archive.asked:
        archive.answer()
        await reader.pilot.pause()


def say(reader: Reader, archive: Archive, first: int, last: int, text: str = "line {}") -> None:
    """Let the log and its archive have more lines."""
    reader.log.write_entries(archive.add(numbered(first, last, text)))


async def test_it_begins_with_the_end_of_the_archive(reader: Reader) -> None:
    archive = await past(reader, 300)
    assert reader.texts == [f"line {number}" for number in range(291, 301)]
    assert reader.log.following
    say(reader, archive, 301, 304)
    await settle(reader, archive)
    assert reader.texts == [f"line {number}" for number in range(294, 304)]
    assert reader.log.reach == 303


async def test_one_scrolls_up_over_the_boundary_and_back_row_by_row(reader: Reader) -> None:
    archive = await past(reader, 300)
    say(reader, archive, 301, 306)
    await settle(reader, archive)
    for number in range(295, 280, -1):
        await reader.scroll("row")
        assert reader.texts[0] == f"line {number}"
    await reader.wheel(events.MouseScrollDown)
    assert reader.texts[0] != "line 281"
    for _ in range(4):
        await reader.scroll("pagedown")
    assert reader.log.following
    assert reader.texts[-1] == "line 305"


@pytest.mark.uncounted
@pytest.mark.parametrize("count", [4, 12, 40, 300])
async def test_with_lines_of_many_rows_every_row_is_reached_from_both_ends(
    reader: Reader, count: int
) -> None:
    archive = await past(reader, count, LONG)
    say(reader, archive, count + 1, count + 3, LONG)
    await settle(reader, archive)
    seen = [*reader.places]
    for _ in range(60):
        await reader.scroll("row")
        if reader.places[0] == seen[0]:
            break
        assert reader.places[1:] == seen[: len(reader.places) - 1]
        seen.insert(0, reader.places[0])
    rows = len(seen)
    assert rows == min(3 * (count + 2), 60 + 10)
    for place in range(1, rows - 9):
        reader.log.action_scroll_down()
        await reader.pilot.pause()
        assert reader.places == seen[place : place + 10]
    assert reader.log.following


async def test_home_is_the_first_line_and_end_the_newest(reader: Reader) -> None:
    archive = await past(reader, 1000)
    await reader.scroll("home")
    assert reader.texts == ["…"] * 10
    assert reader.log.paused_at == 0
    await settle(reader, archive)
    assert reader.texts == [f"line {number}" for number in range(1, 11)]
    assert reader.log.paused_at == NOON
    await reader.scroll("end")
    assert reader.texts[-1] == "line 1000"


async def test_far_away_is_reached_with_the_scrollbar(reader: Reader) -> None:
    archive = await past(reader, 10_000)
    reader.log.scroll_to(y=5000)
    await settle(reader, archive)
    assert reader.texts[0] == "line 5001"
    assert reader.log.virtual_size.height == 10_000


async def test_who_reads_stays_on_the_same_text_while_entries_become_lines(reader: Reader) -> None:
    archive = await past(reader, 50, LONG)
    say(reader, archive, 51, 71, LONG)
    await settle(reader, archive)
    await reader.scroll("pageup", "row")
    shown = reader.rows
    for number in range(71, 171, 7):
        say(reader, archive, number, number + 7, LONG)
        await settle(reader, archive)
        assert reader.rows == shown
    assert reader.log.top_row[0] < PAST_SERIAL + 1000
    assert not reader.log.following


async def test_what_was_not_recorded_is_gone_when_it_is_dropped_and_the_next_is_in_its_place(
    reader: Reader,
) -> None:
    archive = await past(reader, 3)
    reader.log.write_entries([entry(f"notice {number}", kind=Kind.NOTICE) for number in range(10)])
    say(reader, archive, 4, 14)
    await settle(reader, archive)
    reader.log.go_to(reader.log.scrollback.first)
    await reader.scroll("row")
    say(reader, archive, 14, 30)
    await settle(reader, archive)
    assert "notice 9" not in reader.texts
    await reader.scroll("home")
    assert reader.texts == [f"line {number}" for number in range(1, 11)]


async def test_what_is_held_in_view_is_held_as_a_line_too(reader: Reader) -> None:
    archive = await past(reader, 30)
    say(reader, archive, 31, 50)
    reader.log.go_to(reader.log.scrollback.first)
    say(reader, archive, 50, 60)
    await settle(reader, archive)
    assert reader.log.held == PAST_SERIAL + 31
    assert reader.log.in_view(PAST_SERIAL + 31)


async def test_resizing_in_the_past_stays_there(reader: Reader) -> None:
    archive = await past(reader, 1000, LONG)
    await reader.scroll("home", "pagedown", "pagedown", "pagedown")
    await settle(reader, archive)
    number = reader.log.top_row[0]
    await reader.resize("narrow")
    await settle(reader, archive)
    assert reader.log.top_row[0] == number
    assert reader.texts[0] != "…"


async def test_what_is_gone_to_stays_in_view_when_the_lines_around_it_arrive(reader: Reader) -> None:
    archive = await past(reader, 1000, LONG)
    reader.log.go_to(PAST_SERIAL + 500)
    await settle(reader, archive)
    assert reader.log.in_view(PAST_SERIAL + 500)
    assert any(text.startswith("line 500 ") for text in reader.texts)


async def test_a_selection_over_the_boundary_has_all_that_is_between(reader: Reader) -> None:
    archive = await past(reader, 30)
    say(reader, archive, 31, 35)
    await settle(reader, archive)
    await reader.drag((0, 2), (18, 8))
    assert reader.selected is not None
    lines = reader.selected.splitlines()
    assert [line[11:] for line in lines] == [f"line {number}" for number in range(27, 34)]
    say(reader, archive, 35, 60)
    await settle(reader, archive)
    assert reader.selected.splitlines() == lines
    assert reader.highlighted == []
    reader.log.go_to_top(PAST_SERIAL + 25)
    await settle(reader, archive)
    assert reader.highlighted == [*lines[:-1], "12:34:56   line 33"]


async def test_everything_selected_is_what_is_read(reader: Reader) -> None:
    archive = await past(reader, 100_000)
    say(reader, archive, 100_001, 100_004)
    await settle(reader, archive)
    reader.log.text_select_all()
    await reader.pilot.pause()
    assert reader.selected is not None
    assert len(reader.selected.splitlines()) <= 3 * PAGE
    assert reader.selected.endswith("line 100003")


async def test_one_points_at_lines_too(reader: Reader) -> None:
    archive = await past(reader, 300)
    say(reader, archive, 301, 303)
    await settle(reader, archive)
    await reader.scroll("up", "up", "up")
    assert reader.log.pointer == PAST_SERIAL + 300
    assert reader.log.pointed is not None
    assert reader.log.pointed.text == "line 300"
    reader.log.pointer = reader.log.scrollback.first
    say(reader, archive, 303, 330)
    await settle(reader, archive)
    assert reader.log.pointer == PAST_SERIAL + 301
    assert reader.log.pointed.text == "line 301"


async def test_a_line_pointed_at_is_told_once_it_is_read(reader: Reader) -> None:
    archive = await past(reader, 1000)
    reader.log.pointer = PAST_SERIAL + 10
    assert reader.log.pointed is None
    reader.app.posted.clear()
    await settle(reader, archive)
    told = [message.entry for message in reader.app.posted if isinstance(message, MessageLog.Pointed)]
    assert told[-1] == replace(entry("line 10"), number=10)


async def test_lines_that_come_late_are_shown_when_they_are_there(reader: Reader) -> None:
    archive = Archive(numbered(1, 21))
    reader.log.continue_into(archive, 26)
    archive.answer()
    assert reader.texts == [*[f"line {number}" for number in range(16, 21)], *["…"] * 5]
    assert not archive.asked  # for a while
    archive.add(numbered(21, 26))
    await reader.until(lambda: bool(archive.asked))
    archive.answer()
    assert reader.texts[-1] == "line 25"
    await asyncio.sleep(0)
    assert not archive.asked


async def test_what_the_archive_drops_is_gone_here_too(reader: Reader) -> None:
    archive = await past(reader, 1000)
    archive.oldest = 400
    await reader.scroll("home")
    await settle(reader, archive)
    assert reader.texts[0] == "line 400"
    assert reader.log.reach == 601


async def test_a_time_is_found_in_the_archive_and_among_the_entries(reader: Reader) -> None:
    old = [Entry(NOON - 1000 + number, Kind.CHAT, "", f"old {number}") for number in range(500)]
    archive = Archive(old)
    reader.log.continue_into(archive, archive.next)
    reader.log.write_entries(archive.add(numbered(1, 16)))
    await settle(reader, archive)
    found: list[int | None] = []
    reader.log.find_time(NOON - 900, found.append)
    await settle(reader, archive)
    assert reader.texts[0] == "old 100"
    reader.log.find_time(NOON, found.append)
    reader.log.find_time(NOON - 100, found.append)
    await settle(reader, archive)
    assert found == [PAST_SERIAL + 101, *[reader.log.scrollback.first] * 2]


async def test_a_row_that_grows_after_it_was_dropped_hides_no_line(reader: Reader) -> None:
    archive = await past(reader, 3)
    serial = reader.log.scrollback.next
    say(reader, archive, 4, 40)
    await settle(reader, archive)
    folded = tuple(archive.add([entry("said in a flood")]))
    say(reader, archive, 41, 45)
    reader.log.replace(serial, Entry(NOON, Kind.FOLD, "", "1 more", folded=folded))
    await settle(reader, archive)
    assert reader.texts[-5:] == ["said in a flood", *[f"line {number}" for number in range(41, 45)]]
