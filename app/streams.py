"""Standard streams that stall nobody: each has a thread of its own, which retries temporary failures."""

from __future__ import annotations

import errno
import math
import os
import select
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from ..server.room import notices
from .process import is_hung_up

_READ_SIZE = 1 << 16
_MAX_UNPRINTED = 16 << 20  # bytes that may wait for a reader, or for space on the disk
_RETRY = 0.5  # seconds, when nothing says when to try again
_PAUSE = 0.01  # seconds
_COMPLAIN_EVERY = 60.0  # seconds, at most

_LOST_FOR_GOOD = (errno.EPIPE, errno.ECONNRESET, errno.EBADF, errno.ENXIO, errno.ENODEV)


def read(descriptor: int, take: Callable[[bytes], object]) -> None:
    """Call `take` with each piece of data read from `descriptor`, and with `b""` at each end of file.

    Some ends are temporary: Ctrl-D on a terminal, and the end of a FIFO, which others may open again. A
    terminal is left alone while the process is in the background. Returns when nothing more can come.
    """
    terminal = os.isatty(descriptor)
    while True:
        select.select([descriptor], [], [])
        try:
            data = os.read(descriptor, _READ_SIZE)
        except OSError as error:
            if error.errno == errno.EIO and (not terminal or is_hung_up(descriptor)):
                return
            if error.errno not in (errno.EIO, errno.EAGAIN):
                return
            # Either the process is in the background, where input is for others and nothing says when that
            # changes; or another process read it first.
            time.sleep(_RETRY)
            continue
        take(data)
        if not data:
            if _is_fifo(descriptor):
                _await_writer(descriptor)
            elif not terminal or is_hung_up(descriptor):
                return


def _is_fifo(descriptor: int) -> bool:
    """Whether `descriptor` is a named pipe, which anybody may open."""
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return False
    try:
        return not os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:")
    except OSError:
        return True  # this system cannot say


def _await_writer(fifo: int) -> None:
    """Wait until something is written to `fifo`, which is at its end of file."""
    try:
        # While we hold it open for writing there is no end of file, so that select() waits.
        writer = os.open(f"/proc/self/fd/{fifo}", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        time.sleep(_RETRY)
        return
    try:
        select.select([fifo], [], [])
    finally:
        os.close(writer)


class Printer:
    """Writes lines to a file descriptor from a thread of its own, all waiting lines in one write.

    What cannot be written for now, as on a full disk, is retried. At most 16 MiB wait: further lines are
    dropped and counted.

    Args:
        descriptor: the file descriptor to write to.
        complain: called, on any thread, with why printing fails or how many lines were not printed.
    """

    def __init__(self, descriptor: int, complain: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._complain = complain
        self._complained_at = -math.inf
        self._waiting: list[bytes] = []
        self._size = 0
        self._lost = 0
        self._why = notices.nobody_reads()
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="printer", daemon=True)

    def start(self) -> None:
        """Start writing, first what was printed before."""
        self._thread.start()

    def print(self, text: str) -> None:
        """Print `text`, one or more lines without the last line ending. Never blocks."""
        data = text.encode(errors="backslashreplace") + b"\n"
        with self._changed:
            if self._size > _MAX_UNPRINTED or self._closed:
                self._lost += data.count(b"\n")
                return
            self._waiting.append(data)
            self._size += len(data)
            self._changed.notify()

    def close(self, timeout: float) -> bool:
        """Wait until all is printed, at most `timeout` seconds; return whether it is, or never will be."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout)
        self._tell_lost()
        return not self._thread.is_alive()

    def _work(self) -> None:
        while lines := self._next():
            done = 0
            while done < len(lines):
                try:
                    written = os.write(self._descriptor, memoryview(lines)[done:])
                except OSError as error:
                    written = -self._take_back(lines, done)
                    if not self._wait_after(error):
                        self._give_up(lines.count(b"\n", done + written))
                        return
                done += written
                with self._changed:
                    self._size -= written
            if not self._waiting:
                self._tell_lost()
                self._why = notices.nobody_reads()

    def _next(self) -> bytes:
        """Wait for lines and return all there are; none once it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            lines = b"".join(self._waiting)
            self._waiting.clear()
            return lines

    def _wait_after(self, error: OSError) -> bool:
        """Wait until a retry makes sense after `error`; return False if it never does."""
        if error.errno == errno.EAGAIN:
            time.sleep(_PAUSE)  # limits the loop if select() reports room where there is none
            select.select([], [self._descriptor], [])
            return True
        self._why = error.strerror or str(error)
        if error.errno in _LOST_FOR_GOOD or (error.errno == errno.EIO and not _is_file(self._descriptor)):
            self._complain(notices.cannot_print(self._why))
            return False
        if time.monotonic() >= self._complained_at + _COMPLAIN_EVERY:
            self._complained_at = time.monotonic()
            self._complain(notices.cannot_print_for_now(self._why))
        with self._changed:
            if self._closed:
                return False
            self._changed.wait_for(lambda: self._closed, _RETRY)
            return True

    def _take_back(self, lines: bytes, done: int) -> int:
        """Remove a partial line left by a full disk, which could pass for a whole one; return its size."""
        half = done - (lines.rfind(b"\n", 0, done) + 1)
        with suppress(OSError):
            if half and _is_file(self._descriptor):
                end = os.lseek(self._descriptor, 0, os.SEEK_CUR)
                if end == os.fstat(self._descriptor).st_size:  # nobody has written after it
                    os.ftruncate(self._descriptor, end - half)
                    os.lseek(self._descriptor, end - half, os.SEEK_SET)
                    return half
        return 0

    def _give_up(self, unprinted: int) -> None:
        with self._changed:
            self._closed = True
            self._lost += unprinted + sum(lines.count(b"\n") for lines in self._waiting)
            self._waiting.clear()

    def _tell_lost(self) -> None:
        with self._changed:
            lost, self._lost = self._lost, 0
        if lost:
            self._complain(notices.not_printed(lost, self._why))


def _is_file(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)
