"""Entries: the room's input. Anything that changes the room is one of these, frozen and timestamped.

Rooms that apply the same entries in the same order are equal, and emit the same events.
Times are wall-clock times in seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..addresses import Address, Network
from .events import LeaveReason


@dataclass(frozen=True, slots=True)
class TooLong:
    """Takes the place of a line of more than `limit` bytes, which was dropped."""

    limit: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """Takes the place of a line that was not blank but that cleaning left empty."""


NOTHING = Nothing()

Line = str | TooLong | Nothing
"""One line of input after framing and cleaning."""

Target = str | int
"""The members that an operator means: a name or an address as typed, or the id of one member."""


@dataclass(frozen=True, slots=True)
class Join:
    """A client connected from `address`. `member_id` is never reused."""

    time: float
    member_id: int
    address: Address


@dataclass(frozen=True, slots=True)
class Lines:
    """A member sent `lines`, text and commands, in this order."""

    time: float
    member_id: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Nick:
    """A member asks for the nickname `name`, which is valid and not reserved."""

    time: float
    member_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Members left, all for the same reason; `remark` is shown to the operator."""

    time: float
    member_ids: tuple[int, ...]
    reason: LeaveReason
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """An operator of this name says `text` to everybody."""

    time: float
    session_id: int
    name: str
    text: str
    node: str = ""
    """The node of a cluster where the operator is, if that is another one."""


@dataclass(frozen=True, slots=True)
class Message:
    """An operator of this name says `text` to `target` alone."""

    time: float
    session_id: int
    name: str
    target: Target
    text: str
    node: str = ""
    """As of `Say`."""


@dataclass(frozen=True, slots=True)
class Kick:
    """An operator disconnects `target`; `remark` goes to the log."""

    time: float
    session_id: int
    target: Target
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Mute:
    """An operator mutes `target` for `seconds`; None = until it is unmuted. `remark` goes to the log."""

    time: float
    session_id: int
    target: Target
    seconds: float | None = None
    remark: str = ""
    node: str = ""
    """As of `Say`."""


@dataclass(frozen=True, slots=True)
class MuteExpired:
    """The mute that began at `since` has expired. Ignored if another has begun since then."""

    time: float
    member_id: int
    since: float


@dataclass(frozen=True, slots=True)
class Unmute:
    """An operator unmutes `target`."""

    time: float
    session_id: int
    target: Target


@dataclass(frozen=True, slots=True)
class Ban:
    """An operator bans `networks` for `seconds`; None = until lifted. Members from there are dropped.

    `remark` goes to the log.
    """

    time: float
    session_id: int
    networks: tuple[Network, ...]
    seconds: float | None = None
    remark: str = ""
    node: str = ""
    """As of `Say`."""


@dataclass(frozen=True, slots=True)
class Unban:
    """An operator lifts the ban of exactly `network`."""

    time: float
    session_id: int
    network: Network


@dataclass(frozen=True, slots=True)
class MinutePassed:
    """Time has passed, though nothing else may have happened. Any number of these do no more than one."""

    time: float


@dataclass(frozen=True, slots=True)
class ShutDown:
    """The chat ends: everybody gets a goodbye and is removed."""

    time: float


Entry = (
    Join
    | Lines
    | Nick
    | Leave
    | Say
    | Message
    | Kick
    | Mute
    | MuteExpired
    | Unmute
    | Ban
    | Unban
    | MinutePassed
    | ShutDown
)
