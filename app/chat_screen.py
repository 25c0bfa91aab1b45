"""The operator's screen: its keys, and what they do."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar, cast

from textual import events, on, work
from textual.app import App
from textual.binding import BindingType

from ..widgets.action_dialog import Action
from ..widgets.answer_row import AnswerRow
from ..widgets.command_line import CommandLine
from ..widgets.counts import count_text
from ..widgets.find_bar import FindBar
from ..widgets.line_input import typed
from ..widgets.message_log import MessageLog
from ..widgets.status_bar import StatusBar
from ..widgets.user_card import UserCard
from ..widgets.user_list import UserList
from ..widgets.user_row import User
from .chat_display import ChatDisplay
from .keys import OFFERS, ON_A_USER, SCREEN_KEYS, USER_KEYS
from .palette import Offer
from .saving import save_command


class ChatScreen(ChatDisplay):
    """Shows the chat to its operator, and carries out what the operator does."""

    BINDINGS: ClassVar[list[BindingType]] = SCREEN_KEYS

    # Keys, and the operator's line

    @on(CommandLine.Line)
    def _operate(self, event: CommandLine.Line) -> None:
        self._answer_row.clear()
        file = save_command(event.text)
        if file is None:
            self._conversation.send(event)
            self.when_done()
        else:
            self._save(file)

    @on(CommandLine.Refused)
    def _refuse(self, event: CommandLine.Refused) -> None:
        self.say(event.reason, error=True)

    @on(CommandLine.Joined)
    def _tell_joined(self, event: CommandLine.Joined) -> None:
        self.say(f"{event.lines} pasted lines were joined into one")

    def on_key(self, event: events.Key) -> None:
        """Send text typed in any other pane to the line, and tell of a key that needs a user."""
        if text := typed(event.character):
            event.prevent_default()
            self.action_line()
            self.line.write(text)
        elif event.key in USER_KEYS and self.user_list.selected is None:
            event.stop()
            self._reading.tell_unselected(self._last_selected)

    def on_paste(self, event: events.Paste) -> None:
        """Send text pasted in any other pane to the line."""
        self.action_line()
        self.line.paste(event.text)

    # What is clicked, or chosen with Enter

    @on(StatusBar.ChipPressed)
    def _press_chip(self, event: StatusBar.ChipPressed) -> None:
        if event.name == "inbox":
            self.action_reply()
        else:
            self.action_next()

    @on(UserList.Chosen)
    def _write_to_chosen(self, event: UserList.Chosen) -> None:
        self.action_message(event.user_id)

    @on(MessageLog.Chosen)
    def _write_to_author(self, event: MessageLog.Chosen) -> None:
        if event.entry.who is not None:
            self.action_message(event.entry.who)

    @on(UserCard.AllLines)
    def _find_all_lines(self, event: UserCard.AllLines) -> None:
        self.action_lines_of(event.user_id)

    @on(MessageLog.Pointed)
    def _point(self, event: MessageLog.Pointed) -> None:
        self._reading.point(event.entry)

    @on(MessageLog.Copied)
    def _tell_copied(self, event: MessageLog.Copied) -> None:
        self.say(f"{count_text(event.lines, 'line')} copied")

    @on(FindBar.Closed)
    def _leave_find(self, event: FindBar.Closed) -> None:
        self.remove_class("-finding")
        if event.escaped:
            self.action_line()

    # Actions of keys, buttons and the palette. A user is always identified by id.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the actions on a user while none is selected."""
        if action == "line":
            return self.focused is not self.line
        idle = action in ON_A_USER and not parameters and self.user_list.selected is None
        return None if idle else True

    def offers(self) -> list[Offer]:
        """Return what the palette can offer now."""
        return [offer for offer in OFFERS if offer.is_for_users or self.check_action(offer.action, ())]

    def present(self) -> tuple[Collection[User], int | None]:
        """Return who is here, and the id of the selected user."""
        return self.user_list.users.values(), self.user_list.selected

    def action_line(self) -> None:
        """Go to the operator's line."""
        self.set_focus(self.line)

    def action_everybody(self) -> None:
        """Write to everybody."""
        self._conversation.everybody()
        self.action_line()

    def action_log(self) -> None:
        """Go to the message log."""
        self.set_focus(self.messages)

    def action_users(self) -> None:
        """Go to the user list."""
        self.set_focus(self.user_list)

    def action_sort(self) -> None:
        """Sort the user list in another way."""
        self.user_list.action_cycle_sort()

    def action_scroll_log(self, way: str) -> None:
        """Scroll the log: `page_up`, `page_down`, `home` or `end`."""
        getattr(self.messages, f"scroll_{way}")()

    @on(AnswerRow.StatePressed)
    def action_follow(self) -> None:
        """Go to the end of the log, and stay there."""
        self.messages.following = True

    @on(MessageLog.FindRequested)
    def action_find(self) -> None:
        """Find lines of the log."""
        self.add_class("-finding")
        self._reading.find()

    def action_lines_of(self, user_id: int | None = None) -> None:
        """Find all lines of a user, by default the selected one."""
        if (chosen := self._chosen(user_id)) is not None:
            self.add_class("-finding")
            self._reading.find_all_of(chosen)

    def action_next(self) -> None:
        """Go to who floods the chat, or to what came while the operator was away."""
        self._reading.next()

    def action_reply(self) -> None:
        """Go to the private line that has waited longest, and write to its author."""
        self._conversation.reply()

    def action_save(self) -> None:
        """Save the log, or the hits alone, to a new file."""
        self._save("")

    @work
    async def _save(self, file: str) -> None:
        await self._reading.save(file)

    def action_undo(self) -> None:
        """Lift the last mute or ban."""
        self._moderation.undo()

    def action_paste(self) -> None:
        """Paste text copied within the app into the line."""
        self.action_line()
        self.line.action_paste()

    def action_message(self, user_id: int | None = None) -> None:
        """Write to a user, by default the selected one, until that changes."""
        if (chosen := self._chosen(user_id)) is not None:
            self._conversation.write(chosen)

    def action_kick(self, user_id: int | None = None) -> None:
        """Disconnect a user, by default the selected one, after asking."""
        self._ask(Action.KICK, user_id)

    def action_mute(self, user_id: int | None = None, muted: bool | None = None) -> None:
        """Mute a user, by default the selected one, after asking, or unmute it; toggle by default."""
        chosen = self._chosen(user_id)
        user = None if chosen is None else self.user_list.users.get(chosen)
        if user is not None and (user.muted if muted is None else not muted):
            self._moderation.unmute(user.id)
        else:
            self._ask(Action.MUTE, chosen)

    def action_ban(self, user_id: int | None = None) -> None:
        """Ban a user's address, by default the selected one's, after asking with the users affected."""
        self._ask(Action.BAN, user_id)

    def _ask(self, action: Action, user_id: int | None) -> None:
        if (chosen := self._chosen(user_id)) is not None:
            app = cast("App[Any]", self.app)  # pyright: ignore[reportUnknownMemberType]
            self._moderation.ask(app, action, chosen)

    def _chosen(self, user_id: int | None) -> int | None:
        """Return that user, by default the selected one, whose row is then scrolled into view."""
        if user_id is None:
            self.user_list.reveal_selected()
        return self.user_list.selected if user_id is None else user_id
