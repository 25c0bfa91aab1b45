"""What goes wrong around a cluster: its engine, its nodes, and the networks in between."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random

from support.nats_engine import Engine
from support.waiting import until

from .cluster_nodes import Cluster, Node

DURATIONS = (0.3, 1.0, 2.0, 4.0, 6.0, 8.0)
"""For how many seconds something may be wrong in a chaos."""


# The engine


async def engine_away(cluster: Cluster, engine: Engine, number: signal.Signals, seconds: float) -> None:
    """End a server, and start it again."""
    if cluster.servers == 1 and cluster.storage == "memory":
        cluster.ends.append(time.monotonic())
    await asyncio.to_thread(engine.stop, number)
    await asyncio.sleep(seconds)
    await engine.start()


async def engine_stopped(engine: Engine, seconds: float) -> None:
    """Let a server stand still."""
    engine.pause()
    try:
        await asyncio.sleep(seconds)
    finally:
        engine.resume()


async def leader_killed(cluster: Cluster, seconds: float) -> None:
    """Kill the server that leads, and start it again."""
    await engine_away(cluster, await cluster.leader(), signal.SIGKILL, seconds)


async def servers_in_turn(cluster: Cluster) -> None:
    """Restart one server after another."""
    for engine in cluster.engines:
        await engine_away(cluster, engine, signal.SIGTERM, 1.0)
        await asyncio.sleep(2.5)


# Nodes


async def node_stopped(node: Node, seconds: float) -> None:
    """Let a node stand still."""
    node.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        node.signal(signal.SIGCONT)


async def node_ended(cluster: Cluster, node: Node, number: signal.Signals, seconds: float) -> None:
    """End a node, and start it anew with other people."""
    code = await node.end(number)
    if number is signal.SIGTERM:
        cluster.codes.append(code)
    await asyncio.sleep(seconds)
    await node.start()


# Networks


async def parted(node: Node, seconds: float) -> None:
    """Let nothing pass between a node and the engine."""
    for network in node.networks:
        network.block()
    try:
        await asyncio.sleep(seconds)
    finally:
        for network in node.networks:
            network.unblock()


async def reset(node: Node) -> None:
    """End a node's connections to the engine."""
    for network in node.networks:
        network.cut()


async def robbed(cluster: Cluster, node: Node, thief: Node, seconds: float) -> None:
    """Part a node, and let somebody take the name of a user there who has left, as the others see it.

    Return when whoever bore it is told that it is in use.
    """
    loser, winner = node.guests[1], thief.guests[1]
    name = f"p{loser.hearing.speaker}"
    apart = asyncio.create_task(parted(node, seconds))
    await until(lambda: f"{name} has left the server." in winner.told)
    winner.write(f"/nick {name}\n".encode())
    await until(lambda: f"You are now {name}" in winner.told)
    await apart
    await until(lambda: f"Nickname {name} is already in use" in loser.told)


# At random


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    what: str
    where: str
    """What it needs for itself: of two faults at a time each has its own."""
    happen: Callable[[], Awaitable[object]]


def random_fault(cluster: Cluster, random: Random) -> Fault:
    """Something that goes wrong; it is over when what it returns is done."""
    engine, node, seconds = (
        random.choice(cluster.engines),
        random.choice(cluster.nodes),
        random.choice(DURATIONS),
    )
    which = "engine" if cluster.servers == 1 else f"server {cluster.engines.index(engine)}"
    faults: Sequence[tuple[str, str, Callable[[], Awaitable[object]]]] = (
        (f"{which} restarted", "engine", lambda: engine_away(cluster, engine, signal.SIGTERM, seconds)),
        (f"{which} killed", "engine", lambda: engine_away(cluster, engine, signal.SIGKILL, seconds)),
        (f"{which} stopped", "engine", lambda: engine_stopped(engine, seconds)),
        (f"{node.name} stopped", node.name, lambda: node_stopped(node, seconds)),
        (f"{node.name} killed", node.name, lambda: node_ended(cluster, node, signal.SIGKILL, seconds)),
        (f"{node.name} ended", node.name, lambda: node_ended(cluster, node, signal.SIGTERM, seconds)),
        (f"{node.name} parted", node.name, lambda: parted(node, seconds)),
        (f"{node.name} parted", node.name, lambda: parted(node, seconds)),
        (f"{node.name} reset", node.name, lambda: reset(node)),
    )
    what, where, happen = random.choice(faults)
    return Fault(f"{what} for {seconds:g} s", where, happen)


def random_faults(cluster: Cluster, random: Random) -> list[Fault]:
    """One fault, or two at a time of which neither is in the other's way."""
    faults = [random_fault(cluster, random)]
    while random.random() < 0.4 and len(faults) < 2:
        other = random_fault(cluster, random)
        if other.where != faults[0].where:
            faults.append(other)
    return faults


async def happen(faults: Sequence[Fault], random: Random) -> None:
    """Let all of them happen, each a little after the one before."""
    async with asyncio.TaskGroup() as group:
        for fault in faults:
            group.create_task(_happen(fault))
            await asyncio.sleep(random.uniform(0, 1.5))


async def _happen(fault: Fault) -> None:
    await fault.happen()
