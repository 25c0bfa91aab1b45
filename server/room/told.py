"""What is said about each event, and to whom: one table, in which a new event fails the type check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, assert_never

from . import notices
from .events import (
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
    Outcome,
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

Kind = Literal[
    "chat", "operator", "private", "sent", "silenced", "join", "leave", "rename", "reply", "notice", "error"
]
"""How the operator's log shows an event."""

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Telling(Generic[E]):
    """What is said about events of one type, and to whom. Each function takes the event."""

    kind: Kind
    texts: Callable[[E], Sequence[str]]
    """For the operator's log: one line each."""
    author: Callable[[E], str] = lambda event: ""
    """Who said the texts, as the log shows it in front of each."""
    line: Callable[[E], str] | None = None
    """For members: one or more lines, joined by LF; None if members do not see it."""
    transcript: Callable[[E], str] | None = None
    """For the plain console's standard output: likewise; None if the operator typed it or does not see it."""
    aside: Callable[[E], str] | None = None
    """For the plain console's standard error: whatever the transcript has no line for."""


def told(event: Event) -> Telling[Any]:
    """What is said about `event`."""
    match event:
        case Said():
            return _SAID
        case Left():
            return _LEFT
        case Joined():
            return _JOINED
        case Renamed():
            return _RENAMED
        case OperatorSaid(node=node):
            return _SAID_ELSEWHERE if node else _OPERATOR_SAID
        case Muted(is_old=is_old):
            return _MUTED_BEFORE if is_old else _MUTED
        case Banned():
            return _BANNED
        case Unbanned():
            return _UNBANNED
        case Messaged():
            return _MESSAGED
        case Silenced():
            return _SILENCED
        case OperatorMessaged():
            return _OPERATOR_MESSAGED
        case Replied():
            return _REPLIED
        case Started():
            return _STARTED
        case Refused():
            return _REFUSED
        case Failed():
            return _FAILED
        case Stopped():
            return _STOPPED
        case Recording(ok=ok):
            return _RECORDING if ok else _NOT_RECORDING
        case Linked(trouble=trouble):
            return _NOT_LINKED if trouble else _LINKED
        case _:
            assert_never(event)


def _aside(kind: Kind, text: Callable[[E], str]) -> Telling[E]:
    return Telling(kind, lambda event: (text(event),), aside=text)


def _said(event: Said) -> str:
    return notices.said(event.name, event.texts)


def _has_left(event: Left) -> str:
    return notices.has_left(event.name)


_DROPPED = (LeaveReason.SLOW, LeaveReason.STALLED, LeaveReason.FAILED, LeaveReason.FOREIGN)


def _why_left(event: Left) -> str:
    if event.reason in _DROPPED:
        return notices.was_dropped(event.name, event.reason.value)
    return notices.left(event.name, event.reason.value, event.remark)


def _left_briefly(event: Left) -> str:
    """For the log, in which a row has room for few words."""
    if event.reason is LeaveReason.QUIT:
        return notices.left_briefly(event.name, "")
    if event.reason is LeaveReason.END_OF_INPUT:
        return notices.left_briefly(event.name, notices.closed_its_end())
    why = event.reason.value + (f": {event.remark}" if event.remark else "")
    return notices.left_briefly(event.name, why, dropped=event.reason in _DROPPED)


def _is_muted(event: Muted) -> str:
    if event.muted:
        return notices.is_muted(event.name, event.seconds, event.remark)
    return notices.is_unmuted(event.name)


def _private(event: Messaged) -> str:
    return notices.private(event.name, event.text)


def _operator_said(event: OperatorSaid) -> str:
    return notices.said(event.name, (event.text,))


def _welcome(event: Joined) -> str:
    return notices.welcome(event.address)


def _is_now(event: Renamed) -> str:
    return notices.is_now(event.old, event.new)


_SAID: Telling[Said] = Telling("chat", lambda event: event.texts, lambda event: event.name, _said, _said)
_OPERATOR_SAID: Telling[OperatorSaid] = Telling(
    "operator", lambda event: (event.text,), lambda event: event.name, _operator_said
)
_SAID_ELSEWHERE: Telling[OperatorSaid] = Telling(
    "operator",
    lambda event: (event.text,),
    lambda event: notices.operator_at(event.name, event.node),
    _operator_said,
    _operator_said,
)
_MESSAGED: Telling[Messaged] = Telling(
    "private", lambda event: (event.text,), lambda event: event.name, _private, _private
)
_SILENCED: Telling[Silenced] = Telling(
    "silenced",
    lambda event: event.texts,
    lambda event: event.name,
    aside=lambda event: notices.silenced(event.name, event.texts),
)
_OPERATOR_MESSAGED: Telling[OperatorMessaged] = Telling(
    "sent",
    lambda event: (event.text,) if event.member_ids else (),
    lambda event: notices.message_to(event.recipient, event.node),
    line=lambda event: notices.operator_private(event.name, event.text),
)
_LEFT: Telling[Left] = Telling(
    "leave",
    lambda event: (_left_briefly(event),),
    line=_has_left,
    transcript=_has_left,
    aside=_why_left,
)
_REPLIED: Telling[Replied] = Telling(
    "reply",
    lambda event: event.text.split("\n") if event.outcome is Outcome.ANSWERED else (),
    transcript=lambda event: event.text,
)
_STARTED: Telling[Started] = Telling(
    "notice",
    lambda event: (notices.listens(event.endpoints[0].port),),
    transcript=lambda event: notices.server_started(event.endpoints[0].port),
)
_JOINED: Telling[Joined] = Telling(
    "join", lambda event: (notices.has_joined(str(event.address)),), line=_welcome, transcript=_welcome
)
_RENAMED: Telling[Renamed] = Telling(
    "rename", lambda event: (_is_now(event),), line=_is_now, transcript=_is_now
)
_MUTED: Telling[Muted] = _aside("notice", lambda event: _is_muted(event))
_MUTED_BEFORE: Telling[Muted] = Telling("notice", lambda event: ())
_BANNED: Telling[Banned] = _aside(
    "notice", lambda event: notices.is_banned(event.networks, event.seconds, event.remark)
)
_UNBANNED: Telling[Unbanned] = _aside("notice", lambda event: notices.is_unbanned(event.network.shown))
_REFUSED: Telling[Refused] = _aside(
    "notice", lambda event: notices.refused(event.count, event.why, event.host)
)
_FAILED: Telling[Failed] = _aside("error", lambda event: notices.failed(event.where, event.error))
_STOPPED: Telling[Stopped] = Telling("notice", lambda event: (notices.has_stopped(event.why),))
_RECORDING: Telling[Recording] = _aside("notice", lambda event: event.text)
_NOT_RECORDING: Telling[Recording] = _aside("error", lambda event: event.text)
_LINKED: Telling[Linked] = _aside("notice", lambda event: event.text)
_NOT_LINKED: Telling[Linked] = _aside("error", lambda event: event.text)
