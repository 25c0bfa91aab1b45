"""Folding: floods, joinings and leavings in one row each, and nothing lost in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.app.floods import FAST_LINES, MANY_LINES, MOST_WARNINGS
from chat_console.app.folding import MOST_KEPT, NAMED_WITHIN, WARNING_EVERY, Folding
from chat_console.app.readable import Gap, Item, Move
from chat_console.app.rows import FREE_LINES, MOST_FOLDED, MOST_NAMES, PAUSE
from chat_console.server.addresses import Address
from chat_console.server.room.events import Joined, LeaveReason, Left, Renamed
from chat_console.widgets.activity import Activity
from chat_console.widgets.entry import Entry, Kind

AT = 1_700_000_000.0
MAX, UWE, VERA = 1, 2, 3
NAMES = {MAX: "Max", UWE: "uwe", VERA: "vera"}


class Log:
    """What a log with the changes of a folding looks like, by serial."""

    def __init__(self) -> None:
        self.activity = Activity()
        self.folding = Folding(self.activity.rate)
        self.entries: list[Entry] = []
        self.private: list[tuple[int, int]] = []
        self.replaced = 0

    def show(self, *items: Item, now: float = 1000.0) -> list[str]:
        """Show a frame; return the whole log as `shown` does."""
        for item in items:
            if isinstance(item, Entry) and item.kind is Kind.CHAT and item.who is not None:
                self.activity.said(item.who, 1, now)
        change = self.folding.fold(items, now, len(self.entries))
        assert all(0 <= serial < len(self.entries) for serial in change.replaced)
        for serial, entry in change.replaced.items():
            self.entries[serial] = entry
        self.entries += change.appended
        self.private += change.private
        self.replaced += len(change.replaced)
        return shown(self.entries)


def shown(entries: Iterable[Entry]) -> list[str]:
    marks = {Kind.CHAT: "", Kind.FOLD: "⋮ ", Kind.JOIN: "+ ", Kind.LEAVE: "- ", Kind.WARNING: "! "}
    return [marks.get(entry.kind, f"{entry.kind} ") + entry.text for entry in entries]


def line(who: int, text: str, at: float = 0.0, kind: Kind = Kind.CHAT) -> Entry:
    return Entry(AT + at, kind, NAMES.get(who, f"user{who}"), text, who)


def lines(who: int, count: int, at: float = 0.0, kind: Kind = Kind.CHAT) -> list[Entry]:
    return [line(who, f"{who}-{number}", at, kind) for number in range(count)]


def joined(who: int, at: float = 0.0) -> Move:
    return Move(Joined(AT + at, who, Address("127.0.0.1", 47000 + who)), 0)


def named(who: int, at: float = 0.0, name: str = "") -> Move:
    return Move(Renamed(AT + at, who, f"127.0.0.1|{47000 + who}", name or NAMES[who]), 0)


def left(who: int, reason: LeaveReason = LeaveReason.QUIT, remark: str = "") -> Move:
    return Move(Left(AT, who, NAMES.get(who, f"user{who}"), reason, remark), 0)


NOTICE = Entry(AT, Kind.NOTICE, "", "between")


# Floods


def test_six_lines_are_shown_and_what_follows_is_counted_in_one_row() -> None:
    log = Log()
    assert log.show(*lines(MAX, FREE_LINES)) == [f"1-{number}" for number in range(6)]
    assert log.show(line(MAX, "seventh", 1))[6:] == ["seventh"]
    assert log.show(line(MAX, "eighth", 2.4))[6:] == ["⋮ 2 more like it in 1 s"]
    assert log.show(line(MAX, "ninth", 5), line(MAX, "tenth", 7))[6:] == ["⋮ 4 more like it in 6 s"]
    fold = log.entries[6]
    assert (fold.time, fold.who, fold.sender) == (AT + 1, MAX, "")
    assert [entry.text for entry in fold.folded] == ["seventh", "eighth", "ninth", "tenth"]
    assert {entry.sender for entry in fold.folded} == {"Max"}


def test_who_writes_no_faster_than_six_lines_in_three_seconds_is_shown_whole() -> None:
    log = Log()
    slow = [line(MAX, f"line {number}", number * PAUSE / FREE_LINES + 0.001 * number) for number in range(60)]
    log.show(*slow)
    assert [entry.text for entry in log.entries if entry.kind is Kind.CHAT] == [entry.text for entry in slow]


@pytest.mark.parametrize(
    "another",
    [line(UWE, "stop it", 1), line(UWE, "psst", 1, Kind.PRIVATE), line(MAX, "psst", 1, Kind.PRIVATE)],
)
def test_a_line_of_somebody_else_or_of_another_kind_ends_it(another: Entry) -> None:
    log = Log()
    after = log.show(*lines(MAX, 9), another, *lines(MAX, 9, 1))
    assert after[6:9] == ["⋮ 3 more like it in 1 s", *shown([another]), "1-0"]
    assert after[14] == "⋮ 3 more like it in 1 s"


def test_a_pause_ends_it() -> None:
    log = Log()
    log.show(*lines(MAX, 9))
    assert log.show(line(MAX, "there", PAUSE))[6:] == ["⋮ 4 more like it in 3 s"]
    assert log.show(line(MAX, "here", 2 * PAUSE + 0.1))[7:] == ["here"]


@pytest.mark.parametrize(
    "between",
    [
        NOTICE,
        joined(UWE),
        Entry(AT, Kind.OPERATOR, "Operator", "stop it"),
        Entry(AT, Kind.NOTICE, "", "Max is muted", MAX),
    ],
)
def test_what_no_user_says_ends_nothing(between: Item) -> None:
    log = Log()
    after = log.show(*lines(MAX, 9), between, *lines(MAX, 4, 1))
    assert (after[6], len(after)) == ("⋮ 7 more like it in 1 s", 8)


def test_a_row_stands_for_a_thousand_lines_and_then_there_is_another() -> None:
    log = Log()
    texts = log.show(*lines(MAX, FREE_LINES + MOST_FOLDED + 2))
    assert texts[6:8] == ["⋮ 1,000 more like it in 1 s", "⋮ 2 more like it in 1 s"]


def test_private_lines_and_what_a_muted_user_says_are_folded_too() -> None:
    for kind in (Kind.PRIVATE, Kind.SILENCED):
        assert Log().show(*lines(MAX, 9, 0, kind))[6:] == ["⋮ 3 more like it in 1 s"]


def test_each_private_line_is_told_with_the_entry_that_has_it() -> None:
    log = Log()
    log.show(NOTICE, *lines(MAX, 8, 0, Kind.PRIVATE))
    log.show(*lines(MAX, 1, 0, Kind.PRIVATE), *lines(UWE, 1, 0, Kind.PRIVATE))
    assert log.private == [(MAX, serial) for serial in (1, 2, 3, 4, 5, 6, 7, 7, 7)] + [(UWE, 8)]


def test_an_older_row_than_the_log_can_keep_tells_its_number_alone() -> None:
    log = Log()
    log.show(*lines(MAX, FREE_LINES + 500))
    for turn in range(MOST_KEPT // MOST_FOLDED):
        log.show(*lines(UWE if turn % 2 else VERA, FREE_LINES + MOST_FOLDED))
    folds = [entry for entry in log.entries if entry.kind is Kind.FOLD]
    assert [len(fold.folded) for fold in folds] == [0, *[MOST_FOLDED] * (MOST_KEPT // MOST_FOLDED)]
    assert folds[0].text == "500 more like it in 1 s"


def test_a_row_that_grows_from_frame_to_frame_counts_as_what_it_stands_for_by_then() -> None:
    log = Log()
    count = 250
    assert count < MOST_KEPT < sum(range(count))
    log.show(*lines(MAX, FREE_LINES))
    for number in range(count):
        log.show(line(MAX, f"line {number}"))
    (fold,) = [entry for entry in log.entries if entry.kind is Kind.FOLD]
    assert len(fold.folded) == count


# Warnings


def warnings(log: Log) -> list[str]:
    return [entry.text for entry in log.entries if entry.kind is Kind.WARNING]


def test_a_flood_is_warned_of_once_in_a_minute() -> None:
    log = Log()
    log.show(*lines(MAX, FAST_LINES - 1))
    assert warnings(log) == []
    log.show(line(MAX, "one more"), now=1000.1)
    assert warnings(log) == ["Max floods: 15 lines a minute. F6 mutes it, F3 kicks it"]
    assert (log.entries[-1].who, log.folding.floods.flooders(1000.1)) == (MAX, [MAX])
    log.show(line(UWE, "stop it"), *lines(MAX, 40, 10), now=1010)
    assert len(warnings(log)) == 1
    log.show(line(UWE, "stop it"), *lines(MAX, 40, 61), now=1061)
    assert len(warnings(log)) == 2


def test_the_warning_tells_how_fast_it_has_become() -> None:
    log = Log()
    log.show(*lines(MAX, 20))
    log.show(*lines(MAX, 20), now=1000.0 + WARNING_EVERY / 2)
    assert warnings(log) == ["Max floods: 20 lines a minute. F6 mutes it, F3 kicks it"]
    log.show(*lines(MAX, 22), now=1000.0 + WARNING_EVERY)
    assert warnings(log) == ["Max floods: 62 lines a minute. F6 mutes it, F3 kicks it"]


def test_a_paste_of_some_lines_is_folded_and_no_flood() -> None:
    log = Log()
    log.show(*lines(MAX, 12))
    assert (warnings(log), log.folding.floods.flooders(1000)) == ([], [])


def test_a_flood_that_others_interrupt_is_one_too() -> None:
    log = Log()
    for number in range(MANY_LINES):
        log.show(line(MAX, "buy", number / 2), line(UWE, "stop it", number / 2), now=1000 + number / 2)
    assert sorted(log.folding.floods.flooders(1030)) == [MAX, UWE]
    assert len(warnings(log)) == 2


def test_a_muted_flooder_is_warned_of_no_more() -> None:
    log = Log()
    log.show(*lines(MAX, 30))
    log.folding.floods.forget(MAX)
    for now in (1001, 1100):  # what it said in public still counts for a while
        log.show(*lines(MAX, 30, 0, Kind.SILENCED), now=now)
        assert (len(warnings(log)), log.folding.floods.flooders(now)) == (1, [])


def test_a_crowd_that_floods_is_warned_of_in_a_few_rows() -> None:
    log = Log()
    for who in range(100):
        log.show(*lines(who, 30))
    assert len(warnings(log)) == MOST_WARNINGS
    assert log.folding.floods.count == 100


# Who comes and goes


def test_a_joining_and_the_first_nickname_are_one_row() -> None:
    log = Log()
    assert log.show(joined(UWE)) == ["+ 127.0.0.1|47002 joined"]
    assert log.show(named(UWE, 1)) == ["+ uwe joined"]
    assert (log.entries[0].who, log.entries[0].folded, log.entries[0].time) == (UWE, (), AT)
    assert log.show(Move(Renamed(AT, UWE, "uwe", "Ute"), 0)) == ["+ uwe joined", "rename uwe is now Ute"]


def test_both_in_one_frame_too() -> None:
    assert Log().show(joined(UWE), named(UWE)) == ["+ uwe joined"]


def test_whatever_came_in_between_the_name_is_told_where_the_joining_was() -> None:
    log = Log()
    log.show(joined(UWE), *lines(MAX, 3))
    assert log.show(named(UWE))[0] == "+ uwe joined"


def test_who_has_spoken_under_its_address_changes_its_name_in_a_row_of_its_own() -> None:
    log = Log()
    log.show(joined(UWE), line(UWE, "hello"))
    assert log.show(named(UWE))[0::2] == ["+ 127.0.0.1|47002 joined", "rename 127.0.0.1|47002 is now uwe"]


def test_so_does_who_takes_its_first_nickname_long_after() -> None:
    log = Log()
    log.show(joined(UWE), joined(VERA))
    log.show(named(UWE, NAMED_WITHIN), named(VERA, NAMED_WITHIN + 1))
    assert shown(log.entries) == [
        "+ 2 joined: uwe, 127.0.0.1|47003",
        "rename 127.0.0.1|47003 is now vera",
    ]


def test_so_does_who_was_here_before() -> None:
    assert Log().show(named(UWE)) == ["rename 127.0.0.1|47002 is now uwe"]


def test_joinings_one_after_another_are_one_row() -> None:
    log = Log()
    log.show(joined(MAX), joined(UWE), named(MAX))
    log.show(joined(VERA), named(UWE), named(VERA))
    assert shown(log.entries) == ["+ 3 joined: Max, uwe, vera"]
    folded = log.entries[0].folded
    assert [(entry.kind, entry.text, entry.who) for entry in folded] == [
        (Kind.JOIN, f"{NAMES[who]} joined", who) for who in (MAX, UWE, VERA)
    ]
    assert log.entries[0].who is None


def test_of_many_eight_are_named() -> None:
    log = Log()
    log.show(*[joined(who) for who in range(10, 26)], *[named(who, 0, f"user{who}") for who in range(10, 26)])
    names = ", ".join(f"user{who}" for who in range(10, 10 + MOST_NAMES))
    assert shown(log.entries) == [f"+ 16 joined: {names} and 8 more"]


@pytest.mark.parametrize("between", [NOTICE, line(MAX, "hello"), left(MAX), Gap(AT, 3)])
def test_anything_else_ends_the_row(between: Item) -> None:
    log = Log()
    assert log.show(joined(UWE), joined(VERA), between, joined(10))[2:] == ["+ 127.0.0.1|47010 joined"]


def test_leavings_one_after_another_are_one_row_whoever_ended_it() -> None:
    log = Log()
    assert log.show(left(MAX, LeaveReason.END_OF_INPUT)) == ["- Max left (closed its end)"]
    log.show(left(UWE), left(VERA, LeaveReason.LOST))
    assert shown(log.entries) == ["- 3 left: Max, uwe, vera"]
    assert [entry.text for entry in log.entries[0].folded] == [
        "Max left (closed its end)",
        "uwe left",
        "vera left (connection lost)",
    ]


def test_why_somebody_had_to_leave_is_told_in_any_case() -> None:
    log = Log()
    log.show(left(MAX), left(UWE, LeaveReason.KICKED, "spam"))
    log.show(left(VERA, LeaveReason.BANNED), left(4, LeaveReason.BANNED))
    assert shown(log.entries) == ["- Max left", "- uwe left (kicked: spam)", "- 2 left (banned): vera, user4"]


def test_ten_thousand_who_join_at_once_and_take_names_are_ten_short_rows() -> None:
    log = Log()
    crowd = range(10, 10_010)
    log.show(*map(joined, crowd))
    log.show(*[named(who, 0, f"user{who}") for who in crowd])
    assert len(log.entries) == 10
    assert all(len(entry.text) < 300 and len(entry.folded) == MOST_FOLDED for entry in log.entries)
    assert log.replaced == 10


def test_the_row_of_who_left_again_keeps_what_it_tells() -> None:
    log = Log()
    log.show(joined(UWE), left(UWE))
    log.folding.forget(UWE)
    log.show(joined(VERA), named(VERA))
    assert shown(log.entries) == ["+ 127.0.0.1|47002 joined", "- uwe left", "+ vera joined"]
    assert log.show(named(UWE))[3:] == ["rename 127.0.0.1|47002 is now uwe"], "it is remembered"


# Lines that are not shown


def test_lines_not_shown_are_summed_up_until_something_is() -> None:
    log = Log()
    log.show(*lines(MAX, 9), Gap(AT, 1_800))
    after = log.show(Gap(AT, 1_200), *lines(MAX, 2), Gap(AT, 7))
    assert after[6:] == ["⋮ 5 more like it in 1 s", "notice 3,007 lines not shown: too many at once"]
    assert log.show(NOTICE, Gap(AT, 1))[8:] == [
        "notice between",
        "notice 1 line not shown: too many at once",
    ]


# Anything at all

ITEMS = st.one_of(
    st.tuples(
        st.sampled_from([MAX, UWE]),
        st.sampled_from([Kind.CHAT, Kind.CHAT, Kind.PRIVATE, Kind.SILENCED]),
        st.sampled_from([0.0, 0.1, 1.0, 4.0]),
        st.integers(1, 9),
    ),
    st.sampled_from([NOTICE, *(make(who) for who in NAMES for make in (joined, named, left))]),
)


def spread(frames: Sequence[Sequence[object]]) -> list[list[Item]]:
    """Give each line of the frames its time and a text of its own."""
    at = AT
    found: list[list[Item]] = []
    for frame in frames:
        items: list[Item] = []
        for item in frame:
            if type(item) is tuple:
                who, kind, pause, count = item
                for number in range(count):
                    at += pause
                    items.append(Entry(at, kind, NAMES[who], f"{at} {number}", who))
            else:
                assert isinstance(item, Entry | Move)
                if isinstance(item, Entry):
                    items.append(replace(item, time=at))
                else:
                    items.append(Move(replace(item.event, time=at), item.number))
        found.append(items)
    return found


def unfolded(entries: Iterable[Entry]) -> list[Entry]:
    return [each for entry in entries for each in (entry.folded or (entry,))]


@given(st.lists(st.lists(ITEMS, max_size=8), max_size=8))
def test_nothing_is_lost_or_shown_twice_or_in_another_order_than_it_was_said(
    frames: list[list[object]],
) -> None:
    log = Log()
    shown_frames = spread(frames)
    for number, items in enumerate(shown_frames):
        log.show(*items, now=1000 + number)
    everything = [item for items in shown_frames for item in items]
    found = unfolded(log.entries)
    for kind in (Kind.CHAT, Kind.PRIVATE, Kind.SILENCED):
        for who in (MAX, UWE):
            said = [
                item
                for item in everything
                if isinstance(item, Entry) and (item.kind, item.who) == (kind, who)
            ]
            assert [entry for entry in found if (entry.kind, entry.who) == (kind, who)] == said
    for event, kind in ((Joined, Kind.JOIN), (Left, Kind.LEAVE)):
        moves = [item.event for item in everything if isinstance(item, Move)]
        ids = [move.member_id for move in moves if isinstance(move, event)]
        assert [entry.who for entry in found if entry.kind is kind] == ids
    assert all(first.time <= second.time for first, second in zip(log.entries, log.entries[1:], strict=False))


@given(st.lists(ITEMS, max_size=20), st.lists(st.booleans(), min_size=20, max_size=20))
def test_in_how_many_frames_it_comes_makes_no_difference(items: list[object], cuts: list[bool]) -> None:
    once, often = Log(), Log()
    everything = spread([[item] for item in items])
    once.show(*[item for frame in everything for item in frame])
    pending: list[Item] = []
    for frame, cut in zip(everything, cuts, strict=False):
        pending += frame
        if cut:
            often.show(*pending)
            pending = []
    often.show(*pending)
    plain = [[entry for entry in log.entries if entry.kind is not Kind.WARNING] for log in (once, often)]
    assert plain[0] == plain[1]


def test_who_came_and_went_keeps_the_numbers_of_the_archive() -> None:
    log = Log()
    events = [each.event for each in (joined(MAX), joined(UWE), left(MAX), named(UWE, name="Ute"))]
    log.show(*[Move(event, number) for number, event in enumerate(events[:3], 5)])
    log.show(line(UWE, "hello"), Move(events[3], 9))
    assert [entry.number for entry in unfolded(log.entries)] == [5, 6, 7, 0, 9]
