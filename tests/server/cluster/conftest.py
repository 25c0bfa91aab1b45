"""A NATS server that is shared by tests which leave it as it is, and logs on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from support.nats_engine import Engine
from support.waiting import until

from chat_console.server.cluster.nats_log import NatsLog
from chat_console.server.cluster.settings import ClusterSettings

_NUMBERS = count(1)


class Node:
    """A log with a reader that notes what it is told."""

    def __init__(self, **settings: Any) -> None:
        settings = {"node": "paris", **settings}
        settings["urls"] = (settings["urls"],) if isinstance(settings["urls"], str) else settings["urls"]
        self.process = next(_NUMBERS)
        self.refusals: list[str] = []
        self.log = NatsLog(ClusterSettings(**settings), self.process, self.refusals.append)
        self.told: list[tuple[str, ...]] = []
        """What else than entries it was told, with the reason."""
        self.positions: list[int] = []
        self.entries: list[tuple[str, bytes]] = []
        """Node and data of each."""
        self.times: list[float] = []
        self.messages: list[bytes] = []
        self.on_entry: Callable[[], object] = lambda: None
        """Called with each entry, after it was noted."""

    def opened(self) -> None:
        self.told.append(("opened",))

    def closed(self, why: str) -> None:
        self.told.append(("closed", why))

    def lost(self, why: str) -> None:
        self.told.append(("lost", why))

    def entry(self, position: int, time: float, node: str, data: bytes) -> None:
        self.positions.append(position)
        self.times.append(time)
        self.entries.append((node, data))
        self.on_entry()

    def received(self, data: bytes) -> None:
        self.messages.append(data)

    @property
    def data(self) -> list[bytes]:
        """The data of all entries."""
        return [data for _, data in self.entries]

    async def start(self) -> None:
        async with asyncio.timeout(20):
            await self.log.start(self)

    async def say(self, data: bytes) -> None:
        """Append an entry, again where it gets lost, until it is back."""
        self.log.append(data)
        loop = asyncio.get_running_loop()
        again = loop.time() + 0.5
        while data not in self.data:
            await asyncio.sleep(0.002)
            if loop.time() > again:
                self.log.append(data)
                again += 0.5

    async def until_told(self, *what: str, since: int = 0) -> None:
        """Wait until it has been told something that begins with `what`, not counting the first `since`."""
        await until(lambda: any(each[: len(what)] == what for each in self.told[since:]))


@pytest.fixture
async def node() -> AsyncIterator[Callable[..., Node]]:
    """Makes nodes, not started yet; their logs are stopped at the end."""
    nodes: list[Node] = []

    def make(**settings: Any) -> Node:
        nodes.append(Node(**settings))
        return nodes[-1]

    yield make
    for each in nodes:
        await each.log.stop()


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.stop()


@pytest.fixture
async def shared(_shared: Engine) -> Engine:
    """An engine that others use too, each test with a room of its own."""
    if _shared.process is None:
        await _shared.start()
    return _shared


@pytest.fixture
def room() -> str:
    """A room that no other test has."""
    return f"room-{next(_NUMBERS)}"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine of the test's own, not started yet."""
    engine = Engine(tmp_path / "engine")
    yield engine
    engine.stop()
