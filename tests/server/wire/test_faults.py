"""What can go wrong around the server: no descriptors, no disk, clients that vanish, clocks that are set."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import struct
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from support.chat_clients import Chat, Client, Clock, open_chat
from support.waiting import BOUND

from chat_console.server import chat as chat_module
from chat_console.server import chat_server
from chat_console.server.room.events import Failed, Joined, LeaveReason, Left, Muted, Replied

GOODBYE = "You have left the server"

# A server that may open 30 files; it writes its port, then each event, and ends with its stdin.
SHORT_OF_FILES = """
import asyncio, resource, sys
from chat_console.server.chat_server import ChatServer, Settings

async def main():
    server = ChatServer(Settings(port=0))
    server.subscribe(lambda event: print(event, flush=True))
    async with server:
        print(server.port, flush=True)
        resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"""


class TestDescriptors:
    async def test_that_run_out_are_told_once_and_who_waits_gets_in_when_others_leave(self) -> None:
        command = (sys.executable, "-W", "error", "-c", SHORT_OF_FILES)
        program = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert program.stdin and program.stdout and program.stderr
        try:
            async with asyncio.timeout(BOUND):
                await program.stdout.readline()  # it has started
                port = int(await program.stdout.readline())
                clients = [await Client.connect(port) for _ in range(40)]
                events = b""
                while b"Too many open files" not in events:
                    events += await program.stdout.readline()
                for name in ("Ann", "Bob", "Cid"):  # time for all who were accepted to join
                    clients[0].send(f"/nick {name}")
                    await clients[0].until(f"You are now {name}")
                while b"Cid" not in events:
                    events += await program.stdout.readline()
                welcomed = events.count(b"Joined(")
                assert 0 < welcomed < 30
                for client in clients[:welcomed]:
                    client.close()
                for client in clients[welcomed:]:
                    assert f"Welcome {client.address} to the server!" in await client.line()
                    client.close()
                program.stdin.close()
                rest = await program.stdout.read()
                assert rest.count(b"Failed(") <= 2  # another where not all had left in time
                assert await program.stderr.read() == b""
                assert await program.wait() == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                program.kill()
            await program.wait()

    async def test_that_run_out_leave_those_who_are_here_alone(
        self, monkeypatch: pytest.MonkeyPatch, clock: Clock
    ) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")

            def accept(_: socket.socket) -> None:
                raise OSError(errno.EMFILE, "Too many open files")

            with monkeypatch.context() as patch:
                patch.setattr(socket.socket, "accept", accept)
                cid = await chat.connect()
                failed = await chat.event(Failed)
                assert (failed.where, failed.error) == (
                    "new connections",
                    "OSError: [Errno 24] Too many open files",
                )
                for _ in range(10):
                    await chat.pass_time(clock, 1)
                ann.send("hello")
                assert await bob.line() == "Ann: hello"
                assert not [event for event in chat.events if isinstance(event, Failed)]
            await chat.pass_time(clock, 1)
            assert await cid.line() == f"Welcome {cid.address} to the server!"


async def test_a_full_disk_leaves_the_bans_file_as_it_was_and_the_operator_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = tmp_path / "bans"
    async with open_chat(bans_file=file) as chat:
        chat.operator.operate("/ban 192.0.2.7")
        await chat.until(file.exists)
        before = file.read_bytes()
        chat.events.clear()
        monkeypatch.setattr(os, "fsync", fail)
        chat.operator.operate("/ban 192.0.2.8")
        assert (await chat.event(Replied)).text == "Banned 192.0.2.8 until unbanned."
        assert (await chat.event(Replied)).text == (
            "Could not write the bans file (No space left on device): "
            "this change lasts only until the server stops."
        )
        assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["bans"]


def reset(sock: socket.socket) -> None:
    """Close with RST, as after a crash."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


async def turns(count: int) -> None:
    """Let the loop turn so often."""
    for _ in range(count):
        await asyncio.sleep(0)


class TestResets:
    """A client vanishes at each of several turns of the loop around one moment."""

    @pytest.mark.parametrize("count", range(6))
    async def test_during_the_welcome_cost_nobody_else(self, count: int) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            for _ in range(5):
                sock = socket.create_connection(("127.0.0.1", chat.server.port), timeout=BOUND)
                await turns(count)
                reset(sock)
            cid = await chat.connect()
            await cid.line()
            await chat.until(lambda: len(chat.server.members) == 3)
            ann.send("hello")
            lines = await bob.until("Ann: hello")
            joined = [event.address for event in chat.events if isinstance(event, Joined)]
            assert [line for line in lines if line.startswith("Welcome")] == [
                f"Welcome {address} to the server!" for address in joined
            ]
            left = [line for line in lines if line.endswith("has left the server.")]
            assert sorted(left) == sorted(f"{address} has left the server." for address in joined[:-1])

    @pytest.mark.parametrize("count", range(4))
    @pytest.mark.parametrize("first", ["kick", "reset"])
    async def test_during_a_kick_let_it_happen_once(self, first: str, count: int) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            steps = [lambda: chat.operator.operate("/kick Ann"), ann.reset]
            for step in steps if first == "kick" else reversed(steps):
                step()
                await turns(count)
            chat.operator.say("done")
            assert await bob.until("Operator: done") == ["Ann has left the server.", "Operator: done"]
            bob.close()
            await asyncio.wait_for(chat.server.stop(), BOUND)  # which waits until nothing is left of Ann
            (left,) = [event for event in chat.events if isinstance(event, Left) and event.name == "Ann"]
            assert left.reason in (LeaveReason.KICKED, LeaveReason.LOST)

    @pytest.mark.parametrize("count", range(4))
    async def test_during_the_end_do_not_hold_it_up(self, count: int) -> None:
        async with open_chat(close_grace=600, stop_grace=600) as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            stopping = asyncio.create_task(chat.server.stop())
            await turns(count)
            ann.reset()
            assert (await bob.rest())[-2:] == ["Server is shutting down", GOODBYE]
            bob.close()
            await asyncio.wait_for(stopping, BOUND)


async def test_a_server_starts_again_on_a_port_that_is_still_in_time_wait() -> None:
    async with open_chat() as chat:
        (ann,) = await chat.gather("Ann")
        port = chat.server.port
        stopping = asyncio.create_task(chat.server.stop())
        await ann.rest()
        ann.close()  # behind the server, whose end so waits on
        await asyncio.wait_for(stopping, BOUND)
    with socket.socket() as sock:
        with pytest.raises(OSError) as raised:
            sock.bind(("127.0.0.1", port))
        assert raised.value.errno == errno.EADDRINUSE
    server = chat_server.ChatServer(chat_server.Settings(port=port))
    async with server:
        assert server.port == port


class TestWallClock:
    @pytest.mark.parametrize("jump", [-1e8, 1e8], ids=["back", "forward"])
    async def test_that_is_set_changes_no_interval(
        self, monkeypatch: pytest.MonkeyPatch, clock: Clock, jump: float
    ) -> None:
        wall = [1.7e9]
        monkeypatch.setattr(chat_server, "Chat", partial(chat_module.Chat, now=lambda: wall[0]))
        async with open_chat(burst=3, rate=0.01) as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            chat.operator.operate("/ban 192.0.2.7 10m")
            chat.operator.operate("/mute Bob 10m")
            await chat.pass_time(clock, 0)
            wall[0] += jump
            assert await self.listed(chat) == "192.0.2.7 for 10m"
            details = chat.server.details(1)
            assert details
            assert details.idle is not None
            assert details.here is not None
            assert 0 <= details.idle <= details.here < BOUND
            await chat.pass_time(clock, 10 * 60 - 1)
            assert chat.server.members[1].muted
            await chat.pass_time(clock, 1)
            assert not chat.server.members[1].muted
            assert await self.listed(chat) == "Nobody is banned"
            ann.send(*["hello"] * 4)
            assert [await bob.line() for _ in range(5)] == [
                "You are muted",
                "You are no longer muted",
                *["Ann: hello"] * 3,
            ]
            await chat.pass_time(clock, 100)
            assert await bob.line() == "Ann: hello"
            assert [event.muted for event in chat.events if isinstance(event, Muted)] == [True, False]

    async def listed(self, chat: Chat) -> str:
        chat.events[:] = [event for event in chat.events if not isinstance(event, Replied)]
        chat.operator.operate("/bans")
        return (await chat.event(Replied)).text
