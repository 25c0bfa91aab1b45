"""The lines in a history's file: each once, in order, with its author; and none when they are too old."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.records import NOW, Tape, is_sound, lines_in, numbered, rows_in

from chat_console.server.history import store as module
from chat_console.server.history.place import Moved
from chat_console.server.history.records import Kind
from chat_console.server.history.search_index import SearchIndex
from chat_console.server.history.store import Store

DAY = 86_400.0


def test_lines_are_kept_with_their_numbers(path: Path, store: Store, tape: Tape) -> None:
    store.append(tape.say("one", "two\nthree"))
    store.append(tape.say("four"))
    assert lines_in(path) == [(1, "one"), (2, "two"), (3, "three"), (4, "four")]
    assert store.next == tape.next == 5


def test_numbers_go_on_where_they_ended(path: Path, tape: Tape) -> None:
    for _ in range(3):
        store = Store(path, "1.0", {})
        assert store.next == tape.next
        store.append(tape.say("hello\nagain", "and again"))
        store.close(NOW)
    assert lines_in(path) == numbered(tape.all)
    assert rows_in(path, "SELECT started, ended, version FROM run") == [(NOW * 1000, NOW * 1000, "1.0")] * 3


def test_a_run_without_a_line_leaves_no_trace(path: Path) -> None:
    Store(path, "1.0", {}).close(NOW)
    assert rows_in(path, "SELECT count(*) FROM run") == [(0,)]


def test_who_is_named_with_address_and_each_name(path: Path, store: Store, tape: Tape) -> None:
    tape.add("192.0.2.1|4711", Kind.JOINED, 7, "192.0.2.1|4711")
    tape.add("Ann", Kind.RENAMED, 7, "192.0.2.1|4711")
    tape.add("hello", Kind.SAID, 7, "Ann")
    tape.add("good evening", Kind.OPERATOR_SAID, 0, "Operator")
    tape.add("QUIT", Kind.LEFT, 7, "Ann")
    tape.add("hello", Kind.SAID, 8, "Bob")
    store.append(tape.all[:3])
    store.append(tape.all[3:])
    assert rows_in(path, "SELECT member, address, name FROM who ORDER BY id") == [
        (0, "", ""),
        (7, "192.0.2.1|4711", "192.0.2.1|4711"),
        (7, "192.0.2.1|4711", "Ann"),
        (0, "", "Operator"),
        (8, "", "Bob"),
    ]
    assert rows_in(path, "SELECT name FROM line JOIN who ON who.id = who ORDER BY line.id") == [
        ("192.0.2.1|4711",),
        ("192.0.2.1|4711",),
        ("Ann",),
        ("Operator",),
        ("Ann",),
        ("Bob",),
    ]


def test_addresses_outlive_the_file(path: Path, tape: Tape) -> None:
    addresses: dict[int, str] = {}
    store = Store(path, "1.0", addresses)
    store.append([tape.add("192.0.2.1|4711", Kind.JOINED, 7, "192.0.2.1|4711")])
    store.close()
    path.unlink()
    store = Store(path, "1.0", addresses)
    store.append([tape.add("hello", Kind.SAID, 7, "Ann"), tape.add("QUIT", Kind.LEFT, 7, "Ann")])
    store.close()
    assert rows_in(path, "SELECT address, name FROM who WHERE member = 7") == [("192.0.2.1|4711", "Ann")]
    assert addresses == {}


def test_minutes_tell_which_lines_were_said_in_them(path: Path, store: Store, tape: Tape) -> None:
    for time, text in ((NOW, "a"), (NOW + 1, "b\nc"), (NOW + 60, "d"), (NOW - 3600, "e"), (NOW + 2, "f")):
        store.append([tape.add(text, time=time)])
    minute = int(NOW // 60)
    assert rows_in(path, "SELECT minute, first, last, lines FROM minute ORDER BY first") == [
        (minute, 1, 6, 4),
        (minute + 1, 4, 4, 1),
        (minute - 60, 5, 5, 1),
    ]


class _Failing(sqlite3.Connection):
    """A connection whose next statement that begins with a text fails, once done or not."""

    begins = ""
    is_done = False

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if self.begins and sql.startswith(self.begins):
            self.begins = ""
            if self.is_done:
                super().execute(sql, *parameters)
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return super().execute(sql, *parameters)


@pytest.fixture
def failing(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, _Failing]]:
    """A store, and its connection."""
    Store(path, "1.0", {}).close()
    connect = sqlite3.connect

    def connected(*values: Any, **options: Any) -> sqlite3.Connection:
        return connect(*values, factory=_Failing, **options)

    monkeypatch.setattr(sqlite3, "connect", connected)
    monkeypatch.setattr(module, "can_index", lambda: False)
    store = Store(path, "1.0", {})
    assert isinstance(store.db, _Failing)
    yield store, store.db
    store.close(NOW)


@pytest.mark.parametrize("begins", ["BEGIN", "INSERT INTO run", "SELECT coalesce", "COMMIT"])
def test_what_could_not_be_written_is_written_later_and_once(
    path: Path, failing: tuple[Store, _Failing], tape: Tape, begins: str
) -> None:
    store, db = failing
    tape.add("192.0.2.1|4711", Kind.JOINED, 7, "192.0.2.1|4711")
    tape.add("hello", Kind.SAID, 7, "Ann")
    db.begins = begins
    with pytest.raises(sqlite3.OperationalError):
        store.append(tape.all)
    assert lines_in(path) == []
    assert store.next == 1
    tape.add("again", Kind.SAID, 7, "Ann")
    store.append(tape.all)
    assert lines_in(path) == numbered(tape.all)
    assert rows_in(path, "SELECT count(*), count(DISTINCT name) FROM who") == [(3, 3)]
    assert is_sound(path)


def test_a_commit_that_failed_after_it_was_written_is_not_written_again(
    path: Path, failing: tuple[Store, _Failing], tape: Tape
) -> None:
    store, db = failing
    tape.add("192.0.2.1|4711", Kind.JOINED, 7, "192.0.2.1|4711")
    tape.say("one", "two\nthree")
    db.begins, db.is_done = "COMMIT", True
    with pytest.raises(sqlite3.OperationalError):
        store.append(tape.all)
    tape.say("four")
    store.append(tape.all)
    assert lines_in(path) == numbered(tape.all)
    assert rows_in(path, "SELECT sum(lines) FROM minute") == [(5,)]
    assert rows_in(path, "SELECT count(*) FROM who") == [(3,)]


@pytest.mark.parametrize("name", ["chat.db", "chat.db-wal"])
def test_nothing_is_written_into_a_file_that_was_taken_away(path: Path, tape: Tape, name: str) -> None:
    store = Store(path, "1.0", {})
    store.append(tape.say("one"))
    os.unlink(path.with_name(name))
    with pytest.raises(Moved):
        store.append(tape.say("two"))
    store.close()


def test_what_is_written_gets_into_the_file_itself(path: Path, store: Store, tape: Tape) -> None:
    size = path.stat().st_size
    store.append(tape.say("x" * 100_000))
    assert path.stat().st_size == size
    assert store.wal_size > 100_000
    store.sync()
    assert path.stat().st_size > size + 100_000
    store.sync(truncate=True)
    assert store.wal_size == 0


def test_of_a_companion_that_is_missing_there_is_nothing(path: Path, tape: Tape) -> None:
    store = Store(path, "1.0", {})
    store.append(tape.say("one"))
    path.with_name("chat.db-wal").unlink()
    assert store.wal_size == 0
    store.close()


class TestRetention:
    def days(self, tape: Tape, *ages: float) -> None:
        for age in ages:
            tape.add(f"{age:g} days old", time=NOW - age * DAY)

    def kept(self, path: Path) -> list[str]:
        return [text for _, text in lines_in(path)]

    def retire(self, store: Store, days: float, now: float = NOW) -> None:
        for _ in store.retire(store.first_to_keep(now - days * DAY, now)):
            pass

    def test_deletes_what_is_older(self, path: Path, store: Store, tape: Tape) -> None:
        self.days(tape, 40, 31, 29, 1, 0)
        store.append(tape.all)
        self.retire(store, 30)
        assert self.kept(path) == ["29 days old", "1 days old", "0 days old"]
        assert rows_in(path, "SELECT min(first) FROM minute") == [(3,)]
        assert store.next == 6
        assert store.first == 3

    def test_of_lines_that_are_all_old_keeps_none_and_their_numbers(
        self, path: Path, store: Store, tape: Tape
    ) -> None:
        self.days(tape, 40, 31)
        store.append(tape.all)
        self.retire(store, 30)
        assert self.kept(path) == []
        assert (store.first, store.next) == (3, 3)

    def test_a_clock_that_was_ahead_keeps_nothing_for_ever(
        self, path: Path, store: Store, tape: Tape
    ) -> None:
        self.days(tape, 40, -365, 39, 2)
        store.append(tape.all)
        self.retire(store, 30)
        assert self.kept(path) == ["2 days old"]

    def test_a_clock_that_is_behind_deletes_nothing_too_early(
        self, path: Path, store: Store, tape: Tape
    ) -> None:
        self.days(tape, 40, 2)
        store.append(tape.all)
        self.retire(store, 30, now=1000.0)
        assert len(self.kept(path)) == 2

    def test_drops_the_index_of_what_is_old(self, path: Path, store: Store, tape: Tape) -> None:
        self.days(tape, *[40] * 40, *[1] * 10)
        store.append(tape.all)
        store.index = index = SearchIndex(store.db, bits=4)
        while (volume := index.next_volume(1, store.next)) is not None:
            index.add_slice(volume, 1, store.next)
        assert rows_in(path, "SELECT id FROM volume ORDER BY id") == [(0,), (1,), (2,), (3,)]
        self.retire(store, 30)
        assert rows_in(path, "SELECT id FROM volume ORDER BY id") == [(2,), (3,)]
        assert rows_in(path, "SELECT count(*) FROM sqlite_master WHERE name = 'find_1'") == [(0,)]

    def test_without_an_index_deletes_the_lines_alone(self, path: Path, store: Store, tape: Tape) -> None:
        self.days(tape, 40, 1)
        store.append(tape.all)
        store.index = None
        self.retire(store, 30)
        assert len(self.kept(path)) == 1

    def test_is_done_in_steps(
        self, path: Path, store: Store, tape: Tape, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "RETIRED", 10)
        self.days(tape, *[40] * 95, 1)
        store.append(tape.all)
        steps = list(store.retire(store.first_to_keep(NOW - 30 * DAY, NOW)))
        assert [step for step in steps if step] == [10] * 9 + [5]
        assert self.kept(path) == ["1 days old"]

    def test_forgets_who_is_named_no_more(self, path: Path, store: Store, tape: Tape) -> None:
        for member, name, age in ((1, "old", 40), (2, "both", 40), (2, "both", 1), (3, "new", 1)):
            tape.add("hello", Kind.SAID, member, name, NOW - age * DAY)
        tape.add("QUIT", Kind.LEFT, 1, "old", NOW - 40 * DAY)
        tape.all.sort(key=lambda record: record.time)
        store.append([record._replace(serial=serial) for serial, record in enumerate(tape.all, 1)])
        self.retire(store, 30)
        assert rows_in(path, "SELECT name FROM who ORDER BY name") == [("",), ("both",), ("new",)]

    def test_keeps_the_rows_of_those_who_may_still_speak(self, path: Path, store: Store, tape: Tape) -> None:
        tape.add("hello", Kind.SAID, 7, "Ann", NOW - 40 * DAY)
        store.append(tape.all)
        self.retire(store, 30)
        store.append([tape.add("hello again", Kind.SAID, 7, "Ann")])
        assert rows_in(path, "SELECT name FROM line JOIN who ON who.id = who") == [("Ann",)]

    def test_leaves_nothing_to_be_read_in_the_file(self, path: Path, store: Store, tape: Tape) -> None:
        tape.add("my secret of that time", time=NOW - 40 * DAY)
        tape.add("x" * 100_000, time=NOW)
        store.append(tape.all)
        store.sync()
        assert b"my secret of that time" in path.read_bytes()
        self.retire(store, 30)
        assert b"my secret of that time" not in path.read_bytes()
        assert store.wal_size == 0
        assert store.db.execute("PRAGMA secure_delete").fetchone() == (0,)
