"""The operator's screen: its panes, its keys, and what they do."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar, cast

from textual import events, on, work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from ..server.chat_server import ChatServer
from ..server.room.events import Event
from ..server.room.names import skeleton
from ..widgets.action_dialog import Action
from ..widgets.activity import Activity
from ..widgets.answer_row import AnswerRow
from ..widgets.command_line import CommandLine
from ..widgets.counts import count_text
from ..widgets.find_bar import FindBar
from ..widgets.key_bar import KeyBar
from ..widgets.line_input import typed
from ..widgets.line_row import LineRow
from ..widgets.message_log import MessageLog
from ..widgets.status_bar import StatusBar
from ..widgets.user_card import UserCard
from ..widgets.user_list import UserList
from ..widgets.user_row import User
from .completion import PLACEHOLDER, complete
from .conversation import Conversation
from .feed import Clocks, Feed, alert, endpoints, recorded_in
from .joining import ways_to_join, who_can_join
from .keys import KEPT_LONGEST, KEY_IDS, OFFERS, ON_A_USER, SCREEN_KEYS
from .moderation import Moderation
from .palette import Offer
from .panes import Panes
from .reading import Reading
from .saving import save_command
from .user_pane import UserPane


class ChatScreen(Screen[None]):
    """Shows the chat to its operator, and carries out what the operator does.

    Args:
        server: the server, which is already listening.
        end: called when the operator asks to stop the server.
        ring: called when a private line has come that may go unseen.
        clocks: for others than the real ones.
    """

    BINDINGS: ClassVar[list[BindingType]] = SCREEN_KEYS

    def __init__(
        self, server: ChatServer, *, end: Callable[[], None], ring: Callable[[], object], clocks: Clocks
    ) -> None:
        super().__init__()
        self._server = server
        self._ring = ring
        activity, clock = Activity(), clocks.monotonic
        self.user_list = UserList(
            "Nobody is here yet", alike=skeleton, activity=activity, clock=clock, id="users"
        )
        self.messages = MessageLog(id="log")
        self.line = CommandLine(self._complete, placeholder=PLACEHOLDER, compact=True, id="line")
        self._status_bar = StatusBar(id="status")
        self.feed = Feed(self.messages, self.user_list, self._status_bar, activity, clocks)
        self._answer_row = AnswerRow(id="answers")
        self._key_bar = KeyBar(KEY_IDS, KEPT_LONGEST, id="keys")
        self._find_bar = FindBar(self.messages, clock=clocks.wall, id="find")
        self._side = UserPane(server, self.user_list, activity, clock)
        # The log is the rightmost pane: however wide a terminal makes a text, it is clipped at the edge.
        self._panes = Horizontal(self._side, self.messages, id="panes")
        self.feed.begin(server.chat.snapshot())
        operator = server.operator(self.feed.take, end)
        panes = Panes(self.messages, self.user_list, self.line, self._answer_row)
        self._moderation = Moderation(operator, panes, self.feed.catch_up, clock)
        self._conversation = Conversation(operator, panes, self.feed.inbox)
        self._reading = Reading(panes, self._find_bar, self.feed)

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield self._status_bar
        yield self._panes
        yield self._find_bar
        yield self._answer_row
        yield self._side.buttons_below
        yield LineRow(self.line)
        yield self._key_bar

    def on_mount(self) -> None:
        """Start showing events."""
        self._status_bar.show(address=endpoints(self._server), users=0, uptime=0, alert=alert(self._server))
        self._status_bar.show(recorded=recorded_in(self._server.settings))
        self.messages.hint = "\n".join(
            [
                "People join with:",
                *map("  {}".format, ways_to_join(self._server)),
                "and name themselves with:",
                "  /nick NAME",
            ]
        )
        self.feed.noted = self._note
        self.feed.answered = self._answered
        self.feed.called = self._called
        self.feed.start()
        for text in who_can_join(self._server):
            self.feed.tell(text)
        self._show_moved()
        self.set_interval(1, self._tick)
        self.line.focus()

    def on_unmount(self) -> None:
        """Stop showing events."""
        self.feed.close()

    @on(events.DescendantFocus)
    def _show_focused_pane(self, event: events.DescendantFocus) -> None:
        """Show the user list while it has the focus, where log and list do not fit side by side."""
        aside = self._side in event.widget.ancestors
        # Focus within a dialog changes nothing underneath.
        if aside or event.widget in (self.messages, self.line):
            self.set_class(aside, "-users")

    def _tick(self) -> None:
        """Update what changes with time alone."""
        self.feed.tick()
        self._side.tick()

    # What happens, frame by frame

    def _note(self, happened: Sequence[Event]) -> None:
        self._moderation.note_all(happened)
        for event in happened:
            self._conversation.note(event)
            self._side.note(event)
        self.user_list.pending = self.feed.inbox.by_member
        self._label_keys()

    def _label_keys(self) -> None:
        """Say in the bottom row what some keys are for at the moment."""
        labels: dict[str, str] = {}
        if count := self.feed.inbox.count:
            labels["reply"] = f"reply »{count:,}"
        selected = self.user_list.selected
        user = None if selected is None else self.user_list.users.get(selected)
        if user is not None and user.muted:
            labels["mute"] = "unmute"
        self._key_bar.relabel(labels)

    def _answered(self, text: str, refused: bool) -> None:
        hint = self._moderation.take_hint()
        self.say(f"{text} · {hint}" if hint and not refused else text, error=refused)

    def _called(self, member_id: int) -> None:
        if not self.messages.following or not self.app.app_focus:  # pyright: ignore[reportUnknownMemberType]
            self._ring()

    def say(self, text: str, *, error: bool = False) -> None:
        """Show the operator an answer."""
        self._answer_row.say(text, error=error)

    def noticed(self) -> None:
        """Note that the operator is there; what it has read by then need not be shown any longer."""
        self.feed.key()
        self._answer_row.dismiss()

    @on(AnswerRow.Changed)
    def _make_room(self, event: AnswerRow.Changed) -> None:
        self.set_class(event.answered, "-answered")

    @on(UserList.Selected)
    def _show_selected(self, event: UserList.Selected) -> None:
        self.set_class(event.user_id is not None, "-selected")
        self._label_keys()

    @on(MessageLog.Moved)
    def _show_moved(self) -> None:
        """Say what the log shows: its end, or from when, and how much is new."""
        log = self.messages
        if log.paused_at is None:
            self._answer_row.show_state("following", paused=False)
            return
        new = f" · {log.new_below:,} new" if log.new_below else ""
        at = time.strftime("%H:%M", time.localtime(log.paused_at))
        self._answer_row.show_state(f"paused {at}{new} · End", paused=True)

    # Keys, and the operator's line

    @on(CommandLine.Line)
    def _operate(self, event: CommandLine.Line) -> None:
        self._answer_row.clear()
        file = save_command(event.text)
        if file is None:
            self._conversation.send(event)
            self.feed.catch_up()
        else:
            self._save(file)

    @on(CommandLine.Refused)
    def _refuse(self, event: CommandLine.Refused) -> None:
        self.say(event.reason, error=True)

    @on(CommandLine.Joined)
    def _tell_joined(self, event: CommandLine.Joined) -> None:
        self.say(f"{event.lines} pasted lines were joined into one")

    def on_key(self, event: events.Key) -> None:
        """Send text typed in any other pane to the line."""
        if text := typed(event.character):
            event.prevent_default()
            self.action_line()
            self.line.write(text)

    def on_paste(self, event: events.Paste) -> None:
        """Send text pasted in any other pane to the line."""
        self.action_line()
        self.line.paste(event.text)

    def _complete(self, left: str) -> list[str]:
        return complete(left, (user.name for user in self.user_list.users.values()))

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
