"""The room: who is here, under which name, and what each line does. Pure: no socket, no loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..addresses import Network, address_of
from ..settings import Settings
from ..wire.framing import Line, Nothing, TooLong
from . import commands, notices
from .commands import Role
from .events import (
    Event,
    Joined,
    LeaveReason,
    Left,
    MessagedOperator,
    Muted,
    Renamed,
    Said,
)
from .listing import Listing, Page
from .names import is_name, is_reserved, skeleton
from .text import clean


@dataclass(eq=False, slots=True)
class Member:
    """One client in the room. `id` is never used again; `address` is `{ip}|{port}`."""

    id: int
    address: str
    nickname: str | None = None
    muted: bool = False
    lines: int = 0
    """How many lines it has said, to everybody or to one."""
    ip: Network = field(init=False, repr=False)
    """The IP address, for looking it up among networks."""

    def __post_init__(self) -> None:
        self.ip = address_of(self.host)

    @property
    def host(self) -> str:
        """The IP address as accept gave it."""
        return self.address.rpartition("|")[0]

    @property
    def name(self) -> str:
        """The nickname, or the address of one that has not taken any."""
        return self.nickname or self.address


class Fanout(Protocol):
    """Where the room's lines go: an `Outbox`, or a record of them in a test.

    A line is given without its ending; it may be several lines joined by LF.
    """

    def to(self, member: Member, line: str | Sequence[Page]) -> None:
        """Send `line`, or pages that others may get too, to `member` alone."""
        ...

    def to_all(self, line: str, but: Member | None = None) -> None:
        """Send `line` to all members except `but`."""
        ...

    def close(self, member: Member) -> None:
        """Send what is queued for `member`, then end its connection; it gets nothing more."""
        ...

    def dismiss(self, members: Sequence[Member], line: str) -> None:
        """Send what is queued for each of `members`, then `line`, and end its connection.

        They get nothing more from now on, though the sending may take its time.
        """
        ...


class Timer(Protocol):
    """A call to come, such as `asyncio.TimerHandle`."""

    def cancel(self) -> None:
        """Make sure that it does not come."""
        ...


class _Index(dict[str, dict[int, Member]]):
    """Members by something that several may share, and by their id."""

    def add(self, key: str, member: Member) -> None:
        self.setdefault(key, {})[member.id] = member

    def discard(self, key: str, member: Member) -> None:
        del self[key][member.id]
        if not self[key]:
            del self[key]


class Room:
    """Who is here, and what each line of a client does.

    Args:
        fanout: takes the lines for the members. It must know a member before `join` is called with it.
        emit, emit_all: take an event for the operator's side, and many that happen at one moment.
        clock: the wall clock, in seconds since the epoch.
        later: calls something after so many seconds, as `loop.call_later` does.
        settings: the limits and switches.
    """

    def __init__(
        self,
        fanout: Fanout,
        emit: Callable[[Event], None],
        emit_all: Callable[[Iterable[Event]], None],
        clock: Callable[[], float],
        later: Callable[[float, Callable[[], object]], Timer],
        settings: Settings,
    ) -> None:
        self._fanout = fanout
        self._emit = emit
        self._emit_all = emit_all
        self._clock = clock
        self._later = later
        self._settings = settings
        self._members: dict[int, Member] = {}
        self._by_address = _Index()  # in lower case; one port can reach two addresses of the server
        self._by_nickname = _Index()  # in lower case
        self._by_skeleton = _Index()
        self._listing = Listing()
        self._mute_timers: dict[int, Timer] = {}
        self._welcome = "\n".join(map(clean, settings.welcome.splitlines()))

    @property
    def members(self) -> Sequence[Member]:
        """All members, in order of joining."""
        return tuple(self._members.values())

    def member(self, member_id: int) -> Member | None:
        """The member with this id, if it is still here."""
        return self._members.get(member_id)

    def listing(self) -> str:
        """Who is here, a line each, in order of joining."""
        return "\n".join(notices.listed(member.address, member.name) for member in self._members.values())

    def join(self, member: Member) -> None:
        """Take in `member` and announce it to everybody, itself included."""
        self._members[member.id] = member
        self._listing.add(member)
        self._by_address.add(member.address.lower(), member)
        self._fanout.to_all(notices.welcome(member.address))
        if self._welcome:
            self._fanout.to(member, self._welcome)
        self._emit(Joined(self._clock(), member.id, member.address))

    def leave(self, member: Member, reason: LeaveReason, remark: str = "") -> None:
        """Let `member` go, with a last line to it and a notice to the others. Nothing if it is gone."""
        if self._members.pop(member.id, None):
            self._forget(member)
            self._fanout.to(member, notices.you_have_left())
            self._fanout.close(member)
            self._fanout.to_all(notices.has_left(member.name))
            self._emit(Left(self._clock(), member.id, member.name, reason, remark))

    def leave_together(self, members: Sequence[Member], reason: LeaveReason, remark: str = "") -> None:
        """Let `members` go at one moment: each gets its last line, and those who stay a notice of each."""
        gone = [member for member in members if self._members.pop(member.id, None)]
        for member in gone:
            self._forget(member)
        if gone:
            self._fanout.dismiss(gone, notices.you_have_left())
            self._fanout.to_all("\n".join([notices.has_left(member.name) for member in gone]))
            now = self._clock()
            self._emit_all(Left(now, member.id, member.name, reason, remark) for member in gone)

    def _forget(self, member: Member) -> None:
        """Forget whatever there is of `member` beside itself."""
        self._listing.remove(member)
        self._by_address.discard(member.address.lower(), member)
        self._forget_nickname(member)
        if self._mute_timers:
            self._end_mute_timer(member)

    def shut_down(self) -> None:
        """Say goodbye to everybody and close every connection. The room is empty after."""
        self._fanout.to_all(notices.shutting_down())
        members = self.members
        for member in members:
            self._end_mute_timer(member)
        self._members.clear()
        self._listing = Listing()
        self._by_address.clear()
        self._by_nickname.clear()
        self._by_skeleton.clear()
        # One that proves too slow now is gone already: no notice of its leaving.
        self._fanout.dismiss(members, notices.you_have_left())

    def receive(self, member: Member, lines: Sequence[Line]) -> None:
        """Do what `lines` from `member` ask for, in order; what follows its leaving is ignored."""
        texts: list[str] = []
        for line in lines:
            if member.id not in self._members:
                return
            if isinstance(line, TooLong):
                self._say_as(member, texts)
                self._fanout.to(member, notices.too_long(line.limit))
            elif isinstance(line, Nothing):
                self._say_as(member, texts)
                self._fanout.to(member, notices.nothing_left())
            elif (text := commands.spoken(line)) is not None:
                texts.append(text)
            else:
                self._say_as(member, texts)
                self._run(member, line)
        self._say_as(member, texts)

    def mute(self, member: Member, seconds: float | None) -> None:
        """Let nothing be heard of `member` for `seconds`, or until `unmute`."""
        self._end_mute_timer(member)
        member.muted = True
        if seconds is not None:
            self._mute_timers[member.id] = self._later(seconds, lambda: self.unmute(member))
        self._fanout.to(member, notices.muted())
        self._emit(Muted(self._clock(), member.id, member.name, True, seconds))

    def unmute(self, member: Member) -> bool:
        """Let `member` be heard again; whether it was muted."""
        if not member.muted:
            return False
        self._end_mute_timer(member)
        member.muted = False
        self._fanout.to(member, notices.no_longer_muted())
        self._emit(Muted(self._clock(), member.id, member.name, False))
        return True

    # What a client's line does

    def _say_as(self, member: Member, texts: list[str]) -> None:
        """Send the gathered `texts` of `member`, and empty the list."""
        if texts and member.muted:
            self._fanout.to(member, notices.muted())
            texts.clear()
        elif texts:
            member.lines += len(texts)
            self._fanout.to_all(notices.said(member.name, texts), but=member)
            self._emit(Said(self._clock(), member.id, member.name, tuple(texts)))
            texts.clear()

    def _run(self, member: Member, line: str) -> None:
        answer: str | Sequence[Page] | None = None
        match commands.parse(line, Role.CLIENT):
            case commands.Nick(name):
                answer = self._rename(member, name)
            case commands.PrivateMessage(recipient, text):
                answer = self._message(member, recipient, text)
            case commands.ListUsers():
                answer = self._listing.all_but(member) or notices.no_other_users()
            case commands.Help():
                answer = notices.help_lines(Role.CLIENT, encrypted=self._settings.encrypted)
            case commands.Quit():
                self.leave(member, LeaveReason.QUIT)
            case other:
                answer = notices.complaint(other)
        if answer:
            self._fanout.to(member, answer)

    def _rename(self, member: Member, name: str) -> str | None:
        """Give `member` the nickname `name`; return the answer where that is all there is to tell."""
        if member.muted:
            return notices.muted()
        if not is_name(name):
            return notices.invalid_nickname()
        if name == member.nickname:
            return notices.you_are_now(name)
        if is_reserved(name):
            return notices.reserved_nickname(name)
        if not self._settings.shared_nicks and self._is_borne_by_another(member, name):
            return notices.nickname_in_use(name)
        old = member.name
        self._forget_nickname(member)
        member.nickname = name
        self._by_nickname.add(name.lower(), member)
        self._by_skeleton.add(skeleton(name), member)
        self._listing.change(member)
        self._fanout.to(member, notices.you_are_now(name))
        self._fanout.to_all(notices.is_now(old, name), but=member)
        self._emit(Renamed(self._clock(), member.id, old, name))
        return None

    def _message(self, sender: Member, recipient: str, text: str) -> str:
        if sender.muted:
            return notices.muted()
        sender.lines += 1
        if recipient.lower() == notices.OPERATOR.lower():
            self._emit(MessagedOperator(self._clock(), sender.id, sender.name, text))
            return notices.message_sent(1, recipient)
        found = self.find(recipient)
        for member in found:
            self._fanout.to(member, notices.private(sender.name, text))
        return notices.message_sent(len(found), recipient)

    def _end_mute_timer(self, member: Member) -> None:
        if timer := self._mute_timers.pop(member.id, None):
            timer.cancel()

    # Names

    def find(self, target: str) -> Sequence[Member]:
        """Those whom `target` names, in order of joining: an address, a nickname, one in another case."""
        folded = target.lower()
        bearers = self._by_address.get(folded) or self._by_nickname.get(folded, {})
        exact = [member for member in bearers.values() if member.nickname == target]
        return sorted(exact or bearers.values(), key=lambda member: member.id)

    def _is_borne_by_another(self, member: Member, name: str) -> bool:
        """Whether somebody but `member` has `name`, one in another case, or one that looks like it."""
        bearers = self._by_nickname.get(name.lower(), {}), self._by_skeleton.get(skeleton(name), {})
        return any(others.keys() - {member.id} for others in bearers)

    def _forget_nickname(self, member: Member) -> None:
        if member.nickname is not None:
            self._by_nickname.discard(member.nickname.lower(), member)
            self._by_skeleton.discard(skeleton(member.nickname), member)
