"""One sequence from the first line of an archive to the newest entry: finding one's way in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.widgets.entry import Entry, Kind
from chat_console.widgets.past import MOST_PAGES, PAGE, WAITING, Lines
from chat_console.widgets.scrollback import FIRST_SERIAL, PAST_SERIAL, Row
from chat_console.widgets.timeline import Timeline


def line(number: int, text: str = "") -> Entry:
    return Entry(number, Kind.CHAT, "Ann", text or f"line {number}", number=number)


def lines(first: int, after: int) -> list[Entry]:
    return [line(number) for number in range(first, after)]


@dataclass
class Reader:
    """A timeline, and an archive that has what it asks for when it is told to answer."""

    kept: int = 10
    width: int = 60
    archive: dict[int, Entry] = field(default_factory=dict[int, Entry])
    asked: list[range] = field(default_factory=list[range])
    oldest: int = 1

    def __post_init__(self) -> None:
        self.timeline = Timeline(self.kept)
        self.timeline.past.need = self.asked.append
        self.timeline.resize(self.width)

    def begin(self, entries: list[Entry]) -> None:
        self.archive = {entry.number: entry for entry in entries}
        self.timeline.past.begin(max(self.archive) + 1)
        self.answer()

    def say(self, *entries: Entry) -> None:
        """Append entries that the archive has too, those with a number."""
        for entry in entries:
            self.archive.update({each.number: each for each in entry.expanded if each.number})
        self.timeline.append(entries)

    def answer(self) -> None:
        while self.asked:
            numbers = self.asked.pop(0)
            there = [self.archive[each] for each in numbers if each in self.archive and each >= self.oldest]
            self.timeline.fill(numbers, Lines(self.oldest, max(self.archive) + 1, there))

    @property
    def shown(self) -> list[str]:
        return [self.timeline[serial].text for serial in self.timeline.serials]

    @property
    def read(self) -> list[str]:
        """What is shown once all of it is read."""
        _ = self.shown
        self.answer()
        return self.shown

    @property
    def rows(self) -> list[Row]:
        serials = self.timeline.serials
        return [(each, row) for each in serials for row in range(len(self.timeline.layout(each).rows))]


def past(number: int) -> int:
    return PAST_SERIAL + number


def test_without_an_archive_it_is_the_entries() -> None:
    reader = Reader(kept=3)
    reader.say(*[Entry(0, Kind.CHAT, "", text) for text in "abcde"])
    timeline = reader.timeline
    assert reader.shown == ["c", "d", "e"]
    assert timeline.oldest == timeline.first == FIRST_SERIAL + 2
    assert timeline.settle(FIRST_SERIAL) == timeline.first
    assert (timeline.total, timeline.locate(0), reader.asked) == (3, (timeline.first, 0), [])


def test_it_goes_from_the_first_line_to_the_newest_entry() -> None:
    reader = Reader()
    reader.begin(lines(1, 6))
    reader.say(line(6), Entry(9, Kind.NOTICE, "", "not recorded"), line(7))
    assert reader.shown == [*[f"line {number}" for number in range(1, 7)], "not recorded", "line 7"]
    timeline = reader.timeline
    assert list(timeline.serials[4:6]) == [past(5), FIRST_SERIAL]
    assert (timeline.serials[-1], timeline.oldest) == (FIRST_SERIAL + 2, past(1))
    assert past(5) in timeline
    assert past(6) not in timeline
    assert FIRST_SERIAL in timeline


def test_lines_are_read_a_page_at_a_time_with_the_one_before() -> None:
    reader = Reader()
    reader.begin(lines(1, 3 * PAGE + 1))
    assert reader.timeline[past(PAGE * 2 + 5)] is WAITING
    assert reader.asked == [range(PAGE * 2, PAGE * 3)]
    assert reader.timeline[past(PAGE * 2 + 6)] is WAITING
    assert len(reader.asked) == 1
    reader.answer()
    assert reader.timeline.text(past(PAGE * 2 + 5)).endswith(f"line {PAGE * 2 + 5}")
    reader.timeline.layout(past(PAGE * 2 + 5))
    assert reader.asked == [range(PAGE, PAGE * 2)]


def test_a_placeholder_is_laid_out_anew_once_the_line_is_there() -> None:
    reader = Reader(width=40)
    reader.begin([line(number, "word " * 30) for number in range(1, 2 * PAGE + 1)])
    timeline = reader.timeline
    assert len(timeline.layout(past(1)).rows) == 1
    before = timeline.total
    reader.answer()
    assert len(timeline.layout(past(1)).rows) > 4
    assert timeline.total > before


def test_a_line_that_is_known_later_is_laid_out_anew() -> None:
    reader = Reader()
    reader.begin(lines(1, 2 * PAGE + 1))
    assert reader.timeline.layout(past(5)).text.endswith("…")
    reader.timeline.past.kept[5] = line(5)
    assert reader.timeline.layout(past(5)).text.endswith("line 5")


def test_a_page_that_is_read_again_takes_as_many_rows_as_before() -> None:
    reader = Reader(width=30)
    reader.begin([line(number, "sixteen-in-a-row " * 9) for number in range(1, 10)])
    rows = reader.rows
    assert reader.timeline.total == len(rows)
    reader.timeline.fill(range(PAGE), Lines(1, 10, [*reader.archive.values()]))
    assert reader.rows == rows
    assert reader.timeline.total == len(rows)


def test_the_pages_looked_at_last_are_kept() -> None:
    reader = Reader()
    reader.begin(lines(1, PAGE * (MOST_PAGES + 2)))
    for page in range(MOST_PAGES + 1):
        assert reader.timeline[past(1)] is not WAITING or page == 0
        reader.timeline[past(page * PAGE + 1)]
        reader.answer()
    assert reader.timeline[past(1)] is not WAITING
    assert reader.timeline[past(PAGE + 1)] is WAITING
    assert reader.timeline[past(PAGE * 2 + 1)] is not WAITING


def test_an_entry_that_is_dropped_becomes_the_line_it_was_recorded_as() -> None:
    reader = Reader(kept=2)
    reader.begin(lines(1, 3))
    reader.say(line(3), Entry(9, Kind.NOTICE, "", "not recorded"), line(4))
    reader.say(line(5))
    timeline = reader.timeline
    assert timeline.past.numbers == range(1, 4)
    assert reader.shown[-3:] == ["line 3", "line 4", "line 5"]
    assert [timeline.settle(FIRST_SERIAL + place) for place in range(4)] == [
        *(past(3), timeline.first, FIRST_SERIAL + 2, FIRST_SERIAL + 3)
    ]
    reader.say(line(6))
    assert timeline.settle(FIRST_SERIAL + 1) == past(4)
    assert timeline.nearest((FIRST_SERIAL + 1, 0)) == (past(4), 0)


def test_of_a_row_that_stands_for_several_all_become_lines() -> None:
    reader = Reader(kept=4)
    reader.begin(lines(1, 3))
    folded = (line(3), line(5), line(6))
    reader.say(Entry(3, Kind.FOLD, "", "2 more", folded=folded), line(4), line(7), line(8))
    assert reader.timeline.settle(FIRST_SERIAL) == past(3)
    assert reader.timeline.past.numbers == range(1, 7)
    # What was between them is a line with them: nothing is shown twice, or missing.
    assert reader.read == [f"line {number}" for number in range(1, 9)]
    assert reader.timeline.settle(FIRST_SERIAL + 1) == past(4)


def test_a_row_that_goes_on_after_it_was_dropped_takes_the_lines_between_with_it() -> None:
    reader = Reader(kept=3)
    reader.begin(lines(1, 3))
    reader.say(line(3), line(4), line(6), line(8))
    reader.archive.update({number: line(number) for number in (5, 7, 9)})
    assert reader.timeline.past.numbers == range(1, 4)
    reader.timeline.outlive(Entry(3, Kind.FOLD, "", "2 more", folded=(line(3), line(5), line(7))))
    assert reader.timeline.past.numbers == range(1, 8)
    assert [entry.number for entry in reader.timeline.entries] == [8]
    assert reader.read == [f"line {number}" for number in range(1, 9)]


def test_what_was_not_recorded_stays_while_nothing_newer_is_a_line() -> None:
    reader = Reader(kept=4)
    reader.begin(lines(1, 3))
    notice = Entry(9, Kind.NOTICE, "", "not recorded")
    reader.say(Entry(3, Kind.FOLD, "", "1 more", folded=(line(3), line(5))), notice, line(4), notice, line(6))
    assert [entry.text for entry in reader.timeline.entries] == ["not recorded", "line 6"]


def test_more_entries_at_once_than_are_kept_become_lines_too() -> None:
    reader = Reader(kept=3)
    reader.begin(lines(1, 3))
    reader.say(*lines(3, 20))
    assert reader.timeline.past.numbers == range(1, 17)
    assert reader.timeline.settle(FIRST_SERIAL + 5) == past(8)


def test_the_oldest_lines_may_go() -> None:
    reader = Reader()
    reader.begin(lines(1, 2 * PAGE))
    reader.oldest = PAGE - 5
    reader.timeline[past(3)]
    reader.answer()
    assert reader.timeline.oldest == past(PAGE - 5)
    assert reader.timeline.nearest((past(3), 0)) == (past(PAGE - 5), 0)
    reader.oldest = 2 * PAGE
    reader.timeline[past(PAGE)]
    reader.timeline.fill(range(PAGE), Lines(2 * PAGE, 2 * PAGE, ()))
    assert not reader.timeline.past.numbers
    assert not reader.timeline.serials


def test_an_archive_that_begins_earlier_by_now_has_its_lines() -> None:
    reader = Reader()
    reader.oldest = 5
    reader.begin(lines(1, 10))
    assert reader.shown == [f"line {number}" for number in range(5, 10)]
    reader.timeline.past.first = 3
    assert reader.timeline[past(4)] is WAITING
    reader.oldest = 3
    reader.answer()
    assert reader.shown == [f"line {number}" for number in range(3, 10)]


def test_a_line_that_the_archive_lost_is_shown_as_that() -> None:
    reader = Reader()
    reader.begin([line(1), line(4), line(5)])
    assert reader.shown == ["line 1", "a line is missing here", "a line is missing here", "line 4", "line 5"]


def test_lines_that_have_not_reached_the_archive_are_awaited() -> None:
    reader = Reader()
    reader.timeline.past.begin(8)
    numbers = reader.asked.pop()
    assert not reader.timeline.fill(numbers, Lines(1, 6, lines(1, 6)))
    assert reader.shown[-3:] == ["line 5", "…", "…"]
    assert reader.asked == []
    reader.timeline.past.miss(numbers)
    assert reader.shown[-1] == "…"
    assert reader.asked == [numbers]
    assert reader.timeline.fill(numbers, Lines(1, 8, lines(1, 8)))
    assert reader.shown[-2:] == ["line 6", "line 7"]


def test_clearing_leaves_nothing_and_says_nothing_of_what_was() -> None:
    reader = Reader(kept=2)
    reader.begin(lines(1, 3))
    reader.say(*lines(3, 8))
    reader.timeline.clear()
    assert not reader.timeline.serials
    assert reader.timeline.settle(FIRST_SERIAL) == reader.timeline.first
    reader.say(line(9))
    assert reader.shown == ["line 9"]
    reader.say(line(10), line(11))
    assert reader.timeline.settle(FIRST_SERIAL) == past(9)


def test_only_some_may_have_rows() -> None:
    reader = Reader(kept=3)
    reader.begin(lines(1, 4))
    reader.say(line(4), line(5), line(6))
    timeline = reader.timeline
    timeline.show_only([past(1), past(3), FIRST_SERIAL + 1])
    assert reader.shown == ["line 1", "line 3", "line 5"]
    assert (timeline.total, timeline.locate(1), timeline.number((FIRST_SERIAL + 1, 0))) == (
        3,
        (past(3), 0),
        2,
    )
    assert [*timeline.loaded(past(2), FIRST_SERIAL + 5)] == [past(3), FIRST_SERIAL + 1]
    reader.say(line(7), line(8))
    assert reader.shown == ["line 1", "line 3"]  # the entry was dropped, and the search says what it is now
    timeline.show_only(None)
    assert len(timeline.serials) == 8


def test_of_lines_only_those_that_are_read_are_loaded() -> None:
    reader = Reader()
    reader.begin(lines(1, 10 * PAGE))
    reader.say(*lines(10 * PAGE, 10 * PAGE + 3))
    reader.timeline.past.kept[7] = line(7)
    everything = [*reader.timeline.loaded(0, 1 << 60)]
    assert everything == [
        past(7),
        *range(past(9 * PAGE), past(10 * PAGE)),
        *range(FIRST_SERIAL, FIRST_SERIAL + 3),
    ]
    assert [*reader.timeline.loaded(past(8), past(9 * PAGE + 1))] == [past(9 * PAGE), past(9 * PAGE + 1)]


@pytest.mark.parametrize(("time", "found"), [(0, 6), (6, 6), (7, 7), (99, 8)])
def test_a_time_is_looked_for_among_the_entries(time: float, found: int) -> None:
    reader = Reader()
    reader.begin(lines(1, 6))
    reader.say(*lines(6, 9))
    assert reader.timeline[reader.timeline.since(time)].number == found


def test_with_lines_alone_a_time_is_at_the_last() -> None:
    reader = Reader()
    reader.begin(lines(1, 6))
    assert reader.timeline.since(3) == past(5)
    assert reader.timeline.locate(99) == (past(5), 0)


TEXTS = st.lists(st.text("ab 你", max_size=200), min_size=1, max_size=30)


@given(TEXTS, TEXTS, st.integers(1, 40), st.integers(3, 60), st.data())
def test_each_row_is_where_its_number_says(
    before: list[str], said: list[str], kept: int, width: int, data: st.DataObject
) -> None:
    reader = Reader(kept, width)
    reader.begin([line(number, text) for number, text in enumerate(before, 1)])
    for number, text in enumerate(said, len(before) + 1):
        reader.say(line(number, text) if data.draw(st.booleans()) else Entry(0, Kind.NOTICE, "", text))
    reader.answer()
    timeline = reader.timeline
    rows = reader.rows
    reader.answer()
    rows = reader.rows
    assert timeline.total == len(rows)
    assert [timeline.number(row) for row in rows] == [*range(len(rows))]
    assert [timeline.locate(number) for number in range(len(rows))] == rows
    assert timeline.rows(rows[0], len(rows) + 5) == rows
    start = data.draw(st.integers(0, len(rows) - 1))
    way = data.draw(st.integers(-len(rows), len(rows)))
    assert timeline.walk(rows[start], way) == rows[min(max(0, start + way), len(rows) - 1)]


@given(st.data())
def test_whatever_is_read_and_dropped_a_row_is_found_by_its_number(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 5 * PAGE))
    reader = Reader(kept=data.draw(st.integers(1, 50)), width=30)
    reader.begin([line(number, "word " * (number % 20)) for number in range(1, count + 1)])
    reader.say(*lines(count + 1, count + 40))
    for _ in range(5):
        number = data.draw(st.integers(1, count))
        timeline = reader.timeline
        if past(number) in timeline:
            timeline.layout(past(number))
        if data.draw(st.booleans()):
            reader.answer()
        for row in timeline.rows(timeline.locate(data.draw(st.integers(0, timeline.total))), 20):
            assert timeline.locate(timeline.number(row)) == row
        assert timeline.number((timeline.serials[-1], 0)) < timeline.total
