"""What an operator is told of a cluster: facts, of which the sentences are made elsewhere."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Gone(enum.Enum):
    """Why a node is not in any more; the value is what the operator reads."""

    SILENT = "nothing was heard of it"
    GOODBYE = "it said goodbye"
    REPLACED = "it was started anew"


@dataclass(frozen=True, slots=True)
class Entered:
    """This node is in: it and the others, `nodes` in all, are one room with `users`."""

    nodes: int
    users: int


@dataclass(frozen=True, slots=True)
class NodeIn:
    """Another node is in, with its users."""

    node: str
    users: int


@dataclass(frozen=True, slots=True)
class NodeGone:
    """Another node is not in any more; its users have left."""

    node: str
    users: int
    why: Gone


@dataclass(frozen=True, slots=True)
class Silent:
    """What this node puts into the log does not come back: lines wait."""


@dataclass(frozen=True, slots=True)
class Works:
    """It comes back again, after `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Alone:
    """This node goes on without the others, whose users are out of reach."""

    users: int


@dataclass(frozen=True, slots=True)
class Together:
    """This node is with the others again, who have that many users."""

    users: int


@dataclass(frozen=True, slots=True)
class Lost:
    """What came from the log cannot be continued: this node asks for the state."""

    why: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another node of the same name is in instead of this one, which goes on alone for good."""


@dataclass(frozen=True, slots=True)
class Differs:
    """The others have other settings, with which this node's room would not be theirs: it cannot come in."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that a node has sent is not understood; an empty name stands for one that is not known."""

    node: str
    why: str


@dataclass(frozen=True, slots=True)
class EngineRefuses:
    """The engine does not take what this node writes."""

    why: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The log can be neither read nor written for now."""

    why: str


@dataclass(frozen=True, slots=True)
class Reachable:
    """The log can be read and written."""


@dataclass(frozen=True, slots=True)
class Behind:
    """What this node reads of the log is `seconds` old."""

    seconds: float


News = (
    Entered
    | NodeIn
    | NodeGone
    | Silent
    | Works
    | Alone
    | Together
    | Lost
    | Replaced
    | Differs
    | Refused
    | EngineRefuses
    | Unreachable
    | Reachable
    | Behind
)
