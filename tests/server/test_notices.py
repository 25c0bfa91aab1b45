"""Every sentence that the server sends, letter for letter."""

from __future__ import annotations

import pytest

from chat_console.server import notices
from chat_console.server.commands import COMMANDS, Role


@pytest.mark.parametrize(
    ("notice", "sentence"),
    [
        (notices.server_started(12345), "Server started on port 12345"),
        (notices.welcome("127.0.0.1|41050"), "Welcome 127.0.0.1|41050 to the server!"),
        (notices.you_are_now("Malcolm"), "You are now Malcolm"),
        (notices.is_now("127.0.0.1|41050", "Malcolm"), "127.0.0.1|41050 is now Malcolm"),
        (notices.said("Malcolm", ["Hello"]), "Malcolm: Hello"),
        (notices.said("Malcolm", ["one", "two"]), "Malcolm: one\nMalcolm: two"),
        (notices.said(notices.OPERATOR, ["Hello users!"]), "Operator: Hello users!"),
        (notices.private("Jimmy", "Hey, how's it going?"), "Jimmy(private): Hey, how's it going? "),
        (notices.operator_private("You're my favorite <3"), "Operator (private): You're my favorite <3 "),
        (notices.message_sent(1, "Malcolm"), "Message sent to 1 users of name Malcolm"),
        (notices.listed("127.0.0.1|41050", "Malcolm"), "127.0.0.1|41050 as Malcolm"),
        (notices.no_other_users(), "No other users connected"),
        (notices.no_users(), "No users connected"),
        (notices.has_left("Malcolm"), "Malcolm has left the server."),
        (notices.you_have_left(), "You have left the server"),
        (notices.kicked(1), "Kicked 1 people."),
        (notices.shutting_down(), "Server is shutting down"),
        (notices.invalid_nickname(), "Invalid nickname: use 1-20 letters, digits, _ - ."),
        (notices.reserved_nickname("Root"), "Nickname Root is reserved"),
        (notices.nickname_in_use("Bob"), "Nickname Bob is already in use"),
        (notices.too_long(2048), "Message too long (max 2048 bytes)"),
        (notices.usage(COMMANDS[1]), "Usage: /msg <recipient> <message>"),
        (notices.unknown_command("/foo"), "Unknown command /foo. Type /help."),
    ],
    ids=lambda value: "" if value.startswith(("\n", " ")) else value,
)
def test_the_wording_is_the_wire_contract(notice: str, sentence: str) -> None:
    assert notice == sentence


def test_the_help_of_a_client() -> None:
    assert notices.help_lines(Role.CLIENT).split("\n") == [
        "/nick <name>                take a name: 1-20 letters, digits, _ - .",
        "/msg <recipient> <message>  say something to one user alone",
        "/list                       show who is here",
        "/help                       show the commands",
        "/quit                       leave",
        "text                        say something to everybody; //text says /text",
        "Nothing on the wire is encrypted: whoever is on the way can read it.",
    ]


def test_the_help_of_the_operator() -> None:
    assert notices.help_lines(Role.OPERATOR).split("\n") == [
        "/msg <recipient> <message>  say something to one user alone",
        "/kick <recipient>           disconnect a user",
        "/list                       show who is here",
        "/help                       show the commands",
        "/quit                       say goodbye to everybody and end the server",
        "text                        say something to everybody; //text says /text",
        "Nothing on the wire is encrypted: whoever is on the way can read it.",
    ]


def test_the_warning_of_a_public_port_is_one_plain_sentence() -> None:
    assert notices.public_warning() == (
        "Anyone who can reach this port can join, and nothing on the wire is encrypted."
    )
