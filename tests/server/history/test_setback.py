"""When a file cannot be written: when to try again, and when to tell."""

from __future__ import annotations

from chat_console.server.history.setback import Setback, Trouble

FULL = Trouble("the disk is full")
LOCKED = Trouble("another program has locked it", is_passing=True)


def fail(setback: Setback, trouble: Trouble, now: float, lost: int = 0) -> bool:
    setback.again(trouble, now, lost=lost)
    return setback.is_to_tell(now)


def test_the_attempts_become_fewer() -> None:
    setback, now, waits = Setback(FULL, 0), 0.0, list[float]()
    for _ in range(8):
        setback.again(FULL, now, lost=0)
        waits.append(setback.retry_at - now)
        now = setback.retry_at
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


def test_it_is_told_at_once_and_then_every_ten_minutes() -> None:
    setback = Setback(FULL, 0)
    assert not setback.was_told
    assert fail(setback, FULL, 0)
    assert setback.was_told
    assert [now for now in range(30, 1900, 30) if fail(setback, FULL, now)] == [600, 1200, 1800]


def test_that_lines_are_lost_is_told_at_once() -> None:
    setback = Setback(FULL, 0)
    assert fail(setback, FULL, 0)
    assert fail(setback, FULL, 30, lost=1)
    assert not fail(setback, FULL, 60, lost=1000)


def test_another_programs_lock_is_told_if_it_stays() -> None:
    setback = Setback(LOCKED, 0)
    assert [now / 4 for now in range(12) if fail(setback, LOCKED, now / 4)] == [2.0]
    assert setback.retry_at == 2.75 + 0.25
