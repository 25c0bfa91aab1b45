"""Searches of the member list, in slices between which the event loop does everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..timing import Loop
from .turns import Turns

SLICE = 0.005
"""How long all searches together may hold the event loop at a time, in seconds."""


class Searches:
    """Carries out searches, all of them by turns. A short one is done at once.

    Args:
        loop: the event loop.
    """

    def __init__(self, loop: Loop) -> None:
        self._turns = Turns(loop, SLICE)
        self._running = 0

    @property
    def are_running(self) -> bool:
        """Whether some have not ended yet."""
        return self._running > 0

    def run(self, steps: Iterator[object], done: Callable[[], object]) -> None:
        """Take all of `steps`, each of which is short, then call `done`."""

        def go_on() -> None:
            for _ in steps:
                if not self._turns.take(go_on):
                    return
            self._running -= 1
            done()

        self._running += 1
        if self._turns.take(go_on):
            go_on()
