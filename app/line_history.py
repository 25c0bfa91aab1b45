"""What the operator has typed, kept in a file from one start of the console to the next."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..server.gate.background import Background
from ..server.room.text import clean
from ..widgets.past_lines import LIMIT

CLOSE_GRACE = 1.0
"""How long `close` waits for a disk, in seconds."""

_MOST_READ = 2 << 20
"""How much of the file's end is read, in bytes: some 500 lines of the longest that anybody may send."""


class LineHistory:
    """A UTF-8 text file with one typed line per line, oldest first, that only its owner may read.

    Several consoles may share it: each adds its lines at the end, and the next one finds what they all typed.
    No trouble with the file disturbs the chat: it is told once, and lines that cannot be kept are not.

    Args:
        complain: called on the loop, at most once, with why lines are not kept.
        path: the file; by default `line-history` in the platform's folder for the state of programs.
    """

    def __init__(self, complain: Callable[[str], object], path: Path | None = None) -> None:
        self._complain = complain
        self._path = path
        self._background = Background()
        self._waiting: list[str] = []
        self._writing = self._complained = False
        self._count = 0  # lines in the file, as far as this console knows

    def load(self) -> list[str]:
        """Return the lines that are kept, oldest first; none if they cannot be read. Waits for the disk."""
        try:
            with self._opened(os.O_RDONLY) as file:
                lines = _lines(file)
        except OSError:
            return []  # if there is trouble, and not just no file yet, the first line to be kept meets it too
        self._count = len(lines)
        return lines[-LIMIT:]

    def recall(self, take: Callable[[list[str]], object]) -> None:
        """Call `take` on the running loop with the lines that are kept, when they have been read."""
        self._background.run(self.load, take)

    def append(self, line: str) -> None:
        """Keep `line`, unless it is blank. Never waits."""
        if line := clean(line).strip():
            self._waiting.append(line)
            del self._waiting[:-LIMIT]
            self._write()

    async def close(self) -> None:
        """Wait until all lines are written, but no longer than `CLOSE_GRACE`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_GRACE):
                await self._background.finished()

    def _write(self) -> None:
        if self._waiting and not self._writing:
            lines, self._waiting = self._waiting, []
            self._writing = True
            self._background.run(lambda: self._add(lines), self._added)

    def _added(self, problem: str) -> None:
        self._writing = False
        if problem and not self._complained:
            self._complained = True
            self._complain(
                f"What you type is not kept for the next time: {problem} (--no-line-history never keeps it)"
            )
        self._write()

    # On the background's thread

    def _add(self, lines: list[str]) -> str:
        """Write `lines` at the end of the file; return what went wrong, if anything."""
        try:
            with self._opened(os.O_RDWR | os.O_APPEND | os.O_CREAT) as file:
                _append(file, lines)
                self._count += len(lines)
                if self._count >= 2 * LIMIT:
                    kept = _lines(file)[-LIMIT:]
                    _replace(self._file(), kept)
                    self._count = len(kept)
        except OSError as error:
            return f"{self._path or 'the history'}: {error.strerror}"
        return ""

    def _file(self) -> Path:
        """The file itself, where its path may be a symbolic link."""
        if self._path is None:
            # Not earlier: it takes longer to import than the rest of the command line's parts.
            from platformdirs import user_state_path

            self._path = user_state_path("chat-console", appauthor=False) / "line-history"
        if not self._path.is_absolute():
            raise OSError(errno.ENOENT, "it is in no folder of this user")  # who has no home
        return Path(os.path.realpath(self._path))

    @contextmanager
    def _opened(self, flags: int) -> Generator[int]:
        """Open the file, locked against other consoles where the file system has locks."""
        path = self._file()
        if flags & os.O_CREAT:
            path.parent.mkdir(0o700, parents=True, exist_ok=True)
        while True:
            # Not blocking: a FIFO would wait for somebody to open its other end.
            file = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
            try:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise OSError(errno.EINVAL, "is no regular file")
                with suppress(OSError):
                    fcntl.flock(file, fcntl.LOCK_EX)
                if _is_at(path, file):
                    yield file
                    return
            finally:
                os.close(file)
            # Another console has replaced it meanwhile.


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


def _lines(file: int) -> list[str]:
    """Return the last lines of the open `file`."""
    size = os.fstat(file).st_size
    start = max(size - _MOST_READ, 0)
    data = os.pread(file, size - start, start)
    if start:
        data = data.partition(b"\n")[2]  # the first line is cut
    # Cleaned again: anything may have been written into the file.
    return [line for line in map(clean, data.decode("utf-8", "replace").split("\n")) if line.strip()]


def _append(file: int, lines: list[str]) -> None:
    with suppress(OSError):  # a file system without modes
        os.fchmod(file, 0o600)
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    size = os.fstat(file).st_size
    if size and os.pread(file, 1, size - 1) != b"\n":
        data = b"\n" + data  # a full disk has cut the last line
    while data:
        data = data[os.write(file, data) :]


def _replace(path: Path, lines: list[str]) -> None:
    """Replace the file at `path` atomically: after a crash or on a full disk the old one is still there."""
    # mkstemp creates with mode 0600.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write("".join(f"{line}\n" for line in lines).encode())
        os.replace(name, path)
    except OSError:
        with suppress(OSError):
            os.unlink(name)
        raise
