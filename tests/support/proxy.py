"""A network that can be cut, blocked and lied in: a proxy between a client and a server."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

from .waiting import BOUND


class Proxy:
    """Passes bytes on between those who connect to it and a port of the loopback address."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = 0
        self.connections = 0
        """How many there have been."""
        self.sent = bytearray()
        """What the clients have sent."""
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: list[asyncio.StreamWriter] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        self._flowing.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=BOUND)

    def block(self) -> None:
        """Pass nothing on any more; whoever connects gets a connection, and no answer."""
        self._flowing.clear()

    def unblock(self) -> None:
        self._flowing.set()

    def cut(self) -> None:
        """End all connections."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self._clients.clear()

    def say(self, data: bytes) -> None:
        """Tell the clients something that the server has not said."""
        for writer in self._clients:
            writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers += writer, far_writer
        self._clients.append(writer)
        await asyncio.gather(self._pass(reader, far_writer, self.sent), self._pass(far_reader, writer))

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, copy: bytearray | None = None
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._flowing.wait()
                if copy is not None:
                    copy += data
                writer.write(data)
                await writer.drain()
        writer.close()
