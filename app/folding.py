"""One row of the log for what belongs together: a flood, people who come, people who go. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from ..server.room import notices
from ..server.room.events import Joined, LeaveReason, Left, Renamed
from ..server.room.told import told
from ..widgets.entry import Entry, Kind
from .floods import Floods
from .readable import Gap, Item, Move
from .rows import Crowd, Flood, Missing, Row, Turn

MOST_KEPT = 20_000
"""How many entries all rows together stand for; the oldest then tell their number alone."""

NAMED_WITHIN = 60.0
"""Seconds within which a first nickname belongs to the row of the joining."""

WARNING_EVERY = 2.0
"""Seconds between two changes of a warning in the log, at least."""

_SPOKEN = (Kind.CHAT, Kind.PRIVATE, Kind.SILENCED)
"""The kinds that members write."""

_BY_THEMSELVES = (LeaveReason.QUIT, LeaveReason.END_OF_INPUT, LeaveReason.LOST)


class Change(NamedTuple):
    """What a frame does to the log."""

    replaced: dict[int, Entry]
    """By serial, what entries that are there already become."""
    appended: list[Entry]
    private: list[tuple[int, int]]
    """For each private line the member who wrote it and the serial of the entry that has it."""


class Folding:
    """Turns what the log is to show into changes of the log.

    - What a member says too fast becomes one row that counts it, until another speaks or it pauses, and
      there is a warning if it is a flood.
    - People who come one after another are one row, and so are those who go. A newcomer's first nickname is
      in the row of its joining.

    Args:
        rate: how many lines a user has said in the last 60 s, by its id and the time.
    """

    def __init__(self, rate: Callable[[int, float], int]) -> None:
        self.floods = Floods(rate)
        self._first = 0  # the serial of the frame's first entry
        self._change = Change({}, [], [])
        self._changed: dict[int, Row] = {}
        self._kept: dict[int, Row] = {}  # the rows that stand for more than one entry, the oldest first
        self._count = 0  # their entries
        self._last: Row | None = None  # the row that the next of a crowd may join: the log's last, or none
        self._turn: Turn | None = None
        self._speakers: dict[int, tuple[str, float, bool]] = {}  # name, time, and whether it is folded
        self._newcomers: dict[int, tuple[Crowd, int]] = {}  # where the joining of each nameless is told

    def fold(self, items: Iterable[Item], now: float, serial: int) -> Change:
        """Return what shows `items`, which follow those of the last call.

        Args:
            now: monotonic, in seconds.
            serial: what the next entry of the log gets.
        """
        self._first = serial
        change = self._change = Change({}, [], [])
        for item in items:
            self._take(item)
        self._warn(now)
        for row in self._changed.values():
            self._show(row, row.shown())
        self._changed.clear()
        while self._count > MOST_KEPT:
            row = self._kept.pop(next(iter(self._kept)))
            self._count -= row.kept
            self._show(row, replace(row.shown(), folded=()))
        return change

    def _show(self, row: Row, entry: Entry) -> None:
        if row.serial < self._first:
            self._change.replaced[row.serial] = entry
        else:
            self._change.appended[row.serial - self._first] = entry
        if entry.folded:
            self._count += len(entry.folded) - (row.kept if row.serial in self._kept else 0)
            row.kept = len(entry.folded)
            self._kept[row.serial] = row

    def forget(self, member_id: int) -> None:
        """A member has left."""
        self._newcomers.pop(member_id, None)
        self.floods.forget(member_id)

    def _take(self, item: Item) -> None:
        match item:
            case Entry():
                if item.kind in _SPOKEN and item.who is not None:
                    self._hear(item, item.who)
                else:
                    self._append(item)
            case Move():
                self._move(item)
            case Gap():
                self._miss(item)

    def _append(self, entry: Entry) -> int:
        """Append an entry that no other joins; return its serial."""
        self._last = None
        self._change.appended.append(entry)
        return self._first + len(self._change.appended) - 1

    # Who comes and goes

    def _move(self, move: Move) -> None:
        match event := move.event:
            case Joined():
                name = str(event.address)
                entry = _entry(move, Kind.JOIN)
                crowd = self._crowd(Kind.JOIN, "", entry)
                self._newcomers[event.member_id] = crowd, len(crowd.names)
                crowd.add(entry, name)
            case Left():
                entry = _entry(move, Kind.LEAVE)
                self._crowd(Kind.LEAVE, _why(event), entry).add(entry, event.name)
            case Renamed():
                if not self._named(event):
                    self._append(_entry(move, Kind.RENAME))

    def _crowd(self, kind: Kind, why: str, entry: Entry) -> Crowd:
        """Return the row for one more who comes or goes, a new one if need be."""
        row = self._last
        if not isinstance(row, Crowd) or (row.kind, row.why) != (kind, why) or row.is_full:
            row = Crowd(self._append(entry), kind, why)
            self._last = row
        self._changed[row.serial] = row
        return row

    def _named(self, event: Renamed) -> bool:
        """Tell a newcomer's first nickname where its joining is told; return whether that could be done."""
        crowd, place = self._newcomers.pop(event.member_id, (None, 0))
        if crowd is None or event.time - crowd.entries[place].time > NAMED_WITHIN:
            return False
        crowd.names[place] = event.new
        crowd.entries[place] = replace(crowd.entries[place], text=notices.has_joined(event.new))
        self._changed[crowd.serial] = crowd
        return True

    def _miss(self, gap: Gap) -> None:
        row = self._last
        if not isinstance(row, Missing):
            row = Missing(self._append(Entry(gap.time, Kind.NOTICE, "", "")))
            row.at = gap.time
            self._last = row
        row.count += gap.lines
        self._changed[row.serial] = row

    # What is said

    def _hear(self, entry: Entry, who: int) -> None:
        # Under the address that a row of the log tells of, it has spoken: its name is news from now on.
        self._newcomers.pop(who, None)
        turn = self._turn
        if turn is None or not turn.goes_on(entry):
            turn = self._turn = Turn(entry)
        turn.last = entry.time
        if turn.flood is None and not turn.is_fast:
            turn.times.append(entry.time)
            serial = self._append(entry)
        else:
            serial = self._swell(turn, entry)
        if entry.kind is Kind.PRIVATE:
            self._change.private.append((who, serial))
        if entry.kind is not Kind.SILENCED:
            self._speakers[who] = entry.sender, entry.time, turn.flood is not None

    def _swell(self, turn: Turn, entry: Entry) -> int:
        """Add a line to the flood of a turn; return the serial of its row."""
        if turn.flood is None or turn.flood.is_full:
            turn.flood = Flood(self._append(entry))
        turn.flood.entries.append(entry)
        self._changed[turn.flood.serial] = turn.flood
        return turn.flood.serial

    def _warn(self, now: float) -> None:
        """Warn of each flood among what was said in this frame."""
        appended = self._change.appended
        for who, (name, at, fast) in self._speakers.items():
            rate = self.floods.spoke(who, now, fast=fast)
            if not rate:
                continue
            warned = self.floods.warning(who, now)
            if warned is None:
                if self.floods.may_warn(now):
                    at = max(at, appended[-1].time) if appended else at  # the log is in order
                    serial = self._append(_warning(at, name, rate, who))
                    self.floods.warned(who, serial, at, rate, now)
            elif rate != warned.rate and now - warned.shown_at >= WARNING_EVERY:
                warned.rate, warned.shown_at = rate, now
                self._change.replaced[warned.serial] = _warning(warned.time, name, rate, who)
        self._speakers.clear()


def _entry(move: Move, kind: Kind) -> Entry:
    event = move.event
    return Entry(event.time, kind, "", told(event).texts(event)[0], event.member_id, number=move.number)


def _warning(at: float, name: str, rate: int, who: int) -> Entry:
    text = f"{name} floods: {rate:,} lines a minute. F6 mutes it, F3 kicks it"
    return Entry(at, Kind.WARNING, "", text, who)


def _why(event: Left) -> str:
    if event.reason in _BY_THEMSELVES:
        return ""
    return event.reason.value + (f": {event.remark}" if event.remark else "")
