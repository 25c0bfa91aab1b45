"""What the log shows of events: all of a burst, the newest of more than that, and a rule for each day."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.samples import EVENTS

from chat_console.app.feed import BUSY_FRAME
from chat_console.app.readable import READABLE_BURST, READABLE_RATE, Days, Gap, Item, Move, Readable
from chat_console.server.addresses import Address, Endpoint
from chat_console.server.room.events import (
    Event,
    Failed,
    Joined,
    LeaveReason,
    Left,
    Messaged,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Outcome,
    Refused,
    Renamed,
    Replied,
    Said,
    Silenced,
    Started,
)
from chat_console.widgets.entry import Entry, Kind

AT = 1_700_000_000.0


def said(count: int, name: str = "Ann") -> Said:
    return Said(AT, 1, name, tuple(f"line {number}" for number in range(count)))


def texts(items: Iterable[Item]) -> list[str]:
    return [item.text for item in items if isinstance(item, Entry)]


def gaps(items: Iterable[Item]) -> list[int]:
    return [item.lines for item in items if isinstance(item, Gap)]


class Reader:
    """One who reads all that there is to read."""

    def __init__(self) -> None:
        self.readable = Readable()

    def read(self, *events: Event, after: float = 0.0) -> list[Item]:
        items, skipped = self.readable.pick(events, after)
        assert sum(gaps(items)) == skipped
        return items


@pytest.fixture
def reader() -> Reader:
    return Reader()


# Of whom it is


@pytest.mark.parametrize(
    ("event", "entry"),
    [
        (said(1), Entry(AT, Kind.CHAT, "Ann", "line 0", 1)),
        (Messaged(AT, 1, "Ann", "psst"), Entry(AT, Kind.PRIVATE, "Ann", "psst", 1)),
        (Silenced(AT, 1, "Ann", ("hey",)), Entry(AT, Kind.SILENCED, "Ann", "hey", 1)),
        (OperatorSaid(AT, "Operator", "hi"), Entry(AT, Kind.OPERATOR, "Operator", "hi", None)),
        (OperatorMessaged(AT, 1, "Operator", "Bob", "psst", (7,)), Entry(AT, Kind.SENT, "to Bob", "psst", 7)),
        (OperatorMessaged(AT, 1, "Operator", "Bob", "psst", (7, 8)), Entry(AT, Kind.SENT, "to Bob", "psst")),
    ],
)
def test_an_entry_says_which_user_it_is_from_or_to(reader: Reader, event: Event, entry: Entry) -> None:
    assert reader.read(event) == [entry]


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.REFUSED])
def test_what_is_told_elsewhere_is_not_in_the_log(reader: Reader, outcome: Outcome) -> None:
    assert reader.read(Replied(AT, 1, "Kicked 1 people.", outcome)) == []
    assert reader.read(OperatorMessaged(AT, 1, "Operator", "karm", "psst", ())) == []


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_is_there_in_some_form(reader: Reader, event: Event) -> None:
    for item in reader.read(event):
        assert item == (event, 0) or (isinstance(item, Entry) and item.time == event.time)


# How much


def test_a_burst_is_shown_whole(reader: Reader) -> None:
    shown = reader.read(said(READABLE_BURST))
    assert (len(shown), gaps(shown)) == (READABLE_BURST, [])


def test_of_more_than_that_the_newest_are_shown_and_the_rest_is_counted(reader: Reader) -> None:
    shown = reader.read(said(7, "Bob"), said(READABLE_BURST + 1_200))
    assert shown[0] == Gap(AT, 1_207)
    assert texts(shown) == [f"line {number}" for number in range(1_200, READABLE_BURST + 1_200)]


def test_a_flood_is_shown_at_a_rate_and_none_of_it_is_unaccounted_for(reader: Reader) -> None:
    reader.read(said(READABLE_BURST))
    for _ in range(10):
        shown = reader.read(*[said(500) for _ in range(4)], after=BUSY_FRAME)
        assert len(shown) == 1 + READABLE_RATE * BUSY_FRAME
        assert shown[0] == Gap(AT, 2_000 - round(READABLE_RATE * BUSY_FRAME))


def test_after_a_quiet_time_a_burst_is_shown_whole_again(reader: Reader) -> None:
    reader.read(said(READABLE_BURST + 1))
    assert gaps(reader.read(said(READABLE_BURST), after=READABLE_BURST / READABLE_RATE)) == []
    assert gaps(reader.read(said(READABLE_BURST + 1), after=3600)) == [1]


def test_the_gap_is_where_the_lines_are_missing(reader: Reader) -> None:
    joined = Joined(AT + 1, 1, Address("a", 1))
    muted = Muted(AT + 2, 1, "Ann", True)
    shown = reader.read(
        OperatorSaid(AT, "Operator", "before"),
        joined,
        said(10),
        muted,
        Messaged(AT + 3, 1, "Ann", "psst"),
        OperatorSaid(AT + 4, "Operator", "behind"),
        said(READABLE_BURST),
    )
    assert texts(shown[:1]) == ["before"]
    assert shown[1:3] == [Gap(AT, 11), Entry(AT + 2, Kind.NOTICE, "", "Ann is muted", 1)]
    assert texts(shown[3:6]) == ["psst", "behind", "line 0"]


def test_what_is_for_the_operator_is_never_skipped(reader: Reader) -> None:
    for event in (
        OperatorSaid(AT, "Operator", "mine"),
        Replied(AT, None, "mine"),
        OperatorMessaged(AT, 1, "Operator", "Ann", "mine", (1,)),
        Messaged(AT, 1, "Ann", "psst"),
        Muted(AT, 1, "Ann", True),
        Refused(AT, 1, "Server is full", "192.0.2.7"),
        Failed(AT, "Ann", "mine"),
        Started(AT, (Endpoint("::1", 1),)),
    ):
        alone = reader.read(event, after=10)
        shown = reader.read(event, said(READABLE_BURST + 10), after=10)
        assert shown[: len(alone)] == alone
        assert gaps(shown) == [10]


def test_what_a_crowd_does_is_skipped_whatever_it_is(reader: Reader) -> None:
    for event in (
        Joined(AT, 1, Address("a", 1)),
        Renamed(AT, 1, "a|1", "Ann"),
        Left(AT, 1, "Ann", LeaveReason.QUIT),
        Silenced(AT, 1, "Ann", ("one",)),
    ):
        assert reader.read(event, said(READABLE_BURST), after=10)[0] == Gap(AT, 1)


def test_a_long_answer_is_shown_whole_and_paid_for_by_what_follows(reader: Reader) -> None:
    answer = "\n".join(f"10.0.0.1|{number} as user{number}" for number in range(READABLE_BURST + 400))
    assert len(reader.read(Replied(AT, None, answer))) == READABLE_BURST + 400
    assert reader.read(said(5), after=0.1) == [Gap(AT, 5)]
    assert texts(reader.read(said(5), after=0.2)) == [f"line {number}" for number in range(5)]


# Days


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> float:
    return time.mktime((year, month, day, hour, minute, 0, 0, 0, -1))


def rules(*times: float) -> list[str]:
    days = Days()
    items = [Entry(each, Kind.CHAT, "Ann", "line") for each in times]
    return [
        item.text
        for some in (items[:1], items[1:])
        for item in days.divide(some)
        if isinstance(item, Entry) and (item.kind is Kind.RULE or item.text == "line")
    ]


@pytest.mark.usefixtures("berlin")
def test_a_day_begins_with_its_date() -> None:
    assert rules(at(2026, 11, 27, 22, 0), at(2026, 11, 27, 23, 59), at(2026, 11, 28)) == [
        "Friday 27 November",
        "line",
        "line",
        "Saturday 28 November",
        "line",
    ]


@pytest.mark.usefixtures("berlin")
def test_a_day_of_25_hours_is_one_day_and_a_clock_set_back_begins_none() -> None:
    assert rules(at(2026, 10, 25), at(2026, 10, 25) + 24.5 * 3600, at(2026, 10, 24), at(2026, 10, 26)) == [
        "Sunday 25 October",
        "line",
        "line",
        "line",
        "Monday 26 October",
        "line",
    ]


@given(st.lists(st.floats(AT, AT + 10 * 86_400), max_size=20).map(sorted))
def test_there_is_one_rule_for_each_day_and_everything_else_stays_as_it_is(times: list[float]) -> None:
    items = [Gap(each, 1) for each in times]
    divided = [*Days().divide(items)]
    assert [item for item in divided if isinstance(item, Gap)] == items
    days = [time.localtime(item.time).tm_yday for item in divided if isinstance(item, Entry)]
    assert days == list(dict.fromkeys(time.localtime(each).tm_yday for each in times))
    assert all(isinstance(after, Gap) for before, after in pairwise(divided) if isinstance(before, Entry))


# Which line of the archive it is


def test_each_line_has_its_own_number() -> None:
    joined = Joined(AT, 1, Address("a", 1))
    items, _ = Readable().pick([said(3), joined, Replied(AT, None, "one\ntwo"), said(1)], 0, [7, 8, 0, 9])
    assert [item.number for item in items if isinstance(item, Entry | Move)] == [5, 6, 7, 8, 0, 0, 9]


def test_of_those_that_are_skipped_the_others_keep_theirs() -> None:
    items, skipped = Readable().pick([said(READABLE_BURST + 2)], 0, [READABLE_BURST + 2])
    assert skipped == 2
    assert [item.number for item in items if isinstance(item, Entry)] == [*range(3, READABLE_BURST + 3)]
