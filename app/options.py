"""The command line's options, and the settings that they make."""

from __future__ import annotations

import argparse
import os
import resource
import select
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Protocol

from ..server.room.text import clean
from ..server.settings import MAX_WELCOME, Settings, SettingsError

_DEFAULTS = Settings()

_SPARE_FILES = 64
"""Open files that are not clients: the listeners, the terminal, the bans file, Python's own."""

_MOST_CLIENTS = 10_000
"""The default limit where the system would allow more."""

EXIT_USAGE = 2
"""The exit code for what the user must fix."""

_PATIENCE = 1.0
"""How long a stream that does not block may take to become writable, in seconds."""


class _Group(Protocol):
    """A group of options of the parser: argparse has no public name for its type."""

    def add_argument(self, *names: str, **options: Any) -> argparse.Action: ...


class UsageError(ValueError):
    """The program cannot run as it was asked to; the message says what the user must fix."""


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, where argparse shows the whole usage before it."""

    def error(self, message: str) -> NoReturn:
        problem(f"{message}; {self.prog} --help shows all options")
        self.exit(EXIT_USAGE)

    def print_help(self, file: object = None) -> None:
        code = show(self.format_help())
        if code:
            self.exit(code)


def problem(text: str) -> None:
    """Tell on stderr, in one line, what the user must fix; nothing where stderr cannot be written to."""
    with suppress(OSError):
        _write(2, f"chat-console: {clean(text)}\n")


def show(text: str) -> int:
    """Print what was asked for on stdout; return the exit code, 0 also where a reader has had enough."""
    try:
        _write(1, text)
    except BrokenPipeError:
        pass
    except OSError as error:
        problem(f"cannot print: {error.strerror}")
        return EXIT_USAGE
    return 0


def _write(descriptor: int, text: str) -> None:
    # Not through sys.stdout or sys.stderr, which keep what they cannot write and fail once more at the exit.
    data = text.encode(errors="backslashreplace")
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            select.select([], [descriptor], [], _PATIENCE)
            data = data[os.write(descriptor, data) :]


def parser() -> argparse.ArgumentParser:
    """The parser of the command line, which shows each limit with its unit and default."""
    result = _Parser(
        prog="chat-console",
        description="A chat room that people join with nc or telnet, and the console that runs it.",
        epilog="People join with: nc HOST PORT. Without a terminal it is line-based, as with --plain.",
        allow_abbrev=False,
    )
    result.add_argument("--version", action="store_true", help="show the version and exit")
    _add_network(result.add_argument_group("where people join"))
    _add_limits(result.add_argument_group("limits"))
    _add_console(result.add_argument_group("the console"))
    return result


def settings(options: argparse.Namespace) -> Settings:
    """Make the server's settings of parsed options; raise the soft limit of open files to the hard one.

    Raises:
        UsageError: if the options cannot be had together, or not on this system.
    """
    try:
        wanted = Settings(
            hosts=tuple(dict.fromkeys(options.host or _DEFAULTS.hosts)),
            port=options.port,
            tls_cert=options.tls_cert,
            tls_key=options.tls_key,
            shared_nicks=options.shared_nicks,
            welcome=_welcome(options.welcome) if options.welcome else "",
            rate=options.rate,
            burst=options.burst,
            max_clients=options.max_clients or 0,
            max_per_ip=options.max_per_ip,
            connect_rate=options.connect_rate,
            connect_burst=options.connect_burst,
            trusted=tuple(options.trust),
            max_backlog=options.max_backlog,
            stall_timeout=options.stall_timeout,
            bans_file=options.bans,
        )
    except SettingsError as error:
        raise UsageError(f"{' and '.join(map(_option, error.fields))} {error.problem}") from None
    open_files = _raise_open_files()
    if options.max_clients is None:
        most = max(1, min(_MOST_CLIENTS, open_files - _SPARE_FILES))
        return replace(wanted, max_clients=most)
    if wanted.max_clients > open_files - _SPARE_FILES:
        needed, possible = wanted.max_clients + _SPARE_FILES, open_files - _SPARE_FILES
        raise UsageError(
            f"--max-clients {wanted.max_clients} needs {needed} open files and the system allows "
            f"{open_files}; raise its limit (ulimit -n), or ask for {possible} at most"
        )
    return wanted


def _option(field: str) -> str:
    """The option that makes the setting `field`."""
    names = {"hosts": "host", "trusted": "trust", "bans_file": "bans"}
    return "--" + names.get(field, field).replace("_", "-")


def _add_network(group: _Group) -> None:
    group.add_argument(
        "--host",
        metavar="ADDR",
        action="append",
        help=f"listen on this address; may be repeated (default: {_DEFAULTS.hosts[0]}, this machine only)",
    )
    group.add_argument(
        "-p",
        "--port",
        metavar="N",
        type=whole_number,
        default=_DEFAULTS.port,
        help="listen on this TCP port; 0 takes a free one and says which (default: %(default)s)",
    )
    group.add_argument(
        "--tls-cert", metavar="FILE", type=_file, help="speak TLS with this certificate (PEM, with its chain)"
    )
    group.add_argument("--tls-key", metavar="FILE", type=_file, help="the certificate's private key (PEM)")
    group.add_argument("--shared-nicks", action="store_true", help="let several users share a nickname")
    group.add_argument(
        "--welcome",
        metavar="FILE",
        type=_file,
        help=f"show each newcomer this text, at most {MAX_WELCOME} bytes (default: none)",
    )


def _add_limits(group: _Group) -> None:
    add = partial(_add_limit, group)
    add("--rate", number, "lines a second from one user, 0.4 KiB each; others wait; 0: any")
    add("--burst", whole_number, "lines at once before --rate counts")
    group.add_argument(
        "--max-clients",
        metavar="N",
        type=whole_number,
        help=f"users at a time; 0: any (default: as many as open files allow, less {_SPARE_FILES}, "
        f"at most {_MOST_CLIENTS})",
    )
    add("--max-per-ip", whole_number, "users from one address but loopback; 0: any")
    add("--connect-rate", number, "new connections a minute from one address but loopback; 0: any")
    add("--connect-burst", whole_number, "new connections at once before --connect-rate counts")
    group.add_argument(
        "--trust",
        metavar="NETWORK",
        action="append",
        default=[],
        help="lift the three limits above for a network such as 192.0.2.0/24; may be repeated",
    )
    add("--max-backlog", whole_number, "drop a user who reads too slowly when this much waits", "BYTES")
    add(
        "--stall-timeout",
        number,
        "drop a user for whom something waits and who takes nothing for so long",
        "SECONDS",
    )
    group.add_argument(
        "--bans", metavar="FILE", type=_file, help="keep the bans in this file (default: nowhere)"
    )


def _add_limit(
    group: _Group, option: str, kind: Callable[[str], float], text: str, metavar: str = "N"
) -> None:
    """Add an option for the setting of its name, with the default there."""
    default = getattr(_DEFAULTS, option.removeprefix("--").replace("-", "_"))
    group.add_argument(
        option, metavar=metavar, type=kind, default=default, help=f"{text} (default: %(default)s)"
    )


def _add_console(group: _Group) -> None:
    group.add_argument("--plain", action="store_true", help="line-based console on stdin and stdout")
    group.add_argument("--theme", metavar="NAME", help="its colours, such as textual-light or ansi-dark")
    group.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")


def whole_number(text: str) -> int:
    """Read a whole number in decimal digits."""
    # Python reads no number of more than 4,300 digits, and no setting has more than 10.
    if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")


def _file(text: str) -> Path:
    if text:
        return Path(text)
    raise argparse.ArgumentTypeError("a file needs a name")  # "" would be the folder that one is in


def number(text: str) -> float:
    """Read a number, which may have a fraction."""
    try:
        if text.isascii() and "_" not in text:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a number")


def _welcome(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_WELCOME + 1)
        if len(data) > MAX_WELCOME:
            raise UsageError(f"{path} is longer than {MAX_WELCOME} bytes; shorten it, or see --welcome")
        return data.decode("utf-8-sig").rstrip()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; see --welcome") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not text in UTF-8; see --welcome") from None


def _raise_open_files() -> int:
    """Raise the soft limit of open files to the hard one; return how many may be open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        wanted = max(soft, _MOST_CLIENTS + _SPARE_FILES)
    else:
        wanted = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
