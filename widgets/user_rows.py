"""Rows of users, of whom one can be selected."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from .activity import Activity
from .list_header import Listing
from .user_order import Rank
from .user_painter import MARK, STYLES, UserPainter
from .user_roll import UserRoll
from .user_row import Parts, User

NOBODY_FITS = "Nobody fits. Escape shows everybody."
"""The text of a list that shows nobody of those who are here."""


class UserRows(ScrollView, can_focus=True):
    """A scrolling list of users, at a cost that depends only on the visible rows.

    The selection is a user's id, never a row: whoever joins or leaves, a key or a click acts on the user that
    the operator chose. When that user leaves, nobody is selected, and up and down continue from there.

    Args:
        hint: The text of an empty list.
        activity: How much everybody says.
        alike: What a name has in common with each name that looks like it; such users show their address.
        clock: Monotonic seconds, the clock of `User.since` and of `activity`.
    """

    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Previous user", show=False),
        Binding("down", "move(1)", "select", id="users.next", tooltip="Select the next user"),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "first", "First user", show=False),
        Binding("end", "last", "Last user", show=False),
        Binding("enter", "choose", "write", id="users.choose", tooltip="Write to the selected user alone"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"user-list--{style}" for style in STYLES}

    DEFAULT_CSS = """
    UserRows {
        overflow-x: hidden;
        scrollbar-size-vertical: 0;
        & > .user-list--name { color: $foreground; }
        & > .user-list--detail { color: $text-muted; }
        & > .user-list--pending { color: $text-accent; text-style: bold; }
        & > .user-list--selected {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
            text-style: bold;
        }
        &:focus > .user-list--selected {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
        &:ansi, &:nocolor {
            & > .user-list--detail { text-style: dim; }
        }
        &:nocolor:focus > .user-list--selected { text-style: bold reverse; }
    }
    """

    selected: reactive[int | None] = reactive[int | None](None, init=False, bindings=True)
    """The id of the selected user, or None. An id that is not in the list selects nobody."""

    @dataclass
    class Selected(Message):
        """The selection changed."""

        user_id: int | None

    @dataclass
    class Chosen(Message):
        """The operator pressed Enter, or clicked the selected user."""

        user_id: int

    @dataclass
    class Listed(Message):
        """How many are listed has changed, or who is looked for, or the order."""

        listing: Listing

    def __init__(
        self,
        hint: str = "",
        *,
        activity: Activity | None = None,
        alike: Callable[[str], str] = str.casefold,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._hint = hint
        self.roll = UserRoll(activity or Activity(), alike, clock)
        """The users. Whoever changes it calls `show_changes`."""
        self._painter = UserPainter(lambda name: self.get_component_rich_style(f"user-list--{name}"))
        self._listing = self.roll.listing
        # Where the selection was when its user left; None after the list has been sorted anew.
        self._last_selected: Rank | None = None
        self._painted: dict[int, tuple[bool, Parts | None]] = {}
        self._height = 0

    @property
    def users(self) -> Mapping[int, User]:
        """The users by id, as a read-only view."""
        return MappingProxyType(self.roll.users)

    @property
    def count(self) -> int:
        """How many users are here."""
        return len(self.roll.users)

    @property
    def shown(self) -> Sequence[int]:
        """The ids of the users who are listed, in their order."""
        return tuple(self.roll.shown)

    @property
    def pending(self) -> Mapping[int, int]:
        """How many private lines of each user, by id, wait for an answer."""
        return self.roll.pending

    @pending.setter
    def pending(self, pending: Mapping[int, int]) -> None:
        self.roll.pending = pending
        self.show_changes()

    @property
    def shows_selected(self) -> bool:
        """Whether the selected user is in view, as it is unless the list was scrolled by hand."""
        row = self.roll.row_of(self.selected)
        return row is not None and 0 <= row - self.scroll_offset.y < self._height

    def reveal_selected(self) -> None:
        """Scroll the selected user into view."""
        row = self.roll.row_of(self.selected)
        # Before the first layout there is nothing to scroll.
        if row is not None and self.size:
            self.scroll_to_region(
                Region(0, row, 1, 1), animate=False, force=True, x_axis=False, immediate=True
            )

    def apply(
        self,
        added: Iterable[User] = (),
        changed: Iterable[User] = (),
        removed: Iterable[int] = (),
    ) -> None:
        """Apply one net change. Unknown ids among `changed` and `removed` are ignored.

        A scrolled list keeps the user at its top, or the next one if that user left, and a selected user in
        view stays in view.
        """
        roll = self.roll
        shows_selected = self.shows_selected
        top = self.scroll_offset.y
        top_rank = roll.rank(roll.shown[top]) if 0 < top < len(roll.shown) else None
        selected_rank = None if self.selected is None else roll.rank(self.selected)
        roll.apply(added, changed, removed)

        if self.selected not in roll.users:
            self.selected = None
            self._last_selected = selected_rank or self._last_selected
        self._take_up_rows()
        if top_rank is not None:
            new_top = min(roll.row(top_rank), self.max_scroll_y)
            if new_top != top:
                self.scroll_to(y=new_top, animate=False, force=True)
        if shows_selected:
            self.reveal_selected()
        self.show_changes()

    # The selection

    def validate_selected(self, selected: int | None) -> int | None:
        return selected if selected in self.roll.users else None

    def watch_selected(self, old: int | None, new: int | None) -> None:
        if new is None and old in self.roll.users:
            self._last_selected = self.roll.rank(old)
        self.roll.keep(new)
        self._take_up_rows()
        self.reveal_selected()
        self.post_message(self.Selected(new))

    def action_move(self, rows: int) -> None:
        """Move the selection by `rows`; if nobody is selected, from where the last selected user was."""
        row = self.roll.row_of(self.selected)
        if row is not None:
            self._select_row(row + rows)
            return
        row = self.scroll_offset.y if self._last_selected is None else self.roll.row(self._last_selected)
        self._select_row(row + rows - (rows > 0))

    def action_page(self, pages: int) -> None:
        """Move the selection by `pages`, which overlap by one row."""
        self.action_move(pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """Select the first user who is listed."""
        self._select_row(0)

    def action_last(self) -> None:
        """Select the last user who is listed."""
        self._select_row(len(self.roll.shown) - 1)

    def action_choose(self) -> None:
        """Post `Chosen` for the selected user."""
        if self.selected is not None:
            self.post_message(self.Chosen(self.selected))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        shown = self.roll.shown
        row = self.scroll_offset.y + offset.y if offset is not None else len(shown)
        if row >= len(shown):
            return
        if shown[row] == self.selected:
            self.action_choose()
        else:
            self._select_row(row)

    def _select_row(self, row: int) -> None:
        if shown := self.roll.shown:
            self.selected = shown[min(max(row, 0), len(shown) - 1)]
            self.reveal_selected()

    # Painting

    def on_resize(self) -> None:
        height = self.scrollable_content_region.height
        if height != self._height:
            self._height = height
            self.reveal_selected()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        selected, parts = self._painted[y] = self._look(y, width, self.roll.clock())
        if parts is not None:
            return self._painter.paint(parts, width, selected=selected)
        hint = "" if self.roll.shown else NOBODY_FITS if self.roll.users else self._hint
        return self._painter.paint_hint(hint, y, width) or Strip.blank(width, self.rich_style)

    def _look(self, y: int, width: int, now: float) -> tuple[bool, Parts | None]:
        """Return what line `y` of the list shows at `now`: whether it is selected, and its text."""
        row = self.scroll_offset.y + y
        return row == self.roll.row_of(self.selected), self.roll.look(row, width - len(MARK), now)

    def show_changes(self, now: float | None = None) -> None:
        """Show what has changed of the users; only the visible rows are repainted that look different.

        Args:
            now: The time of the clock, by default the present.
        """
        now = self.roll.clock() if now is None else now
        self._take_up_rows()
        width, top = self.scrollable_content_region.width, self.scroll_offset.y
        for y in range(self._height):
            if self._look(y, width, now) != self._painted.get(y):
                self.refresh_line(top + y)

    def _take_up_rows(self) -> None:
        """Take up as many rows as there are users to list, and tell what is listed."""
        was_empty = not self.virtual_size.height
        self.virtual_size = Size(0, len(self.roll.shown))
        if was_empty or not self.roll.shown:
            self.refresh()
        if self.roll.listing != self._listing:
            self._listing = self.roll.listing
            self.post_message(self.Listed(self._listing))

    def forget_place(self) -> None:
        """Forget where the selection was when its user left: after the order has changed."""
        self._last_selected = None
