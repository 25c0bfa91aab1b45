"""The coalesced fan-out: one write for each member and turn, the same order for everybody, nothing lost."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable, Collection, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recording import Loop

from chat_console.server.addresses import Address
from chat_console.server.room.events import Muted
from chat_console.server.room.listing import Listing, Page
from chat_console.server.room.member import Member
from chat_console.server.room.room import Item
from chat_console.server.room.search import Search
from chat_console.server.wire import searches
from chat_console.server.wire.codec import CRLF, LF, Codec, TextCodec
from chat_console.server.wire.outbox import Outbox
from chat_console.server.wire.searches import Searches

SLICE = 0.005


class Turns(Loop):
    """An event loop driven by hand, whose clock only writes move."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox(self, SLICE, Searches(self))
        self.looks = 0
        """How often a member was asked for its codec, without which there are no bytes for it."""
        self._ids = itertools.count(1)

    def join(self, codec: Codec = LF) -> Client:
        client = Client(self, next(self._ids), codec)
        self.outbox.expect(client.id, client)
        self.outbox.add(client.id)
        return client

    def gather(self, count: int, codec: Codec = LF) -> list[Client]:
        return [self.join(codec) for _ in range(count)]

    def run(self) -> None:
        """Run until nothing is due."""
        for _ in range(1000):
            if not self.turn():
                return
        raise AssertionError("the outbox never comes to rest")


class Client:
    """A receiver that keeps each write; a write takes `cost` seconds and then does `then`."""

    def __init__(self, turns: Turns, member_id: int, codec: Codec) -> None:
        self.id = member_id
        self.cost = 0.0
        self.then: Callable[[], object] | None = None
        self.writes: list[bytes] = []
        self.pieces: list[bytes] = []
        """What was written without a copy, piece by piece."""
        self.finished = 0
        self.answers = 0
        self._codec = codec
        self._turns = turns

    @property
    def codec(self) -> Codec:
        self._turns.looks += 1
        return self._codec

    @codec.setter
    def codec(self, codec: Codec) -> None:
        self._codec = codec

    def write(self, data: bytes) -> None:
        assert data
        assert not self.finished
        self.writes.append(data)
        self._turns.now += self.cost
        if then := self.then:
            self.then = None
            then()

    def write_all(self, pieces: Sequence[bytes]) -> None:
        assert all(pieces)
        self.pieces += pieces
        self.write(b"".join(pieces))

    def finish(self) -> None:
        self.finished += 1

    def answered(self) -> None:
        self.answers += 1

    @property
    def lines(self) -> list[str]:
        *lines, rest = b"".join(self.writes).decode().split("\n")
        assert not rest
        return lines


class CountingCodec(TextCodec):
    """Keeps the items whose bytes it has made."""

    def __init__(self, end: bytes = b"\n") -> None:
        super().__init__(end)
        self.items: list[Item] = []

    def encode(self, item: Item) -> bytes:
        self.items.append(item)
        return super().encode(item)


@pytest.fixture
def turns() -> Turns:
    return Turns()


class TestOneTurn:
    def test_sends_nothing_before_its_end(self, turns: Turns) -> None:
        (ann,) = turns.gather(1)
        turns.outbox.to_all("one")
        turns.outbox.to(ann.id, "two")
        assert ann.writes == []

    def test_schedules_one_flush_however_much_is_said(self, turns: Turns) -> None:
        (ann,) = turns.gather(1)
        for _ in range(3):
            turns.outbox.to_all("one")
            turns.outbox.to(ann.id, "two")
        assert turns.due == 1

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
        assert not turns.due
        turns.outbox.to_all("two")
        turns.turn()
        assert not turns.due
        assert ann.writes == [b"one\n", b"two\n"]

    def test_keeps_nothing_that_everybody_has_got(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        gone = turns.join(CRLF)
        tracemalloc.start()
        for number in range(50):
            turns.outbox.to_all("x" * 100_000)
            if number == 10:
                turns.outbox.close(gone.id)
                gone.writes.clear()
            turns.outbox.to(bob.id, "x" * 100_000)
            turns.run()
            for client in (ann, bob, gone):
                client.writes.clear()
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 100_000

    def test_without_lines_costs_nothing(self, turns: Turns) -> None:
        turns.join()
        assert not turns.due

    def test_leaves_out_ones_own_lines(self, turns: Turns) -> None:
        ann, bob, cid = turns.gather(3)
        turns.outbox.to_all("ann 1", but={ann.id})
        turns.outbox.to_all("bob 1", but={bob.id})
        turns.outbox.to_all("ann 2", but={ann.id})
        turns.run()
        assert ann.writes == [b"bob 1\n"]
        assert bob.writes == [b"ann 1\nann 2\n"]
        assert cid.writes == [b"ann 1\nbob 1\nann 2\n"]

    def test_in_which_only_ones_own_line_was_said_writes_nothing_to_one(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.to_all("ann 1", but={ann.id})
        turns.run()
        assert ann.writes == []
        assert bob.writes == [b"ann 1\n"]

    def test_puts_private_lines_in_their_place(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.to(ann.id, "before")
        turns.outbox.to_all("one")
        turns.outbox.to(ann.id, "between")
        turns.outbox.to(ann.id, "also between")
        turns.outbox.to_all("two", but={ann.id})
        turns.outbox.to_all("three")
        turns.outbox.to(ann.id, "behind")
        turns.run()
        assert ann.writes == [b"before\none\nbetween\nalso between\nthree\nbehind\n"]
        assert bob.writes == [b"one\ntwo\nthree\n"]

    def test_with_private_lines_alone_writes_to_nobody_else(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.to(ann.id, "psst")
        turns.run()
        assert ann.writes == [b"psst\n"]
        assert bob.writes == []

    def test_gives_a_line_of_several_lines_in_one_piece(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.to_all("one\ntwo", but={ann.id})
        turns.outbox.to(ann.id, "three\nfour")
        turns.run()
        assert (ann.lines, bob.lines) == (["three", "four"], ["one", "two"])

    def test_gives_crlf_to_those_who_want_it_and_the_same_object_to_all_of_them(self, turns: Turns) -> None:
        ann = turns.join()
        bob, cid, dan = (turns.join(CRLF) for _ in range(3))
        turns.outbox.to_all("one\ntwo")
        turns.outbox.to(dan.id, "three")
        turns.run()
        assert ann.writes == [b"one\ntwo\n"]
        assert bob.writes == [b"one\r\ntwo\r\n"]
        assert cid.writes[0] is bob.writes[0]
        assert dan.writes == [b"one\r\ntwo\r\nthree\r\n"]

    def test_leaves_several_out_at_once(self, turns: Turns) -> None:
        ann, bob, cid = turns.gather(3)
        turns.outbox.to_all("one", but=(ann.id, cid.id, 99))
        turns.outbox.to_all("two")
        turns.run()
        assert (ann.lines, bob.lines, cid.lines) == (["two"], ["one", "two"], ["two"])

    def test_makes_the_bytes_of_an_item_once_for_all_who_share_a_codec(self, turns: Turns) -> None:
        one, other = CountingCodec(), CountingCodec(b"\r\n")
        ann, bob, *_ = clients = [*turns.gather(3, one), *turns.gather(3, other)]
        turns.outbox.to_all("one")
        turns.outbox.to(ann.id, "psst")
        turns.outbox.to_all("two", but={bob.id})
        turns.outbox.close(clients[5].id)
        turns.run()
        assert sorted(map(str, one.items)) == ["one", "psst", "two"]
        assert other.items == ["one", "two"]

    def test_makes_no_bytes_for_those_who_get_nothing(self, turns: Turns) -> None:
        codec = CountingCodec()
        (ann,) = turns.gather(1, codec)
        turns.outbox.close(ann.id)
        turns.join()
        turns.outbox.to_all("one")
        turns.run()
        assert codec.items == []

    def test_gives_everything_by_the_codec_that_a_member_has_at_its_end(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.to_all("one")
        turns.outbox.to(ann.id, "two")
        ann.codec = bob.codec = CRLF
        turns.run()
        assert (ann.writes, bob.writes) == ([b"one\r\ntwo\r\n"], [b"one\r\n"])

    def test_gives_a_page_to_all_without_a_copy(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        page = Page([("10.0.0.1|4000", "Cid")])
        turns.outbox.to_all("one")
        for client in (ann, bob):
            turns.outbox.to(client.id, page)
            turns.outbox.to(client.id, page)
        turns.outbox.to_all("two")
        turns.run()
        line = b"10.0.0.1|4000 as Cid\n"
        assert ann.pieces == bob.pieces == [b"one\n", line, line, b"two\n"]
        assert ann.pieces[1] is ann.pieces[2] is bob.pieces[1]

    def test_in_which_nothing_was_said_to_members_writes_nothing(self, turns: Turns) -> None:
        silent = Muted(0.0, 1, "Ann", True)
        ann, bob = turns.gather(2)
        turns.outbox.to_all(silent)
        turns.outbox.to(bob.id, silent)
        turns.run()
        assert (ann.writes, bob.writes) == ([], [])
        turns.outbox.to_all("one")
        turns.outbox.to_all(silent)
        turns.run()
        assert (ann.writes, bob.writes) == ([b"one\n"], [b"one\n"])

    def test_gives_those_who_join_in_it_only_what_was_said_after(self, turns: Turns) -> None:
        ann = turns.join()
        turns.outbox.to_all("before")
        bob, cid = turns.gather(2)
        turns.outbox.to_all("welcome")
        turns.run()
        assert ann.writes == [b"before\nwelcome\n"]
        assert bob.writes == [b"welcome\n"]
        assert bob.writes[0] is cid.writes[0]

    def test_gives_nothing_to_one_who_is_closed_before_it_joins(self, turns: Turns) -> None:
        ann = Client(turns, 99, LF)
        turns.outbox.expect(ann.id, ann)
        turns.outbox.close(ann.id)
        turns.outbox.add(ann.id)
        turns.outbox.to_all("hello")
        turns.run()
        assert (ann.writes, ann.finished) == ([], 1)

    def test_gives_nothing_to_one_who_is_expected_and_has_not_joined(self, turns: Turns) -> None:
        ann = Client(turns, 7, LF)
        turns.outbox.expect(ann.id, ann)
        turns.outbox.to_all("one")
        turns.outbox.to(ann.id, "two")
        turns.run()
        turns.outbox.add(ann.id)
        turns.outbox.add(8)  # whom this outbox does not serve
        turns.outbox.to_all("three")
        turns.outbox.to(8, "four")
        turns.run()
        assert ann.writes == [b"three\n"]

    def test_gives_nothing_to_one_who_joins_at_its_end(self, turns: Turns) -> None:
        turns.outbox.to_all("before")
        ann = turns.join()
        turns.run()
        assert ann.writes == []


class TestClose:
    def test_writes_what_is_queued_and_then_ends_the_connection_at_once(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.to_all("one")
        turns.outbox.to(ann.id, "You have left the server")
        turns.outbox.close(ann.id)
        assert ann.writes == [b"one\nYou have left the server\n"]
        assert ann.finished == 1
        turns.outbox.to_all("Ann has left the server.")
        turns.run()
        assert bob.writes == [b"one\nAnn has left the server.\n"]
        assert len(ann.writes) == 1

    def test_gives_crlf_too(self, turns: Turns) -> None:
        ann = turns.join(CRLF)
        turns.outbox.to_all("one")
        turns.outbox.close(ann.id)
        assert ann.writes == [b"one\r\n"]

    def test_of_one_for_whom_nothing_is_queued_writes_nothing(self, turns: Turns) -> None:
        ann = turns.join()
        turns.outbox.close(ann.id)
        assert ann.writes == []
        assert ann.finished == 1

    def test_happens_once_and_nothing_comes_behind_it(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.close(ann.id)
        turns.outbox.close(ann.id)
        turns.outbox.to(ann.id, "one")
        turns.outbox.to_all("two")
        turns.outbox.to_all("three", but={ann.id})
        turns.run()
        assert ann.writes == []
        assert ann.finished == 1
        assert bob.writes == [b"two\nthree\n"]


class TestDismiss:
    def test_writes_what_is_queued_and_the_last_line_and_ends_the_connections(self, turns: Turns) -> None:
        ann, bob, cid, dan = turns.gather(4)
        turns.outbox.to_all("one")
        turns.outbox.to(bob.id, "psst")
        turns.outbox.dismiss([ann.id, bob.id, cid.id], "bye")
        turns.outbox.to_all("two")
        turns.outbox.to(ann.id, "never")
        turns.outbox.close(cid.id)
        turns.run()
        assert ann.writes == cid.writes == [b"one\nbye\n"]
        assert bob.writes == [b"one\npsst\nbye\n"]
        assert [client.finished for client in (ann, bob, cid, dan)] == [1, 1, 1, 0]
        assert dan.lines == ["one", "two"]

    def test_gives_crlf_to_those_who_want_it(self, turns: Turns) -> None:
        ann, bob = turns.join(CRLF), turns.join()
        turns.outbox.to_all("one")
        turns.outbox.dismiss([ann.id, bob.id], "bye")
        turns.run()
        assert (ann.writes, bob.writes) == ([b"one\r\nbye\r\n"], [b"one\nbye\n"])

    def test_happens_once(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        turns.outbox.close(bob.id)
        for _ in range(2):
            turns.outbox.dismiss([ann.id, bob.id], "bye")
        turns.run()
        assert (ann.lines, bob.lines) == (["bye"], [])
        assert (ann.finished, bob.finished) == (1, 1)

    def test_of_many_makes_the_bytes_once_and_lets_the_loop_run_in_between(self, turns: Turns) -> None:
        codec = CountingCodec()
        clients = turns.gather(1000, codec)
        turns.outbox.to_all("one")
        turns.run()
        for client in clients:
            client.cost = SLICE / 10
        turns.outbox.to_all("two")
        turns.outbox.dismiss([client.id for client in clients], "bye")
        rounds = 0
        while turns.due:
            before = turns.now
            turns.turn()
            assert turns.now - before < 2 * SLICE
            rounds += 1
        assert rounds >= 1000 / 12
        assert codec.items == ["one", "two", "bye"]
        assert all(client.writes[1] is clients[0].writes[1] for client in clients)
        assert clients[-1].lines == ["one", "two", "bye"]

    def test_goes_on_behind_those_who_are_being_dismissed(self, turns: Turns) -> None:
        clients = turns.gather(200)
        turns.outbox.dismiss([client.id for client in clients[:150]], "bye")
        turns.outbox.dismiss([client.id for client in clients[150:]], "bye")
        assert not any(client.finished for client in clients)
        turns.run()
        assert all(client.lines == ["bye"] and client.finished == 1 for client in clients)

    def test_of_many_who_lag_behind_each_differently_makes_their_bytes_in_slices_too(
        self, turns: Turns
    ) -> None:
        clients: list[Client] = []
        for number in range(200):
            clients.append(turns.join())
            clients[-1].cost = SLICE / 10
            turns.outbox.to_all(f"line {number}")
        turns.outbox.to(clients[7].id, "psst")
        turns.outbox.dismiss([client.id for client in clients], "bye")
        assert not turns.looks
        for _ in range(3):
            turns.turn()
        assert 0 < turns.looks <= 3 * 12
        turns.run()
        lines = [f"line {number}" for number in range(200)]
        for number, client in enumerate(clients):
            assert client.lines == [*lines[number:], *(["psst"] if number == 7 else []), "bye"]


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
        turns.outbox.to_all("two", but={clients[5].id})
        turns.outbox.to(clients[0].id, "to the first")
        turns.outbox.to(clients[4].id, "to the fifth")
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
        turns.outbox.to(clients[5].id, "psst")
        turns.run()
        assert clients[5].writes == [b"one\npsst\n"]

    def test_give_those_who_join_in_between_only_what_was_said_after(
        self, turns: Turns, clients: list[Client]
    ) -> None:
        early = turns.join()
        turns.outbox.to_all("two")
        late = turns.join()
        turns.outbox.to(late.id, "welcome")
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
            turns.outbox.to(client.id, "bye")
            turns.outbox.close(client.id)
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
        turns.outbox.dismiss([served.id, waiting.id], "bye")
        turns.run()
        assert served.lines == waiting.lines == ["one", "two", "bye"]
        assert clients[3].lines == ["one", "two"]

    def test_of_private_lines_alone_keep_their_order_too(self, turns: Turns, clients: list[Client]) -> None:
        turns.run()
        for client in clients:
            turns.outbox.to(client.id, "two")
        turns.turn()
        turns.outbox.to_all("three")
        for client in clients:
            turns.outbox.to(client.id, "four")
        turns.run()
        assert [client.lines for client in clients] == [["one", "two", "three", "four"]] * 6


class TestWriting:
    """What a write sets off: a receiver that proves too slow leaves the room from within it."""

    @pytest.mark.parametrize("at", range(3))
    def test_may_close_the_member_that_is_written_to(self, turns: Turns, at: int) -> None:
        clients = turns.gather(3)
        slow = clients.pop(at)

        def leave() -> None:
            turns.outbox.to(slow.id, "bye")
            turns.outbox.close(slow.id)
            turns.outbox.to_all("Slow has left the server.")

        slow.then = leave
        turns.outbox.to_all("one")
        turns.run()
        assert slow.lines == ["one", "bye"]
        assert slow.finished == 1
        assert [client.lines for client in clients] == [["one", "Slow has left the server."]] * 2

    def test_may_close_another_member(self, turns: Turns) -> None:
        ann, bob, cid = turns.gather(3)
        bob.then = lambda: [turns.outbox.close(client.id) for client in (ann, cid)]
        turns.outbox.to_all("one")
        turns.run()
        assert ann.lines == bob.lines == cid.lines == ["one"]
        assert (ann.finished, bob.finished, cid.finished) == (1, 0, 1)

    def test_may_say_more_which_comes_behind_for_everybody(self, turns: Turns) -> None:
        ann, bob, cid = turns.gather(3)

        def say() -> None:
            turns.outbox.to_all("two", but={bob.id})
            turns.outbox.to(bob.id, "psst")

        bob.then = say
        turns.outbox.to_all("one")
        turns.run()
        assert ann.lines == cid.lines == ["one", "two"]
        assert bob.lines == ["one", "psst"]

    def test_may_happen_while_a_member_is_closed(self, turns: Turns) -> None:
        ann, bob = turns.gather(2)
        ann.then = lambda: turns.outbox.to_all("two")
        turns.outbox.to_all("one")
        turns.outbox.close(ann.id)
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
            client = self.join(CRLF if what == "join telnet" else LF)
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
            self.outbox.close(client.id)
        elif what == "to":
            line = f"private {next(self.said)}"
            self.expected[client].append(line)
            self.outbox.to(client.id, line)
        else:
            self.say([other for other in self.open if other is not client], but={client.id})

    def dismiss(self, clients: list[Client]) -> None:
        line = f"goodbye {next(self.said)}"
        for client in clients:
            self.open.remove(client)
            self.expected[client].append(line)
        self.outbox.dismiss([client.id for client in clients], line)

    def say(self, to: list[Client], but: Collection[int] = ()) -> None:
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
        ending = "\r\n" if client.codec is CRLF else "\n"
        assert b"".join(client.writes).decode() == "".join(line + ending for line in lines)
        assert client.finished == (client not in model.open)


class TestSearch:
    """Twenty steps, each with a turn of its own."""

    @pytest.fixture(autouse=True)
    def short_slices(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(searches, "SLICE", -1.0)

    def search(self) -> Search:
        listing = Listing()
        for number in range(20 * 64):
            listing.add(Member(number, Address("192.0.2.1", number)))
        return Search(listing, "|7")

    def test_is_answered_when_it_is_carried_out_and_the_receiver_is_told(self) -> None:
        turns = Turns()
        ann, bob = turns.gather(2)
        turns.outbox.to(ann.id, self.search())
        turns.outbox.to_all("meanwhile")
        turns.turn()
        turns.turn()
        assert (ann.lines, ann.answers) == (["meanwhile"], 0)
        turns.run()
        assert ann.lines[1] == "192.0.2.1|7 as 192.0.2.1|7"
        assert ann.answers == 1
        assert (bob.lines, bob.answers) == (["meanwhile"], 0)

    def test_ends_with_its_member(self) -> None:
        turns = Turns()
        (ann,) = turns.gather(1)
        turns.outbox.to(ann.id, self.search())
        turns.turn()
        turns.outbox.close(ann.id)
        count = 0
        while turns.turn():
            count += 1
        assert count < 10
        assert (ann.lines, ann.answers, ann.finished) == ([], 0, 1)

    def test_of_one_who_is_gone_is_not_begun(self) -> None:
        turns = Turns()
        turns.outbox.to(7, self.search())
        assert not turns.turn()
