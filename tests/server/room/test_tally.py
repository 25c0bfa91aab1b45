"""The tally: what was counted is due once its minute is over, whatever the clock does."""

from __future__ import annotations

import pytest

from chat_console.server.room.tally import Tally

HOUR = 3600.0


@pytest.fixture
def tally() -> Tally:
    """One who joined and two who left, counted in the minute that begins on the hour."""
    tally = Tally()
    tally.add(1, 0, HOUR + 20)
    tally.add(0, 2, HOUR + 59.9)
    return tally


def test_it_begins_with_nothing_to_tell() -> None:
    tally = Tally()
    assert tally.is_empty
    assert not tally.is_due(HOUR)


@pytest.mark.parametrize(
    ("now", "is_due"),
    [
        (HOUR + 59.9, False),
        (HOUR + 60, True),
        (2 * HOUR, True),
        pytest.param(HOUR - 1, False, id="the clock went back a moment"),
        pytest.param(HOUR - 61, True, id="the clock went back"),
    ],
)
def test_it_is_due_when_the_minute_is_over(tally: Tally, now: float, is_due: bool) -> None:
    assert tally.is_due(now) is is_due


def test_it_begins_anew_when_it_was_told(tally: Tally) -> None:
    assert tally.take() == (1, 2)
    assert tally.is_empty
    assert not tally.is_due(HOUR + 61)
    tally.add(0, 1, HOUR + 62)
    assert not tally.is_due(HOUR + 63)
    assert tally.is_due(HOUR + 120)
    assert tally.take() == (0, 1)


def test_who_left_alone_is_something_to_tell() -> None:
    tally = Tally()
    tally.add(0, 1, HOUR)
    assert not tally.is_empty
    assert tally.is_due(HOUR + 60)
