"""Times as people type and read them."""

from __future__ import annotations

from datetime import datetime

import pytest

from chat_console.widgets.moments import clock, moment, past_moment

NOON = datetime(2026, 11, 26, 12).timestamp()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-20", datetime(2026, 11, 20)),
        ("2026-11-20 21:30", datetime(2026, 11, 20, 21, 30)),
        ("2026-11-20T21:30:05", datetime(2026, 11, 20, 21, 30, 5)),
        ("9:05", datetime(2026, 11, 26, 9, 5)),
        ("21:30:05", datetime(2026, 11, 26, 21, 30, 5)),
        ("90m", datetime(2026, 11, 26, 10, 30)),
        ("2h", datetime(2026, 11, 26, 10)),
        ("30s", datetime(2026, 11, 26, 11, 59, 30)),
    ],
)
def test_a_time_is_read_in_local_time(text: str, wanted: datetime) -> None:
    assert moment(text, NOON) == wanted.timestamp()


def test_the_end_of_a_date_is_that_of_its_day() -> None:
    assert moment("2026-11-30", NOON, end=True) == datetime(2026, 12, 1).timestamp()
    assert moment("2026-11-30 10:00", NOON, end=True) == datetime(2026, 11, 30, 10).timestamp()
    assert moment("9999-12-31", NOON, end=True) is None


@pytest.mark.parametrize("text", ["", "yesterday", "25:00", "2026-13-01", "2026-11-20 9", "h", "-2h", "21"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert moment(text, NOON) is None


def test_a_time_of_day_that_is_to_come_may_be_taken_for_yesterdays() -> None:
    assert past_moment("21:30", NOON) == datetime(2026, 11, 25, 21, 30).timestamp()
    assert past_moment("9:05", NOON) == datetime(2026, 11, 26, 9, 5).timestamp()
    assert past_moment("2027-01-01", NOON) == datetime(2027, 1, 1).timestamp()
    assert past_moment("soon", NOON) is None


@pytest.mark.parametrize(
    ("then", "shown"),
    [
        (datetime(2026, 11, 26, 9, 5), "09:05"),
        (datetime(2026, 11, 6, 9, 5), "6 Nov 09:05"),
        (datetime(2025, 11, 26, 9, 5), "26 Nov 2025 09:05"),
    ],
)
def test_a_time_is_shown_with_its_date_unless_it_is_of_today(then: datetime, shown: str) -> None:
    assert clock(then.timestamp(), NOON) == shown
