"""The rows of the list of users as Textual uses them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from .user_row import Parts

MARK = "▸"
"""Precedes the selected user, so that the selection is visible without colour too."""

STYLES = ("name", "detail", "pending", "selected")
"""The names of the styles of a row's parts."""


class UserPainter:
    """Paints rows.

    Args:
        style: Returns one of `STYLES` by its name.
    """

    def __init__(self, style: Callable[[str], Style]) -> None:
        self._style = style

    def paint(self, parts: Parts, width: int, *, selected: bool) -> Strip:
        """Paint one user, in `width` cells with the mark."""
        name, details, state, bars, idle = parts
        if selected:
            return _strip([(MARK + "".join(parts), self._style("selected"))], width)
        detail = self._style("detail")
        pending = state.lstrip().startswith("»")
        # Few parts, since each costs the terminal some bytes.
        if not pending:
            return _strip([(" " + name, self._style("name")), (details + state + bars + idle, detail)], width)
        return _strip(
            [
                (" " + name, self._style("name")),
                (details, detail),
                (state, self._style("pending")),
                (bars + idle, detail),
            ],
            width,
        )

    def paint_hint(self, hint: str, line: int, width: int) -> Strip | None:
        """Paint one line of a text that stands in place of users; None below its last line."""
        lines = textwrap.wrap(hint, max(1, width - 2))
        return _strip([(" " + lines[line], self._style("detail"))], width) if line < len(lines) else None


def _strip(texts: Iterable[tuple[str, Style]], width: int) -> Strip:
    segments = [Segment(text, style) for text, style in texts if text]
    cells = sum(cell_len(segment.text) for segment in segments)
    # Textual would copy a row that is narrower than the widget.
    filled = segments if cells >= width else [*segments, Segment(" " * (width - cells), segments[-1].style)]
    return Strip(filled, max(cells, width))
