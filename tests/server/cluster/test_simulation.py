"""Whatever befalls nodes and their log, their rooms stay one: seeds by the hundred in simulated time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.simulation import simulate

TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize("first", range(0, 100, 10))
def test_rooms_stay_one(first: int) -> None:
    simulate(first, first + 10)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, 5_000, 100))
def test_rooms_stay_one_also_in_rarer_cases(first: int) -> None:
    """Each in a process of its own, in which nobody counts lines: that would take twice the time."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-m", "support.simulation", str(first), str(first + 100)],
        env=environment | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
