"""What the people of a node ask for, on its way into the log, or answered at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..room.entries import (
    Ban,
    Entry,
    Join,
    Kick,
    Leave,
    Lines,
    Message,
    Mute,
    MuteExpired,
    Nick,
    Say,
    Unban,
    Unmute,
)
from ..room.events import LeaveReason
from ..room.parts import parts_of
from .operations import Operation, decode, encode, number_of, process_of
from .outgoing import Input
from .site import Local, Site

_OF_MEMBERS = (Join, Lines, Nick, Leave, MuteExpired)
_OF_SESSIONS = (Say, Message, Kick, Mute, Unmute, Ban, Unban)
_CUT = (LeaveReason.LOST, LeaveReason.SLOW, LeaveReason.STALLED, LeaveReason.FAILED)


class Intake:
    """Makes inputs of the entries of a node's clients and operators.

    Args:
        site: the node.
        wait: lets an input have its turn.
    """

    def __init__(self, site: Site, wait: Callable[[Input], None]) -> None:
        self._site = site
        self._wait = wait

    def take(self, entry: Entry) -> None:
        """Take what a client or an operator asks for. Nothing more is taken of a client that is to leave.

        Raises:
            ValueError: if it cannot be sent to others.
        """
        match entry:
            case Join(member_id=id_):
                self._site.locals[number_of(id_)] = Local()
                self.put(entry)
            case Lines(member_id=id_):
                if (local := self._local(id_)) is not None:
                    self._take_lines(entry, local)
            case Leave():
                for id_ in entry.member_ids:
                    self._let_leave(replace(entry, member_ids=(id_,)), id_)
            case MuteExpired(member_id=id_) | Nick(member_id=id_):
                if self._local(id_) is not None:
                    self.put(entry)
            case _:
                self.put(entry)

    def _local(self, id_: int) -> Local | None:
        """The client with that id, if it is one of this node and not about to leave."""
        if process_of(id_) != self._site.process:
            return None
        local = self._site.locals.get(number_of(id_))
        return None if local is None or local.is_leaving else local

    def _take_lines(self, entry: Lines, local: Local) -> None:
        for part in parts_of(entry):
            if part.is_shared:
                local.is_leaving = isinstance(part.entry, Leave)
                self.put(part.entry)
            elif local.pending or not local.has_joined:
                local.pending += 1
                self._wait(Input(part.entry))
            else:
                assert isinstance(part.entry, Lines)  # all else concerns others
                self._site.answer(part.entry)

    def _let_leave(self, entry: Leave, id_: int) -> None:
        if entry.reason in _CUT:
            self._site.room.fanout.close(id_)
        if (local := self._local(id_)) is not None:
            local.is_leaving = True
            self.put(entry)

    def put(self, operation: Operation) -> None:
        """Let `operation` have its turn on all nodes.

        Raises:
            ValueError: if others would not understand it.
        """
        data = encode(operation)
        # What others make of it is what is done here too.
        found = decode(data, self._site.process, 0.0, self._site.room.settings.max_line)
        if not found:
            raise ValueError(f"nobody else would understand {operation!r}")
        own = found[0]
        if isinstance(operation, _OF_SESSIONS) and isinstance(own, _OF_SESSIONS):
            own = replace(own, session_id=operation.session_id)
        if (local := self._author(operation)) is not None:
            local.pending += 1
        self._wait(Input(own, data))

    def done(self, operation: Operation, position: int, place: int) -> None:
        """Note that the turn of `operation` has come, at that place of the log."""
        local = self._author(operation)
        if local is not None:
            local.pending -= 1
            if isinstance(operation, Join):
                local.has_joined = True
                local.position, local.place = position, place

    def _author(self, operation: Operation) -> Local | None:
        """The client whose input `operation` is."""
        if not isinstance(operation, _OF_MEMBERS):
            return None
        id_ = operation.member_ids[0] if isinstance(operation, Leave) else operation.member_id
        return self._site.locals.get(number_of(id_))
