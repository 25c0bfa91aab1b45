"""Refusals: the first is told at once, a storm of them once a minute, and nothing is lost at the end."""

from __future__ import annotations

import pytest
from support.recording import NOW, Loop

from chat_console.server.gate.refusals import Refusals
from chat_console.server.room.events import Refused

FULL = "Server is full"


class Scene:
    def __init__(self) -> None:
        self.loop = Loop()
        self._events: list[Refused] = []
        self.refusals = Refusals(self._events.append, lambda: NOW, self.loop)

    def told(self) -> list[tuple[int, str, str]]:
        """What is new."""
        told = [(event.count, event.why, event.host) for event in self._events]
        assert all(event.time == NOW for event in self._events)
        self._events.clear()
        return told


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_first_is_told_at_once_and_the_next_after_a_minute(scene: Scene) -> None:
    scene.refusals.add(FULL, "192.0.2.1")
    assert scene.told() == [(1, FULL, "192.0.2.1")]
    for number in range(1000):
        scene.refusals.add(FULL, f"192.0.2.{number % 9}")
    scene.loop.advance(59)
    assert scene.told() == []
    scene.loop.advance(1)
    assert scene.told() == [(1000, FULL, "192.0.2.0")]
    scene.loop.advance(60)
    assert scene.told() == []
    assert scene.loop.waiting == 0
    scene.refusals.add(FULL, "192.0.2.3")
    assert scene.told() == [(1, FULL, "192.0.2.3")]


def test_each_reason_is_told_for_itself(scene: Scene) -> None:
    for why in (FULL, "banned", FULL):
        scene.refusals.add(why, "192.0.2.1")
    assert scene.told() == [(1, FULL, "192.0.2.1"), (1, "banned", "192.0.2.1")]
    scene.loop.advance(60)
    assert scene.told() == [(1, FULL, "192.0.2.1")]


def test_the_end_tells_what_has_not_been_told_and_leaves_nothing_to_come(scene: Scene) -> None:
    for why in (FULL, "banned", FULL, FULL):
        scene.refusals.add(why, "192.0.2.1")
    scene.told()
    scene.refusals.close()
    assert scene.told() == [(2, FULL, "192.0.2.1")]
    scene.refusals.add(FULL, "192.0.2.1")
    scene.refusals.close()
    assert scene.told() == []
    assert scene.loop.waiting == 0
