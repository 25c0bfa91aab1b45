"""The coalesced fan-out: one write for each member and turn, the same order for everybody, nothing lost."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.server.room.room import Member
from chat_console.server.wire import outbox
from chat_console.server.wire.outbox import Outbox

SLICE = 0.005


class Turns:
    """An event loop driven by hand, and a clock that only writes move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[Callable[[], None]] = []
        self.outbox = Outbox(self.calls.append, lambda: self.now, SLICE)
        self._ids = itertools.count(1)

    def join(self, *, crlf: bool = False) -> Client:
        client = Client(self, next(self._ids), crlf=crlf)
        self.outbox.add(client.member, client)
        return client

    def gather(self, count: int) -> list[Client]:
        return [self.join() for _ in range(count)]

    @property
    def idle(self) -> bool:
        return not self.calls

    def turn(self) -> None:
        """Run what is due; what that schedules is for the next turn."""
        calls = self.calls.copy()
        self.calls.clear()
        for call in calls:
            call()

    def run(self) -> None:
        """Run until nothing is due."""
        for _ in range(1000):
            if self.idle:
                return
            self.turn()
        raise AssertionError("the outbox never comes to rest")


class Client:
    """A receiver that keeps each write; a write takes `cost` seconds and then does `then`."""

    def __init__(self, turns: Turns, member_id: int, *, crlf: bool) -> None:
        self.member = Member(member_id, f"10.0.{member_id >> 8}.{member_id & 255}|4000")
        self.crlf = crlf
        self.cost = 0.0
        self.then: Callable[[], None] | None = None
        self.writes: list[bytes] = []
        self.finished = 0
        self._turns = turns

    def write(self, data: bytes) -> None:
        assert data
        assert not self.finished
        self.writes.append(data)
        self._turns.now += self.cost
        if then := self.then:
            self.then = None
            then()

    def write_all(self, pieces: Sequence[bytes]) -> None:
        self.write(b"".join(pieces))

    def finish(self) -> None:
        self.finished += 1

    @property
    def lines(self) -> list[str]:
        *lines, rest = b"".join(self.writes).decode().split("\n")
        assert not rest
        return lines


@pytest.fixture
def turns() -> Turns:
    return Turns()


class TestOneTurn:
    def test_sends_nothing_before_its_end(self, turns: Turns) -> None:
        (ann,) = turns.gather(1)
        turns.outbox.to_all("one")
        turns.outbox.to(ann.member, "two")
        assert ann.writes == []

    def test_schedules_one_flush_however_much_is_said(self, turns: Turns) -> None:
        (ann,) = turns.gather(1)
        for _ in range(3):
            turns.outbox.to_all("one")
            turns.outbox.to(ann.member, "two")
        assert len(turns.calls) == 1

    def test_ends_with_one_write_for_each_member_of_the_same_bytes_object(self, turns: Turns) -> None:
        ann, bob, cid = turns.gather(3)
        turns.outbox.to_all("one")
        turns.outbox.to_all("two")
        turns.run()
        assert ann.writes == [b"one\ntwo\n"]
        assert len(bob.writes) == len(cid.writes) == 1
        assert ann.writes[0] is bob.writes[0] is cid.writes[0]

    def test_leaves_nothing_to_do(self, turns: Turns) -> None:
        (ann,) = turns.gather(1)
        turns.outbox.to_all("one")
        turns.turn()
        assert turns.idle
        turns.outbox.to_all("two")
        turns.turn()
        assert turns.idle
        assert ann.writes == [b"one\n", b"two\n"]

    def test_keeps_nothing_that_everybody_has_got(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        tracemalloc.start()
        for _ in range(50):
            turns.outbox.to_all("x" * 100_000)
            turns.outbox.to(bob.member, "x" * 100_000)
            turns.run()
            ann.writes.clear()
            bob.writes.clear()
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 100_000

    def test_without_lines_costs_nothing(self, turns: Turns) -> None:
        turns.join()
        assert turns.idle

    def test_leaves_out_ones_own_lines(self, turns: Turns) -> None:
        ann, bob, cid = turns.gather(3)
        turns.outbox.to_all("ann 1", but=ann.member)
        turns.outbox.to_all("bob 1", but=bob.member)
        turns.outbox.to_all("ann 2", but=ann.member)
        turns.run()
        assert ann.writes == [b"bob 1\n"]
        assert bob.writes == [b"ann 1\nann 2\n"]
        assert cid.writes == [b"ann 1\nbob 1\nann 2\n"]

    def test_in_which_only_ones_own_line_was_said_writes_nothing_to_one(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.to_all("ann 1", but=ann.member)
        turns.run()
        assert ann.writes == []
        assert bob.writes == [b"ann 1\n"]

    def test_puts_private_lines_in_their_place(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.to(ann.member, "before")
        turns.outbox.to_all("one")
        turns.outbox.to(ann.member, "between")
        turns.outbox.to(ann.member, "also between")
        turns.outbox.to_all("two", but=ann.member)
        turns.outbox.to_all("three")
        turns.outbox.to(ann.member, "behind")
        turns.run()
        assert ann.writes == [b"before\none\nbetween\nalso between\nthree\nbehind\n"]
        assert bob.writes == [b"one\ntwo\nthree\n"]

    def test_with_private_lines_alone_writes_to_nobody_else(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.to(ann.member, "psst")
        turns.run()
        assert ann.writes == [b"psst\n"]
        assert bob.writes == []

    def test_gives_a_line_of_several_lines_in_one_piece(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.to_all("one\ntwo", but=ann.member)
        turns.outbox.to(ann.member, "three\nfour")
        turns.run()
        assert (ann.lines, bob.lines) == (["three", "four"], ["one", "two"])

    def test_gives_crlf_to_those_who_want_it_and_the_same_object_to_all_of_them(self, turns: Turns) -> None:
        ann = turns.join()
        bob, cid, dan = (turns.join(crlf=True) for _ in range(3))
        turns.outbox.to_all("one\ntwo")
        turns.outbox.to(dan.member, "three")
        turns.run()
        assert ann.writes == [b"one\ntwo\n"]
        assert bob.writes == [b"one\r\ntwo\r\n"]
        assert cid.writes[0] is bob.writes[0]
        assert dan.writes == [b"one\r\ntwo\r\nthree\r\n"]

    def test_gives_those_who_join_in_it_only_what_was_said_after(self, turns: Turns) -> None:
        ann = turns.join()
        turns.outbox.to_all("before")
        bob, cid = turns.gather(2)
        turns.outbox.to_all("welcome")
        turns.run()
        assert ann.writes == [b"before\nwelcome\n"]
        assert bob.writes == [b"welcome\n"]
        assert bob.writes[0] is cid.writes[0]

    def test_gives_nothing_to_one_who_joins_at_its_end(self, turns: Turns) -> None:
        turns.outbox.to_all("before")
        ann = turns.join()
        turns.run()
        assert ann.writes == []


class TestClose:
    def test_writes_what_is_queued_and_then_ends_the_connection_at_once(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.to_all("one")
        turns.outbox.to(ann.member, "You have left the server")
        turns.outbox.close(ann.member)
        assert ann.writes == [b"one\nYou have left the server\n"]
        assert ann.finished == 1
        turns.outbox.to_all("Ann has left the server.")
        turns.run()
        assert bob.writes == [b"one\nAnn has left the server.\n"]
        assert len(ann.writes) == 1

    def test_gives_crlf_too(self, turns: Turns) -> None:
        ann = turns.join(crlf=True)
        turns.outbox.to_all("one")
        turns.outbox.close(ann.member)
        assert ann.writes == [b"one\r\n"]

    def test_of_one_for_whom_nothing_is_queued_writes_nothing(self, turns: Turns) -> None:
        ann = turns.join()
        turns.outbox.close(ann.member)
        assert ann.writes == []
        assert ann.finished == 1

    def test_happens_once_and_nothing_comes_behind_it(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.close(ann.member)
        turns.outbox.close(ann.member)
        turns.outbox.to(ann.member, "one")
        turns.outbox.to_all("two")
        turns.outbox.to_all("three", but=ann.member)
        turns.run()
        assert ann.writes == []
        assert ann.finished == 1
        assert bob.writes == [b"two\nthree\n"]


class TestDismiss:
    def test_writes_what_is_queued_and_the_last_line_and_ends_the_connections(self, turns: Turns) -> None:
        ann, bob, cid, dan = turns.gather(4)
        turns.outbox.to_all("one")
        turns.outbox.to(bob.member, "psst")
        turns.outbox.dismiss([ann.member, bob.member, cid.member], "bye")
        turns.outbox.to_all("two")
        turns.outbox.to(ann.member, "never")
        turns.outbox.close(cid.member)
        turns.run()
        assert ann.writes == cid.writes == [b"one\nbye\n"]
        assert bob.writes == [b"one\npsst\nbye\n"]
        assert [client.finished for client in (ann, bob, cid, dan)] == [1, 1, 1, 0]
        assert dan.lines == ["one", "two"]

    def test_gives_crlf_to_those_who_want_it(self, turns: Turns) -> None:
        ann, bob = turns.join(crlf=True), turns.join()
        turns.outbox.to_all("one")
        turns.outbox.dismiss([ann.member, bob.member], "bye")
        turns.run()
        assert (ann.writes, bob.writes) == ([b"one\r\nbye\r\n"], [b"one\nbye\n"])

    def test_happens_once(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.close(bob.member)
        for _ in range(2):
            turns.outbox.dismiss([ann.member, bob.member], "bye")
        turns.run()
        assert (ann.lines, bob.lines) == (["bye"], [])
        assert (ann.finished, bob.finished) == (1, 1)

    def test_of_many_makes_the_bytes_once_and_lets_the_loop_run_in_between(
        self, turns: Turns, composed: list[int]
    ) -> None:
        clients = turns.gather(1000)
        turns.outbox.to_all("one")
        turns.run()
        for client in clients:
            client.cost = SLICE / 10
        turns.outbox.to_all("two")
        turns.outbox.dismiss([client.member for client in clients], "bye")
        rounds = 0
        while not turns.idle:
            before = turns.now
            turns.turn()
            assert turns.now - before < 2 * SLICE
            rounds += 1
        assert rounds >= 1000 / 12
        assert len(composed) == 1
        assert all(client.writes[1] is clients[0].writes[1] for client in clients)
        assert clients[-1].lines == ["one", "two", "bye"]

    def test_goes_on_behind_those_who_are_being_dismissed(self, turns: Turns) -> None:
        clients = turns.gather(200)
        turns.outbox.dismiss([client.member for client in clients[:150]], "bye")
        turns.outbox.dismiss([client.member for client in clients[150:]], "bye")
        assert not any(client.finished for client in clients)
        turns.run()
        assert all(client.lines == ["bye"] and client.finished == 1 for client in clients)

    def test_of_many_who_lag_behind_each_differently_makes_their_bytes_in_slices_too(
        self, turns: Turns, composed: list[int]
    ) -> None:
        clients: list[Client] = []
        for number in range(200):
            clients.append(turns.join())
            clients[-1].cost = SLICE / 10
            turns.outbox.to_all(f"line {number}")
        turns.outbox.to(clients[7].member, "psst")
        turns.outbox.dismiss([client.member for client in clients], "bye")
        assert composed == []
        for _ in range(3):
            turns.turn()
        assert 0 < len(composed) <= 3 * 12
        turns.run()
        lines = [f"line {number}" for number in range(200)]
        for number, client in enumerate(clients):
            assert client.lines == [*lines[number:], *(["psst"] if number == 7 else []), "bye"]

    @pytest.fixture
    def composed(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """How often bytes were put together."""
        composed: list[int] = []
        work_in = outbox._work_in
        monkeypatch.setattr(
            outbox, "_work_in", lambda *args, crlf: composed.append(1) or work_in(*args, crlf=crlf)
        )
        return composed


class TestSlices:
    """A flush that takes long: each write takes 3 ms, so two of them use up a slice."""

    @pytest.fixture
    def clients(self, turns: Turns) -> list[Client]:
        clients = turns.gather(6)
        for client in clients:
            client.cost = 0.003
        turns.outbox.to_all("one")
        turns.turn()
        return clients

    def test_let_the_loop_run_in_between(self, turns: Turns, clients: list[Client]) -> None:
        assert [len(client.writes) for client in clients] == [1, 1, 0, 0, 0, 0]
        turns.turn()
        assert [len(client.writes) for client in clients] == [1, 1, 1, 1, 0, 0]
        turns.run()
        assert [client.writes for client in clients] == [[b"one\n"]] * 6
        assert all(client.writes[0] is clients[0].writes[0] for client in clients)

    def test_keep_the_order_of_lines_said_in_between(self, turns: Turns, clients: list[Client]) -> None:
        turns.outbox.to_all("two", but=clients[5].member)
        turns.outbox.to(clients[0].member, "to the first")
        turns.outbox.to(clients[4].member, "to the fifth")
        turns.turn()
        turns.outbox.to_all("three")
        turns.run()
        assert clients[0].lines == ["one", "two", "to the first", "three"]
        assert clients[1].lines == ["one", "two", "three"]
        assert clients[4].lines == ["one", "two", "to the fifth", "three"]
        assert clients[5].lines == ["one", "three"]

    def test_take_a_private_line_along_that_belongs_before_the_next(
        self, turns: Turns, clients: list[Client]
    ) -> None:
        turns.outbox.to(clients[5].member, "psst")
        turns.run()
        assert clients[5].writes == [b"one\npsst\n"]

    def test_give_those_who_join_in_between_only_what_was_said_after(
        self, turns: Turns, clients: list[Client]
    ) -> None:
        early = turns.join()
        turns.outbox.to_all("two")
        late = turns.join()
        turns.outbox.to(late.member, "welcome")
        turns.run()
        assert early.lines == ["two"]
        assert late.lines == ["welcome"]
        assert clients[5].lines == ["one", "two"]

    def test_give_those_who_leave_in_between_what_came_before(
        self, turns: Turns, clients: list[Client]
    ) -> None:
        served, waiting = clients[0], clients[5]
        turns.outbox.to_all("two")
        for client in (served, waiting):
            turns.outbox.to(client.member, "bye")
            turns.outbox.close(client.member)
            assert client.lines == ["one", "two", "bye"]
            assert client.finished == 1
        turns.run()
        assert served.lines == waiting.lines == ["one", "two", "bye"]
        assert clients[3].lines == ["one", "two"]

    def test_give_those_who_are_dismissed_in_between_what_came_before(
        self, turns: Turns, clients: list[Client]
    ) -> None:
        served, waiting = clients[0], clients[5]
        turns.outbox.to_all("two")
        turns.outbox.dismiss([served.member, waiting.member], "bye")
        turns.run()
        assert served.lines == waiting.lines == ["one", "two", "bye"]
        assert clients[3].lines == ["one", "two"]

    def test_of_private_lines_alone_keep_their_order_too(self, turns: Turns, clients: list[Client]) -> None:
        turns.run()
        for client in clients:
            turns.outbox.to(client.member, "two")
        turns.turn()
        turns.outbox.to_all("three")
        for client in clients:
            turns.outbox.to(client.member, "four")
        turns.run()
        assert [client.lines for client in clients] == [["one", "two", "three", "four"]] * 6


class TestWriting:
    """What a write sets off: a receiver that proves too slow leaves the room from within it."""

    @pytest.mark.parametrize("at", range(3))
    def test_may_close_the_member_that_is_written_to(self, turns: Turns, at: int) -> None:
        clients = turns.gather(3)
        slow = clients.pop(at)

        def leave() -> None:
            turns.outbox.to(slow.member, "bye")
            turns.outbox.close(slow.member)
            turns.outbox.to_all("Slow has left the server.")

        slow.then = leave
        turns.outbox.to_all("one")
        turns.run()
        assert slow.lines == ["one", "bye"]
        assert slow.finished == 1
        assert [client.lines for client in clients] == [["one", "Slow has left the server."]] * 2

    def test_may_close_another_member(self, turns: Turns) -> None:
        ann, bob, cid = turns.gather(3)
        bob.then = lambda: [turns.outbox.close(client.member) for client in (ann, cid)]
        turns.outbox.to_all("one")
        turns.run()
        assert ann.lines == bob.lines == cid.lines == ["one"]
        assert (ann.finished, bob.finished, cid.finished) == (1, 0, 1)

    def test_may_say_more_which_comes_behind_for_everybody(self, turns: Turns) -> None:
        ann, bob, cid = turns.gather(3)

        def say() -> None:
            turns.outbox.to_all("two", but=bob.member)
            turns.outbox.to(bob.member, "psst")

        bob.then = say
        turns.outbox.to_all("one")
        turns.run()
        assert ann.lines == cid.lines == ["one", "two"]
        assert bob.lines == ["one", "psst"]

    def test_may_happen_while_a_member_is_closed(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        ann.then = lambda: turns.outbox.to_all("two")
        turns.outbox.to_all("one")
        turns.outbox.close(ann.member)
        turns.run()
        assert ann.lines == ["one"]
        assert bob.lines == ["one", "two"]


Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["join", "join telnet", "to", "to all", "to all", "to others", "close", "dismiss", "turn"]
        ),
        st.integers(0, 5),
    ),
    max_size=40,
)


class Model(Turns):
    """An outbox, and beside it simply the list of lines that each member is to get."""

    def __init__(self, cost: float, ambushes: list[Step]) -> None:
        super().__init__()
        self.cost = cost
        self.ambushes = iter(ambushes)
        self.expected: dict[Client, list[str]] = {}
        self.open: list[Client] = []
        self.said = itertools.count(1)

    def do(self, step: Step) -> None:
        what, index = step
        if what == "turn":
            self.turn()
        elif what.startswith("join"):
            client = self.join(crlf=what == "join telnet")
            client.cost = self.cost
            client.then = lambda: self.ambush(client)
            self.expected[client] = []
            self.open.append(client)
        elif what == "to all":
            self.say(self.open)
        elif what == "dismiss":
            self.dismiss(self.open[index::2])
        elif self.open:
            self.do_with(what, self.open[index % len(self.open)])

    def do_with(self, what: str, client: Client) -> None:
        if what == "close":
            self.open.remove(client)
            self.outbox.close(client.member)
        elif what == "to":
            line = f"private {next(self.said)}"
            self.expected[client].append(line)
            self.outbox.to(client.member, line)
        else:
            self.say([other for other in self.open if other is not client], but=client.member)

    def dismiss(self, clients: list[Client]) -> None:
        line = f"goodbye {next(self.said)}"
        for client in clients:
            self.open.remove(client)
            self.expected[client].append(line)
        self.outbox.dismiss([client.member for client in clients], line)

    def say(self, to: list[Client], but: Member | None = None) -> None:
        line = f"line {next(self.said)}"
        for client in to:
            self.expected[client].append(line)
        self.outbox.to_all(line, but)

    def ambush(self, client: Client) -> None:
        """Do the next ambush in the middle of a write to `client`, and lie in wait again."""
        client.then = lambda: self.ambush(client)
        if (step := next(self.ambushes, None)) and step[0] != "turn":
            self.do(step)


@given(STEPS, STEPS, st.sampled_from([0.0, 0.003, 0.006]))
def test_everybody_gets_every_line_once_and_in_order_whatever_happens_in_between(
    steps: list[Step], ambushes: list[Step], cost: float
) -> None:
    model = Model(cost, ambushes)
    for step in steps:
        model.do(step)
    model.run()
    for client, lines in model.expected.items():
        ending = "\r\n" if client.crlf else "\n"
        assert b"".join(client.writes).decode() == "".join(line + ending for line in lines)
        assert client.finished == (client not in model.open)
