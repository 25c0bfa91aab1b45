"""Whatever befalls nodes and their log, their rooms stay one: seeds by the hundred in simulated time."""

from __future__ import annotations

import os

import pytest
from support.simulation import simulate

SEEDS = int(os.environ.get("CHAT_CONSOLE_SEEDS", "5000"))
"""How many there are in all: a machine that has little time may do with fewer."""

pytestmark = pytest.mark.uncounted


@pytest.mark.parametrize("first", range(0, 100, 10))
def test_rooms_stay_one(first: int) -> None:
    simulate(first, first + 10)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, SEEDS, 50))
def test_rooms_stay_one_also_in_rarer_cases(first: int) -> None:
    simulate(first, first + 50)
