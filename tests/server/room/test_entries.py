"""What goes into a room: values that can be kept and sent, and of which the same room comes anywhere."""

from __future__ import annotations

import dataclasses
import itertools
import pickle
from typing import get_args

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from support.pure_room import PureRoom
from support.samples import ENTRIES

from chat_console.server.addresses import Address, network_of
from chat_console.server.room import entries
from chat_console.server.room.entries import NOTHING, Entry, Line, TooLong
from chat_console.server.room.events import LeaveReason, Said
from chat_console.server.room.listing import Page
from chat_console.server.room.room import Item
from chat_console.server.settings import Settings


def stored(log: list[Entry]) -> list[Entry]:
    """`log` as it comes back from a disk or from another machine."""
    return pickle.loads(pickle.dumps(log))


def test_there_is_a_sample_of_each_kind() -> None:
    assert {type(entry) for entry in ENTRIES} == set(get_args(Entry))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: type(entry).__name__)
class TestEntry:
    def test_has_its_time_first(self, entry: Entry) -> None:
        assert dataclasses.fields(entry)[0].name == "time"
        assert entry.time > 0

    def test_cannot_be_changed(self, entry: Entry) -> None:
        for field in dataclasses.fields(entry):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(entry, field.name, None)
        assert not hasattr(entry, "__dict__")

    def test_is_equal_to_its_like_and_hashable(self, entry: Entry) -> None:
        like = dataclasses.replace(entry)
        assert like == entry
        assert hash(like) == hash(entry)
        assert dataclasses.replace(entry, time=99.0) != entry

    def test_survives_being_stored(self, entry: Entry) -> None:
        (again,) = stored([entry])
        assert again == entry
        assert type(again) is type(entry)


# Logs of anything at all: who is meant may be gone or never have been here; names and networks are few.

HOSTS = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "::1")
NAMES = ("Ann", "ANN", "Bob", "b0b", "Operator", "-", "192.0.2.1|4001", "Nobody")

times = st.integers(0, 20).map(float)
ids = st.integers(1, 6)
sessions = st.integers(1, 2)
names = st.sampled_from(NAMES)
hosts = st.sampled_from(HOSTS)
spans = st.sampled_from((None, 10.0, 60.0))
texts = st.sampled_from(("hello", "two  blanks", "é\u0301", "//slash"))
targets: st.SearchStrategy[entries.Target] = ids | names
networks = st.sampled_from([network_of(text) for text in (*HOSTS, "192.0.2.0/24", "2001:db8::/64")])
lines: st.SearchStrategy[Line] = st.one_of(
    texts,
    names.map("/nick {}".format),
    names.map("/msg {} psst".format),
    st.sampled_from(("/list", "/help", "/foo", "/nick", "/quit now", NOTHING, TooLong(2048))),
)


def line_entries(lines: st.SearchStrategy[Line]) -> st.SearchStrategy[Entry]:
    return st.builds(entries.Lines, times, ids, st.lists(lines, min_size=1, max_size=4).map(tuple))


joins: st.SearchStrategy[Entry] = st.builds(
    entries.Join, times, st.just(0), st.builds(Address, hosts, st.integers(4000, 4002))
)
steps: st.SearchStrategy[Entry] = st.one_of(
    joins,
    line_entries(texts),
    line_entries(names.map("/nick {}".format)),
    line_entries(lines),
    line_entries(lines | st.just("/quit")),
    st.builds(entries.Say, times, sessions, names, texts),
    st.builds(entries.Message, times, sessions, names, targets, texts),
    st.builds(entries.Mute, times, sessions, targets, spans),
    st.builds(entries.Unmute, times, sessions, targets),
    st.builds(entries.MuteExpired, times, ids, times),
    st.builds(entries.Kick, times, sessions, targets, texts),
    st.builds(
        entries.Leave, times, st.lists(ids, max_size=3).map(tuple), st.sampled_from(LeaveReason), texts
    ),
    st.builds(entries.Ban, times, sessions, st.lists(networks, max_size=2).map(tuple), spans),
    st.builds(entries.Unban, times, sessions, networks),
    st.builds(entries.MinutePassed, times),
)


def numbered(log: list[Entry]) -> list[Entry]:
    """`log` with another id for each who joins: the chat uses none twice."""
    fresh = itertools.count(1)
    return [
        dataclasses.replace(entry, member_id=next(fresh)) if isinstance(entry, entries.Join) else entry
        for entry in log
    ]


logs = st.builds(
    lambda first, then, end: numbered([*first, *then, *end]),
    st.lists(joins, min_size=3, max_size=5),
    st.lists(steps, min_size=15, max_size=40),
    st.sampled_from([[], [], [entries.ShutDown(21.0), *ENTRIES]]),
)


def shown(item: Item) -> object:
    """What is to be compared of an item: a page is equal to no other."""
    return item.users if isinstance(item, Page) else item


def state(pure: PureRoom) -> object:
    """All that can be known of a room and of what has come out of it."""
    roster = pure.room.roster
    return {
        "members": [
            (one.id, one.address, one.nickname, one.muted_at, one.lines, one.ip) for one in roster.members
        ],
        "list": [page.users for page in roster.listing.pages()],
        "found": {name: [member.id for member in roster.find(name)] for name in NAMES},
        "items": {id_: [shown(item) for item in items] for id_, items in pure.items.items()},
        "ended": pure.ended,
        "events": pure.events,
        "bans": pure.bans.seconds,
    }


@pytest.mark.uncounted
@pytest.mark.parametrize("shared", [False, True])
@given(log=logs)
def test_of_one_log_the_same_room_comes_everywhere_with_the_same_items_and_events(
    shared: bool, log: list[Entry]
) -> None:
    one, other = (PureRoom(Settings(shared_nicks=shared, welcome="Be kind.")) for _ in range(2))
    one.apply_all(log)
    event("somebody is heard" if any(isinstance(each, Said) for each in one.events) else "nobody is heard")
    other.apply_all(stored(log))
    assert state(one) == state(other)


@pytest.mark.uncounted
@given(log=logs)
@settings(deadline=None)
def test_what_comes_out_of_a_log_depends_on_nothing_that_comes_later(log: list[Entry]) -> None:
    whole, part = PureRoom(), PureRoom()
    whole.apply_all(log)
    part.apply_all(log[: len(log) // 2])
    assert whole.events[: len(part.events)] == part.events
    for member_id, items in part.items.items():
        assert [shown(item) for item in whole.items[member_id][: len(items)]] == [
            shown(item) for item in items
        ]


@pytest.mark.uncounted
@given(log=logs)
@settings(deadline=None)
def test_everybody_who_gets_two_lines_gets_them_in_the_same_order(log: list[Entry]) -> None:
    """Told by the very events: a notice to two members is one string, and may be the same by chance."""
    pure = PureRoom()
    pure.apply_all(log)
    events = {
        member_id: {id(item): at for at, item in enumerate(items) if not isinstance(item, str)}
        for member_id, items in pure.items.items()
    }
    for one, other in itertools.combinations(events.values(), 2):
        common = [item for item in one if item in other]
        assert sorted(common, key=lambda item: other[item]) == common
