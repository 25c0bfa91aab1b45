"""Absences: when they begin, what is counted in them, and where to go on return."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from chat_console.app.away import IDLE, LOOKED_AWAY, Away
from chat_console.app.readable import Gap, Item, Move
from chat_console.server.addresses import Address
from chat_console.server.room.events import Joined, LeaveReason, Left, Renamed
from chat_console.widgets.entry import Entry, Kind

HOUR = 3600.0


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def clock(text: str) -> float:
    hours, minutes = map(int, text.split(":"))
    return 1_700_006_400.0 + hours * HOUR + minutes * 60  # a midnight


def line(kind: Kind = Kind.CHAT) -> Entry:
    return Entry(clock("22:50"), kind, "Ann", "hello", 1)


JOINED = Move(Joined(clock("22:50"), 1, Address("a", 1)), 0)
LEFT = Move(Left(clock("22:50"), 1, "Ann", LeaveReason.QUIT), 0)
RENAMED = Move(Renamed(clock("22:50"), 1, "Ann", "Anna"), 0)


class Console:
    """An operator who is away or not, and a log in which each item is an entry."""

    def __init__(self, began: str = "22:40") -> None:
        self.away = Away(clock(began))
        self.log: list[Entry] = []

    def show(self, *items: Item, at: str = "22:50") -> None:
        rule = self.away.rule(items, clock(at))
        appended = [rule] if rule else []
        appended += [
            item if isinstance(item, Entry) else Entry(item.time, Kind.JOIN, "", "") for item in items
        ]
        self.away.wrote(len(self.log), items, appended)
        self.log += appended

    def back(self, at: str, *, focus: bool = False) -> None:
        changed = self.away.focus(True, clock(at)) if focus else self.away.key(clock(at))
        if changed:
            serial, entry = changed
            self.log[serial] = entry

    @property
    def rules(self) -> list[str]:
        return [entry.text for entry in self.log if entry.kind is Kind.RULE]

    @property
    def places(self) -> list[int]:
        return [*iter(self.away.next_place, None)]


@pytest.fixture
def console() -> Console:
    return Console()


def test_an_absence_without_the_focus_is_one_rule_before_what_came_in_it(console: Console) -> None:
    console.show(line(), at="22:41")
    console.away.focus(False, clock("22:42"))
    console.show(line(), at="22:43")
    console.show(line(), line(Kind.PRIVATE), at="22:50")
    assert console.rules == ["away since 22:42"]
    console.back("23:05", focus=True)
    assert console.rules == ["away 22:42–23:05 · 2 lines · 1 private · F9 next"]  # noqa: RUF001
    assert console.log[1].kind is Kind.RULE
    console.show(line(), at="23:06")
    assert len(console.rules) == 1


def test_five_minutes_without_a_key_are_an_absence(console: Console) -> None:
    console.away.key(clock("22:42"))
    console.show(line(), at="22:46")
    assert console.rules == []
    console.show(line(), at="22:47")
    console.back("23:05")
    assert console.rules == ["away 22:47–23:05 · 1 line"]  # noqa: RUF001
    assert pytest.approx(300) == IDLE


def test_a_key_ends_an_absence_whatever_the_terminal_tells_of_its_focus(console: Console) -> None:
    console.away.focus(False, clock("22:42"))
    console.show(line())
    console.back("22:55")
    console.show(line(), at="22:56")
    assert console.rules == ["away 22:42–22:55 · 1 line"]  # noqa: RUF001


def test_a_glance_elsewhere_is_no_absence() -> None:
    away = Away(clock("22:40"))
    away.focus(False, clock("22:42"))
    assert away.rule([line()], clock("22:42") + LOOKED_AWAY - 0.1) is None
    assert away.rule([line()], clock("22:42") + LOOKED_AWAY) is not None


def test_the_focus_is_lost_when_it_is_first_told(console: Console) -> None:
    console.away.focus(False, clock("22:42"))
    console.away.focus(False, clock("22:49"))
    console.show(line())
    assert console.rules == ["away since 22:42"]


@pytest.mark.parametrize("item", [RENAMED, line(Kind.NOTICE)])
def test_nothing_that_calls_anybody_makes_no_rule(console: Console, item: Item) -> None:
    console.away.focus(False, clock("22:42"))
    console.show(item)
    console.show()
    console.back("23:05")
    assert (console.rules, console.places) == ([], [])


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([line()], "1 line"),
        ([line(), line(Kind.SILENCED), Gap(clock("22:50"), 1_212)], "1,214 lines"),
        ([JOINED] * 6 + [LEFT, RENAMED], "6 joined, 1 left"),
        ([LEFT], "1 left"),
        ([line(Kind.ERROR)], "1 error · F9 next"),
        ([line(), line(), line(Kind.PRIVATE), JOINED], "2 lines · 1 private · 1 joined · F9 next"),
    ],
)
def test_what_came_is_counted_by_what_it_is(console: Console, items: list[Item], told: str) -> None:
    console.away.focus(False, clock("22:42"))
    console.show(*items)
    console.back("23:05")
    assert console.rules == [f"away 22:42–23:05 · {told}"]  # noqa: RUF001


def test_the_places_are_the_rule_and_each_line_that_calls_for_the_operator(console: Console) -> None:
    console.away.focus(False, clock("22:42"))
    console.show(line(), line(Kind.PRIVATE), line(Kind.WARNING))
    console.show(line(), line(Kind.ERROR))
    assert console.places == []
    console.back("23:05")
    assert console.places == [0, 2, 3, 5]
    assert console.places == []


def test_a_new_absence_counts_anew_and_takes_the_place_of_the_old(console: Console) -> None:
    for left, back in (("22:42", "22:55"), ("22:56", "23:05")):
        console.away.focus(False, clock(left))
        console.show(line(), line(Kind.PRIVATE), at=back)
        console.back(back)
    assert console.rules == [
        "away 22:42–22:55 · 1 line · 1 private · F9 next",  # noqa: RUF001
        "away 22:56–23:05 · 1 line · 1 private · F9 next",  # noqa: RUF001
    ]
    assert console.places == [3, 5]


def test_the_rule_keeps_the_log_in_order_of_time(console: Console) -> None:
    console.away.focus(False, clock("22:42"))
    console.show(line(), at="22:50")
    console.back("23:05")
    assert console.log[0].time <= console.log[1].time
