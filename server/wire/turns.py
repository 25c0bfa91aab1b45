"""Time slices for handling the clients' input, so that it never holds the event loop for long."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ..timing import Loop

Step = Callable[[], None]


class Turns:
    """Runs as many steps in one turn of the loop as fit into its time slice, and the rest in the next turns.

    Thousands of clients may send, or leave, at the same moment. Steps that come once the slice is used up
    are queued in order.

    Args:
        loop: the event loop.
        length: how long the steps of one turn may take, in seconds; the last one may overrun.
    """

    def __init__(self, loop: Loop, length: float) -> None:
        self._loop = loop
        self._length = length
        self._waiting: deque[Step] = deque()
        self._end: float | None = None  # of this turn's slice, once a step has run in it

    def take(self, step: Step) -> bool:
        """Return whether the caller may run `step` now; if not, it is queued and called later."""
        now = self._loop.time()
        if self._end is None:
            self._end = now + self._length
            self._loop.call_soon(self._begin)
        elif self._waiting or now > self._end:
            self._waiting.append(step)
            return False
        return True

    def _begin(self) -> None:
        """Start the next turn's slice with the queued steps."""
        if not self._waiting:
            self._end = None
            return
        self._end = self._loop.time() + self._length
        self._loop.call_soon(self._begin)
        while True:  # at least one, however short the slice
            self._waiting.popleft()()
            if not self._waiting or self._loop.time() > self._end:
                return
