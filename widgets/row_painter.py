"""The rows of a log as Textual uses them: painted, and as positions for the mouse."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from .entry import TEXT, cut
from .scrollback import Row, Scrollback


class RowPainter:
    """Paints rows of a scrollback, and caches them.

    Args:
        scrollback: The scrollback with the rows.
        style: Returns the style for a part of a row by its name: `TIME`, `TEXT` or a kind.
    """

    def __init__(self, scrollback: Scrollback, style: Callable[[str], Style]) -> None:
        self._scrollback = scrollback
        self._find_style = style
        self._styles: dict[str, Style] = {}
        self._strips: LRUCache[Row, Strip] = LRUCache(512)

    def forget(self) -> None:
        """Empty the cache, after the width or the styles have changed."""
        self._styles.clear()
        self._strips.clear()

    def forget_entry(self, serial: int) -> None:
        """Drop the rows of one entry, after it has been replaced."""
        for row in [row for row in self._strips.keys() if row[0] == serial]:
            self._strips.discard(row)

    def style(self, name: str) -> Style:
        """Return the style with that name."""
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self._find_style(name)
        return style

    def blank(self, width: int) -> Strip:
        """Paint a row below the last entry."""
        return Strip.blank(width, self.style(TEXT))

    def paint(self, row: Row, width: int) -> Strip:
        """Paint `row`, padded to `width` cells."""
        strip = self._strips.get(row)
        if strip is None:
            strip = self._strips[row] = self._paint(row, width, (0, 0), Style.null())
        return strip

    def paint_selected(self, row: Row, width: int, span: tuple[int, int], marked: Style) -> Strip:
        """Paint `row` with the style `marked` within `span`, which are positions in the entry's text."""
        return self._paint(row, width, span, marked)

    def _paint(self, row: Row, width: int, span: tuple[int, int], marked: Style) -> Strip:
        serial, index = row
        layout = self._scrollback.layout(serial)
        blank = self.style(TEXT)
        texts = [(" " * (layout.margins.indent if index else 0), blank)]
        for start, end, name, inside in cut(layout.parts(index), *span):
            style = self.style(name)
            texts.append((layout.text[start:end], style + marked if inside else style))
        cells = sum(cell_len(text) for text, _ in texts)
        # Textual would copy a row that is narrower than the widget.
        texts.append((" " * (width - cells), blank))
        runs = groupby((text for text in texts if text[0]), itemgetter(1))
        segments = [Segment("".join(text for text, _ in run), style) for style, run in runs]
        return Strip(segments, max(cells, width))

    def places(self, row: Row) -> Strip:
        """Return `row` as Textual reads it to find the text under the mouse.

        Painted rows do without: every position makes a style of its own, and each column of an indent needs
        one, so that all of them stand for the first character.
        """
        serial, index = row
        layout = self._scrollback.layout(serial)
        parts = [(layout.start_of(index), " ")] * (layout.margins.indent if index else 0)
        parts += [(start, layout.text[start:end]) for start, end, _ in layout.parts(index)]
        return Strip(_at(text, start, serial) for start, text in parts)

    def place_below(self, serial: int) -> Strip:
        """Return a row below the last entry, whose number is `serial`, as the end of its text."""
        return Strip([_at(" ", len(self._scrollback.text(serial)), serial)])


def _at(text: str, position: int, serial: int) -> Segment:
    return Segment(text, Style(meta={"offset": (position, serial)}))
