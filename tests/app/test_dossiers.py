"""What is remembered of each user: against a model that keeps every event."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.samples import EVENTS

from chat_console.app.dossiers import LAST_LINES, LONGEST_LINE, OLD_NAMES, Dossiers
from chat_console.server.addresses import Address
from chat_console.server.chat import Present
from chat_console.server.room.events import (
    Event,
    Joined,
    LeaveReason,
    Left,
    Messaged,
    Muted,
    Renamed,
    Said,
    Silenced,
)
from chat_console.widgets.entry import Kind

ids = st.integers(1, 3)
texts = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=5).map(tuple)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Joined, st.just(1.0), ids, st.sampled_from([Address("192.0.2.1", 1), Address("192.0.2.2", 2)])),
    st.builds(Left, st.just(2.0), ids, st.just("x"), st.just(LeaveReason.QUIT)),
    st.builds(Renamed, st.just(3.0), ids, st.sampled_from(["192.0.2.1|1", "ann", "bob"]), st.just("new")),
    st.builds(Said, st.just(4.0), ids, st.just("x"), texts),
    st.builds(Silenced, st.just(5.0), ids, st.just("x"), texts),
    st.builds(Messaged, st.just(6.0), ids, st.just("x"), st.text("ab", min_size=1, max_size=3)),
    st.builds(Muted, st.just(7.0), ids, st.just("x"), st.booleans()),
)


@given(st.lists(events, max_size=40))
def test_of_those_who_are_here_the_latest_is_remembered(events: list[Event]) -> None:
    dossiers = Dossiers()
    own: dict[int, list[Event]] = {}
    for event in events:
        dossiers.take(event)
        assert isinstance(event, (Joined, Left, Renamed, Said, Silenced, Messaged, Muted))
        if isinstance(event, Joined):
            own[event.member_id] = [event]
        elif isinstance(event, Left):
            own.pop(event.member_id, None)
        elif event.member_id in own:
            own[event.member_id].append(event)
    for user_id in (1, 2, 3):
        dossier = dossiers.of(user_id)
        if user_id not in own:
            assert (dossier, dossiers.others_at(user_id)) == (None, 0)
            continue
        assert dossier is not None
        names = [event.old for event in own[user_id] if isinstance(event, Renamed) and "|" not in event.old]
        assert list(dossier.old_names) == names[-OLD_NAMES:]
        lines: list[tuple[Kind, str]] = []
        for event in own[user_id]:
            match event:
                case Said():
                    lines += [(Kind.CHAT, text) for text in event.texts]
                case Silenced():
                    lines += [(Kind.SILENCED, text) for text in event.texts]
                case Messaged():
                    lines.append((Kind.PRIVATE, event.text))
                case _:
                    pass
        shown = [(entry.kind, entry.text) for entry in dossier.last_lines]
        assert shown == lines[-LAST_LINES:][::-1]
        assert dossier.mutes == sum(isinstance(event, Muted) and event.muted for event in own[user_id])
        joined = {user: events[0] for user, events in own.items()}
        hosts = [event.address.host for event in joined.values() if isinstance(event, Joined)]
        mine = own[user_id][0]
        assert isinstance(mine, Joined)
        assert dossiers.others_at(user_id) == hosts.count(mine.address.host) - 1


def test_those_who_were_here_before_are_known_by_address_and_mute() -> None:
    dossiers = Dossiers()
    address = Address("192.0.2.1", 1)
    dossiers.begin([Present(1, address, "Ann", True), Present(2, address, "Bob", False)])
    first, second = dossiers.of(1), dossiers.of(2)
    assert first is not None and second is not None
    assert (first.mutes, second.mutes, dossiers.others_at(1)) == (1, 0, 1)


def test_of_a_long_line_the_start_is_remembered() -> None:
    dossiers = Dossiers()
    dossiers.take(Joined(1.0, 7, Address("192.0.2.1", 1)))
    dossiers.take(Said(2.0, 7, "Ann", ("x" * 5_000,)))
    dossier = dossiers.of(7)
    assert dossier is not None
    assert [(entry.time, len(entry.text)) for entry in dossier.last_lines] == [(2.0, LONGEST_LINE)]


def test_of_many_names_and_lines_the_last_are_remembered_and_no_address() -> None:
    dossiers = Dossiers()
    address = Address("192.0.2.1", 1)
    dossiers.take(Joined(1.0, 7, address))
    old = [str(address), *(f"name{number}" for number in range(OLD_NAMES + 2))]
    dossier = dossiers.of(7)
    assert dossier is not None
    dossiers.take(Renamed(2.0, 7, old[0], "x"))
    assert not dossier.old_names
    for name in old[1 : OLD_NAMES + 1]:
        dossiers.take(Renamed(2.0, 7, name, "x"))
    assert list(dossier.old_names) == old[1 : OLD_NAMES + 1]
    dossiers.take(Renamed(2.0, 7, old[-1], "x"))
    assert list(dossier.old_names) == [*old[2 : OLD_NAMES + 1], old[-1]]
    for number in range(LAST_LINES + 2):
        dossiers.take(Said(3.0, 7, "x", (f"line {number}",)))
    assert [entry.text for entry in dossier.last_lines] == ["line 4", "line 3", "line 2"]


def test_nothing_is_kept_of_those_who_have_left() -> None:
    dossiers = Dossiers()
    before = pickle.dumps(dossiers)
    for number in range(50):
        dossiers.take(Joined(1.0, number, Address(f"192.0.2.{number}", 1)))
        dossiers.take(Left(2.0, number, "x", LeaveReason.QUIT))
    assert pickle.dumps(dossiers) == before


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_any_event_can_be_taken_of_anybody(event: Event) -> None:
    dossiers = Dossiers()
    dossiers.take(event)
    assert (dossiers.of(7) is not None) == isinstance(event, Joined)
