"""How tests wait: for what they expect, and for no fixed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot

BOUND = 20.0
"""How long to wait for a condition on a busy machine, in seconds."""


def wait_until(condition: Callable[[], object], pause: float = 0.005) -> None:
    """Wait until `condition`, which is tried after each `pause`, holds."""
    give_up_at = time.monotonic() + BOUND
    while not condition():
        assert time.monotonic() < give_up_at, "it never came to that"
        time.sleep(pause)


async def until(condition: Callable[[], object], pause: float = 0.002) -> None:
    """The same, while everything else on the loop goes on."""
    give_up_at = time.monotonic() + BOUND
    while not condition():
        assert time.monotonic() < give_up_at, "it never came to that"
        await asyncio.sleep(pause)


async def paused_until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """The same for what is painted: reading that between a change and its layout would spoil the layout."""
    give_up_at = time.monotonic() + BOUND
    await pilot.pause()
    while not condition():
        assert time.monotonic() < give_up_at, "it never came to that"
        await pilot.pause()
