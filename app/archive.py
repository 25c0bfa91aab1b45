"""A history's file as the console's log reads it: by threads of its own, so that a slow disk stops nobody."""

from __future__ import annotations

import asyncio
import contextvars
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from queue import SimpleQueue

from ..server.history import query as history
from ..server.history.place import HistoryError, same_file
from ..server.history.reader import Reader
from ..server.history.records import Kind, Line
from ..widgets.entry import Entry
from ..widgets.entry import Kind as Shown
from ..widgets.past import Found, Lines
from ..widgets.query import Query
from .recorded import entry_of

_TOLD_EVERY = 0.05
"""Seconds between two tellings of what a search has found, at most; the first hit is told at once."""

_MOST_TOLD = 200
"""How many hits are told at once: the loop takes them without being held up."""

_STEPS = 10_000
"""How many steps SQLite takes between two looks at whether a search was ended: some 0.1 ms."""

_MOST_WORDS = 20
"""How many words SQLite is asked for; the lines that it gives are searched for the others too."""

Job = Callable[[Reader], None]


class HistoryArchive:
    """The lines of a history; its methods are those of `widgets.past.Archive`.

    Make it on the event loop, in the context that the answers are to be called in.

    Args:
        path: the file, which this process may be writing.
        own: the serial number of the first line of this run: from there on the ids of users are theirs.
        tell: is called on the loop with what the operator should know.
    """

    def __init__(self, path: Path, own: int, tell: Callable[[str], object]) -> None:
        self._path = path
        self._own = own
        self._tell = tell
        self._told = ""
        self._oldest = 1
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        # A search may take seconds; what is in view must not wait for it.
        self._pages = _Worker(path, "history pages", self._failed)
        self._searches = _Worker(path, "history searches", self._failed)

    def close(self) -> None:
        """Read nothing more."""
        self._pages.close()
        self._searches.close()

    def read(self, numbers: range, done: Callable[[Lines], object]) -> None:
        """Read the lines with these numbers."""

        def job(reader: Reader) -> None:
            found = reader.page(numbers.start, len(numbers))
            entries = [self._entry(line) for line in found if line.serial < numbers.stop]
            self._oldest, self._told = reader.first, ""
            self._answer(done, Lines(self._oldest, reader.next, entries))

        def failed(error: str) -> None:
            # The other lines are as if they had not reached the file: they are asked for again.
            number = max(self._oldest, numbers.start)
            entry = Entry(time.time(), Shown.ERROR, "", error, number=number)
            self._answer(done, Lines(self._oldest, number + 1, [entry]))

        self._pages.put(job, failed)

    def at(self, time: float, done: Callable[[int | None], object]) -> None:
        """Find the first line not before `time`, in seconds since the epoch."""
        self._pages.put(
            lambda reader: self._answer(done, reader.at(time)), lambda error: self._answer(done, None)
        )

    def search(self, query: Query, before: int, found: Callable[[Found], object]) -> Callable[[], object]:
        """Find lines with numbers below `before`, the newest first; return what ends the search."""
        ended = threading.Event()

        def take(news: Found) -> None:
            if not ended.is_set():
                found(news)

        def job(reader: Reader) -> None:
            reader.db.set_progress_handler(ended.is_set, _STEPS)
            try:
                unindexed = reader.unindexed
                for entries in _gathered(self._hits(reader, query, before)):
                    self._answer(take, Found(entries, unindexed, False))
            except sqlite3.OperationalError:
                if not ended.is_set():
                    raise
            self._answer(take, Found((), 0, True))

        self._searches.put(job, lambda error: self._answer(take, Found((), 0, True)))
        return ended.set

    def _hits(self, reader: Reader, query: Query, before: int) -> Iterator[Entry]:
        wanted = _wanted(query)
        first = self._own if query.who is not None else 1
        for line in reader.search(wanted, first=first, before=before, newest_first=True):
            entry = self._entry(line)
            if query.finds(entry):  # as it is shown
                yield entry

    def _entry(self, line: Line) -> Entry:
        who = line.member_id or None if line.serial >= self._own else None
        return replace(entry_of(line), who=who, number=line.serial)

    def _answer(self, done: Callable[..., object], answer: object) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(done, answer, context=self._context)

    def _failed(self, error: str) -> None:
        if error != self._told:
            self._told = error
            self._answer(self._tell, error)


def _wanted(query: Query) -> history.Query:
    """Return what a history can be asked for, which finds all that `query` does."""
    kinds: tuple[Kind, ...] = ()
    if query.private:
        kinds = (Kind.PRIVATE, Kind.SENT)
    elif query.joins:
        kinds = history.JOINS
    return history.Query(
        words=query.words[:_MOST_WORDS],
        kinds=kinds,
        sender=query.sender,
        member_id=query.who,
        since=query.since,
        until=query.until,
    )


def _gathered(hits: Iterator[Entry]) -> Iterator[list[Entry]]:
    """Yield `hits` some at a time, the first one by itself."""
    yield [*islice(hits, 1)]
    gathered: list[Entry] = []
    told_at = time.monotonic()
    for hit in hits:
        gathered.append(hit)
        if len(gathered) >= _MOST_TOLD or time.monotonic() - told_at >= _TOLD_EVERY:
            yield gathered
            gathered, told_at = [], time.monotonic()
    yield gathered


class _Worker:
    """A thread with a connection to the file, which does one job after another."""

    def __init__(self, path: Path, name: str, failed: Callable[[str], object]) -> None:
        self._path = path
        self._failed = failed
        self._jobs: SimpleQueue[tuple[Job, Callable[[str], object]] | None] = SimpleQueue()
        self._reader: Reader | None = None
        self._held: os.stat_result | None = None
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def put(self, job: Job, failed: Callable[[str], object]) -> None:
        """Have `job` done; `failed` is called with why that was impossible."""
        self._jobs.put((job, failed))

    def close(self) -> None:
        """Do what has been put until now, and end."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (next_job := self._jobs.get()) is not None:
            job, failed = next_job
            try:
                job(self._open())
            except Exception as error:  # whoever waits must hear of it
                self._close()
                text = str(error) if isinstance(error, HistoryError) else f"cannot read {self._path}: {error}"
                self._failed(text)
                failed(text)
        self._close()

    def _open(self) -> Reader:
        """Return the file's reader, opened anew if the path leads to another file by now."""
        if self._reader is None or self._held is None or not same_file(self._path, self._held, follow=True):
            self._close()
            with suppress(OSError):  # the reader tells better what is wrong
                self._held = os.stat(self._path)
            self._reader = Reader(self._path)
        return self._reader

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
