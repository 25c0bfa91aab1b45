"""When the next frame may be sent: by the terminal's answers, or by what waits to be written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat_console.app.pacing import LONGEST_PATIENCE, PATIENCE, SMALL, Pacing


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def answering() -> tuple[Pacing, Clock]:
    """The pacing of a terminal that has answered once, at once."""
    clock = Clock()
    pacing = Pacing(clock)
    pacing.sent(10)
    pacing.answered()
    return pacing, clock


def test_a_terminal_that_has_never_answered_gets_a_frame_whenever_none_is_queued() -> None:
    pacing = Pacing(Clock())
    for _ in range(5):
        assert pacing.has_room(0)
        assert not pacing.has_room(1)
        assert pacing.patience is None
        pacing.sent(5000)


@given(st.lists(st.none() | st.integers(1, 5000), max_size=50))
def test_of_a_terminal_that_answers_two_frames_are_on_their_way_at_most(acts: list[int | None]) -> None:
    pacing, _ = answering()
    on_their_way: list[int] = []
    for size in acts:
        if size is None:
            pacing.answered()
            on_their_way = on_their_way[1:]
        elif pacing.has_room(9):
            pacing.sent(size)
            on_their_way.append(size)
        assert len(on_their_way) <= 2
        assert len(on_their_way) < 2 or on_their_way[0] <= SMALL
        assert pacing.has_room(0) == (
            not on_their_way or (len(on_their_way) == 1 and on_their_way[0] <= SMALL)
        )


def test_a_terminal_has_as_long_as_it_took_last_and_more() -> None:
    pacing, clock = answering()
    assert pacing.patience is None
    pacing.sent(5000)
    clock.now += 3
    pacing.answered()
    pacing.sent(5000)
    assert pacing.patience == PATIENCE + 3
    clock.now += 4
    assert pacing.patience == PATIENCE - 1
    clock.now += 4
    assert pacing.patience == 0


def test_each_lost_answer_is_waited_for_twice_as_long() -> None:
    pacing, _ = answering()
    patience = PATIENCE
    for _ in range(8):
        pacing.sent(5000)
        assert pacing.patience == patience
        pacing.give_up()
        assert pacing.has_room(5)
        patience = min(2 * patience, LONGEST_PATIENCE)
    pacing.answered()
    pacing.sent(5000)
    assert pacing.patience == PATIENCE


def test_where_keys_come_but_no_answers_none_is_waited_for_until_one_comes() -> None:
    pacing, _ = answering()
    pacing.sent(5000)
    pacing.typed()
    assert not pacing.has_room(0)
    pacing.give_up()
    pacing.sent(5000)
    pacing.typed()
    assert pacing.has_room(0)
    assert not pacing.has_room(1)
    pacing.answered()
    pacing.sent(5000)
    assert not pacing.has_room(0)
