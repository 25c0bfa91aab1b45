"""The cells of a screen: what is, or should be, on the terminal.

A character that takes one cell everywhere has a cell of its own. A text on whose width terminals disagree is
painted as a whole, by `widgets.cells.pinned`: each of its cells names all of it, and it is never cut.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from ..widgets.cells import all_narrow
from .pens import PLAIN, Pens


class Cell(NamedTuple):
    """What one cell of the screen shows."""

    text: str
    """The character, or the text that this is a part of."""
    pen: int
    """The number of the pen. All pens that paint a blank alike have the same number in a blank."""
    part: int
    """0 for a character, otherwise which of the text's cells this is, from 1 on."""


Row = Sequence[Cell]

BLANK = " "
UNKNOWN = Cell("", -1, 0)
"""A cell that may show anything."""

_KEPT = 1024
"""How many texts are kept with their cells. Of characters that are narrow everywhere there are few."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class _Characters(dict[str, Cell]):
    """The cells of characters that one pen paints."""

    def __init__(self, pens: Pens, pen: int) -> None:
        super().__init__()
        self._pens = pens
        self._pen = pen

    def __missing__(self, character: str) -> Cell:
        pen = self._pens.for_blanks(self._pen) if character == BLANK else self._pen
        cell = self[character] = Cell(character, pen, 0)
        return cell


class Cells:
    """Makes cells of texts; equal ones are mostly the same object.

    Args:
        pens: numbers the pens.
    """

    def __init__(self, pens: Pens) -> None:
        self.pens = pens
        self._texts: dict[tuple[str, int], tuple[Cell, ...]] = {}
        self._characters: dict[int, _Characters] = {}

    def of(self, text: str, pen: int) -> tuple[Cell, ...]:
        """Return the cells of `text`. Control characters have none, so they never reach the terminal."""
        found = self._texts.get((text, pen))
        if found is None:
            if len(self._texts) >= _KEPT:
                self._texts.clear()
            found = self._texts[text, pen] = self._make(text, pen)
        return found

    def blanks(self, count: int) -> tuple[Cell, ...]:
        """Return the cells of `count` blanks without any colour."""
        return self.of(BLANK * count, PLAIN)

    def _make(self, text: str, pen: int) -> tuple[Cell, ...]:
        text = _CONTROLS.sub("", text)
        if all_narrow(text):
            characters = self._characters.get(pen)
            if characters is None:
                characters = self._characters[pen] = _Characters(self.pens, pen)
            return tuple(map(characters.__getitem__, text))
        # A mark without a character would change the cell before.
        while text and not cell_len(text[0]):
            text = text[1:]
        return tuple(Cell(text, pen, part) for part in range(1, cell_len(text) + 1))


def put(row: Row, start: int, cells: Row, blank: Cell) -> list[Cell]:
    """Return `row` with `cells` from column `start` on, and `blank` for the rest of a text that they cut."""
    end = start + len(cells)
    found = [*row[:start], *cells, *row[end:]]
    if cells and start < len(row) and row[start].part > 1:
        for x in range(start - row[start].part + 1, start):
            found[x] = blank
    while cells and end < len(row) and row[end].part > 1:
        found[end] = blank
        end += 1
    return found
