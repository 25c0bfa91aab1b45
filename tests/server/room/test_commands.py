"""What a line asks for, for each who may type it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.server.room.commands import (
    COMMANDS,
    Command,
    Role,
    commands_for,
    cost_of,
    forced_ban,
    help_for,
    is_search,
    message_in,
    named_in,
    parse_duration,
    run_for_client,
    run_for_operator,
    spoken,
)
from chat_console.server.room.notices import help_lines

Call = tuple[object, ...]
"""What an issuer was asked to do, and with which values."""


class Issuer:
    """Whoever types a line, in either role: keeps what it is asked to do."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def say(self, text: str) -> None:
        self.calls.append(("say", text))

    def message(self, target: str, text: str) -> None:
        self.calls.append(("message", target, text))

    def nick(self, name: str) -> None:
        self.calls.append(("nick", name))

    def kick(self, target: str, remark: str) -> None:
        self.calls.append(("kick", target, remark))

    def mute(self, target: str, seconds: float | None, remark: str) -> None:
        self.calls.append(("mute", target, seconds, remark))

    def unmute(self, target: str) -> None:
        self.calls.append(("unmute", target))

    def ask_to_ban(self, target: str, seconds: float | None, remark: str, *, force: bool) -> None:
        self.calls.append(("ban", target, seconds, remark, force))

    def unban(self, network: str) -> None:
        self.calls.append(("unban", network))

    def list_bans(self) -> None:
        self.calls.append(("bans",))

    def reload(self) -> None:
        self.calls.append(("reload",))

    def list_users(self, word: str = "") -> None:
        self.calls.append(("list", word) if word else ("list",))

    def help(self) -> None:
        self.calls.append(("help",))

    def quit(self) -> None:
        self.calls.append(("quit",))

    def refuse(self, text: str, /) -> None:
        self.calls.append(("reply", text))

    def reply(self, text: str, /) -> None:
        self.calls.append(("reply", text))


def run(line: str, role: Role) -> Call:
    """What the command `line` of that role makes its issuer do."""
    issuer = Issuer()
    run_for_client(line, issuer) if role is Role.CLIENT else run_for_operator(line, issuer)
    (call,) = issuer.calls
    return call


def usages(role: Role) -> list[str]:
    return [command.usage for command in commands_for(role)]


def test_clients_have_nick_msg_list_help_and_quit() -> None:
    assert usages(Role.CLIENT) == [
        "/nick <name>",
        "/msg <recipient> <message>",
        "/list [word]",
        "/help",
        "/quit",
    ]


def test_the_operator_has_those_and_the_means_to_keep_order_but_no_nick() -> None:
    assert usages(Role.OPERATOR) == [
        "/msg <recipient> <message>",
        "/kick <recipient> [reason]",
        "/mute <recipient> [10m] [reason]",
        "/unmute <recipient>",
        "/ban <recipient|address|network> [2h] [reason] [--force]",
        "/unban <address|network>",
        "/bans",
        "/reload",
        "/list [word]",
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
def test_what_does_not_begin_with_one_slash_is_text(line: str, text: str) -> None:
    assert spoken(line) == text
    for role in Role:
        assert named_in(line, role) is None


@pytest.mark.parametrize(
    ("line", "role", "call"),
    [
        ("/nick Bob", Role.CLIENT, ("nick", "Bob")),
        ("/nick   Bob ", Role.CLIENT, ("nick", "Bob")),
        ("/nick Bob Smith", Role.CLIENT, ("nick", "Bob Smith")),
        ("/msg Bob hi", Role.CLIENT, ("message", "Bob", "hi")),
        ("/msg Bob hi", Role.OPERATOR, ("message", "Bob", "hi")),
        ("/msg   Bob   two  blanks ", Role.CLIENT, ("message", "Bob", "two  blanks ")),
        ("/msg Bob /quit", Role.CLIENT, ("message", "Bob", "/quit")),
        ("/msg 10.0.0.1|4001 hi", Role.CLIENT, ("message", "10.0.0.1|4001", "hi")),
        ("/kick Bob", Role.OPERATOR, ("kick", "Bob", "")),
        ("/kick  Bob  ", Role.OPERATOR, ("kick", "Bob", "")),
        ("/kick Bob said  it  too often ", Role.OPERATOR, ("kick", "Bob", "said  it  too often")),
        ("/mute Bob", Role.OPERATOR, ("mute", "Bob", None, "")),
        ("/mute  Bob  10m ", Role.OPERATOR, ("mute", "Bob", 600, "")),
        ("/mute Bob 10m said  it  too often ", Role.OPERATOR, ("mute", "Bob", 600, "said it too often")),
        ("/mute Bob insults", Role.OPERATOR, ("mute", "Bob", None, "insults")),
        ("/ban Bob 2h insults --force", Role.OPERATOR, ("ban", "Bob", 7200, "insults", True)),
        ("/unmute Bob ", Role.OPERATOR, ("unmute", "Bob")),
        ("/ban Bob", Role.OPERATOR, ("ban", "Bob", None, "", False)),
        ("/ban 192.0.2.0/24 2h", Role.OPERATOR, ("ban", "192.0.2.0/24", 7200, "", False)),
        ("/ban ::1 1d --force", Role.OPERATOR, ("ban", "::1", 86_400, "", True)),
        ("/ban --force ::1", Role.OPERATOR, ("ban", "::1", None, "", True)),
        ("/ban ::1 --force 1d", Role.OPERATOR, ("ban", "::1", 86_400, "", True)),
        ("/unban 192.0.2.7", Role.OPERATOR, ("unban", "192.0.2.7")),
        ("/bans", Role.OPERATOR, ("bans",)),
        ("/reload", Role.OPERATOR, ("reload",)),
        ("/list", Role.CLIENT, ("list",)),
        ("/list  ", Role.OPERATOR, ("list",)),
        ("/list  Bob ", Role.CLIENT, ("list", "Bob")),
        ("/list 10.0", Role.OPERATOR, ("list", "10.0")),
        ("/help", Role.CLIENT, ("help",)),
        ("/help", Role.OPERATOR, ("help",)),
        ("/quit", Role.CLIENT, ("quit",)),
        ("/quit", Role.OPERATOR, ("quit",)),
    ],
)
def test_a_command_is_done_with_its_arguments(line: str, role: Role, call: Call) -> None:
    assert run(line, role) == call


BEFORE = ["", " ", "  ", "\u3000", "\xa0", "\ufffd", " \ufffd\ufffd ", "\u0301", "\u1aff", "\ufff9"]
BEFORE += ["\U0001d159", " \u0301\u0300\ufffd"]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("slash", "/\uff0f")
@pytest.mark.parametrize("before", BEFORE, ids=ascii)
def test_a_command_behind_what_is_blank_broken_or_invisible_is_still_one(
    before: str, slash: str, role: Role
) -> None:
    assert run(f"{before}{slash}msg Bob  my secret ", role) == ("message", "Bob", "my secret ")
    assert run(f"{before}{slash}foo secret", role) == ("reply", "Unknown command /foo. Type /help.")
    assert run(f"{before}{slash}", role) == ("reply", "Unknown command /. Type /help.")
    assert spoken(f"{before}{slash}msg") is None
    assert spoken(f"{before}{slash}{slash}msg") == f"{slash}msg"


@pytest.mark.parametrize("line", ["/MSG Bob hi", "/Msg Bob hi", "/mSG Bob hi"])
def test_a_command_is_matched_without_regard_to_case(line: str) -> None:
    assert run(line, Role.CLIENT) == ("message", "Bob", "hi")


@pytest.mark.parametrize(
    ("line", "role", "usage"),
    [
        ("/nick", Role.CLIENT, "/nick <name>"),
        ("/nick  ", Role.CLIENT, "/nick <name>"),
        ("/msg", Role.CLIENT, "/msg <recipient> <message>"),
        ("/msg Bob", Role.CLIENT, "/msg <recipient> <message>"),
        ("/msg Bob  ", Role.OPERATOR, "/msg <recipient> <message>"),
        ("/kick", Role.OPERATOR, "/kick <recipient> [reason]"),
        ("/mute", Role.OPERATOR, "/mute <recipient> [10m] [reason]"),
        ("/mute Bob 10 minutes", Role.OPERATOR, "/mute <recipient> [10m] [reason]"),
        ("/unmute", Role.OPERATOR, "/unmute <recipient>"),
        ("/unmute Bob Ann", Role.OPERATOR, "/unmute <recipient>"),
        ("/ban", Role.OPERATOR, "/ban <recipient|address|network> [2h] [reason] [--force]"),
        ("/ban --force", Role.OPERATOR, "/ban <recipient|address|network> [2h] [reason] [--force]"),
        ("/ban Bob 2hours", Role.OPERATOR, "/ban <recipient|address|network> [2h] [reason] [--force]"),
        ("/unban", Role.OPERATOR, "/unban <address|network>"),
        ("/bans all", Role.OPERATOR, "/bans"),
        ("/reload now", Role.OPERATOR, "/reload"),
        ("/list two words", Role.CLIENT, "/list [word]"),
        ("/list two words", Role.OPERATOR, "/list [word]"),
        ("/help me", Role.CLIENT, "/help"),
        ("/quit now", Role.CLIENT, "/quit"),
        ("/quit now", Role.OPERATOR, "/quit"),
    ],
)
def test_missing_or_surplus_arguments_are_answered_with_the_usage(line: str, role: Role, usage: str) -> None:
    assert run(line, role) == ("reply", f"Usage: {usage}")


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
    assert run(line, role) == ("reply", f"Unknown command {word}. Type /help.")
    assert named_in(line, role) is None


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
    ("target", "seconds", "line"),
    [
        ("127.0.0.1", None, "/ban 127.0.0.1 --force"),
        ("Bob", 30, "/ban Bob 30s --force"),
        ("Bob", 90, "/ban Bob 90s --force"),
        ("Bob", 600, "/ban Bob 10m --force"),
        ("::1", 7200, "/ban ::1 2h --force"),
        ("::1", 86_400 * 3, "/ban ::1 3d --force"),
        ("::1", 86_400 * 7, "/ban ::1 1w --force"),
    ],
)
def test_a_forced_ban_is_a_line_that_bans_the_same(target: str, seconds: float | None, line: str) -> None:
    assert forced_ban(target, seconds) == line
    assert run(line, Role.OPERATOR) == ("ban", target, seconds, "", True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("hello Bob", "hello Bob"),
        ("//msg Bob hello", "/msg Bob hello"),
        ("/msg Bob hello  you ", "hello  you "),
        (" /MSG  Bob  hello", "hello"),
        ("/msg Bob", ""),
        ("/msg", ""),
        ("/kick Bob too loud", ""),
        ("/foo bar baz", ""),
        ("/", ""),
    ],
)
def test_the_words_of_a_line_are_those_that_it_says_to_somebody(line: str, words: str) -> None:
    assert message_in(line) == words


def test_the_commands_that_name_a_user_first_say_so() -> None:
    named = {command.word for command in COMMANDS if command.names_recipient}
    assert named == {"msg", "kick", "mute", "unmute", "ban"}


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("role", Role)
def test_help_is_made_of_the_commands_of_a_role(role: Role, encrypted: bool) -> None:
    rows = [(command.usage, command.help) for command in commands_for(role)]
    assert help_for(role, encrypted=encrypted) == help_lines(rows, encrypted=encrypted)


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
        ("/list", 1),
        ("/list ", 1),
        ("/list Bob", 3),
        (" /LIST Bob", 3),
        ("/list two words", 3),
        ("/foo", 1),
        ("/", 1),
    ],
)
def test_a_change_of_nickname_and_a_search_cost_their_author_as_much_as_three_lines(
    line: str, tokens: int
) -> None:
    assert cost_of(line) == tokens


@pytest.mark.parametrize(
    ("line", "searches"),
    [
        ("/list Bob", True),
        (" \uff0fLIST  Bob ", True),
        ("/list", False),
        ("/list ", False),
        ("/list two words", False),
        ("//list Bob", False),
        ("/nick Bob", False),
        ("/help Bob", False),
        ("/foo Bob", False),
        ("hello", False),
    ],
)
def test_a_search_is_a_list_with_one_word(line: str, searches: bool) -> None:
    assert is_search(line) is searches
    if searches:
        assert run(line, Role.CLIENT) == ("list", "Bob")


@given(st.text(" \ufffd\u0301\u3000\ufffa"), st.sampled_from("/\uff0f"), st.text())
def test_nothing_that_begins_with_a_slash_is_ever_said(before: str, slash: str, rest: str) -> None:
    said = spoken(before + slash + rest)
    assert said is None or (rest[:1] in ("/", "\uff0f") and said == rest)


@given(
    st.text(min_size=1) | st.text(" /nickmsglistbaufore-10\ufffd\uff0f", min_size=1),
    st.sampled_from(list(Role)),
)
def test_every_line_is_text_or_makes_its_issuer_do_one_thing(line: str, role: Role) -> None:
    if spoken(line) is None:
        assert run(line, role)
