"""The sending end: what waits goes out in order, and who does not read is told of."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.certificates import Pair
from support.chat_clients import Clock
from support.waiting import BOUND, until

from chat_console.server.room.events import LeaveReason
from chat_console.server.settings import Settings
from chat_console.server.wire import sockets
from chat_console.server.wire.sender import Sender
from chat_console.server.wire.tls import Certificate, TlsSession


class Scene:
    """A sender, the socket at its other end, and what the sender told of it."""

    def __init__(self, tls: TlsSession | None = None, **settings: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.peer = socket.socket()
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.peer.connect(listener.getsockname())
            self.sock, _ = listener.accept()
        for sock in (self.peer, self.sock):
            sock.setblocking(False)
        self.slow: list[LeaveReason] = []
        self.moves = 0
        self.sender = Sender(self.sock, tls, Settings(**settings), self.slow.append, self._moved)

    def _moved(self) -> None:
        self.moves += 1

    def fill(self) -> int:
        """Write until something waits; return how much was written."""
        count = 0
        while not self.sender.waiting:
            self.sender.write(b"." * 10_000)
            count += 10_000
        return count

    async def read(self, count: int) -> bytes:
        data = b""
        async with asyncio.timeout(BOUND):
            while len(data) < count:
                data += (more := await asyncio.get_running_loop().sock_recv(self.peer, count - len(data)))
                assert more
        return data

    async def rest(self) -> bytes:
        data = b""
        async with asyncio.timeout(BOUND):
            while more := await asyncio.get_running_loop().sock_recv(self.peer, 1 << 16):
                data += more
        return data

    until = staticmethod(until)

    def close(self) -> None:
        self.sender.close()
        self.sock.close()
        self.peer.close()


@contextlib.asynccontextmanager
async def scene(tls: TlsSession | None = None, **settings: Any) -> AsyncIterator[Scene]:
    made = Scene(tls, **settings)
    try:
        yield made
    finally:
        made.close()


async def test_what_waits_goes_out_in_order_and_as_it_was_written() -> None:
    async with scene(max_backlog=1 << 30) as at:
        count = at.fill()
        pieces = [b"%d," % number for number in range(5000)]
        at.sender.write_all(pieces[:2500])
        for piece in pieces[2500:]:
            at.sender.write(piece)
        assert at.moves == 0
        expected = b"." * count + b"".join(pieces)
        assert await at.read(len(expected)) == expected
        await at.until(lambda: not at.sender.waiting)
        assert at.moves
        at.sender.write(b"direct again")
        assert await at.read(12) == b"direct again"


async def test_what_comes_when_the_system_takes_more_goes_behind_what_waits() -> None:
    async with scene() as at:
        for piece in (b"." * 1000, b"."):
            with contextlib.suppress(BlockingIOError):
                while True:
                    at.sock.send(piece)
        at.sender.write(b"1")
        assert at.sender.waiting == 1
        received = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                received += at.peer.recv(1 << 16)
        at.sender.write(b"2")  # before the loop has turned
        while not received.endswith((b"12", b"21")):
            received += await at.read(1)
        assert received.endswith(b".12")


async def test_several_pieces_go_out_at_once_where_nothing_waits() -> None:
    async with scene() as at:
        at.sender.write_all((b"a", b"b"))
        assert not at.sender.waiting
        assert await at.read(2) == b"ab"


async def test_what_waits_is_sent_a_slice_at_a_time() -> None:
    async with scene() as at:
        at.sender.write_all([b"x" * 1000] * 1000)
        assert at.sender.waiting >= 1_000_000 - (1 << 17)


async def test_more_than_may_wait_is_too_slow() -> None:
    async with scene(max_backlog=100_000) as at:
        at.fill()
        at.sender.write(b"x" * (100_000 - at.sender.waiting))
        assert at.slow == []
        at.sender.write(b"x")
        assert at.slow == [LeaveReason.SLOW]


async def test_one_write_that_exceeds_it_alone_is_too_slow() -> None:
    async with scene(max_backlog=100_000) as at:
        at.sender.write(b"x" * (1 << 24))
        assert at.slow == [LeaveReason.SLOW]


class TestStall:
    async def test_is_told_after_four_looks_without_progress(self, clock: Clock) -> None:
        async with scene(stall_timeout=20) as at:
            at.fill()
            for seconds in (5, 5, 5):
                clock.advance(seconds)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            assert at.slow == []
            clock.advance(5)
            await at.until(lambda: at.slow)
            assert at.slow == [LeaveReason.STALLED]

    async def test_is_not_told_for_a_pause_of_the_servers_own(self, clock: Clock) -> None:
        async with scene(stall_timeout=20) as at:
            at.fill()
            clock.advance(10_000)  # as after SIGSTOP: much time, and one look
            for _ in range(5):
                await asyncio.sleep(0)
            assert at.slow == []

    async def test_is_not_told_of_a_reader_who_takes_only_what_the_system_holds(self, clock: Clock) -> None:
        async with scene(stall_timeout=20, max_backlog=1 << 30) as at:
            at.fill()
            before = at.sender.waiting
            for _ in range(8):
                acknowledged = sockets.acknowledged(at.sock, 0)
                await at.read(10_000)
                await at.until(lambda known=acknowledged: sockets.acknowledged(at.sock, 0) > known)
                clock.advance(5)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            assert at.slow == []
            assert at.sender.waiting == before  # all that time nothing more could be sent

    async def test_is_not_told_once_all_was_read(self, clock: Clock) -> None:
        async with scene(stall_timeout=20, max_backlog=1 << 30) as at:
            count = at.fill()
            await at.read(count)
            await at.until(lambda: not at.sender.waiting)
            for _ in range(10):
                clock.advance(5)
                await asyncio.sleep(0)
            assert at.slow == []


class TestEnd:
    async def test_goes_behind_what_waits_and_nothing_behind_it(self) -> None:
        async with scene(max_backlog=1 << 30) as at:
            count = at.fill()
            at.sender.end()
            assert not at.sender.has_ended
            at.sender.write(b"too late")
            assert await at.rest() == b"." * count
            assert at.sender.has_ended
            assert at.moves

    async def test_is_told_at_once_where_nothing_waits(self) -> None:
        async with scene() as at:
            at.sender.write(b"bye")
            at.sender.end()
            assert at.sender.has_ended
            assert at.moves == 1
            assert await at.rest() == b"bye"

    async def test_ends_the_watch_for_a_stall(self, clock: Clock) -> None:
        async with scene(stall_timeout=20) as at:
            at.fill()
            at.sender.end()
            for _ in range(10):
                clock.advance(5)
                await asyncio.sleep(0)
            assert at.slow == []


class TestLost:
    @pytest.mark.parametrize("waiting", [False, True], ids=["direct", "waiting"])
    async def test_is_told_when_the_client_takes_no_more(self, waiting: bool) -> None:
        async with scene(max_backlog=1 << 30) as at:
            if waiting:
                at.fill()
            at.peer.close()
            async with asyncio.timeout(BOUND):
                while not at.sender.is_lost:
                    at.sender.write(b"x")
                    await asyncio.sleep(0.001)
            assert at.moves == 1
            assert at.sender.waiting == 0
            at.sender.write(b"x")
            assert at.sender.waiting == 0

    async def test_is_told_also_where_only_the_end_is_left_to_send(self) -> None:
        async with scene() as at:
            at.sock.shutdown(socket.SHUT_WR)
            at.sender.end()
            assert at.sender.has_ended


class TestTls:
    @pytest.mark.parametrize(
        ("size", "most"),
        [(3_000_000, 1 << 16), (3 << 16, 1 << 20)],
        ids=["more than the system takes", "the last text uses up a turn"],
    )
    async def test_encrypts_a_record_at_a_time_and_ends_with_a_close_notify(
        self, pair: Pair, size: int, most: int
    ) -> None:
        session = TlsSession(Certificate(pair.cert, pair.key).context)
        async with scene(session, max_backlog=1 << 30) as at:
            to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = pair.client_context().wrap_bio(to_client, to_server, server_hostname="chat.example")
            at.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, most)
            text, wanted = b"", b"x" * size
            for _ in range(3):
                with contextlib.suppress(ssl.SSLWantReadError):
                    client.do_handshake()
                if data := to_server.read():
                    session.receive(data)
                at.sender.write_all(())
                if not session.is_established:
                    to_client.write(await asyncio.get_running_loop().sock_recv(at.peer, 1 << 16))
            at.sender.write(wanted)
            assert at.sender.waiting > size // 2
            at.sender.end()
            to_client.write(await at.rest())
            while more := client.read(1 << 16):
                text += more
            assert text == wanted
            assert at.sender.has_ended
