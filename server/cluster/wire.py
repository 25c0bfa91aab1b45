"""What nodes write into the log and send to each other, as bytes. Everything is checked as it is read.

Integers are little-endian, text is UTF-8, times are `f64`. Each entry of the log begins with `u8` format,
which is 1, `u8` kind, `u16` level, `u32` term, `u64` process, `u32` counter, `u32` 0, `u64` batch. Then come:

| kind | body |
|---|---|
| 1 `Batch` | operations; see `operations` |
| 2 `Ask` | `u64` digest, `u8` size, name of the node |
| 3 `Found` | `u64` since |
| 4 `Roster` | `u64` basis, `u64` digest, `u16` index, `u8` last, `u8` size, name of the node, rows |

A row is `u32` number, `u64` position, `u32` place, `u8` flags (1 muted, 2 for a time, 4 has spoken), `u32`
lines, `u8` and `u8` sizes, address, nickname, and if muted since when, and until when. Past the log go:

| first byte | then |
|---|---|
| 1 `State` | `u64` position, process, basis, digest, `u16` index, `u8` last, nodes, bans, rows |
| 2 `Next` | `u64` position, `u16` index |

Nodes, bans and rows come each after their `u16` count. A node is `u64` process, `u32` term, `u32` counter,
`u16` level, `u8` size, name; a ban is `f64` seconds left, below 0 for good, `u8` size, network.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, assert_never

from ..addresses import Network, PackedAddress
from ..settings import Settings
from . import untrusted
from .untrusted import Invalid, Malformed, Payload

FORMAT = 1
LEVEL = 1
"""What this program understands: a later one that has more operations has a higher level."""

MAX_BATCH = 256 << 10
"""How many bytes of operations are put into one batch, though one operation may exceed it."""

MAX_ENTRY = 512 << 10
"""The longest entry that is read, in bytes."""

MAX_ROWS = 1000
"""How many rows, and how many bans, one `Roster` or `State` may have."""

MAX_CHUNKS = 1049
"""How many of them one statement may take: a node has at most 2^20 members."""

_HEAD = struct.Struct("<BBHIQIIQ")
_ASK = struct.Struct("<QB")
_SINCE = struct.Struct("<Q")
_ROSTER = struct.Struct("<QQHBB")
_ROW = struct.Struct("<IQIBIBB")
_TIME = struct.Struct("<d")
_STATE = struct.Struct("<BQQQQHB")
_COUNT = struct.Struct("<H")
_NODE = struct.Struct("<QIIHB")
_BAN = struct.Struct("<dB")
_NEXT = struct.Struct("<BQH")


class Row(NamedTuple):
    """One member of a node."""

    number: int
    position: int
    """Where in the log it joined, and at which place there: the order of `/list`."""
    place: int
    lines: int
    address: PackedAddress
    nickname: str | None
    muted_at: float | None
    muted_until: float | None
    has_spoken: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Operations of a node that is in. `counter` counts the entries of its term from 1."""

    process: int
    term: int
    counter: int
    number: int
    """Counts the batches of the process; it stays when the same operations are sent in another term."""
    operations: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """A node asks those who are in for the state as of this position."""

    process: int
    term: int
    attempt: int
    digest: int
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """Nobody has answered an `Ask` at `since`: the room begins here, empty."""

    process: int
    since: int


@dataclass(frozen=True, slots=True)
class Roster:
    """A node states who its members are, and with the last chunk of it is in."""

    process: int
    term: int
    basis: int
    """Where the room began that it wants to be in."""
    digest: int
    level: int
    index: int
    is_last: bool
    name: str
    rows: Sequence[Row]

    @property
    def counter(self) -> int:
        """Which entry of its term it is."""
        return self.index + 1


class NodeRow(NamedTuple):
    """One node that is in."""

    process: int
    term: int
    counter: int
    level: int
    name: str


class BanRow(NamedTuple):
    """A ban in force, for another `seconds`; None = until lifted."""

    network: Network
    seconds: float | None


@dataclass(frozen=True, slots=True)
class State:
    """A chunk of the state as of the `Ask` at `position`: one node's members, and all nodes."""

    position: int
    process: int
    basis: int
    digest: int
    index: int
    is_last: bool
    nodes: Sequence[NodeRow] = ()
    """All nodes that are in; in chunk 0 only."""
    bans: Sequence[BanRow] = ()
    rows: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Next:
    """Asks for one more chunk of the state as of `position`."""

    position: int
    index: int


def digest_of(settings: Settings) -> int:
    """64 bits of what must be the same on all nodes, or their rooms would differ."""
    same = f"{FORMAT} {settings.shared_nicks} {settings.max_line}"
    return int.from_bytes(hashlib.blake2b(same.encode(), digest_size=8).digest(), "little")


# To bytes


def encode(entry: Batch | Ask | Found | Roster) -> bytes:
    """Return the bytes of an entry of the log."""
    match entry:
        case Batch():
            head = _head(1, entry.process, entry.term, entry.counter, entry.number)
            return head + entry.operations
        case Ask():
            name = entry.name.encode()
            body = _ASK.pack(entry.digest, len(name)) + name
            return _head(2, entry.process, entry.term, entry.attempt) + body
        case Found():
            return _head(3, entry.process) + _SINCE.pack(entry.since)
        case Roster():
            name = entry.name.encode()
            body = _ROSTER.pack(entry.basis, entry.digest, entry.index, entry.is_last, len(name)) + name
            head = _head(4, entry.process, entry.term, entry.counter, level=entry.level)
            return head + body + b"".join(map(_row_bytes, entry.rows))
        case _:
            assert_never(entry)


def _head(
    kind: int, process: int, term: int = 0, counter: int = 0, batch: int = 0, level: int = LEVEL
) -> bytes:
    return _HEAD.pack(FORMAT, kind, level, term, process, counter, 0, batch)


def _row_bytes(row: Row) -> bytes:
    address, nickname = untrusted.packed_address_bytes(row.address), (row.nickname or "").encode()
    times = [time for time in (row.muted_at, row.muted_until) if time is not None]
    flags = (0, 1, 3)[len(times)] | 4 * row.has_spoken
    head = _ROW.pack(row.number, row.position, row.place, flags, row.lines, len(address), len(nickname))
    return head + address + nickname + b"".join(map(_TIME.pack, times))


def encode_sent(message: State | Next) -> bytes:
    """Return the bytes of what is sent past the log."""
    if isinstance(message, Next):
        return _NEXT.pack(2, message.position, message.index)
    position, process, basis, digest = message.position, message.process, message.basis, message.digest
    head = _STATE.pack(1, position, process, basis, digest, message.index, message.is_last)
    tables = [
        [_node_bytes(node) for node in message.nodes],
        [_ban_bytes(ban) for ban in message.bans],
        [_row_bytes(row) for row in message.rows],
    ]
    return head + b"".join(_COUNT.pack(len(table)) + b"".join(table) for table in tables)


def _node_bytes(node: NodeRow) -> bytes:
    name = node.name.encode()
    return _NODE.pack(node.process, node.term, node.counter, node.level, len(name)) + name


def _ban_bytes(ban: BanRow) -> bytes:
    network = str(ban.network).encode()
    return _BAN.pack(-1 if ban.seconds is None else max(ban.seconds, 0), len(network)) + network


# From bytes


def decode(data: bytes) -> Batch | Ask | Found | Roster:
    """Return the entry of the log that `data` is. The operations of a batch are not looked at.

    Raises:
        Malformed: if it is none, or one that only a later version understands.
    """
    if len(data) > MAX_ENTRY:
        raise Malformed("it is too long")
    payload = Payload(data)
    format_, kind, level, term, process, counter, _, batch = _HEAD.unpack(payload.take(_HEAD.size))
    if format_ != FORMAT:
        raise Malformed("it is of another format")
    try:
        untrusted.process(process)
        match kind:
            case 1:
                return Batch(process, term, counter, batch, payload.rest())
            case 2:
                digest, size = _ASK.unpack(payload.take(_ASK.size))
                return Ask(process, term, counter, digest, untrusted.node_name(payload.take(size)))
            case 3:
                return Found(process, *_SINCE.unpack(payload.take(_SINCE.size)))
            case 4:
                return _roster(payload, process, term, level)
            case _:
                raise Malformed("it is of a kind that is not known")
    except Invalid:
        raise Malformed("it has a value that cannot be") from None


def _roster(payload: Payload, process: int, term: int, level: int) -> Roster:
    basis, digest, index, is_last, size = _ROSTER.unpack(payload.take(_ROSTER.size))
    name = untrusted.node_name(payload.take(size))
    rows: list[Row] = []
    while payload.has_more:
        rows.append(_row(payload))
    if len(rows) > MAX_ROWS or index >= MAX_CHUNKS:
        raise Invalid
    return Roster(process, term, basis, digest, level, index, bool(is_last), name, rows)


def _row(payload: Payload) -> Row:
    number, position, place, flags, lines, a, b = _ROW.unpack(payload.take(_ROW.size))
    address, name = untrusted.packed_address(payload.take(a)), payload.take(b)
    nickname = untrusted.nickname(name) if name else None
    muted_at = _time(payload) if flags & 1 else None
    muted_until = _time(payload) if flags & 1 and flags & 2 else None
    return Row(number, position, place, lines, address, nickname, muted_at, muted_until, bool(flags & 4))


def _time(payload: Payload) -> float:
    (time,) = _TIME.unpack(payload.take(_TIME.size))
    if not math.isfinite(time):
        raise Invalid
    return time


def decode_sent(data: bytes) -> State | Next:
    """Return what `data` is that another node has sent past the log.

    Raises:
        Malformed: if it is nothing that is known.
    """
    if len(data) > MAX_ENTRY:
        raise Malformed("it is too long")
    payload = Payload(data)
    try:
        match data[:1]:
            case b"\1":
                return _state(payload)
            case b"\2":
                _, position, index = _NEXT.unpack(payload.take(_NEXT.size))
                return Next(position, index)
            case _:
                raise Malformed("it is of a kind that is not known")
    except Invalid:
        raise Malformed("it has a value that cannot be") from None


def _state(payload: Payload) -> State:
    _, position, process, basis, digest, index, is_last = _STATE.unpack(payload.take(_STATE.size))
    untrusted.process(process)
    nodes = [_node(payload) for _ in range(_count(payload))]
    bans = [_ban(payload) for _ in range(_count(payload))]
    rows = [_row(payload) for _ in range(_count(payload))]
    if max(len(nodes), len(bans), len(rows)) > MAX_ROWS or index >= MAX_CHUNKS:
        raise Invalid
    return State(position, process, basis, digest, index, bool(is_last), nodes, bans, rows)


def _count(payload: Payload) -> int:
    (count,) = _COUNT.unpack(payload.take(_COUNT.size))
    return count


def _node(payload: Payload) -> NodeRow:
    process, term, counter, level, size = _NODE.unpack(payload.take(_NODE.size))
    return NodeRow(untrusted.process(process), term, counter, level, untrusted.node_name(payload.take(size)))


def _ban(payload: Payload) -> BanRow:
    seconds, size = _BAN.unpack(payload.take(_BAN.size))
    network = untrusted.network(payload.take(size))
    if not math.isfinite(seconds):
        raise Invalid
    return BanRow(network, None if seconds < 0 else seconds)
