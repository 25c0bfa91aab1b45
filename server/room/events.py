"""Events: the room's and the server's output, frozen, with wall-clock times in seconds since the epoch.

`told` has what is said of each of them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..addresses import Address, Endpoint, Network


class LeaveReason(enum.Enum):
    """Why a member left; the value is what the operator reads."""

    QUIT = "quit"
    END_OF_INPUT = "closed the connection"
    LOST = "connection lost"
    KICKED = "kicked"
    BANNED = "banned"
    SLOW = "read too slowly"
    STALLED = "stopped reading"
    FOREIGN = "spoke another protocol"
    FAILED = "internal error"


# Room events: public; may be stored, replayed and forwarded.


@dataclass(frozen=True, slots=True)
class Joined:
    """A client connected from `address` and became a member."""

    time: float
    member_id: int
    address: Address


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
class OperatorSaid:
    """An operator of this name said `text` to everybody."""

    time: float
    name: str
    text: str
    node: str = ""
    """The node of a cluster where it was said, if that is another one. A history does not keep this."""


@dataclass(frozen=True, slots=True)
class Left:
    """A member left."""

    time: float
    member_id: int
    name: str
    reason: LeaveReason
    remark: str = ""
    """The operator's reason, or a detail from the server."""


@dataclass(frozen=True, slots=True)
class Muted:
    """A member was muted, or unmuted if not `muted`."""

    time: float
    member_id: int
    name: str
    muted: bool
    seconds: float | None = None
    """For how long; None = until it is unmuted."""
    remark: str = ""
    """The operator's reason."""
    is_old: bool = False
    """Whether a member comes so with another node of a cluster: nobody did it just now. No history has it."""
    node: str = ""
    """The node of a cluster whose operator did it, if that is another one. A history does not keep this."""


@dataclass(frozen=True, slots=True)
class Banned:
    """Connections from `networks` are turned away from now on; members from there have left before."""

    time: float
    networks: tuple[Network, ...]
    seconds: float | None = None
    """For how long; None = until it is unbanned."""
    remark: str = ""
    """The operator's reason."""
    replaced: tuple[Network, ...] = ()
    """Those of `networks` that were banned before: those bans are lost. A history does not keep this."""
    node: str = ""
    """As of `Muted`."""


@dataclass(frozen=True, slots=True)
class Unbanned:
    """The ban of exactly `network` was lifted."""

    time: float
    network: Network


RoomEvent = Joined | Renamed | Said | OperatorSaid | Left | Muted | Banned | Unbanned


# Server events: public, about this server alone.


@dataclass(frozen=True, slots=True)
class Started:
    """The server listens on `endpoints`."""

    time: float
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """`count` connections were turned away for one reason since the last such event; the last from `host`."""

    time: float
    count: int
    why: str
    host: str


@dataclass(frozen=True, slots=True)
class Failed:
    """An internal error: `error` says what went wrong, `where` while serving what. The server goes on."""

    time: float
    where: str
    error: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The server has closed all connections."""

    time: float
    why: str = ""
    """What made it stop, such as a signal's name; empty if the operator did."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Something about a file that the chat is recorded in; if not `ok`, it is not written for now."""

    time: float
    ok: bool
    text: str
    what: str = ""
    """What the file is: `history` or `log`."""


@dataclass(frozen=True, slots=True)
class Linked:
    """Something about the link to the other nodes of a cluster."""

    time: float
    text: str
    nodes: int
    """How many nodes are in, this one included."""
    trouble: str = ""
    """What is wrong with the link until the next such event, in a few words; empty while it works."""


ServerEvent = Started | Refused | Failed | Stopped | Recording | Linked


# Addressed events: for their recipients alone. Never stored.


@dataclass(frozen=True, slots=True)
class Messaged:
    """A member said `text` in private: to one or more members, or to the operators."""

    time: float
    member_id: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Silenced:
    """A muted member said `texts`, which reach the operators alone."""

    time: float
    member_id: int
    name: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OperatorMessaged:
    """An operator of this name said `text` to the members that `recipient` names. All operators hear it."""

    time: float
    session_id: int
    name: str
    recipient: str
    text: str
    member_ids: tuple[int, ...]
    """Who got it; empty if `recipient` names nobody."""
    node: str = ""
    """The node of a cluster where it was said, if that is another one."""


class Outcome(enum.Enum):
    """What became of an operator's command."""

    DONE = enum.auto()
    """It was carried out, and other events tell of what it did."""
    ANSWERED = enum.auto()
    """The reply is what was asked for, or the only news of what was done."""
    REFUSED = enum.auto()
    """Nothing was done; the reply says why."""


@dataclass(frozen=True, slots=True)
class Replied:
    """The answer to an operator's command, one or more lines; for all operators if nobody asked for it."""

    time: float
    session_id: int | None
    text: str
    outcome: Outcome = Outcome.ANSWERED
    brief: str = ""
    """The same in plain words, for a console with room for one line; empty if `text` will do."""


Addressed = Messaged | Silenced | OperatorMessaged | Replied

PublicEvent = RoomEvent | ServerEvent
Event = PublicEvent | Addressed
