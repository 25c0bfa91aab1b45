"""Finding entries and lines in a timeline: the hits of a query. Pure, with a clock handed in."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable

from .entry import Entry
from .query import Query
from .scrollback import FIRST_SERIAL, PAST_SERIAL
from .timeline import Timeline

_CHUNK = 64
"""How many entries are looked at between two looks at the clock. Those of 4 KB each take 3 ms."""


class Search:
    """The hits of a query in a timeline, which are found little by little, the newest first.

    It keeps up with the entries: what is appended is looked at with the next `step`, which has to come before
    the one after it; what is dropped becomes a line of the archive, or is no hit any more; `replaced` must be
    told of what is replaced. The archive is searched elsewhere, and `add` takes what is found there.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(
        self, timeline: Timeline, query: Query, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.query = query
        self.hits: list[int] = []
        """The serial numbers found until now, in their order. The list itself stays the same."""
        self._timeline = timeline
        self._clock = clock
        self._low = self._high = timeline.next  # What is between them has been looked at.

    @property
    def is_done(self) -> bool:
        """Whether all entries have been looked at."""
        return self._low <= self._timeline.first and self._high == self._timeline.next

    def step(self, seconds: float) -> bool:
        """Go on for `seconds`, or at most 3 ms longer, and return whether all entries have been looked at."""
        give_up_at = self._clock() + seconds
        first, after = self._timeline.first, self._timeline.next
        self._high = max(self._high, first)
        self._low = min(max(self._low, first), self._high)
        self._let_go(first)
        while not self.is_done:
            if self._high < after:
                start, self._high = self._high, min(self._high + _CHUNK, after)
                self.hits += self._found(start, self._high)
            else:
                end, self._low = self._low, max(self._low - _CHUNK, first)
                self.hits[:0] = self._found(self._low, end)
            if self._clock() >= give_up_at:
                break
        return self.is_done

    def _let_go(self, first: int) -> None:
        """Of the hits that are entries no more, keep those that are lines."""
        low, high = bisect_left(self.hits, FIRST_SERIAL), bisect_left(self.hits, first)
        if low < high:
            dropped = self._timeline.dropped
            start = first - len(dropped)
            lines = [
                line
                for serial in self.hits[low:high]
                if serial >= start
                for line in dropped[serial - start].expanded
                if line.number and self.query.finds(line)
            ]
            self.hits[low:high] = []
            self.add(lines)
        del self.hits[: bisect_left(self.hits, self._timeline.oldest)]

    def add(self, lines: Iterable[Entry]) -> None:
        """Take lines of the archive that are hits."""
        found = {PAST_SERIAL + line.number: line for line in lines}
        self._timeline.past.kept.update((line.number, line) for line in found.values())
        place = bisect_left(self.hits, FIRST_SERIAL)
        self.hits[:place] = sorted({*self.hits[:place], *found})

    def _found(self, start: int, end: int) -> list[int]:
        first = self._timeline.first
        return self.query.hits(self._timeline.entries[start - first : end - first], start)

    def replaced(self, serial: int) -> None:
        """Look anew at an entry that has been replaced."""
        if self._low <= serial < self._high:
            is_hit = serial in self._timeline and self.query.finds(self._timeline[serial])
            if is_hit and serial not in self:
                insort(self.hits, serial)
            elif not is_hit and serial in self:
                self.hits.remove(serial)

    def __contains__(self, serial: int) -> bool:
        """Whether that entry is a hit."""
        at = bisect_left(self.hits, serial)
        return at < len(self.hits) and self.hits[at] == serial

    def number(self, serial: int) -> int:
        """Return how many hits there are up to this entry."""
        return bisect_right(self.hits, serial)

    def older(self, serial: int) -> int | None:
        """Return the hit next before an entry, or None."""
        at = bisect_left(self.hits, serial)
        return self.hits[at - 1] if at else None

    def newer(self, serial: int) -> int | None:
        """Return the hit next after an entry, or None."""
        at = bisect_right(self.hits, serial)
        return self.hits[at] if at < len(self.hits) else None
