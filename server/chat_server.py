"""The chat server: listeners, start and stop, the operator's methods, and the events."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from . import notices
from .addresses import Network, counted, is_loopback, plain_host
from .background import Background
from .bans import Bans
from .bans_file import BansFile
from .connection import Connection
from .events import Event, EventStream, Failed, Refused, Replied, Started
from .framing import TooLong
from .gate import Gate
from .listener import Listener, keep_alive, listening_sockets
from .operator import Operator
from .outbox import Outbox
from .room import Member, Room
from .settings import Settings
from .text import clean
from .tls import Certificate

_REFUSALS_TOLD_EVERY = 60.0  # seconds
_LAST_JOINS = 0.1  # seconds

Subscriber = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of one member. Times are in seconds, `waiting` is in bytes."""

    address: str
    here: float
    """How long it has been here."""
    idle: float
    """How long ago it sent its last line."""
    lines: int
    """How many lines it has said."""
    waiting: int
    """How much waits for it to read."""


class ChatServer:
    """A chat server that people join with `nc` or telnet, and that one operator runs.

    Everything happens on the event loop that `start` runs on; the methods are for that loop's thread.

    >>> async def greet() -> bytes:
    ...     async with ChatServer(Settings(port=0)) as server:
    ...         reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    ...         await reader.readline()  # the welcome
    ...         server.say("hello")
    ...         line = await reader.readline()
    ...         writer.close()
    ...     return line
    >>> asyncio.run(greet())
    b'Operator: hello\\n'
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._subscribers: list[Subscriber] = []
        self._connections: dict[int, Connection] = {}
        self._listeners: list[Listener] = []
        self._joining: set[asyncio.Task[None]] = set()
        self._certificate: Certificate | None = None
        self._refusals: dict[str, tuple[int, str]] = {}
        self._ids = 0
        self._no_connections = asyncio.Event()
        self._no_connections.set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # Start and stop

    async def start(self) -> None:
        """Listen on all of `Settings.hosts`.

        Raises:
            ListenError: if that fails for one of them; then the server listens on none.
            BansFileError: if the bans file cannot be read or written, or another server uses it.
            CertificateError: if the TLS certificate cannot be used.
        """
        loop = asyncio.get_running_loop()
        settings = self.settings
        if settings.tls_cert and settings.tls_key:
            self._certificate = Certificate(settings.tls_cert, settings.tls_key)
        self._background = Background()
        bans_file = BansFile(settings.bans_file) if settings.bans_file else None
        self._bans_file = bans_file
        try:
            bans = Bans(bans_file, loop.time, time.time, self._bans_not_written, self._background.run)
            self._gate = Gate(settings, bans, loop.time)
            self.outbox = Outbox(loop.call_soon, loop.time, settings.flush_slice)
            events = EventStream(self._emit, loop.call_soon)
            self.room = Room(self.outbox, events.emit, events.emit_all, time.time, loop.call_later, settings)
            reload = self._certificate.reload if self._certificate else None
            self.operator = Operator(self.room, self.outbox, bans, events.emit, time.time, reload, settings)
            self.read_buffer = memoryview(bytearray(settings.read_size))
            sockets = await listening_sockets(settings.hosts, settings.port, settings.listen_queue)
        except BaseException:
            if bans_file:
                bans_file.close()
            raise
        self.port: int = sockets[0].getsockname()[1]
        """The port that the server listens on."""
        self.addresses = tuple(sock.getsockname()[0] for sock in sockets)
        """The IP addresses that the server listens on."""
        self._listeners = [Listener(sock, self._accepted, self._not_accepted) for sock in sockets]
        self._emit(Started(time.time(), self.addresses, self.port))

    async def stop(self) -> None:
        """Say goodbye to everybody and close. Takes at most `Settings.stop_grace`."""
        listeners, self._listeners = self._listeners, []
        if not listeners:
            return
        for listener in listeners:
            listener.close()
        if self._joining:
            # Who was accepted just now is to get the goodbye too; who still shakes hands is not.
            _, pending = await asyncio.wait(self._joining, timeout=_LAST_JOINS)
            for task in pending:
                task.cancel()
        self.room.shut_down()
        try:
            async with asyncio.timeout(self.settings.stop_grace):
                await self._no_connections.wait()
        except TimeoutError:
            self.abort()
            await self._no_connections.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.stop_grace):
                await self._background.finished()  # what was banned last is to be in the file
        if self._bans_file:
            self._bans_file.close()

    def abort(self) -> None:
        """Cut all connections at once; a `stop` that is waiting for them returns."""
        for connection in self._connections.values():
            connection.abort()

    # The operator's side

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with each event from now on, at once and on the loop's thread.

        It should only note the event: the chat waits meanwhile.
        """
        self._subscribers.append(subscriber)

    @property
    def members(self) -> Sequence[Member]:
        """Who is here, in order of joining."""
        return self.room.members

    @property
    def is_public(self) -> bool:
        """Whether the server listens on more than the loopback addresses."""
        return not all(map(is_loopback, self.addresses))

    def operate(self, line: str | TooLong) -> None:
        """Do what `line`, typed by the operator, asks for: a command, or text for everybody."""
        self.operator.operate(line)

    def say(self, text: str) -> None:
        """Say `text` to everybody as the operator, also where it begins with a slash."""
        self.operator.say(clean(text))

    def message(self, member_id: int, text: str) -> bool:
        """Say `text` to one member as the operator; False if it is gone."""
        return self._act(member_id, lambda member: self.operator.message([member], member.name, clean(text)))

    def kick(self, member_id: int, remark: str = "") -> bool:
        """Disconnect one member; False if it is gone. `remark` is for the log."""
        return self._act(member_id, lambda member: self.operator.kick([member], remark))

    def mute(self, member_id: int, *, muted: bool) -> bool:
        """Let nothing be heard of one member, or let it be heard again; False if it is gone."""
        change = self.operator.mute if muted else self.operator.unmute
        return self._act(member_id, lambda member: change([member]))

    def ban(self, member_id: int) -> bool:
        """Keep out whoever comes from one member's network, until unbanned; False if it is gone."""
        return self._act(member_id, lambda member: self.operator.ban([counted(member.ip)]))

    def network(self, member_id: int) -> Network | None:
        """What `ban` would keep out: the member's address, of IPv6 its /64; None if it is gone."""
        member = self.room.member(member_id)
        return counted(member.ip) if member else None

    def hit_by_ban(self, member_id: int) -> Sequence[Member]:
        """Whom `ban` would drop: all who come from that member's network."""
        network = self.network(member_id)
        return self.operator.hit_by([network]) if network else []

    def details(self, member_id: int) -> Details | None:
        """What is known of one member; None if it is gone."""
        member = self.room.member(member_id)
        connection = self._connections.get(member_id)
        if member is None or connection is None:
            return None
        now = asyncio.get_running_loop().time()
        return Details(
            member.address,
            now - connection.joined_at,
            now - connection.heard_at,
            member.lines,
            connection.waiting,
        )

    def reload(self) -> None:
        """Read the TLS certificate and the bans file again; the answers are events.

        Nobody is dropped but whom the file bans. What cannot be read stays as it is in force.
        """
        self.operator.reload()

    def reload_certificate(self) -> None:
        """Read the TLS certificate again; the answer is an event. Nobody is dropped."""
        self.operator.reload_certificate()

    def _act(self, member_id: int, action: Callable[[Member], None]) -> bool:
        if member := self.room.member(member_id):
            action(member)
        return member is not None

    def failed(self, where: str, error: BaseException) -> None:
        """Tell the operator's side of an error that was met and contained."""
        self._emit(Failed(time.time(), where, f"{type(error).__name__}: {error}"))

    # The connections' side

    def opened(self, connection: Connection) -> int:
        """Count in `connection`; the answer is the id of its member."""
        self._ids += 1
        self._connections[self._ids] = connection
        self._no_connections.clear()
        return self._ids

    def closed(self, connection: Connection) -> None:
        """Count out `connection`."""
        del self._connections[connection.member.id]
        self._gate.leave(connection.host)
        if not self._connections:
            self._no_connections.set()

    def refused(self, why: str, host: str) -> None:
        """Tell the operator's side of a connection that was turned away, once a minute for each reason."""
        if why in self._refusals:
            self._refusals[why] = self._refusals[why][0] + 1, host
        else:
            self._tell_refusals(why, 1, host)

    def _tell_refusals(self, why: str, count: int, host: str) -> None:
        self._refusals[why] = 0, host
        asyncio.get_running_loop().call_later(_REFUSALS_TOLD_EVERY, self._tell_more_refusals, why)
        self._emit(Refused(time.time(), count, why, host))

    def _tell_more_refusals(self, why: str) -> None:
        count, host = self._refusals.pop(why)
        if count:
            self._tell_refusals(why, count, host)

    # The listeners' side

    def _accepted(self, sock: socket.socket, address: tuple[str, int]) -> None:
        """Let a new connection in, or say why not and close it."""
        host, port = plain_host(address[0]), address[1]
        if refusal := self._gate.enter(host):
            self.refused(refusal, host)
            _turn_away(sock, None if self._certificate else refusal)
            return
        keep_alive(sock)
        task = asyncio.get_running_loop().create_task(self._join(sock, host, port))
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)

    async def _join(self, sock: socket.socket, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        connections: list[Connection] = []

        def connect() -> Connection:
            connections.append(Connection(self, host, port, None if self._certificate else sock))
            return connections[0]

        try:
            if self._certificate is None:
                await loop.connect_accepted_socket(connect, sock)
            else:
                await loop.connect_accepted_socket(
                    connect,
                    sock,
                    ssl=self._certificate.context,
                    ssl_handshake_timeout=self.settings.tls_handshake_timeout,
                )
        except OSError:
            self.refused("no TLS handshake", host)
        finally:
            if not connections:
                sock.close()
                self._gate.leave(host)
            elif not connections[0].is_made:
                self.closed(connections[0])

    def _not_accepted(self, error: OSError) -> None:
        self.failed("new connections", error)

    def _bans_not_written(self, error: OSError) -> None:
        self._emit(Replied(time.time(), notices.bans_not_written(error.strerror or str(error))))

    def _emit(self, event: Event) -> None:
        for subscriber in self._subscribers:
            subscriber(event)


def _turn_away(sock: socket.socket, notice: str | None) -> None:
    """Close a connection that nobody has heard of, with a last line if it is to have one."""
    with sock, contextlib.suppress(OSError):
        if notice is not None:
            sock.send(notice.encode() + b"\n")
        sock.shutdown(socket.SHUT_WR)
        # With unread input the kernel would send RST, and the client might not see the notice.
        sock.recv(1 << 16)
