"""What a node puts into the log: inputs that wait, in order, and the batch that is on its way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .operations import Operation
from .wire import MAX_BATCH

FULL = 4 << 20
"""How many bytes of inputs may wait before clients are read no more."""

FREE = 1 << 20
"""Below how many they are read again."""

_UNSHARED = 4096  # bytes that an answer for its author alone counts as


@dataclass(frozen=True, slots=True)
class Then:
    """Somebody at this node waits until all that came before is done."""

    call: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Input:
    """Something to be done here and, if it has `data`, at all other nodes too."""

    operation: Operation | Then
    data: bytes = b""
    """The operation as others get it; empty if it concerns its author alone."""

    @property
    def size(self) -> int:
        """How many bytes it counts as while it waits."""
        return len(self.data) or _UNSHARED


@dataclass(slots=True)
class Flight:
    """A batch on its way through the log and back. It stays what it is however often it is sent."""

    number: int
    inputs: Sequence[Input]
    data: bytes = field(init=False, default=b"")
    """The whole entry, as it was sent last."""
    since: float = field(init=False, default=0.0)
    """When it was sent first in this term, by the loop's clock."""
    sent_at: float = field(init=False, default=0.0)
    """When it was sent last."""

    @property
    def operations(self) -> bytes:
        """Its operations, as others get them."""
        return b"".join([each.data for each in self.inputs])


class Outgoing:
    """Inputs in their order, in batches."""

    def __init__(self) -> None:
        self._inputs: deque[Input] = deque()
        self._size = 0
        self._numbers = 0
        self._held: Flight | None = None
        self._when_free: dict[Callable[[], object], None] = {}
        self._is_full = False
        self.flight: Flight | None = None
        """The batch on its way."""

    @property
    def waits(self) -> bool:
        """Whether anything waits to be taken."""
        return bool(self._inputs) or self._held is not None

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is on its way."""
        return not self.waits and self.flight is None

    @property
    def is_full(self) -> bool:
        """Whether so much waits that clients should send no more for now."""
        return self._is_full

    def when_free(self, call: Callable[[], object]) -> None:
        """Call `call`, once, when it is full no more."""
        self._when_free[call] = None

    def add(self, item: Input) -> None:
        """Let `item` wait for its turn."""
        self._inputs.append(item)
        self._size += item.size
        self._is_full = self._is_full or self._size >= FULL

    def take(self) -> Flight | Sequence[Input] | None:
        """Take out a batch to be sent, or inputs that concern nobody else; None if nothing waits."""
        if self._held is not None:
            flight, self._held = self._held, None
            return flight
        if not self._inputs:
            return None
        taken: list[Input] = []
        size = 0
        while self._inputs and (not taken or size + len(self._inputs[0].data) <= MAX_BATCH):
            item = self._inputs.popleft()
            taken.append(item)
            size += len(item.data)
        self._count(-sum(item.size for item in taken))
        if not size:
            return taken
        self._numbers += 1
        return Flight(self._numbers, taken)

    def hold(self) -> None:
        """Take back the batch on its way: it is sent first, and as it is, once this node is in again."""
        if self.flight is not None:
            self._held, self.flight = self.flight, None

    def take_all(self) -> Sequence[Input]:
        """Take out everything that was sent or waits, in order."""
        self.hold()
        taken = [*(self._held.inputs if self._held else ()), *self._inputs]
        self._held = None
        self._inputs.clear()
        self._count(-self._size)
        return taken

    def _count(self, change: int) -> None:
        self._size += change
        if self._is_full and self._size < FREE:
            self._is_full = False
            calls, self._when_free = self._when_free, {}
            for call in calls:
                call()
