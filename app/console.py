"""The operator's console: the screen, the keys, and what they do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import DescendantFocus, Key, Paste
from textual.filter import LineFilter
from textual.widget import Widget

from ..server.chat_server import ChatServer
from ..server.room import notices
from ..widgets.command_line import CommandLine, typed
from ..widgets.confirm import Confirm
from ..widgets.help_screen import HelpScreen
from ..widgets.message_log import MessageLog
from ..widgets.status_bar import StatusBar
from ..widgets.user_list import UserList
from ..widgets.user_row import User
from .colours import readable
from .completion import PLACEHOLDER, complete
from .feed import Feed, alert, endpoints
from .joining import who_can_join
from .keys import KEYS, OFFERS, ON_A_USER, UNSEEN_KEYS, KeyBar, help_sections
from .legible import Legible, Undimmed
from .options import UsageError
from .palette import Offer, palette, theme_palette
from .terminal import driver_class, repaint
from .typeahead import KeyByKeyApp
from .user_pane import UserPane


class UnknownTheme(UsageError):
    """There is no such theme; the message lists the available ones."""


class ConsoleApp(KeyByKeyApp):
    """Shows a running `ChatServer` to its operator, and does what the operator asks.

    Args:
        server: the server, which is already listening. `serve` stops it at the end.
        theme: the name of one of Textual's themes; None for the default.
        mouse: whether the console uses the mouse; if not, the terminal selects and copies text.

    Raises:
        UnknownTheme: if Textual has no theme with that name.
    """

    TITLE = "chat-console"
    CSS_PATH = ["console.tcss", "colours.tcss"]  # noqa: RUF012
    ENABLE_COMMAND_PALETTE = False  # Textual's, which has words and actions of its own
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-normal"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = KEYS + UNSEEN_KEYS

    def __init__(self, server: ChatServer, *, theme: str | None = None, mouse: bool = True) -> None:
        # With NO_COLOR, Textual still emits 24-bit greys, unless it uses the terminal's own palette.
        super().__init__(driver_class=driver_class(), ansi_color=True if "NO_COLOR" in os.environ else None)
        if theme is not None:
            if theme not in self.available_themes:
                known = ", ".join(sorted(self.available_themes))
                raise UnknownTheme(f"there is no theme {theme!r}; choose one with --theme: {known}")
            self.theme = theme
        # Rich calls a system of 16 colours "standard".
        self._few_colours = [Legible()] if self.console.color_system == "standard" else []
        self._own_palette = [Undimmed()]
        self.server = server
        self.user_list = UserList("Nobody is here yet", id="users")
        self._messages = MessageLog(id="log")
        self._status_bar = StatusBar(id="status")
        self._operator_line = CommandLine(self._complete, placeholder=PLACEHOLDER, id="line")
        self._feed = Feed(self._messages, self.user_list, self._status_bar)
        self._feed.begin(server.chat.snapshot())
        self._operator = server.operator(self._feed.take, self.end)
        self._side = UserPane(server, self._operator, self.user_list, self._operator_line, self._feed)
        # The log is the rightmost pane: however wide a terminal makes a text, it is clipped at the edge.
        self._panes = Horizontal(self._side, self._messages, id="panes")
        self._takes_mouse = mouse
        self._ending: asyncio.Task[None] | None = None
        self.ending: Callable[[], object] = lambda: None
        """Is called when the end begins."""

    async def serve(self) -> int:
        """Run until the operator quits or `end` is called, stop the server, and return the exit code."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._report)
        try:
            await self.run_async(mouse=self._takes_mouse)
        finally:
            loop.set_exception_handler(None)
            await self.server.stop()
        return self.return_code or 0

    def end(self) -> None:
        """Say goodbye to everybody, then quit."""
        if self._ending is None:
            self.ending()
            self.type_ahead.close()
            self._ending = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> None:
        self._feed.tell(notices.shutting_down())
        await self.server.stop()
        self.exit()

    # The screen

    def get_css_variables(self) -> dict[str, str]:
        """Return the theme's variables, with colours that can be read."""
        self.theme_variables = readable(super().get_css_variables(), self.current_theme)
        return self.theme_variables

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters that change the colours of everything painted."""
        own_palette = self._own_palette if self.native_ansi_color else []
        return [*super().get_line_filters(), *self._few_colours, *own_palette]

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield self._status_bar
        yield self._panes
        yield self._operator_line
        yield KeyBar(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Start showing events."""
        self._messages.border_title = "Messages"
        self.user_list.border_title = "Users (0)"
        self._status_bar.show(
            address=endpoints(self.server), users=0, rate=0, uptime=0, alert=alert(self.server)
        )
        self._feed.start()
        for text in who_can_join(self.server):
            self._feed.tell(text)
        self.set_interval(1, self._tick)
        self._operator_line.focus()

    def on_unmount(self) -> None:
        """Stop showing events."""
        self._feed.close()

    def _report(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Show an uncaught error in the log, rather than lose it or write over the screen."""
        self.server.chat.failed(
            "the event loop", context.get("exception") or RuntimeError(context["message"])
        )

    @on(DescendantFocus)
    def _show_focused_pane(self, event: DescendantFocus) -> None:
        """Show the user list while it has the focus, where log and list do not fit side by side."""
        aside = self._side in event.widget.ancestors
        # Focus within a dialog changes nothing underneath.
        if aside or event.widget in (self._messages, self._operator_line):
            self._panes.set_class(aside, "-users")

    @property
    def _selected_is_seen(self) -> bool:
        """Whether the selected user's row is on the screen, dialogs aside."""
        list_hidden = self._panes.screen.has_class("-narrow") and not self._panes.has_class("-users")
        return self.user_list.shows_selected and not list_hidden

    def notify(self, message: str, *, title: str = "", markup: bool = True, **options: Any) -> None:
        """Show a notification in the log, since a toast would cover the line."""
        text = Content.from_markup(message).plain if markup else message
        self._feed.tell(f"{title}: {text}" if title else text)

    def _tick(self) -> None:
        """Update what changes with time alone."""
        self._feed.tick()
        self._side.tick()

    # The operator's line

    @on(CommandLine.Line)
    def _operate(self, event: CommandLine.Line) -> None:
        self._operator.operate(event.text)
        self._feed.catch_up()

    @on(CommandLine.Joined)
    def _tell_joined(self, event: CommandLine.Joined) -> None:
        self._feed.tell(f"{event.lines} pasted lines were joined into one.")

    def on_key(self, event: Key) -> None:
        """Send text typed in any other pane to the line."""
        if not self._in_dialog and (text := typed(event.character)):
            event.prevent_default()
            self.action_line()
            self._operator_line.write(text)

    def on_paste(self, event: Paste) -> None:
        """Send text pasted in any other pane to the line."""
        if not self._in_dialog:
            self.action_line()
            self._operator_line.paste(event.text)

    @property
    def _in_dialog(self) -> bool:
        return self.screen is not self._panes.screen

    def _complete(self, left: str) -> list[str]:
        return complete(left, (user.name for user in self.user_list.users.values()))

    # Actions of keys, buttons and the palette. A user is always identified by id.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the actions on a user while none is selected."""
        idle = action in ON_A_USER and not parameters and self.user_list.selected is None
        return None if idle else True

    def action_help(self) -> None:
        """Show all keys and commands."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(help_sections()))

    def action_palette(self) -> None:
        """Search everything that can be done, and do it."""
        if not self._in_dialog:
            self.push_screen(palette(self._offers(), self._present), self._do)

    def action_choose_theme(self) -> None:
        """Choose other colours."""
        self.push_screen(theme_palette(self.available_themes.values(), self.theme), self._use_theme)

    def _offers(self) -> list[Offer]:
        """What the palette can offer now."""
        return [offer for offer in OFFERS if offer.is_for_users or self.check_action(offer.action, ())]

    def _present(self) -> tuple[Collection[User], int | None]:
        return self.user_list.users.values(), self.user_list.selected

    async def _do(self, action: str | None) -> None:
        if action is not None:
            await self.run_action(action)

    def _use_theme(self, name: str | None) -> None:
        if name is not None:
            self.theme = name

    def action_line(self) -> None:
        """Go to the operator's line."""
        self._go_to(self._operator_line)

    def action_log(self) -> None:
        """Go to the message log."""
        self._go_to(self._messages)

    def action_users(self) -> None:
        """Go to the user list."""
        self._go_to(self.user_list)

    action_repaint = repaint

    def _go_to(self, widget: Widget) -> None:
        # Unlike Widget.focus this takes effect at once, which keys typed ahead rely on.
        widget.screen.set_focus(widget)

    def action_scroll_log(self, way: str) -> None:
        """Scroll the log: `page_up`, `page_down`, `home` or `end`."""
        getattr(self._messages, f"scroll_{way}")()

    def action_paste(self) -> None:
        """Paste text copied within the app into the line."""
        self.action_line()
        self._operator_line.action_paste()

    def action_message(self, user_id: int | None = None) -> None:
        """Start a private message to a user, by default the selected one."""
        self._side.message(user_id)

    def action_kick(self, user_id: int | None = None) -> None:
        """Disconnect a user, by default the selected one, after asking."""
        self._side.kick(user_id)

    def action_mute(self, user_id: int | None = None, muted: bool | None = None) -> None:
        """Mute or unmute a user, by default the selected one; toggle by default.

        If the selected user is out of view, ask first, naming the user.
        """
        self._side.mute(user_id, muted, seen=user_id is not None or self._selected_is_seen)

    def action_ban(self, user_id: int | None = None) -> None:
        """Ban a user's address, by default the selected one's, after asking with the users affected."""
        self._side.ban(user_id)

    @work
    async def action_quit(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Stop the server and quit; ask first if users are connected, but only once if the key repeats."""
        count = len(self.server.members)
        if not count:
            self.end()
        elif not isinstance(self.screen, _ConfirmQuit):
            who = "1 user is" if count == 1 else f"{count:,} users are"
            question = f"{who} connected. Stop the server?"
            if await _ConfirmQuit(question, yes="Stop", no="Cancel").ask(self):
                self.end()


class _ConfirmQuit(Confirm):
    """A type of its own, so that Ctrl+Q can tell whether it has already asked."""
