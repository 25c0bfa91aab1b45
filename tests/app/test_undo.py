"""Undo: what Ctrl+Z is about, and what it says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat_console.app.undo import LIMIT, NOTHING, UNDO_TIME, BanDone, KickDone, MuteDone, Undo


def test_the_newest_is_undone_first_and_each_once() -> None:
    undo = Undo()
    undo.muted(1, "ann", False, 0.0)
    undo.banned(["192.0.2.0/24"], [], 1.0)
    undo.muted(2, "bob", False, 2.0)
    assert undo.last(3.0) == MuteDone(2, "bob", False)
    taken = [undo.take(3.0) for _ in range(4)]
    assert taken == [MuteDone(2, "bob", False), BanDone(("192.0.2.0/24",)), MuteDone(1, "ann", False), None]


@given(st.lists(st.tuples(st.integers(1, 4), st.floats(0, 100)), max_size=20), st.floats(0, 300))
def test_only_what_was_done_lately_can_be_undone(steps: list[tuple[int, float]], later: float) -> None:
    undo = Undo()
    now = 0.0
    when: dict[int, float] = {}
    for user_id, pause in steps:
        now += pause
        undo.muted(user_id, f"user{user_id}", user_id in when, now)
        when[user_id] = now
    now += later
    found: list[int] = []
    while isinstance(done := undo.take(now), MuteDone):
        found.append(done.user_id)
    lately = [user_id for user_id, then in when.items() if now - then <= UNDO_TIME]
    assert sorted(found) == sorted(lately)
    assert [when[user_id] for user_id in found] == sorted(map(when.__getitem__, lately), reverse=True)


def test_a_kick_says_that_it_cannot_be_undone_and_then_makes_way() -> None:
    undo = Undo()
    undo.muted(1, "ann", False, 0.0)
    assert undo.kicked("bob", 1.0).hint == ""
    done = undo.take(2.0)
    assert isinstance(done, KickDone)
    assert done.undone == "a kick cannot be undone; bob may join again"
    assert undo.take(2.0) == MuteDone(1, "ann", False)


def test_what_is_over_is_not_undone() -> None:
    undo = Undo()
    undo.muted(1, "ann", False, 0.0)
    undo.muted(2, "bob", False, 0.0)
    undo.banned(["192.0.2.7"], [], 0.0)
    undo.unmuted(1)
    undo.unbanned("192.0.2.7")
    undo.unmuted(9)
    assert [undo.take(1.0) for _ in range(2)] == [MuteDone(2, "bob", False), None]


def test_of_several_networks_those_are_unbanned_that_still_are_banned() -> None:
    undo = Undo()
    undo.banned(["192.0.2.7", "192.0.2.8", "192.0.2.9"], [], 0.0)
    undo.unbanned("192.0.2.8")
    undo.banned(["192.0.2.9"], [], 1.0)
    taken = [undo.take(2.0) for _ in range(3)]
    assert taken == [BanDone(("192.0.2.9",)), BanDone(("192.0.2.7",)), None]


def test_a_mute_that_replaced_another_says_plainly_what_the_key_does_and_is_undone_once() -> None:
    undo = Undo()
    assert undo.muted(1, "ann", False, 0.0).hint == "Ctrl+Z undoes"
    done = undo.muted(1, "ann", True, 1.0)
    assert done.hint == "Ctrl+Z unmutes, and lifts the mute before it too"
    assert done.undone == "ann is unmuted; the mute before it is lifted too"
    assert [undo.take(2.0) for _ in range(2)] == [done, None]


def test_what_is_banned_anew_is_undone_once() -> None:
    undo = Undo()
    undo.banned(["192.0.2.7"], [], 0.0)
    undo.banned(["192.0.2.7"], [], 1.0)
    assert [undo.take(2.0) for _ in range(2)] == [BanDone(("192.0.2.7",)), None]


def test_a_ban_that_replaced_others_says_plainly_what_the_key_does() -> None:
    undo = Undo()
    one = undo.banned(["192.0.2.7"], ["192.0.2.7"], 0.0)
    assert one.hint == "Ctrl+Z unbans, and lifts the ban before it too"
    both = (
        "192.0.2.7 is no longer banned, and the ban before it is lifted too; whoever it dropped may come back"
    )
    assert one.undone == both
    several = undo.banned(["192.0.2.7", "192.0.2.8", "192.0.2.9"], ["192.0.2.7", "192.0.2.8"], 1.0)
    assert several.hint == "Ctrl+Z unbans, and lifts the bans before it too"
    assert "banned, and the bans before it are lifted too;" in several.undone
    undo.unbanned("192.0.2.7")
    assert undo.take(2.0) == BanDone(("192.0.2.8", "192.0.2.9"), ("192.0.2.8",))


def test_what_is_said() -> None:
    undo = Undo()
    assert undo.muted(1, "ann", False, 0.0).undone == "ann is unmuted"
    assert undo.banned(["192.0.2.0/24"], [], 0.0).hint == "Ctrl+Z undoes"
    done = undo.take(0.0)
    assert done is not None
    assert done.undone == "192.0.2.0/24 is no longer banned; whoever it dropped may come back"
    assert NOTHING == "nothing to undo"


def test_it_keeps_only_so_many() -> None:
    mute, kick = Undo(), Undo()
    acts = (mute, lambda number: mute.muted(number, "x", False, 0.0)), (kick, lambda _: kick.kicked("x", 0.0))
    for undo, act in acts:
        for number in range(LIMIT + 5):
            act(number)
        for _ in range(LIMIT):
            assert undo.take(0.0) is not None
        assert undo.take(0.0) is None
