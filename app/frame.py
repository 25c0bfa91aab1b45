"""The cells of a screen: what is, or should be, on the terminal.

A character that takes one cell everywhere has a cell of its own. A text on whose width terminals disagree is
painted as a whole, by `widgets.cells.pinned`: each of its cells names all of it, and it is never cut.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from ..widgets.cells import pinned
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

_KEPT = 4096
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Cells:
    """Makes cells of texts; equal ones are mostly the same object.

    Args:
        pens: numbers the pens.
    """

    def __init__(self, pens: Pens) -> None:
        self.pens = pens
        self._texts: dict[tuple[str, int], tuple[Cell, ...]] = {}
        self._characters: dict[tuple[str, int], Cell] = {}

    def of(self, text: str, pen: int) -> tuple[Cell, ...]:
        """Return the cells of `text`. Control characters have none, so they never reach the terminal."""
        found = self._texts.get((text, pen))
        if found is None:
            for known in (self._texts, self._characters):
                if len(known) >= _KEPT:
                    known.clear()
            found = self._texts[text, pen] = self._make(text, pen)
        return found

    def blanks(self, count: int) -> tuple[Cell, ...]:
        """Return the cells of `count` blanks without any colour."""
        return (self._character(BLANK, PLAIN),) * count

    def _make(self, text: str, pen: int) -> tuple[Cell, ...]:
        text = _CONTROLS.sub("", text)
        # A mark without a character would change the cell before.
        while text and not cell_len(text[0]):
            text = text[1:]
        if pinned(text) == text and cell_len(text) == len(text):
            return tuple(self._character(character, pen) for character in text)
        return tuple(Cell(text, pen, part) for part in range(1, cell_len(text) + 1))

    def _character(self, character: str, pen: int) -> Cell:
        if character == BLANK:
            pen = self.pens.for_blanks(pen)
        cell = self._characters.get((character, pen))
        if cell is None:
            cell = self._characters[character, pen] = Cell(character, pen, 0)
        return cell


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
