"""The turns in which the clients' input is worked on, so that it never holds the event loop for long."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

Step = Callable[[], None]


class Turns:
    """Lets so much be done in one turn of the loop as its slice of time allows, and the rest in the next.

    Thousands of clients may send, or leave, in one moment. Whoever comes when the slice is used up waits
    behind those that came before.

    Args:
        call_soon: schedules a call for the loop's next turn, as `loop.call_soon` does.
        clock: monotonic, in seconds.
        length: how long the steps of one turn may take, in seconds; the last one may end later.
    """

    def __init__(
        self, call_soon: Callable[[Step], object], clock: Callable[[], float], length: float
    ) -> None:
        self._call_soon = call_soon
        self._clock = clock
        self._length = length
        self._waiting: deque[Step] = deque()
        self._end: float | None = None  # of the slice of this turn, once something was done in it

    def take(self, step: Step) -> bool:
        """Whether the caller may go on now; if not, `step` is called when it may."""
        now = self._clock()
        if self._end is None:
            self._end = now + self._length
            self._call_soon(self._begin)
        elif self._waiting or now > self._end:
            self._waiting.append(step)
            return False
        return True

    def _begin(self) -> None:
        """Begin the next turn with those who wait."""
        if not self._waiting:
            self._end = None
            return
        self._end = self._clock() + self._length
        self._call_soon(self._begin)
        while True:  # one at least, however short the slice
            self._waiting.popleft()()
            if not self._waiting or self._clock() > self._end:
                return
