"""Operations as bytes: entries come out elsewhere as they are applied at home, and nothing unclean does."""

from __future__ import annotations

import math
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from support.samples import ENTRIES, NETWORKS

from chat_console.server.addresses import Address, network_of
from chat_console.server.cluster import operations
from chat_console.server.cluster.operations import (
    ELSEWHERE,
    MAX_NETWORKS,
    MAX_REMARK,
    MAX_WORDS,
    Beat,
    Dead,
    Goodbye,
    Operation,
    decode,
    encode,
    member_id,
    number_of,
    process_of,
)
from chat_console.server.cluster.untrusted import Malformed
from chat_console.server.room import commands
from chat_console.server.room.entries import (
    Ban,
    Join,
    Kick,
    Leave,
    Lines,
    Message,
    MinutePassed,
    Mute,
    MuteExpired,
    Nick,
    Say,
    ShutDown,
    Unban,
    Unmute,
)
from chat_console.server.room.events import LeaveReason
from chat_console.server.room.names import is_name
from chat_console.server.room.parts import parts_of
from chat_console.server.room.text import clean

PROCESS = 0xABCDEF012345
ANN = member_id(PROCESS, 7)
MAX_LINE = 2048


def read(data: bytes) -> list[Operation]:
    return decode(data, PROCESS, 9.0, MAX_LINE)


def raw(code: bytes, payload: bytes, number: int = 7) -> bytes:
    return struct.pack("<cII", code, number, len(payload)) + payload


def sized(data: bytes) -> bytes:
    return struct.pack("<H", len(data)) + data


numbers = st.integers(0, (1 << 32) - 1)
ids = numbers.map(lambda number: member_id(PROCESS, number))
any_text = st.text(max_size=60) | st.sampled_from(("", " ", "\x1b[2J", "a\nb", "x" * 300, "é\u0301" * 200))
targets = any_text | st.builds(member_id, st.integers(0, (1 << 48) - 1), numbers)
seconds = st.none() | st.floats(0, 1e15)
finite = st.floats(allow_nan=False, allow_infinity=False)
members = st.one_of(
    st.builds(Join, st.just(1.0), ids, st.builds(Address, st.ip_addresses().map(str), st.integers(0, 65535))),
    st.builds(
        Leave,
        st.just(1.0),
        st.tuples(ids),
        st.sampled_from([reason for reason in LeaveReason if reason is not LeaveReason.KICKED]),
        any_text,
    ),
    st.builds(MuteExpired, st.just(1.0), ids, finite),
)
operators = st.one_of(
    st.builds(Say, st.just(1.0), st.just(3), any_text, any_text),
    st.builds(Message, st.just(1.0), st.just(3), any_text, targets, any_text),
    st.builds(Kick, st.just(1.0), st.just(3), targets, any_text),
    st.builds(Mute, st.just(1.0), st.just(3), targets, seconds, any_text),
    st.builds(Unmute, st.just(1.0), st.just(3), targets),
    st.builds(
        Ban, st.just(1.0), st.just(3), st.lists(st.sampled_from(NETWORKS), min_size=1).map(tuple), seconds
    ),
    st.builds(Unban, st.just(1.0), st.just(3), st.sampled_from(NETWORKS)),
)
u32, u64 = st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 64) - 1)
nodes: SearchStrategy[Operation] = st.sampled_from([Beat(), Goodbye(), MinutePassed(1.0)]) | st.builds(
    Dead, u64, u32, u32
)
typed = st.text(max_size=40).map(clean).filter(lambda line: line and not line.isspace())
lines = typed | st.sampled_from(
    ("/nick Ann", "/msg Bob  two  blanks", "//slash", "/quit", "/list", "\uff0f\uff0fx")
)


class TestRoundTrip:
    @given(operation=members | operators | nodes)
    def test_leaves_of_any_operation_one_that_stays_as_it_is(self, operation: Operation) -> None:
        (once,) = read(encode(operation))
        assert type(once) is type(operation)
        assert read(encode(once)) == [once]

    @given(found=st.lists(members | operators | nodes, max_size=5))
    def test_keeps_the_order_within_a_batch(self, found: list[Operation]) -> None:
        assert [type(one) for one in read(b"".join(map(encode, found)))] == [type(one) for one in found]

    @given(said=st.lists(lines, min_size=1, max_size=5))
    def test_lets_others_apply_what_a_member_asked_for(self, said: list[str]) -> None:
        for part in parts_of(Lines(9.0, ANN, tuple(said))):
            if part.is_shared:
                (again,) = read(encode(part.entry))
                assert again == part.entry or spoken(again) == spoken(part.entry)

    @pytest.mark.parametrize(
        "entry",
        [
            Join(9.0, ANN, Address("192.0.2.7", 41050)),
            Lines(9.0, ANN, ("one", "//slash", "x" * MAX_LINE)),
            Lines(9.0, ANN, ("/msg Bob two  blanks",)),
            Nick(9.0, ANN, "Ann"),
            *(Leave(9.0, (ANN,), one, "why") for one in LeaveReason if one is not LeaveReason.KICKED),
            MuteExpired(9.0, ANN, 8.25),
            Say(9.0, ELSEWHERE, "Operator", "/hello"),
            Message(9.0, ELSEWHERE, "Operator", "Bob", "psst"),
            Message(9.0, ELSEWHERE, "Operator", member_id(1, 2), "psst"),
            Kick(9.0, ELSEWHERE, "192.0.2.7|41050", "too loud"),
            Kick(9.0, ELSEWHERE, member_id((1 << 48) - 1, (1 << 32) - 1)),
            Mute(9.0, ELSEWHERE, "Bob", None, "x" * MAX_REMARK),
            Mute(9.0, ELSEWHERE, "Bob", 0.5),
            Unmute(9.0, ELSEWHERE, "#5"),
            Ban(9.0, ELSEWHERE, NETWORKS, 600.0, "spam"),
            Ban(9.0, ELSEWHERE, NETWORKS),
            Unban(9.0, ELSEWHERE, network_of("0.0.0.0/0")),
            MinutePassed(9.0),
            Beat(),
            Goodbye(),
            Dead(PROCESS, 3, 4),
        ],
        ids=repr,
    )
    def test_changes_nothing_of_what_is_as_it_should_be(self, entry: Operation) -> None:
        assert read(encode(entry)) == [entry]

    def test_gives_all_the_time_of_the_log_and_no_session_of_this_node(self) -> None:
        (entry,) = read(encode(Say(1.0, 3, "Operator", "hello")))
        assert entry == Say(9.0, ELSEWHERE, "Operator", "hello")

    def test_there_is_one_of_each_kind_of_entry_but_the_end(self) -> None:
        for entry in ENTRIES:
            match entry:
                case ShutDown():
                    with pytest.raises(ValueError, match="ShutDown"):
                        encode(entry)
                case Leave():
                    assert read(encode(replace(entry, member_ids=(7,))))
                case _:
                    assert read(encode(entry))


def spoken(entry: Operation) -> list[str | None]:
    assert isinstance(entry, Lines)
    return [commands.spoken(line) for line in entry.lines if isinstance(line, str)]


class TestCutting:
    """What a program has its operator say may be of any length."""

    def test_leaves_as_much_as_others_take(self) -> None:
        (kick,) = read(encode(Kick(1.0, 1, "Bob", "é" * 200)))
        assert kick == Kick(9.0, ELSEWHERE, "Bob", "é" * 128)
        (say,) = read(encode(Say(1.0, 1, "x" * 300, "y" * 70_000)))
        assert say == Say(9.0, ELSEWHERE, "x" * MAX_REMARK, "y" * MAX_WORDS)
        (unmute,) = read(encode(Unmute(1.0, 1, "z" * 70_000)))
        assert unmute == Unmute(9.0, ELSEWHERE, "z" * MAX_WORDS)

    def test_leaves_as_many_networks_as_others_take(self) -> None:
        networks = tuple(network_of(f"10.0.{at >> 8}.{at & 255}") for at in range(MAX_NETWORKS + 1))
        (ban,) = read(encode(Ban(1.0, 1, networks)))
        assert ban == Ban(9.0, ELSEWHERE, networks[:MAX_NETWORKS])

    def test_makes_of_a_very_long_time_one_without_end(self) -> None:
        (mute,) = read(encode(Mute(1.0, 1, "Bob", math.inf)))
        assert mute == Mute(9.0, ELSEWHERE, "Bob", None)


class TestInvalid:
    @pytest.mark.parametrize(
        "data",
        [
            raw(b"T", b""),
            raw(b"T", b"one\n\ntwo"),
            raw(b"T", b"  "),
            raw(b"T", b"\xff"),
            raw(b"T", b"x" * (MAX_LINE + 1)),
            raw(b"T", "\ufffd".encode() * 683),
            raw(b"T", b" /nick Eve"),
            raw(b"M", sized(b"two words") + b"psst"),
            raw(b"M", sized(b"") + b"psst"),
            raw(b"M", sized(b"Bob") + b""),
            raw(b"M", sized(b"Bob") + b" psst"),
            raw(b"M", sized(b"x" * (MAX_LINE + 1)) + b"psst"),
            raw(b"N", b""),
            raw(b"N", b"x" * 21),
            raw(b"N", b"two words"),
            raw(b"N", b"192.0.2.1"),
            raw(b"N", b"Ann\x1b"),
            raw(b"N", b"\xff"),
            raw(b"J", b"192.0.2.7"),
            raw(b"J", b"192.0.2.7|65536"),
            raw(b"J", b"nobody|1"),
            raw(b"J", b"[2J|1"),
            raw(b"Q", b"\x08"),
            raw(b"Q", b"\xff"),
            raw(b"Q", b"\0" + b"x" * (MAX_REMARK + 1)),
            raw(b"E", struct.pack("<d", math.nan)),
            raw(b"E", struct.pack("<d", math.inf)),
            raw(b"s", sized(b"\xff") + b"hello"),
            raw(b"s", sized(b"x" * (MAX_REMARK + 1)) + b"hello"),
            raw(b"s", sized(b"Operator") + b"x" * (MAX_WORDS + 1)),
            raw(b"t", struct.pack("<d", math.nan) + sized(b"Bob")),
            raw(b"t", struct.pack("<d", 2e12) + sized(b"Bob")),
            raw(b"k", sized(b"Bob") + b"x" * (MAX_REMARK + 1)),
            raw(b"b", struct.pack("<d", -1) + sized(b"")),
            raw(b"b", struct.pack("<d", -1) + sized(b"10.0.0.0/8\nnothing")),
            raw(b"b", struct.pack("<d", -1) + sized(b"\n".join([b"10.0.0.1"] * (MAX_NETWORKS + 1)))),
            raw(b"n", b"10.0.0.1/8"),
            raw(b"n", b"nothing"),
        ],
    )
    def test_values_cost_the_one_operation_and_not_those_beside_it(self, data: bytes) -> None:
        assert read(encode(Beat()) + data + encode(Goodbye())) == [Beat(), Goodbye()]

    def test_codes_of_a_later_version_are_passed_over(self) -> None:
        assert read(raw(b"z", b"whatever") + encode(Beat())) == [Beat()]

    @pytest.mark.parametrize(
        "data",
        [
            b"B",
            raw(b"B", b"")[:-1],
            raw(b"T", b"hello")[:-1],
            raw(b"B", b"") + b"x",
            raw(b"Q", b""),
            raw(b"E", b"1234567"),
            raw(b"M", b"\5\0Bob"),
            raw(b"m", sized(b"Operator")),
            raw(b"k", b"\xff\xff1234567"),
            raw(b"t", b""),
            raw(b"b", b"12345678"),
            raw(b"D", bytes(15)),
        ],
    )
    def test_structure_costs_the_whole_batch(self, data: bytes) -> None:
        with pytest.raises(Malformed):
            read(encode(Beat()) + data)

    @given(
        data=st.lists(
            st.builds(
                raw, st.sampled_from([bytes([code]) for code in b"JTMNQEsmktvbnBXDz"]), st.binary(max_size=40)
            ),
            max_size=4,
        ).map(b"".join)
        | st.binary(max_size=80)
    )
    def test_bytes_show_nothing_unclean_and_nothing_above_its_limit(self, data: bytes) -> None:
        try:
            found = read(data)
        except Malformed:
            return
        for one in found:
            check(one)
            assert read(encode(one)) == [one]

    @given(operation=members | operators | nodes, at=st.integers(0, 400), byte=st.integers(0, 255))
    def test_bytes_among_valid_ones_do_not_either(self, operation: Operation, at: int, byte: int) -> None:
        data = bytearray(encode(operation))
        data[at % len(data)] = byte
        try:
            found = read(bytes(data))
        except Malformed:
            return
        for one in found:
            check(one)


def check(one: Operation) -> None:
    """Whatever of `one` people may get to see is clean, and not too long."""
    texts: list[tuple[str, int]] = []
    match one:
        case Lines(lines=lines):
            texts += [(text, MAX_LINE + 30) for text in lines if isinstance(text, str)]
            assert all(isinstance(text, str) and text.strip() for text in lines)
        case Nick(name=name):
            assert is_name(name)
        case Join(address=address):
            assert address.ip
            texts.append((str(address), 68))
        case Leave(remark=remark):
            texts.append((remark, MAX_REMARK))
        case Say(name=name, text=text):
            texts += [(name, MAX_REMARK), (text, MAX_WORDS)]
        case Message(name=name, target=target, text=text):
            texts += [(name, MAX_REMARK), (text, MAX_WORDS), (str(target), MAX_WORDS)]
        case Kick(target=target, remark=remark) | Mute(target=target, remark=remark):
            texts += [(remark, MAX_REMARK), (str(target), MAX_WORDS)]
        case Ban(networks=networks, remark=remark):
            assert 1 <= len(networks) <= MAX_NETWORKS
            texts.append((remark, MAX_REMARK))
        case _:
            pass
    for text, most in texts:
        assert clean(text) == text
        assert len(text.encode()) <= most


def test_an_id_is_a_process_and_a_number() -> None:
    assert (process_of(ANN), number_of(ANN)) == (PROCESS, 7)


def test_a_recipient_without_end_is_still_one_word() -> None:
    assert read(raw(b"M", sized(b"x" * MAX_LINE) + b"psst")) == [
        Lines(9.0, ANN, (f"/msg {'x' * MAX_LINE} psst",))
    ]


def test_the_numbers_of_reasons_never_change() -> None:
    assert [encode(Leave(1.0, (7,), reason))[9:] for reason in (LeaveReason.QUIT, LeaveReason.BANNED)] == [
        b"\0",
        b"\7",
    ]
    assert operations.MAX_REMARK == 256
