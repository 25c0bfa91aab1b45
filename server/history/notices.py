"""What the operator is told about the files that the chat is recorded in."""

from __future__ import annotations

from pathlib import Path

LIMIT_SHOWN = "64 MiB"


def not_written(what: str, why: str, waiting: int, lost: int) -> str:
    """What is said in public is not recorded, for now."""
    text = f"The {what} is not written: {why}."
    if waiting:
        text += f" {_lines(waiting, 'wait', 'waits')} in memory."
    if lost:
        text += f" {_lines(lost, 'are', 'is')} not kept: more than {LIMIT_SHOWN} waited."
    return text


def written_again(what: str, path: Path, written: int, lost: int) -> str:
    """What is said in public is recorded again."""
    dropped = f"; {_lines(lost, 'were', 'was')} not kept" if lost else ""
    return f"The {what} is written again: {_lines(written)} that waited went to {path}{dropped}."


def begun_anew(path: Path) -> str:
    """The file was taken away, and there is a new one."""
    return f"{path} was moved or deleted: a new one was begun."


def index_damaged() -> str:
    """A part of the search index could not be used."""
    return "A part of the search index was damaged; it is made anew."


def no_index() -> str:
    """Searches are slow on this machine."""
    return "Searches look at every line: this Python's SQLite has no full-text index."


def wal_grows(path: Path, size: int) -> str:
    """A reader keeps what was written from getting into the file itself."""
    return f"{path}-wal grows ({size >> 20:,} MB): another program reads {path} without end."


def on_network(path: Path) -> str:
    """The file is where it should not be."""
    return f"{path} is on a network file system, on which SQLite can lose what it writes; use a local disk."


def is_full() -> str:
    """Why: there is no room on the disk."""
    return "the disk is full"


def is_locked(path: Path) -> str:
    """Why: somebody else writes."""
    return f"another program has locked {path}"


def is_moved(path: Path) -> str:
    """Why: the file is not where it was, and another one cannot be begun."""
    return f"{path} was moved or deleted"


def is_read_where_it_is(path: Path) -> str:
    """Why: the file is not where it was, and not all of it can be written while somebody reads it."""
    return f"{path} was moved or deleted, and another program reads it"


def is_damaged(path: Path, how: str) -> str:
    """Why: the file is not whole."""
    return f"{path} is damaged ({how})"


def is_read_only(path: Path) -> str:
    """Why: the file may not be changed."""
    return f"{path} is read-only"


def has_failed(how: str) -> str:
    """Why: a fault of this program."""
    return f"an internal error ({how})"


def cannot_write(path: Path, how: str) -> str:
    """Why: the system says."""
    return f"{path} cannot be written ({how})"


def not_finished(what: str, count: int) -> str:
    """The program ends without having written everything."""
    return f"The {what} is not complete: {_lines(count)} could not be written."


def _lines(count: int, many: str = "", one: str = "") -> str:
    verb = one if count == 1 else many
    return f"{count:,} line{'s' * (count != 1)}" + (f" {verb}" if verb else "")
