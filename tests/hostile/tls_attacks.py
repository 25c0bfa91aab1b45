"""Attacks upon the TLS layer."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from . import bars
from .bars import Outcome, Scale
from .charges import TEXT, innocent_lines
from .flood import Flood
from .guests import Guest
from .metered import Certificate, Metered, Reading, certificate, tls_context, wait_for
from .program import PATIENCE


def lists_over_tls(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """One client that asks for 10,000 listings over TLS and closes."""
    with Metered(**certificate(folder)) as server, ExitStack() as stack:
        for _ in range(scale.tls_room):
            stack.enter_context(Guest(server.port, tls=True))
        greedy = stack.enter_context(Guest(server.port, tls=True))
        wait_for(lambda: server.members == scale.tls_room + 1)
        before = server.begin()
        greedy.send(b"/list\n" * 10_000)
        assert isinstance(greedy.sock, ssl.SSLSocket)
        greedy.sock.settimeout(0)
        with suppress(ssl.SSLError):
            greedy.sock.unwrap()  # says that nothing more comes; what is still to come is not waited for
        end = time.monotonic() + (5 if scale.all_kinds else 2)
        while time.monotonic() < end:
            with suppress(OSError):
                while greedy.sock.recv(1 << 18):
                    pass
            time.sleep(0.02)
        after = server.read()
    attack = f"TLS: 10,000 /list and close, {scale.tls_room} users"
    yield after.held(attack)
    yield bars.growth(attack, after.peak - before.memory, 4)


def handshakes(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """Handshakes that are begun and never finished."""
    outgoing = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        tls_context().wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    hello = outgoing.read()
    settings = certificate(folder)
    kinds = {"a greeting": hello, "silent": b"", "half a greeting": hello[:100]}
    for kind, data in [*kinds.items()][: 3 if scale.all_kinds else 1]:
        with Metered(**settings) as server, ExitStack() as stack:
            before = server.begin()
            for _ in range(scale.handshakes):
                sock = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                sock.sendall(data)
            sizes = [server.settle().memory]
            while len(sizes) < 5 or sizes[-1] > sizes[-5] + 0.1:
                time.sleep(0.1)
                sizes.append(server.settle().memory)
            each = (max(sizes) - before.memory) / scale.handshakes
        yield Outcome(
            f"TLS: {scale.handshakes} unfinished handshakes, {kind}",
            f"{each:.3f} MiB each",
            "<= 0.1 MiB",
            each <= 0.1,
        )


def silent_reader(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """A client that never reads, while the room talks."""
    most = 24 << 20
    text = "x" * 2000

    def drop(tls: bool, buffer: int) -> tuple[float, float]:
        block = 16 if buffer else 64
        settings = certificate(folder) if tls else Certificate()
        with Metered(**settings) as server, Guest(server.port, tls=tls, buffer=buffer):
            wait_for(lambda: server.members == 1)
            before = server.begin()
            said = 0
            while said < most and not server.dropped:
                server.say(text, block)
                said += block * len(text)
                time.sleep(0.002)
            after = server.read()
            return said / 2**20, after.peak - before.memory

    kinds = {"over a network": 4096, "over loopback": 0}
    for kind, buffer in [*kinds.items()][: 2 if scale.all_kinds else 1]:
        (plain, plain_growth), (tls, growth) = drop(False, buffer), drop(True, buffer)
        yield Outcome(
            f"TLS: a silent reader {kind}",
            f"dropped after {tls:.1f} MiB ({growth:+.1f}), without TLS {plain:.1f} ({plain_growth:+.1f})",
            "<= 1.25 x that + 0.25 MiB",
            tls <= 1.25 * plain + 0.25,
        )


def stalled_reader(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """A client for whom a little waits and that takes nothing of it."""

    def dropped(tls: bool, said: int, patience: float = 3.0) -> bool:
        settings = certificate(folder) if tls else Certificate()
        with Metered(stall_timeout=1, **settings) as server, Guest(server.port, tls=tls, buffer=4096):
            wait_for(lambda: server.members == 1)
            server.say("x" * 1013, said >> 10)
            return wait_for(lambda: server.dropped, patience)

    # What the system keeps is not seen to stall.
    least = next(size for size in range(64 << 10, 1 << 20, 32 << 10) if dropped(False, size))
    for size in (least + (32 << 10), 2 * least):
        went = dropped(True, size, PATIENCE)
        yield Outcome(
            f"TLS: a reader that takes nothing of {size >> 10} KiB",
            f"is {'' if went else 'not '}dropped, without TLS from {least >> 10} KiB on",
            "dropped after the stall timeout",
            went,
        )


def key_updates(scale: Scale, folder: Path, connections: int = 8) -> Iterator[Outcome]:
    """TLS records that cost work and bring nothing."""
    settings = certificate(folder)

    def deliveries(payload: bytes, records: int) -> tuple[Sequence[float], Reading]:
        with (
            Metered(**settings) as server,
            Flood(server.port, connections, payload, tls=True, records=records) as flood,
        ):
            server.begin()
            return innocent_lines(server.port, scale, flood, tls=True), server.read()

    control, _ = deliveries(TEXT, 0)
    for kind, payload, records in (
        (f"TLS: {connections} connections of KeyUpdate", b"", scale.key_updates),
        (f"TLS: {connections} connections, a byte a record", b"x", scale.key_updates),
    ):
        measured, after = deliveries(payload, records)
        yield bars.delivery(kind, measured, control)
        yield after.held(kind)
