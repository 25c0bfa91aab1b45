"""What the operator's screen shows: its panes, and what happens, frame by frame."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen

from ..server.chat_server import ChatServer
from ..server.room.events import Event
from ..server.room.names import skeleton
from ..widgets.activity import Activity
from ..widgets.answer_row import AnswerRow
from ..widgets.command_line import CommandLine
from ..widgets.find_bar import FindBar
from ..widgets.key_bar import KeyBar
from ..widgets.line_row import LineRow
from ..widgets.message_log import MessageLog
from ..widgets.moments import clock as clock_text
from ..widgets.status_bar import StatusBar
from ..widgets.user_list import UserList
from .archive import HistoryArchive
from .completion import PLACEHOLDER, complete
from .conversation import Conversation
from .feed import Clocks, Feed, alert, elsewhere, endpoints, recorded_in
from .joining import ways_to_join, who_can_join
from .keys import KEPT_LONGEST, KEY_IDS
from .moderation import Moderation
from .panes import Panes
from .reading import Reading
from .user_pane import UserPane


class ChatDisplay(Screen[None]):
    """Shows the chat to its operator.

    Args:
        server: the server, which is already listening.
        end: called when the operator asks to stop the server.
        ring: called when a private line has come that may go unseen.
        clocks: for others than the real ones.
    """

    def __init__(
        self, server: ChatServer, *, end: Callable[[], None], ring: Callable[[], object], clocks: Clocks
    ) -> None:
        super().__init__()
        self._last_selected: int | None = None
        self._server = server
        self._ring = ring
        self._wall_clock = clocks.wall
        activity, clock = Activity(), clocks.monotonic
        self.user_list = UserList(
            "Nobody is here yet", alike=skeleton, activity=activity, clock=clock, id="users"
        )
        self.messages = MessageLog(id="log")
        self.line = CommandLine(self._complete, placeholder=PLACEHOLDER, compact=True, id="line")
        self._status_bar = StatusBar(id="status")
        self.feed = Feed(self.messages, self.user_list, self._status_bar, activity, clocks, elsewhere(server))
        self._answer_row = AnswerRow(id="answers")
        self._key_bar = KeyBar(KEY_IDS, KEPT_LONGEST, id="keys")
        self._find_bar = FindBar(self.messages, clock=clocks.wall, id="find")
        self._side = UserPane(server, self.user_list, activity, clock)
        # The log is the rightmost pane: however wide a terminal makes a text, it is clipped at the edge.
        self._panes = Horizontal(self._side, self.messages, id="panes")
        self._recorded = server.recorded
        self.feed.begin(server.chat.snapshot(), archived=bool(self._recorded))
        self._operator = server.operator(self._take_recorded if self._recorded else self.feed.take, end)
        panes = Panes(self.messages, self.user_list, self.line, self._answer_row)
        self._moderation = Moderation(self._operator, panes, self.when_done, clock)
        self._conversation = Conversation(self._operator, panes, self.feed.inbox)
        self._reading = Reading(panes, self._find_bar, self.feed)
        self._archive: HistoryArchive | None = None

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
        self._status_bar.show(recorded=recorded_in(self._server.settings), nodes=len(self._server.nodes))
        self.messages.hint = "\n".join(
            [
                "People join with:",
                *map("  {}".format, ways_to_join(self._server)),
                "and name themselves with:",
                "  /nick NAME",
            ]
        )
        if file := self._server.settings.history_file:
            self._archive = HistoryArchive(file, self._recorded.start, self.feed.tell)
            self.messages.continue_into(self._archive, self._recorded.stop)
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
        if self._archive is not None:
            self._archive.close()

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

    def when_done(self, then: Callable[[], object] = lambda: None) -> None:
        """Show what came of all that the operator has done so far, and call `then`.

        In a cluster that is a moment later.
        """
        context = contextvars.copy_context()
        self._operator.when_done(lambda: context.run(self._show_done, then))

    def _show_done(self, then: Callable[[], object]) -> None:
        if self.is_attached:  # the console may have ended in the meantime
            self.feed.catch_up()
            then()

    # What happens, frame by frame

    def _take_recorded(self, event: Event) -> None:
        self.feed.take(event, self._server.number_of(event))

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
        self._last_selected = event.user_id or self._last_selected
        self._label_keys()

    @on(MessageLog.Moved)
    def _show_moved(self) -> None:
        """Say what the log shows: its end, or from when, and how much is new."""
        log = self.messages
        if log.paused_at is None:
            self._answer_row.show_state("following", paused=False)
            return
        new = f" · {log.new_below:,} new" if log.new_below else ""
        at = f" {clock_text(log.paused_at, self._wall_clock())}" if log.paused_at else ""
        self._answer_row.show_state(f"paused{at}{new} · End", paused=True)

    def _complete(self, left: str) -> list[str]:
        return complete(left, (user.name for user in self.user_list.users.values()))
