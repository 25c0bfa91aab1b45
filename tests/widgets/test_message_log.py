"""The operator's log: what is painted, following, staying in place, selecting and copying."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator
from itertools import product

import pytest
from rich.cells import cell_len
from support.waiting import until
from textual import events
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.geometry import Offset, Region
from textual.pilot import Pilot
from textual.selection import SELECT_ALL, Selection
from textual.strip import Strip
from textual.widgets import Input

from chat_console.widgets.entry import Layout
from chat_console.widgets.message_log import Entry, Kind, MessageLog

NOON = time.mktime((2026, 3, 1, 12, 34, 56, 0, 0, -1))


def entry(text: str, sender: str = "", kind: Kind = Kind.CHAT) -> Entry:
    return Entry(NOON, kind, sender, text)


def numbered(first: int, last: int, text: str = "line {}") -> list[Entry]:
    return [entry(text.format(number)) for number in range(first, last)]


class Console(App[None]):
    """An app with a log whose rows have 60 cells, 10 rows inside a border, and a line below it."""

    CSS = """
    MessageLog { width: 63; max-width: 100%; height: 12; border: round $primary }
    .narrow MessageLog { width: 43 }
    .wide MessageLog { width: 73 }
    .tall MessageLog { height: 22 }
    .flat MessageLog { height: 2 }
    """

    def __init__(self, max_lines: int, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.max_lines = max_lines
        self.exits = 0

    def exit(self, *_: object, **__: object) -> None:
        self.exits += 1
        super().exit()

    def compose(self) -> ComposeResult:
        with Vertical():
            yield MessageLog(max_lines=self.max_lines)
            yield Input()

    @property
    def log_widget(self) -> MessageLog:
        return self.query_one(MessageLog)


class Reader:
    """The log as the one who sits before it sees and handles it."""

    def __init__(self, app: Console, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.log = app.log_widget

    @property
    def rows(self) -> list[str]:
        """What the rows show, from what Textual would paint right now; without border and scrollbar."""
        width, height = self.log.size
        lines = self.log.render_lines(Region(0, 0, *self.log.outer_size))[1 : height + 1]
        return [line.crop(1, width).text.rstrip() for line in lines]

    @property
    def texts(self) -> list[str]:
        """The rows without the time and the mark."""
        return [row[11:] for row in self.rows]

    @property
    def places(self) -> list[object]:
        """Which row of which entry each row shows, as Textual finds the text below the mouse."""
        rows = (next(iter(self.log.render_line(y))) for y in range(self.log.size.height))
        return [first.style and first.style.meta["offset"] for first in rows]

    until = staticmethod(until)

    async def resize(self, *classes: str) -> None:
        before = self.log.size
        self.app.screen.set_classes(" ".join(classes))
        await self.until(lambda: self.log.size != before)
        await self.pilot.pause()

    async def scroll(self, *ways: str) -> None:
        """Scroll up a row, as by the scrollbar's arrow, or by a key."""
        for way in ways:
            if way == "row":
                if self.log.allow_vertical_scroll:
                    self.log.action_scroll_up()
                await self.pilot.pause()
            else:
                await self.pilot.press(way)

    async def wheel(self, event: type[events.MouseScrollUp | events.MouseScrollDown]) -> None:
        self.log.post_message(event(self.log, 5, 5, 0, 0, 0, False, False, False))
        await self.pilot.pause()

    async def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag the mouse between two columns and rows of the text."""
        await self.pilot.mouse_down(self.log, offset=(start[0] + 1, start[1] + 1))
        await self.pilot.hover(self.log, offset=(end[0] + 1, end[1] + 1))
        await self.pilot.mouse_up(self.log, offset=(end[0] + 1, end[1] + 1))
        await self.pilot.pause()

    @property
    def selected(self) -> str | None:
        return self.app.screen.get_selected_text()

    @property
    def highlighted(self) -> list[str]:
        """The text that is painted as selected, row by row."""
        selection = self.log.screen.get_component_rich_style("screen--selection").bgcolor
        found: list[str] = []
        for line in self.log.render_lines(Region(0, 0, *self.log.outer_size)):
            text = "".join(part.text for part in line if part.style and part.style.bgcolor == selection)
            if text:
                found.append(text)
        return found


@pytest.fixture
def max_lines() -> int:
    return 10_000


@pytest.fixture
async def reader(max_lines: int) -> AsyncIterator[Reader]:
    app = Console(max_lines)
    async with app.run_test(size=(100, 30)) as pilot:
        app.log_widget.focus()
        await pilot.pause()
        yield Reader(app, pilot)


# What is painted


async def test_entries_show_their_time_mark_sender_and_text(reader: Reader) -> None:
    reader.log.write_entries(
        [
            entry("hello", "Bob"),
            entry("hello users", "Operator", Kind.OPERATOR),
            entry("hush", "Bob(private)", Kind.PRIVATE),
            entry("Welcome Bob", kind=Kind.JOIN),
            entry("Bob has left", kind=Kind.LEAVE),
            entry("Bob is now Rob", kind=Kind.RENAME),
            entry("Kicked 1 people.", kind=Kind.REPLY),
            entry("Server started", kind=Kind.NOTICE),
            entry("no such thing", kind=Kind.ERROR),
        ]
    )
    assert reader.rows == [
        "12:34:56   Bob: hello",
        "12:34:56 > Operator: hello users",
        "12:34:56 » Bob(private): hush",
        "12:34:56 + Welcome Bob",
        "12:34:56 - Bob has left",
        "12:34:56 ~ Bob is now Rob",
        "12:34:56 = Kicked 1 people.",
        "12:34:56 * Server started",
        "12:34:56 ! no such thing",
        "",
    ]


async def test_long_lines_hang_below_the_text(reader: Reader) -> None:
    reader.log.write_entries([entry("one two three four five six seven eight, nine ten eleven", "Bob")])
    assert reader.rows[:2] == [
        "12:34:56   Bob: one two three four five six seven eight,",
        "           nine ten eleven",
    ]


async def test_entries_written_before_the_log_has_a_size_are_shown_when_it_has() -> None:
    class Early(Console):
        def on_mount(self) -> None:
            self.log_widget.write_entries(numbered(0, 30))

    app = Early(20)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert Reader(app, pilot).texts == [f"line {number}" for number in range(20, 30)]


HOSTILE = [
    "[/x]",
    "[red]x[/]",
    "[@click=app.quit]hi[/]",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07text",
    "\x9b2J\x90text\x9c",
    "\u202eevil\u202c",
    "one\rtwo\nthree\u2028four",
    "x" * 100_000,
    "word " * 20_000,
    "你好世界" * 100,
    "👨‍👩‍👧‍👦" * 50,
    "e" + "\u0301" * 500,
    "",
]


async def test_no_text_breaks_the_log_or_reaches_the_terminal_raw(reader: Reader) -> None:
    for text in HOSTILE:
        reader.log.clear()
        reader.log.write_entries([entry(text, text, kind) for kind in Kind])
        reader.log.scroll_home()
        for _ in range(3):
            for row in reader.rows:
                assert cell_len(row) <= 60, ascii(text[:20])
                raw = [
                    char
                    for char in row
                    if ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u2028"
                ]
                assert not raw, ascii(text[:20])
            for y in range(12):
                reader.log.render_line(y)
            reader.log.scroll_page_down()
        await reader.pilot.click(reader.log, offset=(20, 2))
        assert reader.app.is_running
        assert reader.app.exits == 0


async def test_only_the_kind_decides_the_colours(reader: Reader) -> None:
    def colours(*entries: Entry) -> list[object]:
        reader.log.clear()
        reader.log.write_entries(entries)
        strip = reader.log.render_lines(Region(0, 1, 62, 1))[0]
        return [part.style.color for part in strip if part.style and part.text.strip() and part.text != "│"]

    said = colours(entry("- Bob has left the server.", "Bob"))
    left = colours(entry("Bob has left the server.", kind=Kind.LEAVE))
    assert said == colours(entry("[red]! error", "Bob"))
    assert said[-1] != left[-1]


async def test_a_change_of_theme_repaints_what_is_shown(reader: Reader) -> None:
    def style() -> object:
        return list(reader.log.render_lines(Region(0, 1, 62, 1))[0])[2].style

    reader.log.write_entries([entry("hello", "Bob")])
    for theme in ("textual-light", "ansi-dark", "textual-light", "ansi-light"):
        before = style()
        reader.app.theme = theme
        await reader.until(lambda: style() != before)  # noqa: B023


async def test_without_colour_what_is_selected_is_reversed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Console(100, ansi_color=True)
    async with app.run_test(size=(100, 30)) as pilot:
        reader = Reader(app, pilot)
        reader.log.write_entries(numbered(0, 50))
        await reader.drag((11, 1), (14, 1))
        parts = [part for strip in reader.log.render_lines(Region(0, 1, 60, 10)) for part in strip]
        reversed_texts = [part.text.strip() for part in parts if part.style and part.style.reverse]
        assert reversed_texts == ["line"]
        assert {part.style.color.name for part in parts if part.style and part.style.color} == {"default"}


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


LONG = "line {} " + "and so on " * 12
"""Three rows, where an estimate by length says two or three."""


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


async def test_a_selection_in_what_is_replaced_is_of_the_new_text_or_none(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 5))
    await reader.drag((11, 1), (16, 1))
    assert reader.selected == "line 1"
    reader.log.replace(first + 1, entry("LINE"))
    assert reader.selected == "LINE"
    reader.log.replace(first + 1, entry(""))
    assert reader.selected is None


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


# Selecting


async def test_selected_text_is_copied_with_wrapped_lines_in_one_piece(reader: Reader) -> None:
    reader.log.write_entries([entry("one two three four five six seven eight, nine ten eleven", "Bob")])
    await reader.drag((16, 0), (25, 1))
    assert reader.selected == "one two three four five six seven eight, nine ten eleven"
    assert reader.highlighted == ["one two three four five six seven eight,", "nine ten eleven"]
    await reader.pilot.press("ctrl+c")
    assert reader.app.clipboard == reader.selected


async def test_selecting_over_several_entries_copies_a_line_for_each(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 5))
    await reader.drag((11, 1), (14, 3))
    assert reader.selected == "line 1\n12:34:56   line 2\n12:34:56   line"


async def test_selecting_backwards_is_the_same(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 5))
    await reader.drag((14, 3), (11, 1))
    assert reader.selected == "line 1\n12:34:56   line 2\n12:34:56   line"


async def test_the_indent_of_a_row_stands_for_its_first_character(reader: Reader) -> None:
    reader.log.write_entries([entry("one two three four five six seven eight, nine ten eleven", "Bob")])
    await reader.drag((3, 1), (18, 1))
    assert reader.selected == "nine ten"


async def test_what_is_narrow_is_copied_in_full(reader: Reader) -> None:
    await reader.resize("narrow")
    reader.log.write_entries([entry("one two three four five six seven", "Bob")])
    assert reader.rows[0].startswith("12:34   Bob:")
    await reader.drag((0, 0), (6, 1))
    assert (
        reader.selected == "12:34:56   Bob: one two three four five six seven"[: len(reader.selected or "")]
    )
    assert "12:34:56   Bob: one two" in (reader.selected or "")


@pytest.mark.parametrize("max_lines", [20])
async def test_a_selection_stays_on_its_text_while_others_are_dropped_and_wrapped(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 20))
    await reader.drag((11, 2), (30, 4))
    chosen = "line 12\n12:34:56   line 13\n12:34:56   line 14"
    assert reader.selected == chosen
    reader.log.write_entries(numbered(20, 25))
    assert reader.selected == chosen
    assert [text.strip() for text in reader.highlighted] == []
    reader.log.scroll_home()
    assert reader.highlighted[0].startswith("line 12")
    await reader.resize("narrow")
    assert reader.selected == chosen
    reader.log.write_entries(numbered(25, 33))
    assert reader.selected == "12:34:56   line 13\n12:34:56   line 14"
    reader.log.write_entries(numbered(33, 60))
    assert reader.selected is None
    assert reader.app.screen.selections == {}


async def test_nothing_is_copied_where_nothing_is_selected(reader: Reader) -> None:
    reader.app.copy_to_clipboard("kept")
    reader.log.write_entries(numbered(0, 3))
    await reader.pilot.press("ctrl+c", "c")
    await reader.drag((11, 6), (30, 8))
    await reader.pilot.press("ctrl+c")
    await reader.drag((30, 1), (40, 1))
    await reader.pilot.press("ctrl+c")
    assert reader.app.clipboard == "kept"


async def test_a_selection_goes_with_what_is_cleared(reader: Reader) -> None:
    reader.app.copy_to_clipboard("kept")
    reader.log.write_entries(numbered(0, 5))
    await reader.drag((11, 1), (14, 3))
    reader.log.clear()
    await reader.pilot.press("ctrl+c")
    assert reader.app.clipboard == "kept"
    reader.log.write_entries(numbered(0, 5))
    assert reader.highlighted == []


async def test_dragging_onto_the_border_selects_to_the_start_of_the_row_there(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 500))
    await reader.drag((16, 4), (-1, 2))
    assert reader.selected == "12:34:56   line 492\n12:34:56   line 493\n12:34:56   line 4"
    await reader.drag((16, 2), (-1, 4))
    assert (reader.selected or "").endswith("92\n12:34:56   line 493")
    await reader.drag((16, 4), (5, -1))
    assert (reader.selected or "").startswith("12:34:56   line 490\n")


async def test_a_second_click_selects_the_entry(reader: Reader) -> None:
    reader.log.write_entries([entry("word " * 30, "Bob"), *numbered(0, 3)])
    await reader.pilot.click(reader.log, offset=(20, 3), times=2)
    await reader.until(lambda: reader.selected is not None)
    assert reader.selected == "12:34:56   Bob: " + "word " * 30


async def test_a_second_click_on_an_empty_log_selects_nothing(reader: Reader) -> None:
    await reader.pilot.click(reader.log, offset=(20, 3), times=2)
    await reader.pilot.pause()
    assert reader.selected is None


async def test_no_selection_can_raise(reader: Reader) -> None:
    selections = (
        SELECT_ALL,
        Selection(Offset(5, 0), None),
        Selection(None, Offset(5, 3)),
        Selection(Offset(0, 10**6), Offset(3, 10**6)),
        Selection(Offset(0, 0), Offset(3, 1 << 40)),
        Selection(Offset(99, 1 << 40), Offset(99, 1 << 41)),
    )
    for selection, batch in product(selections, ([], numbered(0, 3), numbered(3, 60))):
        reader.log.write_entries(batch)
        reader.log.get_selection(selection)
        reader.app.screen.selections = {reader.log: selection}
        await reader.pilot.pause()
        assert reader.rows
        assert reader.selected != "", (selection, len(batch))
        reader.log.clear()


async def test_a_selection_that_was_let_go_stays_so_whatever_is_written_then(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    await reader.drag((11, 1), (16, 1))
    reader.app.screen.clear_selection()
    reader.log.write_entries(numbered(50, 51))
    await reader.pilot.pause()
    assert reader.selected is None
    assert reader.highlighted == []


async def test_of_two_selections_in_a_row_the_last_one_stays(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    await reader.drag((11, 1), (16, 1))
    first = reader.app.screen.selections
    reader.app.screen.selections = {reader.log: SELECT_ALL}
    reader.app.screen.selections = first
    await reader.pilot.pause()
    assert reader.app.screen.selections == first
    assert reader.highlighted == [reader.selected]


async def test_selecting_all_copies_every_entry(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    reader.log.text_select_all()
    assert reader.selected == "\n".join(f"12:34:56   line {number}" for number in range(50))
