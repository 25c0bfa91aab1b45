"""The private lines that nobody has answered yet, and when the bell rings for one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LIMIT = 1_000
"""From how many members lines are kept; of more, those who have left are forgotten first, then the oldest."""

BELL_INTERVAL = 10.0
"""The least time between two rings, in seconds."""


class Inbox:
    """Private lines to the operator that are not answered yet, by the id of the member who wrote them.

    Lines are known by their serials in the log, which grow.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        # Who has waited longest comes first in both: an answer removes all lines of a member at once.
        self._first: dict[int, int] = {}
        self._lines: dict[int, int] = {}
        self._left: dict[int, None] = {}
        self._count = 0

    @property
    def count(self) -> int:
        """How many lines are not answered."""
        return self._count

    @property
    def by_member(self) -> Mapping[int, int]:
        """How many lines of each member are not answered, of those with any: a view, which changes."""
        return MappingProxyType(self._lines)

    def pending(self, member_id: int) -> int:
        """How many lines of that member are not answered."""
        return self._lines.get(member_id, 0)

    def oldest(self) -> tuple[int, int] | None:
        """Who has waited longest, and the serial of that member's first line without an answer."""
        return next(iter(self._first.items()), None)

    def after(self, member_id: int | None) -> tuple[int, int] | None:
        """Who has waited longest after that member, as `oldest` tells; in the end the oldest again.

        So the same key, pressed again, comes to everybody. After one who waits for nothing, it is the oldest.
        """
        waiting = iter(self._first.items())
        for waiter, _ in waiting:
            if waiter == member_id:
                return next(waiting, self.oldest())
        return self.oldest()

    def arrived(self, member_id: int, serial: int) -> None:
        """A member wrote a line to the operator, which is in the log under that serial."""
        if member_id not in self._lines and len(self._lines) >= self._limit:
            self.answered(next(iter(self._left or self._lines)))
        self._first.setdefault(member_id, serial)
        self._lines[member_id] = self._lines.get(member_id, 0) + 1
        self._count += 1

    def answered(self, member_id: int) -> None:
        """The operator wrote to that member: no line of it waits any more."""
        self._count -= self._lines.pop(member_id, 0)
        self._first.pop(member_id, None)
        self._left.pop(member_id, None)

    def left(self, member_id: int) -> None:
        """A member is gone. Its lines cannot be answered, and wait until the operator has `seen` them."""
        if member_id in self._lines:
            self._left[member_id] = None

    def seen(self, member_id: int) -> None:
        """The operator went to a line of that member. If the member has left, nothing more can be done."""
        if member_id in self._left:
            self.answered(member_id)


class Bell:
    """Decides whether the terminal's bell rings for a private line: only for one that may go unseen."""

    def __init__(self, interval: float = BELL_INTERVAL) -> None:
        self._interval = interval
        self._rang_at: float | None = None

    def rings(self, now: float, unseen: bool) -> bool:
        """Whether it rings for a line that arrived `now`, in seconds of a monotonic clock.

        `unseen` says that the log is scrolled up, or that the terminal does not have the focus.
        """
        if not unseen or (self._rang_at is not None and now - self._rang_at < self._interval):
            return False
        self._rang_at = now
        return True
