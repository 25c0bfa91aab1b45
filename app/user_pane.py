"""The console's side pane: who is here, details of the selected user, and the actions on a user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from textual import on
from textual.app import App
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from ..server.addresses import is_of_this_machine
from ..server.chat_server import ChatServer
from ..server.room import notices
from ..server.room.commands import forced_ban
from ..server.room.operator import OperatorSession
from ..widgets.command_line import CommandLine
from ..widgets.confirm import Confirm
from ..widgets.user_detail import UserDetail
from ..widgets.user_list import UserList
from ..widgets.user_row import User
from .completion import draft
from .feed import Feed


class UserPane(Vertical):
    """Shows the users and details of the selected one, and carries out actions on a user by id.

    Args:
        server: the server that the users are connected to.
        operator: the session that acts on them.
        user_list: the list, which `feed` fills.
        line: the operator's line, in which private messages are started.
        feed: shows the operator the outcome.
    """

    def __init__(
        self,
        server: ChatServer,
        operator: OperatorSession,
        user_list: UserList,
        line: CommandLine,
        feed: Feed,
    ) -> None:
        self._server = server
        self._operator = operator
        self._user_list = user_list
        self._line = line
        self._feed = feed
        self._detail = UserDetail(id="detail")
        self._buttons = (
            Button("Message", action="app.message", variant="primary", disabled=True),
            Button("Kick", action="app.kick", variant="error", disabled=True),
            Button("Mute", action="app.mute", disabled=True),
            Button("Ban", action="app.ban", variant="error", disabled=True),
        )
        for button in self._buttons:
            # Otherwise it would ignore further presses for a while, and the effect of keys depend on timing.
            button.active_effect_duration = 0
            # Textual fails where a button is too narrow for its padding.
            button.styles.line_pad = 0
        super().__init__(user_list, self._detail, Horizontal(*self._buttons, id="buttons"), id="side")

    @on(UserList.Selected)
    def _follow_selection(self, event: UserList.Selected) -> None:
        if not self.is_attached:
            return  # the console has ended in the meantime
        if event.user_id is None and self.screen.focused in self._buttons:
            self.screen.set_focus(self._user_list)
        for button in self._buttons:
            button.disabled = event.user_id is None
        self.tick()

    def tick(self) -> None:
        """Update the details of the selected user."""
        selected = self._user_list.selected
        if selected is not None and (known := self._server.details(selected)):
            self._detail.show(str(known.address), known.here, known.idle, known.lines, known.waiting)
        else:
            self._detail.hide()

    # Actions on a user; None stands for the selected one.

    @on(UserList.Chosen)
    def _message_chosen(self, event: UserList.Chosen) -> None:
        self.message(event.user_id)

    def message(self, user_id: int | None) -> None:
        """Start a private message in the line, and go there."""
        if user := self._user(user_id):
            # A shared nickname would reach others too; an address belongs to a single connection.
            recipient = user.address if self._server.settings.shared_nicks else user.name
            self._line.put(f"/msg {recipient} {draft(self._line.value)}")
            self.screen.set_focus(self._line)

    def kick(self, user_id: int | None) -> None:
        """Disconnect that user, after asking."""
        if user := self._user(user_id):
            self._ask_about(user, f"Kick {_in_full(user)}?", "Kick", self._operator.kick, "kicked")

    def mute(self, user_id: int | None, muted: bool | None, *, seen: bool) -> None:
        """Mute or unmute a user; None toggles. Ask first, unless the user is `seen`."""
        if user := self._user(user_id):
            muted = not user.muted if muted is None else muted
            mute = self._operator.mute if muted else self._operator.unmute
            if not seen:
                verb = "Mute" if muted else "Unmute"
                self._ask_about(user, f"{verb} {_in_full(user)}?", verb, mute, f"{verb.lower()}d")
            elif not mute(user.id):
                self._tell_gone()
            self._feed.catch_up()

    def ban(self, user_id: int | None) -> None:
        """Ban a user's address, after asking with the names of all users affected."""
        if user := self._user(user_id):
            network = self._operator.network_of(user.id)
            if network is None:
                self._tell_gone()
            elif is_of_this_machine(network):
                command = forced_ban(network.shown, None)
                self._feed.tell(notices.ban_of_loopback(network.shown, command))
            else:
                hit = [member.name for member in self._operator.hit_by_ban(user.id)]
                question = notices.ban_question(network, hit)
                self._ask_about(user, question, "Ban", self._operator.ban, "banned")

    def _ask_about(self, user: User, question: str, yes: str, act: Callable[[int], bool], done: str) -> None:
        """Ask about `user`, then act on that user by id; one question at a time."""
        app = cast(App[Any], self.app)  # pyright: ignore[reportUnknownMemberType]

        async def ask() -> None:
            if isinstance(app.screen, Confirm):
                return
            if await Confirm(question, yes=yes, no="Cancel").ask(app) and not act(user.id):
                self._feed.tell(f"{user.name} had already left: nobody was {done}.")
            self._feed.catch_up()

        # The app's worker: type-ahead would wait for a widget's, while this one waits for the operator's
        # keys.
        app.run_worker(ask)

    def _user(self, user_id: int | None) -> User | None:
        """Return the user with that id, by default the selected one, or tell the operator of its absence.

        The row of the selected user is scrolled into view.
        """
        selected = self._user_list.selected if user_id is None else user_id
        if user_id is None:
            self._user_list.reveal_selected()
        user = None if selected is None else self._user_list.users.get(selected)
        if user is None:
            self._tell_gone()
        return user

    def _tell_gone(self) -> None:
        self._feed.tell("This user has already left.")


def _in_full(user: User) -> str:
    return user.name if user.name == user.address else f"{user.name} ({user.address})"
