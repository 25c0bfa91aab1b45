"""What each fault costs the users of a cluster: a table, made with real programs."""

from __future__ import annotations

import asyncio
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import cluster_faults as faults
from .cluster_hearing import Verdict, judge
from .cluster_nodes import COMMAND, Cluster, Node

BEFORE, AFTER = 3.0, 2.0
"""How many seconds people talk before a fault and after it, when all is right again."""

HEAD = (
    "| fault | log | hold | lost | twice | out of order | away | longest silence | all lists right after |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Scene:
    """One fault, and the cluster that it happens to."""

    what: str
    happen: Callable[[Cluster], Awaitable[object]]
    storage: str = "memory"
    servers: int = 1
    hold: float = 10
    at: int | None = None
    """The node that it happens to, if it is one."""

    is_for_good: bool = False
    """Whether what happens stays so: then the lists are right when those who are gone are on none."""


@dataclass
class Row:
    """What came of a scene. Times are in seconds."""

    scene: Scene
    verdict: Verdict
    silence: float
    """The longest time in which somebody heard nothing; of users at other nodes, if it happened to a node."""

    own_silence: float | None
    """The same of the users at the node that it happened to."""

    right_after: float
    faults: list[str]
    told: dict[str, list[tuple[float, str]]]
    """What the operators were told, by node, and when after the beginning."""

    @property
    def markdown(self) -> str:
        scene, verdict = self.scene, self.verdict
        partly = f" ({len(verdict.partly)} partly)" if verdict.partly else ""
        silence = f"{self.silence:.1f} s"
        if self.own_silence is not None:
            silence += f", its own {self.own_silence:.1f} s"
        log = f"{scene.storage}, 3 servers" if scene.servers == 3 else scene.storage
        disordered = len(verdict.disordered) + verdict.crossed
        counts = f"{len(verdict.lost)}{partly} | {len(verdict.twice)} | {disordered}"
        away = len(verdict.away) + len(verdict.announced)
        return (
            f"| {scene.what} | {log} | {scene.hold:g} s | {counts} | {away:,} "
            f"| {silence} | {self.right_after:.1f} s |"
        )


def _node_killed(cluster: Cluster) -> Awaitable[int]:
    node = cluster.nodes.pop()
    return node.end(signal.SIGKILL)


def _away(number: signal.Signals, seconds: float) -> Callable[[Cluster], Awaitable[None]]:
    return lambda cluster: faults.engine_away(cluster, cluster.engines[0], number, seconds)


def _stopped(seconds: float) -> Callable[[Cluster], Awaitable[None]]:
    return lambda cluster: faults.engine_stopped(cluster.engines[0], seconds)


def _node_stopped(seconds: float) -> Callable[[Cluster], Awaitable[None]]:
    return lambda cluster: faults.node_stopped(cluster.nodes[2], seconds)


def _robbed(cluster: Cluster) -> Awaitable[None]:
    return faults.robbed(cluster, cluster.nodes[2], cluster.nodes[0], 12)


SCENES = (
    *(
        Scene(what, _away(number, 2), storage)
        for what, number in (
            ("engine restarted, 2 s away", signal.SIGTERM),
            ("engine killed, 2 s away", signal.SIGKILL),
        )
        for storage in ("memory", "file")
    ),
    Scene("engine stands still for 2 s", _stopped(2)),
    Scene("engine stands still for 10 s", _stopped(10)),
    Scene("engine stands still for 10 s", _stopped(10), hold=5),
    Scene("engine stands still for 10 s", _stopped(10), hold=12),
    Scene("engine 9 s away", _away(signal.SIGTERM, 9)),
    Scene("engine 9 s away", _away(signal.SIGTERM, 9), hold=5),
    Scene("engine 13 s away", _away(signal.SIGTERM, 13)),
    Scene("engine 13 s away", _away(signal.SIGTERM, 13), "file"),
    Scene("node killed", _node_killed, at=2, is_for_good=True),
    Scene("node stands still for 3 s", _node_stopped(3), at=2),
    Scene("node stands still for 10 s", _node_stopped(10), at=2),
    Scene("node parted from the engine for 12 s, a name of its users taken meanwhile", _robbed, at=2),
    Scene("node parted from the engine for 12 s, a name of its users taken meanwhile", _robbed, hold=5, at=2),
    Scene("leader of three servers killed", lambda cluster: faults.leader_killed(cluster, 4), servers=3),
    Scene(
        "leader of three servers killed", lambda cluster: faults.leader_killed(cluster, 4), "file", servers=3
    ),
    Scene("three servers restarted in turn", faults.servers_in_turn, servers=3),
)


async def play(
    scene: Scene, before: float = BEFORE, after: float = AFTER, command: Sequence[str] = COMMAND
) -> Row:
    """Let people talk, a fault happen, and all come right; say what it has cost."""
    with tempfile.TemporaryDirectory(prefix="cluster-soak-") as folder:
        async with Cluster(
            Path(folder), scene.servers, scene.storage, scene.hold, command=command
        ) as cluster:
            nodes = list(cluster.nodes)
            wrong: list[str] = []
            await cluster.settle()
            cluster.is_talking.set()
            await asyncio.sleep(before)
            begun = time.monotonic()
            await scene.happen(cluster)
            right_after = await cluster.settle()
            is_heard = await cluster.is_heard()
            until = time.monotonic()
            await asyncio.sleep(after)
            if not (is_heard and await cluster.hush()):
                wrong.append("lines never came to everybody")
            own = nodes.pop(scene.at) if scene.at is not None else None
            wrong += [fault for node in cluster.nodes for fault in node.told.faults]
            verdict = judge(cluster.hearings, scene.hold, cluster.ends)
            wrong += verdict.faults(may_cross=bool(cluster.ends))
            return Row(
                scene,
                verdict,
                _silence(nodes, begun, until),
                _silence([own], begun, until) if own is not None and not scene.is_for_good else None,
                right_after,
                wrong,
                {node.name: [(at - begun, text) for at, text in node.told.lines] for node in cluster.nodes},
            )


def _silence(nodes: Sequence[Node], since: float, until: float) -> float:
    return max(guest.hearing.silence(since, until) for node in nodes for guest in node.guests)
