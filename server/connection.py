"""One client: its socket, its framer, its backlog and its end."""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import Callable
from typing import Protocol, cast

from .events import LeaveReason
from .framing import WONT_TIMING_MARK, LineFramer
from .outbox import Outbox
from .room import Member, Room
from .settings import Settings


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

    A connection that the server ends is closed by flushing, sending FIN, and reading on until the client has
    closed its end too, for at most `Settings.close_grace`: closing with unread input would make the kernel
    send RST, and the client might never see its last lines.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._framer = LineFramer(house.settings.max_line, house.settings.max_subnegotiation)
        self._state = _State.OPEN
        self._at_end = False  # whether the client has closed its end
        self._grace: asyncio.TimerHandle | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the peer's address, once, and join the room."""
        self._transport = cast(asyncio.Transport, transport)
        # asyncio calls pause_writing when more than this waits: the backlog is watched at no cost per write.
        self._transport.set_write_buffer_limits(high=self._house.settings.max_backlog)
        self._member = Member(self._house.opened(self), _address(self._transport))
        self._house.outbox.add(self._member, self)
        self._guarded(lambda: self._house.room.join(self._member))

    def get_buffer(self, sizehint: int) -> memoryview:
        """One buffer serves all connections: what is read is taken out before the next read."""
        return self._house.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Give the lines that have come to the room."""
        if self._state is _State.OPEN:
            data = bytes(self._house.read_buffer[:nbytes])
            self._guarded(lambda: self._receive(data))

    def eof_received(self) -> bool:
        """Run an unfinished last line and leave; the answer keeps the transport open for the last lines."""
        self._at_end = True
        if self._state is _State.OPEN:
            self._guarded(self._receive_end)
        else:
            self._transport.close()
        return True

    def pause_writing(self) -> None:
        """Drop a client that has more than `Settings.max_backlog` waiting for it."""
        self._abort(LeaveReason.SLOW)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the room, if that has not happened, and be forgotten."""
        if self._state is _State.OPEN:
            self._state = _State.CLOSED
            self._guarded(lambda: self._house.room.leave(self._member, LeaveReason.LOST))
        self._state = _State.CLOSED
        if self._grace:
            self._grace.cancel()
        self._house.closed(self)

    # The outbox's side

    @property
    def crlf(self) -> bool:
        """Whether the client has sent CR LF or a telnet command, and so gets CR LF."""
        return self._framer.crlf

    def write(self, data: bytes) -> None:
        """Send `data`, or let it wait. Nothing once the connection is closed."""
        if self._state is not _State.CLOSED:
            self._transport.write(data)

    def finish(self) -> None:
        """Close after everything written has been sent. What the client still sends is discarded."""
        if self._state is not _State.OPEN:
            return
        self._state = _State.FINISHING
        if self._at_end or not self._transport.can_write_eof():
            self._transport.close()
        else:
            with contextlib.suppress(OSError):  # a client that has closed entirely answers with RST
                self._transport.write_eof()
        self._grace = asyncio.get_running_loop().call_later(
            self._house.settings.close_grace, self._transport.abort
        )

    def abort(self) -> None:
        """Cut the connection at once; what is not sent yet is lost."""
        self._transport.abort()

    # Inside

    def _receive(self, data: bytes) -> None:
        lines = self._framer.receive(data)
        if marks := self._framer.timing_marks:
            self._framer.timing_marks = 0
            self.write(WONT_TIMING_MARK * marks)
        if lines:
            self._house.room.receive(self._member, lines)

    def _receive_end(self) -> None:
        self._house.room.receive(self._member, self._framer.end())
        self._house.room.leave(self._member, LeaveReason.END_OF_INPUT)

    def _guarded(self, step: Callable[[], None]) -> None:
        """Do `step`; an exception in it costs this connection, is reported, and goes no further."""
        try:
            step()
        except Exception as error:
            self._house.failed(self._member.name, error)
            self._abort(LeaveReason.FAILED)

    def _abort(self, reason: LeaveReason) -> None:
        self._state = _State.CLOSED
        self._transport.abort()
        self._house.room.leave(self._member, reason)


def _address(transport: asyncio.Transport) -> str:
    """The peer as `{ip}|{port}`; IPv4 that came in over IPv6 (RFC 4291, 2.5.5.2) is shown as IPv4."""
    host, port, *_ = transport.get_extra_info("peername")
    mapped = host.removeprefix("::ffff:")
    return f"{mapped if '.' in mapped else host}|{port}"
