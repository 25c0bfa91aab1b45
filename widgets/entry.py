"""An entry of the chat log, and its layout in rows of a given width. Pure functions."""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple, TypeVar

from ..server.room.text import clean
from .cells import fitting, pieces, widest


class Kind(StrEnum):
    """What an entry is. The mark and the colours depend on this alone, whatever the text says."""

    CHAT = "chat"
    """A member's line."""
    OPERATOR = "operator"
    """The operator's own line."""
    PRIVATE = "private"
    """A private line to the operator."""
    SENT = "sent"
    """A private line from the operator."""
    SILENCED = "silenced"
    """What a muted member said, which only the operator sees."""
    JOIN = "join"
    LEAVE = "leave"
    RENAME = "rename"
    REPLY = "reply"
    """The answer to an operator's command."""
    NOTICE = "notice"
    """About the server itself, or a mute: it started, or lines were skipped."""
    WARNING = "warning"
    """What the operator should act upon, such as a flood."""
    ERROR = "error"
    FOLD = "fold"
    """Stands for many lines that are much alike."""
    RULE = "rule"
    """Divides the log: a new day, or what came while the operator was away."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log.

    `time` is in seconds since the epoch and is shown as local time. `sender` may be empty.
    """

    time: float
    kind: Kind
    sender: str
    text: str
    who: int | None = None
    """The id of the user that it is from or about; None if there is none, or more than one."""
    folded: tuple[Entry, ...] = ()
    """The entries that this one stands for, if there are more than one: find, copy and save have them all."""
    number: int = 0
    """Which line of the archive it is, counted from 1; 0 if the archive does not have it."""

    @property
    def expanded(self) -> tuple[Entry, ...]:
        """The entries that it stands for, or itself."""
        return self.folded or (self,)


MARKS = {
    Kind.CHAT: " ",
    Kind.OPERATOR: ">",
    Kind.PRIVATE: "»",
    Kind.SENT: "»",
    Kind.SILENCED: "⊘",
    Kind.JOIN: "+",
    Kind.LEAVE: "-",
    Kind.RENAME: "~",
    Kind.REPLY: "=",
    Kind.NOTICE: "*",
    Kind.WARNING: "!",
    Kind.ERROR: "!",
    Kind.FOLD: "⋮",
    Kind.RULE: "─",
}
"""Distinguishes the kinds where there is no colour. One cell each."""

BODY = len("HH:MM:SS + ")
"""Where the sender, or the text if there is none, begins in an entry's shown text."""

TIME, TEXT = "time", "text"
"""The styles of the parts of a row, besides the kinds and `name_style`."""

NAMES = 8
"""How many styles there are for names."""

_SPOKEN = (Kind.CHAT, Kind.OPERATOR, Kind.PRIVATE, Kind.SENT)
"""The kinds whose text is somebody's words; only their mark and sender are styled by kind."""

_DELIVERED = "✓ "
"""Ends a private line to a user. The blank is for terminals on which the mark takes two cells."""


def name_style(user_id: int) -> str:
    """Return the style of the name of a user: one of `NAMES`, the same for as long as the user is here."""
    return f"name-{user_id % NAMES}"


class Margins(NamedTuple):
    """What stands to the left of a text."""

    before: str
    """What the first row begins with."""
    time_end: int
    """How much of the time is shown; 0 if there is no room for it, or it is of no use."""
    mark_start: int
    """Where in the shown text the mark begins that is shown before the sender; `BODY` if it is not shown."""
    indent: int
    """The columns left blank before every other row."""

    @property
    def lead(self) -> int:
        """The columns to the left of the text in the first row."""
        return len(self.before) + self.time_end + BODY - self.mark_start


@dataclass(frozen=True, slots=True)
class Layout:
    """An entry in rows of a given width. All positions refer to `text`, which is the same at any width."""

    kind: Kind
    text: str
    """The shown text."""
    sender_end: int
    sender_style: str
    margins: Margins
    rows: list[tuple[int, int]]
    """Where each row starts and ends, not counting the time and the mark."""

    def parts(self, row: int) -> Iterator[tuple[int, int, str]]:
        """Yield the start, the end and the style of each part of `text` that a row shows."""
        start, end = self.rows[row]
        if row == 0:
            time_end, mark_start = self.margins.time_end, self.margins.mark_start
            if time_end:
                yield 0, time_end, TIME
            if mark_start < BODY:
                yield mark_start, BODY, self.kind
        sender_end = min(max(start, self.sender_end), end)
        if start < sender_end:
            yield start, sender_end, self.sender_style
        if sender_end < end:
            yield sender_end, end, TEXT if self.kind in _SPOKEN else self.kind

    def before(self, row: int) -> str:
        """Return what a row shows before its parts, and what no position stands for."""
        return " " * self.margins.indent if row else self.margins.before

    def after(self, row: int, cells: int) -> str:
        """Return what a row shows in the `cells` that are left after its parts; it may be less."""
        if row == len(self.rows) - 1:
            if self.kind is Kind.RULE and cells > 1:
                return " " + MARKS[Kind.RULE] * (cells - 1)
            if self.kind is Kind.SENT and cells > len(_DELIVERED):
                return _DELIVERED.rjust(cells)
        return ""

    def row_at(self, position: int) -> int:
        """Return the row that shows `position`, or the last one before it."""
        return max(0, bisect_right(self.rows, position, key=itemgetter(0)) - 1)

    def start_of(self, row: int) -> int:
        """Return the position of a row's first column."""
        return self.rows[row][0] if row else 0


Style = TypeVar("Style")


def cut(
    parts: Iterable[tuple[int, int, Style]], first: int, last: int
) -> Iterator[tuple[int, int, Style, bool]]:
    """Cut `parts` at both ends of a span, and mark those inside it. A `last` of -1 means the end."""
    for start, end, style in parts:
        low = min(max(start, first), end)
        high = end if last < 0 else max(low, min(last, end))
        if start < low:
            yield start, low, style, False
        if low < high:
            yield low, high, style, True
        if high < end:
            yield high, end, style, False


def lay_out(entry: Entry, width: int) -> Layout:
    """Lay out `entry` in rows of `width` cells; if that is narrow, the time and the indent are shortened."""
    text, sender_end = _shown_text(entry)
    margins = _margins(entry.kind, width)
    rows = [(BODY + start, BODY + end) for start, end in wrap(text[BODY:], *_room(width, margins))]
    who = entry.who if entry.kind in (Kind.CHAT, Kind.PRIVATE) else None
    sender_style = entry.kind if who is None else name_style(who)
    return Layout(entry.kind, text, sender_end, sender_style, margins, rows)


def estimate_rows(entries: Sequence[Entry], width: int) -> list[int]:
    """Return an estimate of the rows of `width` cells that each entry takes, much cheaper than a layout."""
    first, rest = _room(width, _margins(Kind.CHAT, width))
    lengths = [len(entry.text) + (len(entry.sender) + 2 if entry.sender else 0) for entry in entries]
    return [1 if length <= first else 2 + (length - first - 1) // rest for length in lengths]


def _margins(kind: Kind, width: int) -> Margins:
    if width >= 60:
        margins = Margins("", len("HH:MM:SS"), BODY - len(" + "), BODY)
    elif width >= 24:
        indent = len("HH:MM + ") if width >= 45 else 2
        margins = Margins("", len("HH:MM"), BODY - len(" + "), indent)
    else:
        # Directly below the sender, a wrapped row could pass for a chat line, whose mark is a blank.
        margins = Margins("", 0, BODY - len("+ "), len("+ ") + (width >= 8))
    if kind is Kind.RULE:
        return Margins(MARKS[kind] * (4 if width >= 60 else 1) + " ", 0, BODY, 2)
    if kind is Kind.FOLD:
        return Margins(" " * margins.indent, 0, BODY - len("⋮ "), margins.indent + len("⋮ "))
    return margins


def _room(width: int, margins: Margins) -> tuple[int, int]:
    """Return how many cells the margins leave for the text in the first row and in the others."""
    rest = max(2, width - margins.indent)
    return max(2, min(width - margins.lead, rest)), rest


def full_text(entry: Entry) -> str:
    """Return the shown text of every entry that this one stands for, each on a line of its own."""
    return "\n".join(map(shown_text, entry.expanded))


def shown_text(entry: Entry) -> str:
    """Return the entry as one line, safe on any terminal: `HH:MM:SS`, the mark, the sender and the text."""
    return _shown_text(entry)[0]


def _shown_text(entry: Entry) -> tuple[str, int]:
    clock = time.strftime("%H:%M:%S", time.localtime(entry.time))
    sender = f"{clean(entry.sender)}: " if entry.sender else ""
    return f"{clock} {MARKS[entry.kind]} {sender}{clean(entry.text)}", BODY + len(sender)


_WORD = re.compile("[^ ]+")


def wrap(text: str, first: int, rest: int) -> list[tuple[int, int]]:
    """Return where each row of a clean `text` starts and ends: a row of `first` cells, then rows of `rest`.

    `rest` is at least `first`, which is at least 2. Rows break at blanks if they can, and the blanks belong
    to no row. A word longer than a row begins on the current row and is cut. Text is taken to be as wide as
    on the terminal that makes it widest.
    """
    cells_of = len if text.isascii() else widest
    if cells_of(text) <= first:
        return [(0, len(text))]
    rows: list[tuple[int, int]] = []
    start = end = used = 0
    room = first
    for match in _WORD.finditer(text):
        word_start, word_end = match.span()
        cells = cells_of(match[0])
        gap = word_start - end
        if not end and gap + cells > room:
            start, gap = word_start, 0
        if used + gap + cells <= room:
            used += gap + cells
            end = word_end
            continue
        left = room - used - gap
        if left > 1 and (cells > rest or not end):
            word_start += fitting(match[0], left, anywhere=not fitting(match[0], rest))
            end = word_start
        rows.append((start, end))
        start = word_start
        *full, last = pieces(text[start:word_end], rest)
        for piece in full:
            rows.append((start, start + len(piece)))
            start += len(piece)
        end, used, room = word_end, cells_of(last), rest
    rows.append((start, end))
    return rows
