"""What the log shows of events: as much as somebody could read, and a rule for each day. Pure."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import NamedTuple

from ..server.room.events import Event, Joined, Left, OperatorMessaged, Renamed
from ..server.room.told import told
from ..widgets.entry import Entry, Kind

READABLE_RATE = 2_000
"""How many lines a second the log takes in the long run; what goes beyond is counted, not shown."""

READABLE_BURST = 5_000
"""How many lines it takes at once after a quiet time."""

_CROWD = ("chat", "silenced", "join", "rename", "leave")
"""The kinds of entries that a flood is made of. All others are shown whatever else is going on."""


class Gap(NamedTuple):
    """Stands for lines that were too many to be shown."""

    time: float
    lines: int


class Move(NamedTuple):
    """An event that may be shown together with others of its kind."""

    event: Joined | Renamed | Left
    number: int
    """Which line of the archive it is; 0 if it is none."""

    @property
    def time(self) -> float:
        """When it happened, in seconds since the epoch."""
        return self.event.time


Item = Entry | Move | Gap
"""What the log is to show."""


class Readable:
    """Lets through as many lines as somebody could read, the newest first, and counts the others."""

    def __init__(self) -> None:
        self._allowance: float = READABLE_BURST

    def pick(
        self, events: Sequence[Event], passed: float, numbers: Sequence[int] = ()
    ) -> tuple[list[Item], int]:
        """Return what the log shows of `events`, oldest first, and how many lines were left out.

        Where lines are left out there is one gap.

        Args:
            passed: the time since the last call, in seconds.
            numbers: for each event which line of the archive its last one is, 0 for none; if empty, there is
                no archive.
        """
        self._allowance = min(READABLE_BURST, self._allowance + passed * READABLE_RATE)
        items: list[Item] = []  # newest first
        skipped = place = 0
        at = 0.0
        for event, number in zip(reversed(events), reversed(numbers) if numbers else repeat(0), strict=False):
            telling = told(event)
            texts = telling.texts(event)
            left = int(self._allowance)
            shown = texts[max(0, len(texts) - left) :] if telling.kind in _CROWD else texts
            if missing := len(texts) - len(shown):
                if not skipped:
                    place, at = len(items) + len(shown), event.time
                skipped += missing
            if not shown:
                continue
            self._allowance -= len(shown)
            if isinstance(event, (Joined, Renamed, Left)):
                items.append(Move(event, number))
            else:
                kind, author, who = Kind(telling.kind), telling.author(event), _who(event)
                items += [
                    Entry(event.time, kind, author, text, who, number=max(0, number - place))
                    for place, text in enumerate(reversed(shown))
                ]
        if skipped:
            items.insert(place, Gap(at, skipped))
        items.reverse()
        return items, skipped


def _who(event: Event) -> int | None:
    """The user that `event` is from or about, if it is one."""
    if isinstance(event, OperatorMessaged):
        return event.member_ids[0] if len(event.member_ids) == 1 else None
    return getattr(event, "member_id", None)


class Days:
    """Puts a rule with the date before the first item of each day, in local time."""

    def __init__(self) -> None:
        self._next = -math.inf  # when the next day begins

    def divide(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield `items`, which are in order, and the rules between them."""
        for item in items:
            if item.time >= self._next:
                day = time.localtime(item.time)
                self._next = time.mktime((day.tm_year, day.tm_mon, day.tm_mday + 1, 0, 0, 0, 0, 0, -1))
                date = time.strftime(f"%A {day.tm_mday} %B", day)
                yield Entry(item.time, Kind.RULE, "", date)
            yield item
