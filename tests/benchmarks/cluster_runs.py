"""What is measured of a cluster. Each run starts its own engine and nodes, and ends them."""

from __future__ import annotations

import asyncio
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.nats_engine import Engine, Servers

from .crowd import Crowd
from .load import Pace
from .scenarios import DRAIN_LIMIT, JOIN_LIMIT, Run
from .servers import CHAT_CONSOLE, KINDS, LISTEN_QUEUE, NO_LIMITS, START_LIMIT, Kind, cpu_of, running

PROCESS = Path(__file__).with_name("node_process.py")
ANSWER_LIMIT = 90.0
"""Seconds that a node may take for anything."""

RARE, OFTEN = 100, 2_000
"""Lines a second, of all nodes together."""

NODES = ("paris", "rome")
_SENDERS = 10  # of each node
_FAN_OUT_NODES = 4


@dataclass(frozen=True)
class Sizes:
    """How much is measured, and for how long."""

    seconds: float = 4.0
    """How long lines are said at a fixed rate."""

    flood: float = 2.0
    """How long, in seconds, as many are said as possible."""

    trips: int = 400
    """Bare round trips, and as many nicknames."""

    clients: int = 100
    """Of each of two nodes, with sockets, who say `clients_rate` lines a second."""

    clients_rate: float = 50.0
    fan_out: int = 2_500
    """Clients of each of four nodes, one of whom says `fan_out_rate` lines a second."""

    fan_out_rate: float = 20.0
    fan_out_seconds: float = 8.0
    users: int = 50_000
    """How many a newcomer finds, on two nodes."""


QUICK = Sizes(seconds=0.5, flood=0.3, trips=30, clients=10, fan_out=20, fan_out_seconds=0.5, users=1_000)


@dataclass(frozen=True)
class Way:
    """What is between the nodes."""

    title: str
    storage: str = "memory"
    replicas: int = 1
    """As many servers."""


WAYS = {
    "none": Way("none: a room for each node", replicas=0),
    "memory": Way("one server, memory"),
    "file": Way("one server, file", storage="file"),
    "r3": Way("three servers that keep three copies, memory", replicas=3),
}


class Between:
    """A running engine, if there is one, and how nodes connect to it."""

    def __init__(self, way: Way, engines: Sequence[Engine]) -> None:
        self.way = way
        self.engines = engines
        self.urls = [engine.url for engine in engines]

    def cpu(self) -> float:
        """CPU time that all its servers have used, in seconds."""
        return sum(cpu_of(engine.process.pid) for engine in self.engines if engine.process is not None)


@contextmanager
def between(way: Way) -> Generator[Between]:
    """Start what is between nodes, and end it whatever happens."""
    with tempfile.TemporaryDirectory(prefix="chat-benchmark-") as name:
        if way.replicas == 3:
            servers = Servers(Path(name))
            engines = servers.engines
        else:
            engines = [Engine(Path(name) / "engine")] * way.replicas
        try:
            for engine in engines:
                asyncio.run(engine.start())
            yield Between(way, engines)
        finally:
            for engine in engines:
                engine.stop()


class NodeError(Exception):
    """A node could not do what it was to do."""


class Node:
    """A node in a process of its own, whose clients have no sockets. A context manager that ends it."""

    def __init__(self, name: str, between: Between, room: str = "bench") -> None:
        self.name = name
        self.way = between.way
        about = {
            "node": name,
            "room": room,
            "urls": between.urls,
            "storage": between.way.storage,
            "replicas": between.way.replicas or 1,
        }
        self._process = subprocess.Popen(
            # Nothing in this folder may hide a module that the node imports.
            [sys.executable, "-P", PROCESS, json.dumps(about)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()

    def tell(self, do: str, **arguments: Any) -> None:
        """Let it do something; `answer` waits for that."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """What it says once that is done.

        Raises:
            NodeError: if it could not do it, or does not end.
        """
        assert self._process.stdout is not None
        out, data = self._process.stdout.fileno(), bytearray()
        while not data.endswith(b"\n"):
            if not select.select([out], [], [], ANSWER_LIMIT)[0]:
                raise NodeError(f"{self.name} does not answer")
            piece = os.read(out, 1 << 20)
            if not piece:
                raise NodeError(f"{self.name} has ended")
            data += piece
        found = json.loads(data)
        if "error" in found:
            raise NodeError(f"{self.name}: {found['error']}")
        return found

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Let it do something, and wait for that."""
        self.tell(do, **arguments)
        return self.answer()


def _all(nodes: Iterable[Node], do: str, **arguments: Any) -> list[dict[str, Any]]:
    """Let all do the same at the same time."""
    nodes = list(nodes)
    for node in nodes:
        node.tell(do, **arguments)
    return [node.answer() for node in nodes]


def _quantiles(times: Sequence[float], name: str, unit: float = 1e3) -> dict[str, float]:
    if len(times) < 2:
        return {}
    found = statistics.quantiles(times, n=100, method="inclusive")
    return {f"{name}_p50": found[49] * unit, f"{name}_p99": found[98] * unit}


def lines(way: Way, sizes: Sizes) -> Run:
    """Lines at two rates and at full speed, nicknames, and a bare round trip: two nodes, without sockets.

    Without an engine it is one process with a room of its own, and the load of one node.
    """
    run = Run()
    with ExitStack() as stack:
        engine = stack.enter_context(between(way))
        names = NODES if engine.urls else NODES[:1]
        nodes = [stack.enter_context(Node(name, engine)) for name in names]
        _all(nodes, "enter")
        _all(nodes, "listen", senders=_SENDERS)
        _all(nodes, "count", users=len(nodes) * (_SENDERS + 1))
        if engine.urls:
            run.figures |= _quantiles(nodes[0].ask("bare", count=sizes.trips)["times"], "bare")
        run.figures |= _quantiles(nodes[0].ask("nick", count=sizes.trips)["times"], "nick")
        for rate in (RARE, OFTEN):
            _at_a_rate(run, engine, nodes, rate, sizes.seconds * (1 if rate == OFTEN else 2))
        _at_full_speed(run, engine, nodes, sizes.flood)
    return run


def _at_a_rate(run: Run, engine: Between, nodes: Sequence[Node], rate: float, seconds: float) -> None:
    before, engine_before = _all(nodes, "use"), engine.cpu()
    loads = _all(nodes, "load", rate=rate / len(NODES), seconds=seconds)
    sent = {name: count for load in loads for name, count in load["sent"].items()}
    total = sum(sent.values())
    after = _all(nodes, "settle", lines=total)
    engine_after = engine.cpu()
    late = _check(run, nodes, sent)
    run.figures |= _quantiles(late, f"at_{rate}")
    if rate == OFTEN and total:
        cpu = [now["cpu"] - then["cpu"] for then, now in zip(before, after, strict=True)]
        run.figures["node_cpu"] = statistics.mean(cpu) / total * 1e6
        if engine.urls:
            run.figures["engine_cpu"] = (engine_after - engine_before) / total * 1e6


def _at_full_speed(run: Run, engine: Between, nodes: Sequence[Node], seconds: float) -> None:
    engine_before = engine.cpu()
    floods = _all(nodes, "flood", seconds=seconds)
    sent = {name: count for flood in floods for name, count in flood["sent"].items()}
    settled = _all(nodes, "settle", lines=sum(sent.values()))
    used = engine.cpu() - engine_before
    took = max(each["last_at"] for each in settled) - min(each["began_at"] for each in floods)
    _check(run, nodes, sent)
    run.figures["speed"] = sum(sent.values()) / took
    if engine.urls:
        run.figures["engine_share"] = used / took


def _check(run: Run, nodes: Sequence[Node], sent: dict[str, int]) -> list[float]:
    """Note what is wrong with what came to each node; return how late other nodes' lines came."""
    heard = _all(nodes, "heard", sent=sent)
    run.faults += [fault for each in heard for fault in each["faults"]]
    if len({each["order"] for each in heard}) > 1:
        run.faults.append("not all nodes got the lines in one order")
    return [late for each in heard for late in each["late"]]


def newcomer(way: Way, sizes: Sizes) -> Run:
    """How long a third node takes to come in where many are, on top of an empty start, and its memory."""
    with ExitStack() as stack:
        engine = stack.enter_context(between(way))
        nodes = [stack.enter_context(Node(name, engine)) for name in NODES]
        _all(nodes, "enter")
        with Node("oslo", engine) as empty:
            start = empty.ask("enter")
            before = empty.ask("use")["memory"]
            empty.ask("stop")
        _all(nodes, "people", count=sizes.users // len(nodes))
        _all(nodes, "count", users=sizes.users)
        _all(nodes, "turns", seconds=ANSWER_LIMIT)
        with Node("lima", engine) as newcomer:
            entered = newcomer.ask("enter")
            found = newcomer.ask("count", users=sizes.users)
            after = newcomer.ask("use")["memory"]
            assert not found
        donors = _all(nodes, "longest_turn")
        return Run(
            {
                "enter": entered["took"] - start["took"],
                "enter_cpu": entered["cpu"] - start["cpu"],
                "memory": (after - before) / sizes.users,
                "newcomer_turn": entered["longest_turn"] * 1e3,
                "donor_turn": max(each["longest_turn"] for each in donors) * 1e3,
            }
        )


# With sockets


def _node_kind(name: str, urls: Sequence[str]) -> Kind:
    def command(port: int, folder: Path, announce: bool) -> list[str | Path]:
        engine = [word for url in urls for word in ("--cluster", url)]
        node = ["--node", name, "--notices-up-to", "0"]  # all are told of all, as without a cluster
        return [CHAT_CONSOLE, "--plain", *NO_LIMITS, "--port", str(port), *node, *engine]

    return replace(KINDS["plain"], name=name, command=command)


def _chat_consoles(stack: ExitStack, folder: Path, count: int, urls: Sequence[str]) -> list[int]:
    """Start so many servers, nodes of one cluster if there are `urls`; return their ports.

    Raises:
        TimeoutError: one did not come up.
    """
    ports: list[int] = []
    for name in (f"n{number}" for number in range(count)):
        kind = _node_kind(name, urls) if urls else replace(KINDS["plain"], name=name)
        server = stack.enter_context(running(kind, folder))
        # In a cluster the connection that found it ready may still be on its way in, and out.
        end = time.monotonic() + START_LIMIT
        while b" has left" not in server.log.read_bytes():
            if time.monotonic() > end:
                raise TimeoutError("the first client has not left")
            time.sleep(0.02)
        ports.append(server.port)
    return ports


def clients(sizes: Sizes, *, clustered: bool) -> Run:
    """Latency to clients with sockets: on another node than the sender, or all on one server."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chat-benchmark-")))
        urls = stack.enter_context(between(WAYS["memory"])).urls if clustered else []
        ports = _chat_consoles(stack, folder, 2 if clustered else 1, urls)
        crowd = stack.enter_context(Crowd(ports, KINDS["plain"].dialect))
        crowd.join(2 * sizes.clients, LISTEN_QUEUE, JOIN_LIMIT)
        faults = crowd.join_faults()
        # The same clients speak and are looked at, whether there is one server or two.
        pace = Pace(crowd, crowd.clients[2 : 2 + 2 * _SENDERS : 2][: sizes.clients // 2])
        pace.run(sizes.clients_rate, sizes.seconds, DRAIN_LIMIT)
        faults += pace.faults()
        if faults:
            return Run({}, faults)
        pace.arrivals = {
            client: pace.arrivals[client] for client in crowd.clients[1::2] if client in pace.arrivals
        }
        pace.work_out()
        return Run(_quantiles(pace.latencies, "client"))


def fan_out(sizes: Sizes, *, nodes: int, clustered: bool) -> Run:
    """Time to the last of many clients of each of so many nodes, or of as many servers on their own.

    There one client of each says the same line at the same time: what the servers do but for the cluster.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chat-benchmark-")))
        urls = stack.enter_context(between(WAYS["memory"])).urls if clustered else []
        ports = _chat_consoles(stack, folder, nodes, urls)
        crowd = stack.enter_context(Crowd(ports, KINDS["plain"].dialect))
        rooms = 1 if clustered else nodes
        crowd.join(nodes * sizes.fan_out, LISTEN_QUEUE, JOIN_LIMIT, rooms=rooms)
        faults = crowd.join_faults() if rooms == 1 else []
        speakers = crowd.clients[nodes : nodes + rooms]
        pace = Pace(crowd, speakers[:1], speakers[1:])
        pace.run(sizes.fan_out_rate, sizes.fan_out_seconds, DRAIN_LIMIT)
        faults += pace.faults()
        if faults:
            return Run({}, faults)
        pace.work_out()
        return Run(_quantiles(pace.last, "last"))


def _lines_of(way: str) -> Callable[[Sizes], Run]:
    return lambda sizes: lines(WAYS[way], sizes)


RUNS: dict[str, Callable[[Sizes], Run]] = {
    **{way: _lines_of(way) for way in WAYS},
    "clients-one": lambda sizes: clients(sizes, clustered=False),
    "clients-two": lambda sizes: clients(sizes, clustered=True),
    "newcomer": lambda sizes: newcomer(WAYS["memory"], sizes),
    "fanout-one": lambda sizes: fan_out(sizes, nodes=1, clustered=False),
    "fanout-apart": lambda sizes: fan_out(sizes, nodes=_FAN_OUT_NODES, clustered=False),
    "fanout-cluster": lambda sizes: fan_out(sizes, nodes=_FAN_OUT_NODES, clustered=True),
}
"""What is measured in each round, by its name."""
