"""Rows of the log that stand for more than one entry. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from ..widgets.counts import count_text
from ..widgets.entry import Entry, Kind

FREE_LINES = 6
"""How many lines somebody may say within `PAUSE` before what follows is folded."""

PAUSE = 3.0
"""Seconds of silence that end a flood."""

MOST_FOLDED = 1_000
"""How many entries one row stands for; then there is another row."""

MOST_NAMES = 8
"""How many names a row tells of the people who came or went."""


class Row:
    """An entry of the log that may yet stand for more than one; with one alone it shows that as it is."""

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.entries: list[Entry] = []
        self.kept = 0  # how many entries the log keeps for it

    @property
    def is_full(self) -> bool:
        return len(self.entries) >= MOST_FOLDED

    def shown(self) -> Entry:
        first = self.entries[0]
        if len(self.entries) == 1:
            return first
        return replace(self.summary(), time=first.time, folded=tuple(self.entries))

    def summary(self) -> Entry:
        raise NotImplementedError


class Crowd(Row):
    """Who came, or who went: `why` is in brackets, and empty if they did so by themselves."""

    def __init__(self, serial: int, kind: Kind, why: str = "") -> None:
        super().__init__(serial)
        self.kind = kind
        self.why = why
        self.names: list[str] = []

    def add(self, entry: Entry, name: str) -> None:
        self.entries.append(entry)
        self.names.append(name)

    def summary(self) -> Entry:
        count = len(self.names)
        did = "joined" if self.kind is Kind.JOIN else "left"
        why = f" ({self.why})" if self.why else ""
        more = f" and {count - MOST_NAMES:,} more" if count > MOST_NAMES else ""
        return Entry(0, self.kind, "", f"{count:,} {did}{why}: {', '.join(self.names[:MOST_NAMES])}{more}")


class Flood(Row):
    """What one member says too fast to be read."""

    def summary(self) -> Entry:
        first, last = self.entries[0], self.entries[-1]
        seconds = max(1, round(last.time - first.time))
        text = f"{len(self.entries):,} more like it in {seconds:,} s"
        return Entry(0, Kind.FOLD, "", text, first.who)


class Missing(Row):
    """Lines that are not shown."""

    def __init__(self, serial: int) -> None:
        super().__init__(serial)
        self.count = 0
        self.at = 0.0

    def shown(self) -> Entry:
        text = f"{count_text(self.count, 'line')} not shown: too many at once"
        return Entry(self.at, Kind.NOTICE, "", text)


class Turn:
    """Consecutive lines of one member, of one kind."""

    def __init__(self, entry: Entry) -> None:
        self.who = entry.who
        self.kind = entry.kind
        self.last = entry.time
        self.times: deque[float] = deque(maxlen=FREE_LINES)
        self.flood: Flood | None = None

    def goes_on(self, entry: Entry) -> bool:
        if (entry.who, entry.kind) != (self.who, self.kind):
            return False
        return self.flood is None or entry.time - self.last <= PAUSE

    @property
    def is_fast(self) -> bool:
        return len(self.times) == FREE_LINES and self.last - self.times[0] <= PAUSE
