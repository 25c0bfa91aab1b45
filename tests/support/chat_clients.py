"""A server on a free port of the loopback, and clients with real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any, Self, TypeVar

from chat_console.server.chat_server import ChatServer
from chat_console.server.room import notices
from chat_console.server.room.events import Event, Failed
from chat_console.server.settings import Settings

from .waiting import BOUND, until

E = TypeVar("E", bound=Event)

ipv6 = False
with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
    ipv6 = True


class Clock:
    """A monotonic clock that goes on by itself and can be put forward."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._ahead = 0.0

    def __call__(self) -> float:
        return self._time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Put it forward; nothing that is bounded by it should be under way."""
        self._ahead += seconds


class Client:
    """One end of a connection to the server. Every wait is bounded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        host, port = writer.get_extra_info("sockname")[:2]
        self.address = f"{host}|{port}"

    @classmethod
    async def connect(
        cls,
        port: int,
        host: str = "127.0.0.1",
        *,
        receive_buffer: int = 0,
        context: ssl.SSLContext | None = None,
    ) -> Self:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        async with asyncio.timeout(BOUND):
            try:
                await asyncio.get_running_loop().sock_connect(sock, (host, port))
            except BaseException:
                sock.close()
                raise
            name = "chat.example" if context else None
            return cls(*await asyncio.open_connection(sock=sock, ssl=context, server_hostname=name))

    def send(self, *lines: str) -> None:
        self.writer.write("".join(line + "\n" for line in lines).encode())

    async def raw(self) -> bytes:
        """Up to and including the next LF; nothing at the end."""
        async with asyncio.timeout(BOUND):
            return await self.reader.readline()

    async def line(self) -> str:
        line = await self.raw()
        assert line.endswith(b"\n"), line
        return line.decode().rstrip("\r\n")

    async def until(self, last: str) -> list[str]:
        """The lines up to and including `last`."""
        lines = [await self.line()]
        while lines[-1] != last:
            lines.append(await self.line())
        return lines

    async def rest(self) -> list[str]:
        """The lines up to the end."""
        async with asyncio.timeout(BOUND):
            return (await self.reader.read()).decode().splitlines()

    async def cut_off(self) -> None:
        """Wait until the other end takes nothing more."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(BOUND):
                while True:
                    self.send("still here")
                    await self.writer.drain()
                    await asyncio.sleep(0.01)

    def stop_reading(self) -> None:
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]

    def go_on_reading(self) -> None:
        self.writer.transport.resume_reading()  # type: ignore[attr-defined]

    def end(self) -> None:
        """Close the sending half."""
        self.writer.write_eof()

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Vanish with RST, as after a crash."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Chat:
    """A running server, what the operator's side has been told, and its clients.

    Those speak TLS with `context`, if there is one.
    """

    def __init__(self, server: ChatServer, context: ssl.SSLContext | None) -> None:
        self.server = server
        self.context = context
        self.events: list[Event] = []
        self.clients: list[Client] = []
        self.quits = 0
        self.operator = server.operator(self.events.append, self._quit)

    def _quit(self) -> None:
        self.quits += 1

    async def connect(self, host: str = "127.0.0.1", *, receive_buffer: int = 0) -> Client:
        """A client that has not read its welcome yet."""
        client = await Client.connect(
            self.server.port, host, receive_buffer=receive_buffer, context=self.context
        )
        self.clients.append(client)
        return client

    async def gather(self, *names: str) -> list[Client]:
        """Clients of these names, who have read all about each other; the events are forgotten."""
        clients: list[Client] = []
        for name in names:
            client = await self.connect()
            client.send(f"/nick {name}")
            await client.until(f"You are now {name}")
            for other in clients:
                await other.until(f"{client.address} is now {name}")
            clients.append(client)
        self.events.clear()
        return clients

    until = staticmethod(until)

    async def fill(self, member_id: int) -> int:
        """Write to a member that does not read until something waits for it; return how many bytes."""
        text = "x" * 20_000
        async with asyncio.timeout(BOUND):
            for count in itertools.count(1):
                assert self.operator.message(member_id, text)
                await asyncio.sleep(0)
                details = self.server.details(member_id)
                if details and details.waiting:
                    return count * len(notices.operator_private(notices.OPERATOR, text) + "\n")
        raise AssertionError

    async def pass_time(self, clock: Clock, seconds: float) -> None:
        """Put the loop's clock forward, and let what is due then happen."""
        clock.advance(seconds)
        for _ in range(5):
            await asyncio.sleep(0)

    async def event(self, kind: type[E]) -> E:
        """Take the first event of this kind out of the list, or wait for one."""
        await self.until(lambda: any(isinstance(event, kind) for event in self.events))
        for event in self.events:
            if isinstance(event, kind):
                self.events.remove(event)
                return event
        raise AssertionError


@contextlib.asynccontextmanager
async def open_chat(*, context: ssl.SSLContext | None = None, **settings: Any) -> AsyncIterator[Chat]:
    """A chat that must end without a failure inside, but for those that the test has taken out.

    It gives its clients all the time they need to leave, unless `settings` say otherwise.
    """
    troubles: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
    settings = {"close_grace": BOUND, "stop_grace": BOUND} | settings
    chat = Chat(ChatServer(Settings(port=0, **settings)), context)
    try:
        async with chat.server:
            yield chat
            for client in chat.clients:
                client.close()
    finally:
        for client in chat.clients:
            with contextlib.suppress(AttributeError):  # asyncio's way to say that it is closed already
                client.writer.transport.abort()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await client.writer.wait_closed()
    assert not troubles
    assert not [event for event in chat.events if isinstance(event, Failed)]
