"""How far a node has read the log, and whether what it finds later is the same log."""

from __future__ import annotations

from enum import Enum, auto


class Found(Enum):
    """What an entry is to a node that reads on."""

    LAST = auto()
    """The last one that it has read before: the log is the same, and goes on from there."""

    NEXT = auto()
    """A new one."""

    OTHER = auto()
    """Neither: what was read before is not continued."""


class Continuity:
    """What a node knows of the log that it reads.

    A node never reads from the beginning: a log that lost its end still holds history, and reading that
    again would bring back the room of a minute ago. So it reads its last entry once more, and what follows.
    """

    def __init__(self) -> None:
        self._created = ""
        self._last: tuple[int, bytes] | None = None
        self._broken = ""
        self.awaits_last = False
        """Whether the last entry is to come once more before anything else."""

    def start(self, created: str, first: int, last: int) -> tuple[int, str]:
        """Where to read on in the log that the engine has, and why that does not continue what came before.

        Args:
            created: when the log was made, in whatever form the engine has.
            first: the position of its first entry; above `last` if there is none.
            last: the position of its last entry.

        Returns:
            The position; and the reason, or "" where what was read before goes on at that position.
        """
        if self._last is not None:
            position, _ = self._last
            if created != self._created:
                self._break("it is another log")
            elif position > last:
                self._break(f"it ends at {last}, before {position}")
            elif position < first:
                self._break(f"it begins at {first}, after {position}")
        why, self._broken = self._broken, ""
        self._created = created
        self.awaits_last = self._last is not None
        # Where nothing was read, the newest entry tells when somebody wrote.
        return (self._last[0] if self._last is not None else last or 1), why

    def take(self, position: int, data: bytes) -> Found:
        """Tell what the next entry that is read is; where it is OTHER, `start` says so once."""
        if self.awaits_last:
            if (position, data) == self._last:
                self.awaits_last = False
                return Found.LAST
            self._break("its last entry is another one")
            return Found.OTHER
        if self._last is not None and position != self._last[0] + 1:
            self._break(f"entries before {position} are missing")
            return Found.OTHER
        self._last = position, data
        return Found.NEXT

    def _break(self, why: str) -> None:
        self._broken = why
        self._last = None
