"""Textual's pilot, made to wait for what there is to wait for, where its own waits 20 ms at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.events import Key
from textual.pilot import Pilot

from .waiting import until

_pause = Pilot[Any].pause
_resize_terminal = Pilot[Any].resize_terminal


async def pause(pilot: Pilot[Any], delay: float | None = None) -> None:
    """Wait until no message is on its way, and all that has changed is laid out and painted."""
    app = pilot.app
    if delay:
        await _pause(pilot, delay)
    refreshed: asyncio.Event | None = None
    while app.is_running and app.screen_stack:
        # With no time to wait it lets everybody handle a message, and then lays out and paints at once.
        await _pause(pilot, 0)
        if not app.is_running or not app.screen_stack:
            return
        pumps = (app, *app.screen.walk_children(with_self=True))
        if any(pump.message_queue_size for pump in pumps):
            refreshed = None
        elif refreshed is None:
            # Whatever waits for the next refresh, such as a scroll, goes before this.
            refreshed = asyncio.Event()
            if not app.screen.call_after_refresh(refreshed.set):
                return
        elif refreshed.is_set():
            return


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys, each when the one before has had its effect."""
    for key in keys:
        character = " " if key == "space" else key if len(key) == 1 else None
        pilot.app.post_message(Key(key, character))
        await pause(pilot)


async def resize_terminal(pilot: Pilot[Any], width: int, height: int) -> None:
    """Give the terminal another size, which Textual waits a moment to take."""
    await _resize_terminal(pilot, width, height)
    await until(lambda: pilot.app.screen.outer_size == (width, height))
    await pause(pilot)


@pytest.fixture(autouse=True)
def prompt_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every pilot wait no longer than it must."""
    monkeypatch.setattr(Pilot, "pause", pause)
    monkeypatch.setattr(Pilot, "press", press)
    monkeypatch.setattr(Pilot, "resize_terminal", resize_terminal)
