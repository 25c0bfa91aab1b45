"""Every sentence that the server sends, as functions of their values. No other file holds wording.

The wording, trailing blanks and missing full stops included, is the wire contract: whoever knows the
protocol recognises every line. A name is a member's current name, `{ip}|{port}` until its first nickname.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .commands import Command, Role, commands_for
from .text import MAX_NAME_LENGTH

OPERATOR = "Operator"
"""The operator's name, in what it says and as a recipient."""


def server_started(port: int) -> str:
    return f"Server started on port {port}"


def public_warning() -> str:
    return "Anyone who can reach this port can join, and nothing on the wire is encrypted."


def welcome(address: str) -> str:
    return f"Welcome {address} to the server!"


def you_are_now(name: str) -> str:
    return f"You are now {name}"


def is_now(old: str, new: str) -> str:
    return f"{old} is now {new}"


def said(name: str, texts: Sequence[str]) -> str:
    """Several texts of one sender, a line each."""
    prefix = f"{name}: "
    return prefix + f"\n{prefix}".join(texts)


def private(name: str, text: str) -> str:
    """A private line from a client; it ends in a blank."""
    return f"{name}(private): {text} "


def operator_private(text: str) -> str:
    """A private line from the operator; unlike a client's it has a blank before the bracket."""
    return f"{OPERATOR} (private): {text} "


def message_sent(count: int, recipient: str) -> str:
    return f"Message sent to {count} users of name {recipient}"


def listed(address: str, name: str) -> str:
    return f"{address} as {name}"


def no_other_users() -> str:
    return "No other users connected"


def no_users() -> str:
    return "No users connected"


def has_left(name: str) -> str:
    return f"{name} has left the server."


def you_have_left() -> str:
    return "You have left the server"


def kicked(count: int) -> str:
    return f"Kicked {count} people."


def shutting_down() -> str:
    return "Server is shutting down"


def invalid_nickname() -> str:
    return f"Invalid nickname: use 1-{MAX_NAME_LENGTH} letters, digits, _ - ."


def reserved_nickname(name: str) -> str:
    return f"Nickname {name} is reserved"


def nickname_in_use(name: str) -> str:
    return f"Nickname {name} is already in use"


def too_long(limit: int) -> str:
    return f"Message too long (max {limit} bytes)"


def usage(command: Command) -> str:
    return f"Usage: {command.usage}"


def unknown_command(word: str) -> str:
    return f"Unknown command {word}. Type /help."


def help_lines(role: Role) -> str:
    """The commands of `role`, a line each, and what everybody should know of the wire."""
    commands = commands_for(role)
    width = max(len(command.usage) for command in commands)
    return _lines(
        [
            *(f"{command.usage:{width}}  {command.help}" for command in commands),
            f"{'text':{width}}  say something to everybody; //text says /text",
            "Nothing on the wire is encrypted: whoever is on the way can read it.",
        ]
    )


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)
