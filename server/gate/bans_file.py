"""The file that keeps the bans: reading it and replacing it atomically."""

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
from ..lock_file import LockFile

_LONGEST_QUOTE = 60  # characters of an invalid line that are shown


class BansFileError(Exception):
    """The bans file cannot be used; the message says where, why and what to do."""


class Line(NamedTuple):
    """One line of the file: a ban, or, without a network, a blank line or a comment."""

    network: Network | None
    end: int | None = None
    """When the ban ends, in seconds since the epoch; None = never."""
    text: str = ""
    """The comment, with the blanks in front of it."""


class BansFile:
    """A UTF-8 text file with one ban per line: a network and when its ban ends, or `-` if it does not.

    Blank lines and comments, from `#` to the end of a line, are kept. While it is open no other server can
    use the file: there is a lock file next to it, which is unlocked when the process ends. Symbolic links
    are followed.

    Args:
        path: the file, which need not exist; its directory must.

    Raises:
        BansFileError: if it can be neither read nor written, or another server uses it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._target = Path(os.path.realpath(path))
        self._lock: LockFile | None = None
        self._known: _State | None = None  # as of the last read or write
        try:
            self._check_kind()
            self._lock = self._locked()
            self._check_place()
        except OSError as error:
            self.close()
            raise BansFileError(f"{path}: {error.strerror}; fix it") from None

    def close(self) -> None:
        """Unlock the file for other servers."""
        if self._lock is not None:
            self._lock.close()

    def read(self, *, missing_ok: bool = True) -> list[Line]:
        """Return the lines of the file; none if it is missing and `missing_ok`.

        Raises:
            BansFileError: if it cannot be read, or a line is invalid.
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
            raise BansFileError(f"{self.path}: {error.strerror}; fix it") from None
        except UnicodeDecodeError as error:
            raise BansFileError(f"{self.path}: {error}; fix it") from None
        text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
        return [self._parsed(number, line) for number, line in enumerate(text.split("\n"), 1)] if text else []

    def write(self, lines: Iterable[Line]) -> None:
        """Replace the file atomically: after a crash or on a full disk the old one is still there.

        Raises:
            OSError: if that fails, or if somebody else has changed the file, which must be read first.
        """
        state = _state(self._target)
        if state not in (None, self._known):
            raise OSError(errno.EBUSY, "somebody else has changed it; type /reload to read it")
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

    # Whether it can be used

    def _check_kind(self) -> None:
        """Refuse anything that a file could not replace, or that never ends when read."""
        with suppress(FileNotFoundError):
            mode = self._target.stat().st_mode
            if not stat.S_ISREG(mode):
                what = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
                raise OSError(errno.EINVAL, f"is {what}")

    def _check_place(self) -> None:
        """Make sure that a new file can be created next to the old one."""
        descriptor, name = tempfile.mkstemp(dir=self._target.parent, prefix=f".{self._target.name}.")
        os.close(descriptor)
        os.unlink(name)

    def _locked(self) -> LockFile:
        """Lock a file next to it, since this one is replaced on each change."""
        try:
            return LockFile(self._target.with_name(f".{self._target.name}.lock"))
        except BlockingIOError:
            raise BansFileError(f"{self.path} is in use by another server; stop it") from None


_State = tuple[int, int, int]


def _state(file: Path | int) -> _State | None:
    """A value that differs after each change of `file`; None if it is missing."""
    try:
        found = os.stat(file)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


_LINE = re.compile(r"\s*(?:([^\s#]+)\s+(-|[0-9]{1,12}))?(\s*(?:#.*)?)", re.DOTALL)


def _ban(line: Line) -> str:
    return "" if line.network is None else f"{line.network} {'-' if line.end is None else line.end}"
