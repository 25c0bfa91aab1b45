"""The keys and the help: each key is one action of the console, and the help leaves nothing out."""

from __future__ import annotations

import pytest
from textual.binding import Binding

from chat_console.app.console import ConsoleApp
from chat_console.app.keys import KEYS, UNSEEN_KEYS, help_sections
from chat_console.server.room.commands import Role, commands_for

BINDINGS = [binding for binding in KEYS if isinstance(binding, Binding)]


def section(heading: str) -> dict[str, str]:
    (rows,) = [rows for found, rows in help_sections() if found == heading]
    return dict(rows)


def test_the_function_keys_come_first_and_in_order() -> None:
    keys = [binding.key for binding in BINDINGS]
    assert keys == ["f1", "f2", "f3", "f4", "f5", "f6", "f7", "escape", "ctrl+l", "ctrl+p", "ctrl+q"]
    assert len(KEYS) == len(BINDINGS)


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda binding: binding.key)
def test_each_key_is_an_action_of_the_console_and_can_be_rebound_by_its_name(binding: Binding) -> None:
    assert callable(getattr(ConsoleApp, f"action_{binding.action}"))
    assert binding.id == binding.action
    assert binding.tooltip


def test_the_other_keys_are_actions_too_and_can_be_rebound() -> None:
    for binding in UNSEEN_KEYS:
        assert isinstance(binding, Binding) and binding.id and not binding.show
        assert callable(getattr(ConsoleApp, f"action_{binding.action.partition('(')[0]}"))


def test_the_footer_has_what_there_is_room_for() -> None:
    assert [binding.key for binding in BINDINGS if not binding.show] == ["escape", "ctrl+l", "ctrl+p"]


def test_quit_and_repaint_go_before_what_any_pane_makes_of_their_keys() -> None:
    assert [binding.key for binding in BINDINGS if binding.priority] == ["ctrl+l", "ctrl+q"]


def test_the_help_has_every_key_as_it_is_printed_on_it() -> None:
    assert section("Keys") == {
        "F1": "Show all keys and commands",
        "F2": "Send the selected user a private message",
        "F3": "Disconnect the selected user (asks first)",
        "F4": "Go to the user list",
        "F5": "Go to the message log",
        "F6": "Mute or unmute the selected user",
        "F7": "Ban the selected user's address (asks first)",
        "Escape": "Go to the operator's line",
        "Ctrl+L": "Redraw the screen",
        "Ctrl+P": "Find anything that can be done",
        "Ctrl+Q": "Stop the server and quit",
    }


def test_the_help_has_every_command_of_the_operator_and_no_other() -> None:
    assert section("Commands") == {command.usage: command.help for command in commands_for(Role.OPERATOR)}


def test_the_help_tells_of_the_line_and_of_the_panes() -> None:
    assert [heading for heading, _ in help_sections()] == ["Keys", "In the line", "Commands", "In the panes"]
    assert section("In the line").keys() == {"text", "Up, Down", "Tab", "Page Up, Page Down"}
    assert section("In the panes").keys() == {"text", "Enter", "End", "Ctrl+C", "Ctrl+P"}
    assert all(meaning for _, rows in help_sections() for _, meaning in rows)
