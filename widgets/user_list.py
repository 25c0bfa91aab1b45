"""The live list of who is here."""

from __future__ import annotations

import textwrap
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..server.room.text import clean
from .user_row import GAP, MIN_NAME_WIDTH, TIME_WIDTH, User, columns, time_here, truncate

MARK = "▸ "
"""Precedes the selected user, so that the selection is visible without colour too."""

MUTED = "muted"
"""Shown in place of a muted user's address."""


class UserList(ScrollView, can_focus=True):
    """Who is here, in order of joining, at a cost that depends only on the visible rows.

    The selection is a user's id, never a row: whoever joins or leaves, a key or a click acts on the user that
    the operator chose. When that user leaves, nobody is selected, and up and down continue from there.

    Args:
        hint: The text of an empty list.
        clock: Monotonic seconds, the clock of `User.since`.
    """

    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Previous user", show=False),
        Binding("down", "move(1)", "Next user", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "first", "First user", show=False),
        Binding("end", "last", "Last user", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "user-list--name",
        "user-list--address",
        "user-list--time",
        "user-list--selected",
        "user-list--hint",
    }

    DEFAULT_CSS = """
    UserList {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .user-list--name { text-style: bold; }
        & > .user-list--address, & > .user-list--time, & > .user-list--hint { color: $text-muted; }
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
            & > .user-list--address, & > .user-list--time, & > .user-list--hint { text-style: dim; }
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

    def __init__(
        self,
        hint: str = "",
        *,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._hint = hint
        self._clock = clock
        self._users: dict[int, User] = {}
        self._ids: list[int] = []
        # Where the selection was when its user left: as an id, which survives every change of the list.
        self._last_selected: int | None = None
        self._painted_times: dict[int, str] = {}
        self._height = 0

    @property
    def users(self) -> Mapping[int, User]:
        """The users by id, as a read-only view."""
        return MappingProxyType(self._users)

    @property
    def count(self) -> int:
        """How many users are here."""
        return len(self._ids)

    @property
    def shows_selected(self) -> bool:
        """Whether the selected user is in view, as it is unless the list was scrolled by hand."""
        if self.selected is None:
            return False
        return 0 <= bisect_left(self._ids, self.selected) - self.scroll_offset.y < self._height

    def reveal_selected(self) -> None:
        """Scroll the selected user into view."""
        if self.selected is not None:
            self._reveal(bisect_left(self._ids, self.selected))

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
        visible = self._visible()
        shows_selected = self.shows_selected
        top = self.scroll_offset.y
        top_id = self._ids[top] if 0 < top < len(self._ids) else None
        for user in added:
            if user.id not in self._users:
                insort(self._ids, user.id)
            self._users[user.id] = user
        for user in changed:
            if user.id in self._users:
                self._users[user.id] = user
        for user_id in removed:
            if self._users.pop(user_id, None) is not None:
                del self._ids[bisect_left(self._ids, user_id)]

        if self.selected not in self._users:
            self.selected = None
        self.virtual_size = Size(0, len(self._ids))
        if top_id is not None:
            new_top = min(bisect_left(self._ids, top_id), self.max_scroll_y)
            if new_top != top:
                self.scroll_to(y=new_top, animate=False, force=True)
        if shows_selected:
            self.reveal_selected()
        if self._visible() != visible:
            self.refresh()

    def on_resize(self) -> None:
        height = self.scrollable_content_region.height
        if height != self._height:
            self._height = height
            self.reveal_selected()

    def tick(self) -> None:
        """Repaint the visible rows whose time has changed; to be called about once a second."""
        top = self.scroll_offset.y
        for y, user in enumerate(self._visible()):
            if self._time_here(user) != self._painted_times.get(y):
                self.refresh_line(top + y)

    def validate_selected(self, selected: int | None) -> int | None:
        return selected if selected in self._users else None

    def watch_selected(self, old: int | None, new: int | None) -> None:
        if new is None:
            self._last_selected = old
        self.reveal_selected()
        self.post_message(self.Selected(new))

    def action_move(self, rows: int) -> None:
        """Move the selection by `rows`; if nobody is selected, from where the last selected user was."""
        if self.selected is not None:
            self._select_row(bisect_left(self._ids, self.selected) + rows)
            return
        if self._last_selected is None:
            row = self.scroll_offset.y
        else:
            row = bisect_left(self._ids, self._last_selected)
        self._select_row(row + rows - (rows > 0))

    def action_page(self, pages: int) -> None:
        """Move the selection by `pages`, which overlap by one row."""
        self.action_move(pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """Select the user who has been here longest."""
        self._select_row(0)

    def action_last(self) -> None:
        """Select the user who joined last."""
        self._select_row(len(self._ids) - 1)

    def action_choose(self) -> None:
        """Post `Chosen` for the selected user."""
        if self.selected is not None:
            self.post_message(self.Chosen(self.selected))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        row = self.scroll_offset.y + offset.y if offset is not None else len(self._ids)
        if row >= len(self._ids):
            return
        if self._ids[row] == self.selected:
            self.action_choose()
        else:
            self._select_row(row)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        row = self.scroll_offset.y + y
        if row < len(self._ids):
            user = self._users[self._ids[row]]
            self._painted_times[y] = self._time_here(user)
            return self._render_user(user, self._painted_times[y], width)
        if not self._ids:
            lines = textwrap.wrap(self._hint, max(1, width - len(MARK)))
            if y < len(lines):
                hint = " " * len(MARK) + lines[y]
                return Strip([Segment(hint, self.get_component_rich_style("user-list--hint"))])
        return Strip.blank(width, self.rich_style)

    def _render_user(self, user: User, time_text: str, width: int) -> Strip:
        name, address = clean(user.name), clean(user.address)
        width -= len(MARK)
        if user.muted:
            # In place of the address, and at the expense of a long name's end.
            address = MUTED
            room = width - 1 - TIME_WIDTH - GAP - len(MUTED)
            name = truncate(name, room) if room >= MIN_NAME_WIDTH else name
        name, address, time_text = columns(name, address, time_text, width)
        if user.id == self.selected:
            style = self.get_component_rich_style("user-list--selected")
            return Strip([Segment(MARK + name + address + time_text, style)])
        name_style = self.get_component_rich_style("user-list--name")
        return Strip(
            [
                Segment(" " * len(MARK) + name, name_style),
                Segment(address, self.get_component_rich_style("user-list--address")),
                Segment(time_text, self.get_component_rich_style("user-list--time")),
            ]
        )

    def _time_here(self, user: User) -> str:
        seconds = self._clock() - user.since
        # Showing seconds would repaint the whole list every second after a rush of joins.
        return time_here(seconds) if seconds >= 60 else "<1m"

    def _visible(self) -> list[User]:
        top = self.scroll_offset.y
        return [self._users[user_id] for user_id in self._ids[top : top + self.size.height]]

    def _select_row(self, row: int) -> None:
        if self._ids:
            row = min(max(row, 0), len(self._ids) - 1)
            self.selected = self._ids[row]
            self._reveal(row)

    def _reveal(self, row: int) -> None:
        # Before the first layout there is nothing to scroll.
        if self.size:
            self.scroll_to_region(
                Region(0, row, 1, 1), animate=False, force=True, x_axis=False, immediate=True
            )
