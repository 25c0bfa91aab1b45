"""Attacks upon the door: bans, storms of connections, and many who leave at once."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from chat_console.server.gate.gate import Gate
from chat_console.server.settings import Settings

from . import bars
from .bars import Outcome, Scale
from .guests import Party
from .metered import Metered, Reading, wait_for
from .program import PATIENCE


def bans(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """A storm of connections from a banned address, with many bans in force."""

    def storm(count: int) -> Reading:
        chance = random.Random(1)
        addresses = {f"10.{'.'.join(str(chance.randrange(256)) for _ in range(3))}" for _ in range(count)}
        file = folder / f"bans{count}"
        file.write_text("".join(f"{address} -\n" for address in (*sorted(addresses), "127.0.0.2")))
        with Metered(bans_file=file) as server:
            server.begin()
            for _ in range(0, scale.storm, 100):
                socks = [socket.socket() for _ in range(100)]
                for sock in socks:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    sock.bind(("127.0.0.2", 0))
                    sock.settimeout(PATIENCE)
                    sock.connect(("127.0.0.1", server.port))
                for sock in socks:
                    with suppress(ConnectionError):
                        while sock.recv(1000):
                            pass
                    sock.close()
            return server.read()

    control, many = storm(10), storm(scale.bans)
    attack = f"{scale.bans:,} bans, {scale.storm} connections of a banned address"
    yield many.held(attack)
    each, usual = (reading.cpu / reading.pace / scale.storm for reading in (many, control))
    yield bars.cost(attack, each, usual, "10 bans")


class Nobody:
    """Stands in for the bans where none is in force, and for the refusals where there are none."""

    def covers(self, host: str) -> bool:
        return False


def new_networks(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """2,500 new IPv6 networks a second at the gate."""

    now = 0.0

    def clock() -> float:
        return now

    nobody = cast(Any, Nobody())
    gate = Gate(Settings(), nobody, nobody, clock)
    times: list[float] = []
    for number in range(scale.networks):
        now = number / 2500
        host = f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"
        start = time.thread_time()
        gate.enter(host)
        gate.leave(host)
        times.append(time.thread_time() - start)
    attack = f"{scale.networks:,} new /64, 2,500 a second"
    longest = f"longest {max(times) * 1000:.1f} ms"
    yield Outcome(attack, longest, "<= 20 ms", sorted(times)[-3] <= 0.020, timed=True)
    size = scale.networks // 8
    yield bars.cost(attack, sum(times[-size:]) / size, sum(times[:size]) / size, "the first")


def ban_of_a_name(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """A ban of all who share a name, each with an address of its own."""

    def ban(count: int, kept: bool) -> tuple[Reading, int]:
        bans_file = folder / f"bans{count}" if kept else None
        with Metered(shared_nicks=True, bans_file=bans_file) as server, Party(server.port) as party:
            party.fill(server, count, lambda number: f"127.1.{number // 250}.{number % 250 + 1}")
            party.send(b"/nick Bob\n")
            party.read_while(lambda: server.seen("Renamed") < count)
            server.begin()
            server.operate("/ban Bob --force")
            server.operate("/ban Bob --force")
            party.read_while(lambda: server.members)
            return server.read(), server.members

    for kind, count, kept in (("in memory", scale.bearers, False), ("in a file", scale.bearers // 5, True)):
        few = count // 4
        (control, _), (after, left) = ban(few, kept), ban(count, kept)
        attack = f"/ban of a name with {count:,} bearers, {kind}"
        yield after.held(attack)
        yield bars.cost(
            attack, after.cpu / after.pace / count, control.cpu / control.pace / few, f"{few} bearers"
        )
        yield Outcome(attack, f"{left} are still there", "none", not left)


def leaving(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """All leave at once."""
    for way in ("RST", "FIN"):
        with Metered() as server, Party(server.port) as party:
            party.fill(server, scale.leavers)
            party.read_until(lambda: False, quiet=0.5)
            server.begin()
            party.leave(reset=way == "RST")
            wait_for(lambda: not server.members, 2 * PATIENCE)
            after = server.read()
        yield after.held(f"{scale.leavers:,} leave at once by {way}")
