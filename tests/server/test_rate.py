"""The token bucket: how much may happen at once, how much in the long run, and how long to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.server.rate import TokenBucket


def takes(bucket: TokenBucket, now: float, cost: float = 1) -> int:
    """How often `cost` can be taken at `now`."""
    count = 0
    while count < 1000 and bucket.take(cost, now):
        count += 1
    return count


def test_a_new_bucket_allows_a_burst_and_nothing_more() -> None:
    assert takes(TokenBucket(5, 20, now=100), 100) == 20


def test_it_refills_at_its_rate() -> None:
    bucket = TokenBucket(5, 20, now=0)
    takes(bucket, 0)
    assert [takes(bucket, now) for now in (0.1, 0.2, 0.4, 1.4, 2.4)] == [0, 1, 1, 5, 5]


def test_it_never_holds_more_than_a_burst() -> None:
    bucket = TokenBucket(5, 20, now=0)
    takes(bucket, 0)
    assert takes(bucket, 1e9) == 20


def test_what_cannot_be_taken_takes_nothing() -> None:
    bucket = TokenBucket(1, 5, now=0)
    assert bucket.take(4, 0)
    assert not bucket.take(3, 0)
    assert bucket.take(1, 0)


def test_the_wait_is_just_long_enough() -> None:
    bucket = TokenBucket(5, 20, now=0)
    assert bucket.wait(20, 0) == 0
    takes(bucket, 0)
    assert bucket.wait(3, 0) == pytest.approx(0.6, abs=1e-5)
    assert bucket.wait(3, 0.5) == pytest.approx(0.1, abs=1e-5)
    assert not bucket.take(3, 0.59)
    assert bucket.take(3, 0.6)


def test_what_costs_more_than_a_burst_costs_a_burst() -> None:
    bucket = TokenBucket(1, 2, now=0)
    assert bucket.take(3, 0)
    assert bucket.wait(3, 0) == pytest.approx(2, abs=1e-5)
    assert bucket.take(3, 2)


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    bucket = TokenBucket(1, 5, now=1000)
    assert bucket.take(3, 1000)
    assert takes(bucket, 0) == 2
    assert takes(bucket, 1) == 1


steps = st.lists(st.tuples(st.floats(0, 10), st.sampled_from([1, 3])), max_size=60)


@given(rate=st.floats(0.1, 100), burst=st.integers(3, 50), steps=steps)
def test_no_course_of_takes_exceeds_the_burst_and_the_rate(
    rate: float, burst: int, steps: list[tuple[float, int]]
) -> None:
    bucket = TokenBucket(rate, burst, now=0)
    now = taken = 0.0
    for seconds, cost in steps:
        now += seconds
        if bucket.take(cost, now):
            taken += cost
        assert taken <= (burst + rate * now) * (1 + 1e-9) + 1e-3


@given(rate=st.floats(0.1, 100), burst=st.integers(3, 50), steps=steps)
def test_after_the_wait_a_take_always_succeeds(
    rate: float, burst: int, steps: list[tuple[float, int]]
) -> None:
    bucket = TokenBucket(rate, burst, now=0)
    now = 0.0
    for seconds, cost in steps:
        now += seconds
        now += bucket.wait(cost, now)
        assert bucket.take(cost, now)
