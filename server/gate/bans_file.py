"""The file that keeps the bans: reading it, writing it anew in one step, and who else may not."""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..addresses import Network, network_of

_LONGEST_QUOTE = 60  # characters of a wrong line that are shown


class BansFileError(Exception):
    """The bans file cannot be used; the message says where and why, and what can be done."""


class Line(NamedTuple):
    """One line of the file: a ban, or a blank line or a comment where there is no network."""

    network: Network | None
    end: int | None = None
    """When the ban ends, in seconds since the epoch; None for no end."""
    text: str = ""
    """The comment, with what stands before it."""


class BansFile:
    """A text file in UTF-8 with a line for each ban: a network and when it ends, or `-` for no end.

    Blank lines and comments, from `#` to the end of a line, are kept. While it is open no other server may
    use the file: a lock file stands beside it, which the end of the process unlocks. A symbolic link is
    followed.

    Args:
        path: the file, which may be missing; its directory may not.

    Raises:
        BansFileError: if it can be neither read nor written, or another server uses it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._target = Path(os.path.realpath(path))
        self._lock: int | None = None
        self._known: _State | None = None  # what it was like when it was read or written last
        try:
            self._check_kind()
            self._lock = self._locked()
            self._check_place()
        except OSError as error:
            self.close()
            raise BansFileError(f"{path}: {error.strerror}; fix that") from None

    def close(self) -> None:
        """Let other servers use the file."""
        if self._lock is not None:
            with suppress(OSError):
                self._lock_path.unlink()
            os.close(self._lock)
            self._lock = None

    def read(self, *, missing_ok: bool = True) -> list[Line]:
        """The lines of the file; none if it is missing and that is `missing_ok`.

        Raises:
            BansFileError: if it cannot be read, or a line of it is wrong.
        """
        try:
            self._check_kind()
            self._known = _state(self._target)
            text = self._target.read_bytes().decode("utf-8-sig")
        except FileNotFoundError as error:
            if missing_ok:
                return []
            raise BansFileError(f"{self.path}: {error.strerror}") from None
        except OSError as error:
            raise BansFileError(f"{self.path}: {error.strerror}; fix that") from None
        except UnicodeDecodeError as error:
            raise BansFileError(f"{self.path}: {error}; fix it") from None
        text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
        return [self._parsed(number, line) for number, line in enumerate(text.split("\n"), 1)] if text else []

    def write(self, lines: Iterable[Line]) -> None:
        """Write the file anew, in one step: after a crash or on a full disk the old one is still there.

        Raises:
            OSError: if that fails, or somebody else has changed the file, which is to be read first.
        """
        state = _state(self._target)
        if state not in (None, self._known):
            raise OSError(errno.EBUSY, "somebody has changed it; /reload reads it")
        text = "".join(f"{_ban(line)}{line.text}\n" for line in lines)
        name = None
        try:
            # mkstemp creates with mode 0600.
            descriptor, name = tempfile.mkstemp(dir=self._target.parent, prefix=f".{self._target.name}.")
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                state = _state(file.fileno())
            os.replace(name, self._target)
            self._known = state
        except OSError:
            if name is not None:
                with suppress(OSError):
                    os.unlink(name)
            raise

    def _parsed(self, number: int, line: str) -> Line:
        line = line.rstrip()
        match = _LINE.fullmatch(line)
        if match is None:
            raise BansFileError(self._complaint(number, line))
        network, end, text = match.groups()
        if network is None:
            return Line(None, None, text)
        try:
            return Line(network_of(network, strict=True), None if end == "-" else int(end), text)
        except ValueError:
            raise BansFileError(self._complaint(number, line)) from None

    def _complaint(self, number: int, line: str) -> str:
        quote = line if len(line) <= _LONGEST_QUOTE else line[:_LONGEST_QUOTE] + "…"
        return f"{self.path}, line {number}: {quote!r} is not a network and a time; fix it"

    # Whether it may be used

    def _check_kind(self) -> None:
        """Refuse what could not be replaced by a file, or would be read for ever."""
        with suppress(FileNotFoundError):
            mode = self._target.stat().st_mode
            if not stat.S_ISREG(mode):
                raise OSError(errno.EINVAL, "is a directory" if stat.S_ISDIR(mode) else "is no regular file")

    def _check_place(self) -> None:
        """Make sure that a new file can be made where it would take the place of the old."""
        descriptor, name = tempfile.mkstemp(dir=self._target.parent, prefix=f".{self._target.name}.")
        os.close(descriptor)
        os.unlink(name)

    @property
    def _lock_path(self) -> Path:
        return self._target.with_name(f".{self._target.name}.lock")

    def _locked(self) -> int | None:
        """Lock the file beside it, since this one is replaced with each change; None without locks."""
        try:
            import fcntl
        except ImportError:
            return None
        while True:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(lock), os.stat(self._lock_path)):
                    return lock
            except FileNotFoundError:
                pass
            except OSError as error:
                os.close(lock)
                if isinstance(error, BlockingIOError):
                    raise BansFileError(f"{self.path} is in use by another server; end that") from None
                self._lock_path.unlink()
                return None  # a file system without locks
            os.close(lock)  # whoever had it has just removed it


_State = tuple[int, int, int]


def _state(file: Path | int) -> _State | None:
    """What changes with each change of `file`; None if it is missing."""
    try:
        found = os.stat(file)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


_LINE = re.compile(r"\s*(?:([^\s#]+)\s+(-|[0-9]{1,12}))?(\s*(?:#.*)?)", re.DOTALL)


def _ban(line: Line) -> str:
    return "" if line.network is None else f"{line.network} {'-' if line.end is None else line.end}"
