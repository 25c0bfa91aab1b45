"""The lines that are older than those a log keeps: an archive has them, and they are read when needed."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

from .entry import Entry, Kind, estimate_rows
from .query import Query

PAGE = 200
"""How many lines are read at once."""

MOST_PAGES = 64
"""How many pages are kept; those that nobody has looked at for longest are dropped."""

WAITING = Entry(0, Kind.NOTICE, "", "…")
"""Stands for a line that is not read yet."""


class Lines(NamedTuple):
    """What an archive has read."""

    oldest: int
    """The number of the oldest line that it has."""
    next: int
    """The number after that of the newest line that it has."""
    entries: Sequence[Entry]
    """The lines that were asked for, each with its number, in their order."""


class Found(NamedTuple):
    """What a search in an archive has found since it told last."""

    entries: Sequence[Entry]
    """The lines, each with its number, the newest first."""
    unindexed: int
    """How many lines have still to be indexed: searching them takes longer."""
    ended: bool
    """Whether there is no more to come."""


class Archive(Protocol):
    """Has lines that are numbered from 1. Whatever is asked for comes later, by a call on the event loop."""

    def read(self, numbers: range, done: Callable[[Lines], object]) -> None:
        """Read these lines; those that it has not got are missing."""
        ...

    def at(self, time: float, done: Callable[[int | None], object]) -> None:
        """Find the first line not before `time`, in seconds since the epoch: its number, or None."""
        ...

    def search(self, query: Query, before: int, found: Callable[[Found], object]) -> Callable[[], object]:
        """Find lines with numbers below `before`, the newest first.

        Returns:
            What ends the search. `found` is not called any more from then on.
        """
        ...


class _Page:
    def __init__(self, numbers: range, entries: Iterable[Entry]) -> None:
        self.first = numbers.start
        self.entries = [*_without_holes(numbers, entries)]
        self.rows: list[int] = []

    def lay_out(self, width: int) -> None:
        self.rows = estimate_rows(self.entries, width)


def _without_holes(numbers: range, entries: Iterable[Entry]) -> Iterator[Entry]:
    known = {entry.number: entry for entry in entries}
    at = 0.0
    for number in numbers:
        entry = known.get(number) or Entry(at, Kind.NOTICE, "", "a line is missing here", number=number)
        at = entry.time
        yield entry


class Past:
    """Lines by their number, a page of them at a time.

    Each takes as many rows as is estimated, or told; one that is not read takes one.
    """

    def __init__(self) -> None:
        self.first = 1
        """The number of the oldest line."""
        self.end = 1
        """The number after that of the newest line."""
        self.need: Callable[[range], object] = lambda numbers: None
        """Is called with the numbers of lines that have to be read."""
        self.kept: dict[int, Entry] = {}
        """Lines that are known besides those of the pages."""
        self._width = 1
        self._pages: OrderedDict[int, _Page] = OrderedDict()
        self._asked: set[int] = set()

    @property
    def numbers(self) -> range:
        """The numbers of the lines."""
        return range(self.first, max(self.first, self.end))

    def __getitem__(self, number: int) -> Entry:
        """Return a line; if it is not read yet, have it read and return `WAITING`."""
        page = self._page_of(number)
        if page is not None:
            self._pages.move_to_end(number // PAGE)
            return page.entries[number - page.first]
        if number in self.kept:
            return self.kept[number]
        self.ask(number)
        return WAITING

    def _page_of(self, number: int) -> _Page | None:
        """Return the page that has a line, if it is read."""
        page = self._pages.get(number // PAGE)
        return page if page is not None and 0 <= number - page.first < len(page.entries) else None

    def begin(self, end: int) -> None:
        """Have the lines with numbers below `end`; how many they are turns out with the first page."""
        self.first = self.end = end
        self._read((end - 1) // PAGE)

    def ask(self, number: int) -> None:
        """Have the page with a line read, unless it has been."""
        if number in self.numbers and self._page_of(number) is None:
            self._read(number // PAGE)

    def _read(self, place: int) -> None:
        if place not in self._asked:
            self._asked.add(place)
            self.need(range(place * PAGE, (place + 1) * PAGE))

    def fill(self, numbers: range, lines: Lines) -> bool:
        """Take the lines with these numbers.

        Returns:
            Whether these are all. If not, the others have not reached the archive, and are not asked for
            before `miss` is called.
        """
        place = numbers.start // PAGE
        self.first = lines.oldest
        there = range(max(numbers.start, lines.oldest), min(numbers.stop, lines.next))
        page = _Page(there, lines.entries)
        page.lay_out(self._width)
        self._pages[place] = page
        self._pages.move_to_end(place)
        while len(self._pages) > MOST_PAGES:
            self._pages.popitem(last=False)
        is_all = lines.next >= min(numbers.stop, self.end)
        if is_all:
            self.miss(numbers)
        return is_all

    def miss(self, numbers: range) -> None:
        """Read these lines anew as soon as one that is not there is asked for."""
        self._asked.discard(numbers.start // PAGE)

    def add(self, entry: Entry) -> None:
        """Take one more line at the end, which need not be read if it follows those that have been."""
        self.end = max(self.end, entry.number + 1)
        page = self._pages.get(entry.number // PAGE)
        if page is not None and entry.number == page.first + len(page.entries):
            page.entries.append(entry)
            page.rows += estimate_rows([entry], self._width)

    def loaded(self, numbers: range) -> Iterator[int]:
        """Yield those of the numbers whose lines are known, in their order."""
        known = {number for number in self.kept if number in numbers}
        for page in self._pages.values():
            both = range(max(page.first, numbers.start), min(page.first + len(page.entries), numbers.stop))
            known.update(both)
        yield from sorted(known)

    # The rows

    def resize(self, width: int) -> None:
        """Estimate anew how many rows of `width` cells the lines take."""
        self._width = width
        for page in self._pages.values():
            page.lay_out(width)

    def set_rows(self, number: int, rows: int) -> None:
        """Tell how many rows a line takes."""
        if (page := self._page_of(number)) is not None:
            page.rows[number - page.first] = rows

    def rows_of(self, number: int) -> int:
        """Return how many rows a line takes."""
        page = self._page_of(number)
        return page.rows[number - page.first] if page is not None else 1

    def rows_before(self, number: int) -> int:
        """Return how many rows there are above a line."""
        rows = number - self.first
        for page in self._pages.values():
            if page.first < number:
                known = page.rows[max(0, self.first - page.first) : number - page.first]
                rows += sum(known) - len(known)
        return rows

    def line_at(self, row: int) -> tuple[int, int]:
        """Return the line that takes the row with `row` rows above it, and which of its rows that is."""
        number, above = self.first, 0
        for _, page in sorted(self._pages.items()):
            start = max(page.first, self.first)
            between = start - number
            if row < above + between:
                break
            bottoms = [*accumulate(page.rows[start - page.first :])]
            inside = row - above - between
            if bottoms and inside < bottoms[-1]:
                place = bisect_right(bottoms, inside)
                return start + place, inside - (bottoms[place - 1] if place else 0)
            above += between + (bottoms[-1] if bottoms else 0)
            number = start + len(bottoms)
        return number + row - above, 0
