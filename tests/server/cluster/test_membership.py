"""Each rule of coming in, staying in and going, with the history that needs it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.cluster import Bench, Other

from chat_console.server.addresses import Address, network_of, pack, packed_text
from chat_console.server.cluster import donor, entering, membership, wire
from chat_console.server.cluster.news import (
    Alone,
    Differs,
    Entered,
    Gone,
    Lost,
    NodeGone,
    NodeIn,
    Reachable,
    Refused,
    Replaced,
)
from chat_console.server.cluster.operations import Beat, Dead
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
    encode_sent,
)
from chat_console.server.room.entries import Join, Kick, Leave, Lines, Mute, Nick
from chat_console.server.room.events import Joined, LeaveReason, Left, Muted, Renamed
from chat_console.server.settings import Settings


@pytest.fixture
def bench() -> Bench:
    """A node that is not in yet."""
    return Bench()


@pytest.fixture
def inside() -> Bench:
    """A node that is in, alone."""
    return Bench().enter()


def asked(bench: Bench) -> int:
    """The node asks, and its question comes to be in the log; return where."""
    bench.replica.opened()
    return ask_back(bench)


def ask_back(bench: Bench) -> int:
    (ask,) = bench.pending()
    assert isinstance(ask, Ask)
    return bench.put("paris", bench.sent.pop())


def somebody_is_in(bench: Bench) -> Other:
    """The newest entry of the log is one of a node that is in."""
    rome = Other(bench)
    rome.do(Beat())
    return rome


def chunk(bench: Bench, position: int, *rows: Row, **changes: object) -> State:
    """What Rome, which is in, answers to a question at `position`."""
    state = State(
        *(position, 60, 7, bench.site.digest, 0, True),
        nodes=[NodeRow(60, 3, 20, 1, "rome")],
        rows=rows,
    )
    return replace(state, **changes)  # type: ignore[arg-type]


def give(bench: Bench, state: State) -> None:
    bench.replica.received(encode_sent(state))
    bench.turn()


def row(number: int, nickname: str | None = None, position: int = 10, place: int = 0) -> Row:
    return Row(number, position, place, 3, pack(Address("192.0.2.1", 4000 + number)), nickname, None, None)


def rome_in(bench: Bench) -> Other:
    """Rome as one knows it from the state."""
    rome = Other(bench)
    rome.term, rome.counter, rome.batches = 3, 20, 40
    return rome


class TestAsking:
    def test_begins_when_the_log_is_open_and_is_repeated_where_it_gets_lost(self, bench: Bench) -> None:
        bench.turn(5)
        assert bench.sent == []
        bench.replica.opened()
        assert bench.pending() == [Ask(50, 1, 1, bench.site.digest, "paris")]
        bench.sent.clear()
        bench.turn(1.9)
        assert bench.sent == []
        bench.turn(0.4)
        assert bench.pending() == [Ask(50, 1, 2, bench.site.digest, "paris")]

    def test_founds_a_room_at_once_where_nobody_is(self, bench: Bench) -> None:
        position = asked(bench)
        assert bench.pending() == [Found(50, position)]
        bench.put("paris", bench.sent.pop())
        basis = bench.position
        (roster,) = bench.pending()
        assert roster == Roster(50, 1, basis, bench.site.digest, 1, 0, True, "paris", [])
        assert not bench.node.is_in
        bench.back()
        assert bench.news == [Reachable(), Entered(1, 0)]
        assert bench.site.state.basis == basis

    def test_founds_none_while_somebody_is_in(self, bench: Bench) -> None:
        rome = somebody_is_in(bench)
        asked(bench)
        assert bench.sent == []
        rome.do(Beat())
        bench.turn(2.2)
        (found,) = bench.pending()
        assert isinstance(found, Found)
        rome.do(Beat())
        bench.put("paris", bench.sent.pop())
        assert bench.pending() == [Ask(50, 1, 2, bench.site.digest, "paris")]

    def test_founds_one_when_nobody_has_written_for_a_while(self, bench: Bench) -> None:
        somebody_is_in(bench)
        asked(bench)
        bench.turn(2.2)
        bench.back()
        assert bench.node.is_in

    def test_founds_one_at_once_where_those_who_were_in_are_silent_for_long(self, bench: Bench) -> None:
        somebody_is_in(bench)
        bench.turn(entering.QUIET)
        asked(bench)
        assert [type(entry) for entry in bench.pending()] == [Found]

    def test_leaves_it_to_the_smallest_process_of_those_who_ask(self, bench: Bench) -> None:
        Other(bench, "oslo", process=40).ask()
        asked(bench)
        assert bench.sent == []
        later = Bench()
        Other(later, "oslo", process=60).ask()
        asked(later)
        assert [type(entry) for entry in later.pending()] == [Found]

    def test_takes_a_question_that_comes_twice_for_one(self, bench: Bench) -> None:
        somebody_is_in(bench)
        bench.replica.opened()
        data = bench.sent.pop()
        position = bench.put("paris", data)
        bench.put("paris", data)
        give(bench, chunk(bench, position))
        assert bench.site.state.nodes.keys() == {60}

    def test_takes_an_entry_that_is_not_understood_for_a_sign_of_somebody(self, bench: Bench) -> None:
        bench.put("rome", b"\1\7" + bytes(30))
        asked(bench)
        assert bench.sent == []
        assert bench.news == [Refused("rome", "it is of a kind that is not known"), Reachable()]

    def test_asks_again_where_founding_comes_to_nothing(self, bench: Bench) -> None:
        asked(bench)
        bench.sent.clear()  # the room that it founds
        bench.turn(2.2)
        assert bench.pending() == [Ask(50, 1, 2, bench.site.digest, "paris")]


class TestAnswer:
    def test_is_the_room_as_it_was_at_the_question(self, bench: Bench) -> None:
        somebody_is_in(bench)
        position = asked(bench)
        muted = row(3, "Cid", 8)._replace(muted_at=5.0, muted_until=65.0, lines=7)
        give(bench, chunk(bench, position, muted, row(1, "Bob", 9), row(2, None, 10)))
        bench.back()
        assert bench.node.names == ["Cid", "Bob", "192.0.2.1|4002"]
        (cid,) = bench.node.chat.room.roster.find("Cid")
        assert (cid.muted_at, cid.muted_until, cid.lines) == (5.0, 65.0, 7)
        assert bench.site.state.basis == 7
        assert bench.node.believed == dict(bench.node.members)
        (event,) = [event for event in bench.node.events if isinstance(event, Muted)]
        assert event == Muted(5.0, cid.id, "Cid", True, 60.0, is_old=True)

    def test_tells_of_one_who_is_muted_without_end(self, bench: Bench) -> None:
        somebody_is_in(bench)
        position = asked(bench)
        give(bench, chunk(bench, position, row(3, "Cid", 8)._replace(muted_at=5.0)))
        bench.back()
        (event,) = [event for event in bench.node.events if isinstance(event, Muted)]
        assert event.seconds is None

    def test_comes_from_all_nodes_in_the_order_in_which_their_members_joined(self, bench: Bench) -> None:
        somebody_is_in(bench)
        position = asked(bench)
        nodes = [NodeRow(60, 3, 20, 1, "rome"), NodeRow(70, 1, 5, 1, "oslo")]
        give(bench, chunk(bench, position, row(1, "Bob", 9, 1), row(2, "Cid", 12), nodes=nodes))
        assert bench.sent == []
        oslo = [row(1, "Dan", 9, 0)._replace(address=pack(Address("192.0.2.9", 1))), row(2, None, 11)]
        give(bench, chunk(bench, position, *oslo, process=70, nodes=nodes))
        bench.back()
        assert bench.node.names == ["Dan", "Bob", "192.0.2.1|4002", "Cid"]

    def test_of_another_question_is_of_no_use(self, bench: Bench) -> None:
        somebody_is_in(bench)
        position = asked(bench)
        give(bench, chunk(bench, position - 1))
        assert bench.sent == []

    def test_of_which_a_part_is_missing_makes_it_ask_again(self, bench: Bench) -> None:
        somebody_is_in(bench)
        position = asked(bench)
        give(bench, chunk(bench, position, is_last=False))
        bench.turn(1.5)
        give(bench, chunk(bench, position, index=2, is_last=True))
        bench.turn(1.5)
        assert bench.sent == []
        bench.turn(1)
        assert bench.pending() == [Ask(50, 1, 2, bench.site.digest, "paris")]
        give(bench, chunk(bench, position, index=1, is_last=False))
        somebody_is_in(bench)
        again = ask_back(bench)
        give(bench, chunk(bench, again))
        assert [type(entry) for entry in bench.pending()] == [Roster]

    def test_may_come_before_the_question_does(self, bench: Bench) -> None:
        somebody_is_in(bench)
        bench.replica.opened()
        give(bench, chunk(bench, bench.position + 1, row(1, "Bob")))
        bench.back()
        assert bench.node.names == ["Bob"]

    def test_is_asked_for_chunk_by_chunk(self, bench: Bench) -> None:
        somebody_is_in(bench)
        position = asked(bench)
        asked_for: list[int] = []
        last = 9
        for index in range(last + 1):
            give(bench, chunk(bench, position, row(index + 1), index=index, is_last=index == last))
            for node, process, message in bench.posted:
                assert isinstance(message, Next)
                assert (node, process, message.position) == ("rome", 60, position)
                asked_for.append(message.index)
            bench.posted.clear()
            assert max(asked_for, default=0) <= index + 4
        assert asked_for[:last] == list(range(1, last + 1))
        bench.back()
        assert len(bench.node.names) == last + 1

    def test_is_taken_in_parts_that_hold_up_nobody(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(entering, "_SEATED_AT_ONCE", 2)
        rome = rome_in(bench)
        somebody_is_in(bench)
        position = asked(bench)
        bench.replica.received(encode_sent(chunk(bench, position, *(row(number) for number in range(1, 6)))))
        rome.say(1, "meanwhile")
        bench.back()
        assert len(bench.node.names) == 5
        assert bench.site.state.nodes[60].counter == 21

    def test_is_not_taken_further_once_the_log_is_lost(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(entering, "_SEATED_AT_ONCE", 2)
        somebody_is_in(bench)
        position = asked(bench)
        data = encode_sent(chunk(bench, position, *(row(number) for number in range(1, 6))))
        bench.replica.received(data)
        bench.replica.received(data)
        bench.replica.lost("it is gone")
        bench.turn()
        assert [type(entry) for entry in bench.pending()] == [Ask]
        assert bench.site.state.nodes == {}

    def test_brings_the_bans_that_are_not_known_here(self, bench: Bench) -> None:
        bench.node.chat.bans.add([network_of("192.0.2.1")], None)
        somebody_is_in(bench)
        position = asked(bench)
        bans = [
            BanRow(network_of("192.0.2.1"), 5.0),
            BanRow(network_of("192.0.2.2"), None),
            BanRow(network_of("192.0.2.3"), 5.0),
        ]
        give(bench, chunk(bench, position, bans=bans))
        bench.turn(6)
        covered = [bench.node.chat.bans.covers(f"192.0.2.{number}") for number in (1, 2, 3)]
        assert covered == [True, True, False]

    def test_is_followed_by_what_was_said_since_the_question(self, bench: Bench) -> None:
        somebody_is_in(bench)
        rome = rome_in(bench)
        position = asked(bench)
        rome.do(Join(0.0, rome.id(2), Address("192.0.2.1", 4002)), Nick(0.0, rome.id(1), "Cid"))
        rome.counter = 20
        give(bench, chunk(bench, position, row(1, "Bob")))
        bench.back()
        assert bench.node.names == ["Cid", "192.0.2.1|4002"]

    def test_of_a_node_with_other_settings_ends_the_attempt(self, bench: Bench) -> None:
        somebody_is_in(bench)
        position = asked(bench)
        give(bench, chunk(bench, position, digest=1))
        assert bench.news == [Reachable(), Differs(), Alone(0)]
        bench.turn(10)
        assert bench.sent == []

    def test_that_is_not_understood_is_told(self, inside: Bench) -> None:
        assert inside.news
        inside.replica.received(b"what?")
        assert inside.news == [Refused("", "it is of a kind that is not known")]

    def test_comes_too_late_once_the_node_is_in(self, inside: Bench) -> None:
        give(inside, chunk(inside, inside.position, row(1, "Bob")))
        assert inside.node.names == []


class TestFounding:
    def test_lets_all_begin_anew_and_state_who_is_here(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        Other(inside).enter("Bob")
        oslo = Other(inside, "oslo", process=70)
        inside.replica.lost("it is another log")
        inside.back()
        since = oslo.ask()
        inside.sent.clear()
        basis = inside.put("oslo", Found(70, since))
        (roster,) = inside.pending()
        assert isinstance(roster, Roster)
        assert (roster.basis, [one.nickname for one in roster.rows]) == (basis, ["Ann"])
        inside.back()
        assert inside.node.is_in
        assert inside.node.names == ["Ann"]
        inside.turn(3.5)
        assert inside.new_lines(ann)[2:] == [
            "Welcome 192.0.2.1|4001 to the server!",
            "192.0.2.1|4001 is now Bob",
            "Bob has left the server.",
        ]

    def test_concerns_also_a_node_that_is_in(self, inside: Bench) -> None:
        inside.client("Ann")
        oslo = Other(inside, "oslo", process=70)
        since = oslo.ask()
        term = inside.site.term
        inside.put("oslo", Found(70, since))
        assert inside.site.term == term + 1
        inside.back()
        assert inside.node.is_in
        assert inside.node.names == ["Ann"]

    def test_counts_once_where_two_found_one_after_another(self, inside: Bench) -> None:
        oslo, rome = Other(inside, "oslo", process=70), Other(inside)
        first, second = oslo.ask(), rome.ask()
        basis = inside.put("oslo", Found(70, first))
        inside.put("rome", Found(60, second))
        inside.back()
        assert inside.site.state.basis == basis

    def test_does_not_count_where_somebody_who_was_in_has_written_since(self, inside: Bench) -> None:
        basis = inside.site.state.basis
        oslo = Other(inside, "oslo", process=70)
        since = oslo.ask()
        inside.turn(1)
        inside.back()
        inside.put("oslo", Found(70, since))
        assert inside.node.is_in
        assert inside.site.state.basis == basis

    def test_cannot_be_judged_by_one_who_has_not_read_the_log_since_then(self, bench: Bench) -> None:
        bench.put("oslo", Found(40, bench.position))  # the first entry that it reads
        position = asked(bench)
        bench.sent.clear()
        bench.put("oslo", Found(40, position - 2))
        assert [type(entry) for entry in bench.pending()] == [Ask]

    def test_that_one_cannot_judge_may_count_and_so_ends_the_chance_of_others(self, bench: Bench) -> None:
        since = Other(bench, "oslo", process=40).ask()
        bench.put("rome", Found(60, since - 5))
        position = asked(bench)
        bench.put("oslo", Found(40, since))
        assert since < position
        assert [type(entry) for entry in bench.pending()] == [Ask]

    def test_does_not_count_of_one_with_other_settings(self, inside: Bench) -> None:
        basis = inside.site.state.basis
        since = inside.put("oslo", Ask(70, 1, 1, 12345, "oslo"))
        inside.put("oslo", Found(70, since))
        assert inside.site.state.basis == basis

    def test_lets_lines_wait_for_those_who_are_on_their_way_back(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        rome = Other(inside).enter("Bob")
        inside.replica.lost("it is another log")
        inside.node.send(ann, "hello")
        inside.turn()
        inside.back()
        assert inside.node.is_in
        inside.turn(0.5)
        assert inside.sent == []
        rome.term = 2
        rome.state(rome.row(1, "Bob"))
        inside.turn(0.1)
        assert [type(entry) for entry in inside.pending()] == [Batch]

    def test_lets_them_wait_no_longer_than_a_moment(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        Other(inside).enter("Bob")
        inside.replica.lost("it is another log")
        inside.turn()
        inside.back()
        inside.node.send(ann, "hello")
        inside.turn(2.8)
        assert inside.sent == []
        inside.turn(0.4)
        assert [type(entry) for entry in inside.pending()] == [Batch]
        inside.replica.lost("it is another log again")
        inside.turn()
        inside.sent[:] = inside.sent[-1:]
        inside.back()
        assert inside.node.is_in
        inside.node.send(ann, "hello again")
        inside.turn(0.2)
        assert [type(entry) for entry in inside.pending()] == [Batch]

    def test_tells_nothing_of_what_others_had_changed_before_and_change_again(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        rome = Other(inside).enter("Bob")
        rome.do(Beat())
        again = Nick(0.0, rome.id(1), "Bea")
        rome.do(again)
        inside.new_lines(ann)
        inside.replica.lost("it is another log")
        inside.put("paris", inside.sent.pop())
        inside.put("paris", inside.sent.pop())
        rome.term = 2
        rome.state(rome.row(1, "Bob"))
        inside.back()
        rome.do(again, number=2)
        rome.do(Beat())
        assert inside.node.names == ["Bea", "Ann"]
        assert inside.new_lines(ann) == []

    def test_lets_a_node_beat_at_once_when_it_is_in(self, inside: Bench) -> None:
        while not inside.sent:
            inside.turn(0.01)
        inside.back()
        inside.replica.lost("it is another log")
        inside.back()
        inside.turn(0.15)
        assert [type(entry) for entry in inside.pending()] == [Batch]


class TestGiving:
    def test_answers_with_the_state_as_of_the_question(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        inside.node.operator.operate("/mute Ann 60s")
        inside.node.chat.bans.add([network_of("192.0.2.9")], None)
        inside.back()
        rome = Other(inside).enter("Bob")
        oslo = Other(inside, "oslo", process=70)
        position = oslo.ask()
        (node, process, state) = inside.posted[-1]
        assert (node, process) == ("oslo", 70)
        assert isinstance(state, State)
        assert (state.position, state.process, state.basis) == (position, 50, inside.site.state.basis)
        assert (state.index, state.is_last) == (0, True)
        assert {one.name for one in state.nodes} == {"paris", "rome"}
        assert state.bans == [BanRow(network_of("192.0.2.9"), None)]
        (found,) = state.rows
        (member,) = inside.node.chat.room.roster.find(ann)
        assert (found.number, found.nickname, found.muted_until) == (1, "Ann", member.muted_until)
        assert 0 < found.position < position
        assert rome.process == 60

    def test_gives_the_rest_when_it_is_asked_for_while_it_is_kept(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inside = Bench(hold=100).enter()
        monkeypatch.setattr(donor, "MAX_ROWS", 2)
        for _ in range(5):
            inside.client()
        position = Other(inside).ask()
        for index in (1, 2, 3):
            inside.replica.received(encode_sent(Next(position, index)))
        states = [state for _, _, state in inside.posted if isinstance(state, State)]
        assert [(state.index, state.is_last, len(state.rows), len(state.nodes)) for state in states] == [
            (0, False, 2, 1),
            (1, False, 2, 0),
            (2, True, 1, 0),
        ]
        inside.posted.clear()
        inside.turn(31)
        Other(inside, "oslo", process=70).ask()
        inside.posted.clear()
        inside.replica.received(encode_sent(Next(position, 1)))
        assert inside.posted == []

    def test_gives_nothing_while_it_is_not_in_itself(self, bench: Bench) -> None:
        somebody_is_in(bench)
        position = asked(bench)
        give(bench, chunk(bench, position))
        Other(bench, "oslo", process=70).ask()
        assert bench.posted == []


class TestQuestionOfANode:
    def test_takes_its_members_out_for_a_moment_of_which_nobody_hears(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        rome = Other(inside).enter("Bob")
        inside.new_lines(ann)
        rome.term = 2
        rome.ask()
        assert inside.node.names == ["Ann"]
        rome.state(rome.row(1, "Bob"))
        rome.do(Beat(), number=5)
        inside.turn(4)
        assert inside.node.names == ["Ann", "Bob"]
        assert inside.new_lines(ann) == []

    def test_lets_those_leave_whom_it_does_not_state_any_more(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        rome = Other(inside).enter("Bob", "Cid", "Dan")
        rome.do(Beat())
        inside.new_lines(ann)
        rome.term = 2
        rome.ask()
        rome.state(rome.row(1, "Bob"), rome.row(3, "Eve"), rome.row(4, "Fay"))
        assert inside.new_lines(ann) == []
        rome.say(1, "hello")
        assert inside.new_lines(ann) == [
            "Dan is now Eve",
            "Welcome 192.0.2.1|4004 to the server!",
            "192.0.2.1|4004 is now Fay",
            "Cid has left the server.",
            "Bob: hello",
        ]

    def test_lets_all_leave_where_it_does_not_come_back(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        rome = Other(inside).enter("Bob")
        inside.new_lines(ann)
        rome.term = 2
        rome.ask()
        inside.turn(2.8)
        assert inside.new_lines(ann) == []
        inside.turn(0.4)
        assert inside.new_lines(ann) == ["Bob has left the server."]

    def test_that_comes_late_is_ignored(self, inside: Bench) -> None:
        rome = Other(inside).enter("Bob")
        rome.ask()
        assert inside.node.names == ["Bob"]
        assert len(inside.posted) == 1

    def test_under_another_name_is_ignored(self, inside: Bench) -> None:
        Other(inside).enter("Bob")
        inside.put("oslo", Ask(60, 9, 1, inside.site.digest, "oslo"))
        inside.put("oslo", Ask(60, 9, 1, inside.site.digest, "rome"))
        inside.posted.clear()
        inside.put("oslo", Ask(80, 1, 1, inside.site.digest, "rome"))
        assert inside.node.names == ["Bob"]
        assert inside.posted == []

    def test_ends_a_statement_that_it_had_begun(self, inside: Bench) -> None:
        rome = Other(inside)
        rome.ask()
        inside.put("rome", rome.roster(rome.row(1, "Bob"), is_last=False))
        rome.term = 2
        rome.ask()
        rome.term = 1
        inside.put("rome", rome.roster(rome.row(2, "Cid"), index=1))
        assert inside.node.names == []
        rome.term = 2
        rome.state(rome.row(1, "Bob"))
        assert inside.node.names == ["Bob"]


class TestStatement:
    @pytest.mark.parametrize("change", [{"basis": 1}, {"name": "oslo"}, {"digest": 1}])
    def test_for_another_room_or_under_another_name_is_ignored(
        self, inside: Bench, change: dict[str, object]
    ) -> None:
        rome = Other(inside)
        rome.ask()
        inside.put("rome", replace(rome.roster(rome.row(1, "Bob")), **change))  # type: ignore[arg-type]
        assert inside.node.names == []

    def test_counts_when_its_last_chunk_is_there_and_each_once(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        inside.new_lines(ann)
        rome = Other(inside)
        rome.ask()
        first = rome.roster(rome.row(1, "Bob"), is_last=False)
        for roster in (first, first, rome.roster(rome.row(2, "Cid"), index=1)):
            assert inside.node.names == ["Ann"]
            inside.put("rome", roster)
        inside.put("rome", first)
        assert inside.node.names == ["Ann", "Bob", "Cid"]
        assert inside.site.state.nodes[60].counter == 2
        assert inside.news[-1] == NodeIn("rome", 2)

    def test_of_which_the_first_chunk_was_lost_waits_for_it(self, inside: Bench) -> None:
        rome = Other(inside)
        rome.ask()
        second = rome.roster(rome.row(2, "Cid"), index=1)
        inside.put("rome", second)
        assert inside.node.is_in
        inside.put("rome", rome.roster(rome.row(1, "Bob"), is_last=False))
        inside.put("rome", second)
        assert inside.node.names == ["Bob", "Cid"]

    def test_that_may_have_begun_before_the_state_was_known_makes_the_node_ask_anew(
        self, bench: Bench
    ) -> None:
        somebody_is_in(bench)
        give(bench, chunk(bench, asked(bench)))
        bench.back()
        oslo = Other(bench, "oslo", process=70)
        bench.put("oslo", oslo.roster(oslo.row(2), index=1))
        assert not bench.node.is_in
        assert [type(entry) for entry in bench.pending()] == [Ask]

    @pytest.mark.parametrize("way", ["asks", "dies"])
    def test_of_which_the_first_chunk_was_lost_waits_for_it_also_if_it_was_seen_to_begin(
        self, bench: Bench, way: str
    ) -> None:
        rome = rome_in(bench)
        somebody_is_in(bench)
        give(bench, chunk(bench, asked(bench), row(1, "Bob")))
        bench.back()
        oslo = Other(bench, "oslo", process=70).enter()
        if way == "asks":
            rome.term += 1
            rome.ask()
        else:
            oslo.do(Dead(60, rome.term, rome.counter))
            rome.term += 1
        bench.put("rome", rome.roster(rome.row(2), index=1))
        assert bench.node.is_in

    def test_gives_a_nickname_to_the_first_who_states_it(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        inside.new_lines(ann)
        Other(inside).enter("ann", "Bob")
        assert inside.node.names == ["Ann", "192.0.2.1|4001", "Bob"]
        assert inside.new_lines(ann) == [
            "Welcome 192.0.2.1|4001 to the server!",
            "Welcome 192.0.2.1|4002 to the server!",
            "192.0.2.1|4002 is now Bob",
        ]

    def test_lets_nicknames_be_shared_where_they_are(self) -> None:
        inside = Bench(Settings(shared_nicks=True)).enter()
        inside.client("Ann")
        Other(inside).enter("Ann")
        assert inside.node.names == ["Ann", "Ann"]

    def test_names_nobody_twice(self, inside: Bench) -> None:
        rome = Other(inside)
        rome.ask()
        rome.state(rome.row(1, "Bob"), rome.row(1, "Cid"))
        assert inside.node.names == ["Bob"]

    def test_of_many_is_told_to_members_in_one_line_and_to_consoles_in_full(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        inside.new_lines(ann)
        rome = Other(inside).enter(*(f"user{number}" for number in range(21)))
        assert inside.new_lines(ann) == ["21 users have joined."]
        assert sum(isinstance(event, Joined) for event in inside.node.events) == 22
        rome.do(Beat())
        for _ in range(60):
            inside.turn(0.1)
            inside.back()
        assert inside.new_lines(ann) == ["21 users have left the server."]
        assert sum(isinstance(event, Left) for event in inside.node.events) == 21
        assert inside.news[-1] == NodeGone("rome", 21, Gone.SILENT)

    def test_of_this_node_is_sent_in_chunks_and_again_where_one_is_lost(
        self, inside: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(membership, "MAX_ROWS", 2)
        for _ in range(5):
            inside.client()
        inside.replica.lost("it is another log")
        inside.put("paris", inside.sent.pop())
        inside.put("paris", inside.sent.pop())
        assert len(inside.sent) == 3
        first, _, last = inside.sent
        inside.sent.clear()
        inside.put("paris", first)
        inside.put("paris", last)
        assert not inside.node.is_in
        inside.turn(1.7)
        assert len(inside.sent) == 2
        inside.replica.closed("it is gone")
        inside.turn(1.7)
        assert len(inside.sent) == 2
        inside.replica.opened()
        assert len(inside.sent) == 4
        inside.back()
        assert inside.node.is_in
        assert len(inside.node.names) == 5

    def test_of_this_node_takes_a_turn_for_each_chunk(
        self, inside: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(membership, "MAX_ROWS", 2)
        for _ in range(5):
            inside.client()
        inside.replica.lost("it is another log")
        inside.put("paris", inside.sent.pop())
        position, found = inside.position + 1, inside.sent.pop()
        inside.replica.entry(position, inside.time, "paris", found)
        assert len(inside.sent) == 1
        inside.turn()
        assert len(inside.sent) == 3

    def test_of_this_node_is_whole_once_the_log_is_open_again(
        self, inside: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(membership, "MAX_ROWS", 2)
        for _ in range(5):
            inside.client()
        inside.replica.lost("it is another log")
        inside.put("paris", inside.sent.pop())
        position, found = inside.position + 1, inside.sent.pop()
        inside.replica.entry(position, inside.time, "paris", found)
        inside.replica.closed("it is gone")
        inside.turn()
        assert len(inside.sent) == 1
        inside.sent.clear()
        inside.replica.opened()
        assert len(inside.sent) == 3
        inside.position = position
        inside.back()
        assert inside.node.is_in

    def test_of_this_node_is_not_gone_on_with_in_another_term(
        self, inside: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(membership, "MAX_ROWS", 2)
        for _ in range(5):
            inside.client()
        inside.replica.lost("it is another log")
        inside.put("paris", inside.sent.pop())
        position, found = inside.position + 1, inside.sent.pop()
        inside.replica.entry(position, inside.time, "paris", found)
        inside.replica.lost("it is a third one")
        inside.turn()
        assert [type(entry) for entry in inside.pending()] == [wire.Roster, wire.Ask]

    def test_of_this_node_that_comes_late_is_replaced_by_the_next(self, inside: Bench) -> None:
        """A statement of an earlier term, which others take for the last one until they see the next."""
        inside.client("Ann")
        rome = Other(inside).enter()
        inside.replica.lost("it is another log")
        inside.put("paris", inside.sent.pop())
        inside.put("paris", inside.sent.pop())
        late = inside.sent.pop()
        basis = inside.site.state.basis
        inside.replica.lost("nothing of it came")
        position = ask_back(inside)
        state = chunk(inside, position, basis=basis, nodes=[NodeRow(60, 3, 20, 1, "rome")])
        inside.put("paris", late)
        give(inside, state)
        assert inside.site.state.nodes.keys() == {50, 60}
        assert not inside.node.is_in
        inside.back()
        assert inside.node.is_in
        assert inside.node.names == ["Ann"]
        assert not [event for event in inside.node.events if isinstance(event, Left)]
        assert rome.term == 1

    def test_of_this_node_that_comes_late_may_be_followed_by_batches(self, inside: Bench) -> None:
        """They change what others have of it, and so what this node has."""
        inside.client("Ann")
        inside.replica.lost("it is another log")
        inside.put("paris", inside.sent.pop())
        inside.put("paris", inside.sent.pop())
        late, basis = inside.sent.pop(), inside.site.state.basis
        inside.replica.lost("nothing of it came")
        position = ask_back(inside)
        inside.put("paris", late)
        give(inside, chunk(inside, position, basis=basis))
        own = Other(inside, "paris", process=50)
        own.term, own.counter = 2, 1
        own.do(Leave(0.0, (own.id(1),), LeaveReason.QUIT), number=9)
        assert inside.site.state.nodes[50].counter == 2
        assert inside.site.term == 3
        inside.back()
        assert inside.node.is_in
        assert inside.node.names == ["Ann"]

    def test_of_this_node_that_comes_late_tells_nobody_that_its_members_have_left(
        self, inside: Bench
    ) -> None:
        ann = inside.client("Ann")
        rome = Other(inside).enter("Bob")
        inside.new_lines(ann)
        late = wire.encode(
            Roster(50, 1, inside.site.state.basis, inside.site.digest, 1, 0, True, "paris", [])
        )
        inside.sent.clear()
        rome.do(Dead(50, inside.site.term, inside.site.state.nodes[50].counter))
        statement = inside.sent.pop()
        inside.put("paris", late)
        own = Other(inside, "paris", process=50)
        own.counter = 1
        own.do(Join(0.0, own.id(1), Address("10.0.0.1", 4001)), number=1)
        rome.do(Dead(50, 1, 2))
        assert inside.site.state.nodes.keys() == {60}
        inside.put("paris", statement)
        assert inside.node.is_in
        assert inside.new_lines(ann) == []
        assert NodeGone("paris", 0, Gone.SILENT) not in inside.news

    def test_of_this_node_that_comes_late_may_be_declared_dead(self, inside: Bench) -> None:
        inside.client("Ann")
        Other(inside).enter()
        inside.replica.lost("it is another log")
        inside.put("paris", inside.sent.pop())
        inside.put("paris", inside.sent.pop())
        late, basis = inside.sent.pop(), inside.site.state.basis
        inside.replica.lost("nothing of it came")
        position = ask_back(inside)
        inside.put("paris", late)
        rome = rome_in(inside)
        rome.do(Dead(50, 2, 1))
        give(inside, chunk(inside, position, basis=basis))
        assert inside.site.state.nodes.keys() == {60}
        assert inside.site.term == 3
        inside.back()
        assert inside.node.names == ["Ann"]


class TestComingIn:
    def test_lets_inputs_wait_until_what_was_stated_has_come_back(self, bench: Bench) -> None:
        position = asked(bench)
        bench.sent.clear()
        bench.put("paris", Found(50, position))
        ann = bench.node.join()
        bench.turn(0.1)
        assert [type(entry) for entry in bench.pending()] == [Roster]
        bench.back()
        assert bench.node.is_in
        assert bench.node.seen(ann)[0].startswith("Welcome")

    def test_takes_a_nickname_from_one_whose_it_is_not_any_more(self, inside: Bench) -> None:
        ann, bob = inside.client("Ann"), inside.client("Bob")
        inside.replica.lost("a gap")
        somebody_is_in(inside)
        position = ask_back(inside)
        give(inside, chunk(inside, position, row(1, "ann")))
        inside.new_lines(ann)
        inside.new_lines(bob)
        inside.back()
        address = "10.0.0.1|4001"
        assert inside.node.names == ["ann", address, "Bob"]
        assert inside.new_lines(ann) == [
            "Welcome 192.0.2.1|4001 to the server!",
            "192.0.2.1|4001 is now ann",
            "Nickname Ann is already in use",
            "Some lines of others are missing here.",
        ]
        assert f"Ann is now {address}" in inside.new_lines(bob)
        assert inside.node.believed == dict(inside.node.members)

    def test_sends_what_was_on_its_way_first_and_as_it_was(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        inside.node.send(ann, "one")
        inside.turn()
        (before,) = inside.pending()
        inside.node.send(ann, "two")
        inside.sent.clear()
        inside.replica.lost("it is another log")
        inside.turn()
        while not (inside.sent and isinstance(inside.pending()[0], Batch)):
            inside.put("paris", inside.sent.pop(0))
            inside.turn(0.01)
        (again,) = inside.pending()
        assert isinstance(before, Batch)
        assert isinstance(again, Batch)
        assert (again.number, again.operations) == (before.number, before.operations)
        assert (again.term, again.counter) == (before.term + 1, 2)
        inside.back()
        assert inside.node.chat.room.roster.find(ann)[0].lines == 2

    def test_after_a_gap_tells_that_lines_are_missing(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        Other(inside).enter("Bob")
        inside.new_lines(ann)
        inside.replica.lost("a gap")
        somebody_is_in(inside)
        position = ask_back(inside)
        give(inside, chunk(inside, position, row(1, "Bob")))
        inside.back()
        assert inside.new_lines(ann) == ["Some lines of others are missing here."]
        assert Lost("a gap") in inside.news

    @pytest.mark.parametrize(("counter", "is_missing"), [(1, False), (2, True)])
    def test_into_a_new_room_tells_that_lines_are_missing_if_somebody_has_spoken_there(
        self, inside: Bench, counter: int, is_missing: bool
    ) -> None:
        ann = inside.client("Ann")
        Other(inside).enter("Bob")
        inside.new_lines(ann)
        inside.replica.lost("it is another log")
        somebody_is_in(inside)
        position = ask_back(inside)
        nodes = [NodeRow(60, 3, counter, 1, "rome")]
        give(inside, chunk(inside, position, row(1, "Bob"), nodes=nodes))
        inside.back()
        assert inside.new_lines(ann) == ["Some lines of others are missing here."] * is_missing

    @pytest.mark.parametrize("is_missing", [False, True])
    def test_tells_that_lines_are_missing_if_they_come_while_it_states(
        self, inside: Bench, is_missing: bool
    ) -> None:
        ann = inside.client("Ann")
        Other(inside).enter("Bob")
        inside.new_lines(ann)
        inside.replica.lost("it is another log")
        rome = somebody_is_in(inside)
        position = ask_back(inside)
        nodes = [NodeRow(60, 3, 1, 1, "rome")]
        give(inside, chunk(inside, position, row(1, "Bob"), nodes=nodes))
        rome.term, rome.counter = 3, 1
        rome.do(Beat(), *[Lines(0.0, rome.id(1), ("hello",))] * is_missing)
        inside.back()
        assert inside.new_lines(ann) == ["Some lines of others are missing here."] * is_missing

    def test_after_a_loss_lets_lines_wait_for_those_whom_it_knew(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        Other(inside).enter("Bob")
        oslo = Other(inside, "oslo", 70).enter("Cid")
        inside.replica.lost("it is another log")
        somebody_is_in(inside)
        position = ask_back(inside)
        give(inside, chunk(inside, position, row(1, "Bob")))
        inside.node.send(ann, "hello")
        inside.back()
        assert inside.node.is_in
        inside.turn(0.5)
        assert inside.sent == []
        oslo.term = 2
        oslo.state(oslo.row(1, "Cid"))
        inside.turn(0.1)
        assert [type(entry) for entry in inside.pending()] == [Batch]

    def test_begins_again_when_the_log_is_lost_meanwhile(self, bench: Bench) -> None:
        position = asked(bench)
        bench.sent.clear()
        bench.put("paris", Found(50, position))
        bench.sent.clear()
        bench.replica.lost("it is gone")
        bench.back()
        assert bench.node.is_in

    def test_asks_when_the_log_opens_again(self, bench: Bench) -> None:
        bench.replica.lost("it is gone")
        assert bench.sent == []
        bench.replica.opened()
        assert [type(entry) for entry in bench.pending()] == [Ask]


class TestNames:
    def test_the_latest_start_of_a_node_takes_the_place_of_the_one_before(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        Other(inside).enter("Bob")
        inside.new_lines(ann)
        assert inside.news
        Other(inside, "rome", process=61).enter("Cid")
        assert inside.node.names == ["Ann", "Cid"]
        assert inside.site.state.nodes.keys() == {50, 61}
        assert inside.news == [NodeGone("rome", 1, Gone.REPLACED), NodeIn("rome", 1)]
        assert inside.new_lines(ann)[0] == "Bob has left the server."

    def test_a_node_that_is_replaced_goes_on_alone_for_good(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        Other(inside).enter("Bob")
        inside.new_lines(ann)
        assert inside.news
        Other(inside, "paris", process=51).enter("Cid")
        assert inside.news == [Replaced(), Alone(1)]
        inside.replica.closed("the connection was lost")
        inside.replica.lost("it is another log")
        assert inside.news == []
        inside.sent.clear()
        bob = inside.node.join()
        inside.node.send(ann, "hello")
        assert inside.new_lines(bob)[-1] == "Ann: hello"
        inside.replica.opened()
        inside.turn(30)
        inside.put("rome", Found(60, 1))
        assert inside.sent == []
        assert inside.node.names == ["Ann", "10.0.0.2|4002"]


class TestDead:
    def test_is_who_says_nothing_for_six_beats_of_this_node(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        Other(inside).enter("Bob")
        inside.new_lines(ann)
        began = inside.world.now
        while inside.site.state.nodes.keys() != {50}:
            inside.turn(0.1)
            inside.back()
        assert 3.7 < inside.world.now - began < 5.4
        assert inside.new_lines(ann) == ["Bob has left the server."]
        assert inside.news[-1] == NodeGone("rome", 1, Gone.SILENT)

    def test_is_nobody_while_the_log_is_silent(self, inside: Bench) -> None:
        Other(inside).enter("Bob")
        inside.turn(9)
        assert inside.site.state.nodes.keys() == {50, 60}

    def test_is_not_who_has_written_meanwhile(self, inside: Bench) -> None:
        oslo, rome = Other(inside, "oslo", process=70).enter(), Other(inside).enter("Bob")
        counter = rome.counter
        rome.do(Beat())
        oslo.do(Dead(60, 1, counter))
        oslo.do(Dead(60, 2, counter + 1))
        oslo.do(Dead(61, 1, 1))
        assert inside.node.names == ["Bob"]
        oslo.do(Dead(60, 1, counter + 1))
        assert inside.node.names == []

    def test_comes_in_again_if_it_lives(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        rome = Other(inside).enter("Bob")
        inside.new_lines(ann)
        inside.sent.clear()
        inside.turn(1)
        term = inside.site.term
        counter = inside.site.state.nodes[50].counter
        rome.do(Dead(50, term, counter))
        assert inside.site.term == term + 1
        rome.say(1, "he is gone")
        assert inside.new_lines(ann) == ["Bob: he is gone"]
        inside.node.send(ann, "/list")
        assert inside.new_lines(ann) == [f"{packed_text(rome.row(1).address)} as Bob"]
        inside.sent[:] = inside.sent[-1:]
        inside.back()
        assert inside.node.is_in
        assert inside.node.names == ["Bob", "Ann"]
        assert inside.new_lines(ann) == []

    def test_comes_in_again_also_where_the_room_begins_anew_meanwhile(self, inside: Bench) -> None:
        """What was told while it was not in is not told again, and a name taken meanwhile is lost."""
        ann = inside.client("Ann")
        rome = Other(inside).enter("Bob", "Cid")
        inside.sent.clear()
        rome.do(Dead(50, inside.site.term, inside.site.state.nodes[50].counter))
        rome.do(Leave(0.0, (rome.id(1),), LeaveReason.QUIT), Nick(0.0, rome.id(2), "Ann"))
        inside.sent.clear()
        oslo = Other(inside, "oslo", process=70)
        inside.new_lines(ann)
        inside.put("oslo", Found(70, oslo.ask()))
        inside.back()
        rome.term = 2
        rome.state(rome.row(2, "Ann"))
        rome.do(Beat(), number=9)
        assert inside.new_lines(ann) == ["Nickname Ann is already in use"]
        assert inside.node.believed == dict(inside.node.members)


class TestUnsettled:
    """What an operator does to members of whom it is not clear yet what people here believe of them."""

    def test_is_settled_before_that(self, inside: Bench) -> None:
        ann = inside.client("Ann")
        oslo, rome = Other(inside, "oslo", process=70).enter(), Other(inside).enter("Bob")
        rome.do(Beat())
        inside.new_lines(ann)
        rome.term = 2
        rome.ask()
        rome.state(rome.row(1, "Bob"), rome.row(2, "Cid"))
        oslo.do(Kick(0.0, 1, "Cid"), Mute(0.0, 1, "Bob"))
        assert inside.new_lines(ann) == [
            "Welcome 192.0.2.1|4002 to the server!",
            "192.0.2.1|4002 is now Cid",
            "Cid has left the server.",
        ]

    def test_includes_what_was_done_before_and_is_done_again(self, inside: Bench) -> None:
        """Rome's batches 2 and 3 were heard; it comes in as it was before them, and sends them again."""
        ann = inside.client("Ann")
        rome = Other(inside).enter("Bob", "Cid")
        rome.do(Beat())
        again = (
            (Join(0.0, rome.id(3), Address("192.0.2.1", 4003)), Nick(0.0, rome.id(1), "Bea")),
            (Leave(0.0, (rome.id(2),), LeaveReason.QUIT), Lines(0.0, rome.id(1), ("hello",))),
        )
        for operations in again:
            rome.do(*operations)
        inside.new_lines(ann)
        rome.term = 2
        rome.ask()
        rome.state(rome.row(1, "Bob"), rome.row(2, "Cid"))
        for number, operations in enumerate(again, 2):
            rome.do(*operations, number=number)
        rome.do(Beat())
        inside.turn(4)
        assert inside.new_lines(ann) == []
        assert inside.node.names == ["Ann", "Bea", "192.0.2.1|4003"]
        assert inside.node.believed == dict(inside.node.members)

    def test_lets_a_mute_that_is_done_again_end_in_time(self, inside: Bench) -> None:
        inside.client("Ann")
        rome = Other(inside).enter("Bob")
        mute = Mute(0.0, 1, "Ann", 3.0)
        rome.do(mute)
        inside.turn(1)
        rome.do(mute, Mute(0.0, 1, "Bob", 3.0), number=1)
        for _ in range(35):
            inside.turn(0.1)
            inside.back()
            rome.do(Beat())
        assert [member.muted for member in inside.node.chat.room.roster.members] == [False, True]

    def test_ends_the_connection_of_a_member_of_this_node_who_is_hit_unheard(self, inside: Bench) -> None:
        ann, bob = inside.client("Ann"), inside.client("Bob")
        rome = Other(inside).enter("Cid")
        rome.do(Beat())
        rome.do(Kick(0.0, 1, "Ann"), number=1)
        assert inside.node.receivers[ann].finished
        assert inside.site.locals.keys() == {2}
        assert not inside.node.receivers[bob].finished


def test_events_of_renames_are_of_the_log(inside: Bench) -> None:
    rome = Other(inside).enter("Bob")
    rome.do(Nick(0.0, rome.id(1), "Cid"))
    (event,) = [event for event in inside.node.events if isinstance(event, Renamed) and event.new == "Cid"]
    assert event.time == inside.time
    assert wire.LEVEL == 1
