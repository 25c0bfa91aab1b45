"""How long the clients' input may hold the loop: the order is kept, and nobody waits for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat_console.server.wire.turns import Turns


class Loop:
    """An event loop driven by hand, each step of which takes a second, and a turn's slice 3.5."""

    def __init__(self, length: float = 3.5) -> None:
        self.now = 0.0
        self.calls: list[Callable[[], None]] = []
        self.turns = Turns(self.calls.append, self._clock, length)
        self.done: list[int] = []

    def _clock(self) -> float:
        self.now += 1e-9
        return self.now

    def come(self, number: int) -> None:
        def step() -> None:
            self.now += 1
            self.done.append(number)

        if self.turns.take(step):
            step()

    def turn(self) -> None:
        calls = self.calls.copy()
        self.calls.clear()
        for call in calls:
            call()


@pytest.fixture
def loop() -> Loop:
    return Loop()


def test_a_turn_does_what_its_slice_allows(loop: Loop) -> None:
    for number in range(10):
        loop.come(number)
    assert loop.done == [0, 1, 2, 3]  # the last began in time
    loop.turn()
    assert loop.done == [*range(8)]
    loop.turn()
    assert loop.done == [*range(10)]


def test_who_comes_later_waits_behind_those_who_came_before(loop: Loop) -> None:
    for number in range(6):
        loop.come(number)
    for number in range(6, 9):
        loop.come(number)
        loop.turn()
    while loop.calls:
        loop.turn()
    assert loop.done == [*range(9)]


def test_the_next_turn_begins_anew(loop: Loop) -> None:
    for _ in range(3):
        for number in range(3):
            loop.come(number)
        loop.turn()
    assert loop.done == [0, 1, 2] * 3


def test_a_loop_on_which_nothing_comes_is_left_alone(loop: Loop) -> None:
    loop.come(0)
    loop.turn()
    assert loop.calls == []


def test_each_turn_does_something_however_short_its_slice() -> None:
    loop = Loop(0)
    for number in range(5):
        loop.come(number)
    for _ in range(5):
        loop.turn()
    assert loop.done == [*range(5)]
