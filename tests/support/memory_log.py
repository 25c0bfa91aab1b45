"""A log in memory, for whole servers in one process that are the nodes of one cluster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from chat_console.server.cluster.log import Reader
from chat_console.server.cluster.settings import ClusterSettings


class MemoryLog:
    """One order of entries for all logs of this process."""

    def __init__(self) -> None:
        self.logs: dict[int, Link] = {}
        self.position = 0
        self.last: tuple[int, float, str, bytes] | None = None
        self.is_lossy = False
        """Whether whatever is appended gets lost."""
        self.held: list[Callable[[], object]] | None = None
        """What is held back of what was appended; None while nothing is."""
        self.never_opens = False
        self.error: Exception | None = None

    def log(self, settings: ClusterSettings, process: int, refused: Callable[[str], object]) -> Link:
        self.logs[process] = Link(self, settings.node, process, refused)
        return self.logs[process]

    def hold(self) -> None:
        """Hold back what is appended from now on."""
        self.held = []

    def release(self) -> None:
        """Let what was held back arrive."""
        held, self.held = self.held or [], None
        for deliver in held:
            deliver()


class Link:
    """One node's connection to it."""

    def __init__(self, shared: MemoryLog, node: str, process: int, refused: Callable[[str], object]) -> None:
        self.shared = shared
        self.node = node
        self.process = process
        self.refused = refused
        self.trouble = "not connected yet"
        self.reader: Reader | None = None

    async def start(self, reader: Reader) -> None:
        if self.shared.error is not None:
            raise self.shared.error
        if self.shared.never_opens:
            self.trouble = "connection refused"
            await asyncio.Event().wait()
        self.reader = reader
        self.trouble = ""
        reader.opened()
        if self.shared.last is not None:
            reader.entry(*self.shared.last)

    async def stop(self) -> None:
        self.reader = None

    def append(self, data: bytes) -> None:
        if self.shared.held is not None:
            self.shared.held.append(lambda: self._deliver(data))
        elif not self.shared.is_lossy:
            asyncio.get_running_loop().call_soon(self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        self.shared.position += 1
        self.shared.last = self.shared.position, time.time(), self.node, data
        for each in self.shared.logs.values():
            if each.reader is not None:
                each.reader.entry(*self.shared.last)

    def send(self, node: str, process: int, data: bytes) -> None:
        reader = self.shared.logs[process].reader
        assert reader is not None
        asyncio.get_running_loop().call_soon(reader.received, data)


def cluster(
    node: str, url: str = "nats://127.0.0.1", room: str = "lobby", hold: float = 10.0
) -> ClusterSettings:
    return ClusterSettings(urls=(url,), node=node, room=room, hold=hold)
