"""An app whose frames go to the terminal as what has changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style

# Private, so Textual is pinned: what its screen passes to App._display.
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.color import Color
from textual.filter import ANSIToTruecolor, LineFilter
from textual.screen import Screen
from textual.strip import Strip

from .frame import BLANK, Cell, Cells, Row, put
from .frames import Frames
from .pens import PLAIN, Pens
from .typeahead import KeyByKeyApp

_BEHIND = Color(0, 0, 0)
"""What is taken to be behind a text that names no colour for that."""


class Canvas:
    """What the screen should show, from the updates that Textual makes.

    Args:
        pens: numbers the pens.
    """

    def __init__(self, pens: Pens) -> None:
        self.rows: list[Row] = []
        """No row is ever changed: another takes its place."""
        self._pens = pens
        self._cells = Cells(pens)
        (self._blank,) = self._cells.blanks(1)

    def take(self, update: LayoutUpdate | ChopsUpdate) -> None:
        """Bring the rows up to date."""
        if isinstance(update, LayoutUpdate):
            width = update.region.width
            fits = len(self.rows) == update.region.height and len(self.rows[0]) == width
            before = self.rows if fits else [self._cells.blanks(width)] * update.region.height
            self.rows = [self._row(strips, row) for strips, row in zip(update.strips, before, strict=True)]
            return
        for y, start, end in update.spans:
            if y >= len(self.rows):
                continue
            row = self.rows[y]
            # Whole pieces, though only a part may have changed: a text is never cut.
            for (x, strip), stop in zip(update.chops[y].items(), update.chop_ends[y], strict=False):
                if strip is not None and x < end and stop > start:
                    cells = self._piece(strip, before := row[x:stop])
                    if before != cells:
                        row = put(row, x, cells, self._blank)
            self.rows[y] = row

    def _row(self, strips: Iterable[Strip], before: Row) -> Row:
        row: list[Cell] = []
        for strip in strips:
            row += self._piece(strip, before[len(row) : len(row) + strip.cell_length])
        return [*row, *before[len(row) :]]

    def _piece(self, strip: Strip, before: Row) -> Row:
        """Return the cells of `strip`, as many as there were."""
        row: list[Cell] = []
        for text, style, control in strip:
            if not control:
                row += self._cells.of(text, self._pens.of(style))
        if not row:
            return before  # Textual cuts this short where a joiner makes a text shorter than its parts
        width = len(before)
        if len(row) > width:
            end = width
            while row[end].part > 1:
                end -= 1
            del row[end:]
        if len(row) < width:
            row += self._cells.of(BLANK, row[-1].pen if row else PLAIN) * (width - len(row))
        return row


class PaintingApp(KeyByKeyApp):
    """An app whose driver may take frames; with any other driver it paints as Textual does."""

    _canvas: Canvas | None = None
    _frames: Frames | None = None

    _conversion: ANSIToTruecolor | None = None

    def paint_by(self, frames: Frames) -> None:
        """Show everything by `frames` from now on."""
        self._frames, self._canvas = frames, Canvas(frames.pens)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters for each line painted: not what can be done once for each style."""
        filters = super().get_line_filters()
        if self._frames is None or len(filters) != 1 or not isinstance(filters[0], ANSIToTruecolor):
            return filters
        if filters[0] is not self._conversion:
            self._conversion = conversion = filters[0]
            self._frames.pens.convert_by(partial(_converted, conversion))
        return ()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # Private, so Textual is pinned: its own writes each update as it is.
        if (
            self._canvas is None
            or self._frames is None
            or not isinstance(renderable, LayoutUpdate | ChopsUpdate)
        ):
            super()._display(screen, renderable)  # pyright: ignore[reportUnknownMemberType]
            return
        self._canvas.take(renderable)
        if not self._batch_count:
            x, y = self.screen.outer_size.clamp_offset(self.cursor_position)
            self._frames.show([*self._canvas.rows], (x, y))
        self.post_display_hook()


def _converted(conversion: ANSIToTruecolor, style: Style) -> Style:
    (segment,) = conversion.apply([Segment("", style)], _BEHIND)
    return segment.style or style
