"""What a member's lines ask for, taken apart: what changes the room, and what its author alone hears of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from . import commands
from .entries import Leave, Line, Lines, Nick
from .events import LeaveReason
from .names import is_name, is_reserved


class Part(NamedTuple):
    """A part of a `Lines` entry. Applied one after another, the parts do what the whole does."""

    entry: Lines | Nick | Leave
    is_shared: bool
    """Whether it concerns more than its author: it changes the room, or others hear of it."""


def parts_of(entry: Lines) -> Iterator[Part]:
    """The parts of `entry`, in order; what comes after a `/quit` is left out."""
    texts: list[Line] = []
    for line in entry.lines:
        if isinstance(line, str) and commands.spoken(line) is not None:
            texts.append(line)
            continue
        if texts:
            yield Part(Lines(entry.time, entry.member_id, tuple(texts)), True)
            texts = []
        asking = _Asking(Lines(entry.time, entry.member_id, (line,)))
        if isinstance(line, str):
            commands.run_for_client(line, asking)
        part = asking.part
        yield part
        if isinstance(part.entry, Leave):
            return
    if texts:
        yield Part(Lines(entry.time, entry.member_id, tuple(texts)), True)


class _Asking:
    """An issuer that does nothing of what its command asks for but note whether others hear of it."""

    def __init__(self, line: Lines) -> None:
        self._line = line
        self.part = Part(line, False)

    def nick(self, name: str) -> None:
        # What is wrong with any other name is the same whoever is here.
        if is_name(name) and not is_reserved(name):
            self.part = Part(Nick(self._line.time, self._line.member_id, name), True)

    def message(self, target: str, text: str) -> None:
        line = f"/msg {target} {text}"
        self.part = Part(Lines(self._line.time, self._line.member_id, (line,)), True)

    def quit(self) -> None:
        self.part = Part(Leave(self._line.time, (self._line.member_id,), LeaveReason.QUIT), True)

    def say(self, text: str) -> None: ...

    def list_users(self, word: str = "") -> None: ...

    def help(self) -> None: ...

    def reply(self, text: str, /) -> None: ...

    def refuse(self, text: str, /) -> None: ...
