"""The console's keys, and what the help screen says about keys, commands and panes."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer

from ..server.room.commands import Role, commands_for
from ..widgets.help_screen import Section
from .palette import Offer

KEYS: list[BindingType] = [
    Binding("f1", "help", "Help", id="help", tooltip="Show all keys and commands"),
    Binding("f2", "message", "Message", id="message", tooltip="Send the selected user a private message"),
    Binding("f3", "kick", "Kick", id="kick", tooltip="Disconnect the selected user (asks first)"),
    Binding("f4", "users", "Users", id="users", tooltip="Go to the user list"),
    Binding("f5", "log", "Log", id="log", tooltip="Go to the message log"),
    Binding("f6", "mute", "Mute", id="mute", tooltip="Mute or unmute the selected user"),
    Binding("f7", "ban", "Ban", id="ban", tooltip="Ban the selected user's address (asks first)"),
    Binding("escape", "line", "Line", id="line", show=False, tooltip="Go to the operator's line"),
    Binding(
        "ctrl+l",
        "repaint",
        "Repaint",
        id="repaint",
        priority=True,
        show=False,
        tooltip="Redraw the screen",
    ),
    Binding("ctrl+p", "palette", "All", id="palette", show=False, tooltip="Find anything that can be done"),
    Binding("ctrl+q", "quit", "Quit", id="quit", priority=True, tooltip="Stop the server and quit"),
]
"""The console's keys, in the order in which the footer and the help show them."""

OFFERS = [
    Offer("message({id})", "Write to {name}", "f2", "message msg private whisper tell"),
    Offer("kick({id})", "Kick {name}", "f3", "disconnect drop remove throw out"),
    Offer("mute({id}, True)", "Mute {name}", "f6", "silence quiet", muted=False),
    Offer("mute({id}, False)", "Unmute {name}", "f6", "silence lift undo", muted=True),
    Offer("ban({id})", "Ban {name}", "f7", "block lock out address"),
    Offer("help", "Help: all keys and commands", "f1", "manual ?"),
    Offer("line", "Go to the line", "escape", "type say write"),
    Offer("users", "Go to the users", "f4", "list who people members find"),
    Offer("log", "Go to the log", "f5", "messages history scroll read"),
    Offer("choose_theme", "Change the colours", "", "theme dark light colors appearance"),
    Offer("repaint", "Paint the screen anew", "ctrl+l", "redraw refresh clear garbage"),
    Offer("screen.copy_text", "Copy what the mouse has selected", "ctrl+c", "clipboard"),
    Offer("paste", "Paste what was copied here", "ctrl+v", "clipboard insert"),
    Offer("quit", "Stop the server and quit", "ctrl+q", "exit close end shut down"),
]
"""What the palette offers, in the order in which it is shown before anything is typed."""

UNSEEN_KEYS: list[BindingType] = [
    Binding("pageup", "scroll_log('page_up')", show=False, id="log-page-up"),
    Binding("pagedown", "scroll_log('page_down')", show=False, id="log-page-down"),
    Binding("ctrl+home", "scroll_log('home')", show=False, id="log-home"),
    Binding("ctrl+end", "scroll_log('end')", show=False, id="log-end"),
    Binding("ctrl+v", "paste", show=False, id="paste"),
]
"""Keys for the log and the line that work in every pane that does not use them itself."""

ON_A_USER = ("message", "kick", "mute", "ban")
"""The actions that need a user; by default the selected one."""


class KeyBar(Footer):
    """A footer that is rebuilt only when its text changes: rebuilding costs as much as several frames."""

    _shown: list[tuple[str, bool]] | None = None

    def compose(self) -> ComposeResult:
        """Make the keys without tooltips, which would cover the line; F1 shows the same text."""
        for key in super().compose():
            key.tooltip = None
            yield key

    def bindings_changed(self, screen: Screen[Any]) -> None:
        """Show the keys of `screen`, unless they are shown already."""
        active = screen.active_bindings.values()
        shown = [(binding.key, enabled) for _, binding, enabled, _ in active if binding.show]
        if shown != self._shown and self.app.app_focus:  # pyright: ignore[reportUnknownMemberType]
            self._shown = shown
            super().bindings_changed(screen)  # pyright: ignore[reportUnknownMemberType]


def help_sections() -> list[Section]:
    """Return the sections of the help screen."""
    keys = [(binding.key.title(), binding.tooltip) for binding in KEYS if isinstance(binding, Binding)]
    return [
        ("Keys", keys),
        (
            "In the line",
            [
                ("text", "say something to everybody; //text says /text"),
                ("Up, Down", "recall lines sent before; your draft is kept"),
                ("Tab", "complete a command or a name; on an empty line, go to the next pane"),
                ("Page Up, Page Down", "scroll the log; Ctrl+Home and Ctrl+End go to its start and its end"),
            ],
        ),
        ("Commands", [(command.usage, command.help) for command in commands_for(Role.OPERATOR)]),
        (
            "In the panes",
            [
                ("text", "typed or pasted anywhere goes into the line"),
                ("Enter", "on a user: start a private message; the text in the line becomes the message"),
                ("End", "in the log: follow new lines"),
                ("Ctrl+C", "copy the text selected with the mouse"),
                ("Ctrl+P", "search all commands, including those for each user"),
            ],
        ),
    ]
