"""Records: public events as the history keeps them, and as events again."""

from __future__ import annotations

import enum
from typing import NamedTuple, assert_never

from ..addresses import Address, Endpoint, network_of
from ..room.events import (
    Banned,
    Event,
    Failed,
    Joined,
    LeaveReason,
    Left,
    Linked,
    Messaged,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Recording,
    Refused,
    Renamed,
    Replied,
    Said,
    Silenced,
    Started,
    Stopped,
    Unbanned,
)

MOST_LINES = 256
"""The most lines of one record."""


class Kind(enum.IntEnum):
    """What a record tells of. The numbers are in files: none is ever given another meaning."""

    SAID = 0
    OPERATOR_SAID = 1
    JOINED = 2
    LEFT = 3
    RENAMED = 4
    MUTED = 5
    BANNED = 6
    UNBANNED = 7
    STARTED = 8
    STOPPED = 9
    GAP = 10
    PRIVATE = 11
    SENT = 12


class Record(NamedTuple):
    """One event, or a part of one that has many lines."""

    serial: int
    """The number of its first line; the others follow without a gap."""
    time: float
    """In seconds since the epoch."""
    kind: Kind
    member_id: int
    """Whom it is about; 0 = the operator or the server."""
    name: str
    """The name that member bore; of an operator, the operator's."""
    text: str
    """Its lines, joined by LF."""
    lines: int
    """How many they are."""

    def split(self, address: str) -> list[Line]:
        """Return its lines; `address` is that of whom it is about."""
        return [
            Line(self.serial + place, self.time, self.kind, self.member_id, self.name, address, text)
            for place, text in enumerate(self.text.split("\n"))
        ]

    @property
    def size(self) -> int:
        """About how much memory it takes, in bytes."""
        return len(self.text) + SIZE_WITHOUT_TEXT


SIZE_WITHOUT_TEXT = 200
"""About how much memory a record without its text takes, in bytes."""

Content = tuple[Kind, int, str, str]
"""Kind, member id, name and text: what a record has of its event, apart from the time."""

_FIELD = "\t"
"""Between the fields of a text: cleaned text has none."""


def content_of(event: Event, *, private: bool = False) -> Content | None:
    """What is recorded of `event`; None = nothing.

    Args:
        private: whether what is said to the operator and by the operator in private is recorded too.
    """
    match event:
        case Said():
            return Kind.SAID, event.member_id, event.name, "\n".join(event.texts)
        case OperatorSaid():
            return Kind.OPERATOR_SAID, 0, event.name, event.text
        case Joined():
            return Kind.JOINED, event.member_id, str(event.address), str(event.address)
        case Left():
            return Kind.LEFT, event.member_id, event.name, _joined(event.reason.name, event.remark)
        case Renamed():
            return Kind.RENAMED, event.member_id, event.old, event.new
        case Muted(is_old=True):
            return None
        case Muted():
            text = _joined(str(int(event.muted)), _seconds(event.seconds), event.remark)
            return Kind.MUTED, event.member_id, event.name, text
        case Banned():
            networks = " ".join(map(str, event.networks))
            return Kind.BANNED, 0, "", _joined(networks, _seconds(event.seconds), event.remark)
        case Unbanned():
            return Kind.UNBANNED, 0, "", str(event.network)
        case Started():
            return Kind.STARTED, 0, "", " ".join(f"{each.host}|{each.port}" for each in event.endpoints)
        case Stopped():
            return Kind.STOPPED, 0, "", event.why
        case Messaged():
            return (Kind.PRIVATE, event.member_id, event.name, event.text) if private else None
        case OperatorMessaged():
            text = _joined(event.recipient, event.text)
            return (Kind.SENT, 0, event.name, text) if private and event.member_ids else None
        case Refused() | Failed() | Recording() | Linked() | Silenced() | Replied():
            return None
        case _:
            assert_never(event)


class Line(NamedTuple):
    """One line of the history."""

    serial: int
    time: float
    """In seconds since the epoch."""
    kind: int
    """A `Kind`, or a number that a later version gave."""
    member_id: int
    name: str
    address: str
    text: str


def event_of(line: Line) -> Event | None:
    """The event that `line` was recorded of, for showing it; None if this version does not know it."""
    try:
        return _event_of(line)
    except (ValueError, KeyError):
        return None


def _event_of(line: Line) -> Event | None:
    time, who, name, text = line.time, line.member_id, line.name, line.text
    match line.kind:
        case Kind.SAID:
            return Said(time, who, name, (text,))
        case Kind.OPERATOR_SAID:
            return OperatorSaid(time, name, text)
        case Kind.JOINED:
            return Joined(time, who, _address(text))
        case Kind.LEFT:
            reason, remark = _fields(text, 2)
            return Left(time, who, name, LeaveReason[reason], remark)
        case Kind.RENAMED:
            return Renamed(time, who, name, text)
        case Kind.MUTED:
            muted, seconds, remark = _fields(text, 3)
            return Muted(time, who, name, muted == "1", float(seconds) if seconds else None, remark)
        case Kind.BANNED:
            networks, seconds, remark = _fields(text, 3)
            banned = tuple(map(network_of, networks.split()))
            return Banned(time, banned, float(seconds) if seconds else None, remark)
        case Kind.UNBANNED:
            return Unbanned(time, network_of(text))
        case Kind.STARTED:
            endpoints = [_address(each) for each in text.split()]
            return Started(time, tuple(Endpoint(host, port) for host, port in endpoints))
        case Kind.STOPPED:
            return Stopped(time, text)
        case Kind.PRIVATE:
            return Messaged(time, who, name, text)
        case Kind.SENT:
            recipient, said = _fields(text, 2)
            return OperatorMessaged(time, 0, name, recipient, said, (0,))
        case _:
            return None


def _joined(*fields: str) -> str:
    """Join `fields`, of which empty ones at the end are left out."""
    return _FIELD.join(fields).rstrip(_FIELD)


def _fields(text: str, count: int) -> list[str]:
    found = text.split(_FIELD, count - 1)
    return found + [""] * (count - len(found))


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:g}"


def _address(text: str) -> Address:
    host, _, port = text.rpartition("|")
    return Address(host, int(port))
