"""The console's app: a screen to run a server from, until its operator stops it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import events, on, work
from textual.binding import BindingType
from textual.content import Content
from textual.filter import LineFilter
from textual.screen import Screen

from ..server.chat_server import ChatServer
from ..server.room import notices
from ..widgets.command_line import CommandLine
from ..widgets.confirm import Confirm
from ..widgets.counts import count_text
from ..widgets.help_screen import HelpScreen
from .chat_screen import ChatScreen
from .colours import readable
from .feed import Clocks
from .inbox import Bell
from .keys import APP_KEYS, help_sections
from .legible import Legible, LegibleAmong256, Undimmed
from .line_history import LineHistory
from .options import show
from .painting import PaintingApp
from .palette import palette, theme_palette
from .saving import farewell
from .terminal import driver_class, repaint
from .usage import UsageError


class UnknownTheme(UsageError):
    """There is no such theme; the message lists the available ones."""


class ConsoleApp(PaintingApp):
    """Shows a running `ChatServer` to its operator, and does what the operator asks.

    Args:
        server: the server, which is already listening. `serve` stops it at the end.
        theme: the name of one of Textual's themes; None for the default.
        mouse: whether the console uses the mouse; if not, the terminal selects and copies text.
        bell: whether the terminal's bell rings for private lines that may go unseen.
        line_history: whether what is typed is kept for the next time.

    Raises:
        UnknownTheme: if Textual has no theme with that name.
    """

    TITLE = "chat-console"
    CSS_PATH = ["console.tcss", "colours.tcss"]  # noqa: RUF012
    ENABLE_COMMAND_PALETTE = False  # Textual's, which has words and actions of its own
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-normal"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = APP_KEYS
    CLOCKS: ClassVar[Clocks] = Clocks()
    """What the console takes the time from."""

    def __init__(
        self,
        server: ChatServer,
        *,
        theme: str | None = None,
        mouse: bool = True,
        bell: bool = True,
        line_history: bool = False,
    ) -> None:
        # With NO_COLOR, Textual still emits 24-bit greys, unless it uses the terminal's own palette.
        super().__init__(driver_class=driver_class(), ansi_color=True if "NO_COLOR" in os.environ else None)
        if theme is not None:
            if theme not in self.available_themes:
                known = ", ".join(sorted(self.available_themes))
                raise UnknownTheme(f"there is no theme {theme!r}; choose one with --theme: {known}")
            self.theme = theme
        # Rich calls a system of 16 colours "standard".
        few_colours: dict[str | None, LineFilter] = {"standard": Legible(), "256": LegibleAmong256()}
        self._few_colours = [
            few for system, few in few_colours.items() if system == self.console.color_system
        ]
        self._own_palette = [Undimmed()]
        self.server = server
        self._takes_mouse = mouse
        self._bell = Bell() if bell else None
        self._ending: asyncio.Task[None] | None = None
        self.ending: Callable[[], object] = lambda: None
        """Is called when the end begins."""
        self.chat = ChatScreen(server, end=self.end, ring=self._ring, clocks=self.CLOCKS)
        """The screen with the chat."""
        self._history = LineHistory(self.chat.feed.tell) if line_history else None

    async def serve(self) -> int:
        """Run until the operator quits or `end` is called, stop the server, and return the exit code."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._report)
        try:
            await self.run_async(mouse=self._takes_mouse)
        finally:
            loop.set_exception_handler(None)
            await self.server.stop()
            if self._history is not None:
                await self._history.close()
        if self._ending is not None:
            show(f"{farewell(*self.chat.feed.totals)}\n")
        return self.return_code or 0

    def end(self) -> None:
        """Say goodbye to everybody, then quit."""
        if self._ending is None:
            self.ending()
            self.type_ahead.close()
            self._ending = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> None:
        self.chat.feed.tell(notices.shutting_down())
        await self.server.stop()
        self.exit()

    def _report(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Show an uncaught error in the log, rather than lose it or write over the screen."""
        self.server.chat.failed(
            "the event loop", context.get("exception") or RuntimeError(context["message"])
        )

    # The screen

    def get_default_screen(self) -> Screen[Any]:
        """Return the screen with the chat."""
        return self.chat

    def on_mount(self) -> None:
        """Recall what was typed the last time."""
        if self._history is not None:
            self._history.recall(self.chat.line.remember)

    @on(CommandLine.Remembered)
    def _keep(self, event: CommandLine.Remembered) -> None:
        if self._history is not None:
            self._history.append(event.text)

    def get_css_variables(self) -> dict[str, str]:
        """Return the theme's variables, with colours that can be read."""
        self.theme_variables = readable(super().get_css_variables(), self.current_theme)
        return self.theme_variables

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters that change the colours of everything painted."""
        own_palette = self._own_palette if self.native_ansi_color else []
        return [*super().get_line_filters(), *self._few_colours, *own_palette]

    def notify(self, message: str, *, title: str = "", markup: bool = True, **options: Any) -> None:
        """Show a notification in the answer row, since a toast would cover the line."""
        text = Content.from_markup(message).plain if markup else message
        self.chat.say(f"{title}: {text}" if title else text)

    # Whether the operator is there

    async def on_event(self, event: events.Event) -> None:
        """Note that the operator is there, and pass the event on."""
        if isinstance(event, events.Key | events.Paste | events.MouseDown):
            self.chat.noticed()
        await super().on_event(event)

    def on_app_focus(self) -> None:
        """Note that the terminal has got the focus."""
        self.chat.feed.focus(True)

    def on_app_blur(self) -> None:
        """Note that the terminal has lost the focus."""
        self.chat.feed.focus(False)

    def _ring(self) -> None:
        if self._bell is not None and self._bell.rings(time.monotonic(), True):
            self.bell()

    # What works on every screen

    def action_help(self) -> None:
        """Show all keys and commands."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(help_sections(self.screen)))

    def action_palette(self) -> None:
        """Search everything that can be done, and do it."""
        if self.screen is self.chat:
            self.push_screen(palette(self.chat.offers(), self.chat.present), self._do)

    async def _do(self, action: str | None) -> None:
        if action is not None:
            await self.run_action(action, self.chat)

    def action_choose_theme(self) -> None:
        """Choose other colours."""
        self.push_screen(theme_palette(self.available_themes.values(), self.theme), self._use_theme)

    def _use_theme(self, name: str | None) -> None:
        if name is not None:
            self.theme = name

    action_repaint = repaint

    @work
    async def action_quit(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Stop the server and quit; ask first if users are connected, but only once if the key repeats."""
        count = sum(self.server.node_of(each.id) == self.server.node for each in self.server.members)
        if not count:
            self.end()
        elif not isinstance(self.screen, _ConfirmQuit):
            who = f"{count_text(count, 'user')} {'is' if count == 1 else 'are'}"
            question = f"{who} connected. Stop the server?"
            if await _ConfirmQuit(question, yes="Stop", no="Cancel").ask(self):
                self.end()


class _ConfirmQuit(Confirm):
    """A type of its own, so that Ctrl+Q can tell whether it has already asked."""
