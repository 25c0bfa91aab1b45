"""The least output that turns what a terminal shows into what it should show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress
from operator import attrgetter, is_not
from typing import NamedTuple

from rich.cells import cell_len

from ..widgets.cells import pinned, widest
from .frame import BLANK, UNKNOWN, Row
from .frame_scroll import Scroll, find_scroll, scrolled
from .pens import PLAIN, Pens

_text_of = attrgetter("text")

_MANY_BLANKS = 12 * BLANK
"""From how many on it is shorter to erase, and then to move on."""

_CHANGE, _DETOUR = 12, 3
"""What it takes to take up another pen, and to come back for it, in bytes."""

Place = tuple[int | None, int]
"""Where the cursor is: column and row. Behind the last column, terminals differ in the column."""


class Shown:
    """What the terminal shows once it has read everything that was written.

    Args:
        pens: numbers the pens of the cells.
    """

    side_margins = False
    """Whether the terminal can scroll a part of its width (DECSLRM)."""

    erases_in_colour = False
    """Whether what the terminal erases gets the colour behind the text (BCE)."""

    def __init__(self, pens: Pens) -> None:
        self._pens = pens
        self._rows: list[Row] = []
        self._cursor: tuple[int, int] | None = None

    @property
    def known(self) -> bool:
        """Whether anything is known of what is shown."""
        return bool(self._rows)

    def forget(self) -> None:
        """Know nothing of what is shown: the next frame is painted whole."""
        self._rows = []
        self._cursor = None

    def update(
        self, rows: Sequence[Row], cursor: tuple[int, int] | None = None, only: int | None = None
    ) -> str:
        """Return what makes the terminal show `rows`, with its cursor at `cursor`; empty if it does already.

        Args:
            rows: the frame, all of the same width. They must not change later.
            cursor: column and row; None for anywhere.
            only: the number of the one row to update, if not all.
        """
        width = len(rows[0]) if rows else 0
        if len(rows) != len(self._rows) or any(len(row) != width for row in self._rows):
            self.forget()
            self._rows = [(UNKNOWN,) * width for _ in rows]
        output = _Output(self._pens, rows, self.erases_in_colour)
        if only is None and (scroll := find_scroll(self._rows, rows, self.side_margins)):
            output.scroll(scroll)
            self._rows = scrolled(self._rows, scroll)
        pieces: list[_Piece] = []
        for y in range(len(rows)) if only is None else (only,):
            old, new = self._rows[y], rows[y]
            if old is not new and old != new:
                pieces += _pieces(y, new, _spans(old, new, self._pens), self._pens)
            self._rows[y] = new
        output.paint(pieces)
        if cursor is not None and (output.text or cursor != self._cursor):
            output.go(*cursor)
            self._cursor = cursor
        return output.text


# What has to be painted


class _Piece(NamedTuple):
    """What one pen paints at once."""

    y: int
    x: int
    text: str
    pen: int
    cells: int
    blank: bool


def _spans(old: Row, new: Row, pens: Pens) -> list[tuple[int, int]]:
    """Return from where to where `new` has to be painted over `old`, from left to right."""
    spans: list[tuple[int, int]] = []
    start = end = -1
    # Equal cells are the same object, but for a few, which may as well be painted again.
    for x in compress(range(len(new)), map(is_not, old, new)):
        part = new[x][2]
        if x == end and not part:
            end += 1
        elif x >= end:
            at = x - part + 1 if part else x
            if at != end and not (0 <= end and _is_short(new, end, at, new[end - 1].pen, pens)):
                if 0 <= end:
                    spans.append((start, end))
                start = at
            end = _end(new, x) if part else x + 1
    return [*spans, (start, end)] if 0 <= end else spans


def _end(row: Row, x: int) -> int:
    """Return where to stop painting what begins at `x`, including what it may flow over on some terminal."""
    end, least = x, x + 1
    while end < len(row) and (end < least or row[end].part > 1):
        cell = row[end]
        if cell.part:
            least = max(least, end - cell.part + 1 + max(widest(cell.text), cell_len(cell.text)))
        end += 1
    return end


def _is_short(row: Row, start: int, end: int, pen: int, pens: Pens) -> bool:
    """Whether `pen` paints the cells from `start` to `end` as they are, in as few bytes as a move takes."""
    if end - start > len("\x1b[4C"):
        return False
    return all(
        not cell.part
        and cell.text.isascii()
        and cell.pen in (pen, cell.text == BLANK and pens.for_blanks(pen))
        for cell in row[start:end]
    )


def _pieces(y: int, row: Row, spans: Iterable[tuple[int, int]], pens: Pens) -> Iterator[_Piece]:
    for x, end in spans:
        while x < end:
            text, pen, part = row[x]
            piece = (
                _Piece(y, x, pinned(text), pen, cell_len(text), False) if part else _run(y, row, x, end, pens)
            )
            yield piece
            x += piece.cells


def _run(y: int, row: Row, start: int, end: int, pens: Pens) -> _Piece:
    """Return the characters from `start` on that one pen can paint."""
    pen, blank = row[start].pen, row[start].text == BLANK
    behind = pens.for_blanks(pen)
    x = start
    for text, other, part in row[start:end]:
        if other != pen or part:
            if part or (other != behind if text == BLANK else not blank or pens.for_blanks(other) != pen):
                break
            if text != BLANK:
                pen = other
        if blank and text != BLANK:
            blank = False
        x += 1
    return _Piece(y, start, "".join(map(_text_of, row[start:x])), pen, x - start, blank)


# How it is written


class _Output:
    """Control sequences (ECMA-48) and texts. They rely on nothing that another program may have changed."""

    def __init__(self, pens: Pens, rows: Sequence[Row], erases: bool) -> None:
        self._pens = pens
        self._erases = erases
        self._rows = rows
        self._width = len(rows[0]) if rows else 0
        self._pen: int | None = None
        self._at: Place | None = None
        self.text = ""

    def go(self, x: int, y: int) -> None:
        """Move the cursor."""
        self.text += _move(self._at, x, y)
        self._at = x, y

    def scroll(self, scroll: Scroll) -> None:
        """Move a part of the screen up or down."""
        top, bottom, left, rows = scroll
        sides, no_sides = (f"\x1b[?69h\x1b[{left + 1};{self._width}s", "\x1b[?69l") if left else ("", "")
        # LF and RI at a margin, which also terminals without SU and SD have.
        edge, step = (bottom, "\n") if rows > 0 else (top, "\x1bM")
        place, steps = _move(None, left, edge), step * abs(rows)
        self.text += f"\x1b[m{sides}\x1b[{top + 1};{bottom + 1}r{place}{steps}\x1b[r{no_sides}"
        self._pen = PLAIN

    def paint(self, pieces: list[_Piece]) -> None:
        """Paint `pieces` in the order that takes less: row by row, or all that one pen paints."""
        if not pieces:
            return
        first: dict[int, int] = {}
        changes = 0
        pen = None
        for piece in pieces:
            first.setdefault(piece.pen, len(first))
            changes += piece.pen != pen
            pen = piece.pen
        if (changes - len(first)) * _CHANGE > len(pieces) * _DETOUR:
            # What may flow over what comes after it is painted before that.
            wayward = {piece.y for piece in pieces if "\x1b" in piece.text}
            pieces.sort(key=lambda piece: -1 if piece.y in wayward else first[piece.pen])
        self._write(pieces)

    def _write(self, pieces: Iterable[_Piece]) -> None:
        at, pen = self._at, self._pen
        parts: list[str] = [self.text]
        for y, x, text, its_pen, cells, blank in pieces:
            change = ""
            if pen is None or not (blank and self._pens.for_blanks(pen) == its_pen):
                change = self._pens.change(pen, its_pen)
                pen = its_pen
            if at is not None and at[1] == y - 1 and _is_short(self._rows[y], 0, x, pen, self._pens):
                parts += ("\r\v", change, *map(_text_of, self._rows[y][:x]))
            else:
                parts += (_move(at, x, y), change)
            if self._erases and text.endswith(_MANY_BLANKS) and self._pens.is_bare(pen):
                kept = text.rstrip(BLANK)
                parts += (kept, f"\x1b[{cells - len(kept)}X")  # ECH; the cursor stays
                cells = len(kept)
            else:
                parts.append(text)
            at = (x + cells if x + cells < self._width else None, y)
        self.text = "".join(parts) + self._pens.change(pen, PLAIN)
        self._at, self._pen = at, PLAIN


@lru_cache(1 << 14)
def _move(at: Place | None, x: int, y: int) -> str:
    """Return the shortest way from `at`, None if that is unknown, to column `x` of row `y`."""
    absolute = f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"
    if at is None:
        return absolute
    at_x, at_y = at
    if y >= at_y:
        # VT moves down as LF does, but no terminal driver makes CR LF of it.
        vertical = min("\v" * (y - at_y), _step("B", y - at_y), key=len)
    else:
        vertical = _step("A", at_y - y)
    if at_x is None:
        horizontal = "\r" + _step("C", x)
    elif x >= at_x:
        horizontal = _step("C", x - at_x)
    else:
        horizontal = min("\b" * (at_x - x), _step("D", at_x - x), "\r" + _step("C", x), key=len)
    return min(vertical + horizontal, absolute, key=len)


def _step(final: str, count: int) -> str:
    return "" if count == 0 else f"\x1b[{final}" if count == 1 else f"\x1b[{count}{final}"
