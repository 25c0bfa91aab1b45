"""The end of a minute comes in silence too, and only while there is something to tell."""

from __future__ import annotations

from support.recording import Loop

from chat_console.server.minutes import MinuteTimer
from chat_console.server.room.entries import MinutePassed
from chat_console.server.room.tally import Tally


class Scene:
    """The timer and the tally; `takes` says whether what is submitted is told at once."""

    def __init__(self, *, takes: bool = True) -> None:
        self.loop = Loop()
        self.tally = Tally()
        self.takes = takes
        self.submitted: list[MinutePassed] = []
        self.timer = MinuteTimer(self.tally, self.loop, self.loop.time, self.submit)

    def submit(self, entry: MinutePassed) -> None:
        self.submitted.append(entry)
        if self.takes:
            self.tally.take()

    def count(self) -> None:
        self.tally.add(1, 0, self.loop.now)
        self.timer.watch()


def test_it_comes_once_a_minute_after_the_first_that_was_counted() -> None:
    scene = Scene()
    scene.timer.watch()
    assert scene.loop.waiting == 0
    scene.count()
    scene.loop.advance(30)
    scene.count()
    scene.loop.advance(29.5)
    assert scene.submitted == []
    scene.loop.advance(0.5)
    assert scene.submitted == [MinutePassed(1060.0)]
    assert scene.loop.waiting == 0


def test_it_does_not_come_if_all_was_told_meanwhile() -> None:
    scene = Scene()
    scene.count()
    scene.tally.take()
    scene.loop.advance(60)
    assert scene.submitted == []
    assert scene.loop.waiting == 0


def test_it_comes_again_while_something_is_left_to_tell() -> None:
    scene = Scene(takes=False)
    scene.count()
    scene.loop.advance(60)
    scene.loop.advance(60)
    assert scene.submitted == [MinutePassed(1060.0), MinutePassed(1120.0)]
    scene.tally.take()
    scene.loop.advance(60)
    assert len(scene.submitted) == 2
    assert scene.loop.waiting == 0


def test_it_comes_no_more_once_closed() -> None:
    scene = Scene()
    scene.timer.close()
    scene.count()
    scene.timer.close()
    scene.loop.advance(60)
    assert scene.submitted == []
