"""Attacks upon what everybody shares, the loop's time and the server's memory, each against a control."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from . import bars
from .bars import Outcome, Scale
from .flood import Flood
from .guests import Guest, Innocents, Party
from .metered import Certificate, Metered, certificate, plain_console, wait_for
from .program import PATIENCE

TEXT = b"The quick brown fox jumps over the lazy dog\n"

REMOVED = {
    "ESC CR": b"\x1b\r",
    "IAC NOP": b"\xff\xf1",
    "IAC DO TIMING-MARK": b"\xff\xfd\x06",
    "BEL LF": b"\x07\n",
    "blank lines": b"\n",
    "erased characters": b"x\xff\xf7",
}
"""What clients may send of which nothing is left."""

HELD = {
    "one emoji": "\U0001f600\n".encode(),
    "two letters": b"xy\n",
    "511 emoji": "\U0001f600".encode() * 511 + b"\n",
    "commands": b"/x\n",
    "too long": b"x" * 2100 + b"\n",
}
"""Lines that take the most memory for what they count."""

RATES = {"64 KiB/s": 1 << 16, "1 Mbit/s": 125_000, "10 Mbit/s": 1_250_000, "100 Mbit/s": 12_500_000}
"""How many bytes a second readers take who are not to be dropped."""

BYTES_A_LINE = 410
"""How many bytes a client may send for each line that it may."""


# What is removed


def innocent_lines(port: int, scale: Scale, flood: Flood, *, tls: bool = False) -> Sequence[float]:
    """How long lines of innocents take while `flood` runs, in seconds."""
    with Innocents(port, tls=tls) as innocents:
        flood.begin()
        time.sleep(0.0 if flood.is_short else 0.3)
        return innocents.deliveries(scale.lines)


def removed(
    scale: Scale, folder: Path, kinds: Sequence[str] = tuple(REMOVED), *, tls: bool = False
) -> Iterator[Outcome]:
    """Connections that send only what is removed."""
    settings = certificate(folder) if tls else Certificate()
    flooders = scale.flooders // 5 if tls else scale.flooders

    def deliveries(payload: bytes) -> Sequence[float]:
        with Metered(**settings) as server, Flood(server.port, flooders, payload, tls=tls) as flood:
            return innocent_lines(server.port, scale, flood, tls=tls)

    control = deliveries(TEXT)
    for kind in kinds if scale.all_kinds else kinds[: 2 if tls else 4]:
        attack = f"{'TLS: ' if tls else ''}{flooders} connections of {kind}"
        yield bars.delivery(attack, deliveries(REMOVED[kind]), control)


def sigterm(scale: Scale, folder: Path, kind: str = "ESC CR") -> Iterator[Outcome]:
    """The program's end while they send."""

    def end(payload: bytes) -> float:
        with plain_console() as (process, port), Flood(port, scale.flooders, payload) as flood:
            flood.begin()
            time.sleep(0.5)
            start = time.perf_counter()
            process.send_signal(signal.SIGTERM)
            wait_for(lambda: process.poll() is not None)
            return time.perf_counter() - start

    control, measured = end(TEXT), end(REMOVED[kind])
    yield Outcome(
        f"SIGTERM under {scale.flooders} connections of {kind}",
        f"ends in {measured:.1f} s, with text {control:.1f} s",
        "<= 3 s",
        measured <= max(3.0, 2 * control),
        timed=True,
    )


# Listings


def lists(scale: Scale, folder: Path, each: int = 20) -> Iterator[Outcome]:
    """Many clients that ask for many listings each, and read them."""
    with Metered() as server, Party(server.port) as party:
        party.fill(server, scale.room)
        party.read_until(lambda: False, quiet=1.0)
        listers = [sock.fileno() for sock in party.socks[-scale.listers :]]
        came = {descriptor: party.lines[descriptor] for descriptor in listers}
        before = server.begin()
        party.send(b"/list\n" * each, first=scale.room - scale.listers)
        wanted = each * (scale.room - 1)
        party.read_until(lambda: all(party.lines[one] - came[one] >= wanted for one in listers), quiet=3.0)
        after = server.read()
        short = sum(party.lines[one] - came[one] != wanted for one in listers)
    attack = f"/list x {each} from {scale.listers} of {scale.room:,}"
    yield after.held(attack)
    yield bars.growth(attack, after.peak - before.memory, 64)
    yield Outcome(attack, f"{short} readers have not all their listings", "none", not short)


# Talkers


def one_address(scale: Scale, folder: Path, senders: int = 32) -> Iterator[Outcome]:
    """As many long lines as those of one address may send, and readers of all speeds."""
    with Metered() as server, ExitStack() as stack:
        readers = {name: stack.enter_context(Guest(server.port, buffer=1 << 15)) for name in RATES}
        witness = stack.enter_context(Guest(server.port))
        flood = stack.enter_context(Flood(server.port, senders, b"x" * 2048 + b"\n"))
        wait_for(lambda: server.members == senders + len(readers) + 1)
        before = server.begin()
        flood.begin()
        start = time.perf_counter()
        drained = dict.fromkeys(readers, 0)
        heard = 0
        while (at := time.perf_counter() - start) < scale.seconds:
            for name, reader in readers.items():
                drained[name] += reader.skip(int(RATES[name] * at) - drained[name])
            heard += witness.skip(1 << 24)
            time.sleep(0.002)
        elapsed = time.perf_counter() - start
        after = server.read()
    yield Outcome(
        f"{senders} senders of one address, lines of 2,048 bytes",
        f"{after.dropped} of {len(readers)} readers dropped, {after.peak - before.memory:+.1f} MiB",
        "none who drains 64 KiB/s or more",
        not after.dropped,
    )
    most = (8192 + 2048 * elapsed + 4096) / 1024
    each = heard / 1024 / senders
    yield Outcome(
        f"the same: what is heard of each in {elapsed:.0f} s",
        f"{each:,.0f} KiB",
        f"<= {most:.0f} KiB: 8 KiB, then 2 KiB a second",
        0 < each <= most,
    )


def metering(scale: Scale, folder: Path, rate: int = 50, burst: int = 100) -> Iterator[Outcome]:
    """What a client sends above its rate, in bytes and in lines, with a rate of its own."""
    line = b"x" * 2000 + b"\n"
    sent = {"long lines": line * (2 * burst * BYTES_A_LINE // len(line))}
    for kind, unit in REMOVED.items():
        each = max(len(unit) / BYTES_A_LINE, unit.endswith((b"\n", b"\r")))
        sent[kind] = unit * int(2 * burst / each)
    due = burst / rate
    with Metered(rate=rate, burst=burst) as server, ExitStack() as stack:
        witness = stack.enter_context(Guest(server.port))
        talkers = {kind: stack.enter_context(Guest(server.port)) for kind in sent}
        wait_for(lambda: server.members == len(talkers) + 1)
        start = time.perf_counter()
        for kind, talker in talkers.items():
            talker.send(sent[kind] + b"\nthe end of %s\n" % kind.encode())
        took: dict[str, float] = {}
        while len(took) < len(sent) and time.perf_counter() < start + PATIENCE:
            with suppress(TimeoutError):
                witness.take(1 << 18, 0.05)
            *whole, witness.got = witness.got.split(b"\n")
            for each in whole:
                kind = each.partition(b": the end of ")[2].decode()
                if kind:
                    took[kind] = time.perf_counter() - start
            for talker in talkers.values():
                talker.skip(1 << 24)
    for kind in sent:
        after = took.get(kind, math.inf)
        yield Outcome(
            f"{kind}, twice the burst",
            f"the next line comes after {after:.1f} s",
            f"{due:.1f} s",
            0.7 * due <= after < math.inf,
        )


def held(
    scale: Scale, folder: Path, kinds: Sequence[str] = tuple(HELD), clients: int = 20
) -> Iterator[Outcome]:
    """What is held of a client above its rate."""
    for kind in kinds if scale.all_kinds else kinds[:2]:
        with Metered() as server, Flood(server.port, clients, HELD[kind]) as flood:
            wait_for(lambda: server.members == clients)
            before = server.begin()
            flood.begin()
            time.sleep(1.0)
            after = server.settle()
        each = (after.memory - before.memory) * 1024 / clients
        yield Outcome(
            f"held lines of one client: {kind}",
            f"{each:,.0f} KiB of each of {after.members}",
            "<= 128 KiB",
            after.members == clients and each <= 128,
        )


def code_points(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """Every code point once, after as much of a few."""
    every = [chr(code) for code in range(0x20, 0x110000) if code != 0x7F and not 0xD800 <= code < 0xE000]
    few = (every[:100] + every[-100:]) * (len(every) // 200)
    with Metered(rate=0) as server, Guest(server.port) as guest:
        sizes: list[float] = []
        for characters in (few, every):
            rows = ("".join(characters[at : at + 400]) for at in range(0, len(characters), 400))
            data = "".join(row + "\n" for row in rows).encode()
            for at in range(0, len(data), 1 << 16):
                guest.send(data[at : at + (1 << 16)])
                guest.skip(1 << 24)
            # Its own lines do not come back: an answer says that all have been taken.
            for name in (b"Ada", b"Bob"):
                guest.send(b"/nick %s\n" % name)
                guest.until(b"You are now %s\n" % name, 4 * PATIENCE)
            sizes.append(server.settle().memory)
    yield bars.growth("every code point once, for good", sizes[1] - sizes[0], 2)
