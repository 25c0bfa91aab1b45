"""The chat server: listeners, start and stop, the operator's methods, and the events."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from .addresses import Network, counted, is_loopback, plain_host
from .gate.background import Background
from .gate.bans import Bans
from .gate.bans_file import BansFile
from .gate.gate import Gate
from .gate.refusals import Refusals
from .room import notices
from .room.events import EventStream, Failed, Replied, Started
from .room.operator import Operator
from .room.room import Member, Room
from .room.text import clean
from .settings import Settings
from .subscribers import Subscriber, Subscribers, described
from .wire.connection import Connection
from .wire.framing import Line
from .wire.listener import Listener, listening_sockets
from .wire.outbox import Outbox
from .wire.sockets import keep_alive, turn_away
from .wire.tls import Certificate, TlsSession
from .wire.turns import Turns


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


class _State(enum.Enum):
    NEW = enum.auto()  # also after a start that failed
    RUNNING = enum.auto()
    STOPPED = enum.auto()


class ChatServer:
    """A chat server that people join with `nc` or telnet, and that one operator runs.

    Everything happens on the event loop that `start` runs on; the methods are for that loop's thread.

    A server runs once. Before `start` nobody is here, and `operate`, `say` and `reload_certificate` raise
    RuntimeError; after `stop` nobody is here, and what is said reaches nobody.

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
        self.port = self.settings.port
        """The port that the server listens on, or listened on; before the start that of the settings."""
        self.addresses: tuple[str, ...] = ()
        """The IP addresses that the server listens on, or listened on; none before the start."""
        self._state = _State.NEW
        self._changing = asyncio.Lock()  # one start or stop at a time
        self._closing = contextlib.ExitStack()  # what is to be done when the last connection is gone
        self._subscribers = Subscribers()
        self._emit = self._subscribers.tell
        self._connections: dict[int, Connection] = {}
        self._listeners: list[Listener] = []
        self._certificate: Certificate | None = None
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

        A start that fails or is cancelled leaves nothing behind, and may be tried again.

        Raises:
            ListenError: if that fails for one of them; then the server listens on none.
            BansFileError: if the bans file cannot be read or written, or another server uses it.
            CertificateError: if the TLS certificate cannot be used.
            RuntimeError: if the server has been started before.
        """
        async with self._changing:
            if self._state is not _State.NEW:
                raise RuntimeError("a ChatServer is started once; make another to listen again")
            with contextlib.ExitStack() as opened:
                await self._listen(opened)
                self._closing = opened.pop_all()
            self._state = _State.RUNNING
            self._emit(Started(time.time(), self.addresses, self.port))

    async def _listen(self, opened: contextlib.ExitStack) -> None:
        """Make all that serves clients; `opened` closes what is not closed by itself."""
        loop = asyncio.get_running_loop()
        settings = self.settings
        if settings.tls_cert and settings.tls_key:
            self._certificate = Certificate(settings.tls_cert, settings.tls_key)
        self._background = Background()
        bans_file = BansFile(settings.bans_file) if settings.bans_file else None
        if bans_file:
            opened.callback(bans_file.close)
        bans = Bans(bans_file, loop.time, time.time, self._bans_not_written, self._background.run)
        self._gate = Gate(settings, bans, loop.time)
        self._refusals = Refusals(self._emit, time.time, loop.call_later)
        opened.callback(self._refusals.close)
        self.outbox = Outbox(loop.call_soon, loop.time, settings.flush_slice)
        events = EventStream(self._emit, loop.call_soon)
        self.room = Room(self.outbox, events.emit, events.emit_all, time.time, loop.call_later, settings)
        reload = self._certificate.reload if self._certificate else None
        self.operator = Operator(self.room, self.outbox, bans, events.emit, time.time, reload, settings)
        self.turns = Turns(loop.call_soon, loop.time, settings.read_slice)
        self.read_buffer = memoryview(bytearray(settings.read_size))
        sockets = await listening_sockets(settings.hosts, settings.port, settings.listen_queue)
        for sock in sockets:
            opened.callback(sock.close)
        self._listeners = []
        for sock in sockets:
            self._listeners.append(Listener(sock, self._accepted, self._not_accepted))
            opened.callback(self._listeners[-1].close)
        self.port = sockets[0].getsockname()[1]
        self.addresses = tuple(sock.getsockname()[0] for sock in sockets)

    async def stop(self) -> None:
        """Say goodbye to everybody and close. Takes at most `Settings.stop_grace`.

        All who call it wait for the end. A call that is cancelled does not wait: it cuts all connections.
        """
        async with self._changing:
            if self._state is not _State.RUNNING:
                return
            try:
                await self._end()
                self._state = _State.STOPPED
            except BaseException:
                self.abort()
                raise
            finally:
                self._closing.close()

    async def _end(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        for connection in list(self._connections.values()):
            if not connection.has_joined:
                connection.abort()
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

    def abort(self) -> None:
        """Cut all connections at once; a `stop` that is waiting for them returns."""
        for connection in list(self._connections.values()):
            connection.abort()

    # The operator's side

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with each event from now on, at once and on the loop's thread.

        It should only note the event: the chat waits meanwhile. What it raises harms nobody: the others are
        told by a `Failed` event, or the loop's exception handler where there are no others.

        Returns:
            What undoes it, at any time; a second time it does nothing.

        Raises:
            TypeError: if it cannot be called, or is a coroutine function, whose calls nobody would await.
        """
        return self._subscribers.add(subscriber)

    @property
    def members(self) -> Sequence[Member]:
        """Who is here, in order of joining."""
        return () if self._state is _State.NEW else self.room.members

    @property
    def is_public(self) -> bool:
        """Whether the server listens on more than the loopback addresses."""
        return not all(map(is_loopback, self.addresses))

    def operate(self, line: Line) -> None:
        """Do what `line`, typed by the operator, asks for: a command, or text for everybody."""
        self._started_operator().operate(line)

    def say(self, text: str) -> None:
        """Say `text` to everybody as the operator, also where it begins with a slash."""
        self._started_operator().say(clean(text))

    def message(self, member_id: int, text: str) -> bool:
        """Say `text` to one member as the operator; False if it is gone."""
        return self._act(member_id, lambda member: self.operator.message([member], member.name, clean(text)))

    def kick(self, member_id: int, remark: str = "") -> bool:
        """Disconnect one member; False if it is gone. `remark` is for the log."""
        return self._act(member_id, lambda member: self.operator.kick([member], remark))

    def mute(self, member_id: int, *, muted: bool) -> bool:
        """Let nothing be heard of one member, or let it be heard again; False if it is gone."""
        return self._act(
            member_id,
            lambda member: self.operator.mute([member]) if muted else self.operator.unmute([member]),
        )

    def ban(self, member_id: int) -> bool:
        """Keep out whoever comes from one member's network, until unbanned; False if it is gone."""
        return self._act(member_id, lambda member: self.operator.ban([counted(member.ip)]))

    def network(self, member_id: int) -> Network | None:
        """What `ban` would keep out: the member's address, of IPv6 its /64; None if it is gone."""
        member = self._member(member_id)
        return counted(member.ip) if member else None

    def hit_by_ban(self, member_id: int) -> Sequence[Member]:
        """Whom `ban` would drop: all who come from that member's network."""
        network = self.network(member_id)
        return self.operator.hit_by([network]) if network else []

    def details(self, member_id: int) -> Details | None:
        """What is known of one member; None if it is gone."""
        member = self._member(member_id)
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
        self._started_operator().reload()

    def reload_certificate(self) -> None:
        """Read the TLS certificate again; the answer is an event. Nobody is dropped."""
        self._started_operator().reload_certificate()

    def _started_operator(self) -> Operator:
        if self._state is _State.NEW:
            raise RuntimeError("the server has not been started")
        return self.operator

    def _member(self, member_id: int) -> Member | None:
        return None if self._state is _State.NEW else self.room.member(member_id)

    def _act(self, member_id: int, action: Callable[[Member], None]) -> bool:
        if member := self._member(member_id):
            action(member)
        return member is not None

    def failed(self, where: str, error: BaseException) -> None:
        """Tell the operator's side of an error that was met and contained."""
        self._emit(Failed(time.time(), where, described(error)))

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

    def is_banned(self, host: str) -> bool:
        """Whether nobody from the IP address `host` may join."""
        return self._gate.is_banned(host)

    def refused(self, why: str, host: str) -> None:
        """Tell the operator's side of a connection that was turned away, once a minute for each reason."""
        self._refusals.add(why, host)

    # The listeners' side

    def _accepted(self, sock: socket.socket, address: tuple[str, int]) -> None:
        """Let a new connection in, or say why not and close it."""
        host, port = plain_host(address[0]), address[1]
        if refusal := self._gate.enter(host):
            self.refused(refusal, host)
            turn_away(sock, None if self._certificate else refusal)
            return
        keep_alive(sock, self.settings.stall_timeout)
        tls = TlsSession(self._certificate.context) if self._certificate else None
        try:
            Connection(self, sock, host, port, tls).start()
        except OSError as error:
            self._gate.leave(host)
            sock.close()
            self.refused(error.strerror or str(error), host)

    def _not_accepted(self, error: OSError) -> None:
        self.failed("new connections", error)

    def _bans_not_written(self, error: OSError) -> None:
        self._emit(Replied(time.time(), notices.bans_not_written(error.strerror or str(error))))
