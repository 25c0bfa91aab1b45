"""What is measured. A scenario takes one server through one run, from its start to its end."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from .crowd import Client, Crowd
from .load import Flood, Pace
from .servers import Kind, Server, running

BUSY = 0.9
"""The generator's share of a core above which a run is marked: it may have held the server up."""

JOIN_LIMIT = 90.0
DRAIN_LIMIT = 15.0
"""Seconds that all clients may take to join, and a server to deliver what is under way at the end."""


@dataclass
class Run:
    """One server's figures in one round of a scenario. Void if there are faults."""

    figures: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


class Meter:
    """CPU time, the server's and the generator's, from now on."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._start, self._own, self._cpu = time.perf_counter(), time.process_time(), server.cpu()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start

    @property
    def server(self) -> float:
        """Seconds of CPU time that the server took."""
        return self._server.cpu() - self._cpu

    @property
    def generator(self) -> float:
        """The generator's share of a core."""
        return (time.process_time() - self._own) / self.seconds


@dataclass
class Trial:
    """A server, a crowd that has joined it, and what the joining took."""

    kind: Kind
    scenario: Scenario
    server: Server
    crowd: Crowd
    joined_in: float
    """Seconds."""

    joining: dict[str, float]
    """The server's and the generator's share of a core meanwhile."""

    memory_before: float
    """The server's memory in KiB before the first client."""

    @property
    def senders(self) -> list[Client]:
        """Neither the first client, which was alone for a moment, nor the last ones, which may never read."""
        return self.crowd.clients[1 : 1 + self.scenario.senders]


@dataclass(frozen=True)
class Scenario:
    """One scenario and its sizes."""

    title: str
    measure: Callable[[Trial], Run]
    columns: tuple[str, ...]
    """The figures that are reported."""

    limits: str
    """What limits the figures, for the reader of the report."""

    servers: tuple[str, ...]
    clients: int
    senders: int = 10
    rate: float = 0.0
    """Lines a second, from all senders together; 0 is full speed."""

    seconds: float = 3.0
    warm_up: float = 1.0
    deaf: int = 0
    """How many of the clients never read once all have joined."""

    repeat: int = 1
    """How many times as many rounds as the others take: more where the figures scatter."""

    announced: bool = True
    """Whether joins are announced. Where that cannot be turned off, the notices are read before measuring."""


def full_speed(trial: Trial) -> Run:
    """Deliveries a second while the senders speak as fast as they are heard."""
    crowd, server, scenario = trial.crowd, trial.server, trial.scenario
    readers = scenario.clients - scenario.deaf
    deaf = crowd.clients[readers:]
    memory = server.memory()
    flood = Flood(crowd, trial.senders, deaf)
    flood.run(scenario.warm_up)
    before, meter = sum(flood.received().values()), Meter(server)
    flood.run(scenario.seconds)
    seconds, cpu, generator = meter.seconds, meter.server, meter.generator
    delivered = sum(flood.received().values()) - before
    figures = {
        "deliveries": delivered / seconds,
        "per_reader": delivered / seconds / readers,
        "server": cpu / seconds,
        "cpu_each": cpu / delivered * 1e6 if delivered else float("nan"),
        "generator": generator,
    }
    faults = flood.finish(DRAIN_LIMIT)
    if trial.kind.total_order and not flood.one_order:
        faults.append("not all clients got the lines in one order")
    if deaf:
        figures["growth"] = (server.memory("VmHWM") - memory) / 1024
        figures["dropped"] = sum(map(crowd.is_cut, deaf))
        if trial.kind.dialect.shared and not trial.kind.console:
            figures["told"] = server.told_of([client.name for client in deaf])
    return Run(figures, faults)


def fixed_rate(trial: Trial) -> Run:
    """Latency of each delivery, and until the last one of each line, at so many lines a second."""
    pace = Pace(trial.crowd, trial.senders)
    _rest(trial, trial.scenario.warm_up)
    meter = Meter(trial.server)
    pace.run(trial.scenario.rate, trial.scenario.seconds, DRAIN_LIMIT)
    cpu, generator = meter.server, meter.generator
    if faults := pace.faults():
        return Run({}, faults)
    pace.work_out()
    if len(pace.last) < 2:
        return Run({}, ["hardly anything was sent"])
    each, last = (
        statistics.quantiles(times, n=100, method="inclusive") for times in (pace.latencies, pace.last)
    )
    figures = {
        "p50": each[49] * 1e3,
        "p99": each[98] * 1e3,
        "last_p50": last[49] * 1e3,
        "last_p99": last[98] * 1e3,
        "cpu_each": cpu / pace.delivered * 1e6,
        "generator": generator,
    }
    return Run(figures)


def idle(trial: Trial) -> Run:
    """Memory of each connection, and CPU while nothing happens."""
    _rest(trial, trial.scenario.warm_up)
    meter = Meter(trial.server)
    _rest(trial, trial.scenario.seconds)
    figures = {
        "memory_each": (trial.server.memory() - trial.memory_before) / trial.scenario.clients,
        "idle_cpu": meter.server / meter.seconds * 100,
    }
    faults = ["connections were cut"] if any(client.closed for client in trial.crowd.clients) else []
    return Run(figures, faults)


def _rest(trial: Trial, seconds: float) -> None:
    """Say nothing for so many seconds."""
    end = time.perf_counter() + seconds
    while (wait := end - time.perf_counter()) > 0:
        trial.crowd.read(wait, lambda client, size: None)


def joins(trial: Trial) -> Run:
    """Joins a second, each announced to everybody."""
    return Run({"joins": trial.scenario.clients / trial.joined_in} | trial.joining)


def run(kind: Kind, scenario: Scenario, cores: tuple[int, int] | None = None) -> Run:
    """Start a server, let all clients join, measure, and end it."""
    announced = scenario.announced or not kind.can_be_quiet
    with tempfile.TemporaryDirectory(prefix="chat-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # a server may give up its user's rights
        try:
            with (
                running(kind, folder, cores and cores[1], announce=announced) as server,
                Crowd(server.port, kind.dialect, server.console) as crowd,
            ):
                memory, meter = server.memory(), Meter(server)
                took = crowd.join(
                    scenario.clients, kind.listen_queue, JOIN_LIMIT, announced=announced, small=scenario.deaf
                )
                shares = {"server": meter.server / meter.seconds, "generator": meter.generator}
                trial = Trial(kind, scenario, server, crowd, took, shares, memory)
                faults = crowd.join_faults() if announced else []
                result = scenario.measure(trial)
                return replace(result, faults=faults + result.faults)
        except (TimeoutError, OSError) as error:
            return Run({}, [str(error)])


ALL = ("plain", "history", "tui", "asyncio", "threads", "ncat", "ngircd", "inspircd")
OURS_AND_NAIVE = ("plain", "tui", "asyncio", "threads")
WITHOUT_NCAT = (*OURS_AND_NAIVE, "ngircd", "inspircd")
SPEED = ("deliveries", "server", "cpu_each", "generator")
LATENCY = ("p50", "p99", "last_p50", "last_p99", "cpu_each", "generator")

SCENARIOS = {
    "speed-100": Scenario(
        title="100 clients, 10 of them send at full speed",
        measure=full_speed,
        columns=SPEED,
        limits="The server's core. chat-console sends each client all the lines of one turn of its loop "
        "in one `write`; what remains is cleaning the text, and the kernel's copying. The IRC "
        "servers batch output too; the naive ones make a system call per line and client. ncat "
        "passes on what it reads, wherever that ends, so lines of several senders get mixed up.",
        servers=ALL,
        clients=100,
    ),
    "speed-1000": Scenario(
        title="1,000 clients, 10 of them send at full speed",
        measure=full_speed,
        columns=SPEED,
        limits="The server's core: ten times the clients are ten times the system calls in each turn.",
        servers=WITHOUT_NCAT,
        clients=1000,
        warm_up=1.5,
    ),
    "rate-100": Scenario(
        title="100 clients, 500 lines a second",
        measure=fixed_rate,
        columns=LATENCY,
        limits="One system call per delivery, whatever the server: a lone line has nothing to share it "
        "with. The IRC servers, ncat and the naive threads leave Nagle's algorithm on, which "
        "holds lines back until earlier ones are acknowledged.",
        servers=ALL,
        clients=100,
        rate=500,
    ),
    "lone-100": Scenario(
        title="100 clients, one line at a time, 50 a second",
        measure=fixed_rate,
        columns=LATENCY,
        limits="The same, with nothing else in flight. A thread that waits in its own read writes first;"
        " an event loop takes two turns before it does. Runs differ by a quarter, hence the many "
        "rounds.",
        servers=("plain", "history", "tui", "asyncio", "threads"),
        clients=100,
        senders=1,
        rate=50,
        repeat=6,
    ),
    "fanout-5000": Scenario(
        title="5,000 clients, one of them sends 20 lines a second",
        measure=fixed_rate,
        columns=LATENCY,
        limits="100,000 system calls a second, about what a core can do; a server that needs more than a"
        " core falls further behind with every line of the 10 seconds. The naive servers do not "
        "announce the joins, which would take them minutes.",
        servers=OURS_AND_NAIVE,
        clients=5000,
        senders=1,
        rate=20,
        seconds=10.0,
        announced=False,
    ),
    "idle-10000": Scenario(
        title="10,000 clients connected, nothing happens",
        measure=idle,
        columns=("memory_each", "idle_cpu"),
        limits="Process memory (RSS) is what the server itself holds, without the system's socket buffers. "
        "For chat-console it includes what announcing 10,000 joins has left behind; the naive server "
        "announces none here, and the IRC clients are in no room. CPU time is counted in steps of 10 "
        "ms.",
        servers=("plain", "tui", "asyncio", "ngircd", "inspircd"),
        clients=10_000,
        announced=False,
    ),
    "joins-2000": Scenario(
        title="2,000 clients join as fast as they go, each announced to all",
        measure=joins,
        columns=("joins", "generator"),
        limits="2,001,000 notices. The next client connects as soon as the server's listen queue is sure"
        " to have room. The IRC servers get a head start: their clients are connected and "
        "registered before the clock starts.",
        servers=WITHOUT_NCAT,
        clients=2000,
    ),
    "joins-5000": Scenario(
        title="5,000 clients join as fast as they go, each announced to all",
        measure=joins,
        columns=("joins", "generator"),
        limits="12,502,500 notices, which would take the naive servers minutes.",
        servers=("plain", "tui"),
        clients=5000,
    ),
    "deaf-100": Scenario(
        title="100 clients, 10 send at full speed, 10 others never read",
        measure=full_speed,
        columns=("deliveries", "per_reader", "growth", "dropped", "told", "generator"),
        limits="chat-console drops a client that has more than 4 MiB waiting. Memory is the growth of the "
        "highest RSS. A server that waits for its slowest client soon delivers nothing to anybody, "
        "and its run is void.",
        servers=WITHOUT_NCAT,
        clients=100,
        warm_up=0.0,
        seconds=4.0,
        deaf=10,
    ),
}
