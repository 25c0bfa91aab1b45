"""One client: its socket, what it may send, what waits for it, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import socket
import ssl
from collections.abc import Callable
from typing import TypeVarTuple

from ..room import notices
from ..room.events import LeaveReason
from ..room.room import Member
from .framing import WONT_TIMING_MARK
from .house import House
from .inbox import PATIENCE, Inbox
from .sender import Sender
from .sockets import has_hung_up
from .tls import TlsSession

_DROPPED_AT_ONCE = 1 << 14  # bytes, which may be hundreds of records

_Arguments = TypeVarTuple("_Arguments")


class _State(enum.Enum):
    HANDSHAKE = enum.auto()
    OPEN = enum.auto()  # in the room
    FINISHING = enum.auto()  # out of the room; the last lines are on their way
    CLOSED = enum.auto()


class Connection:
    """Joins a client to the room, gives its lines to the room, and lets it go.

    A client above its rate is not read until it may go on, nor is one that has much to read itself, so that
    nobody is dropped for what it asked for. Nothing it sent is lost, and TCP slows it down. When it has ended
    its input, or is gone, what waits still has its turn, for at most `Settings.held_grace`.

    A connection that the server ends is closed by flushing, sending FIN, and reading on until the client has
    closed its end too, for at most `Settings.close_grace`: closing with unread input would make the kernel
    send RST, and the client might never see its last lines.

    Args:
        house: the server.
        sock: the connection's socket, which does not block. It is the connection's to close.
        host, port: the peer's address, as accept gave it.
        tls: what encrypts the connection, if anything does.
    """

    __slots__ = (
        "_at_end",
        "_end_reason",
        "_grace",
        "_house",
        "_inbox",
        "_is_reading",
        "_loop",
        "_sender",
        "_sock",
        "_state",
        "_tls",
        "_turn",
        "crlf",
        "heard_at",
        "host",
        "joined_at",
        "member",
        "write",
        "write_all",
    )

    def __init__(
        self, house: House, sock: socket.socket, host: str, port: int, tls: TlsSession | None
    ) -> None:
        self._house = house
        self._sock = sock
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._state = _State.HANDSHAKE
        self._grace: asyncio.TimerHandle | None = None  # the end of the handshake, or of the connection
        self.host = host
        """The peer's IP address."""
        self.joined_at = self.heard_at = self._loop.time()
        """When the client joined, and when it last sent a line, by the loop's clock."""
        self._inbox = Inbox(house.settings, self.joined_at)
        self._is_reading = True
        self._at_end = False  # whether the client sends no more
        self._end_reason = LeaveReason.END_OF_INPUT
        self._turn: asyncio.Handle | None = None  # when to go on with the input
        self._sender = Sender(sock, tls, house.settings, self.abort, self._has_moved)
        self.crlf = False
        """Whether the client has sent CR LF or a telnet command, and so gets CR LF."""
        self.write = self._sender.write
        self.write_all = self._sender.write_all
        self._loop.add_reader(sock, self._readable)
        self.member = Member(house.opened(self), f"{host}|{port}")

    def start(self) -> None:
        """Join the room, over TLS after the handshake."""
        if self._tls is None:
            self._guarded(self._join)
        else:
            timeout = self._house.settings.tls_handshake_timeout
            self._grace = self._loop.call_later(timeout, self._refuse, notices.no_handshake())

    @property
    def waiting(self) -> int:
        """How many bytes wait for the client to read."""
        return self._sender.waiting

    @property
    def has_joined(self) -> bool:
        """Whether the client has joined the room, which over TLS takes a handshake."""
        return self._state is not _State.HANDSHAKE

    def finish(self) -> None:
        """Close after everything written has been sent. What the client still sends is discarded."""
        if self._state is not _State.OPEN:
            return
        self._state = _State.FINISHING
        self._end_timers()
        self._grace = self._loop.call_later(self._house.settings.close_grace, self.abort)
        self._read_on()
        self._sender.end()

    def abort(self, reason: LeaveReason = LeaveReason.LOST) -> None:
        """Cut the connection at once; what is not sent yet is lost. A member leaves the room a turn later."""
        if self._state is _State.CLOSED:
            return
        self._state = _State.CLOSED
        self._pause_reading()
        self._sender.close()
        self._end_timers()
        self._sock.close()
        self._loop.call_soon(self._leave, reason)

    # The system's side

    def _readable(self) -> None:
        if self._house.turns.take(self._read_in_turn):
            self._read()
        else:
            self._pause_reading()

    def _read_in_turn(self) -> None:
        if not self._at_end and self._state is not _State.CLOSED:
            self._read_on()
            self._read()

    def _read(self) -> None:
        now = self._loop.time()
        buffer = self._house.read_buffer
        is_open = self._state is not _State.FINISHING
        size = self._inbox.room(now) if is_open else len(buffer)
        if not size:
            return  # it has been read meanwhile
        try:
            count = self._sock.recv_into(buffer, size)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._end_reason = LeaveReason.LOST
            count = 0
        if not count:
            self._at_end = True
            self._pause_reading()
        if is_open:
            self._guarded(self._receive, bytes(buffer[:count]), now)
        else:
            self._has_moved()

    def _has_moved(self) -> None:
        """Go on with what waited for the client: the end of the connection, or what it sent itself."""
        if self._state is _State.FINISHING:
            if self._sender.is_lost or (self._sender.has_ended and self._at_end):
                self.abort()
        elif self._state is _State.OPEN:
            if self._sender.is_lost and not self._at_end:
                self._end_reason = LeaveReason.LOST
            if not self._is_reading and self._turn is None and not self._has_much_to_read:
                self._turn = self._loop.call_soon(self._resume)

    # Coming and going

    def _join(self) -> None:
        self._state = _State.OPEN
        self._house.outbox.add(self.member, self)
        self._house.room.join(self.member)

    def _refuse(self, why: str) -> None:
        self._house.refused(why, self.host)
        self.abort()

    def _leave(self, reason: LeaveReason) -> None:
        def leave() -> None:
            self._guarded(self._house.room.leave, self.member, reason)
            self._house.closed(self)

        if self._house.turns.take(leave):
            leave()

    def _end_timers(self) -> None:
        for timer in (self._grace, self._turn):
            if timer:
                timer.cancel()
        self._grace = self._turn = None

    # Input

    def _receive(self, data: bytes, now: float) -> None:
        """Take what was read: `data`, or the end of the input."""
        if self._tls is None:
            self._inbox.charge(len(data), now)
        else:
            data = self._decrypt(self._tls, data, now)
            if not self.has_joined and self._at_end:
                self._refuse(notices.no_handshake())
            if self._state is _State.CLOSED:
                return
        self._inbox.receive(data)
        if self._at_end:
            self._inbox.end()
        self._go_on()

    def _end_doubt(self) -> None:
        self._inbox.end_doubt()
        self._resume()

    def _decrypt(self, tls: TlsSession, data: bytes, now: float) -> bytes:
        """The text in `data`; what the session has to say by itself is sent. After its handshake it joins."""
        if self.has_joined:
            self._inbox.charge(len(data), now)
        try:
            text = tls.receive(data) if data else b""
        except ssl.SSLError:
            text = b""
            self._at_end = True
            self._end_reason = LeaveReason.LOST
        self.write_all(())
        if tls.is_established and not self.has_joined:
            self._end_timers()
            if self._house.is_banned(self.host):  # since it was accepted
                self._refuse(notices.banned())
                return b""
            self._join()
        if tls.has_ended or self._at_end:
            self._at_end = True
            self._pause_reading()
        return text

    def _resume(self) -> None:
        self._turn = None
        if self._house.turns.take(self._resume_in_turn):
            self._guarded(self._go_on)

    def _resume_in_turn(self) -> None:
        if self._state is _State.OPEN and self._turn is None:  # otherwise it goes on, or is given up, then
            self._guarded(self._go_on)

    def _go_on(self) -> None:
        """Give the room the lines whose turn it is, and see to it that the next ones have theirs."""
        self._end_turn()
        inbox = self._inbox
        now = self._loop.time()
        if inbox.protocol:
            self._house.room.leave(self.member, LeaveReason.FOREIGN)
            return
        if not self._has_much_to_read:
            lines = inbox.ready(now)
            self.crlf = inbox.crlf
            if marks := inbox.take_timing_marks():
                self.write(WONT_TIMING_MARK * marks)
            if lines:
                self.heard_at = now
                self._house.room.receive(self.member, lines)
                if self._state is not _State.OPEN:
                    return
            if inbox.is_done:
                self._house.room.leave(self.member, self._end_reason)
                return
            if not self._at_end and inbox.room(now):
                self._read_on()
                if inbox.is_in_doubt:
                    self._turn = self._loop.call_later(PATIENCE, self._end_doubt)
                return
            self._turn = self._loop.call_later(inbox.wait(now), self._resume)
        # Otherwise it goes on when the client has read enough of what it asked for itself.
        self._pause_reading()
        if self._grace is None and (self._at_end or has_hung_up(self._sock)):
            grace = self._house.settings.held_grace
            self._grace = self._loop.call_later(grace, self._guarded, self._give_up, 0)

    def _give_up(self, dropped: int) -> None:
        """Count, a part at a time, what a client that is gone has sent above its rate, and let go of it."""
        self._end_turn()
        dropped += self._inbox.drop()
        with contextlib.suppress(OSError):
            if not self._at_end and (data := self._sock.recv(_DROPPED_AT_ONCE)):
                self._inbox.receive(self._tls.receive(data) if self._tls else data)
                self._turn = self._loop.call_soon(self._guarded, self._give_up, dropped)
                return
        self._house.room.leave(self.member, self._end_reason, notices.lines_dropped(dropped))

    @property
    def _has_much_to_read(self) -> bool:
        return self._sender.waiting > self._house.settings.max_backlog // 4

    def _end_turn(self) -> None:
        if self._turn:
            self._turn.cancel()
            self._turn = None

    def _pause_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._sock)

    def _read_on(self) -> None:
        if not self._is_reading and not self._at_end:
            self._is_reading = True
            self._loop.add_reader(self._sock, self._readable)

    # Errors

    def _guarded(self, step: Callable[[*_Arguments], None], *arguments: *_Arguments) -> None:
        """Do `step`; an exception in it costs this connection, is reported, and goes no further."""
        try:
            step(*arguments)
        except Exception as error:
            self._house.failed(self.member.name, error)
            self.abort(LeaveReason.FAILED)
