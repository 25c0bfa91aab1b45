"""A log of the operator's as the one who sits before it sees and handles it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from textual import events, on
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from chat_console.widgets.find_bar import FindBar
from chat_console.widgets.message_log import Entry, Kind, MessageLog

from .waiting import until

NOON = time.mktime((2026, 3, 1, 12, 34, 56, 0, 0, -1))


def entry(text: str, sender: str = "", kind: Kind = Kind.CHAT) -> Entry:
    return Entry(NOON, kind, sender, text)


def numbered(first: int, last: int, text: str = "line {}") -> list[Entry]:
    return [entry(text.format(number)) for number in range(first, last)]


LONG = "line {} " + "and so on " * 12
"""Three rows, where an estimate by length says two or three."""


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
        self.posted: list[Message] = []
        self.typed: list[str] = []
        self.escapes = 0

    def exit(self, *_: object, **__: object) -> None:
        self.exits += 1
        super().exit()

    def compose(self) -> ComposeResult:
        with Vertical():
            log = MessageLog(max_lines=self.max_lines)
            yield log
            yield FindBar(log, clock=lambda: NOON + 6000)
            yield Input()

    def on_key(self, event: events.Key) -> None:
        if event.character == "y":
            event.prevent_default()
            self.typed.append(event.character)

    def key_escape(self) -> None:
        self.escapes += 1

    @on(MessageLog.Moved)
    @on(MessageLog.Pointed)
    @on(MessageLog.Chosen)
    @on(MessageLog.Copied)
    @on(MessageLog.FindRequested)
    @on(FindBar.Closed)
    def note(self, message: Message) -> None:
        self.posted.append(message)

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
