"""Who is here after some events: the net change, and what is known of those who were here before."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from chat_console.app.attendance import change, present
from chat_console.server.addresses import Address
from chat_console.server.chat import Present, Snapshot
from chat_console.server.room.events import Event, Joined, LeaveReason, Left, Muted, Renamed
from chat_console.widgets.user_row import User

AT = 1_700_000_000.0


def joined(who: int) -> Joined:
    return Joined(AT, who, Address("a", who))


def left(who: int) -> Left:
    return Left(AT, who, "whoever", LeaveReason.QUIT)


def user(who: int, name: str = "") -> User:
    return User(who, name or f"a|{who}", f"a|{who}", 5.0)


def test_who_was_here_before_is_here_since_now_and_muted_as_long_as_before() -> None:
    address = Address("a", 1)
    members = (
        Present(1, address, "Ann", False),
        Present(2, address, "Bob", True),
        Present(3, address, "Cleo", True, AT + 60),
    )
    assert list(present(Snapshot(AT, None, members), 5.0).values()) == [
        User(1, "Ann", "a|1", 5.0),
        User(2, "Bob", "a|1", 5.0, True, None),
        User(3, "Cleo", "a|1", 5.0, True, 65.0),
    ]


def test_who_came_and_went_is_in_no_part_of_the_change() -> None:
    assert not change([joined(1), Renamed(AT, 1, "a|1", "Ann"), left(1)], {}, {}, 5.0, AT)


def test_a_mute_says_until_when() -> None:
    here = {1: user(1), 2: user(2)}
    events = [Muted(AT, 1, "a|1", True, 600), Muted(AT, 2, "a|2", True)]
    changed = change(events, here, {}, 5.0, AT).changed
    assert [(each.muted, each.muted_until) for each in changed.values()] == [(True, 605.0), (True, None)]
    unmuted = change([Muted(AT, 1, "a|1", False)], changed, {}, 7.0, AT + 2).changed
    assert (unmuted[1].muted, unmuted[1].muted_until) == (False, None)


def test_who_comes_again_under_the_same_id_is_here_until_it_leaves_again() -> None:
    here = {1: user(1, "Ann")}
    again = change(
        [Renamed(AT, 1, "Ann", "A"), left(1), joined(1), Renamed(AT, 1, "a|1", "Bob")], here, {}, 5.0, AT
    )
    assert (list(again.added.values()), again.changed, again.removed) == ([user(1, "Bob")], {}, set())
    assert change([left(1), joined(1), left(1)], here, {}, 5.0, AT) == ({}, {}, {1})


def test_one_who_was_muted_a_while_before_coming_speaks_again_that_much_earlier() -> None:
    events = [joined(1), Muted(AT - 540, 1, "a|1", True, 600)]
    (muted,) = change(events, {}, {}, 5.0, AT).added.values()
    assert muted.muted_until == 65.0


def test_users_of_other_nodes_have_the_name_of_theirs() -> None:
    def node_of(who: int) -> str:
        return "rome" if who == 2 else ""

    address = Address("a", 1)
    members = (Present(1, address, "Ann", False), Present(2, address, "Bob", False))
    assert [each.node for each in present(Snapshot(AT, None, members), 5.0, node_of).values()] == ["", "rome"]
    added = change([joined(1), joined(2), Renamed(AT, 2, "a|2", "Bob")], {}, {}, 5.0, AT, node_of).added
    assert [each.node for each in added.values()] == ["", "rome"]
    renamed = change([Renamed(AT, 2, "Bob", "Rob")], added, {}, 5.0, AT).changed
    assert (renamed[2].name, renamed[2].node) == ("Rob", "rome")


EVENTS = st.lists(
    st.one_of(
        st.builds(joined, st.integers(1, 4)),
        st.builds(left, st.integers(1, 4)),
        st.builds(lambda who, name: Renamed(AT, who, "old", name), st.integers(1, 4), st.sampled_from("xyz")),
        st.builds(lambda who, muted: Muted(AT, who, "n", muted), st.integers(1, 4), st.booleans()),
    )
)


def possible(events: Iterable[Event], here: set[int]) -> list[Event]:
    """Leave out what cannot happen: an id is used once, and nothing is heard of who is not here."""
    used = set(here)
    found: list[Event] = []
    for event in events:
        assert isinstance(event, Joined | Left | Muted | Renamed)
        if isinstance(event, Joined):
            if event.member_id in used:
                continue
            used.add(event.member_id)
            here.add(event.member_id)
        elif event.member_id not in here:
            continue
        elif isinstance(event, Left):
            here.remove(event.member_id)
        found.append(event)
    return found


def applied(here: dict[int, User], events: Iterable[Event]) -> dict[int, User]:
    added, changed, removed = change(events, here, {}, 5.0, AT)
    assert not added.keys() & (changed.keys() | here.keys())
    assert changed.keys() <= here.keys()
    assert removed <= here.keys()
    return {who: each for who, each in {**here, **changed, **added}.items() if who not in removed}


@given(EVENTS)
def test_all_at_once_is_the_same_as_one_after_another(events: list[Event]) -> None:
    happened = possible(events, {1, 2})
    here = {who: user(who) for who in (1, 2)}
    step_by_step = dict(here)
    for event in happened:
        step_by_step = applied(step_by_step, [event])
    assert applied(here, happened) == step_by_step
