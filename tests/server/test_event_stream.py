"""Events reach the operator's side in order; a flood of them holds nobody up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat_console.server.event_stream import EventStream
from chat_console.server.room.events import Event, Replied

PART = 256
"""How many events of a flood are told in one turn of the event loop."""


class Scene:
    """A stream, what it has told, and the calls for the next turn of the loop."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.calls: list[Callable[[], None]] = []
        self.stream = EventStream(self.tell, self.calls.append)

    def tell(self, event: Event) -> None:
        assert isinstance(event, Replied)
        self.told.append(event.text)

    def turn(self) -> None:
        calls = self.calls.copy()
        self.calls.clear()
        for call in calls:
            call()


def event(text: object) -> Event:
    return Replied(0, None, str(text))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_one_is_told_at_once(scene: Scene) -> None:
    scene.stream.emit(event("one"))
    scene.stream.emit_all([event("two"), event("three")])
    scene.stream.emit_all([])
    scene.stream.emit(event("four"))
    assert scene.told == ["one", "two", "three", "four"]
    assert scene.calls == []


def test_a_flood_is_made_and_told_in_parts_and_the_next_come_behind(scene: Scene) -> None:
    made: list[int] = []

    def flood(count: int) -> None:
        scene.stream.emit_all(made.append(number) or event(number) for number in range(count))

    flood(8000)
    scene.stream.emit(event("answer"))
    flood(10)
    turns = 0
    while scene.calls:
        before = len(made)
        scene.turn()
        assert len(made) - before <= PART
        turns += 1
    assert turns == 8000 // PART
    assert scene.told == [*map(str, range(8000)), "answer", *map(str, range(10))]
    scene.stream.emit(event("later"))
    assert scene.told[-1] == "later"


def test_what_is_told_of_an_event_comes_behind_those_of_its_moment(scene: Scene) -> None:
    def tell(event: Event) -> None:
        Scene.tell(scene, event)
        if scene.told[-1] == "1":
            scene.stream.emit(Replied(0, None, "about 1"))

    scene.stream = EventStream(tell, scene.calls.append)
    scene.stream.emit_all([event(1), event(2)])
    assert scene.told == ["1", "2", "about 1"]


def test_one_that_cannot_be_told_keeps_back_no_other(scene: Scene) -> None:
    def tell(event: Event) -> None:
        Scene.tell(scene, event)
        if scene.told[-1] == "1":
            raise ZeroDivisionError

    scene.stream = EventStream(tell, scene.calls.append)
    with pytest.raises(ZeroDivisionError):
        scene.stream.emit_all([event(1), event(2)])
    scene.stream.emit(event(3))
    scene.turn()
    assert scene.told == ["1", "2", "3"]


def test_what_is_held_comes_after_what_it_waits_for(scene: Scene) -> None:
    scene.stream.hold()
    scene.stream.emit(event(2))
    scene.stream.emit_all([event(3), event(4)])
    scene.turn()
    assert scene.told == []
    assert scene.stream.waits
    scene.stream.go_on_after(event(1))
    assert scene.told == ["1", "2", "3", "4"]
    scene.stream.emit(event(5))
    assert scene.told[4:] == ["5"]


def test_a_flood_is_held_too(scene: Scene) -> None:
    scene.stream.hold()
    scene.stream.emit_all([event(2), event(3)])
    scene.turn()
    assert scene.told == []
    scene.stream.go_on_after(event(1))
    assert scene.told == ["1", "2", "3"]
