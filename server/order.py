"""The order in which entries are applied to the room."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from .room.entries import Entry


class Order(Protocol):
    """Takes entries and has them applied, one after another."""

    def submit(self, entry: Entry) -> None:
        """Have `entry` applied when its turn comes, which may be later."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether so many entries wait for their turn that clients should send no more for now."""
        ...

    def when_free(self, call: Callable[[], object]) -> None:
        """Call `call`, once, when the order is full no more; asking again meanwhile changes nothing."""
        ...

    def when_done(self, call: Callable[[], object]) -> None:
        """Call `call` as soon as all that has been submitted so far is applied, which may be at once."""
        ...


_LONGEST_CHAIN = 16  # entries, each submitted while the one before was being applied


class LocalOrder:
    """The order for a room on one machine: each entry is applied at once, or after the one being applied.

    Args:
        apply: applies an entry to the room.
        failed: takes the error of an entry that was submitted while another was being applied, because
            whoever submitted that one is not to blame; None = raise it there all the same.
    """

    def __init__(
        self, apply: Callable[[Entry], None], failed: Callable[[Exception], object] | None = None
    ) -> None:
        self._apply = apply
        self._failed = failed
        self._waiting: deque[tuple[Entry, int]] = deque()
        self._links = 0  # how many entries led to the one being applied, itself included

    is_full = False
    """Nothing ever waits here."""

    def when_free(self, call: Callable[[], object]) -> None:
        """Call `call`: this order is never full."""
        call()

    def when_done(self, call: Callable[[], object]) -> None:
        """Call `call`: whoever is not in the middle of an entry has had all of its own applied."""
        call()

    def submit(self, entry: Entry) -> None:
        """Apply `entry`, after any that is being applied.

        Raises:
            RecursionError: if entries keep causing further entries.
        """
        if self._links >= _LONGEST_CHAIN:
            raise RecursionError("entries keep causing further entries")
        self._waiting.append((entry, self._links + 1))
        if not self._links:
            self._go_on()

    def _go_on(self) -> None:
        try:
            while self._waiting:
                entry, self._links = self._waiting.popleft()
                try:
                    self._apply(entry)
                except Exception as error:
                    if self._failed is None or self._links == 1:
                        raise
                    self._failed(error)
        finally:
            self._links = 0
            if self._waiting:  # a failing entry must not hold up the others
                self._go_on()
