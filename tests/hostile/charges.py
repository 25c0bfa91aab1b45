"""Attacks upon what everybody shares, the loop's time and the server's memory, each against a control."""

from __future__ import annotations

import os
import random
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from .flood import Flood
from .guests import LOST, Guest, Innocents, Party
from .metered import Metered, Outcome, Reading, certificate, median, plain_console, wait_for
from .program import PATIENCE

RATIO = 5
"""How much longer an innocent line may take under attack than under as many who talk at full speed."""

QUICKEST = 0.002
"""What a line takes at least, in seconds: what is quicker is for a busy machine to decide."""

TEXT = b"The quick brown fox jumps over the lazy dog\n"

REMOVED = {
    "ESC CR": b"\x1b\r",
    "IAC NOP": b"\xff\xf1",
    "IAC DO TIMING-MARK": b"\xff\xfd\x06",
    "BEL LF": b"\x07\n",
    "blank lines": b"\n",
}
"""What clients may send of which nothing is left."""


@dataclass(frozen=True)
class Scale:
    """How large the attacks are."""

    flooders: int
    lines: int
    """How many lines of innocents are waited for."""
    room: int
    """How many are in a large room."""
    tls_room: int
    listers: int
    bearers: int
    """How many have one name."""
    bans: int
    storm: int
    """How many connections a banned address opens."""
    networks: int
    handshakes: int
    key_updates: int
    """By each connection that updates its key."""
    seconds: float
    """How long those of one address talk."""


FULL = Scale(200, 40, 8000, 1000, 200, 3000, 10_000, 2000, 20_000, 500, 40_000, 10.0)
QUICK = Scale(200, 20, 2000, 100, 50, 600, 10_000, 300, 5_000, 200, 15_000, 3.0)


# What is removed


def innocent_lines(port: int, scale: Scale, flood: Flood, *, tls: bool = False) -> float:
    """What a line of an innocent takes while `flood` runs: the median, in seconds."""
    with Innocents(port, tls=tls) as innocents:
        flood.begin()
        time.sleep(0.3)
        return median(innocents.deliveries(scale.lines))


def delivery_outcome(attack: str, measured: float, control: float) -> Outcome:
    times = "lost" if measured == LOST else f"{measured * 1000:,.1f} ms"
    return Outcome(
        attack,
        f"an innocent line {times}, with text {control * 1000:,.1f} ms",
        f"<= {RATIO} x that with text",
        measured <= RATIO * max(control, QUICKEST),
    )


def removed(scale: Scale, kinds: Sequence[str] = tuple(REMOVED)) -> Iterator[Outcome]:
    """Connections that send only what is removed."""

    def delivery(payload: bytes) -> float:
        with Metered() as server, Flood(server.port, scale.flooders, payload) as flood:
            return innocent_lines(server.port, scale, flood)

    control = delivery(TEXT)
    for kind in kinds:
        yield delivery_outcome(f"{scale.flooders} connections of {kind}", delivery(REMOVED[kind]), control)


def sigterm(scale: Scale, kind: str = "ESC CR") -> Iterator[Outcome]:
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
    )


# Listings


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
        end = time.monotonic() + 5
        while time.monotonic() < end:
            with suppress(OSError):
                while greedy.sock.recv(1 << 18):
                    pass
            time.sleep(0.02)
        after = server.read()
    attack = f"TLS: 10,000 /list and close, {scale.tls_room} users"
    yield after.slices_outcome(attack)
    yield growth_outcome(attack, after.peak - before.memory, 4)


def growth_outcome(attack: str, growth: float, most: float) -> Outcome:
    return Outcome(attack, f"{growth:+,.1f} MiB", f"<= {most} MiB", growth <= most)


def lists(scale: Scale, each: int = 20) -> Iterator[Outcome]:
    """Many clients that ask for many listings each, and read them."""
    with Metered() as server, Party(server.port) as party:
        fill(server, party, scale.room)
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
    yield after.slices_outcome(attack)
    yield growth_outcome(attack, after.peak - before.memory, 64)
    yield Outcome(
        attack, f"{short} readers have not all their listings, {after.dropped} dropped", "none", not short
    )


def fill(server: Metered, party: Party, count: int, source: Callable[[int], str] | None = None) -> None:
    """Let so many come in, and read what they are told until all are there."""
    party.connect(count, *([source] if source else []))
    wait_for(
        lambda: party.read_until(lambda: False, quiet=0.05) or server.members == count, 4 * PATIENCE
    )


# Talkers


def one_address(scale: Scale, senders: int = 32) -> Iterator[Outcome]:
    """As many long lines as those of one address may send, and readers of all speeds."""
    rates = {"64 KiB/s": 1 << 16, "1 Mbit/s": 125_000, "10 Mbit/s": 1_250_000, "100 Mbit/s": 12_500_000}
    line = b"x" * 2048 + b"\n"
    with Metered() as server, ExitStack() as stack:
        readers = {
            name: stack.enter_context(Guest(server.port, buffer=1 << 15)) for name in rates for _ in range(1)
        }
        flood = stack.enter_context(Flood(server.port, senders, line))
        witness = stack.enter_context(Guest(server.port))
        wait_for(lambda: server.members == senders + len(readers) + 1)
        before = server.begin()
        flood.begin()
        start = time.perf_counter()
        drained = dict.fromkeys(readers, 0)
        heard = 0
        gone: set[str] = set()
        while (at := time.perf_counter() - start) < scale.seconds:
            for name, reader in readers.items():
                allowed = int(rates[name] * at) - drained[name]
                with suppress(OSError):
                    reader.sock.settimeout(0)
                    while allowed > 0 and name not in gone:
                        data = reader.sock.recv(min(allowed, 1 << 16))
                        drained[name] += len(data)
                        allowed -= len(data)
                        if not data:
                            gone.add(name)
            with suppress(OSError):
                while True:
                    heard += len(witness.take(1 << 18, 0.002))
                    witness.got = b""
        elapsed = time.perf_counter() - start
        after = server.read()
    yield Outcome(
        f"{senders} senders of one address, lines of 2,048 bytes",
        f"{after.dropped} of {len(readers)} readers dropped, peak {after.peak - before.memory:+.1f} MiB",
        "none who drains 64 KiB/s or more",
        not after.dropped,
    )
    allowed = senders * (8192 + 2048 * elapsed + 4096) * 1.05
    yield Outcome(
        f"the same: what is heard in {elapsed:.0f} s",
        f"{heard / 1024 / senders:,.0f} KiB of each sender",
        f"<= {allowed / 1024 / senders:.0f} KiB: 8 KiB, then 2 KiB a second",
        0 < heard <= allowed,
    )


HELD = {
    "one emoji": "\U0001f600\n".encode(),
    "two letters": b"xy\n",
    "emoji, 512 a line": "\U0001f600".encode() * 511 + b"\n",
    "commands": b"/x\n",
    "too long": b"x" * 2100 + b"\n",
}
"""Lines that take the most memory for what they count."""


def held(scale: Scale, kinds: Sequence[str] = tuple(HELD), clients: int = 20) -> Iterator[Outcome]:
    """What is held of a client above its rate."""
    for kind in kinds:
        with Metered() as server, Flood(server.port, clients, HELD[kind]) as flood:
            wait_for(lambda: server.members == clients)  # noqa: B023
            before = server.begin()
            flood.begin()
            time.sleep(1.5)
            after = server.settle()
        each = (after.memory - before.memory) * 1024 / clients
        yield Outcome(
            f"held lines of one client: {kind}", f"{each:,.0f} KiB", "<= 128 KiB", after.members > 0 and each <= 128
        )


def code_points(scale: Scale) -> Iterator[Outcome]:
    """Every code point once."""

    def lines(characters: Sequence[str]) -> bytes:
        rows = ("".join(characters[at : at + 400]) for at in range(0, len(characters), 400))
        return "".join(row + "\n" for row in rows).encode()

    every = [chr(code) for code in range(0x20, 0x110000) if code != 0x7F and not 0xD800 <= code < 0xE000]
    few = (every[:100] + every[-100:]) * (len(every) // 200)
    with Metered(rate=0) as server, Guest(server.port) as guest:

        def send(data: bytes) -> None:
            for at in range(0, len(data), 1 << 16):
                guest.send(data[at : at + (1 << 16)])
                guest.send(b"\n/list\n") if data[at : at + (1 << 16)].endswith(b"\n") else None
            guest.send(b"\n/nick Sender\n")
            guest.until(b"You are now Sender", 4 * PATIENCE)
            guest.send(b"/nick Other\n")
            guest.until(b"You are now Other", 4 * PATIENCE)

        send(lines(few))
        before = server.settle()
        send(lines(every))
        after = server.settle()
    yield growth_outcome("every code point once, for good", after.memory - before.memory, 2)


# Bans, and leaving


def bans(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """A storm of connections from a banned address, with many bans in force."""

    def storm(count: int) -> Reading:
        chance = random.Random(1)
        addresses = {f"{chance.randrange(1, 120)}.{chance.randrange(256)}.{chance.randrange(256)}.1" for _ in range(count)}
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
    yield many.slices_outcome(attack)
    yield cost_outcome(attack, many.cpu / many.pace / scale.storm, control.cpu / control.pace / scale.storm, "10 bans")


def cost_outcome(attack: str, each: float, control: float, of: str, most: float = 3) -> Outcome:
    return Outcome(
        attack,
        f"{each * 1e6:,.0f} us for each, with {of} {control * 1e6:,.0f}",
        f"<= {most:g} x",
        each <= most * control,
    )


def new_networks(scale: Scale) -> Iterator[Outcome]:
    """2,500 new IPv6 networks a second at the gate."""
    from chat_console.server.bans import Bans
    from chat_console.server.gate import Gate
    from chat_console.server.settings import Settings

    now = 0.0

    def clock() -> float:
        return now

    gate = Gate(Settings(), Bans(None, clock, clock, lambda error: None), clock)
    times: list[float] = []
    for number in range(scale.networks):
        now = number / 2500
        host = f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"
        start = time.thread_time()
        gate.enter(host)
        gate.leave(host)
        times.append(time.thread_time() - start)
    attack = f"{scale.networks:,} new /64, 2,500 a second"
    yield Outcome(
        attack, f"longest {max(times) * 1000:.1f} ms", "<= 20 ms", sorted(times)[-3] <= 0.020
    )
    size = scale.networks // 8
    yield cost_outcome(attack, sum(times[-size:]) / size, sum(times[:size]) / size, "the first")


def ban_of_a_name(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """A ban of all who share a name, each with an address of its own."""

    def ban(count: int) -> tuple[Reading, int]:
        (folder / f"bearers{count}").write_text("")
        with Metered(shared_nicks=True, bans_file=folder / f"bearers{count}") as server, Party(server.port) as party:
            fill(server, party, count, lambda number: f"127.1.{number // 250}.{number % 250 + 1}")
            party.send(b"/nick Bob\n")
            wait_for(
                lambda: party.read_until(lambda: False, quiet=0.05)
                or server.seen("Renamed") == count,
                4 * PATIENCE,
            )
            server.begin()
            server.operate("/ban Bob --force")
            server.operate("/ban Bob --force")
            wait_for(
                lambda: party.read_until(lambda: False, quiet=0.05) or not server.members, 2 * PATIENCE
            )
            after = server.read()
            return after, after.members

    few = scale.bearers // 4
    (control, _), (after, left) = ban(few), ban(scale.bearers)
    attack = f"/ban of a name with {scale.bearers:,} bearers"
    yield after.slices_outcome(attack)
    yield cost_outcome(
        attack, after.cpu / after.pace / scale.bearers, control.cpu / control.pace / few, f"{few} bearers"
    )
    yield Outcome(attack, f"{left} are still there", "none", not left)


def leaving(scale: Scale) -> Iterator[Outcome]:
    """All leave at once."""
    for way in ("RST", "FIN"):
        with Metered() as server, Party(server.port) as party:
            fill(server, party, scale.room)
            party.read_until(lambda: False, quiet=0.5)
            server.begin()
            party.leave(reset=way == "RST")
            wait_for(lambda: not server.members, 2 * PATIENCE)  # noqa: B023
            after = server.read()
        yield after.slices_outcome(f"{scale.room:,} leave at once by {way}")


# TLS


def handshakes(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """Handshakes that are begun and never finished."""
    context = ssl.create_default_context()
    outgoing = ssl.MemoryBIO()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    hello = outgoing.read()
    settings = certificate(folder)
    for kind, data in (("silent", b""), ("half a greeting", hello[:100]), ("a greeting", hello)):
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
            f"TLS: {scale.handshakes} unfinished handshakes, {kind}", f"{each:.3f} MiB each", "<= 0.1 MiB", each <= 0.1
        )


def silent_reader(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """A client that never reads, while the room talks."""
    most = 24 << 20
    text = "x" * 2000

    def drop(tls: bool, buffer: int) -> tuple[float, float]:
        block = 16 if buffer else 64
        settings = certificate(folder) if tls else {}
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

    for kind, buffer in (("over a network", 4096), ("over loopback", 0)):
        (plain, plain_growth), (tls, growth) = drop(False, buffer), drop(True, buffer)
        yield Outcome(
            f"TLS: a silent reader {kind}",
            f"dropped after {tls:.1f} MiB ({growth:+.1f}), without TLS {plain:.1f} ({plain_growth:+.1f})",
            "<= 1.25 x that + 0.25 MiB",
            tls <= 1.25 * plain + 0.25,
        )


def stalled_reader(scale: Scale, folder: Path) -> Iterator[Outcome]:
    """A client for whom a little waits and that takes nothing of it."""

    def dropped(tls: bool, said: int) -> bool:
        settings = certificate(folder) if tls else {}
        with Metered(stall_timeout=0.5, **settings) as server, Guest(server.port, tls=tls, buffer=4096):
            wait_for(lambda: server.members == 1)
            server.say("x" * 1013, said >> 10)
            return wait_for(lambda: server.dropped, 2.0)

    # What the system keeps is not seen to stall.
    least = next(size for size in range(64 << 10, 1 << 20, 32 << 10) if dropped(False, size))
    for size in (least + (32 << 10), 2 * least):
        went = dropped(True, size)
        yield Outcome(
            f"TLS: a reader that takes nothing of {size >> 10} KiB",
            f"is {'' if went else 'not '}dropped, without TLS from {least >> 10} KiB on",
            "dropped after the stall timeout",
            went,
        )


def key_updates(scale: Scale, folder: Path, connections: int = 8) -> Iterator[Outcome]:
    """TLS records that cost work and bring nothing."""
    settings = certificate(folder)

    def delivery(payload: bytes, records: int) -> tuple[float, Reading]:
        with (
            Metered(**settings) as server,
            Flood(server.port, connections, payload, tls=True, records=records) as flood,
        ):
            server.begin()
            return innocent_lines(server.port, scale, flood, tls=True), server.read()

    control, _ = delivery(TEXT, 0)
    for kind, payload, records in (
        (f"TLS: {connections} connections of KeyUpdate", b"", scale.key_updates),
        (f"TLS: {connections} connections, a byte a record", b"x", scale.key_updates),
    ):
        measured, after = delivery(payload, records)
        yield delivery_outcome(kind, measured, control)
        yield after.slices_outcome(kind)
