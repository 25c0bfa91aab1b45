"""The lines in the history's file: adding them, making them safe, deleting old ones. No thread, no clock."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from .database import open_for_writing, transaction
from .place import HistoryError, Moved, Place, same_file
from .records import Record
from .search_index import SearchIndex, can_index
from .who import Who

RETIRED = 2_000
"""The most records that are deleted in one transaction."""

_LOOKED_AT = 20_000
"""How many records are looked at in one step for those who are still named in one."""

_MINUTE = 60_000  # milliseconds
_DAY = 24 * 60  # minutes

_ADD_MINUTE = """
INSERT INTO minute VALUES(?, ?, ?, ?) ON CONFLICT(minute) DO UPDATE SET
first = min(first, excluded.first), last = max(last, excluded.last), lines = lines + excluded.lines
"""


class Store:
    """A history file, open for writing. Whatever raises leaves the file as it was.

    Args:
        path: the file; it is made if it is missing.
        version: of this program; kept in the file.
        addresses: those of who is here, by member id; it is kept up to date.

    Raises:
        HistoryError: if the file cannot be used.
    """

    def __init__(self, path: Path, version: str, addresses: dict[int, str]) -> None:
        self.path = path
        self._version = version
        self._place = Place(path)
        try:
            self.db = open_for_writing(self._place)
        except BaseException:
            self._place.close()
            raise
        try:
            last = self.db.execute("SELECT id, text FROM line ORDER BY id DESC LIMIT 1").fetchone()
            self.next: int = last[0] + last[1].count("\n") + 1 if last else 1
            """The serial number of the next line."""
            self.index = SearchIndex(self.db) if can_index() else None
            """None if this Python's SQLite cannot search by trigrams."""
            self._wal = Path(f"{path}-wal")
            self._companions = {each: os.stat(each) for each in (self._wal, Path(f"{path}-shm"))}
        except sqlite3.Error as error:
            self._close_files()
            raise HistoryError(f"{path} is damaged ({error}); move it away and a new one is begun") from None
        self._run: int | None = None
        self._who = Who(self.db, addresses)

    # Writing

    def append(self, records: Sequence[Record]) -> None:
        """Add `records`, which are in their order, in one transaction; those that are there already stay.

        Raises:
            Moved: if the file is not where it was.
            sqlite3.Error: if they cannot be written.
        """
        self.check_place()
        try:
            with transaction(self.db):
                run = self._run or self._begin_run(records[0].time)
                self._write(records, run)
        except BaseException:
            self._who.undo()
            raise
        self._who.keep()
        self._run = run
        self.next = max(self.next, records[-1].serial + records[-1].lines)

    def _begin_run(self, started: float) -> int:
        row = (_milliseconds(started), self._version)
        return self.db.execute("INSERT INTO run(started, version) VALUES(?, ?)", row).lastrowid or 0

    def _write(self, records: Sequence[Record], run: int) -> None:
        rows: list[tuple[int, int, int, int, str]] = []
        minutes: dict[int, list[int]] = {}
        # A commit may have failed after it was written.
        (newest,) = self.db.execute("SELECT coalesce(max(id), 0) FROM line").fetchone()
        for record in records:
            who_id = self._who.of(record, run)
            if record.serial <= newest:
                continue
            at, last = _milliseconds(record.time), record.serial + record.lines - 1
            rows.append((record.serial, at, record.kind, who_id, record.text))
            minute = minutes.setdefault(at // _MINUTE, [record.serial, last, 0])
            minute[1] = last
            minute[2] += record.lines
        self.db.executemany("INSERT OR IGNORE INTO who VALUES(?, ?, ?, ?, ?)", self._who.added)
        self.db.executemany("INSERT INTO line VALUES(?, ?, ?, ?, ?)", rows)
        self.db.executemany(_ADD_MINUTE, [(minute, *rest) for minute, rest in minutes.items()])

    @property
    def is_there(self) -> bool:
        """Whether the path still leads to the file."""
        return self._place.is_there()

    def check_place(self) -> None:
        """Make sure that what is written gets into the file that the path leads to.

        Raises:
            Moved: if not.
        """
        if not self._place.is_there() or not same_file(self._wal, self._companions[self._wal]):
            raise Moved

    @property
    def wal_size(self) -> int:
        """How large the file beside it is that has what was written last, in bytes."""
        try:
            return os.stat(self._wal).st_size
        except OSError:
            return 0

    def sync(self, *, truncate: bool = False) -> None:
        """Make what was written safe from a loss of power, as far as readers allow.

        Raises:
            sqlite3.Error: if that fails.
        """
        self.db.execute(f"PRAGMA wal_checkpoint({'truncate' if truncate else 'passive'})")

    def close(self, ended: float | None = None) -> None:
        """Close the file, in which `ended` is noted as the end of the run, in seconds since the epoch.

        Raises:
            sqlite3.Error: if the end could not be noted; the file is closed all the same.
        """
        try:
            if ended is not None and self._run is not None:
                with transaction(self.db):
                    self.db.execute(
                        "UPDATE run SET ended = ? WHERE id = ?", (_milliseconds(ended), self._run)
                    )
                self.sync()
        finally:
            self._close_files()

    def leave(self) -> bool:
        """Close a file that may have been taken away, and return whether that could be done.

        Beside the old name SQLite would leave what it has written last, and mix it into the next file there:
        all of it has to get into the file first, and for that no reader may be in the midst of one.
        """
        moved = not self._place.is_there()
        with suppress(sqlite3.Error):
            is_read, *_ = self.db.execute("PRAGMA wal_checkpoint(truncate)").fetchone()
            if moved and is_read:
                return False
        self._close_files()
        for path, held in self._companions.items():
            if moved and same_file(path, held):
                with suppress(OSError):
                    os.unlink(path)
        return True

    def _close_files(self) -> None:
        try:
            self.db.close()
        finally:
            self._place.close()  # last: it would drop SQLite's locks

    # The index

    @property
    def first(self) -> int:
        """The serial number of the oldest line; `next` if there is none."""
        (first,) = self.db.execute("SELECT min(id) FROM line").fetchone()
        return self.next if first is None else first

    # Retention

    def first_to_keep(self, cut: float, now: float) -> int:
        """Return the serial number of the first line that is not older than `cut`.

        Times are in seconds since the epoch. What a clock that was wrong has dated after tomorrow keeps
        nothing before it, and a clock that is behind keeps everything.
        """
        for condition in ("minute BETWEEN :cut AND :tomorrow", "minute > :tomorrow"):
            (first,) = self.db.execute(
                f"SELECT min(first) FROM minute WHERE {condition}",
                {"cut": _milliseconds(cut) // _MINUTE, "tomorrow": _milliseconds(now) // _MINUTE + _DAY},
            ).fetchone()
            if first is not None:
                return first
        return self.next

    def retire(self, keep: int) -> Iterator[int]:
        """Delete all lines before the serial number `keep`, in steps; each yields how many lines it deleted.

        What is deleted is overwritten, though copies of it may be left on the disk until they are reused.

        Raises:
            sqlite3.Error: if that fails; begin anew later.
        """
        named = set(self._who.active)
        newest_who = self._who.newest
        deleted = 0
        while lines := self._delete_lines(keep):
            deleted += lines
            yield lines
        if self.index is not None:
            for volume in self.index.before(keep):
                self.index.drop(volume)
                yield 0
        if not deleted:
            return
        for who in self._named_from(keep):
            named |= who
            yield 0
        for start in range(1, newest_who + 1, RETIRED):
            self._delete_who(
                [who for who in range(start, min(start + RETIRED, newest_who + 1)) if who not in named]
            )
            yield 0
        self.sync(truncate=True)

    def _delete_lines(self, keep: int) -> int:
        ids = self.db.execute(
            "SELECT id FROM line WHERE id < ? ORDER BY id LIMIT ?", (keep, RETIRED)
        ).fetchall()
        if not ids:
            return 0
        last: int = ids[-1][0]
        (after,) = self.db.execute("SELECT min(id) FROM line WHERE id > ?", (last,)).fetchone()
        with _overwriting(self.db):
            self.db.execute("DELETE FROM line WHERE id <= ?", (last,))
            self.db.execute("DELETE FROM minute WHERE last < ?", (self.next if after is None else after,))
        return len(ids)

    def _named_from(self, keep: int) -> Iterator[set[int]]:
        """Yield who is named in the lines from `keep` on."""
        while True:
            rows = self.db.execute(
                "SELECT id, who FROM line WHERE id >= ? ORDER BY id LIMIT ?", (keep, _LOOKED_AT)
            ).fetchall()
            if not rows:
                return
            yield {who for _, who in rows}
            keep = rows[-1][0] + 1

    def _delete_who(self, ids: Iterable[int]) -> None:
        with _overwriting(self.db):
            self.db.executemany("DELETE FROM who WHERE id = ?", [(each,) for each in ids])


@contextmanager
def _overwriting(db: sqlite3.Connection) -> Generator[None]:
    """A transaction in which what is deleted is overwritten."""
    db.execute("PRAGMA secure_delete = on")
    try:
        with transaction(db):
            yield
    finally:
        db.execute("PRAGMA secure_delete = off")


def _milliseconds(time: float) -> int:
    return int(time * 1000)
