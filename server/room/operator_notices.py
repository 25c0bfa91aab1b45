"""Every sentence about the server itself: of its files, and of connections and lines that it lost.

They are for its operator alone.
"""

from __future__ import annotations


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
