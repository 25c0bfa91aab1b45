"""People in the room of a cluster: clients with sockets, and real `nc`, who talk in numbers and listen."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import time
from typing import cast

from .cluster_hearing import Hearing, Mark
from .program import NotMet, until

_LINE = re.compile(rb"[^ ]+: (\d+) (\d+)")
_LISTED = re.compile(rb"([^ ]+\|\d+) as ([^ ]+)")
_WELCOME = re.compile(rb"Welcome ([^ ]+\|\d+) to the server!")
_COMING = re.compile(r"Welcome [^ ]+ to the server!|(\d+) users have joined\.")
_GOING = re.compile(r"[^ ]+ has left the server\.|(\d+) users have left the server\.|Cut off from (\d+) .*")
_BACK = re.compile(r"The link is back: (\d+) .*")
_KEPT = 1000  # lines other than those of speakers


class Guest(asyncio.Protocol):
    """One client; what it is told is noted at once.

    Args:
        home: the node that it connects to; one that is started anew is another.
        speaker: its number as a speaker; 0 = it says nothing.
    """

    def __init__(self, home: str, speaker: int = 0) -> None:
        self.hearing = Hearing(home, speaker)
        self.address = ""
        self.told: list[str] = []
        """What it was told, other than numbered lines."""
        self.others: int | None = None
        """How many others are here by what it was told; None until somebody sets it."""
        self.neighbours = 0
        """How many others there are at its node."""
        self.closed = asyncio.get_running_loop().create_future()
        self.latest: dict[int, int] = {}
        """The last number heard of each speaker."""
        self._rest = b""
        self._questions = 0
        self._listed: list[tuple[str, str]] = []
        self._answer: asyncio.Future[list[tuple[str, str]]] | None = None

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        at = time.monotonic()
        for line in lines:
            self._take(line, at)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    async def leave(self) -> None:
        """End the connection, in whatever state it is."""
        self.transport.abort()

    @property
    def is_here(self) -> bool:
        return not self.closed.done()

    # What it hears

    def _take(self, line: bytes, at: float) -> None:
        hearing = self.hearing
        if spoken := _LINE.fullmatch(line):
            speaker, number = int(spoken[1]), int(spoken[2])
            hearing.hear(speaker, number, at)
            self.latest[speaker] = number
        elif self._answer is not None and (listed := _LISTED.fullmatch(line)):
            self._listed.append((listed[1].decode(), listed[2].decode()))
        elif self._answer is not None and line.startswith(b"Unknown command /end%d." % self._questions):
            if not self._answer.done():
                self._answer.set_result(self._listed)
        else:
            self._take_notice(line.decode(), at)

    def _take_notice(self, text: str, at: float) -> None:
        if not self.address and (welcome := _WELCOME.fullmatch(text.encode())):
            self.address = welcome[1].decode()
            self.hearing.came_at = at
        if self.others is not None:
            if back := _BACK.fullmatch(text):  # some of them may have joined before that is told
                self.others = self.neighbours + int(back[1])
            self.others += _count(_COMING, text) - _count(_GOING, text)
        for mark in Mark:
            if text.startswith(mark.value):
                self.hearing.be_told(mark, at)
        if len(self.told) < _KEPT:
            self.told.append(text)

    # What it says

    def speak(self) -> None:
        """Say the next number."""
        hearing = self.hearing
        number = len(hearing.said)
        hearing.said.append(time.monotonic())
        self.write(b"%d %d\n" % (hearing.speaker, number))

    async def list(self, seconds: float) -> list[tuple[str, str]] | None:
        """The addresses and names of all others in the order of the list; None if no answer comes in time."""
        self._questions += 1
        self._listed = []
        self._answer = asyncio.get_running_loop().create_future()
        self.write(b"/list\n/end%d\n" % self._questions)
        try:
            async with asyncio.timeout(seconds):
                return await self._answer
        except TimeoutError:
            return None
        finally:
            self._answer = None

    async def welcomed(self) -> None:
        """Wait until it is in.

        Raises:
            NotMet: if it is not let in.
        """
        await until(lambda: self.address or not self.is_here, f"nobody is welcomed by {self.hearing.home}")
        if not self.address:
            raise NotMet(f"somebody is not let in by {self.hearing.home}")


def _count(pattern: re.Pattern[str], text: str) -> int:
    """How many come, or go, by one line."""
    found = pattern.fullmatch(text)
    if found is None:
        return 0
    return int(found[found.lastindex]) if found.lastindex else 1


class _Pipes(asyncio.SubprocessProtocol):
    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        if fd == 1:
            self._guest.data_received(cast(bytes, data))

    def process_exited(self) -> None:
        self._guest.connection_lost(None)


class NetcatGuest(Guest):
    """The same behind a real `nc`."""

    process: asyncio.SubprocessTransport

    async def leave(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.closed
        self.process.close()


async def come(home: str, port: int, speaker: int = 0) -> Guest:
    """Connect a client with a socket."""
    _, guest = await asyncio.get_running_loop().create_connection(
        lambda: Guest(home, speaker), "127.0.0.1", port
    )
    await guest.welcomed()
    return guest


async def come_by_netcat(home: str, port: int, speaker: int) -> Guest:
    """Connect a real `nc`, or where that is missing a client with a socket."""
    path = shutil.which("nc")
    if path is None:
        return await come(home, port, speaker)
    guest = NetcatGuest(home, speaker)
    guest.process, _ = await asyncio.get_running_loop().subprocess_exec(
        lambda: _Pipes(guest), path, "127.0.0.1", str(port), stderr=None
    )
    guest.connection_made(cast(asyncio.Transport, guest.process.get_pipe_transport(0)))
    try:
        await guest.welcomed()
    except BaseException:
        await guest.leave()
        raise
    return guest
