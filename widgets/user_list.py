"""The live list of who is here, which can be sorted, and narrowed by typing."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType

from .activity import Activity
from .line_input import typed
from .user_order import Order
from .user_rows import UserRows

QUERY_LIMIT = 60
"""The most characters that are looked for: a name, an address or a node."""

RESORT_INTERVAL = 5.0
"""The seconds between two times that the list is sorted anew, at least."""


class UserList(UserRows):
    """Who is here, in an order that follows what goes on, and only those who are looked for.

    Who comes is listed where the order says. Everybody else moves only when the list is sorted anew, which it
    never is while it has the focus or the mouse is over it, unless the operator changes the order. What is
    typed here shows only those whose name, address or node contains it, and selects the one who fits best.

    Args:
        hint: The text of an empty list.
        activity: How much everybody says.
        alike: What a name has in common with each name that looks like it; such users show their address.
        clock: Monotonic seconds, the clock of `User.since` and of `activity`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "cycle_sort", "sort", id="users.sort", tooltip="Sort the users in another way"),
        Binding("backspace", "erase", "Erase a letter", show=False),
        Binding("escape", "show_all", "show all", id="users.all", tooltip="List everybody again"),
    ]

    def __init__(
        self,
        hint: str = "",
        *,
        activity: Activity | None = None,
        alike: Callable[[str], str] = str.casefold,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(hint, activity=activity, alike=alike, clock=clock, id=id)
        self._sorting: Iterator[None] = iter(())  # the latest; it replaces any before it
        self._sorted_at = clock()

    # The order

    @property
    def order(self) -> Order:
        """What the list is sorted by."""
        return self.roll.order

    @order.setter
    def order(self, order: Order) -> None:
        self.roll.order = order
        self.show_changes()
        self._sort(asked=True)

    def action_cycle_sort(self) -> None:
        """Sort the list by the next order in turn."""
        self.order = self.order.next

    def tick(self, now: float | None = None) -> None:
        """Show what changes with time alone; to be called about once a second.

        Only the visible rows are repainted whose text has changed. Now and then the list is sorted anew.

        Args:
            now: The time of the list's clock, by default the present.
        """
        now = self.roll.clock() if now is None else now
        self.show_changes(now)
        due = now - self._sorted_at >= RESORT_INTERVAL and self.order is not Order.JOINED
        if due and not self._is_in_use:
            self._sort()

    @property
    def _is_in_use(self) -> bool:
        return self.has_focus or self.mouse_hover

    def _sort(self, *, asked: bool = False) -> None:
        self._sorted_at = self.roll.clock()
        sorting = self._sorting = self.roll.sorting()
        if self.is_attached:
            self.call_later(self._sort_in_turns, sorting, asked)
        else:
            deque(sorting, maxlen=0)
            self.forget_place()

    async def _sort_in_turns(self, sorting: Iterator[None], asked: bool) -> None:
        """Sort the list, with turns for others in between, unless the operator gets at it meanwhile."""
        shows_selected = self.shows_selected
        for _ in sorting:
            await asyncio.sleep(0)
            if sorting is not self._sorting or (self._is_in_use and not asked):
                return
        self.forget_place()
        if asked:
            self.scroll_to(y=0, animate=False, force=True, immediate=True)
        if asked or shows_selected:
            self.reveal_selected()
        self.show_changes()

    # The filter

    @property
    def looked_for(self) -> str:
        """What is typed to narrow the list; empty for everybody."""
        return self.roll.query

    def narrow(self, query: str) -> None:
        """List only those whose name, address or node contains `query`, and select who fits it best.

        The selected user stays if it fits as well, or if nobody does. An empty `query` lists everybody.
        """
        roll = self.roll
        roll.look_for(query)
        self.refresh_bindings()
        if query and (best := roll.best(self.selected)) is not None:
            self.selected = best
        self.show_changes()
        self.reveal_selected()

    def on_key(self, event: events.Key) -> None:
        """Look for what is typed. A command, which no name begins like, is left to the line."""
        text = typed(event.character)
        if text and not text.startswith("/"):
            event.stop()
            event.prevent_default()
            self.narrow((self.looked_for + text.strip())[:QUERY_LIMIT])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what there is something for."""
        match action:
            case "choose":
                return self.selected is not None
            case "erase" | "show_all":
                return bool(self.looked_for)
            case _:
                return True

    def action_erase(self) -> None:
        """Look for one letter less.

        Raises:
            SkipAction: If nothing is looked for.
        """
        if not self.looked_for:
            raise SkipAction()
        self.narrow(self.looked_for[:-1])

    def action_show_all(self) -> None:
        """List everybody.

        Raises:
            SkipAction: If everybody is listed, so that the key has another meaning.
        """
        if not self.looked_for:
            raise SkipAction()
        self.narrow("")

    def action_choose(self) -> None:
        """Post `Chosen` for the selected user, and list everybody again."""
        super().action_choose()
        if self.selected is not None:
            self.narrow("")
