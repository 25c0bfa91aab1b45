"""What happens over and over: told the first time at once, and then, counted, once a minute."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from .timing import Loop, Timer

_TOLD_EVERY = 60.0  # seconds
_MOST = 100  # things in that time: who makes up more floods whoever reads of them

What = TypeVar("What", bound=Hashable)


class Repeats(Generic[What]):
    """Tells what happens at once, and how often it has happened again once a minute; of at most 100 things.

    Args:
        tell: called with what happens, and how often it has since it was told of last.
        loop: provides the timers.
    """

    def __init__(self, tell: Callable[[What, int], object], loop: Loop) -> None:
        self._told = tell
        self._loop = loop
        self._untold: dict[What, int] = {}
        self._timers: dict[What, Timer] = {}
        self._closed = False

    def add(self, what: What) -> None:
        """Count that it happens."""
        if self._closed:
            return
        if what in self._timers:
            self._untold[what] = self._untold.get(what, 0) + 1
        elif len(self._timers) < _MOST:
            self._tell(what, 1)

    def close(self) -> None:
        """Tell what has not been told, then count nothing more."""
        self._closed = True
        while self._timers:
            what, timer = self._timers.popitem()
            timer.cancel()
            if what in self._untold:
                self._told(what, self._untold.pop(what))

    def _tell(self, what: What, count: int) -> None:
        self._timers[what] = self._loop.call_later(_TOLD_EVERY, lambda: self._go_on(what))
        self._told(what, count)

    def _go_on(self, what: What) -> None:
        """A minute has passed: tell what has come since, or forget it."""
        del self._timers[what]
        if what in self._untold:
            self._tell(what, self._untold.pop(what))
