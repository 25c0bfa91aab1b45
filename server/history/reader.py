"""Reads a history, also while it is written: pages of lines, the line of a time, and searches."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from .database import open_for_reading
from .query import TALK, Query
from .records import Kind, Line
from .search_index import SHOWN, VOLUME_BITS, SearchIndex, can_index
from .trigrams import fold, matching

PAGE = 200
"""How many records are read at once. No transaction is longer, so that a slow reader holds up nobody."""

_FIRST_GUESS = 10
"""How many lines a record is taken to have until some have been read."""

_LATEST = 253_370_764_800_000
"""The latest time of a line, in ms since the epoch: the year 9999, beyond which no calendar goes."""

_MOST_NAMED = 500
"""Up to how many rows of `who` a search asks SQLite for; of more, each line is looked at."""

_COLUMNS = ", ".join(
    (
        *("l.id", "CAST(l.time AS INTEGER)", "l.kind", "CAST(w.member AS INTEGER)"),
        *(f"CAST({each} AS TEXT)" for each in ("w.name", "w.address", "l.text")),
    )
)
"""Of the types that they should have: SQLite keeps any, and the file may be anybody's."""

_LINES = f"SELECT {_COLUMNS} FROM line l JOIN who w ON w.id = l.who"


def _is_ascii(column: str) -> str:
    return f"length({column}) = length(CAST({column} AS BLOB))"


_IS_ASCII = f"{_is_ascii('l.text')} AND {_is_ascii('w.name')}"
_TIME_OF = """SELECT coalesce((SELECT CAST(time AS INTEGER) FROM line WHERE id <= ?
              ORDER BY id DESC LIMIT 1), 0)"""


class _Part(NamedTuple):
    """Records to look through: those from `first` to `last`, in a volume of the index if there is one."""

    first: int
    last: int
    volume: int | None


class _Conditions(NamedTuple):
    """What SQLite can tell of a record without the index; they may hold for more than is looked for."""

    always: str
    words: str
    """What is needed besides where the index is not asked."""
    values: tuple[str, ...]
    """For `words`."""


class Reader:
    """A history's file, open for reading.

    Args:
        path: the file.
        bits: as `search_index.VOLUME_BITS`.

    Raises:
        HistoryError: if there is none, or it cannot be read.
    """

    def __init__(self, path: Path, bits: int = VOLUME_BITS) -> None:
        self.path = path
        self.db = open_for_reading(path)
        self._bits = bits

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    @property
    def first(self) -> int:
        """The serial number of the oldest line; 1 if there is none."""
        return self._one("SELECT coalesce(min(id), 1) FROM line")

    @property
    def next(self) -> int:
        """The serial number after that of the newest line."""
        row = self.db.execute("SELECT id, CAST(text AS TEXT) FROM line ORDER BY id DESC LIMIT 1").fetchone()
        return row[0] + row[1].count("\n") + 1 if row else 1

    def page(self, first: int, count: int) -> list[Line]:
        """Return the lines from the serial number `first` on, at most `count` of them, oldest first."""
        start = self._record_of(first)
        lines: list[Line] = []
        per_record = _FIRST_GUESS
        while len(lines) < count:
            # A record may have hundreds of lines; what is beyond those wanted is read for nothing.
            limit = max(1, min(count - len(lines), PAGE) // per_record)
            rows = self._rows(f"{_LINES} WHERE l.id >= ? ORDER BY l.id LIMIT ?", (start, limit))
            if not rows:
                break
            found = [line for row in rows for line in _lines(row)]
            lines += [line for line in found if line.serial >= first]
            start = rows[-1][0] + 1
            per_record = max(1, len(found) // len(rows))
        return lines[:count]

    def _record_of(self, serial: int) -> int:
        """Return the serial number of the record that has a line, or 0 if it would be before the first."""
        return self._one("SELECT coalesce(max(id), 0) FROM line WHERE id <= ?", serial)

    def before(self, serial: int, count: int) -> list[Line]:
        """Return the last lines before a serial number, at most `count` of them, oldest first."""
        pages: list[list[Line]] = []
        while count > 0:
            rows = self._rows(
                f"{_LINES} WHERE l.id < ? ORDER BY l.id DESC LIMIT ?", (serial, min(count, PAGE))
            )
            if not rows:
                break
            found = [line for row in reversed(rows) for line in _lines(row) if line.serial < serial]
            pages.append(found[-count:])
            count -= len(pages[-1])
            serial = rows[-1][0]
        return [*chain.from_iterable(reversed(pages))]

    def at(self, time: float) -> int | None:
        """Return the serial number of the first line not before a time, in seconds since the epoch."""
        at = int(time * 1000)
        row = self.db.execute(
            "SELECT CAST(first AS INTEGER), CAST(last AS INTEGER) FROM minute "
            "WHERE minute >= ? ORDER BY minute LIMIT 1",
            (at // 60_000,),
        ).fetchone()
        if row is None:
            return None
        low, high = row
        while low < high:
            middle = (low + high) // 2
            if self._one(_TIME_OF, middle) < at:
                low = middle + 1
            else:
                high = middle
        found = self.db.execute(
            "SELECT id FROM line WHERE id >= ? AND time >= ? ORDER BY id LIMIT 1", (low, at)
        ).fetchone()
        return found and found[0]

    def last_public(self, count: int) -> list[Line]:
        """Return the last lines that somebody said to everybody, at most `count` of them, oldest first."""
        found = self.search(Query(kinds=(Kind.SAID, Kind.OPERATOR_SAID)), newest_first=True)
        return [line for _, line in zip(range(count), found, strict=False)][::-1]

    # Searching

    @property
    def unindexed(self) -> int:
        """How many serial numbers are still to be indexed; 0 if nothing can be."""
        return SearchIndex(self.db, self._bits).behind(self.first, self.next) if can_index() else 0

    def search(
        self, query: Query, *, first: int = 1, before: int | None = None, newest_first: bool = False
    ) -> Iterator[Line]:
        """Yield the lines that `query` finds, in their order or the other way round.

        Args:
            first: only lines with serial numbers from this on.
            before: only lines with lower serial numbers than this.
        """
        wanted = range(first, sys.maxsize if before is None else before)
        start, last = self._range(query)
        start, last = max(start, self._record_of(first)), min(last, wanted.stop - 1)
        match = _match(query)
        conditions = self._conditions(query)
        parts = self._parts(start, last) if match and can_index() else [_Part(start, last, None)]
        for part in reversed(parts) if newest_first else parts:
            for lines in self._look_through(part, match, conditions, newest_first=newest_first):
                found = [line for line in query.finds(lines) if line.serial in wanted]
                yield from reversed(found) if newest_first else found

    def _range(self, query: Query) -> tuple[int, int]:
        """Return the serial numbers of the first and the last line that may be in the query's time."""
        since = 0 if query.since is None else int(query.since * 1000) // 60_000
        until = 1 << 60 if query.until is None else int(query.until * 1000) // 60_000
        first, last = self.db.execute(
            "SELECT min(CAST(first AS INTEGER)), max(CAST(last AS INTEGER)) FROM minute "
            "WHERE minute BETWEEN ? AND ?",
            (since, until),
        ).fetchone()
        return (1, 0) if first is None else (first, last)

    def _parts(self, first: int, last: int) -> list[_Part]:
        """Divide the lines between two by what is indexed, oldest first."""
        parts: list[_Part] = []
        upto: dict[int, int] = dict(
            self.db.execute("SELECT id, CAST(upto AS INTEGER) FROM volume").fetchall()
        )
        start = first
        for volume, end in sorted(upto.items()):
            low, high = max(start, volume << self._bits), min(end, last)
            if low > high:
                continue
            if start < low:
                parts.append(_Part(start, low - 1, None))
            parts.append(_Part(low, high, volume))
            start = high + 1
        if start <= last:
            parts.append(_Part(start, last, None))
        return parts

    def _look_through(
        self, part: _Part, match: str, conditions: _Conditions, *, newest_first: bool
    ) -> Iterator[list[Line]]:
        """Yield the lines of records in which something may be found, some records at a time."""
        first, last, volume = part
        end = f" ORDER BY l.id {'DESC' if newest_first else 'ASC'} LIMIT {PAGE}"
        scan = f"{_LINES} WHERE l.id BETWEEN ? AND ?{conditions.always}{conditions.words}{end}"
        index = f"find_{volume}"
        look_up = (
            f"SELECT {_COLUMNS} FROM {index} f JOIN line l ON l.id = f.rowid JOIN who w ON w.id = l.who "
            f"WHERE {index} MATCH ? AND f.rowid BETWEEN ? AND ?{conditions.always}"
            f"{end.replace('l.id', 'f.rowid')}"
        )
        while first <= last:
            try:
                if volume is None:
                    rows = self._rows(scan, (first, last, *conditions.values))
                else:
                    rows = self._rows(look_up, (match, first, last))
            except sqlite3.DatabaseError:
                if volume is None:
                    raise
                volume = None  # it is damaged, or was dropped just now
                continue
            if not rows:
                return
            yield [line for row in (reversed(rows) if newest_first else rows) for line in _lines(row)]
            if newest_first:
                last = rows[-1][0] - 1
            else:
                first = rows[-1][0] + 1

    def _conditions(self, query: Query) -> _Conditions:
        always, words = "", ""
        values: list[str] = []
        if query.kinds:
            always += f" AND l.kind IN ({', '.join(str(int(kind)) for kind in query.kinds)})"
        if query.names:
            ids = self._named({fold(name) for name in query.names})
            if len(ids) <= _MOST_NAMED:
                always += f" AND l.who IN ({', '.join(map(str, ids))})"
        if query.member_id is not None:
            always += f" AND w.member = {query.member_id}"
        if query.sender:
            always += f" AND l.kind IN ({', '.join(str(int(kind)) for kind in TALK)})"
            # Whom it was said to in private is in the text.
            words += (
                f" AND (w.name LIKE ? ESCAPE '!' OR NOT ({_is_ascii('w.name')}) OR l.kind = {Kind.SENT:d})"
            )
            values.append(f"{_escaped(fold(query.sender))}%")
        for word in map(fold, query.words):
            # Folding may make ASCII of what is not; what is ASCII stays so.
            if word.isascii():
                words += f" AND ({SHOWN} LIKE ? ESCAPE '!' OR NOT ({_IS_ASCII}))"
                values.append(f"%{_escaped(word)}%")
            else:
                words += f" AND NOT ({_IS_ASCII})"
        return _Conditions(always, words, tuple(values))

    def _named(self, names: set[str]) -> list[int]:
        """Return the rows of `who` with one of these names, or more than enough of them."""
        found: list[int] = []
        after = -1
        while len(found) <= _MOST_NAMED:
            rows = self.db.execute(
                "SELECT id, CAST(name AS TEXT) FROM who WHERE id > ? ORDER BY id LIMIT 10000", (after,)
            ).fetchall()
            if not rows:
                break
            found += [each for each, name in rows if fold(name) in names]
            after = rows[-1][0]
        return found

    def _rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self.db.execute(sql, values).fetchall()

    def _one(self, sql: str, *values: Any) -> Any:
        return self.db.execute(sql, values).fetchone()[0]


def _match(query: Query) -> str:
    """Return the FTS5 query for what may be found, or nothing if the index cannot tell."""
    wanted = [matching([word]) for word in (*query.words, query.sender)]
    if query.names:
        # What is said has a colon behind the name, so that even the shortest has a trigram.
        end = ": " if query.kinds and set(query.kinds) <= set(TALK) else ""
        named = [matching([f"{name}{end}"]) for name in query.names]
        wanted.append(" OR ".join(f"({each})" for each in named) if all(named) else "")
    return " AND ".join(f"({each})" for each in wanted if each)


def _escaped(text: str) -> str:
    """Return what LIKE finds `text` with, whose ESCAPE is `!`."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _lines(row: tuple[Any, ...]) -> list[Line]:
    serial, at, kind, member, name, address, text = row
    at = min(max(at, 0), _LATEST)
    return [
        Line(serial + place, at / 1000, kind, member, name, address, line)
        for place, line in enumerate(text.split("\n"))
    ]
