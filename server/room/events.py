"""What the operator's side is told. Each event has the wall-clock time, in seconds since the epoch."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice


class LeaveReason(enum.Enum):
    """Why a member left; the value is for the operator to read."""

    QUIT = "quit"
    END_OF_INPUT = "closed its end"
    LOST = "connection lost"
    KICKED = "kicked"
    BANNED = "banned"
    SLOW = "too slow reading"
    STALLED = "stopped reading"
    FOREIGN = "spoke another protocol"
    FAILED = "internal error"


@dataclass(frozen=True, slots=True)
class Started:
    """The server listens, on `port` of each of `addresses`."""

    time: float
    addresses: tuple[str, ...]
    port: int


@dataclass(frozen=True, slots=True)
class Joined:
    """A client connected, from `address` (`{ip}|{port}`)."""

    time: float
    member_id: int
    address: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """A member took a nickname."""

    time: float
    member_id: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Said:
    """A member said `texts` to everybody, in this order."""

    time: float
    member_id: int
    name: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MessagedOperator:
    """A member said `text` to the operator alone."""

    time: float
    member_id: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class OperatorSaid:
    """The operator said `text` to everybody."""

    time: float
    text: str


@dataclass(frozen=True, slots=True)
class OperatorMessaged:
    """The operator said `text` to the `count` members whom `recipient` names."""

    time: float
    recipient: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Replied:
    """The answer to an operator's command, which may be several lines."""

    time: float
    text: str


@dataclass(frozen=True, slots=True)
class Left:
    """A member is gone."""

    time: float
    member_id: int
    name: str
    reason: LeaveReason
    remark: str = ""
    """What the operator gave as the reason."""


@dataclass(frozen=True, slots=True)
class Muted:
    """Nothing is heard of a member from now on (`muted`), or it is heard again."""

    time: float
    member_id: int
    name: str
    muted: bool
    seconds: float | None = None
    """For how long; None means until it is unmuted."""


@dataclass(frozen=True, slots=True)
class Refused:
    """So many connections were turned away for one reason since the last such event, the last from `host`."""

    time: float
    count: int
    why: str
    host: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Something went wrong inside: `error` says what, `where` for whom. The server goes on."""

    time: float
    where: str
    error: str


@dataclass(frozen=True, slots=True)
class QuitRequested:
    """The operator typed `/quit`: whoever runs the server should stop it."""

    time: float


Event = (
    Started
    | Joined
    | Renamed
    | Said
    | MessagedOperator
    | OperatorSaid
    | OperatorMessaged
    | Replied
    | Left
    | Muted
    | Refused
    | Failed
    | QuitRequested
)

_TOLD_AT_ONCE = 256  # events of a flood


class EventStream:
    """Hands on events in order: one by one at once, of a flood a part each turn of the event loop.

    Args:
        tell: takes each event.
        call_soon: schedules a call for the next turn, as `loop.call_soon` does.
    """

    def __init__(
        self, tell: Callable[[Event], object], call_soon: Callable[[Callable[[], None]], object]
    ) -> None:
        self._tell = tell
        self._call_soon = call_soon
        self._waiting: deque[Iterator[Event]] = deque()

    def emit(self, event: Event) -> None:
        """Tell `event`, behind what still waits."""
        if self._waiting:
            self._waiting.append(iter((event,)))
        else:
            self._tell(event)

    def emit_all(self, events: Iterable[Event]) -> None:
        """Tell `events`, which may be made only as they are told, behind what still waits."""
        self._waiting.append(iter(events))
        if len(self._waiting) == 1:
            self._go_on()

    def _go_on(self) -> None:
        left = _TOLD_AT_ONCE
        try:
            while self._waiting and left:
                for event in islice(self._waiting[0], left):
                    left -= 1
                    self._tell(event)
                if left:
                    self._waiting.popleft()
        finally:
            if self._waiting:
                self._call_soon(self._go_on)
