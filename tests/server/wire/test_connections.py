"""All connections of a server: how one is opened, known and counted out, and whose turn comes when."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable

import pytest
from support.certificates import Pair
from support.chat_clients import Clock
from support.recording import at_once
from support.waiting import BOUND, until

from chat_console.server.addresses import Address
from chat_console.server.chat import Chat
from chat_console.server.room.events import Event, LeaveReason, Left, Said
from chat_console.server.settings import Settings
from chat_console.server.wire.connections import Connections
from chat_console.server.wire.tls import Certificate, TlsSession
from chat_console.server.wire.turns import Turns


class Gate:
    """Lets in all but the `banned`, and notes what it is told."""

    def __init__(self) -> None:
        self.banned: set[str] = set()
        self.refusals: list[tuple[str, str]] = []
        self.gone: list[str] = []

    def is_banned(self, host: str) -> bool:
        return host in self.banned

    def refused(self, why: str, host: str) -> None:
        self.refusals.append((why, host))

    def leave(self, host: str) -> None:
        self.gone.append(host)


class LateTurns(Turns):
    """Turns of which none comes before the test lets it, once they are `late`."""

    def __init__(self, chat: Chat) -> None:
        super().__init__(chat.loop, chat.settings.read_slice)
        self.late = False
        self.steps: list[Callable[[], None]] = []

    def take(self, step: Callable[[], None]) -> bool:
        if self.late:
            self.steps.append(step)
        return not self.late


class Scene:
    """Connections whose clients are sockets of the test."""

    def __init__(self, settings: Settings, ids_from: int = 0) -> None:
        self.chat = Chat(settings, asyncio.get_running_loop(), at_once, ids_from=ids_from)
        self.gate = Gate()
        self.connections = Connections(self.chat, self.gate)
        self.turns = self.connections.turns = LateTurns(self.chat)
        self.events: list[Event] = []
        self.chat.subscribe(self.events.append)
        self.sockets: list[socket.socket] = []

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """The server's end and the client's end of a connection."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            server, _ = listener.accept()
        for sock in (client, server):
            sock.setblocking(False)
        self.sockets += client, server
        return server, client

    def join(self, host: str = "192.0.2.1", tls: TlsSession | None = None) -> socket.socket:
        server, client = self.pair()
        self.connections.open(server, Address(host, 4000), tls)
        return client

    @property
    def said(self) -> list[str]:
        return [text for event in self.events if isinstance(event, Said) for text in event.texts]

    @property
    def reasons(self) -> list[LeaveReason]:
        """Why members have left."""
        return [event.reason for event in self.events if isinstance(event, Left)]

    until = staticmethod(until)


@contextlib.asynccontextmanager
async def scene(settings: Settings | None = None, ids_from: int = 0) -> AsyncIterator[Scene]:
    made = Scene(settings or Settings(), ids_from)
    try:
        yield made
    finally:
        made.turns.late = False
        made.connections.abort()
        await asyncio.wait_for(made.connections.wait_closed(), BOUND)
        for sock in made.sockets:
            sock.close()


async def test_each_has_an_id_that_is_never_used_again() -> None:
    async with scene() as at:
        at.join("192.0.2.1")
        at.join("192.0.2.2")
        assert [member.id for member in at.chat.room.roster.members] == [1, 2]
        first, second = at.connections.get(1), at.connections.get(2)
        assert first and second
        assert (first.address, second.address) == (Address("192.0.2.1", 4000), Address("192.0.2.2", 4000))
        second.abort()
        await at.until(lambda: at.connections.get(2) is None)
        at.join()
        assert at.connections.get(3)
        assert at.connections.get(1) is first


async def test_ids_count_from_where_they_are_told_to() -> None:
    async with scene(ids_from=7 << 32) as at:
        at.join()
        at.join()
        assert [member.id for member in at.chat.room.roster.members] == [(7 << 32) + 1, (7 << 32) + 2]


async def test_one_that_ends_is_counted_out_at_the_gate_once() -> None:
    async with scene() as at:
        at.join("192.0.2.1").close()
        await at.until(lambda: at.connections.get(1) is None)
        at.join("192.0.2.2")
        at.connections.abort()
        at.connections.abort()
        await asyncio.wait_for(at.connections.wait_closed(), BOUND)
        assert at.gate.gone == ["192.0.2.1", "192.0.2.2"]
        assert at.reasons == [LeaveReason.END_OF_INPUT, LeaveReason.LOST]
        assert at.gate.refusals == []


async def test_one_that_the_system_has_no_room_for_is_not_counted_and_its_socket_is_left_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with scene() as at:
        server, _ = at.pair()
        with monkeypatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "add_reader", fail)
            with pytest.raises(OSError, match="No space left"):
                at.connections.open(server, Address("192.0.2.1", 4000), None)
        assert server.fileno() >= 0
        assert at.gate.gone == []
        assert not at.chat.room.roster.members
        await asyncio.wait_for(at.connections.wait_closed(), BOUND)


class TestWaiting:
    async def test_for_the_end_is_over_at_once_where_there_are_none(self) -> None:
        async with scene() as at:
            await asyncio.wait_for(at.connections.wait_closed(), BOUND)

    async def test_for_the_end_is_over_when_the_last_is_gone(self) -> None:
        async with scene() as at:
            for _ in range(2):
                client, other = at.join(), at.join()
                waiting = asyncio.create_task(at.connections.wait_closed())
                client.close()
                await at.until(lambda: len(at.chat.room.roster.members) == 1)
                assert not waiting.done()
                other.close()
                await asyncio.wait_for(waiting, BOUND)


async def test_those_that_have_not_joined_can_be_cut_alone(pair: Pair) -> None:
    async with scene() as at:
        context = Certificate(pair.cert, pair.key).context
        client, stranger = at.join(), at.join(tls=TlsSession(context))
        at.connections.abort(joined=False)
        await at.until(lambda: at.connections.get(2) is None)
        assert stranger.recv(1) == b""
        assert at.connections.get(1)
        assert at.reasons == []  # nobody was told of its coming
        client.send(b"hello\n")
        await at.until(lambda: at.said == ["hello"])


class TestHandshake:
    """Who has not shaken hands has not joined, and nobody in the room is told of it."""

    async def refused(self, at: Scene, why: str) -> None:
        await at.until(lambda: at.connections.get(1) is None)
        assert at.gate.refusals == [(why, "192.0.2.1")]
        assert at.gate.gone == ["192.0.2.1"]
        assert at.events == []

    async def test_that_does_not_come_is_waited_for_so_long(self, pair: Pair, clock: Clock) -> None:
        async with scene(Settings(tls_handshake_timeout=10)) as at:
            at.join(tls=TlsSession(Certificate(pair.cert, pair.key).context))
            clock.advance(9)
            await asyncio.sleep(0.01)
            assert at.gate.refusals == []
            clock.advance(1)
            await self.refused(at, "no TLS handshake")

    @pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b""], ids=["something else", "nothing"])
    async def test_is_something_else(self, pair: Pair, data: bytes) -> None:
        async with scene() as at:
            client = at.join(tls=TlsSession(Certificate(pair.cert, pair.key).context))
            client.send(data)
            client.shutdown(socket.SHUT_WR)
            await self.refused(at, "no TLS handshake")

    @pytest.mark.parametrize("banned", [False, True])
    async def test_lets_in_who_is_not_banned_by_then(self, pair: Pair, banned: bool) -> None:
        async with scene() as at:
            client = at.join(tls=TlsSession(Certificate(pair.cert, pair.key).context))
            if banned:
                at.gate.banned.add("192.0.2.1")
            client.setblocking(True)
            context = pair.client_context()
            with await asyncio.to_thread(context.wrap_socket, client, server_hostname="chat.example") as tls:
                if banned:
                    await self.refused(at, "You are banned from this server")
                    return
                await at.until(lambda: at.events)
                tls.send(b"hello\n")
                await at.until(lambda: at.said == ["hello"])
                tls.setblocking(False)
                with contextlib.suppress(ssl.SSLError):  # there are lines that it has not read
                    tls.unwrap()
                await at.until(lambda: at.reasons == [LeaveReason.END_OF_INPUT])
                assert at.gate.refusals == []

    async def test_is_not_all_that_is_to_be_tls(self, pair: Pair) -> None:
        async with scene() as at:
            client = at.join(tls=TlsSession(Certificate(pair.cert, pair.key).context))
            client.setblocking(True)
            context = pair.client_context()
            with await asyncio.to_thread(context.wrap_socket, client, server_hostname="chat.example") as tls:
                await at.until(lambda: at.events)
                with socket.socket(fileno=os.dup(tls.fileno())) as raw:
                    raw.send(b"\x17\x03\x03\x00\x05hello")
                await at.until(lambda: at.reasons == [LeaveReason.LOST])


class TestLateTurn:
    """A client whose turn comes when what it was for has been seen to, or is past."""

    async def late(self, at: Scene, client: socket.socket, data: bytes) -> Callable[[], None]:
        """What a client's turn does that has sent `data`."""
        at.turns.late = True
        client.send(data)
        await at.until(lambda: at.turns.steps)
        return at.turns.steps.pop()

    async def test_finds_nothing_where_all_was_read_meanwhile(self) -> None:
        async with scene() as at:
            client = at.join()
            read = await self.late(at, client, b"hello\n")
            read()
            read()
            assert at.said == ["hello"]
            at.turns.late = False
            client.send(b"again\n")
            await at.until(lambda: at.said == ["hello", "again"])

    async def test_reads_nothing_above_the_rate(self) -> None:
        async with scene(Settings(burst=1, rate=0.01)) as at:
            client = at.join()
            read = await self.late(at, client, b"one\ntwo\n")
            read()
            read()
            assert at.said == ["one"]

    async def test_finds_nothing_of_one_that_is_gone(self) -> None:
        async with scene(Settings(burst=1, rate=1000)) as at:
            client = at.join()
            read = await self.late(at, client, b"one\ntwo\nthree\n")
            read()
            await at.until(lambda: at.turns.steps)
            go_on = at.turns.steps.pop()
            go_on()
            assert at.said == ["one", "two"]
            connection = at.connections.get(1)
            assert connection
            connection.abort()
            at.turns.late = False
            read()
            go_on()
            await at.until(lambda: at.connections.get(1) is None)
            assert at.said == ["one", "two"]
            assert at.reasons == [LeaveReason.LOST]
