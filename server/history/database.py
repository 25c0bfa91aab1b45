"""The history's SQLite file: its schema and version, and how connections to it are opened."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from .place import HistoryError, Place

APPLICATION_ID = 0x63686174  # "chat"
VERSION = 1

_OLDEST_SQLITE = (3, 24, 0)  # the first that can INSERT … ON CONFLICT DO UPDATE

_SCHEMA = f"""
BEGIN;
CREATE TABLE run(id INTEGER PRIMARY KEY, started INTEGER NOT NULL, ended INTEGER, version TEXT NOT NULL);
CREATE TABLE who(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, member INTEGER NOT NULL,
                 address TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE line(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL,
                  who INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE minute(minute INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL,
                    lines INTEGER NOT NULL);
CREATE TABLE volume(id INTEGER PRIMARY KEY, upto INTEGER NOT NULL);
INSERT INTO who VALUES(0, 0, 0, '', '');
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
COMMIT;
"""
"""`docs/history.md` tells what the columns mean."""

_BUSY_SECONDS = 0.25
"""How long a statement waits for another program's lock."""

_WRITING = (
    "page_size = 8192",
    # Readers go on while lines are written, and a killed process loses no committed line.
    "journal_mode = wal",
    # A commit does not wait for the disk; the checkpoint of each second does.
    "synchronous = normal",
    "wal_autocheckpoint = 0",
    f"journal_size_limit = {8 << 20}",
    "checkpoint_fullfsync = on",
    # Debian builds it with on, which is dear; it is switched on where lines are deleted for good.
    "secure_delete = off",
    "cache_size = -8000",
    # A file cut short by somebody else must be an error, and not the end of the process.
    "mmap_size = 0",
    "trusted_schema = off",
)
_READING = (
    "query_only = on",
    "cache_size = -8000",
    "mmap_size = 0",
    "trusted_schema = off",
    "cell_size_check = on",
)


def open_for_writing(place: Place) -> sqlite3.Connection:
    """Open the database at `place`, which becomes a new history if it is empty.

    Raises:
        HistoryError: if it is none, or one of a later version, or cannot be opened.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        oldest = ".".join(map(str, _OLDEST_SQLITE))
        raise HistoryError(f"this Python has SQLite {sqlite3.sqlite_version}, and --history needs {oldest}")
    is_new = place.is_empty
    try:
        db = _connect(place.path, "mode=rw")
        try:
            _check(db, place.path, is_new=is_new)
            for pragma in _WRITING:
                answer = db.execute(f"PRAGMA {pragma}").fetchone()
                if pragma == "journal_mode = wal" and answer != ("wal",):
                    raise HistoryError(
                        f"{place.path} is on a file system that SQLite's write-ahead log cannot use; "
                        "choose a local disk"
                    )
            if is_new:
                db.executescript(_SCHEMA)
            if not place.is_there():
                raise HistoryError(f"{place.path} was moved while it was opened; try again")
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise HistoryError(_why_not_opened(place.path, error)) from None
    return db


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the history at `path`, which others may be writing.

    Raises:
        HistoryError: if there is none, or it cannot be read.
    """
    try:
        # Not opened: closing it would drop the locks that this process has on it.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise HistoryError(f"{path} is not a regular file")
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except FileNotFoundError:
        raise HistoryError(f"there is no file {path}") from None
    except OSError as error:
        raise HistoryError(f"cannot open {path}: {error.strerror}") from None
    try:
        try:
            return _reader(path, "mode=ro")
        except sqlite3.OperationalError as error:
            # Where SQLite may not make its two files beside it, or finds no room for them.
            if primary(error) not in _NO_WAL or _has_wal(path):
                raise
            return _reader(path, "immutable=1")
    except sqlite3.Error as error:
        raise HistoryError(_why_not_opened(path, error)) from None


def _reader(path: Path, mode: str) -> sqlite3.Connection:
    db = _connect(path, mode)
    try:
        for pragma in _READING:
            db.execute(f"PRAGMA {pragma}")
        # What a damaged file has for text must be shown, and not end the search.
        db.text_factory = _decoded
        _check(db, path, is_new=False)
    except BaseException:
        db.close()
        raise
    return db


def _decoded(data: bytes) -> str:
    return data.decode(errors="replace")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _check(db: sqlite3.Connection, path: Path, *, is_new: bool) -> None:
    if is_new:
        return
    (found,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if found != APPLICATION_ID:
        raise HistoryError(f"{path} is a database, but not a history of chat-console")
    if version > VERSION:
        raise HistoryError(
            f"{path} was written by a newer chat-console (format {version}, this one knows {VERSION})"
        )


@contextmanager
def transaction(db: sqlite3.Connection) -> Generator[None]:
    """Commit what is done inside, or nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:  # after some errors SQLite has rolled back by itself
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")


FULL, IOERR, BUSY, LOCKED, CORRUPT, NOTADB, READONLY, CANTOPEN = 13, 10, 5, 6, 11, 26, 8, 14
"""Primary result codes of SQLite (sqlite.org/rescode.html)."""

_NO_WAL = (READONLY, CANTOPEN, IOERR)


def primary(error: sqlite3.Error) -> int:
    """Return the primary result code of `error`; 0 if it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _has_wal(path: Path) -> bool:
    try:
        return os.stat(f"{path}-wal").st_size > 0
    except OSError:
        return False


def _why_not_opened(path: Path, error: sqlite3.Error) -> str:
    code = primary(error)
    if code == NOTADB:
        return f"{path} is no database"
    if code == CORRUPT:
        return f"{path} is damaged ({error}); move it away and a new one is begun"
    if code in (BUSY, LOCKED):
        return f"cannot open {path}: another program has locked it"
    return f"cannot open {path}: {error}"
