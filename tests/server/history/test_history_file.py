"""The history's file as a recorder writes it: what goes wrong with it, and what is done from time to time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.records import NOW, Tape, is_sound, lines_in, numbered, rows_in

from chat_console.server.history import history_file as module
from chat_console.server.history.history_file import HistoryFile
from chat_console.server.history.place import HistoryError, Moved
from chat_console.server.history.search_index import can_index
from chat_console.server.history.setback import Trouble
from chat_console.server.history.store import Store

DAY = 86_400.0


class Tended:
    """A history's file, with clocks that the test moves."""

    def __init__(self, path: Path, days: int = 0) -> None:
        self.clock, self.now = 1000.0, NOW
        self.told: list[str] = []
        self.file = HistoryFile(path, "1.0", days, clock=lambda: self.clock, now=lambda: self.now)

    @property
    def store(self) -> Store:
        store = self.file._store  # pyright: ignore[reportPrivateUsage] - to break it
        assert store is not None
        return store

    def tend(self, *, is_quiet: bool = True) -> float | None:
        return self.file.tend(self.told.append, is_quiet=is_quiet)

    def tend_all(self) -> None:
        while self.tend() == 0:
            pass


@pytest.fixture
def tended(path: Path) -> Iterator[Tended]:
    tended = Tended(path)
    yield tended
    tended.file.close(NOW)


def full(tended: Tended) -> None:
    """Leave no room for more than a few lines."""
    (pages,) = tended.store.db.execute("PRAGMA page_count").fetchone()
    tended.store.db.execute(f"PRAGMA max_page_count = {pages + 2}")


def test_a_full_disk_is_told_and_loses_nothing(path: Path, tended: Tended, tape: Tape) -> None:
    tended.file.write(tape.say("one"))
    full(tended)
    with pytest.raises(Trouble, match=r"^the disk is full$") as caught:
        tended.file.write(tape.say("x" * 100_000))
    assert not caught.value.reopen
    tended.store.db.execute("PRAGMA max_page_count = 1000000")
    tended.file.write([*tape.all[1:], *tape.say("three")])
    assert lines_in(path) == numbered(tape.all)
    assert is_sound(path)


def test_another_programs_lock_is_waited_for(path: Path, tended: Tended, tape: Tape) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Trouble, match=r"^another program has locked .*chat\.db$") as caught:
        tended.file.write(tape.say("one"))
    assert caught.value.is_passing
    assert not caught.value.reopen
    other.execute("ROLLBACK")
    other.close()
    tended.file.write(tape.all)


@pytest.mark.parametrize(
    ("name", "why", "reopen"),
    [
        ("SQLITE_FULL", "the disk is full", False),
        ("SQLITE_IOERR_WRITE", "chat.db cannot be written (trouble, SQLITE_IOERR_WRITE)", False),
        ("SQLITE_CORRUPT", "chat.db is damaged (trouble)", True),
        ("SQLITE_NOTADB", "chat.db is damaged (trouble)", True),
        ("SQLITE_READONLY_DBMOVED", "chat.db is read-only", True),
        ("SQLITE_CANTOPEN", "chat.db cannot be written (trouble, SQLITE_CANTOPEN)", True),
    ],
)
def test_each_error_of_sqlite_is_told_in_words(
    path: Path,
    tended: Tended,
    tape: Tape,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    why: str,
    *,
    reopen: bool,
) -> None:
    error = sqlite3.DatabaseError("trouble")
    error.sqlite_errorcode, error.sqlite_errorname = getattr(sqlite3, name), name

    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(tended.store, "append", failing)
    with pytest.raises(Trouble) as caught:
        tended.file.write(tape.say("one"))
    assert caught.value.why.replace(f"{path.parent}/", "") == why
    assert caught.value.reopen is reopen


class TestTakenAway:
    def test_deleted_it_is_begun_anew(self, path: Path, tended: Tended, tape: Tape) -> None:
        tended.file.write(tape.say("one"))
        path.unlink()
        with pytest.raises(Moved):
            tended.file.write(tape.say("two"))
        assert tended.file.reopen()
        assert not tended.file.reopen()
        tended.file.write(tape.all[1:])
        assert lines_in(path) == [(2, "two")]

    def test_moved_it_is_complete_at_its_new_place(self, path: Path, tended: Tended, tape: Tape) -> None:
        tended.file.write(tape.say("one", "two"))
        path.rename(path.with_name("chat.db.1"))
        tended.file.reopen()
        tended.file.write(tape.say("three"))
        assert lines_in(path.with_name("chat.db.1")) == [(1, "one"), (2, "two")]
        assert lines_in(path) == [(3, "three")]

    def test_replaced_by_another_history_it_goes_on_in_that(self, path: Path, tape: Tape) -> None:
        other = path.with_name("other.db")
        store = Store(other, "1.0", {})
        store.append(tape.say(*["other"] * 10))
        store.close(NOW)
        tended, own = Tended(path), Tape()
        tended.file.write(own.say("own"))
        os.replace(other, path)
        tended.file.reopen()
        assert tended.file.next == 11
        tended.file.close(NOW)
        assert len(lines_in(path)) == 10

    @pytest.mark.parametrize("content", [b"a text\n" * 1000, None])
    def test_replaced_by_anything_else_it_waits_and_overwrites_nothing(
        self, path: Path, tape: Tape, content: bytes | None
    ) -> None:
        tended = Tended(path)
        tended.file.write(tape.say("one"))
        path.unlink()
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)
        for _ in range(2):
            with pytest.raises(HistoryError):
                tended.file.reopen()
            with pytest.raises(Trouble, match=r"was moved or deleted$"):
                tended.file.write(tape.say("two"))
        assert tended.tend() is None
        if content is None:
            path.rmdir()
        else:
            assert path.read_bytes() == content
            path.unlink()
        tended.file.reopen()
        tended.file.close(NOW)

    def test_moved_while_it_is_read_it_waits_and_loses_nothing(
        self, path: Path, tended: Tended, tape: Tape
    ) -> None:
        tended.file.write(tape.say("one"))
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM line").fetchall()
        tended.file.write(tape.say("two"))
        path.rename(path.with_name("chat.db.1"))
        with pytest.raises(HistoryError, match=r"was moved or deleted, and another program reads it$"):
            tended.file.reopen()
        reader.execute("ROLLBACK")
        reader.close()
        tended.file.reopen()
        tended.file.write(tape.say("three"))
        assert lines_in(path.with_name("chat.db.1")) == [(1, "one"), (2, "two")]
        assert lines_in(path) == [(3, "three")]

    def test_its_companion_too(self, path: Path, tended: Tended, tape: Tape) -> None:
        tended.file.write(tape.say("one"))
        path.with_name("chat.db-wal").unlink()
        with pytest.raises(Moved):
            tended.file.write(tape.say("two"))
        tended.file.reopen()
        tended.file.write(tape.all[1:])
        assert lines_in(path)[-1] == (2, "two")


class TestSyncing:
    def in_file(self, path: Path) -> bool:
        return b"a line to be safe" in path.read_bytes()

    def test_is_done_after_a_second(self, path: Path, tended: Tended, tape: Tape) -> None:
        tended.file.write(tape.say("a line to be safe"))
        assert tended.tend() == 1
        assert not self.in_file(path)
        tended.clock += 1
        assert tended.tend() is None
        assert self.in_file(path)

    def test_is_done_at_once_where_much_was_written(
        self, path: Path, tended: Tended, tape: Tape, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "_SYNCED_SIZE", 10_000)
        tended.file.write(tape.say("a line to be safe", "x" * 20_000))
        tended.tend(is_quiet=False)
        assert self.in_file(path)

    def test_that_fails_is_tried_again(
        self, path: Path, tended: Tended, tape: Tape, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tended.file.write(tape.say("a line to be safe"))

        def failing(*, truncate: bool = False) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        with monkeypatch.context() as context:
            context.setattr(tended.store, "sync", failing)
            tended.clock += 1
            assert tended.tend() == 1
        tended.clock += 1
        tended.tend()
        assert self.in_file(path)
        assert tended.told == []

    def test_that_a_reader_holds_up_is_told(
        self, path: Path, tended: Tended, tape: Tape, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "_TRUNCATE_SIZE", 20_000)
        monkeypatch.setattr(module, "_TOLD_SIZE", 40_000)
        tended.file.write(tape.say("one"))
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM line").fetchall()
        for _ in range(10):
            tended.clock += 61
            tended.file.write(tape.say("x" * 30_000))
            tended.tend()
        assert [text.replace(f"{path.parent}/", "") for text in tended.told] == [
            "chat.db-wal grows (0 MB): another program reads chat.db without end."
        ]
        reader.execute("ROLLBACK")
        reader.close()
        tended.clock += 61
        tended.file.write(tape.say("last"))
        tended.clock += 1
        tended.tend()
        assert path.with_name("chat.db-wal").stat().st_size == 0


@pytest.mark.skipif(not can_index(), reason="SQLite has no FTS5")
class TestIndexing:
    def indexed(self, path: Path) -> list[tuple[object, ...]]:
        return rows_in(path, "SELECT upto FROM volume")

    def test_is_done_in_quiet_times_once_it_is_worth_it(self, path: Path, tended: Tended, tape: Tape) -> None:
        tended.file.write(tape.say(*["hello there"] * 999))
        tended.tend_all()
        assert self.indexed(path) == []
        tended.file.write(tape.say("one more"))
        tended.tend(is_quiet=False)
        assert self.indexed(path) == []
        tended.tend_all()
        assert self.indexed(path) == [(500,)]

    def test_takes_half_of_the_time_at_most(self, path: Path, tape: Tape) -> None:
        ticks = iter(range(100_000))
        file = HistoryFile(path, "1.0", clock=lambda: float(next(ticks)), now=lambda: NOW)
        file.write(tape.say(*["hello there"] * 5000))
        told: list[str] = []
        due = file.tend(told.append, is_quiet=True)
        assert due is not None and due >= 0
        file.close(NOW)

    def test_of_a_damaged_volume_begins_anew(self, path: Path, tended: Tended, tape: Tape) -> None:
        tended.file.write(tape.say(*["hello there"] * 1000))
        tended.tend_all()
        tended.store.db.execute("UPDATE find_0_data SET block = x'ffffffffffffffff' WHERE id = 10")
        tended.file.write(tape.say(*["hello again"] * 1000))
        for _ in range(10):
            tended.clock += 1
            tended.tend_all()
        assert tended.told == ["A part of the search index was damaged; it is made anew."]
        assert lines_in(path) == numbered(tape.all)
        assert self.indexed(path) == [(1500,)]

    def test_is_not_begun_anew_again_and_again_where_the_lines_are_damaged(
        self, tended: Tended, tape: Tape, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tended.file.write(tape.say(*["hello there"] * 2000))
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT

        def failing(*_: int) -> None:
            raise error

        assert tended.store.index is not None
        monkeypatch.setattr(tended.store.index, "add_slice", failing)
        for _ in range(10):
            tended.clock += 2
            tended.tend()
        assert tended.told == ["A part of the search index was damaged; it is made anew."]

    def test_merges_no_more_than_it_may(
        self, tended: Tended, tape: Tape, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tended.file.write(tape.say(*["hello there"] * 2000))
        merged: list[int] = []
        assert tended.store.index is not None
        monkeypatch.setattr(tended.store.index, "merge", lambda: merged.append(1) or True)
        tended.tend()
        assert len(merged) == 3


def test_without_an_index_that_is_told_once(path: Path, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_console.server.history.store.can_index", lambda: False)
    tended = Tended(path)
    tended.file.write(tape.say(*["hello"] * 2000))
    tended.tend()
    tended.tend()
    assert tended.told == ["Searches look at every line: this Python's SQLite has no full-text index."]
    tended.file.close(NOW)
    assert rows_in(path, "SELECT * FROM volume") == []


@pytest.mark.skipif(not can_index(), reason="SQLite has no FTS5")
def test_what_was_written_without_an_index_is_indexed_later(
    path: Path, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        context.setattr("chat_console.server.history.store.can_index", lambda: False)
        poor = Tended(path)
        poor.file.write(tape.say(*["hello there"] * 2000))
        poor.file.close(NOW)
    tended = Tended(path)
    for _ in range(10):
        tended.clock += 1
        tended.tend_all()
    tended.file.close(NOW)
    assert rows_in(path, "SELECT upto FROM volume") == [(1500,)]


def test_a_network_file_system_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_on_network", lambda _: True)
    tended = Tended(path)
    tended.tend()
    assert len(tended.told) == 1
    assert "is on a network file system" in tended.told[0]
    tended.file.close(NOW)


def test_old_lines_are_deleted_at_the_start_and_every_hour(path: Path, tape: Tape) -> None:
    for age in (40, 31, 29.99):
        tape.add(f"{age} days old", time=NOW - age * DAY)
    store = Store(path, "1.0", {})
    store.append(tape.all)
    store.close(NOW)
    tended = Tended(path, days=30)
    tended.tend_all()
    assert [text for _, text in lines_in(path)] == ["29.99 days old"]
    assert tended.tend() == 3600
    tended.clock += 3599
    tended.now += 3599
    tended.tend_all()
    assert len(lines_in(path)) == 1
    tended.clock += 1
    tended.tend_all()
    assert lines_in(path) == []
    tended.file.close(NOW)


def test_deleting_that_fails_is_tried_again(path: Path, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    tended = Tended(path, days=30)
    tended.file.write([tape.add("old", time=NOW - 40 * DAY)])

    def failing(_: int) -> Iterator[int]:
        raise sqlite3.OperationalError("database or disk is full")
        yield 0

    with monkeypatch.context() as context:
        context.setattr(tended.store, "retire", failing)
        tended.tend()
    for _ in range(70):
        tended.clock += 1
        tended.tend_all()
    assert lines_in(path) == []
    tended.file.close(NOW)


def test_closed_with_trouble_it_is_free_for_another(path: Path, tape: Tape) -> None:
    tended = Tended(path)
    tended.file.write(tape.say("one"))
    full(tended)
    tended.store.db.execute("PRAGMA query_only = on")
    with pytest.raises(Trouble):
        tended.file.close(NOW)
    Store(path, "1.0", {}).close()
