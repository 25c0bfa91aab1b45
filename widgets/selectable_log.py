"""Selecting text of a log with the mouse, and copying it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from rich.style import Style
from textual import events
from textual.geometry import Offset
from textual.selection import Selection

from .endless_log import EndlessLog
from .entry import BODY, full_text
from .row_painter import Look
from .scrollback import FIRST_SERIAL, PAST_SERIAL


class SelectableLog(EndlessLog):
    """A log whose text can be selected.

    The offsets of a selection are an entry's serial number (`y`), which stays the same while older entries
    are dropped, and a position in its shown text (`x`), which is the same at any width.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._selection: Selection | None = None

    @property
    def has_selection(self) -> bool:
        """Whether any text is selected."""
        return self._selection is not None

    @property
    def selected(self) -> str:
        """The selected text; empty if there is none."""
        return "\n".join(self._selected(self._selection)) if self._selection else ""

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text with each entry on one line, or None if none of it is left."""
        text = "\n".join(self._selected(selection))
        return (text, "\n") if text else None

    def _selected(self, selection: Selection) -> Iterator[str]:
        """Yield the selected text of each entry: all that it stands for, if all that it shows is selected."""
        serials = self.scrollback.serials
        if not serials:
            return
        start = selection.start or Offset(0, serials[0])
        end = selection.end or Offset(sys.maxsize, serials[-1] + 1)
        for serial in self.scrollback.loaded(start.y, end.y):
            text = self.scrollback.text(serial)
            first = start.x if serial == start.y else 0
            last = end.x if serial == end.y else len(text)
            if first <= BODY and last >= len(text) and (entry := self.scrollback[serial]).folded:
                yield full_text(entry)
            else:
                yield text[first:last]

    def selection_updated(self, selection: Selection | None) -> None:
        selection = self.text_selection  # The argument may be out of date, since the screen calls later.
        if selection is None:
            self._selection = None
        else:
            start, end = (None if offset is None else self._on_text(offset) for offset in selection)
            if start is not None and end is not None:
                start, end = sorted((start, end), key=attrgetter("transpose"))
            self._select(Selection(start, end))
        self.refresh()

    def entries_changed(self, *, replaced: int | None = None) -> None:
        super().entries_changed(replaced=replaced)
        # Clear the selection if none of its text is left.
        if self._selection is not None and self._selection == self.text_selection:
            self._select(Selection(*map(self._settled, self._selection)))

    def _settled(self, offset: Offset | None) -> Offset | None:
        """Return where text is that has become a line of the archive."""
        serial = self.scrollback.settle(offset.y) if offset is not None else FIRST_SERIAL
        return offset if offset is None or serial >= FIRST_SERIAL else Offset(offset.x, serial)

    def _on_text(self, offset: Offset) -> Offset:
        """Return `offset`, or the text at that row of the view if it is one (the mouse is on a border)."""
        if offset.y >= PAST_SERIAL:
            return offset
        if offset.y >= len(self.rows_in_view):
            serials = self.scrollback.serials
            return Offset(sys.maxsize, serials[-1] if serials else self.scrollback.next - 1)
        serial, index = self.rows_in_view[offset.y]
        return Offset(self.scrollback.layout(serial).start_of(index), serial)

    def _select(self, selection: Selection) -> None:
        """Select `selection`, or nothing if it contains no text: copying it would empty the clipboard."""
        self._selection = selection if any(self._selected(selection)) else None
        if self._selection != self.text_selection:
            others = {widget: other for widget, other in self.screen.selections.items() if widget is not self}
            self.screen.selections = others | ({self: self._selection} if self._selection else {})

    def on_click(self, event: events.Click) -> None:
        """Select an entry on a double click, where Textual would select the whole log."""
        if event.chain > 1 and event.widget is self:
            event.prevent_default()
            _, offset = self.screen.get_widget_and_offset_at(event.screen_x, event.screen_y)
            if offset is not None:
                serial = self._on_text(offset).y
                self._select(Selection(Offset(0, serial), Offset(sys.maxsize, serial)))

    def look_of(self, serial: int) -> Look:
        look = super().look_of(serial)
        span = self._selection.get_span(serial) if self._selection else None
        if span is None:
            return look
        return Look(look.whole, (*look.marks, (*span, self._selection_style())))

    def _selection_style(self) -> Style:
        """Return the screen's style for a selection, in which most themes keep the text's own colour."""
        own = self.screen.get_component_rich_style("screen--selection", partial=True)
        blended = self.screen.get_component_rich_style("screen--selection")
        return own + Style(bgcolor=blended.bgcolor, reverse=self.has_pseudo_class("nocolor") or None)
