"""The chat without its sockets: the room, the order of its entries, the outbox and the event subscribers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from .addresses import Address
from .event_stream import EventStream
from .gate.bans import Aside, Bans
from .gate.bans_file import BansFileError
from .minutes import MinuteTimer
from .mutes import MuteTimers
from .order import LocalOrder, Order
from .replay import Replay
from .room import notices
from .room.entries import Join, Leave, ShutDown
from .room.events import Event, Failed, LeaveReason, Outcome, PublicEvent, Replied, Started
from .room.operator import OperatorSession
from .room.room import Room
from .room.search import Search
from .settings import Settings
from .subscribers import EVERY_SESSION, Subscribers, described
from .timing import Loop
from .wire.outbox import Outbox, Receiver
from .wire.searches import Searches
from .wire.tls import CertificateError


class Present(NamedTuple):
    """A member as of one moment."""

    id: int
    address: Address
    name: str
    muted: bool
    muted_until: float | None = None
    """When the mute ends, in wall-clock time; None = when it is unmuted."""


class Snapshot(NamedTuple):
    """The chat at one moment: what a console that opens now needs to catch up."""

    time: float
    """Wall-clock time, in seconds since the epoch."""
    started: Started | None
    """The event of the server's start, if it has started."""
    members: tuple[Present, ...]
    """Who is here, in order of joining."""


class Certificate(Protocol):
    """A TLS certificate that can be reloaded."""

    def reload(self) -> None:
        """Reload it from its files.

        Raises:
            CertificateError: if the new one cannot be used; the old one stays in use.
        """
        ...


class Chat:
    """A room with everything it needs except sockets, ready to use once constructed.

    Everything happens on one event loop; call the methods from its thread only.

    Args:
        settings: the limits and switches.
        loop: provides callbacks, timers and the monotonic clock.
        aside: runs slow work, such as writing a file, without blocking the loop.
        order: makes the order of the room's entries, given this chat, which has all else; None = a
            `LocalOrder`.
        now: the wall clock, in seconds since the epoch.
        ids_from: the ids of members count from the one after this.
    """

    def __init__(
        self,
        settings: Settings,
        loop: Loop,
        aside: Aside,
        *,
        order: Callable[[Chat], Order] | None = None,
        now: Callable[[], float] = time.time,
        ids_from: int = 0,
    ) -> None:
        self.settings = settings
        self.loop = loop
        self.now = now
        self.bans = Bans(loop.time, now, self._bans_not_written, aside)
        self._searches = Searches(loop)
        self.outbox = Outbox(loop, settings.flush_slice, self._searches)
        self.room = Room(self.outbox, self, self.bans, settings)
        self.ids_from = ids_from
        self.certificate: Certificate | None = None
        """What new connections are encrypted with; None without TLS."""
        self._subscribers = Subscribers()
        self.replay = Replay(settings.replay, settings.max_backlog // 4) if settings.replay else None
        """What was said last, for those who join; None if they are told nothing of it."""
        if self.replay is not None:
            self.room.replay = self.replay.text
        self._stream = EventStream(self._subscribers.tell, loop.call_soon)
        self._sessions = 0
        self._started: Started | None = None
        self.order: Order = order(self) if order else LocalOrder(self.room.apply, self._request_failed)
        """What applies the entries, one after another."""
        self.submit = self.order.submit
        self._mutes = MuteTimers(loop, now, self.submit)
        self._minute = MinuteTimer(self.room.tally, loop, now, self.submit)

    # Events

    def subscribe(self, subscriber: Callable[[PublicEvent], object]) -> Callable[[], None]:
        """Call `subscriber` with each public event; see `Subscribers.add`."""
        return self._subscribers.add(subscriber)

    def subscribe_to_all(self, subscriber: Callable[[Event], object]) -> Callable[[], None]:
        """Call `subscriber` with each event, also those for others alone; see `Subscribers.add`."""
        return self._subscribers.add(subscriber, EVERY_SESSION)

    def operator(
        self,
        subscriber: Callable[[Event], object],
        quit: Callable[[], None],  # noqa: A002
        name: str = notices.OPERATOR,
    ) -> OperatorSession:
        """Open a session for one console.

        Args:
            subscriber: called with each event, including those for this session alone.
            quit: called when the operator asks to stop the server.
            name: what members see in front of the operator's lines.
        """
        self._sessions += 1
        close = self._subscribers.add(subscriber, self._sessions)
        return OperatorSession(self, self._sessions, name, quit, close)

    def snapshot(self) -> Snapshot:
        """The start of the server and the members present at this moment."""
        members = [
            Present(member.id, member.address, member.name, member.muted, member.muted_until)
            for member in self.room.roster.members
        ]
        return Snapshot(self.now(), self._started, tuple(members))

    def emit(self, event: Event) -> None:
        """Deliver `event` to its subscribers."""
        self._mutes.watch(event)
        if self.replay is not None:
            self.replay.watch(event)
        self._minute.watch()
        self._stream.emit(event)

    def emit_all(self, events: Sequence[Event]) -> None:
        """Deliver `events`, all of one moment; a flood is spread over several turns of the event loop."""
        if len(events) == 1:
            self.emit(events[0])
            return
        for event in events:
            self._mutes.watch(event)
        self._minute.watch()
        self._stream.emit_all(events)

    @property
    def has_untold_events(self) -> bool:
        """Whether events of a flood, or answers to searches, are still on their way to the subscribers."""
        return self._stream.waits or self._searches.are_running

    def started(self, event: Started) -> None:
        """Announce that the server is listening, and remember it for later consoles."""
        self._started = event
        self._stream.go_on_after(event)

    def hold_events(self) -> None:
        """Let events wait until the server has started."""
        self._stream.hold()

    def reply(self, session_id: int | None, text: str, outcome: Outcome = Outcome.ANSWERED) -> None:
        """Answer one session, or all if `session_id` is None."""
        self.emit(Replied(self.now(), session_id, text, outcome))

    def failed(self, where: str, error: BaseException) -> None:
        """Report an error that was caught and contained."""
        self.emit(Failed(self.now(), where, described(error)))

    def when_done(self, call: Callable[[], object]) -> None:
        """Call `call` as soon as all that has been submitted so far is applied, which may be at once."""
        self.order.when_done(call)

    def _request_failed(self, error: Exception) -> None:
        self.failed("a subscriber's request", error)

    # Coming and going

    def join(self, member_id: int, address: Address, receiver: Receiver) -> None:
        """Let a client in; everything sent to it goes to `receiver`."""
        self.outbox.expect(member_id, receiver)
        self.submit(Join(self.now(), member_id, address))

    def shut_down(self) -> None:
        """Say goodbye to everybody."""
        self._mutes.close()
        self._minute.close()
        self.submit(ShutDown(self.now()))

    # What an operator asks for outside the room

    def search(self, search: Search, done: Callable[[], object]) -> None:
        """Carry out `search` of the member list, which may take a while, and call `done`."""
        self._searches.run(search.steps(), done)

    def list_bans(self, done: Callable[[str], object]) -> None:
        """Call `done` with the bans in force, one per line."""
        self.bans.render(notices.bans_listed, done)

    def reload(self, session_id: int | None = None) -> None:
        """Reload the TLS certificate and the bans file, and answer that session, or all if None.

        Only members that the file bans are dropped. What cannot be read stays in force as it was.
        """
        if self.certificate is not None:
            self.reload_certificate(session_id)
        if self.bans.file is not None:
            self.bans.reload(lambda result: self._bans_reloaded(session_id, result))
        elif self.certificate is None:
            self.reply(session_id, notices.nothing_to_reload())

    def reload_certificate(self, session_id: int | None = None) -> None:
        """Reload the TLS certificate, and answer that session, or all if None. Nobody is dropped."""
        if self.certificate is None:
            self.reply(session_id, notices.no_certificate())
            return
        try:
            self.certificate.reload()
        except CertificateError as error:
            self.reply(session_id, notices.certificate_refused(str(error)))
        else:
            self.reply(session_id, notices.certificate_reloaded())

    def _bans_reloaded(self, session_id: int | None, result: int | BansFileError) -> None:
        if isinstance(result, BansFileError):
            self.reply(session_id, notices.bans_not_read(str(result)))
            return
        hit = tuple(member.id for member in self.room.roster.members if self.bans.covers(member.ip))
        self.submit(Leave(self.now(), hit, LeaveReason.BANNED))
        self.reply(session_id, notices.bans_reloaded(result, len(hit)))

    def _bans_not_written(self, error: OSError) -> None:
        self.reply(None, notices.bans_not_written(error.strerror or str(error)))
