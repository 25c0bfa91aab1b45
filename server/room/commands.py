"""Commands: `COMMANDS` is the one table of them, each with its handlers."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from . import notices
from .issuers import ClientIssuer, Issuer, OperatorIssuer
from .names import MAX_NAME_LENGTH
from .unicode_ranges import FORMATS, MARKS, MARKS_BEYOND


class Role(enum.Flag):
    """Who may issue a command."""

    CLIENT = enum.auto()
    OPERATOR = enum.auto()


By = TypeVar("By", bound=Issuer)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its word, its arguments as the usage shows them, and its help line.

    A handler gets the issuer and the text after the word and its blanks. If the arguments do not fit, it
    does nothing and returns False.
    """

    word: str
    arguments: str
    help: str
    client: Callable[[ClientIssuer, str], bool] | None = None
    """Its handler for members; None if they may not use it."""

    operator: Callable[[OperatorIssuer, str], bool] | None = None
    """Its handler for operators; None if they may not use it."""

    names_recipient: bool = False
    """Whether its first argument names a user."""

    cost: int = 1
    """How many lines it counts as in its author's flood control; a line of text counts as 1."""

    cost_with_arguments: int | None = None
    """The same if it has arguments; None = no other."""

    is_lengthy: bool = False
    """Whether its answer may be so long that its author has to read it before the next command runs."""

    @property
    def usage(self) -> str:
        """The command as it is typed, with its arguments."""
        return f"/{self.word} {self.arguments}".rstrip()

    def cost_of(self, arguments: str) -> int:
        """How many lines it counts as with these arguments."""
        if arguments and self.cost_with_arguments is not None:
            return self.cost_with_arguments
        return self.cost

    @property
    def roles(self) -> Role:
        """Who may use it."""
        return (Role.CLIENT if self.client else Role(0)) | (Role.OPERATOR if self.operator else Role(0))


def _nick(issuer: ClientIssuer, rest: str) -> bool:
    # Several words are one invalid name: the answer to that says what a valid one is.
    if rest:
        issuer.nick(rest.strip())
    return bool(rest)


def _message(issuer: Issuer, rest: str) -> bool:
    recipient, text = _split_word(rest)
    if text:
        issuer.message(recipient, text)
    return bool(text)


def _list(issuer: Issuer, rest: str) -> bool:
    words = rest.split()
    if len(words) <= 1:
        issuer.list_users(*words)
    return len(words) <= 1


def _kick(issuer: OperatorIssuer, rest: str) -> bool:
    recipient, remark = _split_word(rest)
    if recipient:
        issuer.kick(recipient, remark.rstrip())
    return bool(recipient)


def _mute(issuer: OperatorIssuer, rest: str) -> bool:
    found = _target_duration_remark(rest.split())
    if found:
        issuer.mute(*found)
    return found is not None


def _ban(issuer: OperatorIssuer, rest: str) -> bool:
    words = rest.split()
    found = _target_duration_remark([word for word in words if word != FORCE])
    if found:
        issuer.ask_to_ban(*found, force=FORCE in words)
    return found is not None


def _bare(action: Callable[[By], object]) -> Callable[[By, str], bool]:
    """A handler for a command without arguments."""

    def handle(issuer: By, rest: str) -> bool:
        if not rest:
            action(issuer)
        return not rest

    return handle


def _one_word(action: Callable[[By, str], object]) -> Callable[[By, str], bool]:
    """A handler for a command with exactly one argument."""

    def handle(issuer: By, rest: str) -> bool:
        words = rest.split()
        if len(words) == 1:
            action(issuer, words[0])
        return len(words) == 1

    return handle


def _target_duration_remark(words: list[str]) -> tuple[str, float | None, str] | None:
    match words:
        case [target, duration, *remark] if seconds := parse_duration(duration):
            return target, seconds, " ".join(remark)
        case [_, mistyped, *_] if mistyped[0].isdigit():
            return None  # as a remark, a mistyped time would mean for ever
        case [target, *remark]:
            return target, None, " ".join(remark)
        case _:
            return None


FORCE = "--force"
"""The word that bans a loopback address anyway."""

_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdw])", re.ASCII | re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_duration(text: str) -> int | None:
    """The seconds of a duration such as `30s`, `10m`, `2h`, `1d` or `1w`; None if `text` is not one."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _SECONDS[match[2].lower()] if match else None


def forced_ban(target: str, seconds: float | None) -> str:
    """The command line that bans `target` even if it is a loopback address."""
    if seconds is None:
        return f"/ban {target} {FORCE}"
    unit, size = [(unit, size) for unit, size in _SECONDS.items() if not seconds % size][-1]
    return f"/ban {target} {round(seconds / size)}{unit} {FORCE}"


COMMANDS = (
    Command(
        "nick", "<name>", f"take a nickname: 1-{MAX_NAME_LENGTH} of A-Z a-z 0-9 _ - .", client=_nick, cost=3
    ),
    Command(
        "msg",
        "<recipient> <message>",
        "send a private message",
        client=_message,
        operator=_message,
        names_recipient=True,
    ),
    Command(
        "kick",
        "<recipient> [reason]",
        "disconnect a user; the reason is logged",
        operator=_kick,
        names_recipient=True,
    ),
    Command(
        "mute",
        "<recipient> [10m] [reason]",
        "mute a user, optionally for a time; the reason is logged",
        operator=_mute,
        names_recipient=True,
    ),
    Command(
        "unmute",
        "<recipient>",
        "unmute a user",
        operator=_one_word(lambda operator, target: operator.unmute(target)),
        names_recipient=True,
    ),
    Command(
        "ban",
        f"<recipient|address|network> [2h] [reason] [{FORCE}]",
        f"ban an address or network, optionally for a time; {FORCE} for loopback",
        operator=_ban,
        names_recipient=True,
    ),
    Command(
        "unban",
        "<address|network>",
        "lift a ban",
        operator=_one_word(lambda operator, network: operator.unban(network)),
    ),
    Command("bans", "", "show who is banned", operator=_bare(lambda operator: operator.list_bans())),
    Command(
        "reload",
        "",
        "reload the TLS certificate and the bans file",
        operator=_bare(lambda operator: operator.reload()),
    ),
    Command(
        "list",
        "[word]",
        "show who is here, or only names with a word",
        client=_list,
        operator=_list,
        cost_with_arguments=3,
        is_lengthy=True,
    ),
    Command(
        "help",
        "",
        "show the commands",
        client=_bare(lambda client: client.help()),
        operator=_bare(lambda operator: operator.help()),
    ),
    Command("quit", "", "leave", client=_bare(lambda client: client.quit())),
    Command("quit", "", "stop the server", operator=_bare(lambda operator: operator.quit())),
)
"""The commands, in the order of `/help`."""


def commands_for(role: Role) -> list[Command]:
    """The commands that `role` may use, in the order of `COMMANDS`."""
    return [command for command in COMMANDS if role in command.roles]


def help_for(role: Role, *, encrypted: bool, recorded: str = "") -> str:
    """The help for the commands that `role` may use, one per line, and what else to know about the chat."""
    rows = [(one.usage, one.help) for one in commands_for(role)]
    return notices.help_lines(rows, encrypted=encrypted, recorded=recorded)


_BY_WORD = {role: {command.word: command for command in commands_for(role)} for role in Role}


def _dispatcher(
    handler: Callable[[Command], Callable[[By, str], bool] | None],
) -> Callable[[str, By], None]:
    """A function that runs the command in a line for one role; `handler` picks a command's handler for it."""
    handlers = {command.word: (command, found) for command in COMMANDS if (found := handler(command))}

    def run(line: str, issuer: By) -> None:
        word, rest = _words_of(line)
        command, handle = handlers.get(word.lower(), (None, None))
        if command is None or handle is None:
            issuer.refuse(notices.unknown_command(f"/{word}"))
        elif not handle(issuer, rest):
            issuer.refuse(notices.usage(command.usage))

    return run


def spoken(line: str) -> str | None:
    """The text that a cleaned, non-blank `line` says to everybody; None if it is a command.

    Anything blank, broken or invisible before the slash is ignored, and a full-width slash counts as a slash,
    so that nothing meant as a command is ever said to the room.
    """
    if line[:1].isalnum():
        return line
    found = _slashed(line)
    if not found:
        return line
    return line[found.end() - 1 :] if found[1] else None


def named_in(line: str, role: Role) -> Command | None:
    """The command that `line` is, for `role`; None for text, and for a command that does not exist."""
    if spoken(line) is not None:
        return None
    return _BY_WORD[role].get(_words_of(line)[0].lower())


def cost_of(line: str) -> int:
    """How many lines a member's `line` counts as in its flood control."""
    command = named_in(line, Role.CLIENT)
    return 1 if command is None else command.cost_of(_words_of(line)[1])


def is_search(line: str) -> bool:
    """Whether a member's `line` is a command whose answer takes a while: `/list` with a word."""
    command = named_in(line, Role.CLIENT)
    return command is not None and command.client is _list and len(_words_of(line)[1].split()) == 1


def message_in(line: str) -> str:
    """The text that an operator's `line` says to anybody; empty for a command that says nothing."""
    text = spoken(line)
    if text is None:
        word, rest = _words_of(line)
        text = _split_word(rest)[1] if word.lower() == "msg" else ""
    return text


def _words_of(line: str) -> tuple[str, str]:
    """The word of a command, without its slash, and what follows the blanks after it."""
    found = _slashed(line)
    assert found is not None  # the line is a command
    return _split_word(line[found.end() :])


# Blanks, U+FFFD, and what is all but invisible: marks, format characters, a note without a head.
_slashed = re.compile(f"[\\s\ufffd\U0001d159{MARKS}{MARKS_BEYOND}{FORMATS}]*+[/\uff0f]([/\uff0f])?").match

_WORD = re.compile(r"(\S*)\s*(.*)", re.DOTALL)


def _split_word(text: str) -> tuple[str, str]:
    """Split `text` at its first run of blanks; what follows is kept as it is."""
    match = _WORD.match(text)
    assert match is not None  # both parts may be empty
    return match[1], match[2]


run_for_client = _dispatcher(lambda command: command.client)
"""Runs the command in a member's `line`. Nothing that can be typed makes it raise."""

run_for_operator = _dispatcher(lambda command: command.operator)
"""Runs the command in an operator's `line`. Nothing that can be typed makes it raise."""
