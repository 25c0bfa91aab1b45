"""A line becomes what its author asks for. `COMMANDS` is the one table of the commands."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass

from .names import MAX_NAME_LENGTH
from .unicode_ranges import FORMATS, MARKS, MARKS_BEYOND


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
    """Disconnect those whom `recipient` names; `reason` is for the operator's log."""

    recipient: str
    reason: str


@dataclass(frozen=True, slots=True)
class Mute:
    """Let nothing be heard of those whom `recipient` names, for `seconds` or until they are unmuted."""

    recipient: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Unmute:
    """Let those be heard again whom `recipient` names."""

    recipient: str


@dataclass(frozen=True, slots=True)
class Ban:
    """Keep out who comes from `target` (a member, an address or a network) for `seconds`, or for good."""

    target: str
    seconds: float | None
    force: bool

    @property
    def forced(self) -> str:
        """The line that asks for it with force."""
        duration = "" if self.seconds is None else f" {_duration(self.seconds)}"
        return f"/ban {self.target}{duration} {FORCE}"


@dataclass(frozen=True, slots=True)
class Unban:
    """Lift the ban of `network`."""

    network: str


@dataclass(frozen=True, slots=True)
class ListBans:
    """Tell who is banned."""


@dataclass(frozen=True, slots=True)
class Reload:
    """Read the TLS certificate and the bans file again."""


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


Request = (
    Say
    | Nick
    | PrivateMessage
    | Kick
    | Mute
    | Unmute
    | Ban
    | Unban
    | ListBans
    | Reload
    | ListUsers
    | Help
    | Quit
    | WrongUsage
    | UnknownCommand
)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its word, its arguments as the usage shows them, who may use it, and its help line."""

    word: str
    arguments: str
    roles: Role
    help: str
    build: Callable[[str], Request | None]
    """Makes the request from what follows the word and its blanks; None if the arguments do not fit."""

    cost: int = 1
    """What it takes from its author's flood control; a line of text takes 1."""

    is_lengthy: bool = False
    """Whether its answer may be so long that its author is to read it before asking for the next."""

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
    recipient, reason = _split_word(rest)
    return Kick(recipient, reason.rstrip()) if recipient else None


def _mute(rest: str) -> Mute | None:
    recipient, *duration = rest.split() or [""]
    seconds = parse_duration(duration[0]) if len(duration) == 1 else None
    return Mute(recipient, seconds) if recipient and (seconds if duration else True) else None


def _ban(rest: str) -> Ban | None:
    words = rest.split()
    force = FORCE in words
    target, *duration = [word for word in words if word != FORCE] or [""]
    seconds = parse_duration(duration[0]) if len(duration) == 1 else None
    return Ban(target, seconds, force) if target and (seconds if duration else True) else None


def _one_word(request: Callable[[str], Request]) -> Callable[[str], Request | None]:
    return lambda rest: request(rest.strip()) if len(rest.split()) == 1 else None


def _plain(request: Request) -> Callable[[str], Request | None]:
    return lambda rest: None if rest else request


FORCE = "--force"
"""The word that bans a loopback address all the same."""

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdw])", re.ASCII | re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_duration(text: str) -> int | None:
    """The seconds of a duration such as `30s`, `10m`, `2h`, `1d` or `1w`; None if `text` is not one."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _SECONDS[match[2].lower()] if match else None


def _duration(seconds: float) -> str:
    """The shortest text of which `parse_duration` makes `seconds`."""
    unit, size = [(unit, size) for unit, size in _SECONDS.items() if not seconds % size][-1]
    return f"{round(seconds / size)}{unit}"


_BOTH = Role.CLIENT | Role.OPERATOR

COMMANDS = (
    Command(
        "nick", "<name>", Role.CLIENT, f"take a name: 1-{MAX_NAME_LENGTH} of A-Z a-z 0-9 _ - .", _nick, 3
    ),
    Command("msg", "<recipient> <message>", _BOTH, "say something to one user alone", _private_message),
    Command("kick", "<recipient> [reason]", Role.OPERATOR, "disconnect a user; the reason is logged", _kick),
    Command("mute", "<recipient> [10m]", Role.OPERATOR, "let a user's lines go nowhere, for a time", _mute),
    Command("unmute", "<recipient>", Role.OPERATOR, "let a user be heard again", _one_word(Unmute)),
    Command(
        "ban",
        f"<recipient|address|network> [2h] [{FORCE}]",
        Role.OPERATOR,
        f"keep an address out, for a time; {FORCE} for loopback",
        _ban,
    ),
    Command("unban", "<address|network>", Role.OPERATOR, "lift a ban", _one_word(Unban)),
    Command("bans", "", Role.OPERATOR, "show who is banned", _plain(ListBans())),
    Command(
        "reload", "", Role.OPERATOR, "read the TLS certificate and the bans file again", _plain(Reload())
    ),
    Command("list", "", _BOTH, "show who is here", _plain(ListUsers()), is_lengthy=True),
    Command("help", "", _BOTH, "show the commands", _plain(Help())),
    Command("quit", "", Role.CLIENT, "leave", _plain(Quit())),
    Command("quit", "", Role.OPERATOR, "say goodbye to everybody and end the server", _plain(Quit())),
)
"""The commands, in the order in which help shows them."""


def commands_for(role: Role) -> list[Command]:
    """The commands that `role` may use, in the order of `COMMANDS`."""
    return [command for command in COMMANDS if role in command.roles]


_BY_WORD = {role: {command.word: command for command in commands_for(role)} for role in Role}


def spoken(line: str) -> str | None:
    """What a cleaned, non-blank `line` says to everybody; None if it is a command.

    What is blank, broken or cannot be seen before the slash changes nothing, and a full-width slash is one
    too: nothing that was meant as a command is ever said.
    """
    if line[:1].isalnum():
        return line
    found = _slashed(line)
    if not found:
        return line
    return line[found.end() - 1 :] if found[1] else None


def parse(line: str, role: Role) -> Request:
    """Return what a cleaned, non-blank `line` asks for when `role` has typed it. Never raises."""
    text = spoken(line)
    if text is not None:
        return Say(text)
    word, rest = _words_of(line)
    command = _BY_WORD[role].get(word.lower())
    if command is None:
        return UnknownCommand("/" + word)
    return command.build(rest) or WrongUsage(command)


def named_in(line: str, role: Role) -> Command | None:
    """The command that `line` is, for `role`; None for text, and for a command that there is not."""
    return None if spoken(line) is not None else _BY_WORD[role].get(_words_of(line)[0].lower())


def _words_of(line: str) -> tuple[str, str]:
    """The word of a command, without its slash, and what follows its blanks."""
    found = _slashed(line)
    assert found is not None  # it is a command
    return _split_word(line[found.end() :])


# Blanks, U+FFFD, and what is as good as nothing to the eye: marks, format characters, a note without a head.
_slashed = re.compile(f"[\\s\ufffd\U0001d159{MARKS}{MARKS_BEYOND}{FORMATS}]*+[/\uff0f]([/\uff0f])?").match

_WORD = re.compile(r"(\S*)\s*(.*)", re.DOTALL)


def _split_word(text: str) -> tuple[str, str]:
    """Split `text` at its first run of blanks; what follows stays as it is."""
    match = _WORD.match(text)
    assert match is not None  # both parts may be empty
    return match[1], match[2]
