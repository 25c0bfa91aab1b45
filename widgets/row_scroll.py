"""Scrolling through rows whose number and position are computed elsewhere, at a small cost per change."""

from __future__ import annotations

from math import floor
from typing import Any

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.widget import Widget


class RowScroll(ScrollView):
    """A view of rows that tells Textual where it is, rather than the other way round.

    Scrolling is not animated: the target might show other text once an animation got there.
    """

    _thumb = (0, 0)  # where the scrollbar's thumb begins and how long it is, in eighths of a cell

    def scroll_to(
        self, x: float | None = None, y: float | None = None, *, animate: bool = False, **options: Any
    ) -> None:
        super().scroll_to(x, y, animate=False, **options)

    def show_position(self, row: int, rows: int, viewport: Size) -> None:
        """Set Textual's scroll position and number of rows as cheaply as possible.

        Args:
            row: how many rows are above the view.
            rows: how many there are.
            viewport: the size of the view.
        """
        # Plain assignments would lay out the whole screen and call `watch_scroll_y`.
        assign: Any = self.set_reactive
        assign(Widget.virtual_size, Size(viewport.width, rows))
        # Keep the fraction of a row that a slow drag has accumulated.
        position = min(row + self.scroll_y - nearest_row(self.scroll_y), float(self.max_scroll_y))
        assign(Widget.scroll_y, position)
        assign(Widget.scroll_target_y, float(row))
        # The scrollbar takes as long to paint as the text: update it only if it moves by an eighth of a cell.
        eighths = 8 * viewport.height / max(1, rows)
        thumb = int(row * eighths), int(viewport.height * eighths)
        if thumb != self._thumb:
            self._thumb = thumb
            self.vertical_scrollbar.window_virtual_size = rows
            self.vertical_scrollbar.position = position


def nearest_row(position: float) -> int:
    """Round half up, so that adding whole rows does not change how a position is rounded."""
    return floor(position + 0.5)
