"""What comes out of a room: values that can be kept, sent and told again."""

from __future__ import annotations

import dataclasses
import pickle
from typing import get_args

import pytest
from support.samples import EVENTS

from chat_console.server.room.events import Event


def test_there_is_a_sample_of_each_kind() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(Event))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
class TestEvent:
    def test_has_its_time_first(self, event: Event) -> None:
        assert dataclasses.fields(event)[0].name == "time"
        assert event.time > 0

    def test_cannot_be_changed(self, event: Event) -> None:
        for field in dataclasses.fields(event):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(event, field.name, None)
        assert not hasattr(event, "__dict__")

    def test_is_equal_to_its_like_and_hashable(self, event: Event) -> None:
        like = dataclasses.replace(event)
        assert like == event
        assert hash(like) == hash(event)
        assert dataclasses.replace(event, time=99.0) != event

    def test_survives_being_stored(self, event: Event) -> None:
        again = pickle.loads(pickle.dumps(event))
        assert again == event
        assert type(again) is type(event)
