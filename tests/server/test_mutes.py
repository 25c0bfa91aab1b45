"""The ends of mutes: each comes after its time, once, and not for those who are gone."""

from __future__ import annotations

import pytest
from support.recording import Loop

from chat_console.server.addresses import Address
from chat_console.server.mutes import MuteTimers
from chat_console.server.room.entries import MuteExpired
from chat_console.server.room.events import Event, Joined, LeaveReason, Left, Muted, Renamed

ANN, BOB = 1, 2
DAY = 7_000.0
"""What the wall clock shows when the loop's shows 1000; it has its own pace."""


class Scene:
    """The timers, and the entries they have submitted."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.submitted: list[MuteExpired] = []
        self.timers = MuteTimers(self.loop, self.now, self.submitted.append)

    def now(self) -> float:
        return DAY + (self.loop.now - 1000) * 2

    def mute(self, member_id: int, seconds: float | None) -> None:
        self.timers.watch(Muted(self.now(), member_id, "somebody", True, seconds))

    def unmute(self, member_id: int) -> None:
        self.timers.watch(Muted(self.now(), member_id, "somebody", False))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_one_comes_when_its_time_is_up_and_says_which_mute_it_is_of(scene: Scene) -> None:
    scene.loop.advance(5)
    scene.mute(ANN, 600)
    scene.loop.advance(599.5)
    assert scene.submitted == []
    scene.loop.advance(0.5)
    assert scene.submitted == [MuteExpired(DAY + 1210, ANN, since=DAY + 10)]
    assert scene.loop.waiting == 0


def test_one_without_a_time_never_comes(scene: Scene) -> None:
    scene.mute(ANN, None)
    assert scene.loop.waiting == 0


def test_each_member_has_its_own(scene: Scene) -> None:
    scene.mute(ANN, 20)
    scene.mute(BOB, 10)
    scene.loop.advance(10)
    assert [entry.member_id for entry in scene.submitted] == [BOB]
    scene.loop.advance(10)
    assert [entry.member_id for entry in scene.submitted] == [BOB, ANN]


def test_muting_again_counts_from_then(scene: Scene) -> None:
    scene.mute(ANN, 10)
    scene.loop.advance(9)
    scene.mute(ANN, 10)
    assert scene.loop.waiting == 1
    scene.loop.advance(9)
    assert scene.submitted == []
    scene.loop.advance(1)
    assert scene.submitted == [MuteExpired(DAY + 38, ANN, since=DAY + 18)]


def test_muting_again_for_good_has_no_end(scene: Scene) -> None:
    scene.mute(ANN, 10)
    scene.mute(ANN, None)
    assert scene.loop.waiting == 0


@pytest.mark.parametrize(
    "event",
    [Muted(DAY, ANN, "Ann", False), *(Left(DAY, ANN, "Ann", reason) for reason in LeaveReason)],
    ids=lambda event: event.reason.name if isinstance(event, Left) else "unmuted",
)
def test_one_does_not_come_for_a_member_that_may_speak_already_or_is_gone(scene: Scene, event: Event) -> None:
    scene.mute(ANN, 10)
    scene.mute(BOB, 10)
    scene.timers.watch(event)
    assert scene.loop.waiting == 1
    scene.loop.advance(10)
    assert [entry.member_id for entry in scene.submitted] == [BOB]


@pytest.mark.parametrize(
    "event",
    [
        Renamed(DAY, ANN, "Ann", "Eve"),
        Joined(DAY, 3, Address("10.0.0.1", 4001)),
        Muted(DAY, 3, "Cid", False),
        Left(DAY, 3, "Cid", LeaveReason.QUIT),
    ],
    ids=lambda event: type(event).__name__,
)
def test_one_still_comes_whatever_else_happens(scene: Scene, event: Event) -> None:
    scene.mute(ANN, 10)
    scene.timers.watch(event)
    scene.loop.advance(10)
    assert [entry.member_id for entry in scene.submitted] == [ANN]


def test_none_comes_once_all_are_ended(scene: Scene) -> None:
    scene.mute(ANN, 10)
    scene.mute(BOB, 20)
    scene.timers.close()
    assert scene.loop.waiting == 0
    scene.loop.advance(20)
    assert scene.submitted == []
    scene.timers.close()
