"""What of the log is in view: following, staying in place, the bound, replacing, resizing."""

from __future__ import annotations

import gc

import pytest
from support.log_reader import LONG, NOON, Console, Reader, entry, numbered
from textual import events
from textual.strip import Strip
from textual.widgets import Input

from chat_console.widgets.entry import Layout
from chat_console.widgets.message_log import Entry, Kind, MessageLog

# Following


async def test_the_view_follows_the_end(reader: Reader) -> None:
    for start in range(0, 1000, 50):
        reader.log.write_entries(numbered(start, start + 50))
        assert reader.texts == [f"line {number}" for number in range(start + 40, start + 50)]
    assert reader.log.following
    assert reader.log.scroll_y == reader.log.max_scroll_y == 990


async def test_writing_nothing_changes_nothing(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 5))
    reader.log.write_entries([])
    assert len(reader.log.entries) == 5


@pytest.mark.parametrize(("key", "rows"), [("row", 1), ("pageup", 9), ("home", 990)])
async def test_scrolling_up_stays_on_the_text_and_tells_what_is_new(
    reader: Reader, key: str, rows: int
) -> None:
    reader.log.write_entries(numbered(0, 1000))
    await reader.scroll(key)
    assert not reader.log.following
    top = 990 - rows
    for start in range(1000, 1400, 200):
        reader.log.write_entries(numbered(start, start + 200))
    assert reader.texts == [f"line {number}" for number in range(top, top + 10)]
    assert reader.log.new_below == 400


@pytest.mark.parametrize("way", ["end", "pagedown", "wheel", "set"])
async def test_coming_back_to_the_end_follows_again(reader: Reader, way: str) -> None:
    reader.log.write_entries(numbered(0, 50))
    await reader.scroll("row")
    reader.log.write_entries(numbered(50, 53))
    assert reader.log.new_below == 3
    match way:
        case "wheel":
            for _ in range(4):
                await reader.wheel(events.MouseScrollDown)
        case "set":
            reader.log.following = True
        case key:
            await reader.pilot.press(key)
    await reader.until(lambda: reader.log.following)
    assert reader.texts == [f"line {number}" for number in range(43, 53)]
    reader.log.write_entries(numbered(53, 54))
    assert reader.texts[-1] == "line 53"
    assert reader.log.new_below == 0


async def test_what_is_new_counts_down_as_it_comes_into_view(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    await reader.scroll("row")
    reader.log.write_entries(numbered(50, 80))
    await reader.pilot.press("pagedown")
    assert reader.texts[0] == "line 48"
    assert reader.log.new_below == 22


async def test_nothing_new_hides_nothing(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    await reader.scroll("row")
    assert reader.texts == [f"line {number}" for number in range(39, 49)]


async def test_the_wheel_scrolls_without_keyboard_focus(reader: Reader) -> None:
    reader.app.query_one(Input).focus()
    reader.log.write_entries(numbered(0, 50))
    await reader.wheel(events.MouseScrollUp)
    assert not reader.log.following
    lines = int(reader.app.scroll_sensitivity_y)
    assert reader.texts[0] == f"line {40 - lines}"


async def test_a_log_that_is_not_full_cannot_be_left(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 5))
    await reader.scroll("row", "pageup", "home")
    assert reader.log.following
    assert reader.texts[:5] == [f"line {number}" for number in range(5)]


async def test_following_can_be_left_without_scrolling(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    reader.log.following = False
    reader.log.write_entries(numbered(50, 60))
    assert reader.texts[0] == "line 40"
    assert reader.log.new_below == 10


async def test_keys_move_by_exact_rows_over_entries_never_seen_before(reader: Reader) -> None:
    reader.log.write_entries([entry(LONG.format(number) + "你好" * (number % 30)) for number in range(300)])
    seen = reader.texts
    while not any(text.startswith("line 200 ") for text in reader.texts):
        below = reader.texts[0]
        reader.log.action_page_up()
        assert reader.texts[-1] == below
        seen[:0] = reader.texts[:-1]
    for number in range(201, 300):
        assert sum(row.startswith(f"line {number} ") for row in seen) == 1


async def test_going_down_skips_no_row_however_few_were_expected(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    reader.log.scroll_home()
    reader.log.write_entries([entry(f"line {number} " + "你好" * 50) for number in range(50, 60)])
    seen = reader.texts
    while not reader.log.following:
        last = reader.places[-1]
        reader.log.action_page_down()
        assert last in reader.places
        seen += reader.texts
    for number in range(60):
        assert any(f"line {number}" in row for row in seen)


async def test_home_shows_the_first_row_even_where_it_is_not_where_it_was_estimated(reader: Reader) -> None:
    reader.log.write_entries([entry("你好世界" * 20) for _ in range(6)] + numbered(0, 9))
    await reader.scroll("row", "home")
    assert reader.rows[0].startswith("12:34:56   你好")
    assert reader.log.scroll_y == 0


async def test_dragging_the_scrollbar_leaves_the_end_and_comes_back_to_it(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 1000))
    bar = reader.log.vertical_scrollbar
    await reader.pilot.pause()
    await reader.pilot.mouse_down(bar, offset=(0, 9))
    await reader.pilot.hover(bar, offset=(0, 4))
    await reader.until(lambda: not reader.log.following)
    top = int(reader.texts[0].removeprefix("line "))
    assert 300 < top < 700
    assert reader.log.scroll_y == top
    reader.log.write_entries(numbered(1000, 1100))
    assert reader.texts[0] == f"line {top}"
    await reader.pilot.hover(bar, offset=(0, 11))
    await reader.until(lambda: reader.log.following)
    await reader.pilot.mouse_up(bar, offset=(0, 11))
    assert reader.texts[-1] == "line 1099"


async def test_the_last_scroll_position_is_the_end_however_many_rows_were_expected_there(
    reader: Reader,
) -> None:
    reader.log.write_entries(numbered(0, 50))
    await reader.pilot.press("home")
    reader.log.write_entries([entry("你好" * 100) for _ in range(50)])
    reader.log.scroll_to(y=reader.log.max_scroll_y)
    assert reader.log.following
    assert reader.log.scroll_y == reader.log.max_scroll_y


async def test_slow_drags_add_up_to_rows(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    reader.log.scroll_y -= 1
    for _ in range(10):
        reader.log.scroll_y -= 0.3
    assert reader.texts[0] == "line 36"


@pytest.mark.parametrize("max_lines", [100])
async def test_slow_drags_add_up_while_entries_are_dropped(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 100))
    reader.log.scroll_y -= 8
    for start in range(100, 110):
        reader.log.scroll_y -= 0.5
        reader.log.write_entries(numbered(start, start + 1))
    assert reader.texts[0] == "line 77"


async def test_nothing_is_animated(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 1000))
    reader.log.action_scroll_up()
    assert reader.texts[0] == "line 989"
    reader.log.action_scroll_home()
    assert reader.texts[0] == "line 0"
    reader.log.action_scroll_down()
    assert reader.texts[0] == "line 1"
    reader.log.action_scroll_end()
    assert reader.texts[0] == "line 990"


# The bound


@pytest.mark.parametrize("max_lines", [100])
async def test_a_full_log_still_shows_what_is_new(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 20))
    for start in range(20, 1000, 7):
        reader.log.write_entries(numbered(start, start + 7))
        assert reader.texts[-1] == f"line {start + 6}"
    assert len(reader.log.entries) == 100
    assert reader.log.virtual_size.height == 100


@pytest.mark.parametrize("max_lines", [100])
async def test_the_view_stays_on_the_text_while_older_entries_are_dropped(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 100))
    await reader.pilot.press("pageup")
    shown = reader.texts
    for start in range(100, 180, 8):
        reader.log.write_entries(numbered(start, start + 8))
        assert reader.texts == shown
        assert reader.log.entries[int(reader.log.scroll_y)].text == shown[0]
    assert reader.log.new_below == 80


@pytest.mark.parametrize("max_lines", [100])
async def test_the_view_moves_on_once_its_text_is_dropped(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 100))
    await reader.pilot.press("home")
    reader.log.write_entries(numbered(100, 150))
    assert reader.texts[0] == "line 50"
    assert not reader.log.following
    reader.log.write_entries(numbered(150, 1000))
    assert reader.texts[0] == "line 900"
    assert reader.log.new_below == 90


async def test_thousands_of_entries_in_batches_keep_everything_bounded(reader: Reader) -> None:
    log = reader.log
    kept = (Layout, Strip)
    gc.collect()
    before = [sum(isinstance(thing, kind) for thing in gc.get_objects()) for kind in kept]
    log.write_entries(numbered(0, 10_000, LONG))
    for start in range(10_000, 30_000, 200):
        log.write_entries(numbered(start, start + 200, LONG))
        assert log.virtual_size.height <= 30_000
    assert len(log.entries) == 10_000
    assert log.entries[0].text.startswith("line 20000 ")
    assert reader.texts[-3].startswith("line 29999 ")
    gc.collect()
    for kind, count in zip(kept, before, strict=True):
        assert sum(isinstance(thing, kind) for thing in gc.get_objects()) < count + 1_000


async def test_clearing_removes_all_and_follows(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    await reader.pilot.press("home")
    reader.log.write_entries(numbered(50, 60))
    reader.log.clear()
    assert reader.log.following
    assert reader.rows == [""] * 10
    assert (reader.log.entries, reader.log.new_below, reader.log.virtual_size.height) == ([], 0, 0)
    await reader.scroll("row", "pageup", "home", "end", "pagedown")
    reader.log.write_entries(numbered(0, 2))
    assert reader.texts[:3] == ["line 0", "line 1", ""]


# Replacing


async def test_an_entry_is_replaced_where_it_stands(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 5))
    assert reader.log.write_entries(numbered(5, 6)) == first + 5
    assert reader.texts[3] == "line 3"
    assert reader.log.replace(first + 3, entry("another " * 10))
    assert [text[:7] for text in reader.texts[:6]] == [
        "line 0",
        "line 1",
        "line 2",
        "another",
        "another",
        "line 4",
    ]
    assert not reader.log.replace(first + 6, entry("no such line"))


@pytest.mark.parametrize("max_lines", [20])
async def test_one_that_was_dropped_is_not_replaced(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 21))
    assert not reader.log.replace(first, entry("gone"))
    assert reader.log.replace(first + 1, entry("kept"))
    assert reader.log.entries[0].text == "kept"


async def test_a_scrolled_view_stays_on_its_text_whatever_is_replaced(reader: Reader) -> None:
    first = reader.log.write_entries([*numbered(0, 20), entry("word " * 100), *numbered(21, 60)])
    reader.log.scroll_to(y=23)
    assert reader.texts[0].startswith("word")
    row = reader.places[0]
    reader.log.replace(first + 3, entry("longer " * 50))
    assert reader.places[0] == row
    reader.log.replace(first + 20, entry("short"))
    assert reader.texts[:2] == ["short", "line 21"]
    reader.log.replace(first + 40, entry("longer " * 50))
    assert reader.texts[:2] == ["short", "line 21"]
    assert not reader.log.following


async def test_a_log_that_follows_shows_the_end_of_what_is_replaced(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 50))
    reader.log.replace(first + 49, entry("longer " * 10 + "end"))
    assert reader.texts[-1].endswith("end")
    assert reader.log.following


# Resizing


async def test_resizing_wraps_again_and_keeps_the_entry_at_the_top(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 10_000, LONG))
    reader.log.scroll_to(y=9_000)
    while not reader.texts[0].startswith("line "):
        await reader.scroll("row")
    top = reader.texts[0].split()[1]
    for classes in (["narrow"], ["wide"], ["narrow", "tall"], ["tall"], ["wide"]):
        await reader.resize(*classes)
        assert f" line {top} " in reader.rows[0]
        assert not reader.log.following


async def test_resizing_the_terminal_paints_everything_anew(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 5))
    assert reader.rows[0] == "12:34:56   line 0"
    await reader.pilot.resize_terminal(42, 30)
    await reader.until(lambda: reader.rows[0] == "12:34   line 0")


async def test_resizing_in_the_middle_of_an_entry_keeps_its_text_in_the_top_row(reader: Reader) -> None:
    words = [f"w{number:04}" for number in range(1000)]
    reader.log.write_entries([entry(" ".join(words)), *numbered(0, 50)])
    reader.log.scroll_to(y=30)
    word = reader.texts[0].split()[0]
    await reader.resize("narrow")
    assert word in reader.rows[0]
    word = reader.rows[0].split()[0]
    await reader.resize("wide", "tall")
    assert word in reader.rows[0]


async def test_a_reader_near_the_end_stays_where_the_rows_below_grow_with_the_view(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 100, LONG))
    reader.log.scroll_relative(y=-8)
    assert reader.texts[0].startswith("line 94 ")
    await reader.resize("narrow", "tall")
    assert " line 94 " in reader.rows[0]
    assert not reader.log.following


async def test_a_log_that_follows_does_so_through_any_resize(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 200, LONG))
    for classes in (["narrow"], ["flat"], ["wide", "tall"], ["tall"]):
        await reader.resize(*classes)
        reader.log.write_entries(numbered(200, 201, "the end"))
        assert reader.log.following
        if reader.log.size.height:
            assert reader.rows[-1].endswith("the end")


async def test_a_log_that_grows_beyond_its_entries_shows_them_all(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 15))
    await reader.scroll("row")
    await reader.resize("tall")
    assert reader.texts[:16] == [*(f"line {number}" for number in range(15)), ""]


# Going somewhere


def timed(*minutes: int) -> list[Entry]:
    return [Entry(NOON + 60 * minute, Kind.CHAT, "", f"minute {minute}") for minute in minutes]


async def test_an_entry_is_shown_in_the_middle_and_nothing_pushes_it_out(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 100))
    reader.log.go_to(first + 50)
    assert reader.texts == [f"line {number}" for number in range(46, 56)]
    assert not reader.log.following
    reader.log.write_entries(numbered(100, 200))
    assert reader.texts[4] == "line 50"
    reader.log.go_to(first)
    assert reader.texts[0] == "line 0"


async def test_an_entry_near_the_end_stays_in_view_when_it_would_be_pushed_out(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 100))
    reader.log.go_to(first + 95)
    assert reader.log.following
    reader.log.write_entries(numbered(100, 103))
    assert reader.texts[-1] == "line 102"
    reader.log.write_entries(numbered(103, 120))
    assert not reader.log.following
    assert reader.texts[0] == "line 95"
    assert reader.log.new_below == 15
    reader.log.following = True
    reader.log.write_entries(numbered(120, 130))
    assert reader.texts[-1] == "line 129"


async def test_an_entry_that_the_reader_has_left_is_pushed_out_like_any_other(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 100))
    reader.log.go_to(first + 95)
    await reader.scroll("pageup", "pageup", "pagedown", "pagedown")
    assert reader.log.following
    reader.log.write_entries(numbered(100, 120))
    assert reader.texts[-1] == "line 119"


@pytest.mark.parametrize("max_lines", [20])
async def test_of_entries_that_were_dropped_the_oldest_is_shown(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 50))
    reader.log.go_to(first)
    assert reader.texts[0] == "line 30"
    reader.log.clear()
    reader.log.go_to(first)
    assert reader.log.go_to_time(NOON) is None


async def test_a_time_is_shown_from_the_top_on(reader: Reader) -> None:
    first = reader.log.write_entries(timed(*range(0, 200, 2)))
    assert reader.log.go_to_time(NOON + 60 * 51) == first + 26
    assert reader.texts[0] == "minute 52"
    assert reader.log.go_to_time(0) == first
    assert reader.texts[0] == "minute 0"
    assert reader.log.go_to_time(NOON * 2) == first + 99
    assert reader.log.following


async def test_going_somewhere_before_there_is_a_size_goes_there_once_there_is() -> None:
    class Early(Console):
        def on_mount(self) -> None:
            log = self.log_widget
            log.go_to(log.write_entries(numbered(0, 50)) + 20)

    app = Early(100)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert "line 20" in Reader(app, pilot).texts


# Saying where it is


async def moves(reader: Reader) -> int:
    await reader.pilot.pause()
    return sum(isinstance(message, MessageLog.Moved) for message in reader.app.posted)


async def test_what_follows_says_nothing_however_much_comes(reader: Reader) -> None:
    for start in range(0, 100, 10):
        reader.log.write_entries(timed(*range(start, start + 10)))
        assert await moves(reader) == 0
    assert reader.log.paused_at is None


async def test_a_scrolled_log_says_where_it_is_and_what_is_new(reader: Reader) -> None:
    reader.log.write_entries(timed(*range(50)))
    await reader.scroll("row")
    assert await moves(reader) == 1
    assert reader.log.paused_at == NOON + 60 * 39
    reader.log.write_entries(timed(51))
    assert await moves(reader) == 2
    reader.log.replace(reader.log.last_in_view - 3, entry("another"))
    assert await moves(reader) == 2
    await reader.scroll("row")
    assert await moves(reader) == 3
    assert reader.log.paused_at == NOON + 60 * 38
    reader.log.following = True
    assert await moves(reader) == 4
    assert reader.log.paused_at is None


async def test_many_moves_at_once_are_told_once(reader: Reader) -> None:
    reader.log.write_entries(timed(*range(500)))
    for _ in range(50):
        reader.log.action_scroll_up()
    assert await moves(reader) < 5


# The hint


HINT = "Nobody is here yet. Join with:\n  nc 127.0.0.1 1234\n\x1b[31m" + "x" * 100


async def test_the_hint_is_shown_until_somebody_comes(reader: Reader) -> None:
    reader.log.hint = HINT
    assert reader.rows[:3] == ["Nobody is here yet. Join with:", "  nc 127.0.0.1 1234", "x" * 60]
    reader.log.write_entries([entry("today", kind=Kind.RULE), entry("Server started", kind=Kind.NOTICE)])
    assert [row[:12] for row in reader.rows[:5]] == [
        "──── today ─",
        "12:34:56 * S",
        "",
        "Nobody is he",
        "  nc 127.0.0",
    ]
    reader.log.write_entries([entry("1 user", kind=Kind.REPLY), entry("Ann", kind=Kind.JOIN)])
    assert not any("nc 127" in row for row in reader.rows)
    reader.log.clear()
    assert reader.rows[1] == "  nc 127.0.0.1 1234"
    assert reader.log.entries == []


async def test_the_hint_gives_way_to_what_fills_the_log(reader: Reader) -> None:
    reader.log.hint = HINT
    reader.log.write_entries([entry(str(number), kind=Kind.NOTICE) for number in range(8)])
    assert reader.rows[-1].startswith("Nobody")
    reader.log.write_entries([entry(str(number), kind=Kind.NOTICE) for number in range(8)])
    assert reader.rows[-1] == "12:34:56 * 7"
