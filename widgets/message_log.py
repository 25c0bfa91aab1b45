"""The chat log: bounded, selectable, and wrapping and painting only what is in view."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from math import floor
from operator import attrgetter
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from .entry import Entry, Kind
from .row_painter import RowPainter
from .scrollback import FIRST_SERIAL, Row, Scrollback

__all__ = ["Entry", "Kind", "MessageLog"]


class MessageLog(ScrollView, can_focus=True):
    """The operator's chat log.

    It follows its end until the reader scrolls up. From then on it stays on the same text, whatever is
    appended or dropped, and says how much is new below.

    The position is defined by the entry and row at the top of the view. Textual's scroll position is computed
    from that and from the number of rows of each entry, which is an estimate until the entry has been in
    view.

    The offsets of a selection are an entry's serial number (`y`), which stays the same while older entries
    are dropped, and a position in its full text (`x`), which is the same at any width.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "message-log--time",
        "message-log--text",
        "message-log--more",
        *(f"message-log--{kind}" for kind in Kind),
    }
    DEFAULT_CSS = """
    MessageLog {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        &:focus { background-tint: $foreground 5%; }
        & > .message-log--time { color: $text-muted; }
        & > .message-log--chat { color: $text-primary; text-style: bold; }
        & > .message-log--operator { color: $text-success; text-style: bold; }
        & > .message-log--private { color: $text-warning; text-style: bold; }
        & > .message-log--sent { color: $text-warning; text-style: bold; }
        & > .message-log--silenced { color: $text-muted; }
        & > .message-log--fold, & > .message-log--rule { color: $text-muted; }
        & > .message-log--warning { color: $text-warning; text-style: bold; }
        & > .message-log--join { color: $text-success; }
        & > .message-log--leave { color: $text-muted; }
        & > .message-log--rename { color: $text-muted; }
        & > .message-log--reply { color: $text-secondary; }
        & > .message-log--notice { color: $text-secondary; text-style: italic; }
        & > .message-log--error { color: $text-error; text-style: bold; }
        & > .message-log--more { background: $primary; color: auto; text-style: bold; }
        &:ansi > .message-log--time { text-style: dim; }
        &:ansi > .message-log--more { background: ansi_default; color: ansi_default; text-style: reverse; }
        &:nocolor > .message-log--more { text-style: reverse; }
    }
    """

    following: reactive[bool] = reactive(True, repaint=False, init=False)
    """Whether the view stays at the end; set it to True to go there."""

    def __init__(
        self,
        *,
        max_entries: int = 10_000,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """Create an empty log that keeps the newest `max_entries` entries."""
        super().__init__(name=name, id=id, classes=classes)
        self._scrollback = Scrollback(max_entries)
        self._viewport = Size()
        self._top: Row = (FIRST_SERIAL, 0)
        self._view: list[Row] = []
        self._seen = FIRST_SERIAL
        self._selection: Selection | None = None
        self._thumb = (0, 0)
        self._painter = RowPainter(
            self._scrollback, lambda name: self.get_component_rich_style(f"message-log--{name}")
        )
        self._painting = False

    @property
    def entries(self) -> Sequence[Entry]:
        """The entries that are kept, oldest first. Read only."""
        return self._scrollback.entries

    @property
    def new_below(self) -> int:
        """How many entries have arrived since the reader scrolled up and have not been in view yet."""
        return self._scrollback.next - self._seen

    def write_entries(self, entries: Sequence[Entry]) -> int:
        """Append `entries` and drop the oldest beyond the limit. Meant to be called once per frame.

        Returns:
            The serial number of the first of them. Each entry's is one more than that of the one before.
        """
        serial = self._scrollback.append(entries)
        if entries:
            self._place()
            self._trim_selection()
        return serial

    def replace(self, serial: int, entry: Entry) -> bool:
        """Show `entry` in the place of the one with that serial number; return False if that was dropped."""
        top_serial, row = self._top
        position = self._scrollback.layout(serial).start_of(row) if top_serial == serial and row else 0
        if not self._scrollback.replace(serial, entry):
            return False
        self._painter.forget_entry(serial)
        if position:
            self._top = serial, self._scrollback.layout(serial).row_at(position)
        self._place(repaint=any(shown == serial for shown, _ in self._view))
        self._trim_selection()
        return True

    def clear(self) -> None:
        """Remove all entries, and follow new ones."""
        self._scrollback.clear()
        self._seen = self._scrollback.first
        self.following = True
        self._place()
        self._trim_selection()

    def watch_following(self, following: bool) -> None:
        if following:
            self._place()

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self.following = True

    # Scrolling is not animated: the target row might show other text by the time an animation got there.

    def scroll_to(
        self, x: float | None = None, y: float | None = None, *, animate: bool = False, **options: Any
    ) -> None:
        super().scroll_to(x, y, animate=False, **options)

    def scroll_home(self, **_: Any) -> None:
        self._show((self._scrollback.first, 0))

    def scroll_end(self, **_: Any) -> None:
        self.following = True

    def scroll_page_up(self, **_: Any) -> None:
        self.scroll_to(y=self.scroll_y - self._viewport.height + 1)

    def scroll_page_down(self, **_: Any) -> None:
        self.scroll_to(y=self.scroll_y + self._viewport.height - 1)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        old, new = _nearest(old_value), _nearest(new_value)
        if old == new or self._viewport != self.scrollable_content_region.size:
            return  # Nothing to do, or not before the pending resize event.
        if abs(new - old) <= 2 * self._viewport.height:
            self._show(self._scrollback.walk(self._top, new - old))
        else:
            self._show(self._scrollback.locate(new))

    def on_resize(self) -> None:
        viewport = self.scrollable_content_region.size
        if viewport.width != self._viewport.width:
            serial, row = self._top
            position = self._scrollback.layout(serial).start_of(row) if row else 0
            self._scrollback.resize(viewport.width)
            self._painter.forget()
            if position:
                self._top = serial, self._scrollback.layout(serial).row_at(position)
        self._viewport = viewport
        self._place(repaint=True)

    def _show(self, top: Row) -> None:
        """Show `top` at the top of the view, or as close to it as the number of rows allows."""
        self._top = top
        self.following = False
        self._place()

    def _place(self, *, repaint: bool = False) -> None:
        """Update what is in view and the scroll position, and follow if the end is in view."""
        height = self._viewport.height
        scrollback = self._scrollback
        self._top = max(self._top, (scrollback.first, 0))
        view: list[Row] = []
        scroll = 0
        at_end = self.following or not scrollback.entries
        if scrollback.entries and height:
            end = scrollback.last_top(height)
            at_end = at_end or self._top >= end
            if at_end:
                self._top = end
            view = scrollback.rows(self._top, height)
            scroll = max(0, scrollback.total - height) if at_end else scrollback.number(self._top)
            self._seen = max(self._seen, view[-1][0] + 1)
        if repaint or view != self._view:
            self._view = view
            self.refresh()
        elif not at_end:
            self.refresh(Region(0, height - 1, self._viewport.width, 1))
        if height:
            self._set_scroll(scroll)
        self.following = at_end

    def _set_scroll(self, scroll: int) -> None:
        """Set Textual's scroll position and number of rows as cheaply as possible."""
        height, total = self._viewport.height, self._scrollback.total
        # Plain assignments would lay out the whole screen and call this method again.
        assign: Any = self.set_reactive
        assign(Widget.virtual_size, Size(self._viewport.width, total))
        # Keep the fraction of a row that a slow drag has accumulated.
        position = min(scroll + self.scroll_y - _nearest(self.scroll_y), float(self.max_scroll_y))
        assign(Widget.scroll_y, position)
        assign(Widget.scroll_target_y, float(scroll))
        # The scrollbar takes as long to paint as the text: update it only if it moves by an eighth of a cell.
        eighths = 8 * height / max(1, total)
        thumb = int(scroll * eighths), int(height * eighths)
        if thumb != self._thumb:
            self._thumb = thumb
            self.vertical_scrollbar.window_virtual_size = total
            self.vertical_scrollbar.position = position

    # Painting.

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget()

    def render_lines(self, crop: Region) -> list[Strip]:
        # Textual calls this to paint, but render_line directly to find the text under the mouse.
        self._painting = True
        try:
            return super().render_lines(crop)
        finally:
            self._painting = False

    def render_line(self, y: int) -> Strip:
        row = self._view[y] if y < len(self._view) else None
        if self._painting:
            return self._paint(row, last=y == self._viewport.height - 1)
        if row is not None:
            return self._painter.places(row)
        return self._painter.place_below(self._scrollback.next - 1) if self._view else Strip([])

    def _paint(self, row: Row | None, *, last: bool) -> Strip:
        """Paint `row`, or a blank one for None; the last row of the view says how much is new."""
        width = self._viewport.width
        if row is None:
            strip = self._painter.blank(width)
        elif self._selection and (span := self._selection.get_span(row[0])):
            strip = self._painter.paint_selected(row, self.size.width, span, self._selection_style())
        else:
            strip = self._painter.paint(row, self.size.width)
        if last and self.new_below:
            label = f" ▼ {self.new_below:,} new below (End) "
            style = self._painter.style("more") + Style(meta={"@click": "follow"})
            strip = Strip([*strip.crop(0, max(0, width - cell_len(label))), Segment(label, style)])
        return strip

    def _selection_style(self) -> Style:
        """Return the screen's style for a selection, in which most themes keep the text's own colour."""
        own = self.screen.get_component_rich_style("screen--selection", partial=True)
        blended = self.screen.get_component_rich_style("screen--selection")
        return own + Style(bgcolor=blended.bgcolor, reverse=self.has_pseudo_class("nocolor") or None)

    # Selecting.

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text with each entry on one line, or None if none of it is left."""
        text = "\n".join(self._selected(selection))
        return (text, "\n") if text else None

    def _selected(self, selection: Selection) -> Iterator[str]:
        first, after = self._scrollback.first, self._scrollback.next
        start = selection.start or Offset(0, first)
        end = selection.end or Offset(sys.maxsize, after)
        for serial in range(max(start.y, first), min(end.y + 1, after)):
            text = self._scrollback.text(serial)
            yield text[start.x if serial == start.y else 0 : end.x if serial == end.y else None]

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

    def _trim_selection(self) -> None:
        """Clear the selection if none of its text is left."""
        if self._selection is not None and self._selection == self.text_selection:
            self._select(self._selection)

    def _on_text(self, offset: Offset) -> Offset:
        """Return `offset`, or the text at that row of the view if it is one (the mouse is on a border)."""
        if offset.y >= FIRST_SERIAL:
            return offset
        if offset.y >= len(self._view):
            return Offset(sys.maxsize, self._scrollback.next - 1)
        serial, index = self._view[offset.y]
        return Offset(self._scrollback.layout(serial).start_of(index), serial)

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


def _nearest(position: float) -> int:
    """Round half up, so that adding whole rows does not change how a position is rounded."""
    return floor(position + 0.5)
