"""The entries that are kept, and finding one's way among their rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.widgets.entry import Entry, Kind
from chat_console.widgets.scrollback import FIRST_SERIAL, Row, Scrollback


def entries(*texts: str) -> list[Entry]:
    return [Entry(0, Kind.CHAT, "", text) for text in texts]


def filled(texts: list[str], width: int = 60) -> Scrollback:
    scrollback = Scrollback(1000)
    scrollback.resize(width)
    scrollback.append(entries(*texts))
    return scrollback


def all_rows(scrollback: Scrollback) -> list[Row]:
    serials = range(scrollback.first, scrollback.next)
    return [(serial, row) for serial in serials for row in range(len(scrollback.layout(serial).rows))]


def folded(lines: int) -> Entry:
    return Entry(0, Kind.FOLD, "", str(lines), None, tuple(entries("x")) * lines)


TEXTS = st.lists(st.text("ab 你", max_size=200), min_size=1, max_size=20)


def test_serial_numbers_stay_while_older_entries_are_dropped() -> None:
    scrollback = Scrollback(3)
    scrollback.append(entries("a", "b"))
    scrollback.append(entries("c", "d"))
    assert [each.text for each in scrollback.entries] == ["b", "c", "d"]
    assert (scrollback.first, scrollback.next) == (FIRST_SERIAL + 1, FIRST_SERIAL + 4)
    assert scrollback.text(FIRST_SERIAL + 2).endswith("c")


def test_of_a_batch_above_the_limit_the_newest_are_kept_and_all_are_counted() -> None:
    scrollback = Scrollback(3)
    scrollback.append(entries("a"))
    scrollback.append(entries(*"bcdefg"))
    assert [each.text for each in scrollback.entries] == ["e", "f", "g"]
    assert scrollback.next == FIRST_SERIAL + 7


def test_clearing_never_gives_a_serial_number_again() -> None:
    scrollback = filled(["a", "b"])
    scrollback.clear()
    assert (scrollback.entries, scrollback.total) == ([], 0)
    assert scrollback.first == scrollback.next == FIRST_SERIAL + 2


@given(st.lists(st.integers(0, 12)), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12))))
def test_the_newest_entries_are_kept_that_stand_for_few_enough_lines(
    counts: list[int], replacements: list[tuple[int, int]]
) -> None:
    scrollback = Scrollback(10)
    kept: dict[int, int] = {}

    def drop() -> None:
        while sum(kept.values()) > 10 and len(kept) > 1:
            del kept[min(kept)]

    for batch in (counts[:3], counts[3:]):
        first = scrollback.append([folded(lines) for lines in batch])
        kept |= {first + index: max(1, lines) for index, lines in enumerate(batch)}
        drop()
    for index, lines in replacements:
        serial = FIRST_SERIAL + index
        known = serial in kept
        if known:
            kept[serial] = max(1, lines)
        drop()
        assert scrollback.replace(serial, folded(lines)) == (serial in kept)
    assert list(scrollback.serials) == sorted(kept)
    assert scrollback.lines == sum(kept.values())
    assert [len(each.folded) or 1 for each in scrollback.entries] == [kept[each] for each in sorted(kept)]


@given(TEXTS, st.text("ab 你", max_size=200), st.data())
def test_a_replaced_entry_takes_the_rows_of_the_new_one(
    texts: list[str], text: str, data: st.DataObject
) -> None:
    serial = data.draw(st.integers(FIRST_SERIAL, FIRST_SERIAL + len(texts) - 1))
    replaced = filled(texts)
    all_rows(replaced)
    assert replaced.replace(serial, *entries(text))
    fresh = filled([*texts[: serial - FIRST_SERIAL], text, *texts[serial - FIRST_SERIAL + 1 :]])
    assert all_rows(replaced) == all_rows(fresh)
    assert replaced.total == fresh.total
    assert replaced.text(serial) == fresh.text(serial)


def test_what_has_been_dropped_or_never_was_cannot_be_replaced() -> None:
    scrollback = Scrollback(2)
    assert scrollback.append(entries("a", "b", "c")) == FIRST_SERIAL
    assert scrollback.append(entries("d")) == FIRST_SERIAL + 3
    for serial in (FIRST_SERIAL + 1, FIRST_SERIAL + 4, 0):
        assert not scrollback.replace(serial, *entries("x"))
    assert [each.text for each in scrollback.entries] == ["c", "d"]


@given(TEXTS, st.lists(st.integers(1, 120), max_size=3), st.data())
def test_the_total_is_exact_once_all_was_laid_out(
    texts: list[str], widths: list[int], data: st.DataObject
) -> None:
    scrollback = filled(texts)
    for width in widths:
        scrollback.layout(data.draw(st.integers(scrollback.first, scrollback.next - 1)))
        scrollback.resize(width)
    rows = all_rows(scrollback)
    assert scrollback.total == len(rows)
    assert [scrollback.number(row) for row in rows] == list(range(len(rows)))
    assert [scrollback.locate(number) for number in range(len(rows))] == rows
    assert scrollback.locate(len(rows)) == scrollback.locate(10**6) == rows[-1]


@given(TEXTS, st.data())
def test_walking_goes_exactly_as_far_as_asked_whatever_was_estimated(
    texts: list[str], data: st.DataObject
) -> None:
    rows = all_rows(filled(texts))
    start = data.draw(st.integers(0, len(rows) - 1))
    distance = data.draw(st.integers(-len(rows), len(rows)))
    assert filled(texts).walk(rows[start], distance) == rows[min(max(0, start + distance), len(rows) - 1)]


@given(TEXTS, st.integers(1, 30), st.data())
def test_rows_follow_one_another_up_to_the_end(texts: list[str], count: int, data: st.DataObject) -> None:
    rows = all_rows(filled(texts))
    start = data.draw(st.integers(0, len(rows) - 1))
    assert filled(texts).rows(rows[start], count) == rows[start : start + count]
    assert filled(texts).last_top(count) == rows[max(0, len(rows) - count)]


@given(TEXTS, st.data())
def test_entries_that_are_shown_alone_are_walked_as_if_there_were_no_others(
    texts: list[str], data: st.DataObject
) -> None:
    shown = sorted(data.draw(st.sets(st.integers(0, len(texts) - 1), min_size=1)))
    scrollback = filled(texts)
    serials = [FIRST_SERIAL + index for index in shown]
    scrollback.show_only(serials)
    alone = filled([texts[index] for index in shown])
    rows = [(serials[serial - FIRST_SERIAL], row) for serial, row in all_rows(alone)]
    count = data.draw(st.integers(1, 30))
    start = data.draw(st.integers(0, len(rows) - 1))
    distance = data.draw(st.integers(-len(rows), len(rows)))
    assert scrollback.walk(rows[start], distance) == rows[min(max(0, start + distance), len(rows) - 1)]
    assert scrollback.rows(rows[start], count) == rows[start : start + count]
    assert scrollback.last_top(count) == rows[max(0, len(rows) - count)]
    for serial in serials:
        scrollback.layout(serial)
    assert scrollback.total == len(rows)
    assert [scrollback.number(row) for row in rows] == list(range(len(rows)))
    assert [scrollback.locate(number) for number in range(len(rows))] == rows
    scrollback.show_only(None)
    assert scrollback.last_top(count) == filled(texts).last_top(count)


def test_what_was_dropped_is_not_shown_though_it_is_named() -> None:
    scrollback = Scrollback(3)
    scrollback.append(entries(*"abc"))
    named = [FIRST_SERIAL, FIRST_SERIAL + 2]
    scrollback.show_only(named)
    assert scrollback.is_filtered
    scrollback.append(entries("d"))
    assert list(scrollback.serials) == [FIRST_SERIAL + 2]
    named.append(FIRST_SERIAL + 3)
    assert list(scrollback.serials) == [FIRST_SERIAL + 2, FIRST_SERIAL + 3]


@given(TEXTS, st.data())
def test_the_nearest_row_is_the_row_itself_or_the_next_one_there_is(
    texts: list[str], data: st.DataObject
) -> None:
    scrollback = filled(texts)
    scrollback.show_only(sorted(data.draw(st.sets(st.sampled_from(list(scrollback.serials)), min_size=1))))
    rows = all_rows(filled(texts))
    shown = [row for row in rows if row[0] in scrollback.serials]
    for row in rows:
        assert scrollback.nearest(row) == next((each for each in shown if each >= row), shown[-1])
    assert scrollback.nearest((0, 5)) == shown[0]
    assert scrollback.nearest((rows[-1][0] + 9, 5)) == shown[-1]
    serial = scrollback.serials[0]
    assert scrollback.nearest((serial, 10**6)) == max(row for row in rows if row[0] == serial)


def test_an_entry_is_found_by_its_time() -> None:
    scrollback = Scrollback(10)
    scrollback.append([Entry(time, Kind.CHAT, "", "") for time in (10, 20, 20, 30)])
    found = [scrollback.since(time) - FIRST_SERIAL for time in (0, 10, 11, 20, 25, 30, 99)]
    assert found == [0, 0, 1, 1, 3, 3, 3]


def test_only_entries_that_are_looked_at_are_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out: list[str] = []
    real = Scrollback.layout.__globals__["lay_out"]

    def counting(entry: Entry, width: int) -> object:
        laid_out.append(entry.text)
        return real(entry, width)

    monkeypatch.setattr("chat_console.widgets.scrollback.lay_out", counting)
    scrollback = filled([str(number) for number in range(900)])
    scrollback.resize(80)
    assert not laid_out
    scrollback.rows(scrollback.last_top(5), 5)
    assert sorted(laid_out) == ["895", "896", "897", "898", "899"]
