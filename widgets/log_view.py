"""Which of a log's rows are in view, and how that changes: following, scrolling, resizing, painting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from ..server.room.text import clean
from .entry import Entry, Kind
from .past import WAITING
from .row_painter import PLAIN, Look, RowPainter
from .row_scroll import RowScroll, nearest_row
from .scrollback import FIRST_SERIAL, Row
from .timeline import Timeline

_OF_USERS = (Kind.CHAT, Kind.PRIVATE, Kind.SILENCED, Kind.JOIN, Kind.LEAVE, Kind.RENAME, Kind.FOLD)
"""The kinds of entries after which nobody needs the hint any more."""


class LogView(RowScroll, can_focus=True):
    """A bounded log that wraps and paints only what is in view.

    It follows its end until the reader scrolls up. From then on it stays on the same text, whatever is
    appended, replaced or dropped, until the reader, or `following`, `go_to` or `go_to_time`, moves it.

    The position is defined by the entry and row at the top of the view. Textual's scroll position is computed
    from that and from the number of rows of each entry, which is an estimate until the entry has been in
    view.
    """

    following: reactive[bool] = reactive(True, repaint=False, init=False)
    """Whether the view stays at the end; set it to True to go there."""

    hint: reactive[str] = reactive("")
    """Lines that are shown below the last entry, for as long as none is from or about a user."""

    revision: reactive[int] = reactive(0, repaint=False, init=False)
    """Grows with every change of the entries and of what is in view."""

    @dataclass
    class Moved(Message, namespace="message_log"):
        """`following`, `paused_at` or `new_below` has changed."""

        log: LogView

        @property
        def control(self) -> LogView:
            """The log."""
            return self.log

        def can_replace(self, message: Message) -> bool:
            """Whether the newer of two such messages is enough."""
            return isinstance(message, LogView.Moved)

    def __init__(
        self,
        *,
        max_lines: int = 10_000,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """Create an empty log that keeps the newest entries, which stand for at most `max_lines` lines."""
        super().__init__(name=name, id=id, classes=classes)
        self.scrollback = Timeline(max_lines)
        self.painter = RowPainter(
            self.scrollback, lambda name: self.get_component_rich_style(f"message-log--{name}")
        )
        self.top_row: Row = (FIRST_SERIAL, 0)
        self.rows_in_view: list[Row] = []
        self.held: int | None = None
        """The entry that nothing may push out of view, until the reader leaves it."""
        self._viewport = Size()
        self._seen = FIRST_SERIAL
        self._told: tuple[bool, float | None, int] = (True, None, 0)
        self._painting = self._placing = False
        self._deserted = True

    # What it holds.

    @property
    def entries(self) -> Sequence[Entry]:
        """The entries that are kept, oldest first. Read only."""
        return self.scrollback.entries

    @property
    def lines(self) -> int:
        """How many lines the entries stand for."""
        return self.scrollback.lines

    @property
    def new_below(self) -> int:
        """How many entries have arrived since the reader scrolled up and have not been in view yet."""
        return self.scrollback.next - self._seen

    @property
    def paused_at(self) -> float | None:
        """The time of the first entry in view, in seconds since the epoch; None while the log follows.

        It is 0 if that is not known yet.
        """
        if self.following or not self.rows_in_view:
            return None
        return self.scrollback[self.rows_in_view[0][0]].time

    def entry(self, serial: int) -> Entry | None:
        """Return the entry with that serial number, or None if it is not kept, or not read yet."""
        entry = self.scrollback[serial] if serial in self.scrollback else WAITING
        return None if entry is WAITING else entry

    def write_entries(self, entries: Sequence[Entry]) -> int:
        """Append `entries` and drop the oldest beyond the limit. Meant to be called once per frame.

        Returns:
            The serial number of the first of them. Each entry's is one more than that of the one before.
        """
        serial = self.scrollback.append(entries)
        if entries:
            if self._deserted:
                self._deserted = all(entry.kind not in _OF_USERS for entry in entries)
            self.entries_changed()
        return serial

    def replace(self, serial: int, entry: Entry) -> bool:
        """Show `entry` in the place of the one with that serial number; return False if that was dropped."""
        if serial not in self.scrollback:
            if self.scrollback.outlive(entry):
                self.entries_changed()
            return False
        top_serial, row = self.top_row
        position = self.scrollback.layout(serial).start_of(row) if top_serial == serial and row else 0
        kept = self.scrollback.replace(serial, entry)
        self.painter.forget_entries(range(serial, serial + 1))
        if kept and position:
            self.top_row = serial, self.scrollback.layout(serial).row_at(position)
        self.entries_changed(replaced=serial)
        return kept

    def clear(self) -> None:
        """Remove all entries, and follow new ones."""
        self.scrollback.clear()
        self._seen = self.scrollback.first
        self._deserted = True
        self.following = True
        self.entries_changed()

    def entries_changed(self, *, replaced: int | None = None) -> None:
        """Show what has been appended, dropped and replaced."""
        if self.held is not None:
            self.held = self.scrollback.settle(self.held)
        self.place(repaint=any(serial == replaced for serial, _ in self.rows_in_view))

    # Where it is.

    def watch_following(self, following: bool) -> None:
        if following and not self._placing:
            self.held = None
            self.place()

    def go_to(self, serial: int) -> None:
        """Show an entry in the middle of the view, and let nothing push it out.

        For one that has been dropped, that is the oldest one.
        """
        if self.scrollback.serials:
            serial = self.scrollback.nearest((serial, 0))[0]
            self.held = serial
            self._show(self.scrollback.walk((serial, 0), -(max(0, self._viewport.height - 1) // 2)))

    def go_to_time(self, time: float) -> int | None:
        """Show what came at `time` and later, in seconds since the epoch, from the top of the view on.

        Returns:
            The serial number of the first such entry, or of the last of all; None if there is none.
        """
        if not self.scrollback.serials:
            return None
        return self.go_to_top(self.scrollback.since(time))

    def go_to_top(self, serial: int) -> int:
        """Show an entry at the top of the view, and let nothing push it out; return its serial number."""
        self.held = serial
        self._show((serial, 0))
        return serial

    def hold(self, serial: int) -> None:
        """Let nothing push an entry out of view; if not all of it is in view, show it in the middle."""
        if self._is_all_in_view(serial):
            self.held = serial
        else:
            self.go_to(serial)

    @property
    def last_in_view(self) -> int:
        """The serial number of the last entry in view; if there is none, of the last of all."""
        return self.rows_in_view[-1][0] if self.rows_in_view else self.scrollback.next - 1

    def in_view(self, serial: int) -> bool:
        """Whether any row of an entry is in view."""
        return any(shown == serial for shown, _ in self.rows_in_view)

    def reveal(self, serial: int) -> None:
        """Scroll as little as possible to bring all of an entry into view."""
        if self.rows_in_view and not self._is_all_in_view(serial):
            scrollback, height = self.scrollback, self._viewport.height
            rows = len(scrollback.layout(serial).rows)
            above = (serial, 0) < self.rows_in_view[0] or rows > height
            self._show((serial, 0) if above else scrollback.walk((serial, rows - 1), 1 - height))

    def _is_all_in_view(self, serial: int) -> bool:
        """Whether all rows of an entry are in view, or as many as there is room for."""
        if serial not in self.scrollback:
            return False
        rows = sum(shown == serial for shown, _ in self.rows_in_view)
        return 0 < min(len(self.scrollback.layout(serial).rows), self._viewport.height) <= rows

    def scroll_home(self, **_: Any) -> None:
        self._show((self.scrollback.oldest, 0))

    def scroll_end(self, **_: Any) -> None:
        self.held = None
        self.following = True

    def scroll_page_up(self, **_: Any) -> None:
        self.scroll_to(y=self.scroll_y - self._viewport.height + 1)

    def scroll_page_down(self, **_: Any) -> None:
        self.scroll_to(y=self.scroll_y + self._viewport.height - 1)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        old, new = nearest_row(old_value), nearest_row(new_value)
        if old == new or self._viewport != self.scrollable_content_region.size:
            return  # Nothing to do, or not before the pending resize event.
        if abs(new - old) <= 2 * self._viewport.height:
            self._show(self.scrollback.walk(self.top_row, new - old))
        else:
            self._show(self.scrollback.locate(new))

    def on_resize(self) -> None:
        viewport = self.scrollable_content_region.size
        if viewport.width != self._viewport.width:
            serial, row = self.top_row
            kept = serial in self.scrollback
            position = self.scrollback.layout(serial).start_of(row) if row and kept else 0
            self.scrollback.resize(viewport.width)
            self.painter.forget()
            if position:
                self.top_row = serial, self.scrollback.layout(serial).row_at(position)
        self._viewport = viewport
        self.place(repaint=True)

    def _show(self, top: Row) -> None:
        """Show `top` at the top of the view, or as close to it as the number of rows allows."""
        self.top_row = top
        self.following = False
        self.place()
        if self.held is not None and not self.in_view(self.held):
            self.held = None

    def place(self, *, repaint: bool = False) -> None:
        """Update what is in view and the scroll position, and follow if the end is in view."""
        height, scrollback = self._viewport.height, self.scrollback
        view: list[Row] = []
        scroll = 0
        at_end = self.following or not scrollback.serials
        if scrollback.serials and height:
            end = scrollback.last_top(height)
            if at_end and self.held is not None and (self.held, 0) < end and self.in_view(self.held):
                self.top_row, at_end = (self.held, 0), False
            self.top_row = scrollback.nearest(self.top_row)
            at_end = at_end or self.top_row >= end
            if at_end:
                self.top_row = end
            view = scrollback.rows(self.top_row, height)
            scroll = max(0, scrollback.total - height) if at_end else scrollback.number(self.top_row)
            if not scrollback.is_filtered:
                self._seen = max(self._seen, view[-1][0] + 1)
        if repaint or view != self.rows_in_view:
            self.rows_in_view = view
            self.refresh()
        if height:
            self.show_position(scroll, scrollback.total, self._viewport)
        self._placing = True
        self.following = at_end
        self._placing = False
        self._tell()

    def _tell(self) -> None:
        self.revision += 1
        state = self.following, self.paused_at, self.new_below
        if state != self._told and self.is_running:
            self._told = state
            self.post_message(self.Moved(self))

    # Painting.

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.painter.forget()

    def render_lines(self, crop: Region) -> list[Strip]:
        # Textual calls this to paint, but render_line directly to find the text under the mouse.
        self._painting = True
        try:
            return super().render_lines(crop)
        finally:
            self._painting = False

    def render_line(self, y: int) -> Strip:
        row = self.rows_in_view[y] if y < len(self.rows_in_view) else None
        if not self._painting:
            if row is not None:
                return self.painter.places(row)
            return self.painter.place_below(self.scrollback.serials[-1]) if self.rows_in_view else Strip([])
        if row is not None:
            return self.painter.paint(row, self.size.width, self.look_of(row[0]))
        return self.painter.blank(self._viewport.width, self._hint_line(y), "hint")

    def _hint_line(self, y: int) -> str:
        """Return what a row below the entries shows of the hint, which a blank row separates from them."""
        lines = self.hint.splitlines() if self._deserted else []
        index = y - len(self.rows_in_view) - bool(self.rows_in_view)
        return clean(lines[index]) if 0 <= index < len(lines) else ""

    def look_of(self, serial: int) -> Look:
        """Return how an entry is painted."""
        return PLAIN

    def repaint_entries(self, *serials: int | None) -> None:
        """Paint some entries anew, as far as they are in view."""
        width = self._viewport.width
        rows = [Region(0, y, width, 1) for y, row in enumerate(self.rows_in_view) if row[0] in serials]
        if rows:
            self.refresh(*rows)
