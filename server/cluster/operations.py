"""Operations: what one batch in the log carries. The entries of a node's room, and what it says as a node.

An operation is `u8 code, u32 number, u32 size` and a payload of that size. The number is the member's at its
node, 0 where none is meant. Integers are little-endian, text is UTF-8, seconds and times are `f64`.

| code | entry | payload |
|---|---|---|
| `J` | `Join` | host, `\\|`, port |
| `T` | `Lines` that say something | the texts, joined by LF |
| `M` | `Lines`, one `/msg` | `u16` size of the recipient, recipient, text |
| `N` | `Nick` | name |
| `Q` | `Leave` | `u8` reason, remark |
| `E` | `MuteExpired` | `since` |
| `s` | `Say` | `u16` size of the name, name, text |
| `m` | `Message` | `u16` size of the name, name, target, text |
| `k` | `Kick` | target, remark |
| `t`, `v` | `Mute`, `Unmute` | seconds, target, remark; target |
| `b`, `n` | `Ban`, `Unban` | seconds, `u16` size of the networks, these joined by LF, remark; network |
| `c` | `MinutePassed` | nothing |
| `B`, `X` | a node's beat, its goodbye | nothing |
| `D` | a node is dead | `u64` process, `u32` term, `u32` counter |

Seconds below 0 mean no end. A target is `u16` size and a name as typed, or 0xFFFF and the `u64` process and
`u32` number of a member. What time it is the log says; who of its operators speaks is a node's own affair.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..room import commands, entries
from ..room.entries import Entry, Target
from ..room.events import LeaveReason
from ..room.text import clean
from . import untrusted
from .untrusted import Invalid, Malformed, Payload

ELSEWHERE = -1
"""Stands for the id of a session at another node."""

MAX_REMARK = 256
"""The longest remark, and the longest name of an operator, in bytes."""

MAX_WORDS = 0xFFFE
"""The longest target or text of an operator, in bytes."""

MAX_NETWORKS = 1000
"""How many networks one ban may be of."""

_HEAD = struct.Struct("<cII")
_DEAD = struct.Struct("<QII")
_SIZE = struct.Struct("<H")
_TIME = struct.Struct("<d")
_MEMBER = struct.Struct("<QI")
_ID = 0xFFFF
_MOST_SECONDS = 1e12

_REASONS = (
    *(LeaveReason.QUIT, LeaveReason.END_OF_INPUT, LeaveReason.LOST, LeaveReason.SLOW, LeaveReason.STALLED),
    *(LeaveReason.FOREIGN, LeaveReason.FAILED, LeaveReason.BANNED),
)
"""Why a node lets a member leave; their places are their numbers."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A node is alive."""


@dataclass(frozen=True, slots=True)
class Goodbye:
    """A node ends; its members leave."""


@dataclass(frozen=True, slots=True)
class Dead:
    """A node has said nothing for too long, if `counter` is still its last."""

    process: int
    term: int
    counter: int


Operation = Entry | Beat | Goodbye | Dead


def member_id(process: int, number: int) -> int:
    """The id of a node's member with that number."""
    return process << 32 | number


def process_of(id_: int) -> int:
    """The process of the node whose member has that id."""
    return id_ >> 32


def number_of(id_: int) -> int:
    """The number at its node of the member with that id."""
    return id_ & 0xFFFF_FFFF


# To bytes


def encode(operation: Operation) -> bytes:
    """Return the bytes of `operation`: of an entry of one member alone, or an operator's, cleaned and cut."""
    code, id_, payload = _encoded(operation)
    return _HEAD.pack(code, number_of(id_), len(payload)) + payload


def _encoded(operation: Operation) -> tuple[bytes, int, bytes]:
    match operation:
        case entries.Lines(member_id=id_, lines=lines):
            return _encoded_lines(id_, [line for line in lines if isinstance(line, str)])
        case entries.Join(member_id=id_, address=address):
            return b"J", id_, untrusted.address_bytes(address)
        case entries.Nick(member_id=id_, name=name):
            return b"N", id_, name.encode()
        case entries.Leave(member_ids=(id_,), reason=reason, remark=remark):
            return b"Q", id_, bytes([_REASONS.index(reason)]) + _remark(remark)
        case entries.MuteExpired(member_id=id_, since=since):
            return b"E", id_, _TIME.pack(since)
        case entries.Say(name=name, text=text):
            return b"s", 0, _sized(_cut(name, MAX_REMARK)) + _cut(text)
        case entries.Message(name=name, target=target, text=text):
            return b"m", 0, _sized(_cut(name, MAX_REMARK)) + _target(target) + _cut(text)
        case entries.Kick(target=target, remark=remark):
            return b"k", 0, _target(target) + _remark(remark)
        case entries.Mute(target=target, seconds=seconds, remark=remark):
            return b"t", 0, _seconds(seconds) + _target(target) + _remark(remark)
        case entries.Unmute(target=target):
            return b"v", 0, _target(target)
        case entries.Ban(networks=networks, seconds=seconds, remark=remark):
            listed = "\n".join(map(str, networks[:MAX_NETWORKS])).encode()
            return b"b", 0, _seconds(seconds) + _sized(listed) + _remark(remark)
        case entries.Unban(network=network):
            return b"n", 0, str(network).encode()
        case entries.MinutePassed():
            return b"c", 0, b""
        case Beat():
            return b"B", 0, b""
        case Goodbye():
            return b"X", 0, b""
        case Dead(process, term, counter):
            return b"D", 0, _DEAD.pack(process, term, counter)
        case _:
            raise ValueError(f"{type(operation).__name__} concerns no other node")


def _encoded_lines(id_: int, lines: list[str]) -> tuple[bytes, int, bytes]:
    texts = [text for line in lines if (text := commands.spoken(line)) is not None]
    if texts:
        return b"T", id_, "\n".join(texts).encode()
    _, recipient, text = lines[0].split(" ", 2)
    return b"M", id_, _sized(recipient.encode()) + text.encode()


def _sized(data: bytes) -> bytes:
    return _SIZE.pack(len(data)) + data


def _cut(text: str, most: int = MAX_WORDS) -> bytes:
    cleaned = clean(text)
    data = cleaned.encode()
    return data if len(data) <= most else clean(data[:most].decode(errors="ignore")).encode()


def _remark(text: str) -> bytes:
    return _cut(text, MAX_REMARK)


def _target(target: Target) -> bytes:
    if isinstance(target, str):
        return _sized(_cut(target))
    return _SIZE.pack(_ID) + _MEMBER.pack(process_of(target), number_of(target))


def _seconds(seconds: float | None) -> bytes:
    return _TIME.pack(-1 if seconds is None or seconds > _MOST_SECONDS else max(seconds, 0))


# From bytes


def decode(data: bytes, process: int, time: float, max_line: int) -> list[Operation]:
    """Return what `process` put into the log at `time`, without the operations that have no meaning here.

    Raises:
        Malformed: if `data` is not a row of operations.
    """
    found: list[Operation] = []
    for code, number, payload in _pieces(data):
        decoder = _DECODERS.get(code)
        if decoder is None:
            continue  # a later version knows what it means
        try:
            operation = decoder(Payload(payload), member_id(process, number), time, max_line)
        except Invalid:
            continue
        found.append(operation)
    return found


def _pieces(data: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    at, end = 0, len(data)
    while at < end:
        if end - at < _HEAD.size:
            raise Malformed("half an operation")
        code, number, size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if size > end - at:
            raise Malformed("an operation is longer than its batch")
        yield code, number, data[at : at + size]
        at += size


def _join(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    return entries.Join(time, id_, untrusted.address(payload.rest()))


def _lines(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    lines = tuple(_line(untrusted.words(text, max_line)) for text in payload.rest().split(b"\n"))
    return entries.Lines(time, id_, lines)


def _line(text: str) -> str:
    """The line that says `text`."""
    if commands.spoken(text) == text:
        return text
    line = f"/{text}"
    if commands.spoken(line) != text:
        raise Invalid
    return line


def _private(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    recipient, text = untrusted.words(payload.sized(), max_line), untrusted.words(payload.rest(), max_line)
    if recipient.split() != [recipient] or text != text.lstrip():
        raise Invalid
    return entries.Lines(time, id_, (f"/msg {recipient} {text}",))


def _nick(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    return entries.Nick(time, id_, untrusted.nickname(payload.rest()))


def _leave(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    (reason,) = payload.take(1)
    if reason >= len(_REASONS):
        raise Invalid
    return entries.Leave(time, (id_,), _REASONS[reason], untrusted.text(payload.rest(), MAX_REMARK))


def _mute_expired(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    (since,) = _TIME.unpack(payload.take(_TIME.size))
    if not math.isfinite(since):
        raise Invalid
    return entries.MuteExpired(time, id_, since)


def _say(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    name = untrusted.text(payload.sized(), MAX_REMARK)
    return entries.Say(time, ELSEWHERE, name, untrusted.text(payload.rest(), MAX_WORDS))


def _message(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    name, target = untrusted.text(payload.sized(), MAX_REMARK), _target_in(payload)
    return entries.Message(time, ELSEWHERE, name, target, untrusted.text(payload.rest(), MAX_WORDS))


def _kick(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    return entries.Kick(time, ELSEWHERE, _target_in(payload), untrusted.text(payload.rest(), MAX_REMARK))


def _mute(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    seconds, target = _seconds_in(payload), _target_in(payload)
    return entries.Mute(time, ELSEWHERE, target, seconds, untrusted.text(payload.rest(), MAX_REMARK))


def _unmute(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    return entries.Unmute(time, ELSEWHERE, _target_in(payload))


def _ban(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    seconds, listed = _seconds_in(payload), payload.sized().split(b"\n")
    if len(listed) > MAX_NETWORKS:
        raise Invalid
    networks = tuple(map(untrusted.network, listed))
    return entries.Ban(time, ELSEWHERE, networks, seconds, untrusted.text(payload.rest(), MAX_REMARK))


def _unban(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    return entries.Unban(time, ELSEWHERE, untrusted.network(payload.rest()))


def _dead(payload: Payload, id_: int, time: float, max_line: int) -> Operation:
    return Dead(*_DEAD.unpack(payload.take(_DEAD.size)))


def _target_in(payload: Payload) -> Target:
    (size,) = _SIZE.unpack(payload.take(_SIZE.size))
    if size == _ID:
        return member_id(*_MEMBER.unpack(payload.take(_MEMBER.size)))
    return untrusted.text(payload.take(size), MAX_WORDS)


def _seconds_in(payload: Payload) -> float | None:
    (seconds,) = _TIME.unpack(payload.take(_TIME.size))
    if not seconds <= _MOST_SECONDS:  # also if it is no number
        raise Invalid
    return None if seconds < 0 else seconds


_DECODERS: dict[bytes, Callable[[Payload, int, float, int], Operation]] = {
    b"J": _join,
    b"T": _lines,
    b"M": _private,
    b"N": _nick,
    b"Q": _leave,
    b"E": _mute_expired,
    b"s": _say,
    b"m": _message,
    b"k": _kick,
    b"t": _mute,
    b"v": _unmute,
    b"b": _ban,
    b"n": _unban,
    b"c": lambda payload, id_, time, max_line: entries.MinutePassed(time),
    b"B": lambda payload, id_, time, max_line: Beat(),
    b"X": lambda payload, id_, time, max_line: Goodbye(),
    b"D": _dead,
}
