"""The rows of a log as Textual uses them: painted, and as positions for the mouse."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from .entry import TEXT, Kind, cut
from .scrollback import Row, Scrollback

Mark = tuple[int, int, Style]
"""A style for a span of an entry's shown text; a span that ends at -1 goes to the end."""


class Look(NamedTuple):
    """How an entry is painted that is more than what it says: pointed at, found, selected."""

    whole: Style | None = None
    """Goes over whole rows."""
    marks: tuple[Mark, ...] = ()
    """Go over the text and over one another, in their order."""


PLAIN = Look()


class RowPainter:
    """Paints rows of a scrollback, and caches them.

    Args:
        scrollback: The scrollback with the rows.
        style: Returns the style for a part of a row by its name: `TIME`, `TEXT`, a kind or a name's.
    """

    def __init__(self, scrollback: Scrollback, style: Callable[[str], Style]) -> None:
        self._scrollback = scrollback
        self._find_style = style
        self._styles: dict[str, Style] = {}
        self._strips: LRUCache[tuple[Row, Look], Strip] = LRUCache(512)

    def forget(self) -> None:
        """Empty the cache, after the width or the styles have changed."""
        self._styles.clear()
        self._strips.clear()

    def forget_entries(self, serials: range) -> None:
        """Drop the rows of entries that have changed."""
        for key in [key for key in self._strips.keys() if key[0][0] in serials]:
            self._strips.discard(key)

    def style(self, name: str) -> Style:
        """Return the style with that name."""
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self._find_style(name)
        return style

    def blank(self, width: int, text: str = "", style: str = TEXT) -> Strip:
        """Paint a row that belongs to no entry, with a clean `text` as far as it fits."""
        strip = Strip([Segment(text, self.style(style))] if text else [])
        return strip.adjust_cell_length(width, self.style(TEXT))

    def paint(self, row: Row, width: int, look: Look = PLAIN) -> Strip:
        """Paint `row`, padded to `width` cells, of which a scrollbar may cover the last."""
        strip = self._strips.get((row, look))
        if strip is None:
            strip = self._strips[row, look] = self._paint(row, width, look)
        return strip

    def _paint(self, row: Row, width: int, look: Look) -> Strip:
        serial, index = row
        layout = self._scrollback.layout(serial)
        blank = self.style(TEXT)
        parts = [(start, end, self.style(name)) for start, end, name in layout.parts(index)]
        for first, last, marked in look.marks:
            parts = [
                (start, end, style + marked if inside else style)
                for start, end, style, inside in cut(parts, first, last)
            ]
        around = self.style(layout.kind) if layout.kind in (Kind.RULE, Kind.SENT) else blank
        texts = [(layout.before(index), around)]
        texts += [(layout.text[start:end], style) for start, end, style in parts]
        cells = sum(cell_len(text) for text, _ in texts)
        after = layout.after(index, self._scrollback.width - cells)
        # Textual would copy a row that is narrower than the widget.
        texts += [(after, around), (" " * (width - cells - len(after)), blank)]
        if look.whole is not None:
            texts = [(text, style + look.whole) for text, style in texts]
        runs = groupby((text for text in texts if text[0]), itemgetter(1))
        segments = [Segment("".join(text for text, _ in run), style) for style, run in runs]
        return Strip(segments, max(cells, width))

    def places(self, row: Row) -> Strip:
        """Return `row` as Textual reads it to find the text under the mouse.

        Painted rows do without: every position makes a style of its own, and each column before the text
        needs one, so that all of them stand for the first character.
        """
        serial, index = row
        layout = self._scrollback.layout(serial)
        parts = list(layout.parts(index))
        first = parts[0][0] if parts else layout.start_of(index)
        places = [(first, " ")] * len(layout.before(index))
        places += [(start, layout.text[start:end]) for start, end, _ in parts]
        return Strip(_at(text, start, serial) for start, text in places)

    def place_below(self, serial: int) -> Strip:
        """Return a row below the last entry, whose number is `serial`, as the end of its text."""
        return Strip([_at(" ", len(self._scrollback.text(serial)), serial)])


def _at(text: str, position: int, serial: int) -> Segment:
    return Segment(text, Style(meta={"offset": (position, serial)}))
