"""The room: its members, and what each entry does. Pure: no sockets, loop, clock or randomness."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Protocol, assert_never

from ..addresses import Network, within
from ..settings import Settings
from . import entries, notices
from .client import Client
from .entries import Entry, Target
from .events import (
    Banned,
    Event,
    Joined,
    LeaveReason,
    Left,
    Messaged,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Outcome,
    Replied,
    RoomEvent,
    Unbanned,
)
from .listing import Page
from .member import Member
from .roster import Roster
from .search import Search
from .tally import Tally
from .text import clean

Item = str | RoomEvent | Messaged | OperatorMessaged | Page
"""What a member may be sent: a notice of one or more lines joined by LF, an event, or a part of a list."""


class Fanout(Protocol):
    """Takes the room's items: an `Outbox`, or a recorder in a test. Members are given by id."""

    def add(self, member_id: int) -> None:
        """Send to that member from now on; it gets nothing that was sent earlier."""
        ...

    def to(self, member_id: int, item: Item | Search) -> None:
        """Send `item` to that member alone; of a search the answer, once it is carried out."""
        ...

    def to_all(self, item: Item, but: Collection[int] = ()) -> None:
        """Send `item` to all members except those in `but`."""
        ...

    def close(self, member_id: int) -> None:
        """Send what is queued for that member, then end its connection; it gets nothing after that."""
        ...

    def dismiss(self, member_ids: Sequence[int], item: Item) -> None:
        """Send each of those members what is queued for it, then `item`, and end its connection.

        They get nothing that is sent from now on, though the sending may take a while.
        """
        ...


class Sink(Protocol):
    """Takes the room's events."""

    def emit(self, event: Event) -> None:
        """Take `event`."""
        ...

    def emit_all(self, events: Sequence[Event]) -> None:
        """Take `events`, all of one moment."""
        ...


class BanList(Protocol):
    """Keeps the bans in force."""

    def add(self, networks: Sequence[Network], seconds: float | None) -> Sequence[Network]:
        """Ban `networks` for `seconds`; None = until lifted. Return those that were banned before."""
        ...

    def remove(self, network: Network) -> bool:
        """Lift the ban of exactly `network`; return whether there was one."""
        ...


class Room:
    """The room and its members. Only `apply` changes it.

    Args:
        fanout: takes what is sent to members.
        sink: takes the events.
        bans: the list that `Ban` and `Unban` entries change.
        settings: the limits and switches.
    """

    def __init__(self, fanout: Fanout, sink: Sink, bans: BanList, settings: Settings) -> None:
        self.fanout = fanout
        self.sink = sink
        self.settings = settings
        self.roster = Roster()
        self.tally = Tally()
        """Those whose coming or going was not told, since they were too many."""
        self._bans = bans
        greeting = [*map(clean, settings.welcome.splitlines())]
        if recorded := notices.what_is_recorded(settings):
            greeting.append(recorded)
        self._greeting = "\n".join(greeting)
        self.replay: Callable[[], str] = lambda: ""
        """Returns what a new member is to know of what was said before: one or more lines, or nothing."""

    def apply(self, entry: Entry) -> None:
        """Apply `entry`; nothing happens if its member is gone."""
        tally = self.tally
        if (tally.joined or tally.left) and tally.is_due(entry.time):
            self.fanout.to_all(notices.came_and_went(*tally.take(), len(self.roster)))
        match entry:
            case entries.Lines():
                self._receive(entry)
            case entries.Join():
                self._join(entry)
            case entries.Nick():
                if member := self.roster.get(entry.member_id):
                    Client(self, member, entry.time).take(entry.name)
            case entries.Leave():
                self.leave(entry.member_ids, entry.reason, entry.remark, at=entry.time)
            case entries.Say():
                event = OperatorSaid(entry.time, entry.name, entry.text, entry.node)
                self.fanout.to_all(event)
                self.sink.emit(event)
            case entries.Message():
                self._message(entry)
            case entries.Kick():
                members = self.roster.find(entry.target)
                ids = [member.id for member in members]
                self.leave(ids, LeaveReason.KICKED, entry.remark, at=entry.time)
                self._report(entry, members, notices.kicked(len(ids)), notices.was_kicked)
            case entries.Mute():
                self._mute(entry)
            case entries.Unmute():
                members = self.roster.find(entry.target)
                unmuted = [member for member in members if self._unmute(member, entry.time)]
                text = notices.unmuted_count(len(unmuted))
                if members and not unmuted:
                    self._reply(entry, text, Outcome.REFUSED, notices.was_not_muted(_names(members)))
                else:
                    self._report(entry, unmuted, text, notices.is_unmuted)
            case entries.MuteExpired():
                member = self.roster.get(entry.member_id)
                if member and member.muted_at == entry.since:
                    self._unmute(member, entry.time)
            case entries.Ban():
                replaced = tuple(self._bans.add(entry.networks, entry.seconds))
                hit = [member.id for member in self.hit_by(entry.networks)]
                self.leave(hit, LeaveReason.BANNED, entry.remark, at=entry.time)
                about = (entry.networks, entry.seconds, entry.remark, replaced, entry.node)
                self.sink.emit(Banned(entry.time, *about))
                brief = notices.is_banned(entry.networks, entry.seconds, entry.remark)
                text = notices.ban_added(entry.networks, entry.seconds)
                self._reply(entry, text, Outcome.DONE, brief)
            case entries.Unban():
                lifted, shown = self._bans.remove(entry.network), entry.network.shown
                if lifted:
                    self.sink.emit(Unbanned(entry.time, entry.network))
                    self._reply(entry, notices.ban_lifted(shown), Outcome.DONE, notices.is_unbanned(shown))
                else:
                    self._reply(entry, notices.no_such_ban(shown), Outcome.REFUSED)
            case entries.ShutDown():
                self.fanout.to_all(notices.shutting_down())
                # The members are removed first, so that nobody is told of one that proves too slow now.
                gone = [member.id for member in self.roster.clear()]
                self.fanout.dismiss(gone, notices.you_have_left())
            case entries.MinutePassed():
                pass  # to be applied is all it is for
            case _:
                assert_never(entry)

    def answer(self, entry: entries.Lines) -> None:
        """Apply `entry` out of order: it changes nothing, and its author alone hears of it."""
        self._receive(entry)

    def _receive(self, entry: entries.Lines) -> None:
        if member := self.roster.get(entry.member_id):
            Client(self, member, entry.time).receive(entry.lines)

    @property
    def is_crowded(self) -> bool:
        """Whether so many are here that only those are told of by name who have said something."""
        return self.is_crowd_with(0)

    def is_crowd_with(self, more: int) -> bool:
        """The same if `more` were here who are not, or not any more."""
        return 0 < self.settings.notices_up_to < len(self.roster) + more

    def hit_by(self, networks: Sequence[Network]) -> Sequence[Member]:
        """The members that a ban of `networks` would drop, in order of joining."""
        is_banned = within(networks)
        return [member for member in self.roster.members if is_banned(member.packed_address)]

    def leave(self, ids: Sequence[int], reason: LeaveReason, remark: str = "", *, at: float) -> None:
        """Remove members at one moment: each gets its last line, and those who stay a notice for each.

        In a crowd those who stay get one only for each who has said something.
        """
        is_crowded = self.is_crowded
        gone = [member for member_id in ids if (member := self.roster.remove(member_id))]
        left = [Left(at, member.id, member.name, reason, remark) for member in gone]
        if not gone:
            return  # a closing connection whose member had left before
        if len(gone) == 1:
            self.fanout.to(gone[0].id, notices.you_have_left())
            self.fanout.close(gone[0].id)
        else:
            self.fanout.dismiss([member.id for member in gone], notices.you_have_left())
        if self.roster:
            for event, member in zip(left, gone, strict=True):
                if member.has_spoken or not is_crowded:
                    self.fanout.to_all(event)
                else:
                    self.tally.add(0, 1, at)
        self.sink.emit_all(left)

    def _join(self, entry: entries.Join) -> None:
        member = Member(entry.member_id, entry.address)
        self.roster.add(member)
        self.fanout.add(member.id)
        event = Joined(entry.time, member.id, member.address)
        if self.is_crowded:
            self.fanout.to(member.id, event)
            self.tally.add(1, 0, entry.time)
        else:
            self.fanout.to_all(event)
        for text in filter(None, (self._greeting, self.replay())):
            self.fanout.to(member.id, text)
        self.sink.emit(event)

    def _message(self, entry: entries.Message) -> None:
        members = self.roster.find(entry.target)
        recipient = _named(entry.target, members)
        ids = tuple([member.id for member in members])
        event = OperatorMessaged(
            entry.time, entry.session_id, entry.name, recipient, entry.text, ids, entry.node
        )
        for member_id in ids:
            self.fanout.to(member_id, event)
        self.sink.emit(event)
        self._report(entry, members, notices.message_sent(len(ids), recipient), notices.was_sent)

    def _mute(self, entry: entries.Mute) -> None:
        members = self.roster.find(entry.target)
        for member in members:
            member.muted_at = entry.time
            member.muted_until = None if entry.seconds is None else entry.time + entry.seconds
            self.fanout.to(member.id, notices.muted())
            about = (member.id, member.name, True, entry.seconds, entry.remark)
            self.sink.emit(Muted(entry.time, *about, node=entry.node))
        brief = partial(notices.is_muted, seconds=entry.seconds, remark=entry.remark)
        self._report(entry, members, notices.muted_count(len(members)), brief)

    def _unmute(self, member: Member, at: float) -> bool:
        """Let `member` speak again; return whether it was muted."""
        if not member.muted:
            return False
        member.muted_at = member.muted_until = None
        self.fanout.to(member.id, notices.no_longer_muted())
        self.sink.emit(Muted(at, member.id, member.name, False))
        return True

    def _report(
        self, entry: _Aimed, members: Sequence[Member], text: str, brief: Callable[[str], str]
    ) -> None:
        """Answer that `entry` was done to `members`, or that its target is nobody's name."""
        if members:
            self._reply(entry, text, Outcome.DONE, brief(_names(members)))
        else:
            self._reply(entry, text, Outcome.REFUSED, self._nobody(entry.target))

    def _nobody(self, target: Target) -> str:
        if isinstance(target, int):
            return notices.already_left()
        return notices.nobody_called(target, self.roster.similar(target))

    def _reply(
        self, entry: _Operate, text: str, outcome: Outcome = Outcome.ANSWERED, brief: str = ""
    ) -> None:
        self.sink.emit(Replied(entry.time, entry.session_id, text, outcome, brief))


_Aimed = entries.Message | entries.Kick | entries.Mute | entries.Unmute
"""What an operator does to members."""

_Operate = _Aimed | entries.Ban | entries.Unban
"""What an operator does and gets an answer to."""


def _names(members: Sequence[Member]) -> str:
    return notices.some([member.name for member in members])


def _named(target: Target, members: Sequence[Member]) -> str:
    """What `target` is called: what was typed, or the name of the member with that id."""
    if isinstance(target, str):
        return target
    return members[0].name if members else ""
