"""The search index: which trigrams each line has. It lags behind, and can be made anew at any time."""

from __future__ import annotations

import sqlite3
from functools import cache

from .database import transaction
from .records import Kind
from .trigrams import spread

VOLUME_BITS = 18
"""2 to this power serial numbers share one volume of the index, so that old ones can be dropped whole."""

SLICE = 500
"""The most records that are indexed in one transaction."""

_MERGED_PAGES = 50
"""How many pages one step of merging may write."""

_SPOKEN = ", ".join(str(int(kind)) for kind in (Kind.SAID, Kind.OPERATOR_SAID, Kind.PRIVATE, Kind.SENT))

SHOWN = f"w.name || CASE WHEN l.kind IN ({_SPOKEN}) THEN ': ' ELSE ' ' END || l.text"
"""SQL for what is indexed of a line `l` by `w`, before it is spread."""

_INDEXED = f"""CASE WHEN length(l.text) = length(CAST(l.text AS BLOB))
                     AND length(w.name) = length(CAST(w.name AS BLOB))
               THEN {SHOWN} ELSE spread({SHOWN}) END"""


@cache
def can_index() -> bool:
    """Whether this Python's SQLite can search by trigrams (FTS5, and 3.34 for its tokenizer)."""
    db = sqlite3.connect(":memory:")
    try:
        db.execute("CREATE VIRTUAL TABLE probe USING fts5(text, tokenize='trigram')")
    except sqlite3.OperationalError:
        return False
    finally:
        db.close()
    return True


class SearchIndex:
    """Fills the index, a slice at a time.

    Args:
        db: the connection that writes.
        bits: as `VOLUME_BITS`.
    """

    def __init__(self, db: sqlite3.Connection, bits: int = VOLUME_BITS) -> None:
        self._db = db
        self._bits = bits
        self._merging: int | None = None
        db.create_function("spread", 1, spread, deterministic=True)
        self._upto: dict[int, int] = dict(db.execute("SELECT id, CAST(upto AS INTEGER) FROM volume"))

    def behind(self, first: int, after: int) -> int:
        """Return how many of the serial numbers from `first` to before `after` are not indexed."""
        return sum(end - self._done(volume, first) for volume, end in self._volumes(first, after))

    def _volumes(self, first: int, after: int) -> list[tuple[int, int]]:
        """Return the volumes that are not complete, the newest first, each with its last serial number."""
        if first >= after:
            return []
        ends = [
            (volume, min(((volume + 1) << self._bits) - 1, after - 1))
            for volume in range((after - 1) >> self._bits, (first >> self._bits) - 1, -1)
        ]
        return [(volume, end) for volume, end in ends if self._done(volume, first) < end]

    def _done(self, volume: int, first: int) -> int:
        """Return the last serial number of `volume` that is indexed, or that before its first line."""
        return max(self._upto.get(volume, 0), (volume << self._bits) - 1, first - 1)

    def next_volume(self, first: int, after: int) -> int | None:
        """Return the volume to index next: the newest that is not complete."""
        return next((volume for volume, _ in self._volumes(first, after)), None)

    def add_slice(self, volume: int, first: int, after: int) -> None:
        """Index some more of a `volume` in one transaction; there are lines from `first` up to `after`."""
        end = min(((volume + 1) << self._bits) - 1, after - 1)
        start = self._done(volume, first) + 1
        ids = self._db.execute(
            "SELECT id FROM line WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?",
            (start, min(end, start + 2 * SLICE - 1), SLICE),
        ).fetchall()
        if not ids:  # a long record, or a hole
            ids = self._db.execute(
                "SELECT id FROM line WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1", (start, end)
            ).fetchall()
        last = ids[-1][0] if ids else end
        (following,) = self._db.execute("SELECT min(id) FROM line WHERE id > ?", (last,)).fetchone()
        upto = min(end, (after if following is None else following) - 1)
        with transaction(self._db):
            if volume not in self._upto:
                self._create(volume)
            self._db.execute(
                f"""INSERT INTO find_{volume}(rowid, text) SELECT l.id, {_INDEXED}
                    FROM line l JOIN who w ON w.id = l.who WHERE l.id BETWEEN ? AND ?""",
                (start, last),
            )
            self._db.execute(
                "INSERT INTO volume VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET upto = excluded.upto",
                (volume, upto),
            )
        self._upto[volume] = upto
        self._merging = volume

    def _create(self, volume: int) -> None:
        self._db.execute(
            f"""CREATE VIRTUAL TABLE find_{volume} USING fts5(
                text, content='', columnsize=0, detail=none, tokenize='trigram')"""
        )
        # Merging by itself, FTS5 holds a transaction for long; `merge` does it in steps.
        for option, value in (("automerge", 0), ("crisismerge", 100), ("usermerge", 4)):
            self._db.execute(f"INSERT INTO find_{volume}(find_{volume}, rank) VALUES(?, ?)", (option, value))

    def merge(self) -> bool:
        """Do one step of merging in the volume indexed last; return whether there is more to do."""
        volume = self._merging
        if volume is None:
            return False
        before = self._db.total_changes
        self._db.execute(
            f"INSERT INTO find_{volume}(find_{volume}, rank) VALUES('merge', ?)", (_MERGED_PAGES,)
        )
        # FTS5 counts at least two changes for a step that did something (sqlite.org/fts5.html, 6.9).
        if self._db.total_changes - before >= 2:
            return True
        self._merging = None
        return False

    def drop(self, volume: int) -> None:
        """Remove one volume; its lines are indexed anew if they are still there."""
        with transaction(self._db):
            self._db.execute(f"DROP TABLE IF EXISTS find_{volume}")
            self._db.execute("DELETE FROM volume WHERE id = ?", (volume,))
        self._upto.pop(volume, None)
        if self._merging == volume:
            self._merging = None

    def before(self, serial: int) -> list[int]:
        """Return the volumes that have only serial numbers before `serial`."""
        return sorted(volume for volume in self._upto if ((volume + 1) << self._bits) <= serial)
