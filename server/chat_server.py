"""The chat server: listeners, start and stop, and the interface for users of the library."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import socket
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .addresses import Address, Endpoint, is_loopback, plain_host
from .chat import Chat
from .details import Details
from .gate.background import Background
from .gate.bans import Aside
from .gate.bans_file import BansFile
from .gate.gate import Gate
from .gate.refusals import Refusals
from .room.events import Event, Recording, Started, Stopped
from .room.member import Member
from .room.operator import OperatorSession
from .settings import Settings
from .subscribers import Subscriber
from .timing import Loop, Timer
from .wire.connections import Connections
from .wire.listener import Listener, listening_sockets
from .wire.sockets import keep_alive, turn_away
from .wire.tls import Certificate, TlsSession

if TYPE_CHECKING:
    from .history.recorder import Recorder


class StartError(Exception):
    """A server cannot do its work; the message, one line, says what to do."""


class _RunningLoop:
    """Whichever event loop is running: a server may be made before there is one."""

    def time(self) -> float:
        return asyncio.get_running_loop().time()

    def call_soon(self, call: Callable[[], object], /) -> object:
        return asyncio.get_running_loop().call_soon(call)

    def call_later(self, seconds: float, call: Callable[[], object], /) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, call)


class _State(enum.Enum):
    NEW = enum.auto()  # also after a failed start
    RUNNING = enum.auto()
    STOPPED = enum.auto()


class ChatServer:
    """A chat server that people join with `nc` or telnet, and that operators run.

    Everything happens on the event loop that `start` runs on; call the methods from that loop's thread only.

    A server runs once. Before `start` and after `stop` the room is empty, and what is said reaches nobody.

    >>> async def greet() -> bytes:
    ...     async with ChatServer(Settings(port=0)) as server:
    ...         reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    ...         await reader.readline()  # the welcome
    ...         server.operator().say("hello")
    ...         line = await reader.readline()
    ...         writer.close()
    ...     return line
    >>> asyncio.run(greet())
    b'Operator: hello\\n'
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.endpoints: tuple[Endpoint, ...] = ()
        """What the server listens on, or listened on; empty before `start`."""
        self._background = Background()
        self.chat = self._new_chat(_RunningLoop(), self._background.run)
        """The chat itself; it exists as long as the server does."""
        self.stopping_because = ""
        """What makes it stop, for the `Stopped` event, such as a signal's name."""
        self.not_recorded = ""
        """Once it has stopped: what the operator should know of lines that could not be recorded."""
        self._recorder: Recorder | None = None
        self._first_recorded = 0
        self._last_recorded: tuple[Event | None, int] = None, 0
        if self.settings.history_file is not None:
            # Before anybody else subscribes, and may cause further events.
            if self.settings.history_private:
                self.chat.subscribe_to_all(self._record)
            else:
                self.chat.subscribe(self._record)
        self._state = _State.NEW
        self._changing = asyncio.Lock()  # one start or stop at a time
        self._closing = contextlib.ExitStack()  # to close once the last connection is gone
        loop = self.chat.loop
        self._refusals = Refusals(self.chat.emit, self.chat.now, loop)
        self._gate = Gate(self.settings, self.chat.bans, self._refusals, loop.time)
        self._connections = Connections(self.chat, self._gate)
        self._listeners: list[Listener] = []
        self._certificate: Certificate | None = None

    def _new_chat(self, loop: Loop, aside: Aside) -> Chat:
        return Chat(self.settings, loop, aside)

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

        A start that fails or is cancelled leaves nothing open, and may be retried.

        Raises:
            ListenError: if listening fails on one of them; then the server listens on none.
            BansFileError: if the bans file cannot be read or written, or another server uses it.
            CertificateError: if the TLS certificate cannot be used.
            HistoryError: if the history file cannot be used.
            RuntimeError: if the server has been started before.
        """
        async with self._changing:
            if self._state is not _State.NEW:
                raise RuntimeError("a ChatServer can be started only once; make another to listen again")
            recorder = _recorder_for(self.settings, self.chat.emit)
            try:
                if recorder is not None and self.chat.replay is not None:
                    self.chat.replay.watch_all(await asyncio.to_thread(_said_before, self.settings))
                with contextlib.ExitStack() as opened:
                    await self._listen(opened)
                    self._closing = opened.pop_all()
            except BaseException:
                if recorder is not None:
                    await recorder.close()
                raise
            self._recorder = recorder
            self._first_recorded = self.recorded.stop
            self._state = _State.RUNNING
            self.chat.started(Started(self.chat.now(), self.endpoints))

    async def _listen(self, opened: contextlib.ExitStack) -> None:
        """Open everything that serves clients; `opened` gets what has to be closed again."""
        settings = self.settings
        certificate = None
        if settings.tls_cert and settings.tls_key:
            certificate = Certificate(settings.tls_cert, settings.tls_key)
        bans_file = BansFile(settings.bans_file) if settings.bans_file else None
        if bans_file:
            opened.callback(bans_file.close)
        sockets = await listening_sockets(settings.hosts, settings.port, settings.listen_queue)
        for sock in sockets:
            opened.callback(sock.close)
        await self._enter(bans_file)
        self._listeners.clear()
        for sock in sockets:
            self._listeners.append(Listener(sock, self._accepted, self._not_accepted))
            opened.callback(self._listeners[-1].close)
        self._certificate = self.chat.certificate = certificate
        opened.callback(self._refusals.close)
        self.endpoints = tuple(Endpoint(*sock.getsockname()[:2]) for sock in sockets)

    async def _enter(self, bans_file: BansFile | None) -> None:
        """Get the room ready; the ports are taken, and nobody is let in yet."""
        # Nothing after this fails: a server that has not started must not touch a file that is not locked.
        self.chat.bans.keep_in(bans_file)

    async def _leave(self) -> None:
        """Prepare for the end of the room; nobody is let in any more."""

    async def stop(self) -> None:
        """Say goodbye to everybody and close. The clients get at most `Settings.stop_grace`.

        Every caller waits for the end. A cancelled call does not wait: it cuts all connections.
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
                await self._end_recording()

    async def _end(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        await self._leave()
        self._connections.abort(joined=False)
        self.chat.shut_down()
        try:
            async with asyncio.timeout(self.settings.stop_grace):
                await self._connections.wait_closed()
        except TimeoutError:
            self._connections.abort()
            await self._connections.wait_closed()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.stop_grace):
                await self._background.finished()  # the last bans have to reach the file
                while self.chat.has_untold_events:  # noqa: ASYNC110 - each turn tells some of them
                    await asyncio.sleep(0)
        self.chat.emit(Stopped(self.chat.now(), self.stopping_because))

    async def _end_recording(self) -> None:
        if self._recorder is not None:
            self.not_recorded = await self._recorder.close()

    def abort(self) -> None:
        """Cut all connections at once; a `stop` that waits for them, or for a disk, then returns."""
        self._connections.abort()
        if self._recorder is not None:
            self._recorder.abort()

    def _record(self, event: Event) -> None:
        if self._recorder is not None:
            self._last_recorded = event, self._recorder.take(event)

    # The operator's side

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with each public event from now on, immediately and on the loop's thread.

        It should only record the event, because the chat waits for it. An exception in it harms nobody: it
        is reported to the others in a `Failed` event, or to the loop's exception handler if there are none.

        Returns:
            A function that unsubscribes, at any time; calling it again does nothing.

        Raises:
            TypeError: if it is not callable, or is a coroutine function, which nobody would await.
        """
        return self.chat.subscribe(subscriber)

    def operator(
        self,
        subscriber: Callable[[Event], object] = lambda event: None,
        quit: Callable[[], None] = lambda: None,  # noqa: A002
    ) -> OperatorSession:
        """Open a session through which an operator, or a program, acts in the chat.

        Args:
            subscriber: called as by `subscribe`, and also with what is for this session alone: the answers
                to its commands, and what members say to the operator.
            quit: called when the operator types `/quit`; whoever runs the server should then stop it.
        """
        return self.chat.operator(subscriber, quit)

    @property
    def port(self) -> int:
        """The port that the server listens on, or listened on; before `start`, the one in the settings."""
        return self.endpoints[0].port if self.endpoints else self.settings.port

    @property
    def members(self) -> Sequence[Member]:
        """The members, in order of joining."""
        return self.chat.room.roster.members

    @property
    def recorded(self) -> range:
        """The serial numbers that the lines of this run have in the history, so far."""
        return range(self._first_recorded, self._recorder.next_in_file if self._recorder is not None else 0)

    def number_of(self, event: Event) -> int:
        """Return the serial number in the history of the last line of `event`; 0 if it is not recorded.

        Only while a subscriber is called with it.
        """
        recorded, number = self._last_recorded
        return number if recorded is event else 0

    @property
    def node(self) -> str:
        """The name of this node of a cluster; empty without a cluster."""
        return ""

    @property
    def nodes(self) -> Sequence[str]:
        """The names of the nodes of the cluster that are in, this one's too; empty without a cluster."""
        return ()

    def node_of(self, member_id: int) -> str:
        """The name of the node of the cluster that a member is connected to; empty if there is none."""
        return ""

    @property
    def is_public(self) -> bool:
        """Whether the server listens on any address other than loopback."""
        return not all(is_loopback(endpoint.host) for endpoint in self.endpoints)

    @property
    def link_is_exposed(self) -> bool:
        """Whether what passes between the nodes of the cluster can be read on the network's path."""
        return False

    def details(self, member_id: int) -> Details | None:
        """What is known about one member; None if it is gone."""
        member = self.chat.room.roster.get(member_id)
        connection = self._connections.get(member_id)
        if member is None or connection is None:
            return None
        now = self.chat.loop.time()
        return Details(
            member.address,
            now - connection.joined_at,
            now - connection.heard_at,
            member.lines,
            connection.waiting,
        )

    # The listeners' side

    def _accepted(self, sock: socket.socket, address: tuple[str, int]) -> None:
        """Let a new connection in, or tell it why not and close it."""
        host, port = plain_host(address[0]), address[1]
        if refusal := self._gate.enter(host):
            self._gate.refused(refusal, host)
            turn_away(sock, None if self._certificate else refusal)
            return
        keep_alive(sock, self.settings.stall_timeout)
        tls = TlsSession(self._certificate.context) if self._certificate else None
        try:
            self._connections.open(sock, Address(host, port), tls)
        except OSError as error:
            self._gate.leave(host)
            sock.close()
            self._gate.refused(error.strerror or str(error), host)

    def _not_accepted(self, error: OSError) -> None:
        self.chat.failed("new connections", error)


def _recorder_for(settings: Settings, tell: Callable[[Recording], object]) -> Recorder | None:
    """Open the history file, if there is to be one."""
    if settings.history_file is None:
        return None
    from .history.place import HistoryError

    try:
        # Not earlier: it takes a while to import, and some Pythons are without it.
        import sqlite3  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        raise HistoryError("this Python has no sqlite3 module, which --history needs") from None
    from importlib.metadata import version

    from .history.history_file import HistoryFile
    from .history.recorder import Recorder

    file = HistoryFile(settings.history_file, version("tcp-chat-console"), settings.history_days)
    return Recorder(file, tell, private=settings.history_private)


def _said_before(settings: Settings) -> list[Event]:
    """Return what was said last in earlier runs, as far as it is to be replayed."""
    from .history.reader import Reader
    from .history.records import event_of

    assert settings.history_file is not None
    reader = Reader(settings.history_file)
    try:
        return [event for line in reader.last_public(settings.replay) if (event := event_of(line))]
    finally:
        reader.close()
