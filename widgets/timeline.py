"""One sequence of rows, from the first line of an archive to the newest entry of a log."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import overload

from .entry import Entry, Layout, lay_out
from .past import PAGE, WAITING, Lines, Past
from .scrollback import FIRST_SERIAL, PAST_SERIAL, Row, Scrollback

_MOST_GONE = 100_000
"""Of how many of the entries that were dropped last it is known which line they are."""


class Serials(Sequence[int]):
    """Two ranges of serial numbers, one after the other."""

    def __init__(self, older: range, newer: range) -> None:
        self.older = older
        self.newer = newer

    def __len__(self) -> int:
        return len(self.older) + len(self.newer)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Serials: ...
    def __getitem__(self, index: int | slice) -> int | Serials:
        count = len(self.older)
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            assert step == 1
            return Serials(self.older[start:stop], self.newer[max(0, start - count) : max(0, stop - count)])
        if index < 0:
            index += len(self)
        return self.older[index] if index < count else self.newer[index - count]


class Timeline(Scrollback):
    """The newest entries, and above them the lines that only an archive has.

    The serial number of a line is `PAST_SERIAL` and its number there. An entry that is dropped becomes the
    line that it was recorded as; `settle` tells which that is.
    """

    def __init__(self, max_lines: int) -> None:
        super().__init__(max_lines)
        self.past = Past()
        """The lines that only the archive has."""
        self._gone: deque[int] = deque(maxlen=_MOST_GONE)  # which line each of the dropped entries is

    @property
    def oldest(self) -> int:
        """The serial number of the first line or entry."""
        return PAST_SERIAL + self.past.first if self.past.numbers else self.first

    @property
    def serials(self) -> Sequence[int]:
        numbers = self.past.numbers
        older = range(PAST_SERIAL + numbers.start, PAST_SERIAL + numbers.stop)
        if self._only is None:
            newer = range(self.first, self.next)
            return Serials(older, newer) if older else newer
        low, high = bisect_left(self._only, older.start), bisect_left(self._only, older.stop)
        live = bisect_left(self._only, self.first)
        if low == 0 and high == live:
            return self._only
        return [*self._only[low:high], *self._only[live:]]

    def __getitem__(self, serial: int) -> Entry:
        """Return the entry or line with that serial number; `WAITING` for a line that is not read yet."""
        return super().__getitem__(serial) if serial >= FIRST_SERIAL else self.past[serial - PAST_SERIAL]

    def __contains__(self, serial: int) -> bool:
        return super().__contains__(serial) or serial - PAST_SERIAL in self.past.numbers

    def settle(self, serial: int) -> int:
        """Return the serial number of what an entry is by now: if it was dropped, a line.

        If it was recorded as none, that is the next one that was recorded, or the oldest entry.
        """
        if not FIRST_SERIAL <= serial < self.first:
            return serial
        place = max(0, serial - (self.first - len(self._gone)))
        if self.past.numbers:
            for number in islice(self._gone, place, None):
                if number:
                    return PAST_SERIAL + number
        return self.first

    def loaded(self, first: int, last: int) -> Iterable[int]:
        """Return the serial numbers with rows from `first` to `last` whose text is known."""
        serials = self.serials
        some = serials[bisect_left(serials, first) : bisect_left(serials, last + 1)]
        if not isinstance(some, Serials):
            return some
        older = range(some.older.start - PAST_SERIAL, some.older.stop - PAST_SERIAL)
        return chain((PAST_SERIAL + number for number in self.past.loaded(older)), some.newer)

    def drop_oldest(self, skipped: Sequence[Entry] = ()) -> None:
        super().drop_oldest(skipped)
        self._become_lines(self.dropped)
        if any(entry.folded for entry in self.dropped):
            dropped = self.dropped
            self._drop_overtaken()
            self.dropped = [*dropped, *self.dropped]

    def _become_lines(self, dropped: Iterable[Entry]) -> None:
        for entry in dropped:
            recorded = [each for each in entry.expanded if each.number]
            self._gone.append(recorded[0].number if recorded else 0)
            for each in recorded:
                self.past.add(each)

    def _drop_overtaken(self) -> None:
        """Drop the oldest entries that are lines by now, all but the newest at most.

        An entry that was dropped may have stood for lines that are newer than those of the entries after it.
        """
        overtaken = 0
        for place, entry in enumerate(self.entries[:-1], 1):
            number = entry.expanded[-1].number
            if number >= self.past.end:
                break
            if number:
                overtaken = place
        self.cut(overtaken)
        self._become_lines(self.dropped)

    def outlive(self, entry: Entry) -> bool:
        """Take what has become of an entry that was dropped, and return whether it stands for more lines."""
        end = self.past.end
        for each in entry.expanded:
            if each.number:
                self.past.add(each)
        self._drop_overtaken()
        return self.past.end > end

    def fill(self, numbers: range, lines: Lines) -> bool:
        """As `Past.fill`."""
        for number in numbers:
            self._layouts.discard(PAST_SERIAL + number)
        return self.past.fill(numbers, lines)

    def clear(self) -> None:
        super().clear()
        self._gone.clear()
        self.past.first = self.past.end

    def resize(self, width: int) -> None:
        super().resize(width)
        self.past.resize(width)

    def layout(self, serial: int) -> Layout:
        if serial >= FIRST_SERIAL:
            return super().layout(serial)
        layout = self._layouts.get(serial)
        if layout is None:
            number = serial - PAST_SERIAL
            entry = self.past[number]
            layout = lay_out(entry, self.width)
            if entry is not WAITING:
                self._layouts[serial] = layout
                self.past.set_rows(number, len(layout.rows))
            if self._only is None:
                self.past.ask(number - PAGE)
        return layout

    # The rows

    @property
    def total(self) -> int:
        if self._only is not None or not self.past.numbers:
            return super().total
        return self.past.rows_before(self.past.end) + super().total

    def rows_of(self, serials: Sequence[int]) -> int:
        if isinstance(serials, Serials):
            return self.past.rows_before(serials.older.stop - PAST_SERIAL) + super().rows_of(serials.newer)
        return super().rows_of(serials)

    def height_of(self, serial: int) -> int:
        if serial < FIRST_SERIAL:
            return self.past.rows_of(serial - PAST_SERIAL)
        return super().height_of(serial)

    def locate(self, number: int) -> Row:
        serials = self.serials
        if not isinstance(serials, Serials):
            return super().locate(number)
        above = self.past.rows_before(self.past.end)
        if number < above or not serials.newer:
            line, index = self.past.line_at(number)
            return self.nearest((min(PAST_SERIAL + line, serials.older[-1]), index))
        return self._locate(serials.newer, number - above)

    def nearest(self, row: Row) -> Row:
        return super().nearest((self.settle(row[0]), row[1]))

    def since(self, time: float) -> int:
        """Return the first entry that is no older than `time`, as `Scrollback`; of lines, only hits."""
        serials = self.serials
        if isinstance(serials, Serials):
            return self._since(serials.newer or serials.older[-1:], time)
        return super().since(time)
