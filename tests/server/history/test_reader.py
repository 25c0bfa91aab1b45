"""Reading a history: pages are slices of its lines, and a search finds what a look at every line finds."""

# ruff: noqa: RUF001 - letters that fold to others

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.records import NOW, Tape

from chat_console.server.history import reader as module
from chat_console.server.history.query import TALK, Query
from chat_console.server.history.reader import Reader
from chat_console.server.history.records import Kind, Line, Record
from chat_console.server.history.search_index import SearchIndex, can_index
from chat_console.server.history.store import Store
from chat_console.server.history.trigrams import fold

BITS = 3
"""Volumes of 8 serial numbers."""


def lines_of(records: list[Record]) -> list[Line]:
    """The lines of records, as a reader should give them."""
    return [
        Line(record.serial + place, record.time, record.kind, record.member_id, record.name, "", text)
        for record in records
        for place, text in enumerate(record.text.split("\n"))
    ]


def write(path: Path, records: list[Record], *, indexed: int | None = None) -> None:
    """Write a history in which the volumes are complete; or only as many slices of one record each."""
    store = Store(path, "1.0", {})
    store.append(records)
    index = SearchIndex(store.db, BITS)
    for _ in range(1_000 if indexed is None else indexed):
        volume = index.next_volume(1, store.next)
        if volume is None:
            break
        index.add_slice(volume, 1, store.next)
    store.close(NOW)


@pytest.fixture
def reader(path: Path, tape: Tape) -> Iterator[Reader]:
    """Of 30 lines in 18 records, a minute apart."""
    for number in range(18):
        text = "\n".join(f"line {number}.{place}" for place in range(1 + number % 3 * (number % 2)))
        tape.add(text, time=NOW + 60 * number)
    write(path, tape.all)
    reader = Reader(path, BITS)
    yield reader
    reader.close()


def test_a_page_is_a_slice_of_all_lines(reader: Reader, tape: Tape) -> None:
    lines = lines_of(tape.all)
    for first, count in itertools.product(range(-1, len(lines) + 3), (1, 2, 7, 100)):
        start = max(first - 1, 0)
        assert reader.page(first, count) == lines[start : start + count]
        assert reader.before(first, count) == lines[:start][-count:]
    assert (reader.first, reader.next) == (1, len(lines) + 1)


def test_a_page_may_be_larger_than_what_is_read_at_once(
    reader: Reader, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    lines = lines_of(tape.all)
    assert reader.page(3, 15) == lines[2:17]
    assert reader.before(20, 15) == lines[4:19]


def test_of_an_empty_history_there_is_nothing(path: Path) -> None:
    Store(path, "1.0", {}).close()
    reader = Reader(path)
    assert (reader.first, reader.next) == (1, 1)
    assert reader.page(1, 10) == reader.before(10, 10) == reader.last_public(5) == []
    assert reader.at(NOW) is None
    assert [*reader.search(Query(words=("a",)))] == []
    reader.close()


def test_a_time_leads_to_the_first_line_from_then_on(reader: Reader, tape: Tape) -> None:
    for record in tape.all:
        assert reader.at(record.time) == record.serial
        assert reader.at(record.time - 0.5) == record.serial
    assert reader.at(0) == 1
    assert reader.at(tape.all[-1].time + 60) is None


def test_a_time_leads_to_its_line_within_a_minute(path: Path, tape: Tape) -> None:
    for number in range(50):
        tape.add(f"{number}\nmore", time=NOW + number / 10)
    write(path, tape.all)
    reader = Reader(path)
    for record in tape.all:
        assert reader.at(record.time) == record.serial
        assert reader.at(record.time + 0.05) == (record.serial + 2 if record.serial < 99 else None)
    reader.close()


def test_the_last_public_lines_are_what_was_said_to_everybody(path: Path, tape: Tape) -> None:
    tape.say("one", "two\nthree")
    tape.add("192.0.2.1|4711", Kind.JOINED, 7)
    tape.add("psst", Kind.PRIVATE, 7)
    tape.add("good evening", Kind.OPERATOR_SAID, 0, "Operator")
    write(path, tape.all)
    reader = Reader(path)
    assert [line.text for line in reader.last_public(2)] == ["three", "good evening"]
    assert [line.text for line in reader.last_public(10)] == ["one", "two", "three", "good evening"]
    reader.close()


PIECES = ["a", "b", "ab", "aba", "%", "_", "!", '"', "'", "*", " ", "ß", "SS", "ſ", "K", "İ", "é", "e\u0301"]
PIECES += ["漢", "字", "漢字", "한", "🎉", "🎉🎈", "NEAR", "OR", ":", ": ", "-", "(", ")"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
NAMES = st.sampled_from(["A", "ab", "Aba", "字漢字", "B: a"])
RECORDS = st.lists(
    st.tuples(
        st.lists(TEXTS, min_size=1, max_size=4).map("\n".join),
        st.sampled_from([Kind.SAID] * 3 + [Kind.OPERATOR_SAID, Kind.RENAMED, Kind.PRIVATE, Kind.SENT]),
        NAMES,
        st.integers(0, 300),
    ),
    min_size=1,
    max_size=14,
)
QUERIES = st.builds(
    Query,
    words=st.lists(TEXTS.filter(bool), max_size=2).map(tuple),
    names=st.lists(st.sampled_from(["a", "AB", "aba", "nobody", "字漢字"]), max_size=2).map(tuple),
    kinds=st.sampled_from([(), TALK, (Kind.SAID,), (Kind.RENAMED, Kind.LEFT)]),
    since=st.none() | st.integers(0, 300).map(lambda passed: NOW + passed),
    until=st.none() | st.integers(0, 300).map(lambda passed: NOW + passed),
    sender=st.sampled_from(["", "", "a", "AB", "aba", "字漢", "%", "ß"]),
    member_id=st.none() | st.integers(0, 3),
)


def finds(query: Query, line: Line) -> bool:
    """What a search means, in few words."""
    name, text = fold(line.name), fold(line.text)
    return (
        all(fold(word) in text or fold(word) in f"{name}:" for word in query.words)
        and (not query.names or name in map(fold, query.names))
        and (not query.kinds or line.kind in query.kinds)
        and (query.since is None or line.time >= query.since)
        and (query.until is None or line.time < query.until)
        and (query.member_id is None or line.member_id == query.member_id)
        and is_of(query.sender, line)
    )


def is_of(sender: str, line: Line) -> bool:
    """Whether a line was said by, or in private to, somebody whose name begins like this."""
    if not sender:
        return True
    said_to = line.text.split("\t")[0] if line.kind is Kind.SENT else line.name
    return line.kind in TALK and fold(said_to).startswith(fold(sender))


@pytest.mark.uncounted
@pytest.mark.parametrize("has_index", [True, False])
@given(records=RECORDS, query=QUERIES, indexed=st.integers(0, 4) | st.none(), data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_search_finds_what_a_look_at_every_line_finds(
    tmp_path_factory: pytest.TempPathFactory,
    has_index: bool,
    records: list[tuple[str, Kind, str, int]],
    query: Query,
    indexed: int | None,
    data: st.DataObject,
) -> None:
    path = tmp_path_factory.mktemp("search") / "chat.db"
    tape = Tape()
    for who, (text, kind, name, passed) in enumerate(records):
        tape.add(text, kind, who, name, NOW + passed)
    write(path, tape.all, indexed=indexed if can_index() else 0)
    lines = lines_of(tape.all)
    wanted = [line for line in lines if finds(query, line)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PAGE", data.draw(st.integers(1, 4)))
        if not has_index:
            patch.setattr(module, "can_index", lambda: False)
        reader = Reader(path, BITS)
        assert [*reader.search(query)] == wanted
        assert [*reader.search(query, newest_first=True)] == wanted[::-1]
        before = data.draw(st.integers(0, len(lines) + 2))
        assert [*reader.search(query, before=before)] == [line for line in wanted if line.serial < before]
        first = data.draw(st.integers(0, len(lines) + 2))
        assert [*reader.search(query, first=first)] == [line for line in wanted if line.serial >= first]
        reader.close()


EACH = [
    (Query(kinds=(Kind.OPERATOR_SAID,)), [5]),
    (Query(names=("operator",)), [5]),
    (Query(since=NOW + 2), [*range(3, 31)]),
    (Query(until=NOW + 2), [1, 2]),
    (Query(("hello",), since=NOW + 2, until=NOW + 5), [3, 4]),
    (Query(("hello", "3")), [3, 13, 23, 30]),
    (Query(("ann:",)), [*range(1, 5), *range(6, 31)]),
    (Query(("好",)), []),
    (Query(("100%",)), []),
    (Query(sender="op"), [5]),
    (Query(sender="good"), []),
    (Query(sender="a", member_id=1, until=NOW + 1), [1]),
    (Query(member_id=2), []),
]


@pytest.mark.parametrize("indexed", [0, 2, 5, 1000])
@pytest.mark.parametrize(("query", "serials"), EACH)
def test_each_condition_holds_for_what_is_found(
    path: Path, tape: Tape, query: Query, serials: list[int], indexed: int
) -> None:
    for number in range(1, 31):
        kind, name = (Kind.OPERATOR_SAID, "Operator") if number == 5 else (Kind.SAID, "Ann")
        text = "good evening" if number == 5 else f"hello {number}"
        tape.add(text, kind, 1, name, NOW + number - 1)
    write(path, tape.all, indexed=indexed if can_index() else 0)
    reader = Reader(path, BITS)
    assert [line.serial for line in reader.search(query)] == serials
    assert [line.serial for line in reader.search(query, newest_first=True)] == serials[::-1]
    reader.close()


@pytest.mark.skipif(not can_index(), reason="SQLite has no FTS5")
def test_it_tells_how_much_is_not_indexed(path: Path, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    tape.say(*[f"hello {number}" for number in range(30)])
    write(path, tape.all, indexed=2)
    reader = Reader(path, BITS)
    assert reader.unindexed == 15  # the serial numbers 1 to 15, in the two older volumes
    monkeypatch.setattr(module, "can_index", lambda: False)
    assert reader.unindexed == 0
    reader.close()


def test_a_file_that_cannot_be_read_on_is_an_error(path: Path, tape: Tape) -> None:
    tape.say(*["x" * 1000] * 100)
    store = Store(path, "1.0", {})
    store.append(tape.all)
    store.close(NOW)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 8192 * 3] = b"\xff" * 8192 * 3
    path.write_bytes(data)
    reader = Reader(path)
    with pytest.raises(sqlite3.DatabaseError):
        list(reader.search(Query(("xxx",))))
    reader.close()


@pytest.mark.skipif(not can_index(), reason="SQLite has no FTS5")
def test_a_volume_that_cannot_be_read_is_looked_through(path: Path, tape: Tape) -> None:
    tape.say(*[f"hello {number}" for number in range(30)])
    write(path, tape.all)
    db = sqlite3.connect(path)
    db.execute("DROP TABLE find_1")
    db.execute("UPDATE find_2_data SET block = randomblob(length(block)) WHERE id > 10")
    db.commit()
    db.close()
    reader = Reader(path, BITS)
    assert [line.serial for line in reader.search(Query(words=("hello",)))] == [*range(1, 31)]
    reader.close()


def test_many_who_have_the_name_are_found(path: Path, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_NAMED", 3)
    for member in range(10):
        tape.add(f"hello {member}", who=member, name="Ann" if member % 2 else "Bob")
    write(path, tape.all)
    reader = Reader(path, BITS)
    assert [line.text for line in reader.search(Query(names=("ann",)))] == [
        f"hello {n}" for n in range(1, 10, 2)
    ]
    reader.close()


def test_a_search_holds_up_no_writer(path: Path, tape: Tape) -> None:
    store = Store(path, "1.0", {})
    store.append(tape.say(*["hello"] * 1_000))
    reader = Reader(path)
    found = reader.search(Query(words=("hello",)))
    next(found)
    store.sync(truncate=True)
    assert store.wal_size == 0
    store.append(tape.say("hello again"))
    assert len([*found]) == 999
    reader.close()
    store.close(NOW)


@pytest.mark.parametrize(("time", "shown"), [(9e999, 253370764800), (1 << 62, 253370764800), (-9e999, 0)])
def test_a_time_that_no_calendar_has_becomes_one_that_can_be_shown(
    path: Path, tape: Tape, time: float, shown: int
) -> None:
    tape.say("one")
    write(path, tape.all)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE line SET time = ?", (time,))
    db.close()
    reader = Reader(path)
    assert [line.time for line in reader.page(1, 10)] == [shown]
    reader.close()


@pytest.mark.parametrize("value", ["abc", b"\xff\x00", 9e999, -5, "7", ""])
@pytest.mark.parametrize(
    "column",
    [
        *("line.time", "line.kind", "line.text", "who.member", "who.address", "who.name"),
        *("minute.first", "minute.last", "volume.upto"),
    ],
)
def test_a_value_of_another_type_is_no_error(
    path: Path, tape: Tape, column: str, value: str | bytes | float
) -> None:
    tape.say("one", "two", "three")
    write(path, tape.all)
    table, _, name = column.partition(".")
    with sqlite3.connect(path) as db:
        db.execute(f"UPDATE {table} SET {name} = ?", (value,))
    db.close()
    reader = Reader(path, BITS)
    found = [*reader.page(1, 10), *reader.before(4, 3), *reader.last_public(3)]
    for query in (Query(("three",)), Query(("o",)), Query(names=("ann",)), Query(sender="a", member_id=1)):
        found += reader.search(query)
        found += reader.search(query, newest_first=True)
    assert reader.next > 3
    assert reader.unindexed >= 0
    reader.at(NOW)
    assert {
        tuple(map(type, (line.time, line.member_id, line.name, line.address, line.text))) for line in found
    } == {(float, int, str, str, str)}
    reader.close()


@pytest.mark.uncounted
def test_of_long_records_a_page_reads_few_beyond_its_lines(
    path: Path, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(100):
        tape.add("\n".join(["one of many"] * 100))
    write(path, tape.all)
    split, read = module._lines, 0  # pyright: ignore[reportPrivateUsage]

    def counted(row: tuple[object, ...]) -> list[Line]:
        nonlocal read
        lines = split(row)
        read += len(lines)
        return lines

    monkeypatch.setattr(module, "_lines", counted)
    reader = Reader(path)
    assert [line.serial for line in reader.page(201, 200)] == [*range(201, 401)]
    assert read <= 2_100
    reader.close()
