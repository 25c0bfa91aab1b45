"""All connections of one server, and what they share."""

from __future__ import annotations

import asyncio
import socket
from typing import Protocol

from ..addresses import Address
from ..chat import Chat
from .connection import Connection
from .tls import TlsSession
from .turns import Turns


class Doors(Protocol):
    """What a connection needs from the gate."""

    def is_banned(self, host: str) -> bool:
        """Whether the IP address `host` is banned."""
        ...

    def refused(self, why: str, host: str) -> None:
        """Record a connection that did not become a member."""
        ...

    def leave(self, host: str) -> None:
        """Uncount a connection that was let in."""
        ...


class Connections:
    """Opens connections and keeps track of those that are open.

    Args:
        chat: the chat that they join.
        gate: decides who may come in.
    """

    def __init__(self, chat: Chat, gate: Doors) -> None:
        self.chat = chat
        self.gate = gate
        self.settings = chat.settings
        self.turns = Turns(chat.loop, self.settings.read_slice)
        """The turns in which all connections' input is handled."""
        self.read_buffer = memoryview(bytearray(self.settings.read_size))
        """The buffer for reading input, used by one connection at a time."""
        self._open: dict[int, Connection] = {}
        self._ids = chat.ids_from
        self._none = asyncio.Event()
        self._none.set()

    def open(self, sock: socket.socket, address: Address, tls: TlsSession | None) -> None:
        """Serve the client at the other end of `sock`.

        Raises:
            OSError: if the system cannot watch another socket; then `sock` is still open.
        """
        Connection(self, sock, address, tls).start()

    def get(self, member_id: int) -> Connection | None:
        """The connection of that member, while it is open."""
        return self._open.get(member_id)

    def abort(self, *, joined: bool = True) -> None:
        """Cut all connections at once; if not `joined`, only those that have not joined yet."""
        for connection in list(self._open.values()):
            if joined or not connection.has_joined:
                connection.abort()

    async def wait_closed(self) -> None:
        """Wait until no connection is open."""
        await self._none.wait()

    def opened(self, connection: Connection) -> int:
        """Register `connection` and return the id for its member."""
        self._ids += 1
        self._open[self._ids] = connection
        self._none.clear()
        return self._ids

    def closed(self, connection: Connection) -> None:
        """Unregister `connection`."""
        del self._open[connection.id]
        self.gate.leave(connection.address.host)
        if not self._open:
            self._none.set()
