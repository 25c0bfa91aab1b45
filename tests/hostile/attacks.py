"""What hostile clients do with the server."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from random import Random

from . import payloads
from .checks import Stream
from .program import PATIENCE
from .talkers import NAMES, Circle

ENDLESS = 10 << 20
"""How long the longest line is, in bytes."""

MANY = 2_000
"""How many lines a flood has."""

_WONT_TIMING_MARK = b"\xff\xfc\x06"
_STUBBORN = 1.0  # seconds that a client goes on sending when it is not read, or reading when nothing comes
_LAST_LINE = b"You have left the server"


class Connection:
    """A hostile client's connection. What the server sends it is checked, if it reads at all."""

    def __init__(self, sock: socket.socket, random: Random) -> None:
        self.sent = 0
        """How many bytes it has sent."""
        self.stream = Stream("a hostile client")
        self._sock = sock
        self._random = random
        self._held = b""
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes, cuts: int = 0) -> None:
        """Send `data` in pieces, with so many cuts, as long as the server takes it."""
        points = sorted(self._random.randrange(len(data) + 1) for _ in range(cuts))
        for start, end in zip([0, *points], [*points, len(data)], strict=True):
            async with asyncio.timeout(_STUBBORN):
                await self._loop.sock_sendall(self._sock, data[start:end])
            self.sent += end - start
            await asyncio.sleep(0)

    async def read(self, until: bytes = b"", limit: int = 1 << 20) -> None:
        """Read until the line of these bytes, the end, so many bytes, or nothing for a while."""
        last = b""
        with suppress(TimeoutError):
            while limit > 0 and not (until and until in last):
                async with asyncio.timeout(_STUBBORN):
                    data = await self._loop.sock_recv(self._sock, 1 << 16)
                if not data:
                    return
                self._take(data)
                limit -= len(data)
                last = last[-len(until) :] + data

    def hang_up(self) -> None:
        """Close the sending half."""
        self._sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Vanish with RST; what is under way in either direction is lost."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def _take(self, data: bytes) -> None:
        data = (self._held + data).replace(_WONT_TIMING_MARK, b"")
        self._held = next((end for end in (b"\xff\xfc", b"\xff") if data.endswith(end)), b"")
        self.stream.take(data.removesuffix(self._held))


@dataclass
class Target:
    """A server under attack, and what has been done to it."""

    port: int
    circle: Circle
    connections: int = 0
    sent: int = 0
    """Bytes."""
    cuts: set[int] = field(default_factory=set)
    """At which points a session was cut, see `cut_at_every_point`."""
    attacks: set[str] = field(default_factory=set)
    """Which attacks have been made at least once."""
    faults: list[str] = field(default_factory=list)
    """What was wrong with what hostile clients got."""

    @asynccontextmanager
    async def connection(self, random: Random, receive_buffer: int = 0) -> AsyncIterator[Connection]:
        """A connection, which is closed at the end."""
        with socket.socket() as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            async with asyncio.timeout(PATIENCE):
                await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
            self.connections += 1
            connection = Connection(sock, random)
            try:
                if random.random() < 0.8:  # or else whatever is not text is taken for another protocol
                    await connection.send(b"/hi\n")
                yield connection
            finally:
                self.sent += connection.sent
                self.faults += connection.stream.faults

    async def attack(self, first: int, seed: str) -> None:
        """Make one attack after the other until cancelled, beginning with attack number `first`."""
        for number in count(first):
            attack = ATTACKS[number % len(ATTACKS)]
            # One for each attack, since how far the one before has come depends on the timing too.
            random = Random(f"{seed} {number}")
            # The server may well drop such a client, or not read it for a while.
            with suppress(ConnectionError, TimeoutError):
                await attack(self, random)
            self.attacks.add(attack.__name__)
            await self.circle.turn()

    async def cut_at_every_point(self, random: Random) -> None:
        """Cut a session at each of its bytes, by a reset and by a half-close, until cancelled."""
        while True:
            session = payloads.session(random)
            for point in range(len(session) + 1):
                with suppress(ConnectionError, TimeoutError):
                    async with self.connection(random) as client:
                        await client.send(session[:point])
                        client.reset()
                    async with self.connection(random) as client:
                        await client.send(session[:point])
                        client.hang_up()
                        await client.read()
                    self.cuts.add(point)
                if not point % 10:
                    await self.circle.turn()


# The attacks


async def random_bytes(target: Target, random: Random) -> None:
    await _say(target, random, [payloads.random_bytes(random)])


async def truncated_utf8(target: Target, random: Random) -> None:
    await _say(target, random, [payloads.truncated(random)])


async def split_telnet(target: Target, random: Random) -> None:
    await _say(target, random, [payloads.telnet(random)], cuts=200)


async def control_strings(target: Target, random: Random) -> None:
    await _say(target, random, [payloads.marked(random) for _ in range(30)])


async def nasty_text(target: Target, random: Random) -> None:
    await _say(target, random, [payloads.nasty(random) for _ in range(100)])


async def forged_lines(target: Target, random: Random) -> None:
    await _say(target, random, [payloads.forged(random, NAMES) for _ in range(30)])


async def commands(target: Target, random: Random) -> None:
    await _say(target, random, [payloads.command(random, NAMES) for _ in range(100)])


async def lines_around_the_limit(target: Target, random: Random) -> None:
    await _say(target, random, [payloads.around_the_limit(random) for _ in range(10)])


async def byte_by_byte(target: Target, random: Random) -> None:
    await _say(target, random, [payloads.marked(random), payloads.nasty(random)], cuts=1000)


async def endless_line(target: Target, random: Random) -> None:
    line = payloads.endless(random, ENDLESS)
    async with target.connection(random) as client:
        if random.random() < 0.5:
            await client.send(line[: random.randrange(len(line))], cuts=3)
            client.reset()
        else:
            await client.send(line + b"\n/help\n/quit\n", cuts=3)
            await client.read(until=_LAST_LINE)


async def flood_of_lines(target: Target, random: Random) -> None:
    lines = random.choice(
        (b"x\n", b"\xc2\x9b2A x\r\n", b"/nick Mallory\n/nick Eva\n", b"/msg Ada x\n", b"/list\n")
    )
    async with target.connection(random) as client:
        await client.send(lines * (MANY // lines.count(b"\n")))
        await client.read(limit=4096)
        client.reset()


async def questions_without_reading(target: Target, random: Random) -> None:
    question = random.choice((b"/help\n", b"/list\n", payloads.DO_TIMING_MARK))
    async with target.connection(random, receive_buffer=4096) as client:
        await client.send(question * MANY)
        await target.circle.turn()
        client.reset()


async def flood_of_connections(target: Target, random: Random) -> None:
    for _ in range(30):
        async with target.connection(random) as client:
            if random.random() < 0.5:
                client.reset()


async def _say(target: Target, random: Random, lines: Sequence[bytes], cuts: int = 5) -> None:
    """Connect and send `lines` in pieces; then read or not, and leave in one way or the other."""
    async with target.connection(random) as client:
        if random.random() < 0.3:
            await client.send(b"/nick " + payloads.new_name(random, NAMES) + b"\n")
        await client.send(b"\n".join([*lines, b""]), cuts)
        match random.randrange(4):
            case 0:
                client.reset()
            case 1:
                client.hang_up()
                await client.read()
            case 2:
                await client.send(b"/quit\n")
                await client.read(until=_LAST_LINE)
            case _:
                await client.read(limit=random.randrange(1, 4096))


ATTACKS: tuple[Callable[[Target, Random], Awaitable[None]], ...] = (
    *(control_strings, endless_line, flood_of_lines, forged_lines, random_bytes, split_telnet, nasty_text),
    *(flood_of_connections, truncated_utf8, commands, lines_around_the_limit, questions_without_reading),
    byte_by_byte,
)
