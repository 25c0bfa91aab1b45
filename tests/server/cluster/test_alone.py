"""Going on alone while the log is silent, and being with the others again: what is done, and what is told."""

from __future__ import annotations

import pytest
from support.cluster import Bench, Other

from chat_console.server.addresses import network_of
from chat_console.server.cluster.news import Alone, Silent, Together, Works
from chat_console.server.cluster.operations import Beat, decode
from chat_console.server.cluster.wire import Ask, Batch, Roster
from chat_console.server.room.entries import Ban, Nick, Unban
from chat_console.server.room.events import Joined, Left, Replied

CUT_OFF = "Cut off from 1 other user: only those on this server read you until the link is back."


@pytest.fixture
def bench() -> Bench:
    """A node that is in, with Ann."""
    bench = Bench().enter()
    bench.client("Ann")
    return bench


ANN = (50 << 32) + 1


def fall_silent(bench: Bench, seconds: float = 11.0) -> None:
    """Let nothing come back any more."""
    bench.sent.clear()
    bench.turn(seconds)


def come_back(bench: Bench) -> None:
    """Let all that the node says be in the log, from its question on."""
    bench.turn(2.5)
    bench.sent[:] = bench.sent[-1:]
    bench.back()


class TestHold:
    def test_lets_lines_wait_and_then_be_heard_here_alone(self, bench: Bench) -> None:
        Other(bench).enter("Bob")
        cid = bench.client("Cid")
        bench.new_lines(cid)
        fall_silent(bench, 1.5)
        bench.node.send(ANN, "hello")
        bench.turn(8)
        assert bench.new_lines(cid) == []
        bench.turn(1.5)
        assert bench.new_lines(cid) == [CUT_OFF, "Ann: hello"]
        assert bench.node.names == ["Ann", "Cid"]

    def test_keeps_the_order_of_what_was_on_its_way_held_and_waiting(self, bench: Bench) -> None:
        cid = bench.client("Cid")
        bench.new_lines(cid)
        bench.node.send(ANN, "one")
        bench.turn()
        bench.replica.lost("it is another log")
        bench.node.send(ANN, "two", "/nick Eve")
        bench.turn()
        bench.node.send(ANN, "three", "/list")
        fall_silent(bench)
        assert bench.new_lines(cid) == [
            "Ann: one",
            "Ann: two",
            "Ann is now Eve",
            "Eve: three",
        ]
        assert bench.new_lines(ANN)[-1] == "10.0.0.2|4002 as Cid"

    def test_is_for_an_operator_without_users_too(self) -> None:
        bench = Bench().enter()
        Other(bench).enter("Bob")
        fall_silent(bench)
        assert [news for news in bench.news if isinstance(news, Alone | Silent)] == [Silent(), Alone(1)]
        assert bench.node.names == []

    def test_is_not_for_a_node_that_has_never_been_in(self) -> None:
        bench = Bench()
        bench.turn(60)
        assert bench.news == []
        assert not bench.site.is_alone

    def test_says_nothing_to_users_if_there_are_no_others(self, bench: Bench) -> None:
        bench.new_lines(ANN)
        fall_silent(bench)
        assert bench.site.is_alone
        assert bench.new_lines(ANN) == []
        assert Alone(0) in bench.news

    def test_does_not_count_the_time_in_which_the_node_itself_stood_still(self, bench: Bench) -> None:
        bench.sent.clear()
        bench.turn(1)
        bench.node.loop.is_frozen = True
        bench.turn(30)
        bench.node.loop.thaw()
        bench.turn(5)
        assert bench.node.is_in
        bench.turn(5)
        assert bench.site.is_alone

    def test_counts_also_while_the_state_is_not_known(self, bench: Bench) -> None:
        Other(bench).enter("Bob")
        bench.replica.lost("a gap")
        bench.new_lines(ANN)
        fall_silent(bench)
        assert bench.new_lines(ANN) == [CUT_OFF]

    def test_is_told_to_the_operator_from_the_first_second_on(self, bench: Bench) -> None:
        assert bench.news
        fall_silent(bench, 0.9)
        assert bench.news == []
        bench.turn(1)
        assert bench.news == [Silent()]
        bench.turn(2)
        bench.back()
        (works,) = bench.news
        assert isinstance(works, Works)
        assert works.seconds == pytest.approx(3, abs=1)

    def test_is_told_to_have_lasted_from_its_beginning_though_the_log_was_lost_meanwhile(
        self, bench: Bench
    ) -> None:
        fall_silent(bench, 8)
        bench.replica.lost("it is another log")
        bench.turn(2.5)
        bench.enter()
        works = [news.seconds for news in bench.news if isinstance(news, Works)]
        assert works == [pytest.approx(10.5, abs=1)]

    def test_ends_in_the_news_that_the_node_is_alone(self, bench: Bench) -> None:
        Other(bench).enter("Bob")
        assert bench.news
        fall_silent(bench)
        assert bench.news == [Silent(), Alone(1)]


class TestCutOff:
    @pytest.fixture
    def alone(self, bench: Bench) -> Bench:
        Other(bench).enter("Bob")
        fall_silent(bench)
        bench.new_lines(ANN)
        return bench

    def test_is_a_room_of_those_who_are_here(self, alone: Bench) -> None:
        cid = alone.node.join()
        alone.node.send(ANN, "/list", "hello", "/nick Bob")
        alone.node.send(cid, "/quit")
        assert alone.new_lines(ANN) == [
            "Welcome 10.0.0.2|4002 to the server!",
            "10.0.0.2|4002 as 10.0.0.2|4002",
            "You are now Bob",
            "10.0.0.2|4002 has left the server.",
        ]
        assert alone.node.names == ["Bob"]

    def test_counts_those_of_whom_it_was_not_clear_whether_they_come_back(self) -> None:
        bench = Bench(hold=1).enter()
        bench.client("Ann")
        rome = Other(bench).enter("Bob")
        rome.term = 2
        rome.ask()
        bench.new_lines(ANN)
        fall_silent(bench, 2)
        assert bench.new_lines(ANN) == [CUT_OFF]
        come_back(bench)
        bench.turn(4)
        assert bench.node.wrong == []
        assert bench.node.believed == dict(bench.node.members)

    def test_is_told_to_consoles_as_so_many_who_left(self, alone: Bench) -> None:
        assert [event.name for event in alone.node.events if isinstance(event, Left)] == ["Bob"]
        assert alone.node.believed == dict(alone.node.members)

    def test_answers_the_operator(self, alone: Bench) -> None:
        alone.node.operator.operate("/kick Bob")
        alone.node.operator.operate("/kick Ann")
        replies = [event.text for event in alone.node.events if isinstance(event, Replied)]
        assert replies == ["Kicked 0 people.", "Kicked 1 people."]

    def test_asks_for_the_state_in_a_new_term(self, alone: Bench) -> None:
        asks = [entry for entry in alone.pending() if isinstance(entry, Ask)]
        assert asks
        assert {ask.term for ask in asks} == {2}

    def test_sends_nothing_later_of_what_was_said_meanwhile(self, alone: Bench) -> None:
        alone.node.send(ANN, "here only")
        come_back(alone)
        assert alone.node.is_in
        alone.turn(5)
        batches = [entry for entry in alone.pending() if isinstance(entry, Batch)]
        assert all(decode(batch.operations, 50, 0.0, 2048) == [Beat()] for batch in batches)

    def test_lets_nobody_wait_who_acts_in_the_midst_of_it(self, alone: Bench) -> None:
        """What a subscriber asks for is done after what it was told of."""

        def act(event: object) -> None:
            if isinstance(event, Joined):
                alone.node.operator.say("Welcome!")

        alone.node.chat.subscribe(act)
        cid = alone.node.join()
        assert alone.new_lines(cid) == ["Welcome 10.0.0.2|4002 to the server!", "Operator: Welcome!"]


class TestComingBack:
    def test_to_nobody_is_told_to_the_operator_alone(self, bench: Bench) -> None:
        bench.new_lines(ANN)
        fall_silent(bench)
        assert bench.site.is_alone
        come_back(bench)
        bench.turn(0.2)
        assert bench.node.is_in
        assert bench.new_lines(ANN) == []
        assert bench.news[-1] == Together(0)

    def test_is_told_in_one_line_once_all_are_there(self, bench: Bench) -> None:
        rome = Other(bench).enter("Bob", "Dan")
        fall_silent(bench)
        bench.new_lines(ANN)
        assert bench.news
        come_back(bench)
        assert bench.node.is_in
        assert bench.new_lines(ANN) == []
        rome.term = 2
        rome.state(rome.row(1, "Bob"), rome.row(2, "Eve"))
        bench.turn(0.2)
        assert bench.new_lines(ANN) == ["The link is back: 2 other users are here."]
        assert bench.news[-1] == Together(2)
        rome.say(2, "hello")
        assert bench.new_lines(ANN) == ["Eve: hello"]
        assert bench.node.believed == dict(bench.node.members)

    def test_tells_in_no_other_line_of_those_who_are_there_then(self, bench: Bench) -> None:
        rome = Other(bench).enter("Bob")
        rome.say(1, "hello")
        fall_silent(bench)
        bench.new_lines(ANN)
        come_back(bench)
        rome.term = 2
        rome.state(rome.row(1, "Bob"))
        bench.turn(0.2)
        assert bench.new_lines(ANN) == ["The link is back: 1 other user is here."]
        rome.do(Nick(0.0, rome.id(1), "Eve"), number=1)  # here it was done before
        rome.say(1, "again")
        bench.turn(4)
        assert bench.new_lines(ANN) == ["Bob is now Eve", "Eve: again"]
        assert bench.node.believed == dict(bench.node.members)

    def test_does_not_wait_for_long_for_those_who_do_not_come(self, bench: Bench) -> None:
        Other(bench).enter("Bob")
        fall_silent(bench)
        bench.new_lines(ANN)
        come_back(bench)
        bench.turn(2.5)
        assert bench.new_lines(ANN) == []
        bench.turn(1)
        assert bench.new_lines(ANN) == ["The link is back: 0 other users are here."]

    def test_of_one_other_is_told_in_the_singular(self, bench: Bench) -> None:
        rome = Other(bench).enter("Bob")
        fall_silent(bench)
        bench.new_lines(ANN)
        come_back(bench)
        rome.term = 2
        rome.state(rome.row(1, "Bob"))
        bench.turn(0.2)
        assert bench.new_lines(ANN) == ["The link is back: 1 other user is here."]

    def test_lets_inputs_wait_for_a_statement_on_its_way_but_not_for_long(self, bench: Bench) -> None:
        fall_silent(bench)
        bench.turn(2.5)
        bench.put("paris", bench.sent[-1])  # the question
        while not isinstance(bench.pending()[-1], Roster):
            bench.put("paris", bench.sent[-1])
            bench.turn(0.1)
        bench.sent.clear()
        cid = bench.node.join()
        bench.new_lines(ANN)
        bench.turn(1)
        assert bench.node.seen(cid) == []
        bench.turn(1.5)
        assert bench.node.seen(cid)
        assert isinstance(bench.pending()[-1], Ask)
        assert bench.site.is_alone

    def test_does_what_waited_when_the_log_is_lost_again(self, bench: Bench) -> None:
        fall_silent(bench)
        bench.turn(2.5)
        while not isinstance(bench.pending()[-1], Roster):
            bench.put("paris", bench.sent[-1])
            bench.turn(0.1)
        cid = bench.node.join()
        bench.turn()
        assert bench.node.seen(cid) == []
        bench.replica.lost("it is another log")
        bench.turn(0.2)
        assert bench.node.seen(cid) == ["Welcome 10.0.0.2|4002 to the server!"]

    def test_puts_bans_that_were_made_meanwhile_into_the_log(self, bench: Bench) -> None:
        Other(bench).enter("Bob")
        fall_silent(bench)
        bench.node.operator.operate("/ban 192.0.2.1 10m")
        bench.node.operator.operate("/unban 192.0.2.1")
        come_back(bench)
        bench.turn(3.5)
        found = [
            operation
            for entry in bench.pending()
            if isinstance(entry, Batch)
            for operation in decode(entry.operations, 50, 0.0, 2048)
        ]
        network = network_of("192.0.2.1")
        assert [one for one in found if isinstance(one, Ban | Unban)] == [
            Ban(0.0, -1, (network,), 600.0),
            Unban(0.0, -1, network),
        ]

    def test_loses_a_nickname_that_somebody_else_has_taken(self, bench: Bench) -> None:
        rome = Other(bench).enter("Bob")
        fall_silent(bench)
        bench.new_lines(ANN)
        bench.turn(2.5)
        bench.sent[:] = bench.sent[-1:]
        while not isinstance(bench.pending()[-1], Roster):
            bench.put("paris", bench.sent.pop(0))
            bench.turn(0.1)
        rome.term = 2
        rome.state(rome.row(1, "ann"))
        bench.back()
        assert bench.new_lines(ANN) == ["Nickname Ann is already in use"]
        assert bench.node.names == ["ann", "10.0.0.1|4001"]
        rome.do(Nick(0.0, rome.id(1), "Bob"))
        bench.turn(0.2)
        assert bench.new_lines(ANN) == ["ann is now Bob", "The link is back: 1 other user is here."]

    def test_may_happen_again_and_again(self, bench: Bench) -> None:
        rome = Other(bench).enter("Bob")
        for term in (2, 3):
            fall_silent(bench)
            assert bench.site.is_alone
            come_back(bench)
            rome.term = term
            rome.state(rome.row(1, "Bob"))
            rome.do(Beat())
            bench.turn(0.5)
            bench.back()
            assert bench.node.names == ["Ann", "Bob"]
        lines = bench.new_lines(ANN)
        assert lines.count(CUT_OFF) == 2
        assert lines.count("The link is back: 1 other user is here.") == 2
