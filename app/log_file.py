"""The log file: what is said in public as lines of text or JSON, with the manners of a history."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from ..server.history import notices
from ..server.history.place import HistoryError, Moved, same_file
from ..server.history.records import Kind, Record
from ..server.history.setback import Trouble

DATE = "{date}"
"""Stands in a file's name for the date: there is a file for each day."""

SYNC_AFTER = 1.0
"""For how long what is written may be unsafe from a loss of power, in seconds."""


class LogFile:
    """A text file to which lines are added, as the destination of a recorder. Only its owner can read it.

    A file that is moved away, as by logrotate, is complete there, and a new one is begun.

    Args:
        path: the file, or the files with `DATE` for each day, in local time.
        format: makes the text of a record, with the address of whom it is about: lines that end in LF.
        clock: monotonic, in seconds.

    Raises:
        HistoryError: if it cannot be written.
    """

    what = "log"

    def __init__(
        self,
        path: Path,
        format: Callable[[Record, str], str],  # noqa: A002
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = _dated(path, time.time())
        self.next = 1
        self._pattern = path
        self._format = format
        self._clock = clock
        self._addresses: dict[int, str] = {}
        self._written = 0  # the last serial number that is in a file
        self._unsynced_since: float | None = None
        self._file: int | None = None
        self._open()

    def write(self, records: Sequence[Record]) -> None:
        """Write `records`, or none of a day; see `Destination`."""
        for path, of_day in groupby(records, lambda record: _dated(self._pattern, record.time)):
            new = [record for record in of_day if record.serial > self._written]
            if new:
                self._write(path, new)
                self._written = new[-1].serial

    def _write(self, path: Path, records: Sequence[Record]) -> None:
        if path != self.path:
            self.path = path
            try:
                self.reopen()
            except HistoryError as error:
                raise Trouble(str(error)) from None
        if self._file is None:
            raise Trouble(notices.is_moved(self.path))
        status = os.fstat(self._file)
        if not same_file(self.path, status, follow=True):
            raise Moved
        data = "".join(map(self._text, records)).encode()
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            # What is there of them will be written again.
            os.ftruncate(self._file, status.st_size)
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            why = notices.is_full() if full else notices.cannot_write(self.path, error.strerror or str(error))
            raise Trouble(why, reopen=not full) from None
        if self._unsynced_since is None:
            self._unsynced_since = self._clock()

    def _text(self, record: Record) -> str:
        member = record.member_id
        if record.kind is Kind.JOINED:
            self._addresses[member] = record.text
        address = self._addresses.get(member, "")
        if record.kind is Kind.LEFT:
            self._addresses.pop(member, None)
        return self._format(record, address)

    def reopen(self) -> bool:
        """Open the file anew; see `Destination`. A log has no numbers."""
        self._close()
        self._open()
        return False

    def tend(self, tell: Callable[[str], object], *, is_quiet: bool) -> float | None:
        """Make what was written safe after a while; see `Destination`."""
        if self._unsynced_since is None or self._file is None:
            return None
        wait = self._unsynced_since + SYNC_AFTER - self._clock()
        if wait > 0:
            return wait
        try:
            os.fsync(self._file)
        except OSError:
            self._unsynced_since = self._clock()
            return SYNC_AFTER
        self._unsynced_since = None
        return None

    def close(self, ended: float) -> None:
        """Close the file; see `Destination`."""
        self._close()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            file = os.open(self.path, flags, 0o600)
        except OSError as error:
            kind = "is not a regular file" if error.errno in (errno.EISDIR, errno.ENXIO) else ""
            raise HistoryError(
                f"{self.path} {kind}" if kind else f"cannot open {self.path}: {error.strerror}"
            ) from None
        problem = _problem(file)
        if problem:
            os.close(file)
            raise HistoryError(f"{self.path} {problem}")
        self._file = file

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _problem(file: int) -> str:
    """Lock `file`, and return what is wrong with it."""
    if not stat.S_ISREG(os.fstat(file).st_mode):
        return "is not a regular file"
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "is in use by another chat-console; end that one, or name another file with --log"
    except OSError:
        pass  # a file system without locks
    return ""


def _dated(path: Path, at: float) -> Path:
    if DATE not in path.name:
        return path
    return path.with_name(path.name.replace(DATE, time.strftime("%Y-%m-%d", time.localtime(at))))
