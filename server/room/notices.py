"""Every sentence that the server sends, as functions of their values.

What they quote stands with what it tells of: what a command does in the table of commands, why somebody left
in `LeaveReason`, and what is wrong in the error that says so.

The wording, trailing blanks and missing full stops included, is the wire contract: whoever knows the
protocol recognises every line. A name is a member's current name, `{ip}|{port}` until its first nickname.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..addresses import Network
from .commands import Command, Request, Role, UnknownCommand, WrongUsage, commands_for
from .names import MAX_NAME_LENGTH

if TYPE_CHECKING:
    from ..gate.bans import Ban

OPERATOR = "Operator"
"""The operator's name, in what it says and as a recipient."""


def server_started(port: int) -> str:
    return f"Server started on port {port}"


def public_warning(*, encrypted: bool) -> str:
    wire = "" if encrypted else ", and nothing on the wire is encrypted"
    return f"Anyone who can reach this port can join{wire}."


def join_with(address: str, port: int, *, encrypted: bool) -> str:
    """How people reach one of the server's addresses."""
    return f"People join with: {'ncat --ssl' if encrypted else 'nc'} {address} {port}"


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


def muted() -> str:
    return "You are muted"


def no_longer_muted() -> str:
    return "You are no longer muted"


def is_muted(name: str, seconds: float | None = None) -> str:
    return f"{name} is muted" if seconds is None else f"{name} is muted {_span(seconds)}"


def is_heard(name: str) -> str:
    return f"{name} is no longer muted"


def muted_count(count: int) -> str:
    return f"Muted {count} people."


def unmuted_count(count: int) -> str:
    return f"Unmuted {count} people."


def server_full() -> str:
    return "Server is full"


def too_many_connections() -> str:
    return "Too many connections from your address"


def banned() -> str:
    return "You are banned from this server"


def ban_added(networks: Sequence[Network], seconds: float | None) -> str:
    return f"Banned {_some_networks(networks)} {_span(seconds)}."


def ban_lifted(network: str) -> str:
    return f"Lifted the ban of {network}."


def bans_listed(bans: Sequence[Ban]) -> str:
    """A line for each of `bans`."""
    return _lines(f"{ban.network.shown} {_span(ban.seconds)}" for ban in bans) or "Nobody is banned"


def no_such_ban(network: str) -> str:
    return f"There is no ban of {network}. Type /bans."


def not_an_address(target: str) -> str:
    return f"{target} is nobody here, no IP address and no network such as 192.0.2.0/24"


def ban_asked(networks: Sequence[Network], names: Sequence[str]) -> str:
    """What a ban would do to those who are here; typing it again does it."""
    return f"A ban of {_some_networks(networks)} drops {_some(names)}. Repeat the command to do it."


def ban_question(network: Network, names: Sequence[str]) -> str:
    """What the console asks before it bans everybody from `network`."""
    return f"Ban {network.shown}? This drops {_some(names)}."


def _some_networks(networks: Sequence[Network]) -> str:
    return _some([network.shown for network in networks[:5]], len(networks))


def _some(names: Sequence[str], count: int = 0) -> str:
    """The first five of `names`, and how many more there are of `count`, or of them."""
    more = max(count, len(names)) - 5
    return ", ".join(names[:5]) + (f" and {more:,} more" if more > 0 else "")


def ban_of_loopback(network: str, command: str) -> str:
    """What is told instead of a ban that hits this machine; `command` does it all the same."""
    return f"{network} is this machine itself; to ban it all the same type: {command}"


def bans_not_written(why: str) -> str:
    return f"The bans file could not be written ({why}): this holds only until the server ends."


def bans_reloaded(bans: int, dropped: int) -> str:
    hit = f" Dropped {dropped} people." if dropped else ""
    return f"The bans file was read again: {bans} bans are in force.{hit}"


def bans_not_read(why: str) -> str:
    return f"The bans stay as they were: {why}"


def nothing_to_reload() -> str:
    return "There is nothing to read again: no TLS certificate and no bans file."


def certificate_reloaded() -> str:
    return "The TLS certificate was read again: new connections get it."


def no_certificate() -> str:
    return "This server does not use TLS: there is no certificate to read."


def certificate_refused(why: str) -> str:
    return f"The TLS certificate stays as it was: {why}"


def refused(count: int, why: str, host: str) -> str:
    """What the operator hears, once a minute at most, of connections that were turned away."""
    return f"Refused {count} connections, the last from {host}: {why}"


def was_dropped(name: str, why: str) -> str:
    return f"{name} was dropped: {why}"


def no_handshake() -> str:
    return "no TLS handshake"


def lines_dropped(count: int) -> str:
    """What its rate did not allow a client to say in time after its end."""
    return f"{count} lines above its rate dropped"


def left(name: str, why: str, remark: str) -> str:
    """Why somebody has left, and what the operator gave as the reason."""
    return f"{name} left: {why}" + (f" ({remark})" if remark else "")


def failed(where: str, error: str) -> str:
    return f"Error while serving {where}: {error}"


def nobody_reads() -> str:
    return "nobody read them"


def not_printed(count: int, why: str) -> str:
    return f"{count} lines were not printed: {why}"


def cannot_print(why: str) -> str:
    return f"cannot print any more: {why}"


def cannot_print_for_now(why: str) -> str:
    return f"cannot print for now: {why}"


def _span(seconds: float | None) -> str:
    """A time to come, in the largest unit that leaves no more than a rounding."""
    if seconds is None:
        return "until unbanned"
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size or (seconds >= size and round(seconds) % size == 0):
            return f"for {round(seconds / size)}{unit}"
    return f"for {max(1, round(seconds))}s"


def shutting_down() -> str:
    return "Server is shutting down"


def invalid_nickname() -> str:
    return f"Invalid nickname: use 1-{MAX_NAME_LENGTH} of A-Z a-z 0-9 _ - ."


def reserved_nickname(name: str) -> str:
    return f"Nickname {name} is reserved"


def nickname_in_use(name: str) -> str:
    return f"Nickname {name} is already in use"


def too_long(limit: int) -> str:
    return f"Message too long (max {limit} bytes)"


def nothing_left() -> str:
    """The answer to a line of which cleaning has left nothing."""
    return "Nothing of that line could be shown"


def usage(command: Command) -> str:
    return f"Usage: {command.usage}"


def unknown_command(word: str) -> str:
    return f"Unknown command {word}. Type /help."


def help_lines(role: Role, *, encrypted: bool) -> str:
    """The commands of `role`, a line each, and what everybody should know of a wire without TLS."""
    commands = commands_for(role)
    width = max(len(command.usage) for command in commands)
    return _lines(
        [
            *(f"{command.usage:{width}}  {command.help}" for command in commands),
            f"{'text':{width}}  say something to everybody; //text says /text",
            *([] if encrypted else ["Nothing on the wire is encrypted: whoever is on the way can read it."]),
        ]
    )


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def complaint(request: Request) -> str:
    """The answer to a line that cannot be done: a wrong usage, or an unknown command."""
    if isinstance(request, WrongUsage):
        return usage(request.command)
    assert isinstance(request, UnknownCommand), request
    return unknown_command(request.word)
