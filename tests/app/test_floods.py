"""Floods: from when on somebody floods, in which order, and for how long it is remembered."""

from __future__ import annotations

from chat_console.app.floods import FAST_LINES, MANY_LINES, MOST_WARNINGS, REMEMBERED, Floods

ANN, BOB, CLEO = 1, 2, 3


class Room:
    """Rates as the test sets them."""

    def __init__(self) -> None:
        self.rates: dict[int, int] = {}
        self.floods = Floods(lambda who, now: self.rates[who])

    def spoke(self, who: int, rate: int, now: float, *, fast: bool = True) -> int:
        self.rates[who] = rate
        return self.floods.spoke(who, now, fast=fast)


def test_many_lines_are_a_flood_and_fewer_if_they_came_fast() -> None:
    room = Room()
    assert [room.spoke(ANN, rate, 0) for rate in (FAST_LINES - 1, FAST_LINES)] == [0, FAST_LINES]
    assert [room.spoke(BOB, rate, 0, fast=False) for rate in (MANY_LINES - 1, MANY_LINES)] == [0, MANY_LINES]


def test_the_latest_to_begin_comes_first_however_long_the_others_go_on() -> None:
    room = Room()
    assert room.floods.newest() is None
    room.spoke(ANN, 20, 0)
    room.spoke(BOB, 20, 1)
    room.spoke(ANN, 20, 2)
    assert (room.floods.flooders(2), room.floods.newest(), room.floods.count) == ([BOB, ANN], BOB, 2)


def test_who_begins_again_after_a_pause_is_the_latest() -> None:
    room = Room()
    room.spoke(ANN, 20, 0)
    room.spoke(BOB, 20, 30)
    room.spoke(ANN, 20, REMEMBERED)
    assert room.floods.flooders(REMEMBERED) == [ANN, BOB]


def test_a_flood_is_forgotten_a_minute_after_its_last_line() -> None:
    room = Room()
    room.spoke(ANN, 20, 0)
    room.spoke(BOB, 20, 1)
    room.spoke(ANN, 20, 2)
    assert room.floods.flooders(1 + REMEMBERED) == [ANN]
    assert room.floods.flooders(2 + REMEMBERED) == []
    assert room.floods.count == 0


def test_who_is_muted_or_gone_floods_no_more() -> None:
    room = Room()
    room.spoke(ANN, 20, 0)
    room.floods.forget(ANN)
    room.floods.forget(BOB)
    assert room.floods.flooders(0) == []


def test_a_warning_is_known_for_a_minute_even_of_who_was_forgotten() -> None:
    room = Room()
    room.floods.warned(ANN, 7, 1_700_000_000.0, 20, 0)
    room.floods.forget(ANN)
    warned = room.floods.warning(ANN, REMEMBERED - 1)
    assert warned is not None
    assert (warned.serial, warned.rate) == (7, 20)
    assert room.floods.warning(ANN, REMEMBERED) is None
    assert room.floods.warning(BOB, 0) is None


def test_there_are_but_some_warnings_in_a_minute() -> None:
    room = Room()
    for who in range(MOST_WARNINGS):
        assert room.floods.may_warn(who)
        room.floods.warned(who, who, 0, 20, who)
    assert not room.floods.may_warn(REMEMBERED - 0.1)
    assert room.floods.may_warn(REMEMBERED)
