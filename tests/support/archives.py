"""An archive of a log that answers when it is told to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from chat_console.widgets.entry import Entry
from chat_console.widgets.past import Found, Lines
from chat_console.widgets.query import Query


class Archive:
    """Lines in memory, numbered from 1; their `time` tells when they were said."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.lines: list[Entry] = []
        self.oldest = 1
        self.unindexed = 0
        self.ended = 0
        self.asked: deque[Callable[[], object]] = deque()
        self.searched: list[tuple[Query, int]] = []
        self.add(entries)

    def add(self, entries: Iterable[Entry]) -> list[Entry]:
        """Take lines, and return them with their numbers."""
        start = self.next
        new = [replace(entry, number=number) for number, entry in enumerate(entries, start)]
        self.lines += new
        return new

    @property
    def next(self) -> int:
        return len(self.lines) + 1

    def answer(self, count: int = 1 << 30) -> None:
        """Answer what was asked for first, and what that makes the log ask for."""
        while self.asked and count > 0:
            self.asked.popleft()()
            count -= 1

    def read(self, numbers: range, done: Callable[[Lines], object]) -> None:
        def answer() -> None:
            there = [each for each in self.lines if each.number in numbers and each.number >= self.oldest]
            done(Lines(self.oldest, self.next, there))

        self.asked.append(answer)

    def at(self, time: float, done: Callable[[int | None], object]) -> None:
        def answer() -> None:
            done(next((each.number for each in self.lines if each.time >= time), None))

        self.asked.append(answer)

    def search(self, query: Query, before: int, found: Callable[[Found], object]) -> Callable[[], object]:
        self.searched.append((query, before))
        hits = [each for each in reversed(self.lines) if each.number < before and query.finds(each)]
        is_over = False

        def tell(some: Sequence[Entry], *, ended: bool = False) -> None:
            if not is_over:
                found(Found(some, self.unindexed, ended))

        def end() -> None:
            nonlocal is_over
            is_over = True
            self.ended += 1

        for start in range(0, len(hits), 200):
            self.asked.append(lambda some=hits[start : start + 200]: tell(some))
        self.asked.append(lambda: tell((), ended=True))
        return end
