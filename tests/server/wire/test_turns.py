"""How long the clients' input may hold the loop: the order is kept, and nobody waits for ever."""

from __future__ import annotations

import pytest
from support.recording import Loop

from chat_console.server.wire.turns import Turns


class BusyLoop(Loop):
    """An event loop driven by hand, each step of which takes a second, and a turn's slice 3.5."""

    def __init__(self, length: float = 3.5) -> None:
        super().__init__()
        self.turns = Turns(self, length)
        self.done: list[int] = []

    def time(self) -> float:
        self.now += 1e-9
        return self.now

    def come(self, number: int) -> None:
        def step() -> None:
            self.now += 1
            self.done.append(number)

        if self.turns.take(step):
            step()


@pytest.fixture
def loop() -> BusyLoop:
    return BusyLoop()


def test_a_turn_does_what_its_slice_allows(loop: BusyLoop) -> None:
    for number in range(10):
        loop.come(number)
    assert loop.done == [0, 1, 2, 3]  # the last began in time
    loop.turn()
    assert loop.done == [*range(8)]
    loop.turn()
    assert loop.done == [*range(10)]


def test_who_comes_later_waits_behind_those_who_came_before(loop: BusyLoop) -> None:
    for number in range(6):
        loop.come(number)
    for number in range(6, 9):
        loop.come(number)
        loop.turn()
    loop.settle()
    assert loop.done == [*range(9)]


def test_the_next_turn_begins_anew(loop: BusyLoop) -> None:
    for _ in range(3):
        for number in range(3):
            loop.come(number)
        loop.turn()
    assert loop.done == [0, 1, 2] * 3


def test_a_loop_on_which_nothing_comes_is_left_alone(loop: BusyLoop) -> None:
    loop.come(0)
    loop.turn()
    assert not loop.due


def test_each_turn_does_something_however_short_its_slice() -> None:
    loop = BusyLoop(0)
    for number in range(5):
        loop.come(number)
    for _ in range(5):
        loop.turn()
    assert loop.done == [*range(5)]
