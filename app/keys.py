"""The console's keys, what the palette offers, and what the help screen says of keys, marks and commands."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding, BindingType
from textual.screen import Screen

from ..server.room.commands import Role, commands_for
from ..widgets.entry import MARKS, Kind
from ..widgets.help_screen import Section
from ..widgets.key_bar import key_in_words
from .palette import Offer

KEYS: list[BindingType] = [
    Binding("f1", "help", "help", id="help", tooltip="Show all keys and commands"),
    Binding("f2", "message", "write", id="message", tooltip="Write to the selected user alone"),
    Binding("f3", "kick", "kick", id="kick", tooltip="Disconnect the selected user, after asking"),
    Binding(
        "f4", "users", "users", id="users", tooltip="Go to the users; F4 again sorts them in another way"
    ),
    Binding("f5", "log", "log", id="log", tooltip="Go to the log"),
    Binding("f6", "mute", "mute", id="mute", tooltip="Mute the selected user, after asking, or unmute it"),
    Binding("f7", "ban", "ban", id="ban", tooltip="Ban the selected user's address, after asking"),
    Binding("f8", "reply", "reply", id="reply", tooltip="Go to the private line that waits longest"),
    Binding("f9", "next", "next", id="next", tooltip="Go to who floods, or what came while you were away"),
    Binding("ctrl+f", "find", "find", id="find", priority=True, tooltip="Find lines of the log"),
    Binding("ctrl+s", "save", "save", id="save", priority=True, tooltip="Save the log to a file"),
    Binding(
        "ctrl+z", "undo", "undo", id="undo", priority=True, show=False, tooltip="Lift the last mute or ban"
    ),
    Binding("ctrl+p", "palette", "all", id="palette", tooltip="Find anything that can be done, by words"),
    Binding("escape", "line", "line", id="line", tooltip="Go to the line; there, write to everybody again"),
    Binding(
        "ctrl+l",
        "repaint",
        "repaint",
        id="repaint",
        priority=True,
        show=False,
        tooltip="Paint the screen anew",
    ),
    Binding("ctrl+q", "quit", "quit", id="quit", priority=True, tooltip="Stop the server and quit"),
]
"""The console's keys, in the order in which the bottom row and the help show them."""

_OF_THE_APP = ("help", "palette", "repaint", "quit")

APP_KEYS: list[BindingType] = [key for key in KEYS if isinstance(key, Binding) and key.action in _OF_THE_APP]
"""Those that work on every screen."""

UNSEEN_KEYS: list[BindingType] = [
    Binding("pageup", "scroll_log('page_up')", show=False, id="log-page-up"),
    Binding("pagedown", "scroll_log('page_down')", show=False, id="log-page-down"),
    Binding("ctrl+home", "scroll_log('home')", show=False, id="log-home"),
    Binding("ctrl+end,end", "scroll_log('end')", show=False, id="log-end"),
    Binding("ctrl+v", "paste", show=False, id="paste"),
]
"""Keys for the log and the line that work in every pane that does not use them itself."""

SCREEN_KEYS: list[BindingType] = [key for key in [*KEYS, *UNSEEN_KEYS] if key not in APP_KEYS]
"""Those of the screen with the chat."""

KEY_IDS = [key.id or "" for key in KEYS if isinstance(key, Binding)]
"""Their ids, in that order."""

KEPT_LONGEST = [
    *("help", "users", "reply", "find", "palette", "line", "log", "save"),
    *("quit", "message", "kick", "mute", "ban", "next"),
]
"""The ids of the keys in the bottom row, from the one that is left out last where there is little room."""

OFFERS = [
    Offer("message({id})", "Write to {name}", "f2", "message msg private whisper tell"),
    Offer("kick({id})", "Kick {name}", "f3", "disconnect drop remove throw out"),
    Offer("mute({id}, True)", "Mute {name}", "f6", "silence quiet", muted=False),
    Offer("mute({id}, False)", "Unmute {name}", "f6", "silence lift undo", muted=True),
    Offer("ban({id})", "Ban {name}", "f7", "block lock out address"),
    Offer("lines_of({id})", "Find all lines of {name}", "", "history said card search"),
    Offer("app.help", "Help: all keys and commands", "f1", "manual ?"),
    Offer("everybody", "Write to everybody", "escape", "line type say room"),
    Offer("users", "Go to the users", "f4", "list who people members find"),
    Offer("sort", "Sort the users in another way", "", "order loud idle name joined"),
    Offer("log", "Go to the log", "f5", "messages history scroll read point"),
    Offer("reply", "Answer who waits", "f8", "inbox private unanswered next"),
    Offer("next", "Go to what calls for attention", "f9", "flood away missed next"),
    Offer("find", "Find lines of the log", "ctrl+f", "search grep look"),
    Offer("save", "Save the log to a file", "ctrl+s", "write export record"),
    Offer("undo", "Lift the last mute or ban", "ctrl+z", "back revert unmute unban"),
    Offer("follow", "Go to the end of the log", "ctrl+end", "follow newest bottom scroll"),
    Offer("app.choose_theme", "Change the colours", "", "theme dark light colors appearance"),
    Offer("app.repaint", "Paint the screen anew", "ctrl+l", "redraw refresh clear garbage"),
    Offer("screen.copy_text", "Copy what the mouse has selected", "ctrl+c", "clipboard"),
    Offer("paste", "Paste what was copied here", "ctrl+v", "clipboard insert"),
    Offer("app.quit", "Stop the server and quit", "ctrl+q", "exit close end shut down"),
]
"""What the palette offers, in the order in which it is shown before anything is typed."""

ON_A_USER = ("message", "kick", "mute", "ban", "lines_of")
"""The actions that need a user; by default the selected one."""

USER_KEYS = [key.key for key in KEYS if isinstance(key, Binding) and key.action in ON_A_USER]
"""The keys that need a selected user."""

_MEANINGS = {
    Kind.OPERATOR: "you",
    Kind.PRIVATE: "private: to you, or with “to” from you",
    Kind.SILENCED: "what a muted user said: only you see it",
    Kind.JOIN: "who joined",
    Kind.LEAVE: "who left",
    Kind.RENAME: "a new name",
    Kind.REPLY: "an answer to you",
    Kind.NOTICE: "the server",
    Kind.ERROR: "look here: a flood, or an error",
    Kind.FOLD: "more lines like it, in one row",
    Kind.RULE: "a new day, or what came while you were away",
}


def help_sections(screen: Screen[object] | None = None) -> list[Section]:
    """Return the sections of the help screen: the marks, the keys of the focused pane, and all the rest."""
    focused = list(_keys_of(screen)) if screen is not None else []
    keys = [(key_in_words(binding.key), binding.tooltip) for binding in KEYS if isinstance(binding, Binding)]
    commands = [(command.usage, command.help) for command in commands_for(Role.OPERATOR)]
    return [
        ("Marks", [(MARKS[kind], meaning) for kind, meaning in _MEANINGS.items()]),
        *([("In this pane", focused)] if focused else []),
        ("Keys", keys),
        (
            "In the line",
            [
                ("text", "say it to whom the prompt names; //text says /text"),
                ("Up, Down", "recall lines sent before; your draft is kept"),
                ("Ctrl+R", "search the lines sent before"),
                ("Tab", "complete a command or a name; on an empty line, go to the next pane"),
                ("Backspace", "on an empty line: write to everybody again"),
                ("Page Up, Page Down", "scroll the log; Ctrl+Home and Ctrl+End go to its start and its end"),
            ],
        ),
        ("Commands", [*commands, ("/save [FILE]", "save the log to a file")]),
        (
            "In the users",
            [
                ("letters", "show only whose name or address has them; Backspace and Escape take them back"),
                ("F4", "sort by joining, name, lines a minute, or idle time"),
                ("Enter", "write to the selected user"),
            ],
        ),
        (
            "In the log",
            [
                ("Up, Down", "point at a line; its author is selected, for F2, F3, F6 and F7"),
                ("Enter", "write to the author of that line"),
                ("y", "copy that line, or what the mouse has selected"),
                ("/", "find lines: words, @name, » for private, 22:40 or -20m"),
                ("End", "follow new lines"),
            ],
        ),
    ]


def _keys_of(screen: Screen[object]) -> Iterable[tuple[str, str]]:
    """Yield the keys of the focused pane, and what each does."""
    for node, binding, enabled, tooltip in screen.active_bindings.values():
        if node not in (screen, screen.app) and enabled and (meaning := tooltip or binding.tooltip):  # pyright: ignore[reportUnknownMemberType]
            yield binding.key_display or key_in_words(binding.key), meaning
