"""The console's side pane: who is here, and the card of the selected user."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual import on
from textual.binding import Binding
from textual.containers import Vertical

from ..server.chat_server import ChatServer
from ..server.room.events import Event, Muted, Renamed
from ..widgets.activity import Activity
from ..widgets.key_bar import key_name
from ..widgets.list_header import ListHeader
from ..widgets.user_buttons import Act, UserButtons
from ..widgets.user_card import UserCard
from ..widgets.user_facts import Details
from ..widgets.user_list import UserList
from ..widgets.user_order import Order
from .dossiers import Dossiers
from .keys import KEYS


def _act(name: str, action: str, undo: str = "") -> Act:
    key = next(key.key for key in KEYS if isinstance(key, Binding) and key.action == action)
    return Act(name, key_name(key), f"screen.{action}", undo)


ACTS = (_act("Message", "message"), _act("Kick", "kick"), _act("Mute", "mute", "Unmute"), _act("Ban", "ban"))
"""What the buttons do to the selected user."""


class UserPane(Vertical):
    """Shows the users, and all that is known of the selected one.

    Args:
        server: the server that the users are connected to.
        user_list: the list, which somebody else fills.
        activity: how much everybody says, which somebody else counts.
        clock: monotonic, in seconds, as that of the list.
    """

    DEFAULT_CSS = """
    UserPane > UserList { height: 1fr; }
    """

    def __init__(
        self,
        server: ChatServer,
        user_list: UserList,
        activity: Activity,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._user_list = user_list
        self._activity = activity
        self._clock = clock
        self._dossiers = Dossiers()
        self._dossiers.begin(server.chat.snapshot().members)
        self._header = ListHeader(id="users-header")
        self._card = UserCard(ACTS, id="card")
        self.buttons_below = UserButtons(ACTS, id="buttons-below")
        """The same buttons once more, for where there is no room for the card; not part of the pane."""
        user_list.order = Order.LOUD
        super().__init__(self._header, user_list, self._card, id="side")

    def note(self, event: Event) -> None:
        """Remember what an event tells of a user."""
        self._dossiers.take(event)
        if isinstance(event, Muted | Renamed) and event.member_id == self._user_list.selected:
            self.call_later(self.tick)  # the list may learn of it after us

    def tick(self) -> None:
        """Update what is known of the selected user; call this once a second."""
        details = self._details(self._user_list.selected)
        if details is None:
            self._card.hide()
            self.buttons_below.hide()
        else:
            self._card.show(details)
            self.buttons_below.show(muted=details.muted)

    def _details(self, user_id: int | None) -> Details | None:
        user = None if user_id is None else self._user_list.users.get(user_id)
        known = None if user is None else self._server.details(user.id)
        if user is None or known is None:
            return None
        now = self._clock()
        idle = self._activity.idle(user.id, now)
        dossier = self._dossiers.of(user.id)
        return Details(
            user.id,
            user.name,
            user.address,
            here=known.here,
            # Of a user who has said nothing as the list has it; the server counts commands too.
            idle=known.here if idle is None else idle,
            lines=known.lines,
            waiting=known.waiting,
            old_names=tuple(dossier.names_but(user.name)) if dossier else (),
            muted=user.muted,
            mute_left=None if user.muted_until is None else user.muted_until - now,
            mutes=dossier.mutes if dossier else 0,
            others=self._dossiers.others_at(user.id),
            last=dossier.last_lines if dossier else (),
            node=user.node,
        )

    @on(UserList.Selected)
    def _follow_selection(self, event: UserList.Selected) -> None:
        if not self.is_attached:
            return  # the console has ended in the meantime
        focused = self.screen.focused
        if event.user_id is None and focused is not None:
            if self._card in focused.ancestors:
                self.screen.set_focus(self._user_list)
            elif self.buttons_below in focused.ancestors:
                self.screen.set_focus(None)
        self.tick()

    @on(UserList.Listed)
    def _show_listing(self, event: UserList.Listed) -> None:
        self._header.show(event.listing)

    @on(ListHeader.OrderClicked)
    def _change_order(self) -> None:
        self._user_list.action_cycle_sort()

    @on(ListHeader.QueryClicked)
    def _show_everybody(self) -> None:
        self._user_list.narrow("")
