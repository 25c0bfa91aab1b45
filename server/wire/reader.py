"""The receiving end of one client's connection: when it is read, how much, and whether it has ended."""

from __future__ import annotations

import asyncio
import socket
from typing import Protocol

from .turns import Turns


class Owner(Protocol):
    """Whose input is read."""

    def room(self, now: float) -> int:
        """How many bytes may be read at `now`, by the loop's clock."""
        ...

    def received(self, data: bytes, now: float) -> object:
        """Take what was read at `now`; nothing is the end."""
        ...


class Reader:
    """Reads what one client sends, each time in its turn and no more than there is room for.

    Args:
        sock: the client's socket, which does not block.
        turns: in which all clients are read.
        buffer: where the input is read to, which all clients share.
        owner: says how much may be read, and takes it.

    Raises:
        OSError: if the system has no room for it.
    """

    __slots__ = (
        "_buffer",
        "_loop",
        "_owner",
        "_sock",
        "_turns",
        "has_ended",
        "is_lost",
        "is_reading",
    )

    def __init__(self, sock: socket.socket, turns: Turns, buffer: memoryview, owner: Owner) -> None:
        self._sock = sock
        self._turns = turns
        self._buffer = buffer
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self.is_reading = True
        """Whether the system is to say when something has come."""
        self.has_ended = False
        """Whether nothing more comes."""
        self.is_lost = False
        """Whether the connection broke before its end."""
        self._loop.add_reader(sock, self._readable)

    def pause(self) -> None:
        """Leave unread what comes."""
        if self.is_reading:
            self.is_reading = False
            self._loop.remove_reader(self._sock)

    def resume(self) -> None:
        """Read what comes, unless it has ended."""
        if not self.is_reading and not self.has_ended:
            self.is_reading = True
            self._loop.add_reader(self._sock, self._readable)

    def close(self) -> None:
        """Read nothing more. Call this before the socket is closed."""
        self.has_ended = True
        self.pause()

    def _readable(self) -> None:
        if self._turns.take(self._read_in_turn):
            self._read()
        else:
            self.pause()

    def _read_in_turn(self) -> None:
        if not self.has_ended:
            self.resume()
            self._read()

    def _read(self) -> None:
        now = self._loop.time()
        size = self._owner.room(now)
        if not size:
            return  # it has been read meanwhile
        try:
            count = self._sock.recv_into(self._buffer, size)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.is_lost = True
            count = 0
        if not count:
            self.close()
        self._owner.received(bytes(self._buffer[:count]), now)
