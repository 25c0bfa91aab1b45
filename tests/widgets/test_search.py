"""What a query finds, and that a search in slices finds the same, whatever comes and goes meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.widgets.entry import Entry, Kind, lay_out
from chat_console.widgets.query import Query
from chat_console.widgets.scrollback import FIRST_SERIAL
from chat_console.widgets.search import Search
from chat_console.widgets.timeline import Timeline

NOW = time.mktime((2026, 3, 2, 12, 30, 0, 0, 0, -1))


def clock_time(day: int, hour: int, minute: int, second: int = 0) -> float:
    return time.mktime((2026, 3, day, hour, minute, second, 0, 0, -1))


def query(text: str) -> Query:
    return Query.parse(text, NOW)


def said(text: str, sender: str = "Max", kind: Kind = Kind.CHAT, who: int | None = 1) -> Entry:
    return Entry(NOW, kind, sender, text, who)


FOLD = Entry(NOW, Kind.FOLD, "", "2 more like it", 7, (said("buy", "stefan", who=7), said("sell", "stefan")))


@pytest.mark.parametrize(
    ("text", "entry", "found"),
    [
        ("stream", said("TCP is a Stream"), True),
        ("STREAM", said("TCP is a stream"), True),
        ("stream tcp", said("TCP is a stream"), True),
        ("stream udp", said("TCP is a stream"), False),
        ("max", said("hello"), True),
        ("strasse", said("Die Straße"), True),
        ("@ma", said("hello"), True),
        ("@MAX hello", said("hello"), True),
        ("@max hello", said("bye"), False),
        ("@ax", said("hello"), False),
        ("@max", said("max is here", sender=""), False),
        ("@", said("hello"), False),
        ("»", said("hush", kind=Kind.PRIVATE), True),
        (">>", said("hush", kind=Kind.PRIVATE), True),
        ("»", said("hush", "to Max", Kind.SENT), True),
        ("» @max", said("hush", "to Max", Kind.SENT), True),
        ("»", said("hush"), False),
        ("» loud", said("hush", kind=Kind.PRIVATE), False),
        ("sell", FOLD, True),
        ("buy sell", FOLD, False),
        ("@stefan", FOLD, True),
        ("more", FOLD, True),
        ("", said("hello"), False),
        ("   ", said("hello"), False),
        ("[/x]", said("[/x]"), True),
        ("22:40 max", said("at 22:40"), True),
    ],
)
def test_a_query_finds_what_it_asks_for(text: str, entry: Entry, found: bool) -> None:
    assert query(text).finds(entry) is found


def test_a_user_is_found_by_id_whatever_the_name_and_also_in_what_is_folded() -> None:
    by_id = Query.of_user(7, "lines of stefan")
    assert by_id
    assert by_id.text == "lines of stefan"
    assert [by_id.finds(each) for each in (FOLD, said("x", who=7), said("x"), said("x", who=None))] == [
        True,
        True,
        False,
        False,
    ]
    merged = Entry(NOW, Kind.JOIN, "", "2 joined", None, (said("", kind=Kind.JOIN, who=7), said("")))
    assert by_id.finds(merged)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("12:30", clock_time(2, 12, 30)),
        ("12:31", clock_time(1, 12, 31)),
        ("9:05", clock_time(2, 9, 5)),
        (" 22:40:15 ", clock_time(1, 22, 40, 15)),
        ("-20m", NOW - 1200),
        ("-2h", NOW - 7200),
        ("-90s", NOW - 90),
        ("24:00", None),
        ("22:60", None),
        ("22:4", None),
        ("-20", None),
        ("-20m ago", None),
        ("22:40 max", None),
        ("", None),
    ],
)
def test_one_word_alone_may_be_a_time_until_now(text: str, at: float | None) -> None:
    parsed = query(text)
    assert parsed.time == at
    if at is not None:
        assert not parsed
        assert not parsed.finds(said("12:30"))


@pytest.mark.parametrize(
    ("text", "entry", "found"),
    [
        ("stream tcp", said("TCP is a stream, TCP"), ["TCP", "stream", "TCP"]),
        ("strasse", said("an der Straße dort"), ["Straße"]),
        ("s", said("Maß", "Bob"), ["ß", "ß"]),
        ("12", said("at noon", "12"), ["12"]),
        ("@max", said("hello"), ["Max: "]),
        ("@max hello", said("hello"), ["Max: ", "hello"]),
        ("»", said("hush", kind=Kind.PRIVATE), ["Max: "]),
        ("sell", FOLD, ["2 more like it"]),
        ("aa", said("aaaa", "Bob"), ["aa", "aa"]),
    ],
)
def test_of_a_hit_what_was_found_is_marked(text: str, entry: Entry, found: list[str]) -> None:
    layout = lay_out(entry, 80)
    spans = query(text).spans(layout.text, layout.sender_end)
    assert [layout.text[start : len(layout.text) if end < 0 else end] for start, end in spans] == found


@given(st.text("aßİẞﬁ", max_size=20), st.text("asißfi", min_size=1, max_size=3))
def test_marks_are_within_the_text_wherever_case_folding_makes_it_longer(text: str, word: str) -> None:
    layout = lay_out(said(text, "Bob"), 80)
    for start, end in query(word).spans(layout.text, layout.sender_end):
        assert end == -1 or 0 <= start < end <= len(layout.text)


# Searching in slices


def ticking() -> Iterator[float]:
    """A clock that goes on by a second whenever it is read, so that each slice is as short as can be."""
    return map(float, count())


def scrollback_of(*texts: str, max_lines: int = 10_000) -> Timeline:
    scrollback = Timeline(max_lines)
    scrollback.append([said(text) for text in texts])
    return scrollback


def found_at_once(scrollback: Timeline, wanted: Query) -> list[int]:
    return [serial for serial in scrollback.serials if wanted.finds(scrollback[serial])]


def test_the_newest_are_found_first() -> None:
    scrollback = scrollback_of(*["hit"] * 1000)
    search = Search(scrollback, query("hit"), clock=ticking().__next__)
    assert not search.is_done
    found: list[list[int]] = []
    while not search.step(0):
        found.append(list(search.hits))
    assert found[0][-1] == scrollback.next - 1
    assert all(hits == list(range(hits[0], scrollback.next)) for hits in found)
    assert len(found) > 10
    assert search.hits == list(scrollback.serials)


def test_a_step_ends_when_its_time_is_over() -> None:
    scrollback = scrollback_of(*["x"] * 10_000)
    reads = ticking()
    search = Search(scrollback, query("hit"), clock=reads.__next__)
    search.step(3)
    assert next(reads) <= 5


CHANGES = st.one_of(
    st.tuples(st.just("append"), st.lists(st.sampled_from(["hit", "miss"]), max_size=100)),
    st.tuples(st.just("replace"), st.integers(0, 300), st.sampled_from(["hit", "miss"]), st.integers(0, 40)),
    st.tuples(st.just("step")),
    st.tuples(st.just("clear")),
)


@given(st.lists(st.sampled_from(["hit", "miss"]), max_size=300), st.lists(CHANGES, max_size=12))
def test_a_search_finds_all_and_nothing_else_whatever_changes_meanwhile(
    texts: list[str], changes: list[tuple[object, ...]]
) -> None:
    scrollback = scrollback_of(*texts, max_lines=200)
    search = Search(scrollback, query("hit"), clock=ticking().__next__)
    hits = search.hits
    for change in changes:
        match change:
            case ("append", list(more)):
                scrollback.append([said(text) for text in more])
            case ("replace", int(index), str(text), int(folded)):
                serial = FIRST_SERIAL + index
                scrollback.replace(serial, replace(said(text), folded=(said("miss"),) * folded))
                search.replaced(serial)
            case ("clear",):
                scrollback.clear()
            case _:
                search.step(0)
                kept = [serial for serial in search.hits if serial in scrollback]
                assert kept == search.hits == sorted(set(search.hits))
    while not search.step(0):
        pass
    assert search.hits is hits
    assert hits == found_at_once(scrollback, query("hit"))


def test_what_is_replaced_becomes_a_hit_or_is_one_no_longer() -> None:
    scrollback = Timeline(100)
    first = scrollback.append([said("hit"), said("miss"), said("hit")])
    search = Search(scrollback, query("hit"))
    while not search.step(0):
        pass
    for place, text, hits in ((1, "hit", [0, 1, 2]), (0, "miss", [1, 2]), (2, "hit too", [1, 2])):
        scrollback.replace(first + place, said(text))
        search.replaced(first + place)
        assert search.hits == [first + hit for hit in hits]


def test_what_is_replaced_before_it_is_looked_at_is_found_once() -> None:
    scrollback = Timeline(100)
    first = scrollback.append([said("miss")])
    search = Search(scrollback, query("hit"))
    scrollback.replace(first, said("hit"))
    search.replaced(first)
    assert not search.hits
    while not search.step(0):
        pass
    assert search.hits == [first]


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.data())
def test_neighbours_and_numbers_are_those_of_the_hits(found: list[bool], data: st.DataObject) -> None:
    scrollback = scrollback_of(*("hit" if each else "miss" for each in found))
    search = Search(scrollback, query("hit"))
    assert search.step(60)
    serial = data.draw(st.integers(scrollback.first, scrollback.next - 1))
    older = [hit for hit in search.hits if hit < serial]
    newer = [hit for hit in search.hits if hit > serial]
    assert search.older(serial) == (older[-1] if older else None)
    assert search.newer(serial) == (newer[0] if newer else None)
    assert (serial in search) == (serial in search.hits)
    assert search.number(serial) == len(older) + (serial in search.hits)
