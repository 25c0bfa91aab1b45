"""The entries that a log keeps, and the rows they take up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from textual.cache import LRUCache

from .entry import Entry, Layout, estimate_rows, full_text, lay_out

FIRST_SERIAL = 1 << 32
"""Far beyond any row of a screen, so that serial numbers and rows cannot be confused."""

Row = tuple[int, int]
"""One row of the log: the serial number of its entry, and which of the entry's rows it is."""


class Scrollback:
    """The newest entries, each with a serial number that never changes.

    An entry is laid out when its layout is first needed. Until then its number of rows is an estimate, so
    that appending and resizing cost next to nothing per entry. `total` is exact once every entry is laid out.
    """

    def __init__(self, max_entries: int) -> None:
        self.max_entries = max_entries
        self.width = 1
        self.first = FIRST_SERIAL
        """The serial number of the oldest entry, or of the next one if there is none."""
        self.total = 0
        """The number of rows."""
        self.entries: list[Entry] = []
        self._heights: list[int] = []
        self._layouts: LRUCache[int, Layout] = LRUCache(512)

    @property
    def next(self) -> int:
        """The serial number of the next entry."""
        return self.first + len(self.entries)

    def append(self, entries: Sequence[Entry]) -> int:
        """Append `entries` and drop the oldest beyond `max_entries`.

        Returns:
            The serial number of the first of `entries`.
        """
        serial = self.next
        kept = entries[-self.max_entries :]
        heights = estimate_rows(kept, self.width)
        self.entries += kept
        self._heights += heights
        dropped = max(0, len(self.entries) - self.max_entries)
        self.total += sum(heights) - sum(self._heights[:dropped])
        del self.entries[:dropped], self._heights[:dropped]
        self.first += dropped + len(entries) - len(kept)
        return serial

    def replace(self, serial: int, entry: Entry) -> bool:
        """Put `entry` in the place of another; return False if that has been dropped, or never was."""
        if not self.first <= serial < self.next:
            return False
        index = serial - self.first
        [height] = estimate_rows([entry], self.width)
        self.entries[index] = entry
        self.total += height - self._heights[index]
        self._heights[index] = height
        self._layouts.discard(serial)
        return True

    def clear(self) -> None:
        """Drop all entries."""
        self.first = self.next
        self.total = 0
        self.entries.clear()
        self._heights.clear()
        self._layouts.clear()

    def resize(self, width: int) -> None:
        """Make rows `width` cells wide from now on."""
        self.width = width
        self._heights = estimate_rows(self.entries, width)
        self.total = sum(self._heights)
        self._layouts.clear()

    def text(self, serial: int) -> str:
        """Return the full text of an entry."""
        return full_text(self.entries[serial - self.first])

    def layout(self, serial: int) -> Layout:
        """Return the layout of an entry, whose number of rows is known from then on."""
        layout = self._layouts.get(serial)
        if layout is None:
            index = serial - self.first
            layout = self._layouts[serial] = lay_out(self.entries[index], self.width)
            self.total += len(layout.rows) - self._heights[index]
            self._heights[index] = len(layout.rows)
        return layout

    def number(self, row: Row) -> int:
        """Return how many rows are above `row`, some of them estimated."""
        return sum(self._heights[: row[0] - self.first]) + row[1]

    def locate(self, number: int) -> Row:
        """Return the row that has `number` rows above it, some of them estimated, or the last one."""
        bottoms = list(accumulate(self._heights))
        index = min(bisect_right(bottoms, number), len(bottoms) - 1)
        return self.walk((self.first + index, 0), number - bottoms[index] + self._heights[index])

    def walk(self, row: Row, distance: int) -> Row:
        """Return the row that is exactly `distance` rows away, or the first or last one."""
        serial, index = row
        index += distance
        while index < 0 and serial > self.first:
            serial -= 1
            index += len(self.layout(serial).rows)
        while index >= (height := len(self.layout(serial).rows)):
            if serial == self.next - 1:
                return serial, height - 1
            index -= height
            serial += 1
        return serial, max(0, index)

    def rows(self, top: Row, count: int) -> list[Row]:
        """Return the row `top` and those that follow, at most `count` in all."""
        serial, index = top
        rows: list[Row] = []
        while len(rows) < count and serial < self.next:
            height = len(self.layout(serial).rows)
            rows += [(serial, index) for index in range(index, min(height, index + count - len(rows)))]
            serial, index = serial + 1, 0
        return rows

    def last_top(self, count: int) -> Row:
        """Return the row that is `count` rows before the end, or the first one if there are fewer."""
        last = self.next - 1
        return self.walk((last, len(self.layout(last).rows)), -count)
