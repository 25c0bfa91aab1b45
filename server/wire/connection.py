"""One client's connection: its socket, its input and output, and how it ends."""

from __future__ import annotations

import asyncio
import enum
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVarTuple

from ..addresses import Address
from ..room import commands, notices
from ..room.entries import Leave, Lines
from ..room.events import LeaveReason
from ..settings import Settings
from .codec import CRLF, LF, Codec
from .framing import WONT_TIMING_MARK
from .inbox import PATIENCE, Inbox
from .reader import Reader
from .remainder import Remainder
from .sender import Sender
from .sockets import has_hung_up
from .tls import TlsSession

if TYPE_CHECKING:
    from .connections import Connections

_Arguments = TypeVarTuple("_Arguments")


class _State(enum.Enum):
    HANDSHAKE = enum.auto()
    OPEN = enum.auto()  # in the room
    LEAVING = enum.auto()  # has asked to leave the room, and waits for its turn
    FINISHING = enum.auto()  # has left the room; its last lines are on their way
    CLOSED = enum.auto()


class Connection:
    """Joins a client to the room, passes on its lines, and lets it leave.

    A client above its rate is not read until it is below it again. Nor is one with much left to read itself,
    so that nobody is dropped for what it asked for, nor anybody while the order of entries is full. Nothing
    it sent is lost; TCP slows it down. After it ends
    its input or disconnects, waiting input is still processed, for at most `Settings.held_grace`.

    The server closes a connection by flushing, sending FIN, and reading on until the client has closed its
    end too, for at most `Settings.close_grace`: closing with unread input would make the kernel send RST, and
    the client might never see its last lines.

    Args:
        all_connections: what it shares with the others.
        sock: the connection's non-blocking socket, which it takes over and closes.
        address: the peer's address.
        tls: the TLS session; None without TLS.
    """

    __slots__ = (
        "_all",
        "_awaits_answer",
        "_end_reason",
        "_grace",
        "_inbox",
        "_loop",
        "_reader",
        "_sender",
        "_sock",
        "_state",
        "_tls",
        "_turn",
        "address",
        "codec",
        "heard_at",
        "id",
        "joined_at",
        "write",
        "write_all",
    )

    def __init__(
        self, all_connections: Connections, sock: socket.socket, address: Address, tls: TlsSession | None
    ) -> None:
        self._all = all_connections
        self._sock = sock
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._state = _State.HANDSHAKE
        self._grace: asyncio.TimerHandle | None = None  # for the handshake, then for the end
        self.address = address
        """The peer's address."""
        self.joined_at = self.heard_at = self._loop.time()
        """When the client joined, and when it last sent a line, on the loop's clock."""
        self._inbox = Inbox(self._settings, self.joined_at)
        self._end_reason = LeaveReason.END_OF_INPUT
        self._turn: asyncio.Handle | None = None  # goes on with the input
        self._awaits_answer = False  # to a search; until then no more is done for the client
        self._sender = Sender(sock, tls, self._settings, self.abort, self._has_moved)
        self.codec: Codec = LF
        """Encodes what the client gets."""
        self.write = self._sender.write
        self.write_all = self._sender.write_all
        self._reader = Reader(sock, all_connections.turns, all_connections.read_buffer, self)
        self.id = all_connections.opened(self)
        """The id of its member in the room."""

    def start(self) -> None:
        """Join the room; with TLS, once the handshake is done."""
        if self._tls is None:
            self._guarded(self._join)
        else:
            timeout = self._settings.tls_handshake_timeout
            self._grace = self._loop.call_later(timeout, self._refuse, notices.no_handshake())

    @property
    def _settings(self) -> Settings:
        return self._all.settings

    @property
    def waiting(self) -> int:
        """How many bytes are waiting for the client to read."""
        return self._sender.waiting

    @property
    def has_joined(self) -> bool:
        """Whether the client has joined the room; with TLS, not before the handshake is done."""
        return self._state is not _State.HANDSHAKE

    def finish(self) -> None:
        """Close once everything written has been sent. Anything the client still sends is discarded."""
        if self._state not in (_State.OPEN, _State.LEAVING):
            return
        self._state = _State.FINISHING
        self._end_timers()
        self._grace = self._loop.call_later(self._settings.close_grace, self.abort)
        self._reader.resume()
        self._sender.end()

    def answered(self) -> None:
        """Go on with the input, since the answer to the client's search is queued."""
        self._awaits_answer = False
        self._loop.call_soon(self._has_moved)

    def abort(self, reason: LeaveReason = LeaveReason.LOST) -> None:
        """Cut the connection at once; unsent data is lost. A member leaves the room one turn later."""
        if self._state is _State.CLOSED:
            return
        self._state = _State.CLOSED
        self._reader.close()
        self._sender.close()
        self._end_timers()
        self._sock.close()
        self._loop.call_soon(self._leave, reason)

    # Called by the event loop

    def room(self, now: float) -> int:
        """How many bytes may be read at `now`."""
        if self._state in (_State.LEAVING, _State.FINISHING):  # what comes is discarded
            return self._settings.read_size
        return self._inbox.room(now)

    def received(self, data: bytes, now: float) -> None:
        """Take what was read, at `now`; nothing is the end."""
        if self._state in (_State.LEAVING, _State.FINISHING):
            self._has_moved()
        else:
            self._guarded(self._receive, data, now)

    def _has_moved(self) -> None:
        """Go on with what the client was holding up: the end of the connection, or its own input."""
        if self._state is _State.FINISHING:
            if self._sender.is_lost or (self._sender.has_ended and self._reader.has_ended):
                self.abort()
        elif self._state is _State.OPEN:
            if self._sender.is_lost and not self._reader.has_ended:
                self._end_reason = LeaveReason.LOST
            if not self._reader.is_reading and self._turn is None and not self._has_much_to_read:
                self._turn = self._loop.call_soon(self._resume)

    # Coming and going

    def _join(self) -> None:
        self._state = _State.OPEN
        self._all.chat.join(self.id, self.address, self)

    def _refuse(self, why: str) -> None:
        self._all.gate.refused(why, self.address.host)
        self.abort()

    def _leave(self, reason: LeaveReason) -> None:
        def leave() -> None:
            self._guarded(self._leave_room, reason)
            self._all.closed(self)

        if self._all.turns.take(leave):
            leave()

    def _leave_room(self, reason: LeaveReason, remark: str = "") -> None:
        self._all.chat.submit(Leave(self._all.chat.now(), (self.id,), reason, remark))
        if self._state is _State.OPEN:
            self._state = _State.LEAVING
            self._end_timers()

    def _end_timers(self) -> None:
        for timer in (self._grace, self._turn):
            if timer:
                timer.cancel()
        self._grace = self._turn = None

    # Input

    def _receive(self, data: bytes, now: float) -> None:
        """Take what was read: `data`, or the end of the input if empty."""
        if not data and self._reader.is_lost:
            self._end_reason = LeaveReason.LOST
        if self._tls is None:
            self._inbox.charge(len(data), now)
        else:
            data = self._decrypt(self._tls, data, now)
            if not self.has_joined and self._reader.has_ended:
                self._refuse(notices.no_handshake())
            if self._state is _State.CLOSED:
                return
        self._inbox.receive(data)
        if self._reader.has_ended:
            self._inbox.end()
        self._go_on()

    def _end_doubt(self) -> None:
        self._inbox.end_doubt()
        self._resume()

    def _decrypt(self, tls: TlsSession, data: bytes, now: float) -> bytes:
        """Decrypt `data` and send what the TLS session has to send; join once the handshake is done."""
        if self.has_joined:
            self._inbox.charge(len(data), now)
        try:
            text = tls.receive(data) if data else b""
        except ssl.SSLError:
            text = b""
            self._reader.close()
            self._end_reason = LeaveReason.LOST
        self.write_all(())
        if tls.is_established and not self.has_joined:
            self._end_timers()
            if self._all.gate.is_banned(self.address.host):  # banned since it was accepted
                self._refuse(notices.banned())
                return b""
            self._join()
        if tls.has_ended:
            self._reader.close()
        return text

    def _resume(self) -> None:
        self._turn = None
        if self._all.turns.take(self._resume_in_turn):
            self._guarded(self._go_on)

    def _resume_in_turn(self) -> None:
        if self._state is _State.OPEN and self._turn is None:  # a pending turn does it
            self._guarded(self._go_on)

    def _go_on(self) -> None:
        """Give the room the lines that are due, and schedule the next ones."""
        self._end_turn()
        inbox = self._inbox
        now = self._loop.time()
        if inbox.protocol:
            self._leave_room(LeaveReason.FOREIGN)
            return
        order = self._all.chat.order
        if order.is_full:
            order.when_free(self._has_moved)
        elif not self._has_much_to_read and not self._awaits_answer:
            lines = inbox.ready(now)
            if inbox.crlf:
                self.codec = CRLF
            if marks := inbox.take_timing_marks():
                self.write(WONT_TIMING_MARK * marks)
            if lines:
                self.heard_at = now
                # The inbox lets nothing follow it.
                self._awaits_answer = isinstance(lines[-1], str) and commands.is_search(lines[-1])
                self._all.chat.submit(Lines(self._all.chat.now(), self.id, tuple(lines)))
                if self._state is not _State.OPEN:
                    return
            if self._awaits_answer:
                self._hold()
                return
            if inbox.is_done:
                self._leave_room(self._end_reason)
                return
            if not self._reader.has_ended and inbox.room(now):
                self._reader.resume()
                if inbox.is_in_doubt:
                    self._turn = self._loop.call_later(PATIENCE, self._end_doubt)
                return
            self._turn = self._loop.call_later(inbox.wait(now), self._resume)
        self._hold()

    def _hold(self) -> None:
        """Read no more until a turn of it comes.

        If it has much to read, `_has_moved` goes on once the client has read enough of it. If the order is
        full, it goes on once there is room; if an answer is awaited, once that is queued.
        """
        self._reader.pause()
        if self._grace is None and (self._reader.has_ended or has_hung_up(self._sock)):
            grace = self._settings.held_grace
            self._grace = self._loop.call_later(grace, self._guarded, self._give_up)

    def _give_up(self, rest: Remainder | None = None) -> None:
        """Drop, in parts, and count what a client that is gone sent above its rate; then leave the room."""
        self._end_turn()
        if rest is None:
            rest = Remainder(None if self._reader.has_ended else self._sock, self._tls, self._inbox)
        if rest.drop():
            self._turn = self._loop.call_soon(self._guarded, self._give_up, rest)
        else:
            self._leave_room(self._end_reason, notices.lines_dropped(rest.lines))

    @property
    def _has_much_to_read(self) -> bool:
        return self._sender.waiting > self._settings.max_backlog // 4

    def _end_turn(self) -> None:
        if self._turn:
            self._turn.cancel()
            self._turn = None

    # Errors

    def _guarded(self, step: Callable[[*_Arguments], None], *arguments: *_Arguments) -> None:
        """Run `step`; an exception in it is reported and ends this connection, nothing else."""
        try:
            step(*arguments)
        except Exception as error:
            member = self._all.chat.room.roster.get(self.id)
            self._all.chat.failed(member.name if member else str(self.address), error)
            self.abort(LeaveReason.FAILED)
