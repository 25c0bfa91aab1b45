"""The operator's log: what is painted, pointing at an entry, and showing what was found."""

from __future__ import annotations

from typing import TypeVar

import pytest
from rich.cells import cell_len
from support.log_reader import LONG, NOON, Console, Reader, entry, numbered
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from chat_console.widgets.message_log import Entry, Kind, MessageLog
from chat_console.widgets.query import Query
from chat_console.widgets.row_painter import Look, RowPainter
from chat_console.widgets.scrollback import Row
from chat_console.widgets.search import Search

M = TypeVar("M", bound=Message)

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


# Pointing


def posted(reader: Reader, kind: type[M]) -> list[M]:
    return [message for message in reader.app.posted if isinstance(message, kind)]


def painted_over(reader: Reader, style: str) -> list[str]:
    """The text in each row that has the background of a component."""
    background = reader.log.get_component_rich_style(f"message-log--{style}").bgcolor
    found: list[str] = []
    for line in reader.log.render_lines(Region(0, 0, *reader.log.outer_size))[1:-1]:
        text = "".join(part.text for part in line if part.style and part.style.bgcolor == background)
        if text:
            found.append(text)
    return found


def pointed(reader: Reader) -> list[str]:
    return [row.rstrip() for row in painted_over(reader, "pointed")]


async def test_up_points_at_the_last_line_in_view_and_goes_on_from_there(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 50))
    await reader.pilot.press("up")
    assert reader.log.pointer == first + 49
    await reader.pilot.press("up")
    assert pointed(reader) == ["12:34:56   line 48"]
    assert len(painted_over(reader, "pointed")[0]) == reader.log.size.width
    await reader.pilot.press("down", "down", "down")
    assert pointed(reader) == ["12:34:56   line 49"]
    assert [message.serial for message in posted(reader, MessageLog.Pointed)] == [
        first + 49,
        first + 48,
        first + 49,
    ]
    assert posted(reader, MessageLog.Pointed)[-1].entry == reader.log.entries[49]
    assert reader.log.following


async def test_down_points_at_the_first_line_in_view(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 50))
    await reader.pilot.press("home", "down")
    assert reader.log.pointer == first
    await reader.pilot.press("end", "up", "pageup", "pageup", "down")
    assert reader.log.pointer == first + 22
    assert reader.texts[0] == "line 22"


async def test_pointing_scrolls_no_further_than_it_must(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 50, LONG))
    await reader.pilot.press(*["up"] * 5)
    assert reader.log.pointer == first + 45
    assert reader.texts[0].startswith("line 45 ")
    assert len(pointed(reader)) == 3
    await reader.pilot.press("down", "down")
    assert reader.texts[0].startswith("line 45 ")
    await reader.pilot.press("down", "down")
    assert reader.texts[-3].startswith("line 49 ")
    assert reader.log.following


async def test_rules_are_not_pointed_at(reader: Reader) -> None:
    rule = entry("today", kind=Kind.RULE)
    first = reader.log.write_entries([rule, *numbered(0, 2), rule, rule, *numbered(2, 3), rule])
    pointers: list[int | None] = []
    for _ in range(4):
        await reader.pilot.press("up")
        pointers.append(reader.log.pointer)
    assert pointers == [first + 5, first + 2, first + 1, first + 1]
    await reader.pilot.click(reader.log, offset=(20, 4))
    assert reader.log.pointer == first + 1


async def test_new_lines_do_not_push_the_line_pointed_at_out_of_view(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    await reader.pilot.press("up", "up", "up")
    reader.log.write_entries(numbered(50, 55))
    assert reader.log.following
    assert pointed(reader) == ["12:34:56   line 47"]
    reader.log.write_entries(numbered(55, 70))
    assert not reader.log.following
    assert reader.texts[0] == "line 47"
    assert reader.log.new_below == 13
    await reader.pilot.press("end")
    reader.log.write_entries(numbered(70, 80))
    assert reader.texts[-1] == "line 79"
    assert reader.log.following


@pytest.mark.parametrize("max_lines", [20])
async def test_when_the_line_is_dropped_the_oldest_is_pointed_at(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 20))
    await reader.pilot.press("home", "down")
    reader.log.write_entries([*numbered(20, 25), entry("today", kind=Kind.RULE), *numbered(25, 44)])
    await reader.pilot.pause()
    assert pointed(reader) == ["12:34:56   line 25"]
    assert posted(reader, MessageLog.Pointed)[-1].serial == first + 26
    reader.log.clear()
    await reader.pilot.pause()
    assert reader.log.pointer is None
    assert posted(reader, MessageLog.Pointed)[-1].entry is None


async def test_a_line_that_is_out_of_view_is_brought_there_to_be_pointed_at(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 100))
    reader.log.pointer = first + 30
    assert reader.texts[4] == "line 30"
    reader.log.pointer = first + 28
    assert reader.texts[4] == "line 30"
    reader.log.pointer = first + 1000
    assert reader.log.pointer is None


async def test_what_is_pointed_at_tells_when_it_is_replaced(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 3))
    reader.log.pointer = first + 1
    reader.log.replace(first + 1, entry("another"))
    reader.log.replace(first + 2, entry("and another"))
    await reader.pilot.pause()
    assert pointed(reader) == ["12:34:56   another"]
    told = [message.entry and message.entry.text for message in posted(reader, MessageLog.Pointed)]
    assert told == ["line 1", "another"]


async def test_enter_chooses_the_line_and_escape_leaves_it(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 3))
    await reader.pilot.press("enter")
    assert not posted(reader, MessageLog.Chosen)
    await reader.pilot.press("up", "enter")
    assert [(message.serial, message.entry.text) for message in posted(reader, MessageLog.Chosen)] == [
        (first + 2, "line 2")
    ]
    assert reader.app.escapes == 0
    await reader.pilot.press("escape")
    assert reader.log.pointer is None
    assert pointed(reader) == []
    assert reader.app.escapes == 1


async def test_a_click_points_and_a_drag_selects(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 5))
    await reader.pilot.click(reader.log, offset=(1, 1))
    assert reader.log.pointer == first
    await reader.pilot.click(reader.log, offset=(20, 3))
    assert reader.log.pointer == first + 2
    await reader.drag((11, 4), (16, 4))
    assert reader.selected == "line 4"
    # What Textual's app posts where the button is let go over the same widget.
    x, y = reader.log.region.x + 17, reader.log.region.y + 5
    reader.log.post_message(events.Click(reader.log, 17, 5, 0, 0, 1, False, False, False, x, y))
    await reader.pilot.pause()
    assert reader.log.pointer == first + 2
    await reader.pilot.click(reader.log, offset=(20, 9))
    assert reader.log.pointer == first + 2


async def test_y_copies_the_line_or_what_is_selected(reader: Reader) -> None:
    fold = Entry(NOON, Kind.FOLD, "", "2 more", 1, (entry("buy", "Ann"), entry("sell", "Ann")))
    reader.log.write_entries([*numbered(0, 5), fold])
    await reader.pilot.press("y")
    assert not posted(reader, MessageLog.Copied)
    assert reader.app.typed == ["y"]
    await reader.pilot.press("up", "y")
    assert reader.app.clipboard == "12:34:56   Ann: buy\n12:34:56   Ann: sell"
    await reader.drag((11, 1), (16, 1))
    await reader.pilot.press("y")
    assert reader.app.clipboard == "line 1"
    assert [message.lines for message in posted(reader, MessageLog.Copied)] == [2, 1]
    assert reader.app.typed == ["y"]


async def test_a_slash_asks_to_find(reader: Reader) -> None:
    await reader.pilot.press("slash")
    assert len(posted(reader, MessageLog.FindRequested)) == 1


async def test_the_footer_offers_what_there_is_something_for(reader: Reader) -> None:
    def offered() -> list[str]:
        active = reader.app.screen.active_bindings.values()
        return [each.binding.description for each in active if each.binding.show and each.node is reader.log]

    reader.log.write_entries(numbered(0, 3))
    assert offered() == ["point", "find", "line"]
    await reader.pilot.press("up")
    assert offered() == ["point", "write to author", "copy", "find", "line"]


# Showing what was found


def found(reader: Reader, text: str, current: int | None = None) -> Search:
    search = reader.log.find(Query.parse(text, NOON))
    reader.log.show_hits(search, current)
    while not search.step(1):
        pass
    reader.log.refresh_hits()
    return search


async def test_hits_are_tinted_and_the_current_one_is_reversed(reader: Reader) -> None:
    first = reader.log.write_entries(
        [entry("hello you", "Ann"), entry("hello hello", "Bob"), entry("bye", "Ann")]
    )
    found(reader, "hello")
    assert painted_over(reader, "hit") == ["hello", "hellohello"]
    found(reader, "hello", first + 1)
    assert painted_over(reader, "hit") == ["hello"]
    assert reversed_parts(reader) == ["Bob: hello hello"]
    reader.log.show_hits(None)
    assert painted_over(reader, "hit") == reversed_parts(reader) == []


def reversed_parts(reader: Reader) -> list[str]:
    lines = reader.log.render_lines(Region(0, 0, *reader.log.outer_size))[1:-1]
    texts = ("".join(part.text for part in line if part.style and part.style.reverse) for line in lines)
    return list(filter(None, texts))


async def test_hits_stay_so_at_any_width(reader: Reader) -> None:
    reader.log.write_entries([entry("hello " + "x " * 40 + "hello", "Ann")])
    found(reader, "hello")
    await reader.resize("narrow")
    assert painted_over(reader, "hit") == ["hello", "hello"]


async def test_what_comes_and_is_replaced_is_found_as_well(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 3))
    search = found(reader, "hello")
    reader.log.write_entries([entry("hello")])
    reader.log.replace(first, entry("hello"))
    assert search.hits == [first, first + 3]
    assert painted_over(reader, "hit") == ["hello", "hello"]
    reader.log.replace(first, entry("bye"))
    assert search.hits == [first + 3]
    assert painted_over(reader, "hit") == ["hello"]


async def test_without_colour_the_current_hit_and_the_line_pointed_at_are_reversed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Console(100, ansi_color=True)
    async with app.run_test(size=(100, 30)) as pilot:
        reader = Reader(app, pilot)
        first = reader.log.write_entries([entry(f"hello {number}", "Ann") for number in range(4)])
        found(reader, "hello", first + 1)
        reader.log.pointer = first + 3
        assert reversed_parts(reader) == ["Ann: hello 1", "12:34:56   Ann: hello 3".ljust(61)]
        parts = [part for part in reader.log.render_lines(Region(0, 1, 61, 1))[0] if part.text == "hello"]
        assert parts and parts[0].style and parts[0].style.underline


async def test_the_hits_alone_can_be_shown(reader: Reader) -> None:
    reader.log.write_entries([entry(f"line {number} {'odd' * (number % 2)}") for number in range(100)])
    reader.log.only = True
    assert not reader.log.only
    reader.log.scroll_to(y=40)
    found(reader, "odd")
    reader.log.only = True
    assert reader.texts == [f"line {number} odd" for number in range(41, 60, 2)]
    assert len(reader.log.shown_entries) == 50
    reader.log.only = False
    assert reader.texts == [f"line {number} {'odd' * (number % 2)}".rstrip() for number in range(40, 50)]
    assert len(reader.log.shown_entries) == 100


async def test_new_hits_appear_at_the_end_of_the_hits_alone(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    found(reader, "1")
    reader.log.only = True
    assert reader.texts[-1] == "line 41"
    reader.log.write_entries(numbered(50, 62))
    assert reader.texts[-2:] == ["line 51", "line 61"]
    assert reader.log.following
    reader.log.scroll_home()
    assert reader.texts[:3] == ["line 1", "line 10", "line 11"]
    reader.log.write_entries(numbered(100, 200))
    assert reader.texts[0] == "line 1"
    reader.log.show_hits(None)
    assert reader.log.following
    assert reader.texts[-1] == "line 199"


async def test_of_the_hits_alone_the_next_is_pointed_at_and_only_they_are_copied(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 50))
    found(reader, "7")
    reader.log.only = True
    await reader.pilot.press("up", "up")
    assert reader.log.pointer == first + 37
    await reader.drag((11, 0), (16, 1))
    assert reader.selected == "line 7\n12:34:56   line 1"
    reader.log.pointer = first + 20
    assert not reader.log.only
    assert "line 20" in reader.texts


async def test_the_current_hit_is_in_view_when_all_lines_are_shown_again(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 100))
    search = found(reader, "5")
    reader.log.only = True
    reader.log.show_hits(search, first + 15)
    reader.log.show_hits(None)
    assert "line 15" in reader.texts
    assert not reader.log.following


@pytest.mark.parametrize("max_lines", [100])
async def test_hits_alone_that_are_all_dropped_leave_nothing_until_there_are_new_ones(reader: Reader) -> None:
    reader.log.write_entries([entry("hit"), *numbered(0, 90)])
    found(reader, "hit")
    reader.log.only = True
    assert reader.texts[0] == "hit"
    reader.log.write_entries(numbered(0, 300))
    assert reader.rows == [""] * 10
    await reader.resize("narrow")
    await reader.scroll("pageup", "home", "end")
    await reader.pilot.press("up", "down")
    reader.log.write_entries([entry("another hit")])
    assert "another hit" in reader.rows[0]
    reader.log.only = False
    assert "another hit" in reader.rows[-1]


async def test_each_name_has_the_colour_of_its_id(reader: Reader) -> None:
    reader.log.write_entries([Entry(NOON, Kind.CHAT, "Ann", "hello", who) for who in (0, 1, 8)])
    strips = reader.log.render_lines(Region(0, 1, 62, 3))
    colours = [next(part.style for part in strip if "Ann" in part.text) for strip in strips]
    assert colours[0] == colours[2] != colours[1]


async def test_pointing_paints_only_the_rows_it_is_about(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.log.write_entries(numbered(0, 50))
    await reader.pilot.press("up", "up")
    assert reader.rows
    painted: list[object] = []
    real = RowPainter.paint

    def paint(painter: RowPainter, row: Row, width: int, look: Look) -> Strip:
        painted.append(row)
        return real(painter, row, width, look)

    monkeypatch.setattr(RowPainter, "paint", paint)
    await reader.pilot.press("up")
    assert len(set(painted)) == 2


async def test_rules_and_marks_end_where_the_text_does(reader: Reader) -> None:
    reader.log.write_entries([entry("today", kind=Kind.RULE), entry("I saw it.", "to Ann", Kind.SENT)])
    assert reader.rows[0] == "──── today " + "─" * 49
    assert reader.rows[1].endswith("✓")
    assert len(reader.rows[1]) == 59
