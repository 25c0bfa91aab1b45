"""One node and a log in the hands of the test: what is done when, what is sent when, and what is ignored."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from support.cluster import Bench, Other

from chat_console.server.addresses import Address, network_of
from chat_console.server.cluster import outgoing
from chat_console.server.cluster.news import Behind, Lost, Refused
from chat_console.server.cluster.operations import Beat, Goodbye, decode, member_id
from chat_console.server.cluster.replica import MAX_MEMBERS
from chat_console.server.cluster.wire import Batch, Found, encode
from chat_console.server.room import entries
from chat_console.server.room.entries import Join, Kick, Leave, Lines, MuteExpired, Nick, Say, TooLong, Unban
from chat_console.server.room.events import Event, LeaveReason, Messaged, OperatorSaid, Outcome, Replied, Said


@pytest.fixture
def bench() -> Bench:
    return Bench().enter()


def operations(bench: Bench) -> list[object]:
    """What the batches on their way consist of, but for beats."""
    found: list[object] = []
    for entry in bench.pending():
        assert isinstance(entry, Batch)
        found += [one for one in decode(entry.operations, 50, 0.0, 2048) if one != Beat()]
    return found


class TestOwnLines:
    def test_are_said_when_they_come_back(self, bench: Bench) -> None:
        ann, bob = bench.client("Ann"), bench.client("Bob")
        bench.new_lines(bob)
        bench.node.send(ann, "hello")
        assert bench.new_lines(bob) == []
        bench.back()
        assert bench.new_lines(bob) == ["Ann: hello"]

    def test_have_the_time_of_the_log(self, bench: Bench) -> None:
        ann = bench.client("Ann")
        bench.node.send(ann, "hello")
        bench.turn(0.5)
        bench.back()
        (said,) = [event for event in bench.node.events if isinstance(event, Said)]
        assert said.time == pytest.approx(bench.time, abs=0.1)
        assert said.time > 1e9 + 1000.4

    def test_of_one_turn_are_one_batch_and_what_comes_meanwhile_is_the_next(self, bench: Bench) -> None:
        ann, bob = bench.client("Ann"), bench.client("Bob")
        bench.node.send(ann, "one")
        bench.node.send(bob, "two")
        bench.turn()
        bench.node.send(ann, "three")
        bench.turn()
        assert len(bench.sent) == 1
        bench.put("paris", bench.sent.pop())
        bench.turn(0.01)
        assert operations(bench) == [Lines(0.0, ann, ("three",))]

    def test_are_answered_in_order_with_what_concerns_their_author_alone(self, bench: Bench) -> None:
        ann = bench.client()
        bench.new_lines(ann)
        bench.node.send(ann, "/nick Ann", "/list", "/nick -", "/help me")
        assert bench.new_lines(ann) == []
        bench.back()
        assert bench.new_lines(ann) == [
            "You are now Ann",
            "No other users connected",
            "Invalid nickname: use 1-20 of A-Z a-z 0-9 _ - .",
            "Usage: /help",
        ]

    def test_that_concern_their_author_alone_are_answered_at_once(self, bench: Bench) -> None:
        ann = bench.client()
        bench.new_lines(ann)
        bench.node.chat.submit(Lines(1.0, ann, ("/list", TooLong(2048), "/nick Root")))
        assert bench.new_lines(ann) == [
            "No other users connected",
            "Message too long (max 2048 bytes)",
            "Nickname Root is reserved",
        ]
        assert operations(bench) == []

    def test_that_search_are_answered_here_and_in_order(self, bench: Bench) -> None:
        ann, _ = bench.client("Ann"), bench.client("Bob")
        bench.new_lines(ann)
        bench.node.send(ann, "/list bob")
        assert bench.new_lines(ann) == ["10.0.0.2|4002 as Bob"]
        assert operations(bench) == []
        bench.node.send(ann, "/nick Anna", "/list zoe")
        bench.back()
        assert bench.new_lines(ann) == ["You are now Anna", "No other users with zoe"]

    def test_that_wait_alone_need_no_batch(self, bench: Bench) -> None:
        ann = bench.node.join()
        bench.node.send(ann, "/list")
        bench.turn()
        bench.node.send(ann, "/list")  # still before it has joined
        bench.put("paris", bench.sent.pop())
        bench.turn(0.1)
        assert bench.new_lines(ann)[-2:] == ["No other users connected"] * 2
        assert operations(bench) == []

    def test_after_a_quit_are_not_taken(self, bench: Bench) -> None:
        ann, bob = bench.client("Ann"), bench.client("Bob")
        bench.new_lines(bob)
        bench.node.send(ann, "bye", "/quit", "never said")
        bench.node.send(ann, "nor this")
        bench.node.leave(ann)
        bench.turn()
        assert operations(bench) == [
            Lines(0.0, ann, ("bye",)),
            Leave(0.0, (ann,), LeaveReason.QUIT),
        ]
        bench.back()
        assert bench.new_lines(bob) == ["Ann: bye", "Ann has left the server."]
        assert bench.node.chat.room.roster.get(ann) is None
        assert bench.site.locals.keys() == {2}

    def test_are_cut_into_batches_of_a_bounded_size(self, bench: Bench) -> None:
        ann, bob = bench.client("Ann"), bench.client("Bob")
        for _ in range(200):
            bench.node.send(ann, "x" * 2048)
        bench.turn()
        (batch,) = bench.pending()
        assert isinstance(batch, Batch)
        assert 250_000 < len(batch.operations) <= 256 << 10
        bench.back()
        assert bench.new_lines(bob).count(f"Ann: {'x' * 2048}") == 200

    def test_of_one_who_is_unknown_are_ignored(self, bench: Bench) -> None:
        bench.node.send(12345, "hello")
        bench.node.leave(12345)
        bench.node.chat.submit(Nick(1.0, member_id(50, 99), "Ann"))
        bench.node.chat.submit(MuteExpired(1.0, member_id(60, 1), 5.0))
        bench.turn()
        assert operations(bench) == []

    def test_that_nobody_else_would_understand_are_refused(self, bench: Bench) -> None:
        ann = bench.client("Ann")
        with pytest.raises(ValueError, match="nobody else"):
            bench.node.send(ann, "x" * 3000)
        bench.node.send(ann, "hello")
        bench.back()
        assert any(isinstance(event, Said) for event in bench.node.events)


class TestLeaving:
    @pytest.mark.parametrize("reason", [LeaveReason.LOST, LeaveReason.SLOW, LeaveReason.STALLED])
    def test_of_one_whose_connection_is_gone_ends_its_lane_at_once(
        self, bench: Bench, reason: LeaveReason
    ) -> None:
        ann, bob = bench.client("Ann"), bench.client("Bob")
        bench.node.leave(ann, reason)
        assert bench.node.receivers[ann].finished
        bench.new_lines(bob)
        bench.back()
        assert bench.new_lines(bob) == ["Ann has left the server."]

    def test_at_the_end_of_input_lets_one_hear_what_is_said_before(self, bench: Bench) -> None:
        ann, bob = bench.client("Ann"), bench.client("Bob")
        bench.new_lines(ann)
        bench.node.send(bob, "bye")
        bench.node.leave(ann, LeaveReason.END_OF_INPUT)
        assert not bench.node.receivers[ann].finished
        bench.back()
        assert bench.new_lines(ann) == ["Bob: bye", "You have left the server"]

    def test_before_one_has_joined_leaves_nothing_behind(self, bench: Bench) -> None:
        ann = bench.node.join()
        bench.node.leave(ann)
        bench.back()
        assert bench.node.seen(ann) == []
        assert (bench.node.members, bench.site.locals) == ([], {})
        assert bench.node.receivers[ann].finished

    def test_of_several_takes_those_of_this_node(self, bench: Bench) -> None:
        ann, bob = bench.client("Ann"), bench.client("Bob")
        rome = Other(bench).enter("Cid")
        bench.node.chat.submit(Leave(1.0, (ann, rome.id(1), bob), LeaveReason.BANNED))
        bench.back()
        assert bench.node.names == ["Cid"]


class TestMutes:
    def test_end_by_the_timer_of_the_home_alone(self, bench: Bench) -> None:
        ann = bench.client("Ann")
        rome = Other(bench).enter("Cid")
        bench.node.operator.operate("/mute Ann 10s")
        bench.node.operator.operate("/mute Cid 10s")
        bench.back()
        for _ in range(99):
            bench.turn(0.1)
            bench.back()
            rome.do(Beat())
        assert bench.node.chat.room.roster.find("Ann")[0].muted
        bench.turn(1.0)
        bench.back()
        assert bench.new_lines(ann)[-1] == "You are no longer muted"
        assert [bench.node.chat.room.roster.find(name)[0].muted for name in ("Ann", "Cid")] == [False, True]


class TestOperator:
    def test_is_answered_here_by_what_the_log_makes_of_it(self, bench: Bench) -> None:
        bench.client("Ann")
        rome = Other(bench).enter("Bob")
        bench.node.operator.operate("/kick Bob")
        rome.do(Nick(0.0, rome.id(1), "Cid"))
        bench.back()
        (reply,) = [event for event in bench.node.events if isinstance(event, Replied)]
        assert (reply.session_id, reply.text, reply.outcome) == (1, "Kicked 0 people.", Outcome.REFUSED)

    def test_of_another_node_is_answered_there(self, bench: Bench) -> None:
        ann = bench.client("Ann")
        rome = Other(bench).enter("Bob")
        bench.new_lines(ann)
        rome.do(Say(0.0, 1, "Operator", "hello"), Kick(0.0, 1, ann))
        assert bench.new_lines(ann) == ["Operator: hello", "You have left the server"]
        assert [event.text for event in bench.node.events if isinstance(event, OperatorSaid)] == ["hello"]
        assert not [event for event in bench.node.events if isinstance(event, Replied)]
        assert bench.site.locals == {}

    def test_hears_what_members_of_all_nodes_write_to_it(self, bench: Bench) -> None:
        rome = Other(bench).enter("Bob")
        rome.say(1, "/msg Operator help")
        assert [event.text for event in bench.node.events if isinstance(event, Messaged)] == ["help"]

    def test_bans_on_all_nodes(self, bench: Bench) -> None:
        rome = Other(bench).enter("Bob")
        rome.do(entries.Ban(0.0, 1, (network_of("192.0.2.0/24"),)))
        assert bench.node.chat.bans.covers("192.0.2.77")
        assert bench.node.names == []
        rome.do(Unban(0.0, 1, network_of("192.0.2.0/24")))
        assert not bench.node.chat.bans.covers("192.0.2.77")


class TestBatch:
    def test_of_another_node_is_done_at_once(self, bench: Bench) -> None:
        ann = bench.client("Ann")
        rome = Other(bench).enter("Bob")
        bench.new_lines(ann)
        rome.say(1, "hello", "//me")
        assert bench.new_lines(ann) == ["Bob: hello", "Bob: /me"]

    @pytest.mark.parametrize("change", ["term", "counter", "process"])
    def test_that_does_not_follow_is_ignored(self, bench: Bench, change: str) -> None:
        ann = bench.client("Ann")
        rome = Other(bench).enter("Bob")
        bench.new_lines(ann)
        batch = rome.batch(Lines(0.0, rome.id(1), ("hello",)))
        for step in (1, -1):
            bench.put("rome", replace(batch, **{change: getattr(batch, change) + step}))
        assert bench.new_lines(ann) == []
        bench.put("rome", batch)
        assert bench.new_lines(ann) == ["Bob: hello"]
        bench.put("rome", batch)
        assert bench.new_lines(ann) == []

    def test_under_another_nodes_name_is_ignored(self, bench: Bench) -> None:
        ann = bench.client("Ann")
        rome = Other(bench).enter("Bob")
        bench.new_lines(ann)
        bench.put("oslo", rome.batch(Lines(0.0, rome.id(1), ("hello",))))
        assert bench.new_lines(ann) == []

    def test_that_was_heard_before_changes_the_room_and_tells_nobody(self, bench: Bench) -> None:
        ann = bench.client("Ann")
        rome = Other(bench).enter("Bob")
        rome.say(1, "hello")
        bench.new_lines(ann)
        rome.do(Lines(0.0, rome.id(1), ("hello",)), Nick(0.0, rome.id(1), "Cid"), number=1)
        assert bench.new_lines(ann) == []
        assert bench.node.names == ["Ann", "Cid"]
        assert bench.node.chat.room.roster.find("Cid")[0].lines == 2
        rome.say(1, "new")
        assert bench.new_lines(ann) == ["Bob is now Cid", "Cid: new"]

    def test_that_is_not_understood_is_told_and_costs_only_itself(self, bench: Bench) -> None:
        rome = Other(bench).enter("Bob")
        assert bench.news
        batch = rome.batch()
        bench.put("rome", replace(batch, operations=b"x"))
        bench.put("rome", b"\1\1")
        assert bench.news == [Refused("rome", "half an operation"), Refused("rome", "it ends too early")]
        bench.put("rome", batch)
        assert bench.site.state.nodes[60].counter == batch.counter

    def test_cannot_make_the_room_grow_without_bound(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert MAX_MEMBERS == 1 << 20
        monkeypatch.setattr("chat_console.server.cluster.replica.MAX_MEMBERS", 2)
        rome = Other(bench).enter()
        join = [Join(0.0, rome.id(number), Address("192.0.2.1", number)) for number in range(1, 7)]
        rome.do(*join)
        assert len(bench.node.members) == 4
        rome.do(join[0])
        assert len(bench.node.members) == 4

    def test_that_fails_holds_up_nobody(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        ann = bench.client("Ann")
        rome = Other(bench).enter("Bob")
        bench.new_lines(ann)

        def fail(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(bench.site.room.roster, "rename", fail)
        rome.do(Nick(0.0, rome.id(1), "Cid"), Lines(0.0, rome.id(1), ("hello",)))
        assert bench.new_lines(ann) == ["Bob: hello"]
        assert [type(error) for error in bench.node.errors] == [ZeroDivisionError]

    def test_of_this_node_that_it_did_not_write_ends_the_trust_in_the_log(self, bench: Bench) -> None:
        bench.turn(1.0)
        (batch,) = bench.pending()
        assert isinstance(batch, Batch)
        bench.put("paris", replace(batch, operations=batch.operations * 2))
        assert bench.news[-1] == Lost("it has an entry that this node did not write")
        assert not bench.node.is_in

    def test_that_is_answered_by_an_error_of_this_node_alone_is_told(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ann = bench.client("Ann")

        def fail(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(bench.site.room.roster.listing, "pages", fail)
        bench.node.send(ann, "/list")
        assert [type(error) for error in bench.node.errors] == [ZeroDivisionError]


class TestSending:
    def test_is_repeated_byte_for_byte_until_it_comes_back(self, bench: Bench) -> None:
        bench.turn(1.0)
        (first,) = bench.sent
        bench.turn(0.4)
        assert bench.sent == [first]
        bench.turn(1.0)
        assert bench.sent == [first, first]
        bench.replica.opened()
        assert bench.sent == [first] * 3
        for _ in range(3):
            bench.put("paris", first)
        bench.turn(0.1)
        assert first not in bench.sent[3:]
        assert bench.news[-1:] != [Lost("")]

    def test_waits_while_the_log_is_closed(self, bench: Bench) -> None:
        bench.replica.closed("it is gone")
        bench.turn(2.0)
        assert bench.sent == []
        bench.replica.opened()
        assert len(bench.sent) == 1

    def test_is_paced_by_the_number_of_nodes(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("chat_console.server.cluster.replica.PACE", 10.0)
        ann = bench.client("Ann")
        bench.turn(0.2)
        bench.sent.clear()
        Other(bench).enter()
        bench.turn(0.5)
        bench.back()
        bench.turn(0.2)
        sent_at: list[float] = []
        for _ in range(4):
            bench.node.send(ann, "hello")
            bench.turn()
            while not bench.sent:
                bench.turn(0.01)
            sent_at.append(bench.world.now)
            bench.put("paris", bench.sent.pop())
        assert [late - soon for soon, late in itertools.pairwise(sent_at[1:])] == [
            pytest.approx(0.2, abs=0.02)
        ] * 2

    def test_beats_when_there_is_nothing_else_to_say(self, bench: Bench) -> None:
        beats = 0
        for _ in range(100):
            bench.turn(0.1)
            beats += len(bench.sent)
            bench.back()
        assert beats == pytest.approx(10 / 0.8, abs=1)


class TestLateEntries:
    def test_are_told_but_for_those_that_the_log_cannot_have(self, bench: Bench) -> None:
        other = Other(bench).enter()

        def seconds_told(late: float) -> list[int]:
            bench.position += 1
            bench.replica.entry(bench.position, bench.time - late, "rome", encode(other.batch(Beat())))
            return [round(news.seconds) for news in bench.news if isinstance(news, Behind)]

        assert [seconds_told(late) for late in (0, 1.5, 3, 59, 100)] == [[], [], [3], [59], []]


class TestWhenDone:
    """Who waits for all that came before."""

    def test_does_not_wait_where_nothing_is_on_its_way(self, bench: Bench) -> None:
        calls: list[str] = []
        bench.replica.when_done(lambda: calls.append("done"))
        assert calls == ["done"]

    def test_waits_for_what_is_on_its_way_and_for_what_has_not_been_sent(self, bench: Bench) -> None:
        told: list[object] = []
        session = bench.node.chat.operator(told.append, lambda: None)
        session.say("one")
        bench.turn()
        session.say("two")
        session.when_done(lambda: told.append("done"))
        session.say("three")
        assert told == []
        bench.back()
        said = [each.text if isinstance(each, OperatorSaid) else each for each in told]
        assert said == ["one", "two", "done", "three"]

    def test_waits_for_all_of_the_batch_that_is_being_done(self, bench: Bench) -> None:
        told: list[str] = []

        def note(event: Event) -> None:
            if isinstance(event, OperatorSaid):
                told.append(event.text)
                if event.text == "one":
                    session.when_done(lambda: told.append("done"))

        session = bench.node.chat.operator(note, lambda: None)
        for text in ("one", "two"):
            session.say(text)
        bench.back()
        bench.turn()
        assert told == ["one", "two", "done"]

    def test_hears_of_it_from_a_node_that_goes_on_alone_too(self, bench: Bench) -> None:
        bench.client("Ann")
        told: list[object] = []
        session = bench.node.chat.operator(told.append, lambda: None)
        session.say("one")
        session.when_done(lambda: told.append("done"))
        bench.turn(12)
        assert told[-1] == "done"
        assert [each.text for each in told if isinstance(each, OperatorSaid)] == ["one"]

    def test_that_fails_holds_up_nobody(self, bench: Bench) -> None:
        session = bench.node.chat.operator(lambda event: None, lambda: None)
        session.say("one")
        session.when_done(lambda: 1 / 0)
        session.say("two")
        bench.back()
        assert list(map(type, bench.node.errors)) == [ZeroDivisionError]
        bench.node.errors.clear()
        assert [event.text for event in bench.node.events if isinstance(event, OperatorSaid)] == [
            "one",
            "two",
        ]


class TestFull:
    def test_is_an_order_in_which_too_much_waits_until_there_is_room(self, bench: Bench) -> None:
        ann = bench.client("Ann")
        calls: list[str] = []

        def free() -> None:
            calls.append("free")

        lines = ("x" * 2000,) * 100
        assert not bench.replica.is_full
        for _ in range(outgoing.FULL // 200_000 + 1):
            bench.node.send(ann, *lines)
        assert bench.replica.is_full
        bench.replica.when_free(free)
        bench.replica.when_free(free)
        bench.turn(0.01)
        for _ in range(14):
            bench.put("paris", bench.sent.pop())
            bench.turn(0.01)
            assert bench.replica.is_full
        assert calls == []
        bench.back()
        assert not bench.replica.is_full
        assert calls == ["free"]

    def test_counts_what_concerns_an_author_alone(self, bench: Bench) -> None:
        ann = bench.node.join()
        bench.node.send(ann, *("/list",) * 1100)
        assert bench.replica.is_full
        bench.back()
        assert not bench.replica.is_full


class TestEnd:
    def test_is_said_and_then_nothing_more(self, bench: Bench) -> None:
        ann = bench.client("Ann")
        Other(bench).enter("Bob")
        done: list[str] = []
        bench.replica.say_goodbye(lambda: done.append("done"))
        bench.turn()
        assert operations(bench) == [Goodbye()]
        assert done == []
        bench.back()
        assert done == ["done"]
        bench.node.send(ann, "never said")
        bench.new_lines(ann)
        bench.node.chat.shut_down()
        assert bench.new_lines(ann) == ["Server is shutting down", "You have left the server"]
        bench.node.leave(ann)
        bench.replica.lost("late")
        bench.replica.opened()
        bench.replica.received(b"late")
        bench.put("rome", Found(60, 1))
        bench.turn(5)
        assert bench.sent == []

    def test_comes_also_without_a_goodbye(self, bench: Bench) -> None:
        ann = bench.client("Ann")
        bench.node.chat.shut_down()
        bench.turn()
        assert bench.node.receivers[ann].finished
        assert bench.site.locals == {}

    def test_of_another_node_lets_its_members_leave(self, bench: Bench) -> None:
        ann = bench.client("Ann")
        rome = Other(bench).enter("Bob", "Cid")
        bench.new_lines(ann)
        rome.do(Goodbye())
        assert bench.new_lines(ann) == ["Bob has left the server.", "Cid has left the server."]
        assert bench.site.state.nodes.keys() == {50}
