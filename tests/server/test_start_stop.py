"""The server's life: what it answers before, how often it starts and stops, and that nothing outlives it."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Pair
from support.chat_clients import Client, open_chat
from support.network import refuse_to_bind
from support.waiting import BOUND, until

from chat_console.server import chat_server
from chat_console.server.addresses import Endpoint
from chat_console.server.chat_server import ChatServer
from chat_console.server.gate.bans_file import BansFileError
from chat_console.server.room import notices
from chat_console.server.room.events import (
    Event,
    Joined,
    LeaveReason,
    Left,
    OperatorSaid,
    Refused,
    Replied,
    Started,
    Stopped,
)
from chat_console.server.settings import Settings
from chat_console.server.wire import listener
from chat_console.server.wire.listener import ListenError
from chat_console.server.wire.tls import CertificateError

GOODBYE = ["Server is shutting down", "You have left the server"]


def alive() -> dict[str, object]:
    """What is held now: the open files, and of the loop the tasks, the timers and the watched files."""
    loop: Any = asyncio.get_running_loop()
    return {
        "files": sorted(os.listdir("/dev/fd")),
        "tasks": asyncio.all_tasks(),
        "timers": [handle for handle in loop._scheduled if not handle.cancelled()],
        "watched": sorted(loop._selector.get_map()),
    }


LISTENING = 1
"""How many files a server holds that listens on one address."""


def open_files() -> int:
    return len(os.listdir("/dev/fd"))


async def turns(count: int) -> None:
    """Let the loop turn so often."""
    for _ in range(count):
        await asyncio.sleep(0)


class TestBeforeTheStart:
    def test_nobody_is_here_and_nothing_is_listened_on(self) -> None:
        server = ChatServer(Settings(port=4321))
        assert (server.port, server.endpoints, server.is_public) == (4321, (), False)
        assert server.members == ()
        assert server.details(1) is None
        operator = server.operator()
        assert operator.hit_by_ban(1) == []
        assert operator.network_of(1) is None
        assert not operator.message(1, "hello")
        assert not operator.kick(1)
        assert not operator.mute(1)
        assert not operator.unmute(1)
        assert not operator.ban(1)
        server.abort()

    async def test_what_is_said_reaches_nobody_and_what_is_asked_is_answered(self) -> None:
        server = ChatServer(Settings(port=0))
        told: list[Event] = []
        operator = server.operator(told.append)
        operator.say("hello")
        for line in ("hello", "/list", "/kick Ann", "/bans", "/reload"):
            operator.operate(line)
        server.chat.reload_certificate()
        assert [event.text for event in told if isinstance(event, OperatorSaid)] == ["hello", "hello"]
        assert [event.text for event in told if isinstance(event, Replied)] == [
            "No users connected",
            "Kicked 0 people.",
            "Nobody is banned",
            "Nothing to reload: no TLS certificate and no bans file.",
            "This server does not use TLS: there is no certificate to reload.",
        ]
        async with server:
            client = await Client.connect(server.port)
            assert await client.line() == f"Welcome {client.address} to the server!"
            client.close()

    def test_without_a_loop_it_can_be_asked_and_to_speak_is_an_error_that_harms_nothing(self) -> None:
        server = ChatServer(Settings(port=0))
        told: list[Event] = []
        operator = server.operator(told.append)
        operator.operate("/list")
        assert [event.text for event in told if isinstance(event, Replied)] == ["No users connected"]
        with pytest.raises(RuntimeError, match="no running event loop"):
            operator.say("hello")

        async def talk() -> str:
            async with server:
                client = await Client.connect(server.port)
                await client.line()
                operator.say("hello")
                line = await client.line()
                client.close()
            return line

        assert asyncio.run(talk()) == "Operator: hello"

    @pytest.mark.parametrize("in_file", [False, True])
    async def test_who_is_banned_stays_out(self, in_file: bool, tmp_path: Path) -> None:
        file = tmp_path / "bans"
        file.write_text("192.0.2.7/32 -\n")
        server = ChatServer(Settings(port=0, bans_file=file if in_file else None))
        server.operator().operate("/ban 127.0.0.1 --force")
        async with server:
            client = await Client.connect(server.port)
            assert await client.rest() == ["You are banned from this server"]
            client.close()
        assert file.read_text() == "192.0.2.7/32 -\n" + "127.0.0.1/32 -\n" * in_file

    async def test_a_stop_does_nothing_and_the_start_works_after_it(self) -> None:
        server = ChatServer(Settings(port=0))
        await server.stop()
        server.abort()
        async with server:
            (await Client.connect(server.port)).close()


class TestStart:
    async def test_twice_is_a_clear_error_that_leaves_the_first_alone(self) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            with pytest.raises(RuntimeError, match="only once"):
                await chat.server.start()
            chat.operator.say("still here")
            assert await ann.line() == "Operator: still here"

    async def test_twice_at_once_is_one_start_and_one_error(self) -> None:
        server = ChatServer(Settings(port=0))
        told: list[Event] = []
        server.subscribe(told.append)
        results = await asyncio.gather(server.start(), server.start(), return_exceptions=True)
        assert sorted(map(repr, map(type, results))) == ["<class 'NoneType'>", "<class 'RuntimeError'>"]
        assert [type(event) for event in told] == [Started]
        await server.stop()

    async def test_after_the_stop_is_a_clear_error(self) -> None:
        before = alive()
        server = ChatServer(Settings(port=0))
        async with server:
            pass
        with pytest.raises(RuntimeError, match="only once"):
            await server.start()
        assert alive() == before

    async def test_is_told_before_anybody_joins_and_its_subscriber_may_act(self) -> None:
        server = ChatServer(Settings(port=0))
        told: list[Event] = []
        server.subscribe(told.append)
        operator = server.operator(lambda event: operator.say("hi") if isinstance(event, Started) else None)
        async with server:
            assert [type(event) for event in told] == [Started, OperatorSaid]


class Failing:
    """Ways to make a start fail, each with the error that it ends in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, pair: Pair) -> None:
        self._patch = monkeypatch
        self._folder = folder
        self._pair = pair

    def a_foreign_address(self) -> tuple[dict[str, Any], type[BaseException]]:
        refuse_to_bind(self._patch, "127.0.0.2", OSError(errno.EADDRNOTAVAIL, "not here"))
        self._patch.setattr(listener, "is_loopback", lambda host: False)
        return {}, ListenError

    def a_bug_while_binding(self) -> tuple[dict[str, Any], type[BaseException]]:
        refuse_to_bind(self._patch, "127.0.0.2", OverflowError("bind(): port must be 0-65535."))
        return {}, OverflowError

    def no_memory_to_watch(self) -> tuple[dict[str, Any], type[BaseException]]:
        made: list[object] = []

        class Unwatched(listener.Listener):
            def __init__(self, *arguments: Any) -> None:
                if made:
                    raise OSError(errno.ENOMEM, "no memory")
                made.append(self)
                super().__init__(*arguments)

        self._patch.setattr(chat_server, "Listener", Unwatched)
        return {}, OSError

    def a_bans_file(self) -> tuple[dict[str, Any], type[BaseException]]:
        (self._folder / "bans").write_text("not a ban\n")
        return {"bans_file": self._folder / "bans"}, BansFileError

    def a_certificate(self) -> tuple[dict[str, Any], type[BaseException]]:
        return {"tls_cert": self._folder / "none.pem", "tls_key": self._pair.key}, CertificateError

    def being_cancelled(self) -> tuple[dict[str, Any], type[BaseException]]:
        loop = asyncio.get_running_loop()
        getaddrinfo = loop.getaddrinfo

        async def look_up(host: str, *arguments: Any, **options: Any) -> Any:
            if host == "127.0.0.2":
                starting = asyncio.current_task()
                assert starting
                starting.cancel()
                await asyncio.Event().wait()
            return await getaddrinfo(host, *arguments, **options)

        self._patch.setattr(loop, "getaddrinfo", look_up)
        return {}, asyncio.CancelledError


class TestFailedStart:
    @pytest.mark.parametrize("way", [name for name in vars(Failing) if not name.startswith("_")])
    async def test_leaves_nothing_behind_and_may_be_tried_again(
        self, way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pair: Pair
    ) -> None:
        await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 0)  # makes the thread for the next ones
        with monkeypatch.context() as patch:
            settings, error = getattr(Failing(patch, tmp_path, pair), way)()
            server = ChatServer(Settings(port=0, hosts=("127.0.0.1", "127.0.0.2"), **settings))
            told: list[Event] = []
            server.subscribe(told.append)
            before = alive()
            for _ in range(2):
                with pytest.raises(error):
                    await server.start()
                assert alive() == before
            await server.stop()
            assert (told, server.members, server.endpoints) == ([], (), ())
        (tmp_path / "bans").write_text("")
        if way == "a_certificate":
            (tmp_path / "none.pem").write_bytes(pair.cert.read_bytes())
        async with server:
            assert [type(event) for event in told] == [Started]
            assert server.endpoints == (
                Endpoint("127.0.0.1", server.port),
                Endpoint("127.0.0.2", server.port),
            )

    async def test_leaves_the_bans_file_to_other_servers(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        file = tmp_path / "bans"
        file.write_text("192.0.2.7/32 -\n")
        server = ChatServer(Settings(port=0, hosts=("127.0.0.1", "127.0.0.2"), bans_file=file))
        operator = server.operator()
        operator.operate("/ban 192.0.2.8")
        with monkeypatch.context() as patch:
            _, error = Failing(patch, tmp_path, Pair(file, file)).a_foreign_address()
            with pytest.raises(error):
                await server.start()
        operator.operate("/ban 192.0.2.9")
        async with open_chat(bans_file=file) as other:
            other.operator.operate("/unban 192.0.2.7")
        assert file.read_text() == ""
        async with server:
            assert [str(ban.network) for ban in server.chat.bans.all()] == ["192.0.2.8/32", "192.0.2.9/32"]
        assert file.read_text() == "192.0.2.8/32 -\n192.0.2.9/32 -\n"

    async def test_that_a_stop_was_waiting_for_is_the_end_of_that_too(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def look_up(*_: object, **__: object) -> Any:
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
        server = ChatServer(Settings(port=0))
        starting = asyncio.create_task(server.start())
        await turns(2)
        stopping = asyncio.create_task(server.stop())
        await turns(2)
        assert not stopping.done()
        starting.cancel()
        await asyncio.wait_for(stopping, BOUND)
        assert starting.cancelled()


class TestStop:
    async def test_that_comes_while_it_starts_stops_it_when_it_has_started(self) -> None:
        server = ChatServer(Settings(port=0))
        await asyncio.wait_for(asyncio.gather(server.start(), server.stop()), BOUND)
        with pytest.raises(ConnectionRefusedError):
            await Client.connect(server.port)

    async def test_waits_until_a_flood_of_events_is_told(self) -> None:
        server = ChatServer(Settings(port=0))
        told: list[Event] = []
        operator = server.operator(told.append)
        async with server:
            server.chat.emit_all([Left(0.0, number, "Ann", LeaveReason.BANNED) for number in range(2000)])
            operator.operate("/list")
        assert [type(event) for event in told] == [Started, *[Left] * 2000, Replied, Stopped]

    async def test_waits_for_a_flood_of_events_no_longer_than_its_grace(self) -> None:
        server = ChatServer(Settings(port=0, stop_grace=0.05))
        operator = server.operator(lambda event: operator.list_users())
        await server.start()
        server.chat.emit_all([Left(0.0, number, "Ann", LeaveReason.BANNED) for number in range(2)])
        await asyncio.wait_for(server.stop(), BOUND)
        operator.close()

    async def test_twice_waits_twice(self) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            stopping = [asyncio.create_task(chat.server.stop()) for _ in range(3)]
            assert await ann.rest() == GOODBYE
            await turns(5)
            assert not any(task.done() for task in stopping)
            ann.close()
            await asyncio.wait_for(asyncio.gather(*stopping), BOUND)

    async def test_twice_one_after_the_other_says_goodbye_once(self) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            first = asyncio.create_task(chat.server.stop())
            assert await ann.raw() == b"Server is shutting down\n"
            second = asyncio.create_task(chat.server.stop())
            assert await ann.rest() == GOODBYE[1:]
            assert not second.done()
            ann.close()
            await asyncio.wait_for(asyncio.gather(first, second), BOUND)

    async def test_that_is_cancelled_cuts_all_at_once_and_the_other_returns(self) -> None:
        async with open_chat(stop_grace=2 * BOUND, close_grace=600) as chat:
            (ann,) = await chat.gather("Ann")
            stopping = [asyncio.create_task(chat.server.stop()) for _ in range(2)]
            assert await ann.rest() == GOODBYE  # and it never closes its end
            stopping[0].cancel()
            await asyncio.wait_for(stopping[1], BOUND)
            assert stopping[0].cancelled()
            await asyncio.wait_for(chat.server.stop(), BOUND)

    async def test_leaves_nobody_to_act_upon_and_every_act_harmless(self) -> None:
        async with open_chat() as chat:
            await chat.gather("Ann")
            chat.clients[0].close()
            await chat.server.stop()
            server, port = chat.server, chat.server.port
            operator = chat.operator
            server.abort()
            operator.say("hello")
            for line in ("hello", "/list", "/kick Ann", "/mute Ann 10m", "/bans", "/quit"):
                operator.operate(line)
            server.chat.reload()
            server.chat.reload_certificate()
            assert not any([operator.kick(1), operator.mute(1), operator.unmute(1), operator.ban(1)])
            assert not operator.message(1, "x")
            assert (server.members, server.details(1), operator.hit_by_ban(1)) == ((), None, [])
            assert (server.port, server.endpoints) == (port, (Endpoint("127.0.0.1", port),))


class TestCancellation:
    """Of what runs inside `async with`."""

    @pytest.fixture
    async def inside(self) -> AsyncIterator[tuple[asyncio.Task[None], ChatServer, Client]]:
        """A task that waits inside, its server, and a client that has read its welcome."""
        server = ChatServer(Settings(port=0, stop_grace=2 * BOUND, close_grace=600))
        entered = asyncio.Event()

        async def run() -> None:
            async with server:
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(run())
        async with asyncio.timeout(BOUND):
            await entered.wait()
        client = await Client.connect(server.port)
        await client.line()
        yield task, server, client
        task.cancel()
        client.close()

    async def test_says_goodbye(self, inside: tuple[asyncio.Task[None], ChatServer, Client]) -> None:
        task, server, client = inside
        task.cancel()
        assert await client.rest() == GOODBYE
        assert not task.done()
        client.close()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, BOUND)
        with pytest.raises(ConnectionRefusedError):
            await Client.connect(server.port)

    async def test_twice_waits_for_nobody(
        self, inside: tuple[asyncio.Task[None], ChatServer, Client]
    ) -> None:
        task, server, client = inside
        task.cancel()
        assert await client.rest() == GOODBYE
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, BOUND)
        with pytest.raises(ConnectionRefusedError):
            await Client.connect(server.port)
        await client.cut_off()


class TestWhatOutlivesIt:
    @pytest.mark.parametrize("end", ["stop", "cancelled stop"])
    async def test_is_no_timer_no_task_and_no_open_file(self, end: str) -> None:
        before = alive()
        settings = Settings(
            port=0, max_clients=5, burst=3, rate=0.01, close_grace=600, stall_timeout=600, max_backlog=1 << 24
        )
        server = ChatServer(settings)
        told: list[Event] = []
        operator = server.operator(told.append)
        await server.start()
        held = open_files()
        clients: list[socket.socket] = []

        async def join(number: int) -> socket.socket:
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            clients.append(client)
            await until(lambda: len(server.members) == number)
            return client

        # A mute that ends, lines that wait for their turn, a reader that is stalled, one that was kicked and
        # has not closed its end, one that was refused.
        for number in range(1, 6):
            await join(number)
        muted, waiting, stalled, kicked = server.members[:4]
        operator.operate(f"/mute {muted.address} 10m")
        clients[1].sendall(b"hello\n" * 50)
        await until(lambda: waiting.lines)
        while not (details := server.details(stalled.id)) or not details.waiting:
            operator.message(stalled.id, "x" * 20_000)
            await asyncio.sleep(0)
        operator.kick(kicked.id)
        operator.kick(kicked.id)
        while not any(isinstance(event, Refused) for event in told):
            clients.append(socket.create_connection(("127.0.0.1", server.port)))
            await asyncio.sleep(0)
        stopping = asyncio.create_task(server.stop())
        if end == "cancelled stop":
            await until(lambda: not server.members)
            stopping.cancel()
        else:
            server.abort()
        await asyncio.wait([stopping], timeout=BOUND)
        assert stopping.done()
        await until(lambda: open_files() == held - LISTENING + len(clients))
        await turns(2)
        for client in clients:
            client.close()
        assert [event.reason for event in told if isinstance(event, Left)][:1] == [LeaveReason.KICKED]
        assert sum(isinstance(event, Joined) for event in told) == 5
        assert alive() == before

    @pytest.mark.parametrize("end", ["stop", "abort", "cancelled stop"])
    async def test_is_no_handshake_that_was_never_finished(self, end: str, pair: Pair) -> None:
        before = alive()
        tls: dict[str, Any] = {"tls_cert": pair.cert, "tls_key": pair.key, "tls_handshake_timeout": 600}
        server = ChatServer(Settings(port=0, stop_grace=600, **tls))
        await server.start()
        held = open_files()
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
        clients[0].sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
        await until(lambda: open_files() == held + 2 * len(clients))  # both ends of each
        stopping = asyncio.create_task(server.stop())
        if end != "stop":
            await turns(1)
            stopping.cancel() if end == "cancelled stop" else server.abort()
        await asyncio.wait([stopping], timeout=BOUND)
        assert stopping.done()
        await until(lambda: open_files() == held - LISTENING + len(clients))
        await turns(2)
        for client in clients:
            client.close()
        assert alive() == before

    async def test_is_no_timer_of_a_refusal_and_what_was_not_told_is_told(self) -> None:
        before = alive()["timers"]
        async with open_chat(max_clients=1) as chat:
            await chat.gather("Ann")
            for _ in range(3):
                assert await (await chat.connect()).rest() == ["Server is full"]
            chat.clients[0].close()
            await chat.server.stop()
            assert [event.count for event in chat.events if isinstance(event, Refused)] == [1, 2]
            assert alive()["timers"] == before


def test_the_helpers_of_these_tests_see_what_is_there() -> None:
    async def look() -> None:
        loop = asyncio.get_running_loop()
        before = alive()
        timer = loop.call_later(600, print)
        task = asyncio.create_task(asyncio.sleep(0))
        with socket.socket() as sock:
            loop.add_reader(sock, print)
            now = alive()
            assert all(now[kind] != before[kind] for kind in before)
            loop.remove_reader(sock)
        timer.cancel()
        await task
        assert alive() == before

    asyncio.run(look())


async def test_a_server_whose_start_failed_has_no_certificate_to_reload(pair: Pair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = ChatServer(Settings(port=port, tls_cert=pair.cert, tls_key=pair.key))
        with pytest.raises(ListenError):
            await server.start()
    events: list[object] = []
    server.operator(events.append).reload()
    assert [event.text for event in events if isinstance(event, Replied)] == [notices.nothing_to_reload()]
