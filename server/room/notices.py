"""Every sentence that the server sends, as functions of its values; `told` maps events to them.

What the sentences quote is defined with its subject: help texts in the table of commands, why somebody left
in `LeaveReason`, and what is wrong in the exception that reports it.

The wording, down to trailing blanks and missing full stops, is the wire contract: whoever knows the protocol
recognises every line. A name is a member's current name, `{ip}|{port}` until its first nickname.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..addresses import Address, Endpoint, Network
from ..settings import Settings
from .names import MAX_NAME_LENGTH

OPERATOR = "Operator"
"""The operator's name, as a sender and as a recipient."""


def server_started(port: int) -> str:
    return f"Server started on port {port}"


def listens(port: int) -> str:
    """The same for the operator's log."""
    return f"The server listens on port {port}"


def public_warning(*, encrypted: bool) -> str:
    wire = "" if encrypted else ", and nothing on the wire is encrypted"
    return f"Anyone who can reach this port can join{wire}."


def link_warning() -> str:
    return "Nothing between the nodes is encrypted: use a tls:// URL with --cluster."


def join_with(endpoint: Endpoint, *, encrypted: bool) -> str:
    """How to connect to one of the server's endpoints."""
    return f"People join with: {join_command(endpoint, encrypted=encrypted)}"


def join_command(endpoint: Endpoint, *, encrypted: bool) -> str:
    """The command that connects to one of the server's endpoints."""
    return f"{'ncat --ssl' if encrypted else 'nc'} {endpoint.host} {endpoint.port}"


def welcome(address: Address) -> str:
    return f"Welcome {address} to the server!"


def has_joined(name: str) -> str:
    """The same for the operator's log."""
    return f"{name} joined"


def you_are_now(name: str) -> str:
    return f"You are now {name}"


def is_now(old: str, new: str) -> str:
    return f"{old} is now {new}"


def said(name: str, texts: Sequence[str]) -> str:
    """One sender's texts, one per line."""
    prefix = f"{name}: "
    return prefix + f"\n{prefix}".join(texts)


def replayed(when: str, name: str, text: str) -> str:
    """What was said before its recipient joined. No name begins with a bracket, so nobody can say one."""
    return f"[{when}] {said(name, (text,))}"


def private(name: str, text: str) -> str:
    """A private line from a member; it ends in a blank."""
    return f"{name}(private): {text} "


def operator_private(name: str, text: str) -> str:
    """A private line from an operator; unlike a member's, it has a blank before the bracket."""
    return f"{name} (private): {text} "


def operator_at(name: str, node: str) -> str:
    """An operator of another node, for the operator's log."""
    return f"{name} ({node})"


def message_to(recipient: str, node: str) -> str:
    """Whom an operator, who may be one of another node, has written to; for the operator's log."""
    return f"{node} to {recipient}" if node else f"to {recipient}"


def message_sent(count: int, recipient: str) -> str:
    return f"Message sent to {count} users of name {recipient}"


def listed(users: Iterable[tuple[str, str]]) -> str:
    """Each member's address and name, one per line."""
    return _lines([f"{address} as {name}" for address, name in users])


def listed_in_part(users: Iterable[tuple[str, str]], others: int) -> str:
    """The first of so many that they are not all listed, and how many more there are."""
    return f"{listed(users)}\n… and {others:,} others. Type /list WORD for names with WORD."


def more_with(count: int, word: str) -> str:
    """How many more there are than were listed of those with `word` in their name or address."""
    return f"… and {count:,} others with {word}."


def nobody_with(word: str, *, others: bool) -> str:
    """Nobody has `word` in the name or address; with `others`, nobody else."""
    return f"No {'other ' * others}users with {word}"


def no_other_users() -> str:
    return "No other users connected"


def no_users() -> str:
    return "No users connected"


def has_left(name: str) -> str:
    return f"{name} has left the server."


def came_and_went(joined: int, left: int, here: int) -> str:
    """Stands for a minute's notices of those who joined and left."""
    return f"{joined:,} users joined and {left:,} left; {here:,} are here."


def you_have_left() -> str:
    return "You have left the server"


def kicked(count: int) -> str:
    return f"Kicked {count} people."


def nobody_called(target: str, similar: str | None) -> str:
    """The name that a command named is nobody's; `similar` is somebody's."""
    return f"nobody here is called {target}" + (f" ({similar}?)" if similar else "")


def already_left() -> str:
    return "this user has already left"


def was_sent(names: str) -> str:
    return f"sent to {names}"


def was_kicked(names: str) -> str:
    return f"{names} was kicked"


def was_not_muted(names: str) -> str:
    return f"{names} was not muted"


def silenced(name: str, texts: Sequence[str]) -> str:
    """What a muted member said, one text per line."""
    prefix = f"{name}, who is muted, said: "
    return prefix + f"\n{prefix}".join(texts)


def muted() -> str:
    return "You are muted"


def no_longer_muted() -> str:
    return "You are no longer muted"


def is_muted(name: str, seconds: float | None = None, remark: str = "") -> str:
    how_long = "" if seconds is None else f" {_span(seconds)}"
    return f"{name} is muted{how_long}" + (f" ({remark})" if remark else "")


def is_unmuted(name: str) -> str:
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


def is_banned(networks: Sequence[Network], seconds: float | None, remark: str = "") -> str:
    why = f" ({remark})" if remark else ""
    verb = "is" if len(networks) == 1 else "are"
    return f"{_some_networks(networks)} {verb} banned {_span(seconds)}{why}"


def is_unbanned(network: str) -> str:
    return f"{network} is no longer banned"


def ban_lifted(network: str) -> str:
    return f"Lifted the ban on {network}."


def bans_listed(bans: Sequence[tuple[Network, float | None]]) -> str:
    """Each banned network and the seconds left, one per line; None = until unbanned."""
    return _lines(f"{network.shown} {_span(seconds)}" for network, seconds in bans) or "Nobody is banned"


def no_such_ban(network: str) -> str:
    return f"There is no ban on {network}. Type /bans."


def not_an_address(target: str) -> str:
    return f"{target} is not a user here, an IP address or a network such as 192.0.2.0/24"


def ban_asked(networks: Sequence[Network], names: Sequence[str]) -> str:
    """Which members a ban would drop; repeating the command carries it out."""
    return f"Banning {_some_networks(networks)} drops {some(names)}. Repeat the command to confirm."


def ban_question(network: Network, names: Sequence[str]) -> str:
    """The console's question before it bans everybody from `network`."""
    return f"Ban {network.shown}? This drops {some(names)}."


def _some_networks(networks: Sequence[Network]) -> str:
    return some([network.shown for network in networks[:5]], len(networks))


def some(names: Sequence[str], count: int = 0) -> str:
    """The first five of `names`, and how many more there are, up to `count` if that is larger."""
    more = max(count, len(names)) - 5
    return ", ".join(names[:5]) + (f" and {more:,} more" if more > 0 else "")


def ban_of_loopback(network: str, command: str) -> str:
    """Refuses a ban that hits this machine; `command` bans it anyway."""
    return f"{network} is this machine itself; to ban it anyway, type: {command}"


def bans_not_written(why: str) -> str:
    return f"Could not write the bans file ({why}): this change lasts only until the server stops."


def bans_reloaded(bans: int, dropped: int) -> str:
    hit = f" Dropped {dropped} people." if dropped else ""
    return f"Reloaded the bans file: {bans} bans in force.{hit}"


def bans_not_read(why: str) -> str:
    return f"The bans are unchanged: {why}"


def nothing_to_reload() -> str:
    return "Nothing to reload: no TLS certificate and no bans file."


def certificate_reloaded() -> str:
    return "Reloaded the TLS certificate: new connections use it."


def no_certificate() -> str:
    return "This server does not use TLS: there is no certificate to reload."


def certificate_refused(why: str) -> str:
    return f"The TLS certificate is unchanged: {why}"


def refused(count: int, why: str, host: str) -> str:
    """Reports connections that were turned away to the operator, at most once a minute for each reason."""
    return f"Refused {count} connections, the last from {host}: {why}"


def was_dropped(name: str, why: str) -> str:
    return f"{name} was dropped: {why}"


def no_handshake() -> str:
    return "no TLS handshake"


def lines_dropped(count: int) -> str:
    """Lines still above the rate of a client that left, when its grace period ended."""
    return f"{count} lines over its rate limit dropped"


def left(name: str, why: str, remark: str) -> str:
    """Why somebody left, and the operator's reason."""
    return f"{name} left: {why}" + (f" ({remark})" if remark else "")


def left_briefly(name: str, why: str, *, dropped: bool = False) -> str:
    """The same for the operator's log; `why` is empty if it speaks for itself."""
    return f"{name} {'was dropped' if dropped else 'left'}" + (f" ({why})" if why else "")


def closed_its_end() -> str:
    return "closed its end"


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
    """A duration, rounded to the largest unit that fits at least twice, or evenly."""
    if seconds is None:
        return "until unbanned"
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size or (seconds >= size and round(seconds) % size == 0):
            return f"for {round(seconds / size)}{unit}"
    return f"for {max(1, round(seconds))}s"


def has_stopped(why: str) -> str:
    return f"The server has stopped ({why})" if why else "The server has stopped"


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
    """The answer to a line that cleaning left empty."""
    return "Nothing of that line could be shown"


def usage(command: str) -> str:
    return f"Usage: {command}"


def unknown_command(word: str) -> str:
    return f"Unknown command {word}. Type /help."


def what_is_recorded(settings: Settings) -> str:
    """What members have to know of the history, or another record; empty if there is none."""
    if settings.history_file is None:
        return "What is said here is recorded." if settings.recorded else ""
    # Of a log nobody knows when it is deleted.
    days, private = 0 if settings.recorded else settings.history_days, settings.history_private
    kept = f" and kept for {'1 day' if days == 1 else f'{days:,} days'}" if days else ""
    return f"What is said here is recorded{kept}{', also what you say to the operator' * private}."


def help_lines(commands: Sequence[tuple[str, str]], *, encrypted: bool, recorded: str = "") -> str:
    """Each command's usage and help, one per line, what is recorded, and without TLS a warning."""
    width = max(len(usage) for usage, _ in commands)
    lines = [f"{usage:{width}}  {text}" for usage, text in commands]
    lines.append(f"{'text':{width}}  say something to everybody; //text says /text")
    if recorded:
        lines.append(recorded)
    if not encrypted:
        lines.append("Nothing on the wire is encrypted: anyone on the network path can read it.")
    return _lines(lines)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)
