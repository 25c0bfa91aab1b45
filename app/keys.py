"""The console's keys, and what the help screen shows of keys, commands and panes."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer

from ..server.room.commands import Role, commands_for
from ..widgets.help_screen import Section

KEYS: list[BindingType] = [
    Binding("f1", "help", "Help", id="help", tooltip="All keys and commands"),
    Binding("f2", "message", "Message", id="message", tooltip="Write to the selected user alone"),
    Binding("f3", "kick", "Kick", id="kick", tooltip="Disconnect the selected user, after asking"),
    Binding("f4", "users", "Users", id="users", tooltip="Go to the user list"),
    Binding("f5", "log", "Log", id="log", tooltip="Go to the message log"),
    Binding("f6", "mute", "Mute", id="mute", tooltip="Mute the selected user, or let it be heard again"),
    Binding("f7", "ban", "Ban", id="ban", tooltip="Ban the selected user's address, after asking"),
    Binding("escape", "line", "Line", id="line", show=False, tooltip="Go to the operator's line"),
    Binding(
        "ctrl+l",
        "repaint",
        "Repaint",
        id="repaint",
        priority=True,
        show=False,
        tooltip="Paint everything anew",
    ),
    Binding("ctrl+q", "quit", "Quit", id="quit", priority=True, tooltip="End the server and the console"),
]
"""The console's keys, in the order in which footer and help show them."""

UNSEEN_KEYS: list[BindingType] = [
    Binding("pageup", "scroll_log('page_up')", show=False, id="log-page-up"),
    Binding("pagedown", "scroll_log('page_down')", show=False, id="log-page-down"),
    Binding("ctrl+home", "scroll_log('home')", show=False, id="log-home"),
    Binding("ctrl+end", "scroll_log('end')", show=False, id="log-end"),
    Binding("ctrl+v", "paste", show=False, id="paste"),
]
"""Keys for the log and the line that work in any pane that has no other use for them."""

ON_A_USER = ("message", "kick", "mute", "ban")
"""The actions that need a user, the selected one by default."""


class KeyBar(Footer):
    """A footer that is made anew only when it reads differently: that costs as much as several frames."""

    _shown: list[tuple[str, bool]] | None = None

    def compose(self) -> ComposeResult:
        """Make the keys, without the tooltips: these would cover the line, and F1 tells the same."""
        for key in super().compose():
            key.tooltip = None
            yield key

    def bindings_changed(self, screen: Screen[Any]) -> None:
        """Show the keys of `screen`, if they are not the ones that are shown."""
        active = screen.active_bindings.values()
        shown = [(binding.key, enabled) for _, binding, enabled, _ in active if binding.show]
        if shown != self._shown and self.app.app_focus:  # pyright: ignore[reportUnknownMemberType]
            self._shown = shown
            super().bindings_changed(screen)  # pyright: ignore[reportUnknownMemberType]


def help_sections() -> list[Section]:
    """The sections of the help screen."""
    keys = [(binding.key.title(), binding.tooltip) for binding in KEYS if isinstance(binding, Binding)]
    return [
        ("Keys", keys),
        (
            "In the line",
            [
                ("text", "say something to everybody; //text says /text"),
                ("Up, Down", "lines sent before; your draft is kept"),
                ("Tab", "complete a command or a name; in an empty line: go to the next pane"),
                ("Page Up, Page Down", "scroll the log; Ctrl+Home, Ctrl+End: to its start, its end"),
            ],
        ),
        ("Commands", [(command.usage, command.help) for command in commands_for(Role.OPERATOR)]),
        (
            "In the panes",
            [
                ("text", "goes into the line, from wherever it is typed or pasted"),
                ("Enter", "on a user: write to that user alone; what is in the line becomes the message"),
                ("End", "in the log: follow what comes"),
                ("Ctrl+C", "copy what is selected with the mouse"),
                ("Ctrl+P", "search all commands, also those on each user"),
            ],
        ),
    ]
