"""A node that writes what it likes, under its own name: it does no harm to the node that reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cluster import Bench, Other

from chat_console.server.addresses import Address, pack
from chat_console.server.cluster.news import Refused
from chat_console.server.cluster.operations import Beat, Dead, Goodbye, Operation, encode
from chat_console.server.cluster.untrusted import MOST_NODES
from chat_console.server.cluster.wire import Ask, Batch, Found, NodeRow, Roster, Row, State, encode_sent
from chat_console.server.room.entries import Join, Kick, Leave, Lines, Mute, MuteExpired, Nick
from chat_console.server.room.events import LeaveReason
from chat_console.server.room.names import is_name
from chat_console.server.room.text import clean

ADDRESS = Address("192.0.2.1", 4001)
processes = st.sampled_from((50, 60, 61))
names = st.sampled_from(("rome", "paris", "oslo"))
small = st.integers(0, 4)
positions = st.integers(95, 130)
rows = st.builds(
    lambda number, nickname: Row(number, 0, 0, 0, pack(ADDRESS), nickname, None, None),
    small,
    st.sampled_from((None, "Ann", "Bob")),
)
ids = st.builds(lambda process, number: (process << 32) + number, processes, small)
operations: st.SearchStrategy[Operation] = st.one_of(
    st.sampled_from((Beat(), Goodbye(), Kick(0.0, 1, "Ann"), Mute(0.0, 1, "Ann"))),
    st.builds(Dead, processes, small, small),
    st.builds(lambda id_: Join(0.0, id_, ADDRESS), ids),
    st.builds(lambda id_: Nick(0.0, id_, "Ann"), ids),
    st.builds(lambda id_: Lines(0.0, id_, ("hello",)), ids),
    st.builds(lambda id_: MuteExpired(0.0, id_, 5.0), ids),
    st.builds(lambda id_: Leave(0.0, (id_,), LeaveReason.QUIT), ids),
)
forged = st.one_of(
    st.builds(
        Batch,
        processes,
        small,
        small,
        small,
        st.lists(operations, max_size=3).map(lambda a: b"".join(map(encode, a))),
    ),
    st.builds(Ask, processes, small, small, st.just(0), names),
    st.builds(Found, processes, positions),
    st.builds(
        Roster,
        *(processes, small, positions, st.just(0), st.just(1), st.integers(0, 2), st.booleans(), names),
        st.lists(rows, max_size=3),
    ),
)
sent = st.builds(
    lambda position, process, nodes, found, is_last: State(
        position, process, 7, 0, 0, is_last, nodes=nodes, rows=found
    ),
    *(positions, processes, st.lists(st.builds(NodeRow, processes, small, small, small, names), max_size=3)),
    *(st.lists(rows, max_size=3), st.booleans()),
)
steps = st.lists(
    st.one_of(forged, sent, st.sampled_from(("back", "turn", "lost", "say", "join"))), min_size=5, max_size=40
)


@given(steps=steps, is_in=st.booleans())
@settings(deadline=None)
def test_whatever_another_node_writes_this_one_goes_on(steps: list[object], is_in: bool) -> None:
    bench = Bench()
    bench.site.digest = 0
    if is_in:
        bench.enter()
        bench.client("Ann")
    else:
        bench.replica.opened()
    for step in steps:
        match step:
            case State():
                bench.replica.received(encode_sent(step))
                bench.turn()
            case Batch() | Ask() | Found() | Roster():
                bench.put("rome", step)
            case "back":
                bench.sent[:] = bench.sent[:5]
                bench.back()
            case "lost":
                bench.replica.lost("it is another log")
            case "join":
                bench.node.join()
            case "say":
                for number in list(bench.site.locals):
                    bench.node.send((50 << 32) + number, "hello", "/list")
            case _:
                bench.turn(1)
    bench.turn(1)
    assert bench.node.errors == []
    for member in bench.node.chat.room.roster.members:
        assert member.nickname is None or is_name(member.nickname)
    for id_ in bench.node.receivers:
        assert all(clean(line) == line for line in bench.node.seen(id_))


def test_a_node_cannot_state_the_members_of_another_that_is_in() -> None:
    bench = Bench().enter()
    bench.client("Ann")
    rome, oslo = Other(bench).enter("Bob"), Other(bench, "oslo", process=70).enter()
    for process in (60, 50):
        oslo.process, oslo.term = process, 9
        oslo.state(oslo.row(1, "Eve"))
    assert bench.node.names == ["Ann", "Bob"]
    rome.say(1, "still here")
    assert bench.node.chat.room.roster.find("Bob")[0].lines == 1


@pytest.mark.parametrize("name", ["rome", "paris"])
def test_a_question_under_another_nodes_name_is_not_its_own(name: str) -> None:
    bench = Bench()
    bench.replica.opened()
    (ask,) = bench.pending()
    bench.put(name, bench.sent[0])
    assert isinstance(ask, Ask)
    assert (Found(50, bench.position) in bench.pending()) is (name == "paris")


def test_what_stands_for_a_node_and_is_no_name_is_not_shown() -> None:
    bench = Bench().enter()
    bench.news.clear()
    for name in ("\x1b[31mrome", "Rome\u202e", "x" * 33):
        bench.put(name, b"junk")
    assert bench.news == [Refused("?", "it ends too early")] * 3


@pytest.mark.parametrize("is_in", [True, False])
def test_however_many_processes_a_node_invents_few_are_remembered(*, is_in: bool) -> None:
    bench = Bench().enter() if is_in else Bench()
    bench.replica.opened()
    for process in range(100, 3_000):
        other = Other(bench, process=process)
        bench.put("rome", replace(other.roster(other.row(1, "Eve"), is_last=False), digest=bench.site.digest))
        bench.put("rome", Ask(process, 1, 1, 1, "rome"))
        other.ask()
    membership = bench.replica._membership  # pyright: ignore[reportPrivateUsage]
    entering = membership.entering
    donor = membership._donor  # pyright: ignore[reportPrivateUsage]
    assert len(donor._snapshots) <= 1  # pyright: ignore[reportPrivateUsage]
    kept = (membership._rosters, membership._witnessed, entering._others, entering._strangers)  # pyright: ignore[reportPrivateUsage]
    assert max(map(len, kept)) <= MOST_NODES
    assert len(membership._rosters) <= 100  # pyright: ignore[reportPrivateUsage]


def test_of_however_many_processes_that_come_and_go_few_are_remembered_as_heard() -> None:
    bench = Bench().enter()
    for process in range(100, 1_300):
        Other(bench, process=process).enter().do(Beat())
    assert len(bench.site.heard) <= MOST_NODES + 1
    assert bench.site.heard[1_299] == 1


def test_however_many_give_a_state_few_are_kept() -> None:
    bench = Bench()
    Other(bench).do(Beat())  # somebody is in
    bench.replica.opened()
    bench.put("paris", bench.sent[0])
    for process in range(100, 1_300):
        bench.replica.received(
            encode_sent(State(bench.position, process, 7, bench.site.digest, 0, False, (), (), ()))
        )
    entering = bench.replica._membership.entering  # pyright: ignore[reportPrivateUsage]
    assert 1 < len(entering._parts) <= MOST_NODES  # pyright: ignore[reportPrivateUsage]
