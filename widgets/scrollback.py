"""The entries that a log keeps, and the rows they take up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from textual.cache import LRUCache

from .entry import Entry, Layout, estimate_rows, lay_out, shown_text

PAST_SERIAL = 1 << 32
"""The lowest serial number, far beyond any row of a screen, so that the two cannot be confused."""

FIRST_SERIAL = 1 << 48
"""The serial number of the first entry; those below are of lines that an archive has."""

Row = tuple[int, int]
"""One row of the log: the serial number of its entry, and which of the entry's rows it is."""


class Scrollback:
    """The newest entries, each with a serial number that never changes.

    An entry is laid out when its layout is first needed. Until then its number of rows is an estimate, so
    that appending and resizing cost next to nothing per entry. `total` is exact once every entry is laid out.

    Of the entries, all have rows, or only those that `show_only` names.
    """

    def __init__(self, max_lines: int) -> None:
        self.max_lines = max_lines
        """How many lines the entries stand for at most. The newest entry is kept, whatever it stands for."""
        self.width = 1
        self.first = FIRST_SERIAL
        """The serial number of the oldest entry, or of the next one if there is none."""
        self.entries: list[Entry] = []
        self.dropped: Sequence[Entry] = ()
        """The entries that the last change has dropped, up to the one before `first`."""
        self._heights: list[int] = []
        self._total = 0
        self._more = 0  # how many lines the entries stand for beyond one each
        self._layouts: LRUCache[int, Layout] = LRUCache(512)
        self._only: Sequence[int] | None = None

    @property
    def next(self) -> int:
        """The serial number of the next entry."""
        return self.first + len(self.entries)

    @property
    def serials(self) -> Sequence[int]:
        """The serial numbers of the entries that have rows, in their order."""
        if self._only is None:
            return range(self.first, self.next)
        dropped = bisect_left(self._only, self.first)
        return self._only[dropped:] if dropped else self._only

    @property
    def total(self) -> int:
        """The number of rows, some of them estimated."""
        return self._total if self._only is None else self.rows_of(self.serials)

    @property
    def is_filtered(self) -> bool:
        """Whether some entries may have no rows."""
        return self._only is not None

    def show_only(self, serials: Sequence[int] | None) -> None:
        """Give rows to these entries alone, or to all of them for None.

        The sequence is sorted, and may change later.
        """
        self._only = serials

    @property
    def lines(self) -> int:
        """How many lines the entries stand for."""
        return len(self.entries) + self._more

    def __getitem__(self, serial: int) -> Entry:
        """Return the entry with that serial number, which is one that is kept."""
        return self.entries[serial - self.first]

    def __contains__(self, serial: int) -> bool:
        return self.first <= serial < self.next

    def append(self, entries: Sequence[Entry]) -> int:
        """Append `entries` and drop the oldest beyond `max_lines`.

        Returns:
            The serial number of the first of `entries`.
        """
        serial = self.next
        kept = entries[-self.max_lines :]
        heights = estimate_rows(kept, self.width)
        self.entries += kept
        self._heights += heights
        self._total += sum(heights)
        self._more += sum(len(entry.folded) - 1 for entry in kept if entry.folded)
        self.drop_oldest(entries[: len(entries) - len(kept)])
        return serial

    def replace(self, serial: int, entry: Entry) -> bool:
        """Put `entry` in the place of another; return False if that has been dropped, or never was.

        If it stands for more lines than the other one, this may drop the oldest.
        """
        if serial not in self:
            return False
        index = serial - self.first
        [height] = estimate_rows([entry], self.width)
        self._more += _more(entry) - _more(self.entries[index])
        self.entries[index] = entry
        self._total += height - self._heights[index]
        self._heights[index] = height
        self._layouts.discard(serial)
        self.drop_oldest()
        return serial in self

    def drop_oldest(self, skipped: Sequence[Entry] = ()) -> None:
        """Drop the oldest entries beyond `max_lines`, and then `skipped`, which were not even taken in."""
        dropped, last = 0, len(self.entries) - 1
        beyond, folded = self.lines - self.max_lines, self._more
        while folded and beyond > 0 and dropped < last:
            more = _more(self.entries[dropped])
            folded -= more
            beyond -= 1 + more
            dropped += 1
        if beyond > 0:  # The others stand for one line each.
            dropped += min(beyond, last - dropped)
        self.cut(dropped)
        self.dropped = [*self.dropped, *skipped]
        self.first += len(skipped)

    def cut(self, count: int) -> None:
        """Drop the `count` oldest entries, whatever they stand for."""
        self.dropped = self.entries[:count]
        if count:
            if self._more:
                self._more -= sum(map(_more, self.dropped))
            self._total -= sum(self._heights[:count])
            del self.entries[:count], self._heights[:count]
            self.first += count

    def clear(self) -> None:
        """Drop all entries."""
        self.first = self.next
        self._total = self._more = 0
        self.entries.clear()
        self._heights.clear()
        self._layouts.clear()

    def resize(self, width: int) -> None:
        """Make rows `width` cells wide from now on."""
        self.width = width
        self._heights = estimate_rows(self.entries, width)
        self._total = sum(self._heights)
        self._layouts.clear()

    def text(self, serial: int) -> str:
        """Return the shown text of an entry."""
        return shown_text(self[serial])

    def layout(self, serial: int) -> Layout:
        """Return the layout of an entry, whose number of rows is known from then on."""
        layout = self._layouts.get(serial)
        if layout is None:
            index = serial - self.first
            layout = self._layouts[serial] = lay_out(self.entries[index], self.width)
            self._total += len(layout.rows) - self._heights[index]
            self._heights[index] = len(layout.rows)
        return layout

    def since(self, time: float) -> int:
        """Return the first entry with rows that is no older than `time`, in seconds since the epoch.

        If all are older, that is the last one. There must be one.
        """
        return self._since(self.serials, time)

    def _since(self, serials: Sequence[int], time: float) -> int:
        index = bisect_left(serials, time, key=lambda serial: self[serial].time)
        return serials[min(index, len(serials) - 1)]

    # The rows; there must be one.

    def number(self, row: Row) -> int:
        """Return how many rows are above `row`, some of them estimated."""
        serials = self.serials
        return self.rows_of(serials[: bisect_left(serials, row[0])]) + row[1]

    def locate(self, number: int) -> Row:
        """Return the row that has `number` rows above it, some of them estimated, or the last one."""
        return self._locate(self.serials, number)

    def _locate(self, serials: Sequence[int], number: int) -> Row:
        bottoms = list(accumulate(self._heights_of(serials)))
        index = min(bisect_right(bottoms, number), len(bottoms) - 1)
        top = bottoms[index - 1] if index else 0
        return self.walk((serials[index], 0), number - top)

    def nearest(self, row: Row) -> Row:
        """Return `row` if its entry has that row, or else the first row after it, or the last one of all."""
        serials = self.serials
        at = bisect_left(serials, row[0])
        if at == len(serials):
            return self.walk((serials[-1], len(self.layout(serials[-1]).rows)), -1)
        if serials[at] != row[0]:
            return serials[at], 0
        return row[0], min(row[1], len(self.layout(row[0]).rows) - 1)

    def walk(self, row: Row, distance: int) -> Row:
        """Return the row that is exactly `distance` rows away, or the first or last one."""
        serials = self.serials
        at = bisect_left(serials, row[0])
        index = row[1] + distance
        while index < 0 and at > 0:
            at -= 1
            index += len(self.layout(serials[at]).rows)
        while index >= (height := len(self.layout(serials[at]).rows)):
            if at == len(serials) - 1:
                return serials[at], height - 1
            index -= height
            at += 1
        return serials[at], max(0, index)

    def rows(self, top: Row, count: int) -> list[Row]:
        """Return the row `top` and those that follow, at most `count` in all."""
        serials = self.serials
        at, index = bisect_left(serials, top[0]), top[1]
        rows: list[Row] = []
        while len(rows) < count and at < len(serials):
            height = len(self.layout(serials[at]).rows)
            end = min(height, index + count - len(rows))
            rows += [(serials[at], index) for index in range(index, end)]
            at, index = at + 1, 0
        return rows

    def last_top(self, count: int) -> Row:
        """Return the row that is `count` rows before the end, or the first one if there are fewer."""
        last = self.serials[-1]
        return self.walk((last, len(self.layout(last).rows)), -count)

    def rows_of(self, serials: Sequence[int]) -> int:
        """Return how many rows these entries have, some of them estimated."""
        return sum(self._heights_of(serials))

    def _heights_of(self, serials: Sequence[int]) -> Sequence[int]:
        if isinstance(serials, range):
            return self._heights[serials.start - self.first : serials.stop - self.first]
        return [self.height_of(serial) for serial in serials]

    def height_of(self, serial: int) -> int:
        """Return how many rows an entry has, which may be an estimate."""
        return self._heights[serial - self.first]


def _more(entry: Entry) -> int:
    return len(entry.folded) - 1 if entry.folded else 0
