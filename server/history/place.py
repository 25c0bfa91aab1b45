"""The place of the history's file: making it, locking it, and noticing that it was replaced."""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from ..lock_file import LockFile


class HistoryError(Exception):
    """The file cannot be used; the message says which, why, and what to do."""


class Moved(Exception):
    """The path leads to another file than the one that is written, or to none."""


class Place:
    """A regular file that this process alone writes, held open.

    It is created with mode 0600. Another process that asks for the same file is turned away by the lock on
    a second file, `{path}-lock`: SQLite has locks of its own on the first, which some systems mix up with
    these (macOS, NFS). The first file stays open to the end: closing any descriptor of it drops SQLite's
    locks (sqlite.org/howtocorrupt.html, 2.2).

    Args:
        path: the file; its folder must exist.

    Raises:
        HistoryError: if it cannot be created or opened, is not a regular file of this user's with this name
            alone, or another process has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = _locked(path)
        try:
            self._file = _opened(path)
        except BaseException:
            self._lock.close()
            raise
        self._held = os.fstat(self._file)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been written into it."""
        return os.fstat(self._file).st_size == 0

    def is_there(self) -> bool:
        """Whether the path still leads to the file that is held."""
        return same_file(self.path, self._held)

    def close(self) -> None:
        """Give up the file and the lock."""
        with suppress(OSError):
            os.close(self._file)
        self._lock.close()


def same_file(path: Path, held: os.stat_result, *, follow: bool = False) -> bool:
    """Whether `path`, or if `follow` what it links to, is the file whose status `held` is."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=follow), held)
    except OSError:
        return False


def _locked(path: Path) -> LockFile:
    try:
        return LockFile(path.with_name(f"{path.name}-lock"))
    except BlockingIOError:
        raise HistoryError(
            f"{path} is in use by another chat-console; end that one, or name another file with --history"
        ) from None
    except OSError as error:
        raise HistoryError(_why_not_opened(path, error)) from None


def _opened(path: Path) -> int:
    """Open `path` for reading and writing, created if it is missing, after the checks that `Place` makes."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise HistoryError(_why_not_opened(path, error)) from None
    problem = _problem(os.fstat(descriptor))
    if problem:
        os.close(descriptor)
        raise HistoryError(f"{path} {problem}")
    return descriptor


def _why_not_opened(path: Path, error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.EMLINK):  # EMLINK: FreeBSD
        return f"{path} is a symbolic link; name the file itself"
    if error.errno in (errno.EISDIR, errno.ENXIO, errno.EOPNOTSUPP):
        return f"{path} is not a regular file"
    return f"cannot open {path}: {error.strerror}"


def _problem(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_uid != os.geteuid():
        return "belongs to somebody else"
    if status.st_nlink > 1:
        return "has other names too (hard links); SQLite cannot keep such a file whole"
    return ""


_ESCAPE = re.compile(r"\\([0-7]{3})")
_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs", "ceph"}


def is_on_network(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether `path` is known to be on a network file system (proc_pid_mountinfo(5))."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return False
    folder = Path(os.path.realpath(path.parent))
    found: list[tuple[int, str]] = []
    for line in lines:
        fields, _, rest = line.partition(" - ")
        words = fields.split()
        if len(words) > 4 and rest:
            point = Path(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), words[4]))
            if folder.is_relative_to(point):
                found.append((len(point.parts), rest.split()[0]))
    # Of several on one point the last is on top.
    return bool(found) and max(reversed(found), key=lambda each: each[0])[1] in _NETWORK_FILE_SYSTEMS
