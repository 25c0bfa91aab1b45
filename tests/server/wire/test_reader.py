"""The receiving end: what comes is read in its turn, as far as there is room, and its end is told once."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable

import pytest
from support.waiting import BOUND, until

from chat_console.server.wire.reader import Reader
from chat_console.server.wire.turns import Turns


class Owner:
    """Who reads as much as `scene` has room for."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def room(self, now: float) -> int:
        assert now <= asyncio.get_running_loop().time()
        return self._scene.room

    def received(self, data: bytes, now: float) -> None:
        self._scene.times.append(now)
        self._scene.received.append(data)


class Scene:
    """A reader, the socket at its other end, and what was received."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.peer = socket.create_connection(listener.getsockname(), timeout=BOUND)
            self.sock, _ = listener.accept()
        self.sock.setblocking(False)
        self.room = 10
        self.received: list[bytes] = []
        self.times: list[float] = []
        loop = asyncio.get_running_loop()
        self.turns = Turns(loop, BOUND)
        self.reader = Reader(self.sock, self.turns, memoryview(bytearray(10)), Owner(self))

    until = staticmethod(until)

    async def turns_pass(self) -> None:
        """Let the loop turn often enough for what may be read to be read."""
        for _ in range(10):
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    try:
        yield made
    finally:
        made.reader.close()
        made.sock.close()
        made.peer.close()


async def test_what_comes_is_given_in_order_and_as_much_as_there_is_room_for() -> None:
    async with scene() as at:
        at.room = 4
        at.peer.send(b"0123456789")
        await at.until(lambda: b"".join(at.received) == b"0123456789")
        assert at.received == [b"0123", b"4567", b"89"]
        assert at.times == sorted(at.times)


async def test_nothing_is_read_while_there_is_no_room() -> None:
    async with scene() as at:
        at.room = 0
        at.peer.send(b"hello")
        await at.turns_pass()
        assert at.received == []
        at.room = 10
        await at.until(lambda: at.received == [b"hello"])


async def test_a_pause_leaves_unread_what_comes() -> None:
    async with scene() as at:
        for _ in range(2):
            at.reader.pause()
        assert not at.reader.is_reading
        at.peer.send(b"hello")
        await at.turns_pass()
        assert at.received == []
        for _ in range(2):
            at.reader.resume()
        assert at.reader.is_reading
        await at.until(lambda: at.received == [b"hello"])


class TestEnd:
    async def test_is_told_once_behind_what_came_before(self) -> None:
        async with scene() as at:
            at.peer.send(b"hello")
            at.peer.shutdown(socket.SHUT_WR)
            await at.until(lambda: at.reader.has_ended)
            await at.turns_pass()
            assert at.received == [b"hello", b""]
            assert not at.reader.is_lost
            at.reader.resume()
            assert not at.reader.is_reading

    async def test_of_a_broken_connection_is_told_as_such(self) -> None:
        async with scene() as at:
            at.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            at.peer.close()
            await at.until(lambda: at.reader.has_ended)
            assert at.received == [b""]
            assert at.reader.is_lost

    async def test_is_not_told_of_what_the_reader_has_ended_itself(self) -> None:
        async with scene() as at:
            at.reader.close()
            at.reader.resume()
            at.peer.send(b"hello")
            at.peer.shutdown(socket.SHUT_WR)
            await at.turns_pass()
            assert at.received == []
            assert at.reader.has_ended
            assert not at.reader.is_lost


class TestTurn:
    async def test_that_comes_late_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with scene() as at:
            waiting: list[Callable[[], None]] = []
            monkeypatch.setattr(at.turns, "take", waiting.append)  # whose None is a no
            at.peer.send(b"hello")
            await at.until(lambda: waiting)
            await at.turns_pass()
            assert len(waiting) == 1  # it is not asked for again meanwhile
            assert at.received == []
            (read,) = waiting
            read()
            assert at.received == [b"hello"]
            read()  # there is nothing left
            assert at.received == [b"hello"]
            at.reader.close()
            at.peer.send(b"more")
            read()
            assert at.received == [b"hello"]


async def test_a_system_that_has_no_room_for_one_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with scene() as at:
        with monkeypatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "add_reader", fail)
            with pytest.raises(OSError, match="No space left"):
                Reader(at.peer, at.turns, memoryview(bytearray(10)), Owner(at))
