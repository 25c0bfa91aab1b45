"""The process of one node under measurement. Its clients have no sockets, and it does what stdin says.

Each line of stdin is JSON with what to `do` and its arguments, and each is answered by one line on stdout.
Times are in seconds. Without the URL of an engine it is a server that is no node of any cluster.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import os
import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from chat_console.server.addresses import Address
from chat_console.server.chat_server import ChatServer
from chat_console.server.cluster.clustered_server import ClusteredServer
from chat_console.server.cluster.jetstream import Subjects, new_consumer, new_stream
from chat_console.server.cluster.settings import ClusterSettings
from chat_console.server.room.entries import Leave, Lines
from chat_console.server.room.events import LeaveReason
from chat_console.server.settings import Settings
from chat_console.server.wire.codec import LF

LINE = re.compile(rb"^(\w+): x (\d+) (\d+) ", re.MULTILINE)
"""What the ear gets of a line: who says it, its number from 0, and when, in ns of the monotonic clock."""

MARK = b": x "
"""Stands once in each of them."""

TEXT = "some words said here"

AT_ONCE = 64
"""How many lines each sender says at a time at full speed."""

PATIENCE = 60.0
"""How long anything may take."""


class Deaf:
    """A client who reads nothing."""

    codec = LF

    def write(self, data: bytes) -> None: ...

    def write_all(self, pieces: Sequence[bytes]) -> None: ...

    def finish(self) -> None: ...

    def answered(self) -> None: ...


class Ear(Deaf):
    """A client who keeps what comes, with the time."""

    def __init__(self) -> None:
        self.got: list[tuple[int, bytes]] = []
        self.lines = 0
        self.last_at = 0
        self.heard: Callable[[bytes], object] = lambda data: None

    def write(self, data: bytes) -> None:
        self.last_at = time.monotonic_ns()
        self.got.append((self.last_at, data))
        self.lines += data.count(MARK)
        self.heard(data)

    def write_all(self, pieces: Sequence[bytes]) -> None:
        self.write(b"".join(pieces))

    def forget(self) -> None:
        self.got.clear()
        self.lines = 0


async def until(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds.

    Raises:
        TimeoutError: if it never does.
    """
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it never came to that")
        await asyncio.sleep(0.005)


def memory() -> int:
    """How many bytes of memory the process has (its resident set)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Program:
    """The node and its clients."""

    def __init__(self, node: str, room: str, urls: list[str], storage: str, replicas: int) -> None:
        self.name = node
        settings = Settings(port=0, rate=0, max_clients=0)
        self.cluster: ClusterSettings | None = None
        if urls:
            self.cluster = ClusterSettings(
                urls=tuple(urls), node=node, room=room, storage=storage, replicas=replicas
            )
        self.server = ClusteredServer(self.cluster, settings) if self.cluster else ChatServer(settings)
        self.chat = self.server.chat
        self.numbers = self.chat.ids_from
        self.ear = Ear()
        self.senders: list[int] = []
        self.sent: dict[int, int] = {}
        self.longest_turn = 0.0

    def join(self, receiver: Deaf) -> int:
        """One more client; return its id."""
        self.numbers += 1
        number = self.numbers - self.chat.ids_from
        host = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        self.chat.join(self.numbers, Address(host, 40_000 + number % 20_000), receiver)
        return self.numbers

    def send(self, member: int, *lines: str) -> None:
        self.chat.submit(Lines(self.chat.now(), member, lines))

    def is_named(self, member: int) -> bool:
        found = self.chat.room.roster.get(member)
        return found is not None and found.nickname is not None

    async def watch_turns(self) -> None:
        """Measure how much CPU time the event loop takes at most until it comes round."""
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.001)
            self.longest_turn = max(self.longest_turn, time.thread_time() - before)

    # What it is told to do

    async def do_enter(self) -> dict[str, Any]:
        """Start, and come in."""
        began_at, cpu = time.monotonic(), time.process_time()
        watch = asyncio.create_task(self.watch_turns())
        await self.server.start()
        took, cpu = time.monotonic() - began_at, time.process_time() - cpu
        watch.cancel()
        return {"took": took, "cpu": cpu, "longest_turn": self.longest_turn}

    async def do_listen(self, senders: int) -> dict[str, Any]:
        """Let the ear and the senders in."""
        ear = self.join(self.ear)
        self.senders = [self.join(Deaf()) for _ in range(senders)]
        for number, sender in enumerate(self.senders):
            self.send(sender, f"/nick {self.name}{number}")
        await until(lambda: self.chat.room.roster.get(ear) and all(map(self.is_named, self.senders)))
        return {}

    async def do_people(self, count: int) -> dict[str, Any]:
        """Let so many in who say nothing, each with a nickname."""
        people: list[int] = []
        for number in range(count):
            people.append(self.join(Deaf()))
            self.send(people[-1], f"/nick {self.name}_{number}")
            if number % 200 == 199:
                await asyncio.sleep(0)
                await until(lambda: not self.chat.order.is_full)
        await until(lambda: self.is_named(people[-1]))
        self.ear.forget()
        return {}

    async def do_count(self, users: int) -> dict[str, Any]:
        """Wait until so many are here."""
        await until(lambda: len(self.server.members) == users)
        return {}

    def say(self, sender: int, count: int = 1) -> None:
        first, at = self.sent.get(sender, 0), time.monotonic_ns()
        self.send(self.senders[sender], *(f"x {first + each} {at} {TEXT}" for each in range(count)))
        self.sent[sender] = first + count

    async def do_load(self, rate: float, seconds: float) -> dict[str, Any]:
        """Say `rate` lines a second, at random times."""
        self.ear.forget()
        self.sent = {}
        loop = asyncio.get_running_loop()
        at = began_at = loop.time()
        while (at := at + random.expovariate(rate)) < began_at + seconds:
            if (wait := at - loop.time()) > 0:
                await asyncio.sleep(wait)
            self.say(random.randrange(len(self.senders)))
        return {"sent": self.said}

    async def do_flood(self, seconds: float) -> dict[str, Any]:
        """Say as many lines as the room takes."""
        self.ear.forget()
        self.sent = {}
        began_at = time.monotonic()
        while time.monotonic() < began_at + seconds:
            if not self.chat.order.is_full:
                for sender in range(len(self.senders)):
                    self.say(sender, AT_ONCE)
            await asyncio.sleep(0)
        return {"sent": self.said, "began_at": began_at}

    @property
    def said(self) -> dict[str, int]:
        return {f"{self.name}{number}": count for number, count in self.sent.items()}

    async def do_settle(self, lines: int) -> dict[str, Any]:
        """Wait until so many lines have come to the ear, and a little longer for those that are too many."""
        await until(lambda: self.ear.lines >= lines)
        cpu, last_at = time.process_time(), self.ear.last_at / 1e9
        await asyncio.sleep(0.1)
        return {"last_at": last_at, "cpu": cpu}

    async def do_heard(self, sent: dict[str, int]) -> dict[str, Any]:
        """What has come of `sent`, by sender: whether all of it, in which order, and how late others' was."""
        late: list[float] = []
        order = hashlib.blake2b()
        counts = dict.fromkeys(sent, 0)
        twice = disorder = 0
        for at, data in self.ear.got:
            for name, number, said_at in LINE.findall(data):
                sender, ordinal = name.decode(), int(number)
                order.update(b"%s %s\n" % (name, number))
                expected = counts.setdefault(sender, 0)
                twice += ordinal < expected
                disorder += ordinal > expected
                counts[sender] = max(expected, ordinal + 1)
                if not sender.startswith(self.name):
                    late.append((at - int(said_at)) / 1e9)
        lost = sum(max(0, count - counts[sender]) for sender, count in sent.items())
        extra = self.ear.lines - sum(sent.values())
        self.ear.forget()
        faults = {"lost": lost, "twice": twice, "out of order": disorder, "too many": extra}
        return {
            "faults": [
                f"{count} lines {fault} at {self.name}" for fault, count in faults.items() if count > 0
            ],
            "late": late,
            "order": order.hexdigest(),
        }

    async def do_nick(self, count: int) -> dict[str, Any]:
        """How long it takes to get a nickname, one after the other."""
        ear, times = Ear(), list[float]()
        member = self.join(ear)
        await until(lambda: self.chat.room.roster.get(member))
        for number in range(count):
            named = asyncio.Event()
            ear.heard = lambda data, named=named: named.set() if b"You are now" in data else None
            began_at = time.monotonic()
            self.send(member, f"/nick {self.name}-n{number}")
            await asyncio.wait_for(named.wait(), PATIENCE)
            times.append(time.monotonic() - began_at)
            await asyncio.sleep(0.002)
        self.chat.submit(Leave(self.chat.now(), (member,), LeaveReason.QUIT))
        return {"times": times}

    async def do_bare(self, count: int) -> dict[str, Any]:
        """How long it takes to write into a stream like the room's and to read that, one after the other."""
        assert self.cluster is not None
        room = Subjects("bare", self.name)
        settings = ClusterSettings(
            urls=self.cluster.urls,
            node=self.name,
            room="bare",
            storage=self.cluster.storage,
            replicas=self.cluster.replicas,
        )
        client, times = Client(), list[float]()
        come = asyncio.Event()

        async def read(message: Msg) -> None:
            if message.reply.startswith("$JS.ACK."):
                come.set()
            elif message.reply:
                await client.publish(message.reply)

        await client.connect(servers=list(self.cluster.urls))
        inbox = client.new_inbox()
        await client.subscribe(inbox, cb=read)
        for what, about in (
            (f"STREAM.CREATE.{room.stream}", new_stream(settings)),
            (f"CONSUMER.CREATE.{room.stream}", new_consumer(room.stream, 1, inbox)),
        ):
            await client.request(f"$JS.API.{what}", json.dumps(about).encode(), timeout=PATIENCE)
        for _ in range(count):
            come.clear()
            began_at = time.monotonic()
            await client.publish(room.entries, b"x" * 100)
            await asyncio.wait_for(come.wait(), PATIENCE)
            times.append(time.monotonic() - began_at)
            await asyncio.sleep(0.001)
        await client.request(f"$JS.API.STREAM.DELETE.{room.stream}", timeout=PATIENCE)
        await client.close()
        return {"times": times}

    async def do_turns(self, seconds: float) -> dict[str, Any]:
        """The longest turn of the loop in so many seconds from now on, without waiting for it."""
        self.longest_turn = 0.0
        self.watch = asyncio.create_task(asyncio.wait_for(self.watch_turns(), seconds))
        return {}

    async def do_longest_turn(self) -> dict[str, Any]:
        self.watch.cancel()
        return {"longest_turn": self.longest_turn}

    async def do_use(self) -> dict[str, Any]:
        """The CPU time that the process has used so far, and the memory that it has now."""
        gc.collect()
        return {"cpu": time.process_time(), "memory": memory()}

    async def do_stop(self) -> dict[str, Any]:
        """Say goodbye."""
        await self.server.stop()
        return {}

    async def run(self) -> None:
        reader = asyncio.StreamReader(limit=1 << 24)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            command = json.loads(line)
            try:
                answer = await getattr(self, f"do_{command.pop('do')}")(**command)
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


async def main(about: dict[str, Any]) -> None:
    await Program(**about).run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
