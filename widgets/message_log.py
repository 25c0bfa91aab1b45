"""The chat log: what it looks like, pointing at one of its entries, and showing what was found."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.style import Style
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import reactive
from textual.selection import Selection

from .entry import BODY, NAMES, Entry, Kind, full_text
from .past import Lines
from .query import Query
from .row_painter import Look
from .scrollback import PAST_SERIAL, Row
from .search import Search
from .selectable_log import SelectableLog

__all__ = ["Entry", "Kind", "MessageLog"]

SLICE = 0.004
"""Seconds for which a search may go on at once."""


class MessageLog(SelectableLog):
    """The operator's chat log.

    One entry can be pointed at. New entries do not push it out of view, unless the reader has left it: then
    the log pauses. A search's hits can be shown, one of them as the current one, or these entries alone.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"message-log--{part}" for part in ("time", "text", "hint", "pointed", "hit", "current")),
        *(f"message-log--name-{number}" for number in range(NAMES)),
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
        & > .message-log--time, & > .message-log--hint { color: $text-muted; }
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
        & > .message-log--name-0, & > .message-log--name-4 { color: $text-primary; text-style: bold; }
        & > .message-log--name-1, & > .message-log--name-5 { color: $text-success; text-style: bold; }
        & > .message-log--name-2, & > .message-log--name-6 { color: $text-accent; text-style: bold; }
        & > .message-log--name-3, & > .message-log--name-7 { color: $text-secondary; text-style: bold; }
        & > .message-log--pointed {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
        }
        &:focus > .message-log--pointed {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
        & > .message-log--hit { color: auto; background: $warning; }
        & > .message-log--current { text-style: reverse; }
        &:ansi > .message-log--hit { color: ansi_black; background: ansi_yellow; }
        &:ansi > .message-log--time, &:ansi > .message-log--hint { text-style: dim; }
        &:ansi > .message-log--silenced { text-style: dim; }
        &:nocolor > .message-log--hit {
            color: ansi_default;
            background: ansi_default;
            text-style: bold underline;
        }
        &:nocolor > .message-log--pointed { text-style: reverse; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "write to author", id="log.choose", tooltip="Write to the line's author"),
        # Typed text is the operator's line's, unless the log takes it first.
        Binding("y", "copy_entry", "copy", priority=True, id="log.copy", tooltip="Copy the line"),
        Binding("slash", "find", "find", priority=True, id="log.find", tooltip="Find lines"),
        Binding("up", "point(-1)", "point", id="log.older", tooltip="Point at the line above"),
        Binding("down", "point(1)", show=False, id="log.newer", tooltip="Point at the line below"),
        Binding("escape", "leave", "line", id="log.leave", tooltip="Point at no line, and go to the line"),
    ]

    pointer: reactive[int | None] = reactive[int | None](None, repaint=False, init=False, bindings=True)
    """The serial number of the entry that is pointed at. Setting it brings the entry into view."""

    only: reactive[bool] = reactive(False, repaint=False, init=False)
    """Whether the hits alone are shown; never without any search."""

    @dataclass
    class Pointed(Message):
        """`pointer` has changed, or what it points at was replaced."""

        serial: int | None
        entry: Entry | None

    @dataclass
    class Chosen(Message):
        """The operator pressed Enter on the entry that is pointed at."""

        serial: int
        entry: Entry

    @dataclass
    class Copied(Message):
        """Text went to the clipboard."""

        lines: int

    class FindRequested(Message):
        """The operator wants to find something."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._search: Search | None = None
        self._current: int | None = None
        self._tinted: set[int] = set()  # the hits that were in view when last looked at
        self._before_only: tuple[Row, bool] = self.top_row, True
        self._pressed_at: Offset | None = None
        self._dropped = False  # whether the pointer changes because its entry was dropped

    def entries_changed(self, *, replaced: int | None = None) -> None:
        if self._search is not None:
            if replaced is not None:
                self._search.replaced(replaced)
            self._search.step(SLICE)
        super().entries_changed(replaced=replaced)
        if self.pointer is not None and self.pointer < self.scrollback.first:
            self._dropped = True
            self.pointer = self._next_to_point(self.scrollback.settle(self.pointer) - 1, 1)
            self._dropped = False
        elif replaced is not None and replaced == self.pointer:
            self._tell_pointed()

    def fill(self, numbers: range, lines: Lines) -> None:
        super().fill(numbers, lines)
        if self.pointer is not None and self.pointer - PAST_SERIAL in numbers:
            self._tell_pointed()

    # Pointing.

    def validate_pointer(self, pointer: int | None) -> int | None:
        """Point at nothing where there is nothing."""
        return pointer if pointer is not None and pointer in self.scrollback else None

    def watch_pointer(self, old: int | None, new: int | None) -> None:
        self.repaint_entries(old, new)
        if not self._dropped:
            if new is not None and self.only and new not in self.scrollback.serials:
                self.only = False
            if new is not None and not self.in_view(new):
                self.go_to(new)
            self.held = new
        elif self.held == old:
            self.held = new
        self._tell_pointed()

    def _tell_pointed(self) -> None:
        self.post_message(self.Pointed(self.pointer, self.pointed))

    @property
    def pointed(self) -> Entry | None:
        """The entry that is pointed at."""
        return None if self.pointer is None else self.entry(self.pointer)

    def action_point(self, step: int) -> None:
        """Point at the entry above (-1) or below (1); if none in view is pointed at, at the last or first."""
        if not self.rows_in_view:
            return
        start = self.pointer
        if start is None or not self.in_view(start):
            start = self.rows_in_view[-1][0] + 1 if step < 0 else self.rows_in_view[0][0] - 1
        target = self._next_to_point(start, step)
        if target is None:
            target = self.pointer
        if target is not None:
            self.reveal(target)
            self.pointer = self.held = target

    def _next_to_point(self, serial: int, step: int) -> int | None:
        """Return the next entry with rows before (-1) or after (1) another that is no rule, or None."""
        serials = self.scrollback.serials
        at = bisect_left(serials, serial) - 1 if step < 0 else bisect_right(serials, serial)
        while 0 <= at < len(serials):
            if self.scrollback[serials[at]].kind is not Kind.RULE:
                return serials[at]
            at += step
        return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what there is something for."""
        match action:
            case "choose":
                return self.pointer is not None
            case "copy_entry":
                return self.pointer is not None or self.has_selection
            case _:
                return True

    def action_choose(self) -> None:
        """Say that the entry pointed at is chosen."""
        entry = self.pointed
        if self.pointer is None or entry is None:
            raise SkipAction()
        self.post_message(self.Chosen(self.pointer, entry))

    def action_copy_entry(self) -> None:
        """Copy the selected text, or else the entry pointed at with all that it stands for."""
        entry = self.pointed
        text = self.selected or (full_text(entry) if entry else "")
        if not text:
            raise SkipAction()
        self.app.copy_to_clipboard(text)  # pyright: ignore[reportUnknownMemberType]
        self.post_message(self.Copied(text.count("\n") + 1))

    def action_find(self) -> None:
        """Say that something is to be found."""
        self.post_message(self.FindRequested())

    def action_leave(self) -> None:
        """Point at nothing; the key goes on to whatever else it is for."""
        self.pointer = None
        raise SkipAction()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Note where a click, or a drag, begins."""
        self._pressed_at = event.screen_offset

    def on_click(self, event: events.Click) -> None:
        """Point at the entry that is clicked; where the mouse has moved meanwhile, it has selected text."""
        place = event.get_content_offset(self)
        moved = event.screen_offset != self._pressed_at
        if moved or event.widget is not self or event.chain > 1 or place is None:
            return
        if place.y < len(self.rows_in_view):
            serial = self.rows_in_view[place.y][0]
            if self.scrollback[serial].kind is not Kind.RULE:
                self.pointer = serial

    def selection_updated(self, selection: Selection | None) -> None:
        super().selection_updated(selection)
        self.refresh_bindings()

    # Finding.

    def find(self, query: Query) -> Search:
        """Return a search in this log, which has not begun."""
        return Search(self.scrollback, query)

    def show_hits(self, search: Search | None, current: int | None = None) -> None:
        """Show what a search has found and will find, and which hit is the current one; None shows no hits.

        The log keeps the search up to date with what is written to it.
        """
        changed, old = search is not self._search, self._current
        tinted = self._hits_in_view()
        if search is None:
            self.only = False
            self.held = self.pointer if self.pointer is not None and self.in_view(self.pointer) else None
        self._search, self._current = search, current
        if changed:
            if search is not None and self.only:
                self.scrollback.show_only(search.hits)
            self._tinted = set()
            self.repaint_entries(*tinted)
            self.refresh_hits()
        elif old != current:
            self.repaint_entries(old, current)

    def validate_only(self, only: bool) -> bool:
        """Show all while there is no search."""
        return only and self._search is not None

    def watch_only(self, only: bool) -> None:
        if only and self._search is not None:
            self._before_only = self.top_row, self.following
            self.scrollback.show_only(self._search.hits)
        else:
            self.scrollback.show_only(None)
            self.top_row, self.following = self._before_only
        self.place(repaint=True)
        if self._current is not None and not self.in_view(self._current):
            self.go_to(self._current)

    def refresh_hits(self) -> None:
        """Show what the search has found since; of the hits alone, there may be others in view by now."""
        if self.only:
            self.place()
        hits = self._hits_in_view()
        self.repaint_entries(*(hits - self._tinted))
        self._tinted = hits

    def _hits_in_view(self) -> set[int]:
        search = self._search
        return set() if search is None else {serial for serial, _ in self.rows_in_view if serial in search}

    @property
    def shown_entries(self) -> Sequence[Entry]:
        """The entries that can be scrolled to, oldest first: all, or the hits alone."""
        scrollback = self.scrollback
        return [scrollback[serial] for serial in scrollback.serials] if self.only else self.entries

    # Painting.

    def look_of(self, serial: int) -> Look:
        look = super().look_of(serial)
        search = self._search
        if search is not None and serial in search:
            look = Look(look.whole, (*self._hit_marks(serial, search.query), *look.marks))
        if serial == self.pointer:
            look = Look(self.painter.style("pointed"), look.marks)
        return look

    def _hit_marks(self, serial: int, query: Query) -> list[tuple[int, int, Style]]:
        if serial == self._current:
            return [(BODY, -1, self.get_component_rich_style("message-log--current", partial=True))]
        layout = self.scrollback.layout(serial)
        style = self.painter.style("hit")
        return [(start, end, style) for start, end in query.spans(layout.text, layout.sender_end)]
