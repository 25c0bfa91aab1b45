"""What is looked for in a history. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .records import Kind, Line
from .trigrams import fold

TALK = (Kind.SAID, Kind.OPERATOR_SAID, Kind.PRIVATE, Kind.SENT)
"""What was said, also in private."""

JOINS = (Kind.JOINED, Kind.LEFT, Kind.RENAMED)
MODERATION = (Kind.MUTED, Kind.BANNED, Kind.UNBANNED)


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: all that is set must hold for a line.

    Case is folded, in every script: `STRASSE` finds `Straße`.
    """

    words: tuple[str, ...] = ()
    """Each is somewhere in the text, or in the name of who said it."""
    names: tuple[str, ...] = ()
    """It was said by, or is about, somebody with one of these names; in full."""
    kinds: tuple[Kind, ...] = ()
    """It is of one of these kinds; empty = of any."""
    since: float | None = None
    """Not before this time, in seconds since the epoch."""
    until: float | None = None
    """Before this time, in seconds since the epoch."""
    sender: str = ""
    """Somebody said it whose name begins with this, or it was said to such a one in private."""
    member_id: int | None = None
    """It was said by, or is about, a member with this id; each run of the server counts them anew."""

    def finds(self, lines: Iterable[Line]) -> list[Line]:
        """Return those of `lines` for which it holds."""
        words = [fold(word) for word in self.words]
        names = {fold(name) for name in self.names}
        sender = fold(self.sender)
        return [
            line
            for line in lines
            if self._holds(line, words, names)
            and (not sender or _speaker(line).startswith(sender))
            and (self.member_id is None or line.member_id == self.member_id)
        ]

    def _holds(self, line: Line, words: list[str], names: set[str]) -> bool:
        if self.kinds and line.kind not in self.kinds:
            return False
        if self.since is not None and line.time < self.since:
            return False
        if self.until is not None and line.time >= self.until:
            return False
        name = fold(line.name)
        if names and name not in names:
            return False
        if not words:
            return True
        text, author = fold(line.text), f"{name}:"
        return all(word in text or word in author for word in words)


def _speaker(line: Line) -> str:
    """Return who said `line`, or to whom, folded; empty if nobody said it."""
    if line.kind == Kind.SENT:
        return fold(line.text.partition("\t")[0])
    return fold(line.name) if line.kind in TALK else ""
