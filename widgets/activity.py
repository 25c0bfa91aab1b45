"""How much each user says, and the whole room. Pure: the clock is handed in."""

from __future__ import annotations

from collections.abc import Iterable

WINDOW = 60
"""The seconds over which a rate counts."""

MINUTES = 8
"""How many minutes a history covers, the running one included."""

_SLOT = 5  # seconds by which a rate's window moves
_SLOTS = WINDOW // _SLOT

BARS = "▁▂▃▄▅▆▇█"
"""From nothing to the most that a sparkline tells apart."""


def sparkline(counts: Iterable[int], *, top: int = 0) -> str:
    """Draw `counts` as bars of one cell each.

    Args:
        counts: none of them negative.
        top: the count that fills a cell, with all others in proportion. By default every step is twice the
            one before (1, 2, 4 … 64), so that the bars of different users, and of another minute, compare.
    """
    full = len(BARS) - 1
    if top <= 0:
        return "".join(BARS[min(full, count.bit_length())] for count in counts)
    return "".join(BARS[min(full, -(-count * full // top))] for count in counts)


def _slot(now: float) -> int:
    return int(now // _SLOT)


class _Track:
    """The lines of one speaker, in slots of some seconds and in minutes. Its size never changes."""

    __slots__ = ("last", "minutes", "recent", "slot", "slots")

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.slots = [0] * _SLOTS
        self.minutes = [0] * MINUTES
        self.recent = 0  # the sum of the slots
        self.last = 0.0

    def move_to(self, slot: int) -> None:
        """Forget what has become too old by then; an earlier slot than before changes nothing."""
        if slot <= self.slot:
            return
        for passed in range(max(self.slot, slot - _SLOTS) + 1, slot + 1):
            self.recent -= self.slots[passed % _SLOTS]
            self.slots[passed % _SLOTS] = 0
        minute, old_minute = slot // _SLOTS, self.slot // _SLOTS
        for passed in range(max(old_minute, minute - MINUTES) + 1, minute + 1):
            self.minutes[passed % MINUTES] = 0
        self.slot = slot

    def add(self, lines: int, slot: int) -> None:
        if slot > self.slot:
            self.move_to(slot)
        self.recent += lines
        self.slots[self.slot % _SLOTS] += lines
        self.minutes[self.slot // _SLOTS % MINUTES] += lines

    def rate(self, now: float) -> int:
        self.move_to(_slot(now))
        return self.recent

    def history(self, now: float) -> tuple[int, ...]:
        self.move_to(_slot(now))
        oldest = (self.slot // _SLOTS + 1) % MINUTES
        return (*self.minutes[oldest:], *self.minutes[:oldest])


class Activity:
    """Counts lines by user and for the room, at the same small cost however many lines come at once.

    Every `now` is in monotonic seconds. Users are ids; one that has said nothing, or has `left`, takes no
    memory.
    """

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._room = _Track(0)

    def said(self, user_id: int, lines: int, now: float) -> None:
        """Count `lines` that a user says at `now`."""
        slot = _slot(now)
        track = self._tracks.get(user_id)
        if track is None:
            track = self._tracks[user_id] = _Track(slot)
        track.last = now
        track.add(lines, slot)
        self._room.add(lines, slot)

    def left(self, user_id: int) -> None:
        """Forget a user. What it said still counts for the room."""
        self._tracks.pop(user_id, None)

    def rate(self, user_id: int, now: float) -> int:
        """Return how many lines a user has said in the last 60 s, give or take what is 55 to 60 s old."""
        track = self._tracks.get(user_id)
        return 0 if track is None else track.rate(now)

    def idle(self, user_id: int, now: float) -> float | None:
        """Return the seconds since a user's last line; None if it has said nothing."""
        track = self._tracks.get(user_id)
        return None if track is None else max(0.0, now - track.last)

    def history(self, user_id: int, now: float) -> tuple[int, ...]:
        """Return a user's lines in each of the last eight minutes of the clock, oldest first.

        The last is the running minute, so that the others change only once a minute.
        """
        track = self._tracks.get(user_id)
        return (0,) * MINUTES if track is None else track.history(now)

    def room_rate(self, now: float) -> int:
        """Return how many lines were said in the last 60 s, as `rate` does for one user."""
        return self._room.rate(now)

    def room_history(self, now: float) -> tuple[int, ...]:
        """Return the lines of the room in each of the last eight minutes, as `history` does for one user."""
        return self._room.history(now)
