"""Repeats: the first time is told at once, a storm of them once a minute, and nothing is lost at the end."""

from __future__ import annotations

from support.recording import Loop

from chat_console.server.repeats import Repeats


def test_each_thing_is_told_by_itself() -> None:
    loop, told = Loop(), list[tuple[str, int]]()
    repeats: Repeats[str] = Repeats(lambda what, count: told.append((what, count)), loop)
    for what in ("a", "b", "a", "a"):
        repeats.add(what)
    assert told == [("a", 1), ("b", 1)]
    loop.advance(60)
    assert told[2:] == [("a", 2)]
    loop.advance(60)
    repeats.add("a")
    assert told[3:] == [("a", 1)]


def test_the_end_tells_the_rest_and_counts_nothing_more() -> None:
    loop, told = Loop(), list[tuple[str, int]]()
    repeats: Repeats[str] = Repeats(lambda what, count: told.append((what, count)), loop)
    for what in ("a", "a", "b"):
        repeats.add(what)
    repeats.close()
    assert told == [("a", 1), ("b", 1), ("a", 1)]
    repeats.add("a")
    loop.advance(120)
    assert len(told) == 3


def test_of_more_things_than_anybody_reads_only_the_first_are_told() -> None:
    loop, told = Loop(), list[tuple[int, int]]()
    repeats: Repeats[int] = Repeats(lambda what, count: told.append((what, count)), loop)
    for number in range(10_000):
        repeats.add(number)
    assert told == [(number, 1) for number in range(100)]
    loop.advance(60)
    repeats.add(7_000)
    assert told[100:] == [(7_000, 1)]
