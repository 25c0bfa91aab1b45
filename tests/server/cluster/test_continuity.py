"""Whether a log goes on where it was read before, and what is said where it does not."""

from __future__ import annotations

import pytest

from chat_console.server.cluster.continuity import Continuity, Found


def read_to(last: int) -> Continuity:
    """What a node knows that has read one log up to `last`."""
    continuity = Continuity()
    continuity.start("today", 1, last - 1)
    assert continuity.take(last, b"it") is Found.NEXT
    return continuity


@pytest.mark.parametrize(("first", "last", "start"), [(0, 0, 1), (1, 7, 7), (8, 7, 7)])
def test_a_newcomer_begins_at_the_newest_entry(first: int, last: int, start: int) -> None:
    continuity = Continuity()
    assert continuity.start("today", first, last) == (start, "")
    assert not continuity.awaits_last


def test_the_last_entry_is_read_once_more() -> None:
    continuity = read_to(7)
    assert continuity.start("today", 3, 9) == (7, "")
    assert continuity.awaits_last
    assert continuity.take(7, b"it") is Found.LAST
    assert not continuity.awaits_last
    assert continuity.take(8, b"next") is Found.NEXT


@pytest.mark.parametrize(
    ("created", "first", "last", "why"),
    [
        ("yesterday", 1, 9, "it is another log"),
        ("today", 1, 6, "it ends at 6, before 7"),
        ("today", 8, 9, "it begins at 8, after 7"),
    ],
)
def test_a_log_that_cannot_go_on_is_read_from_its_newest_entry(
    created: str, first: int, last: int, why: str
) -> None:
    continuity = read_to(7)
    assert continuity.start(created, first, last) == (last, why)
    assert not continuity.awaits_last
    assert continuity.take(last, b"another") is Found.NEXT


@pytest.mark.parametrize(("position", "data"), [(7, b"another"), (8, b"it")])
def test_another_last_entry_is_told_once(position: int, data: bytes) -> None:
    continuity = read_to(7)
    continuity.start("today", 1, 9)
    assert continuity.take(position, data) is Found.OTHER
    assert continuity.start("today", 1, 9) == (9, "its last entry is another one")
    assert continuity.start("today", 1, 9) == (9, "")


def test_a_gap_is_told() -> None:
    continuity = read_to(7)
    assert continuity.take(9, b"too far") is Found.OTHER
    assert continuity.start("today", 1, 9) == (9, "entries before 9 are missing")
