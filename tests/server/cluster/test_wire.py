"""What nodes write and send, as bytes: it comes back as it was, and no bytes do any harm."""

from __future__ import annotations

import math
import struct
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chat_console.server.addresses import Address, network_of, pack, packed_text, unpack
from chat_console.server.cluster import wire
from chat_console.server.cluster.untrusted import PROCESSES, Malformed
from chat_console.server.cluster.wire import (
    Ask,
    BanRow,
    Batch,
    Found,
    Next,
    NodeRow,
    Roster,
    Row,
    State,
    decode,
    decode_sent,
    encode,
    encode_sent,
)
from chat_console.server.room.names import is_name
from chat_console.server.settings import Settings

u8, u16, u32, u64 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32, 64))
processes = st.integers(0, PROCESSES - 1)
node_names = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)
times = st.floats(allow_nan=False, allow_infinity=False)
hosts = st.ip_addresses().map(str)
addresses = st.builds(Address, hosts, u16)
nicknames = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,19}", fullmatch=True).filter(is_name)
networks = st.one_of(hosts, st.sampled_from(("10.0.0.0/8", "2001:db8::/64", "0.0.0.0/0"))).map(network_of)
mutes = st.tuples(st.none(), st.none()) | st.tuples(times, st.none() | times)
rows = st.builds(
    lambda number, position, place, lines, address, nickname, mute: Row(
        number, position, place, lines, address, nickname, *mute
    ),
    *(u32, u64, u32, u32, addresses.map(pack), st.none() | nicknames, mutes),
)
indexes = st.integers(0, wire.MAX_CHUNKS - 1)
entries: SearchStrategy[Batch | Ask | Found | Roster] = st.one_of(
    st.builds(Batch, processes, u32, u32, u64, st.binary(max_size=50)),
    st.builds(Ask, processes, u32, u32, u64, node_names),
    st.builds(Found, processes, u64),
    st.builds(
        Roster, processes, u32, u64, u64, u16, indexes, st.booleans(), node_names, st.lists(rows, max_size=5)
    ),
)
bans = st.builds(BanRow, networks, st.none() | st.floats(0, 1e9))
sent: SearchStrategy[State | Next] = st.one_of(
    st.builds(
        State,
        *(u64, processes, u64, u64, indexes, st.booleans()),
        st.lists(st.builds(NodeRow, processes, u32, u32, u16, node_names), max_size=4),
        st.lists(bans, max_size=4),
        st.lists(rows, max_size=4),
    ),
    st.builds(Next, u64, u16),
)

ROW = Row(7, 1000, 3, 12, pack(Address("192.0.2.7", 41050)), "Ann", None, None)
ROSTER = Roster(5, 2, 90, 77, 1, 0, True, "paris", [ROW])
STATE = State(
    *(50, 5, 90, 77, 0, True),
    nodes=[NodeRow(5, 2, 9, 1, "paris")],
    bans=[BanRow(network_of("192.0.2.0/24"), 60.0)],
    rows=[ROW],
)


@given(entry=entries)
def test_an_entry_comes_back_as_it_was(entry: Batch | Ask | Found | Roster) -> None:
    assert decode(encode(entry)) == entry


@given(message=sent)
def test_what_is_sent_comes_back_as_it_was(message: State | Next) -> None:
    assert decode_sent(encode_sent(message)) == message


@pytest.mark.parametrize("process", [PROCESSES, (1 << 64) - 1])
def test_a_process_whose_members_would_have_ids_of_more_than_63_bits_is_refused(process: int) -> None:
    for entry in (Batch(process, 1, 1, 1, b""), Ask(process, 1, 1, 1, "rome"), Found(process, 1)):
        with pytest.raises(Malformed, match="a value that cannot be"):
            decode(encode(entry))
    for state in (
        State(1, process, 1, 1, 0, True, (), (), ()),
        State(1, 1, 1, 1, 0, True, [NodeRow(process, 1, 1, 1, "rome")], (), ()),
    ):
        with pytest.raises(Malformed, match="a value that cannot be"):
            decode_sent(encode_sent(state))


@given(data=st.binary(max_size=300) | st.binary(max_size=200).map(b"\1\4\1\0".__add__))
@example(b"")
def test_no_bytes_do_anything_but_be_refused(data: bytes) -> None:
    for read in (decode, decode_sent):
        try:
            found = read(data)
        except Malformed:
            continue
        check(found)


@given(entry=entries, at=st.integers(0, 400), byte=u8, cut=st.integers(0, 3))
def test_no_change_of_a_byte_lets_through_what_cannot_be(
    entry: Batch | Ask | Found | Roster, at: int, byte: int, cut: int
) -> None:
    data = bytearray(encode(entry))
    data[at % len(data)] = byte
    try:
        found = decode(bytes(data[: len(data) - cut]))
    except Malformed:
        return
    check(found)


@given(message=sent, at=st.integers(0, 400), byte=u8, cut=st.integers(0, 3))
def test_nor_one_of_what_is_sent(message: State | Next, at: int, byte: int, cut: int) -> None:
    data = bytearray(encode_sent(message))
    data[at % len(data)] = byte
    try:
        found = decode_sent(bytes(data[: len(data) - cut]))
    except Malformed:
        return
    check(found)


def check(found: object) -> None:
    """Nothing of `found` could harm who shows or keeps it."""
    for name in [getattr(found, "name", "x"), *(node.name for node in getattr(found, "nodes", ()))]:
        assert name.isascii() and name.isprintable() and 1 <= len(name) <= 32
    for row in getattr(found, "rows", ()):
        shown = packed_text(row.address)
        assert shown.isascii() and shown.isprintable() and len(shown) <= 68
        assert unpack(row.address).ip
        assert row.nickname is None or is_name(row.nickname)
        assert all(time is None or math.isfinite(time) for time in (row.muted_at, row.muted_until))
        assert row.muted_at is not None or row.muted_until is None


class TestHead:
    def test_takes_32_bytes(self) -> None:
        assert encode(Batch(5, 2, 3, 4, b"")) == struct.pack("<BBHIQIIQ", 1, 1, 1, 2, 5, 3, 0, 4)

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b"\2" + encode(ROSTER)[1:], "of another format"),
            (b"\1\5" + encode(ROSTER)[2:], "kind"),
            (b"\1\0" + encode(ROSTER)[2:], "kind"),
            (encode(ROSTER)[:31], "too early"),
            (b"", "too early"),
            (encode(Batch(5, 2, 3, 4, bytes(wire.MAX_ENTRY - 31))), "too long"),
        ],
    )
    def test_that_is_wrong_is_refused_with_the_reason(self, data: bytes, why: str) -> None:
        with pytest.raises(Malformed, match=why):
            decode(data)

    def test_may_be_of_an_entry_of_the_greatest_length(self) -> None:
        batch = Batch(5, 2, 3, 4, bytes(wire.MAX_ENTRY - 32))
        assert decode(encode(batch)) == batch


class TestRoster:
    @pytest.mark.parametrize(
        "roster",
        [
            replace(ROSTER, name=""),
            replace(ROSTER, name="x" * 33),
            replace(ROSTER, name="Paris"),
            replace(ROSTER, name="pa ris"),
            replace(ROSTER, name="par\x1bis"),
            replace(ROSTER, index=wire.MAX_CHUNKS),
            replace(ROSTER, rows=[ROW] * (wire.MAX_ROWS + 1)),
            *(
                replace(ROSTER, rows=[ROW, ROW._replace(address=pack(Address(host, 1)))])
                for host in ("", "x", "1.2.3", "1.2.3.4.5", "::1::", "1" * 46)
            ),
            *(
                replace(ROSTER, rows=[ROW._replace(nickname=name)])
                for name in ("-a", "a b", "192.0.2.1", "a" * 21, "a\x1b", "é")
            ),
            *(
                replace(ROSTER, rows=[ROW._replace(muted_at=time)])
                for time in (math.nan, math.inf, -math.inf)
            ),
            replace(ROSTER, rows=[ROW._replace(muted_at=1.0, muted_until=math.nan)]),
        ],
    )
    def test_of_which_one_value_cannot_be_is_refused(self, roster: Roster) -> None:
        with pytest.raises(Malformed):
            decode(encode(roster))

    @pytest.mark.parametrize(
        "roster",
        [
            replace(ROSTER, name="x" * 32, index=wire.MAX_CHUNKS - 1, rows=[ROW] * wire.MAX_ROWS),
            replace(ROSTER, name="-", rows=[]),
            replace(ROSTER, rows=[ROW._replace(address=pack(Address("fe80::1%eth0.100", 65535)))]),
            replace(ROSTER, rows=[ROW._replace(nickname="a" * 20, muted_at=1.5, muted_until=2.5)]),
        ],
    )
    def test_may_have_what_just_fits(self, roster: Roster) -> None:
        assert decode(encode(roster)) == roster

    def test_leaves_out_an_interface_with_a_name_that_nobody_else_would_take(self) -> None:
        roster = replace(ROSTER, rows=[ROW._replace(address=pack(Address("fe80::1%odd name", 1)))])
        (row,) = decode(encode(roster)).rows  # type: ignore[union-attr]
        assert row.address == pack(Address("fe80::1", 1))

    @pytest.mark.parametrize("port", [b"", b"65536", b"123456", b"-1", b"1 ", b"\xef\xbc\x91"])
    def test_has_only_ports_that_there_are(self, port: bytes) -> None:
        data = encode(replace(ROSTER, rows=[])) + struct.pack("<IQIBIBB", 7, 0, 0, 0, 0, 10 + len(port), 0)
        with pytest.raises(Malformed):
            decode(data + b"192.0.2.7|" + port)

    def test_that_is_cut_anywhere_in_a_row_is_refused(self) -> None:
        data, bare = encode(ROSTER), len(encode(replace(ROSTER, rows=[])))
        for end in range(bare + 1, len(data)):
            with pytest.raises(Malformed):
                decode(data[:end])

    def test_ignores_that_a_mute_ends_of_one_who_is_not_muted(self) -> None:
        data = bytearray(encode(ROSTER))
        data[len(data) - len(b"192.0.2.7|41050Ann") - 7] = 2  # the flags
        assert decode(bytes(data)) == ROSTER

    def test_counts_its_chunks_as_entries_of_its_term(self) -> None:
        assert (ROSTER.counter, replace(ROSTER, index=6).counter) == (1, 7)


class TestState:
    @pytest.mark.parametrize(
        "state",
        [
            replace(STATE, index=wire.MAX_CHUNKS),
            replace(STATE, nodes=[NodeRow(5, 2, 9, 1, "Paris")]),
            replace(STATE, bans=[BanRow(network_of("192.0.2.0/24"), math.inf)]),
            replace(STATE, bans=[BanRow(network_of("192.0.2.0/24"), math.nan)]),
            replace(STATE, rows=[ROW] * (wire.MAX_ROWS + 1)),
            replace(STATE, bans=[BanRow(network_of("192.0.2.0/24"), 1.0)] * (wire.MAX_ROWS + 1)),
        ],
    )
    def test_of_which_one_value_cannot_be_is_refused(self, state: State) -> None:
        with pytest.raises(Malformed):
            decode_sent(encode_sent(state))

    def test_may_have_what_just_fits(self) -> None:
        state = replace(STATE, index=wire.MAX_CHUNKS - 1, rows=[ROW] * wire.MAX_ROWS)
        assert decode_sent(encode_sent(state)) == state

    def test_that_is_cut_anywhere_is_refused(self) -> None:
        data = encode_sent(STATE)
        for end in range(len(data)):
            with pytest.raises(Malformed):
                decode_sent(data[:end])

    @pytest.mark.parametrize("network", [b"10.0.0.1/8", b"nothing", b"", b"1" * 65, b"\xff"])
    def test_has_only_networks_that_there_are(self, network: bytes) -> None:
        data = encode_sent(replace(STATE, bans=(), rows=()))[:-4]
        ban = struct.pack("<HdB", 1, 5.0, len(network)) + network + b"\0\0"
        with pytest.raises(Malformed):
            decode_sent(data + ban)

    def test_that_is_too_long_is_refused(self) -> None:
        with pytest.raises(Malformed, match="too long"):
            decode_sent(encode_sent(STATE) + bytes(wire.MAX_ENTRY))


class TestDigest:
    def test_is_the_same_where_rooms_would_be(self) -> None:
        assert wire.digest_of(Settings()) == wire.digest_of(Settings(rate=9, welcome="hi"))
        assert wire.digest_of(Settings()) == 2426896852286380985

    def test_is_another_where_they_would_differ(self) -> None:
        others = {
            wire.digest_of(Settings()),
            wire.digest_of(Settings(shared_nicks=True)),
            wire.digest_of(Settings(max_line=100)),
        }
        assert len(others) == 3
