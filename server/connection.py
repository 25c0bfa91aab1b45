"""One client: its socket, its framer, its flood control, its backlog and its end."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import re
import select
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVarTuple, cast

from . import commands
from .commands import Role
from .events import LeaveReason
from .framing import WONT_TIMING_MARK, Line, LineFramer
from .outbox import Outbox
from .rate import TokenBucket
from .room import Member, Room
from .settings import Settings

# RFC 9112, 3 and RFC 8446, 5.1: what a browser or a scanner sends first. A web page chooses how long the
# request line is, so one that would be dropped as too long is known by its beginning.
_HTTP_REQUEST = re.compile(r"[A-Z]+ \S+ HTTP/\d")
_TLS_OR_LONG_HTTP = re.compile(rb"\x16\x03|[A-Z]+ \S{1000}")


_Arguments = TypeVarTuple("_Arguments")


class House(Protocol):
    """What a connection needs of the server that it belongs to."""

    settings: Settings
    room: Room
    outbox: Outbox
    read_buffer: memoryview

    def opened(self, connection: Connection) -> int:
        """Count in `connection`; the answer is the id of its member."""
        ...

    def closed(self, connection: Connection) -> None:
        """Count out `connection`."""
        ...

    def failed(self, where: str, error: BaseException) -> None:
        """Report `error`, met while serving the member named `where`."""
        ...


class _State(enum.Enum):
    OPEN = enum.auto()
    FINISHING = enum.auto()  # out of the room; the last lines are on their way
    CLOSED = enum.auto()


class Connection(asyncio.BufferedProtocol):
    """Joins a client to the room, gives its lines to the room, and lets it go.

    A client above its rate waits: its lines are held, up to `Settings.max_held`, and then its socket is not
    read until they are done. Nothing it sent is lost, and TCP slows it down.

    A client that does not read, so that more than `Settings.max_backlog` waits for it or nothing moves for
    `Settings.stall_timeout`, is dropped.

    A connection that the server ends is closed by flushing, sending FIN, and reading on until the client has
    closed its end too, for at most `Settings.close_grace`: closing with unread input would make the kernel
    send RST, and the client might never see its last lines.

    Args:
        house: the server.
        host, port: the peer's address, as accept gave it.
        sock: the connection's socket, for sending past the transport; None over TLS.
    """

    __slots__ = (
        "_at_end",
        "_bucket",
        "_framer",
        "_grace",
        "_held",
        "_held_size",
        "_house",
        "_loop",
        "_moved_at",
        "_paused",
        "_sent",
        "_sock",
        "_stall",
        "_state",
        "_transport",
        "_turn",
        "_unheard",
        "_written",
        "crlf",
        "heard_at",
        "host",
        "is_made",
        "joined_at",
        "member",
    )

    def __init__(self, house: House, host: str, port: int, sock: socket.socket | None) -> None:
        self._house = house
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._framer = LineFramer(house.settings.max_line, house.settings.max_subnegotiation)
        self._state = _State.OPEN
        self._at_end = False  # whether the client has closed its end
        self._unheard = True  # whether no line has come yet
        self._grace: asyncio.TimerHandle | None = None
        self.is_made = False
        """Whether it came into being, which over TLS takes a handshake."""
        self.host = host
        """The peer's IP address."""
        self.crlf = False
        """Whether the client has sent CR LF or a telnet command, and so gets CR LF."""
        self.joined_at = self.heard_at = self._loop.time()
        """When the client joined, and when it last sent a line, by the loop's clock."""
        self.member = Member(house.opened(self), f"{host}|{port}")
        # Flood control
        rate, burst = house.settings.rate, house.settings.burst
        self._bucket = TokenBucket(rate, burst, self.joined_at) if rate else None
        self._held: deque[Line] | None = None  # lines whose time has not come
        self._held_size = 0
        self._turn: asyncio.TimerHandle | None = None  # when it comes
        self._paused = False
        # Backlog
        self._stall: asyncio.TimerHandle | None = None  # runs while the kernel takes no more
        self._written = self._sent = 0  # bytes, since then
        self._moved_at = 0.0

    @property
    def waiting(self) -> int:
        """How many bytes wait for the client to read."""
        return self._transport.get_write_buffer_size()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the room."""
        self._transport = cast(asyncio.Transport, transport)
        self.is_made = True
        # asyncio calls pause_writing as soon as a byte has to wait: until then the backlog costs nothing, and
        # `write` may go round the transport. Over TLS 0 would have it called for nothing waiting too.
        self._transport.set_write_buffer_limits(high=0 if self._sock else 1)
        self._house.outbox.add(self.member, self)
        self._guarded(self._join)

    def get_buffer(self, sizehint: int) -> memoryview:
        """One buffer serves all connections: what is read is taken out before the next read."""
        return self._house.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Give the lines that have come to the room."""
        if self._state is _State.OPEN:
            self._guarded(self._receive, bytes(self._house.read_buffer[:nbytes]))

    def eof_received(self) -> bool:
        """Run an unfinished last line and leave; the answer keeps the transport open for the last lines."""
        self._at_end = True
        if self._state is _State.OPEN:
            self._guarded(self._receive_end)
        else:
            self._transport.close()
        return self._transport.can_write_eof()  # over TLS both directions end at once

    def pause_writing(self) -> None:
        """The kernel takes no more for now: watch the backlog, and whether it moves at all."""
        self._moved_at = self._loop.time()
        self._written, self._sent = self.waiting, 0
        self._watch()

    def resume_writing(self) -> None:
        """Everything has been sent; asyncio has called `pause_writing` before."""
        assert self._stall is not None
        self._stall.cancel()
        self._stall = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the room, if that has not happened, and be forgotten."""
        if self._state is _State.OPEN:
            self._state = _State.CLOSED
            self._guarded(self._house.room.leave, self.member, LeaveReason.LOST)
        self._state = _State.CLOSED
        for timer in (self._grace, self._turn, self._stall):
            if timer:
                timer.cancel()
        self._house.closed(self)

    # The outbox's side

    def write(self, data: bytes) -> None:
        """Send `data`, or let it wait."""
        if self._stall:
            self._written += len(data)
        elif self._sock:
            # Nothing waits in the transport, and going round it saves nearly a tenth of a delivery.
            try:
                sent = self._sock.send(data)
            except OSError:
                sent = 0  # the transport meets it too, and does what is to be done
            if sent == len(data):
                return
            data = data[sent:]
        self._transport.write(data)
        if self._stall and self._state is _State.OPEN and self.waiting > self._house.settings.max_backlog:
            self._abort(LeaveReason.SLOW)

    def finish(self) -> None:
        """Close after everything written has been sent. What the client still sends is discarded."""
        if self._state is not _State.OPEN:
            return
        self._state = _State.FINISHING
        self._held = None
        self._read_on()
        if self._at_end or not self._transport.can_write_eof():
            self._transport.close()
        else:
            with contextlib.suppress(OSError):  # a client that has closed entirely answers with RST
                self._transport.write_eof()
        self._grace = self._loop.call_later(self._house.settings.close_grace, self._transport.abort)

    def abort(self) -> None:
        """Cut the connection at once; what is not sent yet is lost. Nothing before it came into being."""
        if self.is_made:
            self._transport.abort()

    # Inside

    def _join(self) -> None:
        self._house.room.join(self.member)

    def _receive(self, data: bytes) -> None:
        if self._unheard and _TLS_OR_LONG_HTTP.match(data):
            self._house.room.leave(self.member, LeaveReason.FOREIGN)
            return
        lines = self._framer.receive(data)
        self.crlf = self._framer.crlf
        if marks := self._framer.timing_marks:
            self._framer.timing_marks = 0
            self.write(WONT_TIMING_MARK * marks)
        if lines:
            if self._unheard and isinstance(lines[0], str) and _HTTP_REQUEST.match(lines[0]):
                self._house.room.leave(self.member, LeaveReason.FOREIGN)
                return
            self._unheard = False
            self.heard_at = self._loop.time()
            self._take(lines)

    def _receive_end(self) -> None:
        lines = self._framer.end()
        if self._held and self._transport.can_write_eof():
            self._held.extend(lines)  # they have their turn before the client leaves
        else:
            self._house.room.receive(self.member, [*(self._held or ()), *lines])
            self._house.room.leave(self.member, LeaveReason.END_OF_INPUT)

    # Flood control

    def _take(self, lines: Sequence[Line]) -> None:
        """Give `lines` to the room as far as the client's rate allows, and hold the others."""
        if self._bucket is None:
            self._house.room.receive(self.member, lines)
            return
        self._held_size += sum(map(_size, lines))
        if self._held is None:
            self._held = deque(lines)
            self._run_held(self._bucket)
        else:
            self._held.extend(lines)
        if self._held and self._held_size > self._house.settings.max_held and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _run_held(self, bucket: TokenBucket) -> None:
        now = self._loop.time()
        held = self._held or deque()
        ready: list[Line] = []
        while held and bucket.take(_cost(held[0]), now):
            ready.append(held.popleft())
        self._held_size -= sum(map(_size, ready))
        self._house.room.receive(self.member, ready)
        if self._state is not _State.OPEN:
            return
        if held:
            self._turn = self._loop.call_later(
                bucket.wait(_cost(held[0]), now), self._guarded, self._next_turn, bucket
            )
        else:
            self._held = None
        if self._held_size <= self._house.settings.max_held // 2:
            self._read_on()
        if self._at_end and not held:
            self._house.room.leave(self.member, LeaveReason.END_OF_INPUT)

    def _next_turn(self, bucket: TokenBucket) -> None:
        if (self._paused or self._at_end) and _is_dead(self._transport):
            self._transport.abort()  # asyncio does not notice, since it does not read
        else:
            self._run_held(bucket)

    def _read_on(self) -> None:
        if self._paused and not self._at_end:
            self._paused = False
            self._transport.resume_reading()

    # Backlog

    def _watch(self) -> None:
        self._stall = self._loop.call_later(self._house.settings.stall_timeout / 4, self._check_progress)

    def _check_progress(self) -> None:
        now = self._loop.time()
        sent = self._written - self.waiting
        if sent > self._sent:
            self._sent, self._moved_at = sent, now
        if now - self._moved_at < self._house.settings.stall_timeout:
            self._watch()
        elif self._state is _State.OPEN:
            self._abort(LeaveReason.STALLED)

    # Errors

    def _guarded(self, step: Callable[[*_Arguments], None], *arguments: *_Arguments) -> None:
        """Do `step`; an exception in it costs this connection, is reported, and goes no further."""
        try:
            step(*arguments)
        except Exception as error:
            self._house.failed(self.member.name, error)
            self._abort(LeaveReason.FAILED)

    def _abort(self, reason: LeaveReason) -> None:
        self._state = _State.CLOSED
        self._sock = None
        self._transport.abort()  # which sends nothing more
        self._house.room.leave(self.member, reason)


def _size(line: Line) -> int:
    return len(line) + 1 if isinstance(line, str) else 1


def _cost(line: Line) -> int:
    """What `line` takes from its author's bucket."""
    return commands.cost(line, Role.CLIENT) if isinstance(line, str) else 1


def _is_dead(transport: asyncio.Transport) -> bool:
    """Whether the connection is broken, as far as the system knows; one that is not read tells nobody."""
    poll = select.poll()
    poll.register(transport.get_extra_info("socket"), 0)
    return bool(poll.poll(0))
