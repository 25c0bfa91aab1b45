"""The keys, the palette's table and the help: each key is one action, and nothing is left out."""

from __future__ import annotations

import pytest
from support.console_operator import Operator
from textual.binding import Binding, BindingType

from chat_console.app.chat_screen import ChatScreen
from chat_console.app.console import ConsoleApp
from chat_console.app.keys import (
    APP_KEYS,
    KEPT_LONGEST,
    KEY_IDS,
    KEYS,
    OFFERS,
    ON_A_USER,
    SCREEN_KEYS,
    UNSEEN_KEYS,
    help_sections,
)
from chat_console.server.room.commands import Role, commands_for
from chat_console.widgets.entry import MARKS, Kind


def bindings(keys: list[BindingType]) -> list[Binding]:
    return [binding for binding in keys if isinstance(binding, Binding)]


BINDINGS = bindings(KEYS)


def owner(binding: Binding) -> type[ChatScreen | ConsoleApp]:
    return ConsoleApp if binding in APP_KEYS else ChatScreen


def section(heading: str) -> dict[str, str]:
    (rows,) = [rows for found, rows in help_sections() if found == heading]
    return dict(rows)


def test_the_function_keys_come_first_and_in_order() -> None:
    keys = [binding.key for binding in BINDINGS]
    assert keys[:9] == [f"f{number}" for number in range(1, 10)]
    assert keys[9:] == ["ctrl+f", "ctrl+s", "ctrl+z", "ctrl+p", "escape", "ctrl+l", "ctrl+q"]
    assert len(KEYS) == len(BINDINGS)


def test_no_key_is_one_that_terminals_keep_for_themselves() -> None:
    keys = {binding.key for binding in bindings([*KEYS, *UNSEEN_KEYS])}
    assert not keys & {"f10", "f11"}


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda binding: binding.key)
def test_each_key_is_an_action_of_the_console_and_can_be_rebound_by_its_name(binding: Binding) -> None:
    assert callable(getattr(owner(binding), f"action_{binding.action}"))
    assert binding.id == binding.action
    assert binding.tooltip


def test_the_other_keys_are_actions_too_and_can_be_rebound() -> None:
    for binding in bindings(UNSEEN_KEYS):
        assert binding.id and not binding.show
        assert callable(getattr(ChatScreen, f"action_{binding.action.partition('(')[0]}"))


def test_each_key_is_the_screens_or_the_apps() -> None:
    assert [key for key in [*KEYS, *UNSEEN_KEYS] if key in SCREEN_KEYS or key in APP_KEYS] == [
        *KEYS,
        *UNSEEN_KEYS,
    ]
    assert not [key for key in SCREEN_KEYS if key in APP_KEYS]


def test_the_bottom_row_ranks_every_key_that_it_shows() -> None:
    assert [binding.id for binding in BINDINGS] == KEY_IDS
    assert {binding.id for binding in BINDINGS if binding.show} == set(KEPT_LONGEST)


def test_what_must_work_in_every_pane_goes_before_what_a_pane_makes_of_the_key() -> None:
    first = [binding.key for binding in BINDINGS if binding.priority]
    assert first == ["ctrl+f", "ctrl+s", "ctrl+z", "ctrl+l", "ctrl+q"]


def test_every_key_has_an_entry_in_the_palette_and_every_entry_is_an_action() -> None:
    offered = {offer.key for offer in OFFERS}
    assert {binding.key for binding in BINDINGS} - offered == {"ctrl+p"}
    for offer in OFFERS:
        space, _, action = offer.action.partition("(")[0].rpartition(".")
        owners = {"": ChatScreen, "app": ConsoleApp, "screen": ChatScreen}
        assert callable(getattr(owners[space], f"action_{action}"))


def test_what_is_done_to_a_user_is_offered_for_each() -> None:
    assert {offer.action.partition("(")[0] for offer in OFFERS if offer.is_for_users} == set(ON_A_USER)


def test_the_help_begins_with_the_marks() -> None:
    (heading, rows), *_ = help_sections()
    alike = {Kind.CHAT, Kind.SENT, Kind.WARNING}
    assert heading == "Marks"
    assert [mark for mark, _ in rows] == [MARKS[kind] for kind in MARKS if kind not in alike]


def test_the_help_has_every_key_as_it_is_printed_on_it() -> None:
    assert section("Keys") == {binding.key.title(): binding.tooltip for binding in BINDINGS}
    assert {"F1", "Ctrl+F", "Escape"} <= section("Keys").keys()


def test_the_help_has_every_command_of_the_operator_and_the_consoles_own() -> None:
    commands = {command.usage: command.help for command in commands_for(Role.OPERATOR)}
    assert section("Commands") == commands | {"/save [FILE]": "save the log to a file"}


def test_the_help_tells_of_the_line_and_of_the_panes() -> None:
    assert [heading for heading, _ in help_sections()] == [
        *("Marks", "Keys", "In the line", "Commands", "In the users", "In the log")
    ]
    assert all(meaning for _, rows in help_sections() for _, meaning in rows)


async def test_the_help_calls_the_keys_of_a_pane_by_words(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    for pane, words in (
        (operator.user_list, {"Down", "F4", "Enter"}),
        (operator.line, {"Up", "Down", "Tab", "Ctrl+R"}),
    ):
        operator.console.screen.set_focus(pane)
        found = dict(help_sections(operator.console.screen))["In this pane"]
        assert words <= dict(found).keys()
