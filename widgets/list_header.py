"""The row above the list of users: how many there are, who is looked for, and the order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from ..server.room.text import clean
from .cells import widest
from .counts import count_text
from .user_row import truncate

WIDE = 30
"""The width from which the order is called that."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list shows."""

    count: int
    """How many users there are."""
    matches: int
    """How many of them are what is looked for."""
    query: str
    """What is looked for; empty for everybody."""
    order: str
    """What the list is sorted by, in a word."""


def header(listing: Listing, width: int) -> tuple[str, str, str, str]:
    """Lay out the header in `width` cells: the count, what is looked for, the gap and the order.

    Where it does not fit, the order gives way first, then the words of the count, then the query's start.
    """
    users = count_text(listing.count, "user")
    order = f"sort: {listing.order} ▾" if width >= WIDE else f"{listing.order} ▾"
    count, query = users, clean(listing.query)
    if query:
        count = f"{listing.matches:,} of {users} · "
        if widest(count + query) > width:
            count = f"{listing.matches:,} of {listing.count:,} · "
    if widest(count + query) + 1 + len(order) > width:
        order = ""
    count = truncate(count, width)
    query = truncate(query, width - len(count))
    return count, query, " " * (width - widest(count + query) - len(order)), order


class ListHeader(Widget):
    """One row: `30 users    loud ▾`, or `3 of 30 users · qu`; both ends can be clicked."""

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {"list-header--query", "list-header--order"}

    DEFAULT_CSS = """
    ListHeader {
        height: 1;
        padding: 0 1;
        color: $text-muted;
        text-wrap: nowrap;
        & > .list-header--query { color: $foreground; text-style: bold; }
        & > .list-header--order { color: $foreground; }
        &:ansi, &:nocolor { text-style: dim; }
    }
    """

    class OrderClicked(Message):
        """The operator clicked the order."""

    class QueryClicked(Message):
        """The operator clicked what is looked for, to look for it no longer."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._listing = Listing(0, 0, "", "")

    def show(self, listing: Listing) -> None:
        """Show what a list shows; repaint only if it differs."""
        if listing != self._listing:
            self._listing = listing
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        width = self.content_size.width
        order = header(self._listing, width)[-1]
        if order and offset is not None and offset.x >= width - len(order):
            self.post_message(self.OrderClicked())
        elif self._listing.query:
            self.post_message(self.QueryClicked())

    def render(self) -> Content:
        count, query, gap, order = header(self._listing, self.content_size.width)
        return Content.assemble(
            count,
            (query, self.get_visual_style("list-header--query")),
            gap,
            (order, self.get_visual_style("list-header--order")),
        )
