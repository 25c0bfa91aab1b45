"""A log that goes on where its own entries end: with the lines of an archive."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from .log_view import LogView
from .past import Archive, Lines
from .scrollback import PAST_SERIAL

AGAIN = 0.25
"""Seconds until lines that have not reached the archive are asked for again."""


class EndlessLog(LogView):
    """A log above whose entries are the lines that an archive has.

    They are read a page at a time, when they come into view, and are shown as `…` until then.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.archive: Archive | None = None
        """Has the lines before the entries; None if there are none."""

    @property
    def reach(self) -> int:
        """How many lines there are, those of the archive included."""
        return self.lines + len(self.scrollback.past.numbers)

    def continue_into(self, archive: Archive, end: int) -> None:
        """Show the lines of `archive` with numbers below `end` above the entries.

        An entry that has a number itself becomes one of them once it is dropped.
        """
        self.archive = archive
        self.scrollback.past.need = self._read
        self.scrollback.past.begin(end)

    def _read(self, numbers: range) -> None:
        if self.archive is not None:
            self.archive.read(numbers, partial(self.fill, numbers))

    def fill(self, numbers: range, lines: Lines) -> None:
        """Show `lines`, which are those of these numbers that there are."""
        held = self.held if self.held is not None and self.in_view(self.held) else None
        is_all = self.scrollback.fill(numbers, lines)
        serials = range(PAST_SERIAL + numbers.start, PAST_SERIAL + numbers.stop)
        self.painter.forget_entries(serials)
        self.place(repaint=any(serial in serials for serial, _ in self.rows_in_view))
        if held is not None:
            self.hold(held)
        if not is_all:
            self.set_timer(AGAIN, partial(self._ask_again, numbers))

    def _ask_again(self, numbers: range) -> None:
        self.scrollback.past.miss(numbers)
        self.place()

    def find_time(self, time: float, done: Callable[[int | None], object]) -> None:
        """Show what came at `time` and later, in seconds since the epoch, from the top of the view on.

        Args:
            done: is called, perhaps later, with the serial number of the first such entry or line, or of the
                last of all; None if there is none.
        """
        entries = self.entries
        if self.archive is None or not self.scrollback.past.numbers or (entries and entries[0].time <= time):
            done(self.go_to_time(time))
        else:
            self.archive.at(time, partial(self._found_time, time, done))

    def _found_time(self, time: float, done: Callable[[int | None], object], number: int | None) -> None:
        if number is None or number >= self.scrollback.past.end:
            done(self.go_to_time(time))
        else:
            done(self.go_to_top(PAST_SERIAL + number))
