"""Who is named in records: one row of the table `who` for each connection and each name that it bore."""

from __future__ import annotations

import sqlite3

from .records import Kind, Record

Row = tuple[int, int, int, str, str]
"""Id, run, member, address and name."""


class Who:
    """The rows of those who are here, and which of them are new in the batch that is being written.

    Args:
        db: the connection that writes.
        addresses: the addresses of those who are here, by member id; it is kept up to date.
    """

    def __init__(self, db: sqlite3.Connection, addresses: dict[int, str]) -> None:
        (self.newest,) = db.execute("SELECT max(id) FROM who").fetchone()
        """The highest id that was given."""
        self._ids: dict[int, dict[str, int]] = {0: {"": 0}}
        self._addresses = addresses
        self._gone: list[int] = []
        self.added: list[Row] = []
        """The rows that the batch needs."""

    @property
    def active(self) -> set[int]:
        """The ids of the rows that lines may still be added for."""
        return {each for ids in self._ids.values() for each in ids.values()}

    def of(self, record: Record, run: int) -> int:
        """Return the id of whom `record` is about."""
        member = record.member_id
        if record.kind is Kind.JOINED:
            self._addresses[member] = record.text
        elif record.kind is Kind.LEFT:
            self._gone.append(member)
        ids = self._ids.setdefault(member, {})
        found = ids.get(record.name)
        if found is None:
            self.newest += 1
            found = ids[record.name] = self.newest
            self.added.append((found, run, member, self._addresses.get(member, ""), record.name))
        return found

    def keep(self) -> None:
        """The batch is written; begin another."""
        for member in self._gone:
            self._ids.pop(member, None)
            self._addresses.pop(member, None)
        self._gone, self.added = [], []

    def undo(self) -> None:
        """The batch is not written."""
        for row_id, _, member, _, name in self.added:
            del self._ids[member][name]
            self.newest = min(self.newest, row_id - 1)
        self._gone, self.added = [], []
