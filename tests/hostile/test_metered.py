"""The meter's own checks: what it is there to see it sees, and a busy machine is no fault of the server."""

from __future__ import annotations

import sys

import pytest

from . import bars
from .metered import Metered


@pytest.mark.skipif(sys.platform != "linux", reason="the meter reads Linux' /proc")
def test_the_meter_sees_a_loop_that_is_held_and_memory_that_is_kept() -> None:
    with Metered() as server:
        before = server.begin()
        assert server.members == 0  # what the meter does itself is not counted
        idle = server.read()
        assert idle.held("nothing").held
        server.waste(0.1, 20)
        after = server.read()
    assert not after.held("a waste").held
    assert 20 <= after.memory - before.memory < 25


@pytest.mark.parametrize(
    ("milliseconds", "turns", "held"),
    [([], 1, True), ([19], 1, True), ([35], 5, False), ([50, 19], 100, True), ([50, 21], 100, False)],
)
def test_a_slice_may_be_longer_now_and_then(milliseconds: list[float], turns: int, held: bool) -> None:
    assert bars.slices("", [each / 1000 for each in milliseconds], turns).held is held


def test_a_line_is_slow_against_those_under_a_flood_of_text() -> None:
    assert bars.delivery("", [0.019] * 3, [0.004] * 3).held
    assert not bars.delivery("", [0.021] * 3, [0.004] * 3).held
    assert not bars.delivery("", [float("inf")] * 3, [0.004] * 3).held
