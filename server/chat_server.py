"""The chat server: listeners, start and stop, the operator's methods, and the events."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from .connection import Connection
from .events import Event, Failed, Started
from .framing import TooLong
from .outbox import Outbox
from .room import Member, Room
from .settings import Settings
from .text import clean

Subscriber = Callable[[Event], None]


class ListenError(OSError):
    """The server cannot listen on `host` and `port`; `errno` and `strerror` say why.

    A host name that cannot be looked up has no `errno`, or a negative one (`socket.EAI_NONAME` and others).
    """

    def __init__(self, host: str, port: int, cause: OSError | UnicodeError) -> None:
        super().__init__(getattr(cause, "errno", None), getattr(cause, "strerror", None) or str(cause))
        self.host = host
        self.port = port


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
        self._connections: set[Connection] = set()
        self._listeners: list[asyncio.Server] = []
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
        """
        loop = asyncio.get_running_loop()
        self.outbox = Outbox(loop.call_soon, loop.time, self.settings.flush_slice)
        self.room = Room(self.outbox, self._emit, time.time, self.settings)
        self.read_buffer = memoryview(bytearray(self.settings.read_size))
        sockets = await _listening_sockets(self.settings)
        self.port: int = sockets[0].getsockname()[1]
        """The port that the server listens on."""
        self.addresses = tuple(sock.getsockname()[0] for sock in sockets)
        """The IP addresses that the server listens on."""
        for sock in sockets:
            self._listeners.append(
                await loop.create_server(
                    lambda: Connection(self), sock=sock, backlog=self.settings.listen_queue
                )
            )
        self._emit(Started(time.time(), self.addresses, self.port))

    async def stop(self) -> None:
        """Say goodbye to everybody and close. Takes at most `Settings.stop_grace`."""
        listeners, self._listeners = self._listeners, []
        if not listeners:
            return
        for listener in listeners:
            listener.close()
        # A client that is just being accepted joins in this turn, and gets the goodbye like everybody.
        await asyncio.sleep(0)
        self.room.shut_down()
        try:
            async with asyncio.timeout(self.settings.stop_grace):
                await self._no_connections.wait()
        except TimeoutError:
            self.abort()
            await self._no_connections.wait()

    def abort(self) -> None:
        """Cut all connections at once; a `stop` that is waiting for them returns."""
        for connection in self._connections:
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
        return not all(ipaddress.ip_address(address).is_loopback for address in self.addresses)

    def operate(self, line: str | TooLong) -> None:
        """Do what `line`, typed by the operator, asks for: a command, or text for everybody."""
        self.room.operate(line)

    def say(self, text: str) -> None:
        """Say `text` to everybody as the operator, also where it begins with a slash."""
        text = clean(text)
        self.room.operate(f"/{text}" if text.startswith("/") else text)

    def message(self, member_id: int, text: str) -> bool:
        """Say `text` to one member as the operator; False if it is gone."""
        if member := self.room.member(member_id):
            self.room.message(member, clean(text))
        return member is not None

    def kick(self, member_id: int) -> bool:
        """Disconnect one member; False if it is gone."""
        if member := self.room.member(member_id):
            self.room.kick([member])
        return member is not None

    def failed(self, where: str, error: BaseException) -> None:
        """Tell the operator's side of an error that was met and contained."""
        self._emit(Failed(time.time(), where, f"{type(error).__name__}: {error}"))

    # The connections' side

    def opened(self, connection: Connection) -> int:
        """Count in `connection`; the answer is the id of its member."""
        self._connections.add(connection)
        self._no_connections.clear()
        self._ids += 1
        return self._ids

    def closed(self, connection: Connection) -> None:
        """Count out `connection`."""
        self._connections.discard(connection)
        if not self._connections:
            self._no_connections.set()

    def _emit(self, event: Event) -> None:
        for subscriber in self._subscribers:
            subscriber(event)


async def _listening_sockets(settings: Settings) -> list[socket.socket]:
    """Bind a socket for each address of each host, all to one port."""
    loop = asyncio.get_running_loop()
    sockets: list[socket.socket] = []
    port = settings.port
    host = ""
    try:
        for host in settings.hosts:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            for family, *_, address in dict.fromkeys(found):
                sock = _bind(family, (address[0], port, *address[2:]), dual=settings.hosts == ("::",))
                sockets.append(sock)
                port = sock.getsockname()[1]
    except (OSError, UnicodeError) as error:
        for sock in sockets:
            sock.close()
        raise ListenError(host, port, error) from None
    return sockets


def _bind(family: int, address: tuple[str | int, ...], *, dual: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
        sock.bind(address)
        sock.listen()
    except OSError:
        sock.close()
        raise
    return sock
