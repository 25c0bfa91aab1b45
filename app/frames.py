"""Sends frames to the terminal: as what has changed, and no faster than the terminal shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from .frame import Row
from .frame_diff import Shown
from .pacing import QUESTION, Pacing
from .pens import Pens

# A terminal that knows this mode shows all of a frame at once.
_SYNC_START, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"


class Line(Protocol):
    """The way to the terminal."""

    @property
    def is_open(self) -> bool:
        """Whether frames may be sent."""
        ...

    @property
    def queued(self) -> int:
        """How many writes are waiting to be written."""
        ...

    def send(self, text: str) -> None:
        """Queue `text` as it is, with one `QUESTION` at its end. Never waits."""
        ...


class Frames:
    """The newest frame, and what the terminal shows.

    A frame that cannot be sent is not queued: what is sent once there is room is the newest one.

    Args:
        pens: numbers the pens of the frames' cells.
        line: the way to the terminal.
        loop: the event loop that all is called on.
    """

    synchronised = False
    """Whether the terminal can show a frame at once."""

    def __init__(self, pens: Pens, line: Line, loop: asyncio.AbstractEventLoop) -> None:
        self.pens = pens
        self.shown = Shown(pens)
        self.pacing = Pacing()
        self._line = line
        self._loop = loop
        self._rows: Sequence[Row] = ()
        self._cursor = (0, 0)
        self._first = ""
        self._timer: asyncio.TimerHandle | None = None
        self.withheld = False
        """Whether the newest frame waits for room."""

    def show(self, rows: Sequence[Row], cursor: tuple[int, int]) -> None:
        """Show `rows`, with the cursor in that column and row, now or as soon as there is room.

        No row may be changed afterwards.
        """
        self._rows, self._cursor = rows, cursor
        self.send()

    def begin(self) -> None:
        """Be ready for a terminal of which nothing is known."""
        self.pacing = Pacing()
        self.shown.forget()

    def repaint(self, first: str) -> None:
        """Paint everything anew, after the control sequences `first`."""
        self._first = first
        self.shown.forget()
        self.send()

    def answered(self) -> None:
        """Go on, after the terminal has answered."""
        self.pacing.answered()
        if self.withheld:
            self.send()

    def send(self) -> None:
        """Send what is not shown yet, if there is room for it."""
        self._wait_no_more()
        if not self._rows or not self._line.is_open:
            return
        # The line that is being typed goes first, so that its echo does not wait for a screenful.
        _, y = self._cursor
        for row in (y, None) if self.shown.known and y < len(self._rows) else (None,):
            if not self.pacing.has_room(self._line.queued):
                self._withhold()
                return
            if text := self._first + self.shown.update(self._rows, self._cursor, row):
                self._first = ""
                text = f"{_SYNC_START}{text}{_SYNC_END}" if self.synchronised else text
                self._line.send(text + QUESTION)
                self.pacing.sent(len(text.encode()))

    def _withhold(self) -> None:
        self.withheld = True
        if (patience := self.pacing.patience) is not None:
            self._timer = self._loop.call_later(patience, self._give_up)
        elif not self._line.queued:
            self.send()  # it has been written in the meantime

    def _give_up(self) -> None:
        self.pacing.give_up()
        self.send()

    def _wait_no_more(self) -> None:
        self.withheld = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Send no more on its own."""
        self._wait_no_more()
