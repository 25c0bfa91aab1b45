"""The search index: it gets every line, in volumes, little by little; and it can be dropped."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.records import Tape

from chat_console.server.history import search_index as module
from chat_console.server.history.search_index import SearchIndex, can_index
from chat_console.server.history.store import Store
from chat_console.server.history.trigrams import matching, spread, trigrams
from chat_console.server.room.text import clean

pytestmark = pytest.mark.skipif(not can_index(), reason="SQLite has no FTS5")


@pytest.fixture
def index(store: Store) -> SearchIndex:
    """One whose volumes have 16 numbers."""
    return SearchIndex(store.db, bits=4)


def fill(index: SearchIndex, first: int, after: int) -> list[int]:
    """Index everything; return the volumes, in the order of the slices."""
    volumes: list[int] = []
    while (volume := index.next_volume(first, after)) is not None:
        index.add_slice(volume, first, after)
        volumes.append(volume)
    return volumes


def found(db: sqlite3.Connection, volume: int, text: str) -> list[int]:
    query = f"SELECT rowid FROM find_{volume} WHERE find_{volume} MATCH ? ORDER BY rowid"
    return [row for (row,) in db.execute(query, (matching([text]),))]


def test_every_line_is_found_by_any_three_characters(store: Store, index: SearchIndex, tape: Tape) -> None:
    store.append(tape.say("TCP is a stream", "recv\nreturns bytes", "漢字を書く", "🎉 party", name="Bert"))
    fill(index, 1, store.next)
    assert found(store.db, 0, "strea") == [1]
    assert found(store.db, 0, "RETURNS") == [2]
    assert found(store.db, 0, "字を") == [4]
    assert found(store.db, 0, "🎉") == [5]
    assert found(store.db, 0, "ert: ") == [1, 2, 4, 5]
    assert found(store.db, 0, "nothing") == []


def test_the_newest_volume_comes_first(store: Store, index: SearchIndex, tape: Tape) -> None:
    store.append(tape.say(*[f"line {number}" for number in range(40)]))
    assert index.behind(1, store.next) == 40
    assert fill(index, 1, store.next) == [2, 1, 0]
    assert index.behind(1, store.next) == 0
    store.append(tape.say("one more"))
    assert fill(index, 1, store.next) == [2]
    assert found(store.db, 2, "one more") == [41]


def test_slices_are_small(store: Store, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE", 10)
    index = SearchIndex(store.db)
    store.append(tape.say(*["hello"] * 25, "\n".join(["hello"] * 100), "hello"))
    assert fill(index, 1, store.next) == [0] * 4
    assert found(store.db, 0, "hello") == [*range(1, 27), 126]


def test_numbers_without_lines_are_no_hindrance(
    store: Store, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLICE", 5)
    index = SearchIndex(store.db)
    store.append(tape.say("hello"))
    tape.next = 500
    store.append(tape.say("hello again"))
    assert fill(index, 1, store.next) == [0, 0]
    again = SearchIndex(store.db, bits=4)
    assert set(fill(again, 1, store.next)) == {*range(1, 32)}
    assert found(store.db, 31, "hello") == [500]


def test_a_python_without_fts5_has_no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    class Poor(sqlite3.Connection):
        def execute(self, *_: object) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("no such module: fts5")

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda name: connect(name, factory=Poor))
    assert not can_index.__wrapped__()


def test_it_goes_on_where_it_ended(store: Store, index: SearchIndex, tape: Tape) -> None:
    store.append(tape.say(*["hello"] * 20))
    fill(index, 1, store.next)
    again = SearchIndex(store.db, bits=4)
    assert again.next_volume(1, store.next) is None


def test_lines_that_were_deleted_are_no_hindrance(store: Store, index: SearchIndex, tape: Tape) -> None:
    store.append(tape.say(*["hello"] * 40))
    for _ in store.retire(21):
        pass
    assert fill(index, store.first, store.next) == [2, 1]
    assert found(store.db, 1, "hello") == [*range(21, 32)]
    assert index.before(36) == [1]


def test_a_volume_that_was_dropped_is_made_anew(store: Store, index: SearchIndex, tape: Tape) -> None:
    store.append(tape.say(*["hello"] * 20))
    fill(index, 1, store.next)
    index.drop(0)
    assert fill(index, 1, store.next) == [0]
    assert found(store.db, 0, "hello") == [*range(1, 16)]


def test_merging_comes_to_an_end_and_loses_nothing(
    store: Store, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLICE", 5)
    index = SearchIndex(store.db)
    assert not index.merge()
    store.append(tape.say(*[f"line number {number} of many" for number in range(200)]))
    fill(index, 1, store.next)
    steps = 0
    while index.merge():
        steps += 1
    assert 0 < steps < 1000
    assert found(store.db, 0, "number") == [*range(1, 201)]


CLEAN = st.text(st.characters(exclude_categories=["Cs", "Co", "Cn"])).map(clean)


@given(CLEAN, CLEAN)
def test_no_two_texts_are_spread_alike(one: str, other: str) -> None:
    assert (spread(one) == spread(other)) == (one == other)


@given(CLEAN)
@settings(max_examples=200)
def test_a_part_of_a_text_has_no_trigram_that_the_text_lacks(text: str) -> None:
    half = text[len(text) // 3 : 2 * len(text) // 3 + 1]
    assert set(trigrams(half)) <= set(trigrams(text))


@pytest.mark.parametrize(
    ("text", "count"), [("ab", 0), ("abc", 1), ("漢", 0), ("漢字", 2), ("🎉", 1), ("é", 0), ("한국", 2)]
)
def test_how_much_of_a_text_has_a_trigram(text: str, count: int) -> None:
    assert len(trigrams(text)) == count


def test_quotes_are_no_syntax() -> None:
    assert matching(['a"b"c']) == '"a""b" AND """b""" AND "b""c"'
    assert matching(["ab", "x"]) == ""
