"""The tally: who came and went in a crowd, told in one line a minute."""

from __future__ import annotations

MINUTE = 60.0
"""How many seconds one line is about."""


class Tally:
    """Counts the members whose coming or going nobody is told of. Times are those of the room's entries."""

    def __init__(self) -> None:
        self.joined = 0
        self.left = 0
        self._minute = 0.0  # of the first that was counted

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return self.joined + self.left == 0

    def add(self, joined: int, left: int, at: float) -> None:
        """Count members who joined or left at that time."""
        if self.is_empty:
            self._minute = at // MINUTE
        self.joined += joined
        self.left += left

    def is_due(self, now: float) -> bool:
        """Whether there is something to tell of a minute that is over.

        Of one that seems to come later too: the clock went back, if by more than a moment.
        """
        return self.joined + self.left > 0 and not 0 <= self._minute - now // MINUTE <= 1

    def take(self) -> tuple[int, int]:
        """Return how many joined and left, and begin anew."""
        taken = self.joined, self.left
        self.joined = self.left = 0
        return taken
