"""Connections that were turned away, counted: a storm of them is told in one event a minute."""

from __future__ import annotations

from collections.abc import Callable

from ..room.events import Refused
from ..room.room import Timer

_TOLD_EVERY = 60.0  # seconds


class Refusals:
    """Tells of the first refusal for a reason at once, and of those that follow once a minute.

    Args:
        emit: takes the events.
        clock: the wall clock, in seconds since the epoch.
        later: calls something after so many seconds, as `loop.call_later` does.
    """

    def __init__(
        self,
        emit: Callable[[Refused], None],
        clock: Callable[[], float],
        later: Callable[[float, Callable[[], object]], Timer],
    ) -> None:
        self._emit = emit
        self._clock = clock
        self._later = later
        self._untold: dict[str, tuple[int, str]] = {}
        self._timers: dict[str, Timer] = {}
        self._closed = False

    def add(self, why: str, host: str) -> None:
        """Count a connection from `host` that was turned away because of `why`."""
        if self._closed:
            return
        if why in self._timers:
            self._untold[why] = self._untold.get(why, (0, host))[0] + 1, host
        else:
            self._tell(why, 1, host)

    def close(self) -> None:
        """Tell what has not been told, then count nothing more."""
        self._closed = True
        while self._timers:
            why, timer = self._timers.popitem()
            timer.cancel()
            if why in self._untold:
                self._emit_count(why, *self._untold.pop(why))

    def _tell(self, why: str, count: int, host: str) -> None:
        self._timers[why] = self._later(_TOLD_EVERY, lambda: self._go_on(why))
        self._emit_count(why, count, host)

    def _go_on(self, why: str) -> None:
        """A minute has passed: tell what came meanwhile, or forget the reason."""
        del self._timers[why]
        if why in self._untold:
            self._tell(why, *self._untold.pop(why))

    def _emit_count(self, why: str, count: int, host: str) -> None:
        self._emit(Refused(self._clock(), count, why, host))
