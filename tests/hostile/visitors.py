"""Clients that come, talk, rename themselves and go, over and over."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from random import Random
from typing import cast

from .program import PATIENCE

_PAUSE = 2.0  # seconds between two visits, at most


class Visit(asyncio.Protocol):
    """One connection; of what it hears only the beginning and the end are kept."""

    def __init__(self) -> None:
        self.heard = 0
        """How many lines have come."""
        self.first = self.last = b""
        self.left = asyncio.get_running_loop().create_future()
        """Done when the connection has ended."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.heard += data.count(b"\n")
        self.first = self.first or data[:100]
        self.last = (self.last + data)[-100:]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.left.done():
            self.left.set_result(exc)

    def say(self, *lines: str) -> None:
        self.transport.write("".join(line + "\n" for line in lines).encode())

    def reset(self) -> None:
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Crowd:
    """So many places, each of which one visitor has after the other.

    Args:
        port: the server's.
        places: how many visitors there are at a time, but for short pauses.
        stay: how long a visit takes on average, in seconds.
        rate: how many lines a second all visitors together say.
        random: decides what they do.
    """

    def __init__(self, port: int, places: int, stay: float, rate: float, random: Random) -> None:
        self.counts: Counter[str] = Counter()
        """How often what was done."""
        self.faults: Counter[str] = Counter()
        """How often what went wrong."""
        self._port = port
        self._stay = stay
        self._pause = places / rate
        self._places = [Random(random.random()) for _ in range(places)]
        self._closing = asyncio.Event()

    async def come_and_go(self, ramp: float) -> None:
        """Let the places fill up over `ramp` seconds; return when they are empty again, after `end`."""
        async with asyncio.TaskGroup() as group:
            for number, random in enumerate(self._places):
                group.create_task(self._take_place(ramp * number / len(self._places), number, random))

    def end(self) -> None:
        """Let everybody go, and nobody come."""
        self._closing.set()

    async def _take_place(self, wait: float, number: int, random: Random) -> None:
        await self._sleep(wait)
        while not self._closing.is_set():
            await self._visit(number, random)
            await self._sleep(random.uniform(0, min(_PAUSE, self._stay)))

    async def _sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the end."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    async def _visit(self, number: int, random: Random) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE):
                _, visit = await loop.create_connection(Visit, "127.0.0.1", self._port)
        except OSError:
            self.faults["not let in"] += 1
            return
        self.counts["visits"] += 1
        end = loop.time() + random.expovariate(1 / self._stay)
        try:
            while loop.time() < end and not self._closing.is_set():
                await self._sleep(min(random.expovariate(1 / self._pause), end - loop.time()))
                if visit.left.done():
                    self.faults["cut off"] += 1
                    return
                self._talk(visit, number, random)
            await self._leave(visit, random)
        except OSError:
            self.faults["cut off"] += 1
        finally:
            visit.transport.abort()
        self.counts["lines heard"] += visit.heard

    def _talk(self, visit: Visit, number: int, random: Random) -> None:
        kind = random.random()
        if kind < 0.75:
            visit.say("Is anybody here? Grüße \U0001f600")
        elif kind < 0.77:
            visit.say(*(f"line {line} of many" for line in range(25)))  # above what may be said at once
        elif kind < 0.9:
            visit.say(f"/nick Visitor{number}.{random.randrange(100)}")
        elif kind < 0.95:
            visit.say(f"/msg Visitor{random.randrange(len(self._places))}.{random.randrange(100)} psst")
        else:
            visit.say("/list")
        self.counts["lines sent"] += 25 if 0.75 <= kind < 0.77 else 1

    async def _leave(self, visit: Visit, random: Random) -> None:
        way = random.choice(("reset", "half-close", "quit"))
        self.counts[way] += 1
        if way == "reset":
            visit.reset()
        elif way == "quit":
            visit.say("/quit")
        else:
            visit.transport.write_eof()
        try:
            async with asyncio.timeout(PATIENCE):
                await visit.left
        except TimeoutError:
            self.faults["not let go"] += 1
        else:
            if way != "reset" and not visit.last.endswith(b"\nYou have left the server\n"):
                self.faults["not seen off"] += 1
            if way != "reset" and not visit.first.startswith(b"Welcome 127.0.0.1|"):
                self.faults["not welcomed"] += 1
