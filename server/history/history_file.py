"""The history's file as a recorder writes it: the store, and what has to be done to it from time to time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from . import notices
from .database import BUSY, CORRUPT, FULL, IOERR, LOCKED, NOTADB, READONLY, primary
from .place import HistoryError, is_on_network
from .records import Record
from .setback import Trouble
from .store import Store

SYNC_AFTER = 1.0
"""For how long what is written may be unsafe from a loss of power, in seconds."""

_SYNCED_SIZE = 8 << 20
"""At how many bytes in the write-ahead log it is synced at once."""

_TRUNCATE_SIZE = 64 << 20
_TOLD_SIZE = 256 << 20
_TRUNCATE_EVERY = 60.0

_INDEXED_FROM = 1_000
"""How many lines wait before they are indexed: fewer are looked through in 1 ms, and cost FTS5 a segment."""

_MERGES = 3
"""How many steps of merging follow a slice of the index, at most."""

_RETIRE_EVERY = 3600.0
_RETIRE_AGAIN = 60.0
_DAY = 86_400.0

T = TypeVar("T")


class HistoryFile:
    """A history in SQLite, as the destination of a recorder.

    Args:
        path: the file; it is made if it is missing.
        version: of this program; kept in the file.
        days: how long lines are kept; 0 = for ever.
        clock: monotonic, in seconds.
        now: the wall clock, in seconds since the epoch.

    Raises:
        HistoryError: if the file cannot be used.
    """

    what = "history"

    def __init__(
        self,
        path: Path,
        version: str,
        days: int = 0,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self._version = version
        self._days = days
        self._clock = clock
        self._now = now
        self._addresses: dict[int, str] = {}
        self._store: Store | None = Store(path, version, self._addresses)
        self._was_moved = False  # since it was opened
        self.next = self._store.next
        self._unsynced_since: float | None = None
        self._sync_again_at = 0.0
        self._truncated_at = clock()
        self._wal_told = False
        self._index_at = 0.0
        self._made_anew: set[int] = set()
        self._retire_at = clock()
        self._retiring: Iterator[int] | None = None
        self._to_tell: list[str] = []
        if self._store.index is None:
            self._to_tell.append(notices.no_index())
        if is_on_network(path):
            self._to_tell.append(notices.on_network(path))

    @property
    def _open(self) -> Store:
        if self._store is None:
            raise Trouble(notices.is_moved(self.path))
        return self._store

    def write(self, records: Sequence[Record]) -> None:
        """Write `records`, all or none; see `Destination`."""
        store = self._open
        self._guarded(lambda: store.append(records))
        self.next = store.next
        self._index_at = min(self._index_at, self._clock())
        if self._unsynced_since is None:
            self._unsynced_since = self._clock()

    def reopen(self) -> bool:
        """Open the file anew; see `Destination`."""
        self._retiring = None
        if self._store is not None:
            self._was_moved = not self._store.is_there
            # First: it must not meet another file under its name.
            if not self._store.leave():
                raise HistoryError(notices.is_read_where_it_is(self.path))
            self._store = None
        self._store = Store(self.path, self._version, self._addresses)
        self.next = self._store.next
        was_moved, self._was_moved = self._was_moved, False
        return was_moved

    def close(self, ended: float) -> None:
        """Close the file; see `Destination`."""
        store, self._store = self._store, None
        if store is not None:
            self._guarded(lambda: store.close(ended))

    def _guarded(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    def _trouble(self, error: sqlite3.Error) -> Trouble:
        code = primary(error)
        if code == FULL:
            return Trouble(notices.is_full(), reopen=False)
        if code in (BUSY, LOCKED):
            return Trouble(notices.is_locked(self.path), is_passing=True, reopen=False)
        if code in (CORRUPT, NOTADB):
            return Trouble(notices.is_damaged(self.path, str(error)))
        if code == READONLY:
            return Trouble(notices.is_read_only(self.path))
        name = getattr(error, "sqlite_errorname", "")
        how = f"{error}, {name}" if name else str(error)
        return Trouble(notices.cannot_write(self.path, how), reopen=code != IOERR)

    # What is due from time to time

    def tend(self, tell: Callable[[str], object], *, is_quiet: bool) -> float | None:
        """Do a little of what is due besides writing; see `Destination`."""
        for text in self._to_tell:
            tell(text)
        self._to_tell.clear()
        store = self._store
        if store is None:
            return None
        try:
            self._sync(store, tell)
            if is_quiet:
                self._index(store, tell)
            self._retire(store)
        except (sqlite3.Error, OSError):
            # Whatever the matter is, the next line that is written meets it too, and that is told of.
            self._retiring = None
            self._sync_again_at = self._index_at = self._clock() + SYNC_AFTER
            self._retire_at = self._clock() + _RETIRE_AGAIN
        return self._due_in(store)

    def _sync(self, store: Store, tell: Callable[[str], object]) -> None:
        now = self._clock()
        if self._unsynced_since is None or now < self._sync_again_at:
            return
        size = store.wal_size
        if size <= _SYNCED_SIZE and now < self._unsynced_since + SYNC_AFTER:
            return
        truncate = size > _TRUNCATE_SIZE and now >= self._truncated_at + _TRUNCATE_EVERY
        if truncate:
            self._truncated_at = now
            if size > _TOLD_SIZE and not self._wal_told:
                tell(notices.wal_grows(self.path, size))
            self._wal_told = size > _TOLD_SIZE
        store.sync(truncate=truncate)
        self._unsynced_since = None

    def _index(self, store: Store, tell: Callable[[str], object]) -> None:
        began_at = self._clock()
        if store.index is None or began_at < self._index_at:
            return
        first = store.first
        volume = store.index.next_volume(first, store.next)
        if volume is None or store.index.behind(first, store.next) < _INDEXED_FROM:
            self._index_at = float("inf")  # until more is written
            return
        try:
            store.index.add_slice(volume, first, store.next)
            for _ in range(_MERGES):
                if not store.index.merge():
                    break
        except sqlite3.DatabaseError as error:
            if primary(error) != CORRUPT or volume in self._made_anew:
                raise
            self._made_anew.add(volume)  # once: if that does not help, the lines themselves are damaged
            store.index.drop(volume)
            tell(notices.index_damaged())
        self._unsynced_since = began_at if self._unsynced_since is None else self._unsynced_since
        # It takes half of the time at most.
        self._index_at = 2 * self._clock() - began_at

    def _retire(self, store: Store) -> None:
        if not self._days:
            return
        if self._retiring is None:
            if self._clock() < self._retire_at:
                return
            self._retire_at = self._clock() + _RETIRE_EVERY
            now = self._now()
            self._retiring = store.retire(store.first_to_keep(now - self._days * _DAY, now))
        if next(self._retiring, None) is None:
            self._retiring = None

    def _due_in(self, store: Store) -> float | None:
        if self._retiring is not None:
            return 0.0
        due = [self._index_at] if store.index is not None else []
        if self._unsynced_since is not None:
            due.append(max(self._unsynced_since + SYNC_AFTER, self._sync_again_at))
        if self._days:
            due.append(self._retire_at)
        soonest = min(due, default=float("inf"))
        return None if soonest == float("inf") else max(0.0, soonest - self._clock())
