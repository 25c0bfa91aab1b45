"""From what Textual paints to what the terminal shows: the same, whatever opens, moves and closes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pyte
import pytest
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text
from support.waiting import until
from textual._compositor import LayoutUpdate
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.geometry import Region
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input, Label, Log, Static

from chat_console.app.frames import Frames
from chat_console.app.pacing import QUESTION
from chat_console.app.painting import Canvas, PaintingApp
from chat_console.app.pens import Pens

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


class Question(ModalScreen[None]):
    """A box in the middle."""

    DEFAULT_CSS = """
    Question { align: center middle; & > Label { border: round white; padding: 1; } }
    """

    def compose(self) -> ComposeResult:
        yield Label("Really?")


class Chat(PaintingApp):
    """A list, a log and a line."""

    CSS = "Static { width: 13; background: blue; } Log { width: 1fr; } Horizontal { height: 1fr; }"

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("\n".join(f"user {number}" for number in range(20)), markup=False)
            yield Log(max_lines=100)
        yield Input()


class Line:
    """A terminal that shows all it is sent."""

    is_open = True
    queued = 0

    def __init__(self, width: int, height: int) -> None:
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.Stream(self.screen)
        self.stream.feed("\x1b[?7l")
        self.sent: list[str] = []

    def send(self, text: str) -> None:
        assert text.endswith(QUESTION)
        self.sent.append(text)
        self.stream.feed(text.removesuffix(QUESTION))


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot[None]]:
    async with Chat().run_test(size=(50, 12)) as pilot:
        yield pilot


@pytest.fixture
async def line(pilot: Pilot[None]) -> Line:
    app = pilot.app
    assert isinstance(app, PaintingApp)
    line = Line(50, 12)
    app.paint_by(Frames(Pens("truecolor"), line, asyncio.get_running_loop()))
    app.screen.refresh()
    await pilot.pause()
    return line


def wanted(app: App[None]) -> list[str]:
    """What Textual has on the screen."""
    strips: list[Strip] = app.screen._compositor.render_strips()
    return [strip.text.rstrip() for strip in strips]


async def is_shown(pilot: Pilot[None], line: Line) -> None:
    await pilot.pause()
    assert [row.rstrip() for row in line.screen.display] == wanted(pilot.app)


async def test_what_is_on_the_screen_is_on_the_terminal(pilot: Pilot[None], line: Line) -> None:
    app = pilot.app
    await is_shown(pilot, line)
    log = app.query_one(Log)
    for number in range(30):
        log.write_line(f"{number} {'word ' * (number % 7)}")
        log.refresh()
        await is_shown(pilot, line)
    await pilot.press("a", "b", "left", "c")
    await is_shown(pilot, line)
    assert (line.screen.cursor.x, line.screen.cursor.y) == app.cursor_position
    app.push_screen(Question())
    await is_shown(pilot, line)
    assert any("Really?" in row for row in line.screen.display)
    app.pop_screen()
    await is_shown(pilot, line)
    app.query_one(Static).display = False
    await is_shown(pilot, line)
    app.query_one(Static).display = True
    app.query_one(Static).update("漢字 and more\nnobody")
    await is_shown(pilot, line)


async def test_another_size_is_shown(pilot: Pilot[None], line: Line) -> None:
    line.screen.resize(20, 70)
    await pilot.resize_terminal(70, 20)
    await is_shown(pilot, line)


async def test_where_nothing_changes_nothing_is_sent(pilot: Pilot[None], line: Line) -> None:
    count = len(line.sent)
    pilot.app.screen.refresh()
    await pilot.pause()
    assert len(line.sent) == count


async def test_a_text_that_terminals_disagree_about_moves_nothing(pilot: Pilot[None], line: Line) -> None:
    log = pilot.app.query_one(Log)
    for number in range(15):
        log.write_line(f"{number} {FAMILY * (number % 3)} said")
        log.refresh()
        await pilot.pause()
        assert [row[:7].rstrip() for row in line.screen.display[:-3]] == [f"user {y}" for y in range(9)]


async def test_while_the_app_updates_many_things_nothing_is_sent(pilot: Pilot[None], line: Line) -> None:
    count = len(line.sent)
    with pilot.app.batch_update():
        pilot.app.query_one(Static).update("half")
        pilot.app.screen._compositor.update_widgets({pilot.app.query_one(Static)})
        pilot.app._display(pilot.app.screen, pilot.app.screen._compositor.render_update())
        assert len(line.sent) == count
    pilot.app.query_one(Input).value = "done"
    await is_shown(pilot, line)


async def test_a_frame_that_cannot_be_sent_is_not_queued(pilot: Pilot[None], line: Line) -> None:
    app = pilot.app
    count = len(line.sent)
    line.is_open = False
    for text in ("one", "two", "three"):
        app.query_one(Static).update(text)
        await pilot.pause()
    assert len(line.sent) == count
    line.is_open = True
    app.query_one(Input).value = "x"
    await until(lambda: any("three" in row for row in line.screen.display))
    assert not any("one" in sent for sent in line.sent)


async def test_what_is_typed_goes_before_a_screenful(pilot: Pilot[None], line: Line) -> None:
    app = pilot.app
    await pilot.press("a")
    count = len(line.sent)
    with app.batch_update():
        app.query_one(Static).update("\n".join("another" for _ in range(9)))
        app.query_one(Input).value = "typed"
    await is_shown(pilot, line)
    first, *_ = line.sent[count:]
    assert "ped" in first
    assert "another" not in first


async def test_the_terminals_own_colours_are_those_of_the_theme(pilot: Pilot[None], line: Line) -> None:
    app = pilot.app
    assert list(app.get_line_filters()) == []
    app.query_one(Static).update(Text("red", Style(color="red", dim=True)))
    await pilot.pause()
    char = line.screen.buffer[0][0]
    assert char.data == "r" and re.fullmatch("[0-9a-f]{6}", char.fg)
    # Each style is converted but once, until there is another theme.
    app.ansi_theme_dark = TerminalTheme((0, 0, 0), (9, 9, 9), [(1, 2, 3)] * 8)
    app.query_one(Static).update(Text("red", Style(color="red")))
    await pilot.pause()
    assert line.screen.buffer[0][0].fg == "010203"


def test_a_text_that_is_shorter_than_its_parts_takes_nothing_from_the_frame() -> None:
    canvas = Canvas(Pens("truecolor"))
    region = Region(0, 0, 5, 1)
    canvas.take(LayoutUpdate([[Strip([Segment("|abc")]), Strip([Segment("|")])]], region))
    # As Textual cuts a row of a log in which a joiner, alone a part of nothing, takes the blank behind it.
    canvas.take(LayoutUpdate([[Strip([Segment("|xy")], 4), Strip([], 1)]], region))
    assert "".join(cell.text for cell in canvas.rows[0]) == "|xy |"
