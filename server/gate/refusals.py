"""Counts the connections that were turned away: a storm of them is one event a minute."""

from __future__ import annotations

from collections.abc import Callable

from ..room.events import Refused
from ..timing import Loop, Timer

_TOLD_EVERY = 60.0  # seconds


class Refusals:
    """Reports the first refusal for a reason at once, and the following ones once a minute.

    Args:
        emit: receives the events.
        now: the wall clock, in seconds since the epoch.
        loop: provides the timers.
    """

    def __init__(self, emit: Callable[[Refused], None], now: Callable[[], float], loop: Loop) -> None:
        self._emit = emit
        self._now = now
        self._loop = loop
        self._untold: dict[str, tuple[int, str]] = {}
        self._timers: dict[str, Timer] = {}
        self._closed = False

    def add(self, why: str, host: str) -> None:
        """Count a connection from `host` that was turned away for the reason `why`."""
        if self._closed:
            return
        if why in self._timers:
            self._untold[why] = self._untold.get(why, (0, host))[0] + 1, host
        else:
            self._tell(why, 1, host)

    def close(self) -> None:
        """Report what has not been reported, then count nothing more."""
        self._closed = True
        while self._timers:
            why, timer = self._timers.popitem()
            timer.cancel()
            if why in self._untold:
                self._emit_count(why, *self._untold.pop(why))

    def _tell(self, why: str, count: int, host: str) -> None:
        self._timers[why] = self._loop.call_later(_TOLD_EVERY, lambda: self._go_on(why))
        self._emit_count(why, count, host)

    def _go_on(self, why: str) -> None:
        """A minute has passed: report what has come since, or forget the reason."""
        del self._timers[why]
        if why in self._untold:
            self._tell(why, *self._untold.pop(why))

    def _emit_count(self, why: str, count: int, host: str) -> None:
        self._emit(Refused(self._now(), count, why, host))
