"""A timer for the line about who comes and goes in a crowd, because the room has no clock of its own."""

from __future__ import annotations

from collections.abc import Callable

from .room.entries import MinutePassed
from .room.tally import MINUTE, Tally
from .timing import Loop, Timer


class MinuteTimer:
    """Submits a `MinutePassed` a minute after something was tallied, so that it is told in silence too.

    Args:
        tally: the room's.
        loop: provides the timer.
        now: the wall clock, in seconds since the epoch.
        submit: receives the entries.
    """

    def __init__(
        self,
        tally: Tally,
        loop: Loop,
        now: Callable[[], float],
        submit: Callable[[MinutePassed], object],
    ) -> None:
        self._tally = tally
        self._loop = loop
        self._now = now
        self._submit = submit
        self._timer: Timer | None = None

    def watch(self) -> None:
        """Start the timer if something waits to be told."""
        if self._timer is None and not self._tally.is_empty:
            self._timer = self._loop.call_later(MINUTE, self._passed)

    def _passed(self) -> None:
        self._timer = None
        if not self._tally.is_empty:
            self._submit(MinutePassed(self._now()))
            self.watch()  # what came a moment ago is due later

    def close(self) -> None:
        """Cancel the timer, so that nothing more is submitted."""
        if self._timer is not None:
            self._timer.cancel()
