"""From events to the operator's log: picked, folded, and divided by days and absences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..server.room.events import Event
from ..widgets.message_log import MessageLog
from .away import Away
from .floods import Floods
from .folding import Folding
from .readable import Days, Item, Readable


class Written(NamedTuple):
    """What came of the events of a frame."""

    skipped: int
    """How many lines were too many to be shown."""
    private: Sequence[tuple[int, int]]
    """For each private line to the operator the member who wrote it and the serial of its entry."""


class LogWriter:
    """Shows events in the log, a frame of them at a time.

    Args:
        log: the log, which nothing else writes to.
        rate: how many lines a user has said in the last 60 s, by its id and the time.
        away: is told of everything, and gives the rule for an absence.
    """

    def __init__(self, log: MessageLog, rate: Callable[[int, float], int], away: Away) -> None:
        self._log = log
        self._away = away
        self._readable = Readable()
        self._days = Days()
        self._folding = Folding(rate)

    @property
    def floods(self) -> Floods:
        """Who floods the chat."""
        return self._folding.floods

    def forget(self, member_id: int) -> None:
        """A member has left, and all that it said is written."""
        self._folding.forget(member_id)

    def write(
        self,
        events: Sequence[Event],
        passed: float,
        now: float,
        wall_time: float,
        numbers: Sequence[int] = (),
    ) -> Written:
        """Show `events`.

        Args:
            passed: seconds since the last call.
            now: monotonic, in seconds.
            wall_time: the same, in seconds since the epoch.
            numbers: as for `Readable.pick`.
        """
        picked, skipped = self._readable.pick(events, passed, numbers)
        items: list[Item] = [*self._days.divide(picked)]
        if rule := self._away.rule(picked, wall_time):
            items.insert(0, rule)
        serial = self._log.write_entries(())
        change = self._folding.fold(items, now, serial)
        self._log.write_entries(change.appended)
        for place, entry in change.replaced.items():
            self._log.replace(place, entry)
        self._away.wrote(serial, picked, change.appended)
        return Written(skipped, change.private)
