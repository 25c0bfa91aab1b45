"""What a line asks for, for each who may type it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.server.room.commands import (
    COMMANDS,
    Ban,
    Command,
    Help,
    Kick,
    ListBans,
    ListUsers,
    Mute,
    Nick,
    PrivateMessage,
    Quit,
    Reload,
    Request,
    Role,
    Say,
    Unban,
    UnknownCommand,
    Unmute,
    WrongUsage,
    commands_for,
    named_in,
    parse,
    parse_duration,
    spoken,
)


def usages(role: Role) -> list[str]:
    return [command.usage for command in commands_for(role)]


def test_clients_have_nick_msg_list_help_and_quit() -> None:
    assert usages(Role.CLIENT) == ["/nick <name>", "/msg <recipient> <message>", "/list", "/help", "/quit"]


def test_the_operator_has_those_and_the_means_to_keep_order_but_no_nick() -> None:
    assert usages(Role.OPERATOR) == [
        "/msg <recipient> <message>",
        "/kick <recipient> [reason]",
        "/mute <recipient> [10m]",
        "/unmute <recipient>",
        "/ban <recipient|address|network> [2h] [--force]",
        "/unban <address|network>",
        "/bans",
        "/reload",
        "/list",
        "/help",
        "/quit",
    ]


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
        ("//list", "/list"),
        ("  //list", "/list"),
        ("\ufffd//list", "/list"),
        ("\uff0f\uff0flist", "\uff0flist"),
        ("/\uff0flist", "\uff0flist"),
        ("\uff0f/list", "/list"),
        ("/// list", "// list"),
        ("///", "//"),
        ("a /list", "a /list"),
        ("  two  blanks  ", "  two  blanks  "),
        ("\ufffd\ufffd", "\ufffd\ufffd"),
        ("\ufffda/list", "\ufffda/list"),
        ("- /list", "- /list"),
        ("\U0001fae8/list", "\U0001fae8/list"),
        ("\u2044list", "\u2044list"),
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
        ("/kick Bob", Role.OPERATOR, Kick("Bob", "")),
        ("/kick  Bob  ", Role.OPERATOR, Kick("Bob", "")),
        ("/kick Bob said  it  too often ", Role.OPERATOR, Kick("Bob", "said  it  too often")),
        ("/mute Bob", Role.OPERATOR, Mute("Bob", None)),
        ("/mute  Bob  10m ", Role.OPERATOR, Mute("Bob", 600)),
        ("/unmute Bob ", Role.OPERATOR, Unmute("Bob")),
        ("/ban Bob", Role.OPERATOR, Ban("Bob", None, False)),
        ("/ban 192.0.2.0/24 2h", Role.OPERATOR, Ban("192.0.2.0/24", 7200, False)),
        ("/ban ::1 1d --force", Role.OPERATOR, Ban("::1", 86_400, True)),
        ("/ban --force ::1", Role.OPERATOR, Ban("::1", None, True)),
        ("/ban ::1 --force 1d", Role.OPERATOR, Ban("::1", 86_400, True)),
        ("/unban 192.0.2.7", Role.OPERATOR, Unban("192.0.2.7")),
        ("/bans", Role.OPERATOR, ListBans()),
        ("/reload", Role.OPERATOR, Reload()),
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


BEFORE = ["", " ", "  ", "\u3000", "\xa0", "\ufffd", " \ufffd\ufffd ", "\u0301", "\u1aff", "\ufff9"]
BEFORE += ["\U0001d159", " \u0301\u0300\ufffd"]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("slash", "/\uff0f")
@pytest.mark.parametrize("before", BEFORE, ids=ascii)
def test_a_command_behind_what_is_blank_broken_or_invisible_is_still_one(
    before: str, slash: str, role: Role
) -> None:
    assert parse(f"{before}{slash}msg Bob  my secret ", role) == PrivateMessage("Bob", "my secret ")
    assert parse(f"{before}{slash}foo secret", role) == UnknownCommand("/foo")
    assert parse(f"{before}{slash}", role) == UnknownCommand("/")
    assert spoken(f"{before}{slash}msg") is None
    assert spoken(f"{before}{slash}{slash}msg") == f"{slash}msg"


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
        ("/kick", Role.OPERATOR, "/kick <recipient> [reason]"),
        ("/mute", Role.OPERATOR, "/mute <recipient> [10m]"),
        ("/mute Bob soon", Role.OPERATOR, "/mute <recipient> [10m]"),
        ("/mute Bob 10m now", Role.OPERATOR, "/mute <recipient> [10m]"),
        ("/unmute", Role.OPERATOR, "/unmute <recipient>"),
        ("/unmute Bob Ann", Role.OPERATOR, "/unmute <recipient>"),
        ("/ban", Role.OPERATOR, "/ban <recipient|address|network> [2h] [--force]"),
        ("/ban --force", Role.OPERATOR, "/ban <recipient|address|network> [2h] [--force]"),
        ("/ban Bob soon", Role.OPERATOR, "/ban <recipient|address|network> [2h] [--force]"),
        ("/ban Bob 2h 3h", Role.OPERATOR, "/ban <recipient|address|network> [2h] [--force]"),
        ("/unban", Role.OPERATOR, "/unban <address|network>"),
        ("/bans all", Role.OPERATOR, "/bans"),
        ("/reload now", Role.OPERATOR, "/reload"),
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
        ("/mute Bob", Role.CLIENT, "/mute"),
        ("/ban Bob", Role.CLIENT, "/ban"),
        ("/reload", Role.CLIENT, "/reload"),
        ("/nick Bob", Role.OPERATOR, "/nick"),
    ],
)
def test_what_does_not_exist_for_its_issuer_is_unknown(line: str, role: Role, word: str) -> None:
    assert parse(line, role) == UnknownCommand(word)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86_400), ("1w", 604_800), ("5M", 300)],
)
def test_a_duration_is_a_number_with_its_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "0m", "-1m", "1.5h", "1h30m", "1 h", "1y", "٣m", "1000000s"])
def test_anything_else_is_not_a_duration(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("hello", 1),
        ("//nick Bob", 1),
        ("  //nick Bob", 1),
        ("/nick Bob", 3),
        (" /nick Bob", 3),
        ("\ufffd\uff0fnick Bob", 3),
        ("/NICK", 3),
        ("/msg Bob hi", 1),
        ("/nickname Bob", 1),
        ("/foo", 1),
        ("/", 1),
    ],
)
def test_a_change_of_nickname_costs_its_author_as_much_as_three_lines(line: str, tokens: int) -> None:
    command = named_in(line, Role.CLIENT)
    assert (command.cost if command else 1) == tokens


@given(st.text(" \ufffd\u0301\u3000\ufffa"), st.sampled_from("/\uff0f"), st.text())
def test_nothing_that_begins_with_a_slash_is_ever_said(before: str, slash: str, rest: str) -> None:
    said = spoken(before + slash + rest)
    assert said is None or (rest[:1] in ("/", "\uff0f") and said == rest)


@given(st.text(min_size=1) | st.text(" /nickmsglistbaufore-10", min_size=1), st.sampled_from(list(Role)))
def test_every_line_asks_for_something(line: str, role: Role) -> None:
    assert isinstance(parse(line, role), Request)
