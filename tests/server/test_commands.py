"""What a line asks for, for each who may type it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.server.commands import (
    COMMANDS,
    Command,
    Help,
    Kick,
    ListUsers,
    Nick,
    PrivateMessage,
    Quit,
    Request,
    Role,
    Say,
    UnknownCommand,
    WrongUsage,
    commands_for,
    parse,
)


def usages(role: Role) -> list[str]:
    return [command.usage for command in commands_for(role)]


def test_clients_have_nick_msg_list_help_and_quit() -> None:
    assert usages(Role.CLIENT) == ["/nick <name>", "/msg <recipient> <message>", "/list", "/help", "/quit"]


def test_the_operator_has_msg_kick_list_help_and_quit() -> None:
    assert usages(Role.OPERATOR) == [
        "/msg <recipient> <message>", "/kick <recipient>", "/list", "/help", "/quit",
    ]  # fmt: skip


def test_no_role_has_two_commands_of_one_word() -> None:
    for role in Role:
        words = [command.word for command in commands_for(role)]
        assert len(words) == len(set(words))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.word} {command.roles.name}")
def test_every_command_has_one_line_of_help(command: Command) -> None:
    assert command.help.isprintable()
    assert command.help


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("hello", "hello"),
        (" /list", " /list"),
        ("//list", "/list"),
        ("///", "//"),
        ("a /list", "a /list"),
        ("  two  blanks  ", "  two  blanks  "),
    ],
)
def test_what_does_not_begin_with_one_slash_is_text(role: Role, line: str, text: str) -> None:
    assert parse(line, role) == Say(text)


@pytest.mark.parametrize(
    ("line", "role", "request_"),
    [
        ("/nick Bob", Role.CLIENT, Nick("Bob")),
        ("/nick   Bob ", Role.CLIENT, Nick("Bob")),
        ("/nick Bob Smith", Role.CLIENT, Nick("Bob Smith")),
        ("/msg Bob hi", Role.CLIENT, PrivateMessage("Bob", "hi")),
        ("/msg Bob hi", Role.OPERATOR, PrivateMessage("Bob", "hi")),
        ("/msg   Bob   two  blanks ", Role.CLIENT, PrivateMessage("Bob", "two  blanks ")),
        ("/msg Bob /quit", Role.CLIENT, PrivateMessage("Bob", "/quit")),
        ("/msg 10.0.0.1|4001 hi", Role.CLIENT, PrivateMessage("10.0.0.1|4001", "hi")),
        ("/kick Bob", Role.OPERATOR, Kick("Bob")),
        ("/kick  Bob  ", Role.OPERATOR, Kick("Bob")),
        ("/list", Role.CLIENT, ListUsers()),
        ("/list  ", Role.OPERATOR, ListUsers()),
        ("/help", Role.CLIENT, Help()),
        ("/help", Role.OPERATOR, Help()),
        ("/quit", Role.CLIENT, Quit()),
        ("/quit", Role.OPERATOR, Quit()),
    ],
)
def test_a_command_is_read_with_its_arguments(line: str, role: Role, request_: Request) -> None:
    assert parse(line, role) == request_


@pytest.mark.parametrize("line", ["/MSG Bob hi", "/Msg Bob hi", "/mSG Bob hi"])
def test_a_command_is_matched_without_regard_to_case(line: str) -> None:
    assert parse(line, Role.CLIENT) == PrivateMessage("Bob", "hi")


@pytest.mark.parametrize(
    ("line", "role", "usage"),
    [
        ("/nick", Role.CLIENT, "/nick <name>"),
        ("/nick  ", Role.CLIENT, "/nick <name>"),
        ("/msg", Role.CLIENT, "/msg <recipient> <message>"),
        ("/msg Bob", Role.CLIENT, "/msg <recipient> <message>"),
        ("/msg Bob  ", Role.OPERATOR, "/msg <recipient> <message>"),
        ("/kick", Role.OPERATOR, "/kick <recipient>"),
        ("/kick Bob Ann", Role.OPERATOR, "/kick <recipient>"),
        ("/list all", Role.CLIENT, "/list"),
        ("/help me", Role.CLIENT, "/help"),
        ("/quit now", Role.CLIENT, "/quit"),
        ("/quit now", Role.OPERATOR, "/quit"),
    ],
)
def test_missing_or_surplus_arguments_are_wrong_usage(line: str, role: Role, usage: str) -> None:
    request = parse(line, role)
    assert isinstance(request, WrongUsage)
    assert request.command.usage == usage


@pytest.mark.parametrize(
    ("line", "role", "word"),
    [
        ("/foo", Role.CLIENT, "/foo"),
        ("/Foo bar", Role.OPERATOR, "/Foo"),
        ("/", Role.CLIENT, "/"),
        ("/ list", Role.CLIENT, "/"),
        ("/listen", Role.CLIENT, "/listen"),
        ("/kick Bob", Role.CLIENT, "/kick"),
        ("/nick Bob", Role.OPERATOR, "/nick"),
    ],
)
def test_what_does_not_exist_for_its_issuer_is_unknown(line: str, role: Role, word: str) -> None:
    assert parse(line, role) == UnknownCommand(word)


@given(st.text(min_size=1) | st.text(" /nickmsglist", min_size=1), st.sampled_from(list(Role)))
def test_every_line_asks_for_something(line: str, role: Role) -> None:
    assert isinstance(parse(line, role), Request)
