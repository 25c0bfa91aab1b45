"""Records for a history, and what is in its file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from chat_console.server.history.records import Kind, Record

NOW = 1_700_000_000.0


class Tape:
    """Makes records, numbered one after another from 1."""

    def __init__(self) -> None:
        self.next = 1
        self.all: list[Record] = []

    def add(
        self, text: str, kind: Kind = Kind.SAID, who: int = 1, name: str = "Ann", time: float = NOW
    ) -> Record:
        lines = text.count("\n") + 1
        record = Record(self.next, time, kind, who, name, text, lines)
        self.next += lines
        self.all.append(record)
        return record

    def say(self, *texts: str, name: str = "Ann", time: float = NOW) -> list[Record]:
        """One record for each of `texts`."""
        return [self.add(text, name=name, time=time) for text in texts]


def numbered(records: Sequence[Record]) -> list[tuple[int, str]]:
    """The lines of `records`, each with its number."""
    return [
        (record.serial + place, line)
        for record in records
        for place, line in enumerate(record.text.split("\n"))
    ]


def lines_in(path: Path) -> list[tuple[int, str]]:
    """The lines in a history's file, each with its number."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT id, text FROM line ORDER BY id").fetchall()
    db.close()
    return [(first + place, line) for first, text in rows for place, line in enumerate(text.split("\n"))]


def rows_in(path: Path, query: str) -> list[tuple[object, ...]]:
    """The answer of a history's file to `query`."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


def is_sound(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with a file."""
    return rows_in(path, "PRAGMA integrity_check") == [("ok",)]
