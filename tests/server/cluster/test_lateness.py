"""How late entries come: by two clocks that do not agree."""

from __future__ import annotations

from chat_console.server.cluster.lateness import Lateness

ENGINE = 1_800_000_000.0
"""What the engine's clock shows when the node's shows 0."""


def test_is_measured_from_the_fastest_entry() -> None:
    lateness = Lateness()
    assert lateness.of(ENGINE, 0.002) == 0
    assert lateness.of(ENGINE + 1, 1.001) == 0
    assert round(lateness.of(ENGINE + 2, 5.0), 2) == 3


def test_an_old_entry_first_makes_none_of_the_next_late() -> None:
    lateness = Lateness()
    assert lateness.of(ENGINE - 60, 0) == 0
    assert lateness.of(ENGINE, 0.001) == 0


def test_clocks_that_part_are_believed_after_a_while() -> None:
    lateness = Lateness()
    lateness.of(ENGINE, 0)
    assert round(lateness.of(ENGINE - 3600 + 61, 61.0)) == 3600
    assert round(lateness.of(ENGINE - 3600 + 70, 70.0)) == 3600
    assert round(lateness.of(ENGINE - 3600 + 130, 130.0)) == 0
