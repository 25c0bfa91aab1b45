"""A crowd: who says nothing comes and goes untold, and is counted."""

from __future__ import annotations

import pytest
from support.pure_room import PureRoom

from chat_console.server.addresses import Address
from chat_console.server.room import notices
from chat_console.server.room.entries import Join, Kick, Leave, Lines, MinutePassed, Mute, Nick, ShutDown
from chat_console.server.room.events import Joined, LeaveReason, Left, Renamed
from chat_console.server.settings import Settings

HOUR = 3600.0
UP_TO = 2
ANN, BOB, CID, DAN, EVE = 1, 2, 3, 4, 5


class Room(PureRoom):
    """A room in which more than two are a crowd; members have names of their own by the time they join."""

    def __init__(self, up_to: int = UP_TO) -> None:
        super().__init__(Settings(notices_up_to=up_to))

    def join(self, *ids: int, at: float = HOUR) -> None:
        for id_ in ids:
            self.apply(Join(at, id_, Address("192.0.2.1", 4000 + id_)))

    def leave(self, *ids: int, at: float = HOUR) -> None:
        self.apply(Leave(at, ids, LeaveReason.LOST))

    def say(self, id_: int, *lines: str, at: float = HOUR) -> None:
        self.apply(Lines(at, id_, lines))

    def got(self, id_: int) -> list[object]:
        """What that member got since one last asked."""
        items: list[object] = list(self.items[id_])
        self.items[id_].clear()
        return items

    def forget(self) -> None:
        for items in self.items.values():
            items.clear()
        self.events.clear()


@pytest.fixture
def room() -> Room:
    """A room with Ann, Bob and Cid in it, who have said nothing, and one too many for notices."""
    room = Room()
    room.join(ANN, BOB, CID)
    room.forget()
    return room


class TestUpToTheLimit:
    def test_everybody_is_told_of_all(self) -> None:
        room = Room()
        room.join(ANN, BOB)
        room.say(BOB, "/nick Bob")
        assert [type(item) for item in room.got(ANN)] == [Joined, Joined, Renamed]
        room.leave(BOB)
        assert [type(item) for item in room.got(ANN)] == [Left]
        assert room.room.tally.is_empty

    def test_no_limit_is_never_reached(self) -> None:
        room = Room(0)
        room.join(*range(1, 50))
        assert len(room.got(ANN)) == 49
        assert room.room.tally.is_empty

    def test_the_crowd_is_over_with_the_one_who_makes_it_few_again(self, room: Room) -> None:
        room.leave(CID)  # of three: still a crowd
        assert room.got(ANN) == []
        room.leave(BOB)
        assert [type(item) for item in room.got(ANN)] == [Left]


class TestInACrowd:
    def test_the_one_who_makes_it_a_crowd_is_welcomed_alone(self) -> None:
        room = Room()
        room.join(ANN, BOB)
        room.forget()
        room.join(CID)
        assert room.got(ANN) == room.got(BOB) == []
        assert [type(item) for item in room.got(CID)] == [Joined]

    def test_a_nickname_is_told_to_its_bearer_alone(self, room: Room) -> None:
        room.say(CID, "/nick Cid")
        room.apply(Nick(HOUR, CID, "Cyd"))
        assert room.got(ANN) == []
        assert room.got(CID) == [notices.you_are_now("Cid"), notices.you_are_now("Cyd")]

    def test_who_has_spoken_is_told_of_by_name(self, room: Room) -> None:
        room.say(CID, "hello", "/nick Cid")
        room.leave(CID)
        assert [type(item).__name__ for item in room.got(ANN)] == ["Said", "Renamed", "Left"]
        assert room.room.tally.take() == (1, 0)

    def test_what_nobody_heard_is_not_spoken(self, room: Room) -> None:
        room.say(CID, "/msg Nobody psst", "/list", "/foo")
        room.apply(Mute(HOUR, 1, CID))
        room.say(CID, "hello")
        room.forget()
        room.leave(CID)
        assert room.got(ANN) == []

    def test_who_leaves_gets_the_last_line_as_ever(self, room: Room) -> None:
        room.leave(CID)
        room.leave(ANN, BOB)
        for one in (ANN, BOB, CID):
            assert room.got(one) == [notices.you_have_left()]
        assert room.ended == [CID, ANN, BOB]

    def test_those_who_leave_at_one_moment_leave_one_crowd(self, room: Room) -> None:
        room.join(DAN, EVE)
        room.say(EVE, "hello")
        room.forget()
        room.leave(BOB, CID, DAN, EVE)
        (event,) = room.got(ANN)
        assert isinstance(event, Left)
        assert event.member_id == EVE

    def test_a_kick_is_no_different(self, room: Room) -> None:
        room.apply(Kick(HOUR, 1, CID))
        assert room.got(ANN) == []
        assert room.room.tally.take() == (1, 1)

    def test_the_operator_is_told_of_all(self, room: Room) -> None:
        room.join(DAN)
        room.say(DAN, "/nick Dan")
        room.leave(DAN)
        assert [type(event) for event in room.events] == [Joined, Renamed, Left]


class TestMinute:
    def test_is_told_to_all_before_what_comes_after_it(self, room: Room) -> None:
        room.leave(CID, at=HOUR + 59)
        assert room.got(ANN) == []
        room.join(DAN, at=HOUR + 60)
        line = notices.came_and_went(1, 1, 2)
        assert line == "1 users joined and 1 left; 2 are here."
        assert room.got(ANN) == [line]
        assert [type(item) for item in room.got(DAN)] == [Joined]
        room.apply(MinutePassed(HOUR + 120))
        assert room.got(ANN) == ["1 users joined and 0 left; 3 are here."]

    def test_is_told_once_however_often_it_has_passed(self, room: Room) -> None:
        for _ in range(3):
            room.apply(MinutePassed(HOUR + 61))
        assert len(room.got(ANN)) == 1
        room.apply(MinutePassed(HOUR + 200))
        assert room.got(ANN) == []
        assert room.events == []

    def test_is_told_though_the_clock_went_back(self, room: Room) -> None:
        room.apply(MinutePassed(HOUR - 1))
        assert room.got(ANN) == []
        room.apply(MinutePassed(HOUR - 100))
        assert len(room.got(ANN)) == 1

    def test_is_not_told_by_an_answer(self, room: Room) -> None:
        """Which is no entry of a log that rooms share."""
        room.room.answer(Lines(HOUR + 61, CID, ("/help",)))
        assert room.got(ANN) == []
        room.apply(MinutePassed(HOUR + 61))
        assert len(room.got(ANN)) == 1

    def test_counts_nobody_of_whom_nobody_could_be_told(self, room: Room) -> None:
        room.room.tally.take()
        room.leave(ANN, BOB, CID)
        assert room.room.tally.is_empty

    def test_ends_with_the_chat(self, room: Room) -> None:
        room.apply(ShutDown(HOUR + 61))
        assert room.got(ANN) == [
            notices.came_and_went(1, 0, 3),
            notices.shutting_down(),
            notices.you_have_left(),
        ]
