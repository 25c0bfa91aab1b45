"""How a history's file is opened, and what is said of a file that is none."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.records import NOW, Tape

from chat_console.server.history import database
from chat_console.server.history.database import open_for_reading, open_for_writing, transaction
from chat_console.server.history.place import HistoryError, Place
from chat_console.server.history.store import Store


@pytest.fixture
def place(path: Path) -> Iterator[Place]:
    place = Place(path)
    yield place
    place.close()


def test_a_new_file_is_a_history_from_the_start(path: Path, place: Place) -> None:
    db = open_for_writing(place)
    assert db.execute("PRAGMA application_id").fetchone() == (0x63686174,)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA page_size").fetchone() == (8192,)
    assert db.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    assert db.execute("PRAGMA secure_delete").fetchone() == (0,)
    db.close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_its_companions_are_as_private_as_itself(path: Path, place: Place) -> None:
    db = open_for_writing(place)
    assert {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == dict.fromkeys(
        ("chat.db", "chat.db-lock", "chat.db-wal", "chat.db-shm"), 0o600
    )
    db.close()


def a_text(path: Path) -> None:
    path.write_text("not a database, but long enough to be taken for one\n" * 100)


def a_foreign_database(path: Path) -> None:
    db = sqlite3.connect(path)
    db.executescript("CREATE TABLE cats(name TEXT); PRAGMA user_version = 7;")
    db.close()


def a_newer_history(path: Path) -> None:
    db = sqlite3.connect(path)
    db.executescript("PRAGMA application_id = 0x63686174; CREATE TABLE line(id); PRAGMA user_version = 2;")
    db.close()


def a_damaged_history(path: Path) -> None:
    Store(path, "1.0", {}).close()
    data = bytearray(path.read_bytes())
    data[100:8192] = b"\xff" * 8092
    path.write_bytes(data)


def a_history_without_its_tables(path: Path) -> None:
    db = sqlite3.connect(path)
    db.executescript("PRAGMA application_id = 0x63686174; CREATE TABLE cats(name); PRAGMA user_version = 1;")
    db.close()


BAD_FILES = [
    pytest.param(a_text, r"chat\.db is no database$", id="text"),
    pytest.param(
        a_foreign_database, r"chat\.db is a database, but not a history of chat-console$", id="foreign"
    ),
    pytest.param(
        a_newer_history, r"written by a newer chat-console \(format 2, this one knows 1\)$", id="newer"
    ),
    pytest.param(a_damaged_history, r"is damaged \(.*\); move it away and a new one is begun$", id="damaged"),
]


@pytest.mark.parametrize(("make", "problem"), BAD_FILES)
def test_a_file_that_is_no_history_is_left_as_it_is(
    path: Path, make: Callable[[Path], None], problem: str
) -> None:
    make(path)
    before = path.read_bytes()
    with pytest.raises(HistoryError, match=problem):
        Store(path, "1.0", {})
    with pytest.raises(HistoryError, match=problem):
        open_for_reading(path).execute("SELECT count(*) FROM line")
    assert path.read_bytes() == before
    assert not path.with_name("chat.db-lock").exists()


def test_a_history_without_its_tables_is_damaged(path: Path) -> None:
    a_history_without_its_tables(path)
    with pytest.raises(HistoryError, match=r"is damaged \(no such table: \w+\); move it away"):
        Store(path, "1.0", {})
    assert not path.with_name("chat.db-lock").exists()


def test_a_file_system_without_shared_memory_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_WRITING", ("journal_mode = memory", "journal_mode = wal"))
    connect = sqlite3.connect
    # In memory there is no write-ahead log either.
    monkeypatch.setattr(sqlite3, "connect", lambda *_, **options: connect(":memory:"))
    with pytest.raises(HistoryError, match=r"write-ahead log cannot use; choose a local disk$"):
        open_for_writing(place)


def test_an_old_sqlite_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 22, 0))
    with pytest.raises(HistoryError, match=r"and --history needs 3\.24\.0$"):
        open_for_writing(place)


def test_a_file_that_was_moved_meanwhile_is_refused(path: Path, place: Place) -> None:
    path.rename(path.with_name("old.db"))
    path.touch()
    with pytest.raises(HistoryError, match=r"was moved while it was opened; try again$"):
        open_for_writing(place)


def test_a_file_that_another_program_has_locked_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(path, "1.0", {}).close()
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    other = sqlite3.connect(path)
    other.execute("PRAGMA locking_mode = exclusive")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(HistoryError, match=r"^cannot open .*chat\.db: another program has locked it$"):
        Store(path, "1.0", {})
    other.close()


class TestReading:
    def test_sees_what_is_being_written_and_changes_nothing(
        self, path: Path, store: Store, tape: Tape
    ) -> None:
        store.append(tape.say("hello"))
        db = open_for_reading(path)
        assert db.execute("SELECT text FROM line").fetchall() == [("hello",)]
        with pytest.raises(sqlite3.OperationalError):
            db.execute("DELETE FROM line")
        db.close()

    def test_of_a_missing_file_makes_none(self, path: Path) -> None:
        with pytest.raises(HistoryError, match=r"^there is no file .*chat\.db$"):
            open_for_reading(path)
        assert not path.exists()

    def test_of_a_file_that_one_may_not_read_is_refused(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path.touch()
        monkeypatch.setattr(os, "access", lambda *_: False)
        with pytest.raises(HistoryError, match=r"^cannot open .*chat\.db: Permission denied$"):
            open_for_reading(path)

    def test_of_a_folder_is_refused(self, path: Path) -> None:
        path.mkdir()
        with pytest.raises(HistoryError, match=r"is not a regular file$"):
            open_for_reading(path)

    def test_shows_text_that_is_no_utf_8(self, path: Path, store: Store, tape: Tape) -> None:
        store.append(tape.say("hello"))
        store.db.execute("UPDATE line SET text = CAST(x'68ff69' AS TEXT)")
        db = open_for_reading(path)
        assert db.execute("SELECT text FROM line").fetchall() == [("h\ufffdi",)]
        db.close()

    def test_goes_without_the_companions_where_they_cannot_be_made(
        self, path: Path, tape: Tape, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = Store(path, "1.0", {})
        store.append(tape.say("hello"))
        store.close(NOW)
        connect = database._connect  # pyright: ignore[reportPrivateUsage] - as in a folder of somebody else

        def refusing(path: Path, mode: str) -> sqlite3.Connection:
            if mode == "mode=ro":
                error = sqlite3.OperationalError("attempt to write a readonly database")
                error.sqlite_errorcode = sqlite3.SQLITE_READONLY_DIRECTORY
                raise error
            return connect(path, mode)

        monkeypatch.setattr(database, "_connect", refusing)
        db = open_for_reading(path)
        assert db.execute("SELECT text FROM line").fetchall() == [("hello",)]
        db.close()
        path.with_name("chat.db-wal").write_bytes(b"x")
        with pytest.raises(HistoryError, match=r"readonly"):
            open_for_reading(path)


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), transaction(store.db):
        store.db.execute("DELETE FROM who")
        _ = 1 / 0
    assert store.db.execute("SELECT count(*) FROM who").fetchone() == (1,)
    assert not store.db.in_transaction
