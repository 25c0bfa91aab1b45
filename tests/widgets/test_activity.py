"""How much users say: against a list of every line with its time."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.widgets.activity import BARS, MINUTES, WINDOW, Activity, sparkline

NOW = 1_000_000.0

moments = st.floats(0, 700, allow_nan=False)
"""Seconds; ten minutes and a bit, so that histories forget."""

saids = st.lists(st.tuples(moments, st.integers(1, 3), st.integers(1, 100)), max_size=40)
"""When, who, and how many lines."""


@given(saids, moments)
def test_rates_and_histories_count_what_was_said(said: list[tuple[float, int, int]], later: float) -> None:
    activity = Activity()
    said.sort()
    for at, user_id, lines in said:
        activity.said(user_id, lines, NOW + at)
    now = NOW + max([later, *(at for at, _, _ in said)])
    lines_at = [(NOW + at, user_id, lines) for at, user_id, lines in said]
    for user_id in (1, 2, 3, None):
        own = [(at, lines) for at, who, lines in lines_at if user_id in (who, None)]
        if user_id is None:
            rate, history = activity.room_rate(now), activity.room_history(now)
        else:
            rate, history = activity.rate(user_id, now), activity.history(user_id, now)
            last = max((at for at, _ in own), default=None)
            assert activity.idle(user_id, now) == (None if last is None else now - last)
        within = {back: sum(lines for at, lines in own if at > now - back) for back in (WINDOW - 5, WINDOW)}
        assert within[WINDOW - 5] <= rate <= within[WINDOW]
        minute = now // 60
        expected = [sum(lines for at, lines in own if at // 60 == minute - back) for back in range(MINUTES)]
        assert list(history) == expected[::-1]


def test_who_has_said_nothing_has_no_idle_time_and_no_rate() -> None:
    activity = Activity()
    assert (activity.rate(7, NOW), activity.idle(7, NOW)) == (0, None)
    assert activity.history(7, NOW) == (0,) * MINUTES


def test_who_has_left_is_forgotten_but_not_what_the_room_heard() -> None:
    activity = Activity()
    activity.said(7, 3, NOW)
    activity.left(7)
    activity.left(8)
    assert (activity.rate(7, NOW), activity.idle(7, NOW), activity.room_rate(NOW)) == (0, None, 3)


def test_a_clock_that_stands_or_goes_back_loses_nothing() -> None:
    activity = Activity()
    activity.said(7, 3, NOW)
    activity.said(7, 2, NOW - 30)
    assert (activity.rate(7, NOW), activity.idle(7, NOW - 40)) == (5, 0)


def test_a_talker_takes_no_more_memory_the_more_it_says() -> None:
    activity = Activity()
    for second in range(1_000):
        activity.said(7, 1_000, NOW + second)
    tracemalloc.start()
    try:
        for second in range(1_000, 20_000):
            activity.said(7, 1_000, NOW + second)
        assert tracemalloc.get_traced_memory()[0] < 5_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("counts", "drawn"),
    [
        ((), ""),
        ((0, 0), "▁▁"),
        ((0, 1, 2, 4, 8, 16, 32, 64), BARS),
        ((3, 7, 63, 10_000), "▃▄▇█"),
    ],
)
def test_by_default_each_bar_is_twice_the_one_before(counts: tuple[int, ...], drawn: str) -> None:
    assert sparkline(counts) == drawn


@given(st.lists(st.integers(0, 1_000), max_size=MINUTES), st.integers(1, 500))
def test_with_a_top_the_bars_are_in_proportion(counts: list[int], top: int) -> None:
    drawn = sparkline(counts, top=top)
    assert len(drawn) == len(counts)
    for count, bar in zip(counts, drawn, strict=True):
        assert (bar == BARS[0]) == (count == 0)
        assert (bar == BARS[-1]) == (count * 7 > top * 6)


def test_a_clock_that_is_behind_forgets_nothing() -> None:
    activity = Activity()
    activity.said(1, 3, 1000.0)
    assert activity.rate(1, 900.0) == activity.rate(1, 1000.0) == 3
    assert activity.history(1, 0.0) == activity.history(1, 1000.0)


@pytest.mark.timeout(20)
def test_a_silence_of_any_length_takes_no_time() -> None:
    activity = Activity()
    activity.said(1, 3, 0.0)
    assert (activity.rate(1, 1e15), sum(activity.history(1, 1e15))) == (0, 0)
