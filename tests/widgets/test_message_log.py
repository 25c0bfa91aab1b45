"""The operator's log: what is painted, pointing at an entry, and showing what was found."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from support.log_reader import Console, Reader, entry, numbered
from textual.geometry import Region

from chat_console.widgets.message_log import Entry, Kind

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
