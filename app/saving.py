"""Saving the log to a file, without holding up the chat, and what is said at the end."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ..server.gate.background import Background
from ..server.room.text import clean
from ..widgets.counts import count_text
from ..widgets.entry import MARKS, Entry

_SLICE = 200  # lines that are written before the other threads have their turn
_YIELD = 0.001  # seconds for that turn


SAVE = "/save"
"""The command that saves the log; the console's own, since a server has no log."""


def save_command(line: str) -> str | None:
    """Return the file that a line asks to save the log in, which may be empty; None if it is not `/save`."""
    word, _, file = clean(line).strip().partition(" ")
    return file.strip() if word.lower() == SAVE else None


class CannotSave(Exception):
    """Nothing was saved; the message says why, in plain words."""


class Saved(NamedTuple):
    """Where the log is now, and how many lines of it."""

    path: Path
    lines: int

    @property
    def told(self) -> str:
        """The answer for the operator."""
        return f"{count_text(self.lines, 'line')} saved in {self.path}"


class Saver:
    """Writes logs to files on a thread of its own."""

    def __init__(self) -> None:
        self._background = Background()

    async def save(self, entries: Sequence[Entry], file: str = "", *, now: float) -> Saved:
        """Write `entries`, and instead of those that stand for others the others, to a new file.

        Only its owner can read the file. It is there once it is complete, or not at all.

        Args:
            entries: must not change any more: pass a copy of the log's.
            file: the file, as typed; a directory, or nothing for the working directory, gets a new name with
                the date.
            now: the time for that name, in seconds since the epoch.

        Raises:
            CannotSave: if the file exists, or cannot be written.
        """
        result: asyncio.Future[Saved | CannotSave] = asyncio.get_running_loop().create_future()

        def done(outcome: Saved | CannotSave) -> None:
            if not result.done():  # whoever asked may be gone
                result.set_result(outcome)

        self._background.run(lambda: _saved(entries, file, now), done)
        outcome = await result
        if isinstance(outcome, CannotSave):
            raise outcome
        return outcome


def _saved(entries: Sequence[Entry], file: str, now: float) -> Saved | CannotSave:
    wanted = Path(file or ".")
    try:
        with suppress(RuntimeError):  # there is no such user
            wanted = wanted.expanduser()
        wanted = Path(os.path.abspath(wanted))
        names = _new_names(wanted, now) if wanted.is_dir() else (wanted,)
        return _write(entries, names)
    except FileExistsError:
        return CannotSave(f"{wanted} is there already: nothing was saved")
    except OSError as error:
        why = error.strerror or str(error)
        return CannotSave(f"cannot save in {wanted}: {why[:1].lower()}{why[1:]}")
    except ValueError:
        return CannotSave("that cannot be the name of a file")
    except Exception as error:  # whoever waits must hear of it
        return CannotSave(f"cannot save in {wanted}: {type(error).__name__}: {error}")


def _new_names(folder: Path, now: float) -> Iterator[Path]:
    stem = time.strftime("chat-%Y-%m-%d-%H%M", time.localtime(now))
    yield folder / f"{stem}.log"
    for number in range(2, 1_000):
        yield folder / f"{stem}-{number}.log"


def _write(entries: Sequence[Entry], names: Iterable[Path]) -> Saved:
    """Write a new file under the first of `names`, all in one directory, that is not taken.

    Raises:
        FileExistsError: if all are taken.
        OSError: if it cannot be written.
    """
    first, *others = names
    # Created for its owner alone, whatever the umask.
    descriptor, temporary = tempfile.mkstemp(dir=first.parent, prefix=".chat-", suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            count = 0
            lines = saved_lines(entries)
            while part := list(islice(lines, _SLICE)):
                file.write("".join(f"{line}\n" for line in part))
                count += len(part)
                time.sleep(_YIELD)
            file.flush()
            os.fsync(file.fileno())
        for path in (first, *others):
            with suppress(FileExistsError):
                _publish(temporary, path)
                return Saved(path, count)
        raise FileExistsError
    finally:
        with suppress(OSError):
            os.unlink(temporary)


def _publish(temporary: str, path: Path) -> None:
    """Give a finished file its name, unless that is taken."""
    try:
        os.link(temporary, path)
    except OSError:  # perhaps the file system has no hard links
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            os.replace(temporary, path)
        except OSError:
            os.unlink(path)
            raise


def local_time(at: float) -> str:
    """Return a time, in seconds since the epoch, as local date and time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def saved_lines(entries: Iterable[Entry], stamped: Callable[[float], str] = local_time) -> Iterator[str]:
    """Yield the lines of a saved log: the time as `stamped` shows it, the mark, the sender and the text."""
    for entry in entries:
        if entry.folded:
            yield from saved_lines(entry.folded, stamped)
            continue
        stamp = stamped(entry.time)
        sender = f"{clean(entry.sender)}: " if entry.sender else ""
        yield f"{stamp} {MARKS[entry.kind]} {sender}{clean(entry.text)}"


def farewell(seconds: float, users: int, lines: int) -> str:
    """What remains on the terminal after quitting: `22 min, 31 users, 412 lines`.

    Args:
        seconds: how long the server ran.
        users: how many joined in that time.
        lines: how many lines they said to everybody.
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    span = f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{rest} s"
    return f"{span}, {count_text(users, 'user')}, {count_text(lines, 'line')}"
