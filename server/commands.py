"""A line becomes what its author asks for. `COMMANDS` is the one table of the commands."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass

from .text import MAX_NAME_LENGTH


class Role(enum.Flag):
    """Who issues a command."""

    CLIENT = enum.auto()
    OPERATOR = enum.auto()


@dataclass(frozen=True, slots=True)
class Say:
    """Text for everybody."""

    text: str


@dataclass(frozen=True, slots=True)
class Nick:
    """Take a nickname, which may not be a valid one."""

    name: str


@dataclass(frozen=True, slots=True)
class PrivateMessage:
    """Text for those whom `recipient` names."""

    recipient: str
    text: str


@dataclass(frozen=True, slots=True)
class Kick:
    """Disconnect those whom `recipient` names."""

    recipient: str


@dataclass(frozen=True, slots=True)
class ListUsers:
    """Tell who is here."""


@dataclass(frozen=True, slots=True)
class Help:
    """Tell which commands there are."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave; from the operator: end the server."""


@dataclass(frozen=True, slots=True)
class WrongUsage:
    """A known command with missing or surplus arguments."""

    command: Command


@dataclass(frozen=True, slots=True)
class UnknownCommand:
    """A command that does not exist, or not for its issuer; `word` is as typed, with its slash."""

    word: str


Request = Say | Nick | PrivateMessage | Kick | ListUsers | Help | Quit | WrongUsage | UnknownCommand


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its word, its arguments as the usage shows them, who may use it, and its help line."""

    word: str
    arguments: str
    roles: Role
    help: str
    build: Callable[[str], Request | None]
    """Makes the request from what follows the word and its blanks; None if the arguments do not fit."""

    @property
    def usage(self) -> str:
        """The command as it is typed."""
        return f"/{self.word} {self.arguments}".rstrip()


def _nick(rest: str) -> Nick | None:
    # Several words are one bad name, and the answer to that says what a good one is.
    return Nick(rest.strip()) if rest else None


def _private_message(rest: str) -> PrivateMessage | None:
    recipient, text = _split_word(rest)
    return PrivateMessage(recipient, text) if text else None


def _kick(rest: str) -> Kick | None:
    words = rest.split()
    return Kick(words[0]) if len(words) == 1 else None


def _plain(request: Request) -> Callable[[str], Request | None]:
    return lambda rest: None if rest else request


_BOTH = Role.CLIENT | Role.OPERATOR

COMMANDS = (
    Command("nick", "<name>", Role.CLIENT, f"take a name: 1-{MAX_NAME_LENGTH} letters, digits, _ - .", _nick),
    Command("msg", "<recipient> <message>", _BOTH, "say something to one user alone", _private_message),
    Command("kick", "<recipient>", Role.OPERATOR, "disconnect a user", _kick),
    Command("list", "", _BOTH, "show who is here", _plain(ListUsers())),
    Command("help", "", _BOTH, "show the commands", _plain(Help())),
    Command("quit", "", Role.CLIENT, "leave", _plain(Quit())),
    Command("quit", "", Role.OPERATOR, "say goodbye to everybody and end the server", _plain(Quit())),
)
"""The commands, in the order in which help shows them."""


def commands_for(role: Role) -> list[Command]:
    """The commands that `role` may use, in the order of `COMMANDS`."""
    return [command for command in COMMANDS if role in command.roles]


_BY_WORD = {role: {command.word: command for command in commands_for(role)} for role in Role}


def parse(line: str, role: Role) -> Request:
    """Return what a cleaned, non-blank `line` asks for when `role` has typed it. Never raises."""
    if not line.startswith("/"):
        return Say(line)
    if line.startswith("//"):
        return Say(line[1:])
    word, rest = _split_word(line[1:])
    command = _BY_WORD[role].get(word.lower())
    if command is None:
        return UnknownCommand("/" + word)
    return command.build(rest) or WrongUsage(command)


_WORD = re.compile(r"(\S*)\s*(.*)", re.DOTALL)


def _split_word(text: str) -> tuple[str, str]:
    """Split `text` at its first run of blanks; what follows stays as it is."""
    match = _WORD.match(text)
    assert match is not None  # both parts may be empty
    return match[1], match[2]
