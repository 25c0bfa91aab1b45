"""A cluster of real programs on the loopback address: an engine, networks to it, nodes, people on each."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from support.nats_engine import Engine, Servers, ask
from support.proxy import Proxy

from .checks import Errors, Stream
from .cluster_hearing import Hearing
from .cluster_people import Guest, come, come_by_netcat
from .program import PATIENCE, NotMet, Program, memory, until

COMMAND = (sys.executable, "-W", "error", "-m", "chat_console.app")

ROOM = "soak"
SPEAKERS = 3
"""How many on each node speak: all but one with sockets of this process, and one with `nc`."""

_ATTEMPTS = 4  # to start a node
_LOOK = 0.02  # seconds between two looks at the lists
_TOLD = 8.0  # seconds after its end in which a node's people are said to have left
_STEADY = 1.0  # seconds for which all must be right
_LISTED = 1.0  # seconds that a list may take, before it is asked for again


class Told(Errors):
    """What a node tells its operator on stderr, with the time."""

    def __init__(self, who: str) -> None:
        super().__init__(who)
        self.lines: list[tuple[float, str]] = []

    def _check(self, text: str) -> None:
        super()._check(text)
        self.lines.append((time.monotonic(), text.removeprefix("chat-console: ")))


class Shown(Stream):
    """What a node shows on stdout, which others check as what clients hear."""

    def _check(self, text: str) -> None:
        pass


class Node:
    """One place in the cluster, where a program runs, ends, and is started anew with other people.

    Args:
        cluster: what it is a part of.
        name: its name as a node.
        networks: its networks to the servers of the engine.
    """

    def __init__(self, cluster: Cluster, name: str, networks: Sequence[Proxy]) -> None:
        self._cluster = cluster
        self.name = name
        self.networks = networks
        self.program: Program | None = None
        self.told = Told(name)
        self.guests: list[Guest] = []
        self.memory: list[float] = []
        """How much the program has, in MiB, since it was started."""
        self._starts = itertools.count(1)

    @property
    def is_up(self) -> bool:
        return self.program is not None and self.program.process.poll() is None

    @property
    def watcher(self) -> Guest:
        """Who says nothing there, and looks at the list."""
        return self.guests[0]

    async def start(self) -> None:
        """Start the program, again if the engine is not there yet, and let people come.

        Raises:
            NotMet: if it is not in after several attempts.
        """
        urls = [f"nats://{each.address}" for each in self.networks]
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(NotMet):
                port = await self._run(urls)
                break
        else:
            port = await self._run(urls)
        home = f"{self.name}.{next(self._starts)}"
        self.guests = [await come(home, port)]
        for number in range(SPEAKERS):
            arrive = come if number else come_by_netcat
            self.guests.append(await arrive(home, port, self._cluster.new_speaker()))
        self._cluster.hearings += [guest.hearing for guest in self.guests]
        for guest in self.guests:
            guest.neighbours = SPEAKERS
            guest.write(f"/nick p{guest.hearing.speaker or self.name}\n".encode())

    async def _run(self, urls: Sequence[str]) -> int:
        """Start the program, and return its port."""
        self.program, self.memory = self._cluster.run(self.name, urls, self.told), []
        return await self.program.port()

    async def end(self, number: signal.Signals) -> int:
        """End the program by a signal, and return its exit code."""
        assert self.program is not None
        self._cluster.ended_at = time.monotonic()
        guests, self.guests = self.guests, []
        for guest in guests:
            guest.hearing.is_cut_short = True
        self.signal(number)
        process = self.program.process
        await until(lambda: process.poll() is not None, f"{self.name} has not ended at {number.name}")
        for guest in guests:
            await guest.leave()
        code = process.wait()
        self.program.__exit__()
        self.program = None
        return code

    def signal(self, number: signal.Signals) -> None:
        assert self.program is not None
        self.program.process.send_signal(number)

    def measure(self) -> None:
        """Note how much memory the program has."""
        if self.program is not None and not math.isnan(size := memory(self.program.process.pid, "VmRSS")):
            self.memory.append(size)


class Cluster:
    """An engine of one server or three, and three nodes; a context manager that ends all of it.

    Args:
        folder: where the engine keeps its files.
        servers: of how many servers the engine is, 1 or 3; as many keep the log.
        storage: where they keep it.
        hold: after how many seconds of silence a node goes on alone.
        rate: how many lines a second all speakers together say.
        command: the program, without options.
    """

    def __init__(
        self,
        folder: Path,
        servers: int = 1,
        storage: str = "memory",
        hold: float = 10,
        rate: float = 210,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._command = command
        self.servers = servers
        self.storage = storage
        self.hold = hold
        self.rate = rate
        self.engines = [Engine(folder / "n0")] if servers == 1 else Servers(folder, servers).engines
        self.nodes: list[Node] = []
        self.hearings: list[Hearing] = []
        self.ends: list[float] = []
        """When the only server, with the log in memory, ended."""
        self.ended_at = -math.inf
        """When the last node was ended."""
        self.codes: list[int] = []
        """With which codes nodes ended that were told to."""
        self.is_talking = asyncio.Event()
        self._speakers = itertools.count(1)
        self._stack = contextlib.AsyncExitStack()
        self._talk: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Cluster:
        async with contextlib.AsyncExitStack() as stack:
            for engine in self.engines:
                stack.callback(engine.stop, signal.SIGKILL)
            await asyncio.gather(*(engine.start() for engine in self.engines))
            await self._wait_for_leader()
            for name in ("paris", "rome", "oslo"):
                networks = [await stack.enter_async_context(Proxy(each.port)) for each in self.engines]
                node = Node(self, name, networks)
                self.nodes.append(node)
                stack.push_async_callback(self._close, node)
                await node.start()
            self._talk = asyncio.create_task(self._keep_talking())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._talk is not None:
            self._talk.cancel()
            await asyncio.wait({self._talk})
        await self._stack.aclose()

    async def _close(self, node: Node) -> None:
        for guest in node.guests:
            await guest.leave()
        if node.program is not None:
            node.program.__exit__()

    async def _wait_for_leader(self) -> None:
        """Several servers do not answer until they agree who leads."""
        async with asyncio.timeout(PATIENCE):
            while self.servers > 1 and not await self._has_leader():  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def _has_leader(self) -> bool:
        try:
            async with asyncio.timeout(1):
                return "error" not in await ask(self.urls, "INFO")
        except TimeoutError:
            return False

    @property
    def urls(self) -> list[str]:
        return [engine.url for engine in self.engines]

    async def leader(self) -> Engine:
        """The server that leads those that keep the log."""
        about = await ask(self.urls, f"STREAM.INFO.CHAT_{ROOM}")
        return self.engines[int(about["cluster"]["leader"].removeprefix("n"))]

    def run(self, name: str, urls: Sequence[str], told: Told) -> Program:
        """Start a node with its defaults, but for what one may say."""
        options = ["--plain", "--port", "0", "--rate", "0", "--room", ROOM, "--node", name]
        options += ["--cluster-hold", str(self.hold), "--cluster-storage", self.storage]
        options += ["--cluster-replicas", str(self.servers)]
        options += [part for url in urls for part in ("--cluster", url)]
        return Program((*self._command, *options), False, Shown(name), told)

    def new_speaker(self) -> int:
        return next(self._speakers)

    # What goes on

    async def _keep_talking(self) -> None:
        """Let speakers take turns, as many lines a second as asked for; what is late is made up for."""
        loop = asyncio.get_running_loop()
        begun, said = loop.time(), 0
        for turn in itertools.count():
            await self.is_talking.wait()
            due = int((loop.time() - begun) * self.rate)
            if due - said > self.rate:  # nobody talked meanwhile
                said = due - 1
            speakers = list(self.speakers)
            for number in range(said, due):
                if speakers:
                    speakers[number % len(speakers)].speak()
            said = due
            if turn % 50 == 0:
                for node in self.nodes:
                    node.measure()
            await asyncio.sleep(0.02)

    @property
    def speakers(self) -> Iterator[Guest]:
        return (
            guest for node in self.nodes for guest in node.guests if guest.hearing.speaker and guest.is_here
        )

    async def hush(self) -> bool:
        """Let nobody talk any more, and return whether everybody hears everybody's last line in time."""
        self.is_talking.clear()
        for speaker in self.speakers:
            speaker.speak()
        return await self.is_heard()

    async def is_heard(self) -> bool:
        """Whether everybody hears in time what everybody has said until now, or what they say later."""
        guests = [guest for node in self.nodes for guest in node.guests]
        last = {each.hearing.speaker: len(each.hearing.said) - 1 for each in self.speakers}

        def has_come() -> bool:
            return all(
                guest.latest.get(speaker, -1) >= number
                for guest in guests
                for speaker, number in last.items()
                if speaker != guest.hearing.speaker
            )

        try:
            await until(has_come, "the last lines")
        except NotMet:
            return False
        return True

    # Whether all is right

    async def trouble(self) -> str:
        """What is not right: lists that differ, a node that is cut off, or who is gone; "" if nothing."""
        if not all(node.is_up for node in self.nodes):
            return " and ".join(node.name for node in self.nodes if not node.is_up) + " is not up"
        if cut := [node.name for node in self.nodes if node.watcher.hearing.is_cut_off]:
            return f"{' and '.join(cut)} is cut off"
        if gone := [guest.address for node in self.nodes for guest in node.guests if not guest.is_here]:
            return f"{' and '.join(gone)} is gone"
        return difference(
            self.nodes, await asyncio.gather(*(each.watcher.list(_LISTED) for each in self.nodes))
        )

    async def settle(self) -> float:
        """Wait until all is right and stays so for a second, and return after how many seconds it was.

        Raises:
            NotMet: if it never is.
        """
        begun = right_at = time.monotonic()
        while time.monotonic() - right_at < _STEADY:
            if trouble := await self.trouble():
                right_at = time.monotonic()
                if right_at - begun > PATIENCE:
                    raise NotMet(f"it never came right: {trouble}")
            await asyncio.sleep(_LOOK)
        await self._check_beliefs()
        return right_at - begun

    async def _check_beliefs(self) -> None:
        """Wait until everybody was told of as many comings and goings as there were.

        Raises:
            NotMet: if somebody was not.
        """
        guests = [guest for node in self.nodes for guest in node.guests]
        others = len(guests) - 1
        told = [guest for guest in guests if guest.others is not None]
        try:
            await until(lambda: all(guest.others == others for guest in told), "")
        except NotMet:
            wrong = [f"{each.address} of {each.others}" for each in told if each.others != others]
            raise NotMet(f"there are {others} others, but told was {', '.join(wrong)}") from None
        if time.monotonic() - self.ended_at > _TOLD:
            for guest in guests:
                guest.others = others


def difference(nodes: Sequence[Node], lists: Sequence[Sequence[tuple[str, str]] | None]) -> str:
    """What is wrong with the lists that the watchers of these nodes have got."""
    watchers = {node.watcher.address for node in nodes}
    # A list: two nodes may see one address, since their ports differ.
    everybody = [guest.address for node in nodes for guest in node.guests]
    others: list[list[tuple[str, str]]] = []
    for node, listed in zip(nodes, lists, strict=True):
        if listed is None:
            return f"{node.name} gives no list"
        addresses = [address for address, _ in listed] + [node.watcher.address]
        if sorted(addresses) != sorted(everybody):
            return f"{node.name} lists {sorted(addresses)}, here are {sorted(everybody)}"
        others.append([row for row in listed if row[0] not in watchers])
    for node, rows in zip(nodes, others, strict=True):
        if rows != others[0]:
            return f"{nodes[0].name} lists {others[0]}, {node.name} {rows}"
    return ""
