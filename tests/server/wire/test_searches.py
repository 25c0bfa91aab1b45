"""Searches are carried out in slices, by turns, and short ones at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.recording import Loop

from chat_console.server.addresses import Address
from chat_console.server.chat_server import ChatServer
from chat_console.server.room.entries import Join
from chat_console.server.room.events import Event, Replied, Stopped
from chat_console.server.settings import Settings
from chat_console.server.wire import searches
from chat_console.server.wire.searches import SLICE, Searches


class Bench:
    """Searches whose steps take a fifth of a slice each."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.searches = Searches(self.loop)
        self.log: list[str] = []

    def steps(self, name: str, count: int) -> Iterator[None]:
        for _ in range(count):
            self.loop.now += SLICE / 5
            self.log.append(name)
            yield

    def run(self, name: str, count: int) -> None:
        self.searches.run(self.steps(name, count), lambda: self.log.append(f"{name} done"))


def test_a_short_one_is_done_at_once() -> None:
    bench = Bench()
    bench.run("a", 3)
    assert bench.log == ["a"] * 3 + ["a done"]


def test_one_of_nothing_is_done_at_once() -> None:
    bench = Bench()
    bench.run("a", 0)
    assert bench.log == ["a done"]


def test_a_long_one_holds_the_loop_for_no_more_than_a_slice_and_a_step() -> None:
    bench = Bench()
    bench.run("a", 100)
    turns = 0
    while "a done" not in bench.log:
        before = bench.loop.now
        assert bench.loop.turn()
        assert bench.loop.now - before <= SLICE * 1.21
        turns += 1
    assert bench.log == ["a"] * 100 + ["a done"]
    assert turns >= 15


def test_a_short_one_need_not_wait_for_a_long_one() -> None:
    bench = Bench()
    bench.run("a", 100)
    bench.run("b", 3)
    bench.loop.settle()
    assert bench.log.index("b done") < bench.log.index("a done")
    assert bench.log.count("b") == 3


async def test_an_operator_who_stops_the_server_gets_the_answer_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searches, "SLICE", 0.0)
    server = ChatServer(Settings(port=0))
    events: list[Event] = []
    async with server:
        for number in range(1000):
            server.chat.submit(Join(0.0, number + 1, Address("192.0.2.7", number + 1)))
        server.operator(events.append).operate("/list 192.0.2.7|1000")
        assert not any(isinstance(event, Replied) for event in events)
    told = [event for event in events if isinstance(event, Replied | Stopped)]
    assert isinstance(told[0], Replied)
    assert told[0].text == "192.0.2.7|1000 as 192.0.2.7|1000"
    assert isinstance(told[1], Stopped)
