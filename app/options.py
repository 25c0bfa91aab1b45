"""The command line's options, and the settings made from them."""

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
from typing import NoReturn

from ..server.room.text import clean
from ..server.settings import MAX_WELCOME, Settings, SettingsError
from .cluster_options import NOTICES_UP_TO, add_cluster
from .usage import Group, UsageError, file_name, number, whole_number

_DEFAULTS = Settings()

_SPARE_FILES = 64
"""Files kept open for other things than clients: listeners, the terminal, the bans file, Python itself."""

_MOST_CLIENTS = 10_000
"""The default limit on a system that would allow more."""

EXIT_USAGE = 2
"""The exit code when there is something for the user to fix."""

_PATIENCE = 1.0
"""How long to wait for a non-blocking stream to become writable, in seconds."""


class Parser(argparse.ArgumentParser):
    """Reports an error in one line, where argparse would print the whole usage first."""

    def error(self, message: str) -> NoReturn:
        problem(f"{message}; {self.prog} --help shows all options")
        self.exit(EXIT_USAGE)

    def print_help(self, file: object = None) -> None:
        code = show(self.format_help())
        if code:
            self.exit(code)


def problem(text: str) -> None:
    """Tell the user on stderr, in one line, what to fix; do nothing if stderr cannot be written to."""
    with suppress(OSError):
        _write(2, f"chat-console: {clean(text)}\n")


def show(text: str) -> int:
    """Print what was asked for on stdout; return the exit code, which is 0 even if the reader went away."""
    try:
        _write(1, text)
    except BrokenPipeError:
        pass
    except OSError as error:
        problem(f"cannot print: {error.strerror}")
        return EXIT_USAGE
    return 0


def _write(descriptor: int, text: str) -> None:
    # Not through sys.stdout or sys.stderr, which keep what they cannot write and fail again at exit.
    data = text.encode(errors="backslashreplace")
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            select.select([], [descriptor], [], _PATIENCE)
            data = data[os.write(descriptor, data) :]


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser, whose help shows each limit with its unit and default."""
    result = Parser(
        prog="chat-console",
        description="A chat room that people join with nc or telnet, and the console that runs it.",
        epilog="People join with: nc HOST PORT. Without a terminal, --plain is the default. "
        "To search and export what --history has recorded: chat-console history --help",
        allow_abbrev=False,
    )
    result.add_argument("--version", action="store_true", help="show the version and exit")
    _add_network(result.add_argument_group("where people join"))
    _add_limits(result.add_argument_group("limits"))
    _add_history(result.add_argument_group("the history"))
    add_cluster(result.add_argument_group("one room on many machines"))
    _add_console(result.add_argument_group("the console"))
    return result


def settings(options: argparse.Namespace) -> Settings:
    """Make the server's settings from parsed options, and raise the soft limit on open files to the hard one.

    Raises:
        UsageError: if the options contradict each other, or this system cannot provide what they ask for.
    """
    for option, is_given in (("days", options.history_days), ("private", options.history_private)):
        if is_given and options.history is None:
            raise UsageError(f"--history-{option} needs --history FILE, the file to record in")
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
            history_file=options.history,
            history_days=options.history_days,
            history_private=options.history_private,
            replay=options.replay,
            notices_up_to=options.notices_up_to or 0,
            recorded=options.log is not None,
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
            f"{open_files}; raise the limit (ulimit -n), or ask for at most {possible}"
        )
    return wanted


def _option(field: str) -> str:
    """Return the option for the setting `field`."""
    names = {"hosts": "host", "trusted": "trust", "bans_file": "bans", "history_file": "history"}
    return "--" + names.get(field, field).replace("_", "-")


def _add_network(group: Group) -> None:
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
        help="listen on this TCP port; 0 = any free port, which is shown (default: %(default)s)",
    )
    group.add_argument(
        "--tls-cert",
        metavar="FILE",
        type=file_name,
        help="use TLS with this certificate (PEM, including its chain)",
    )
    group.add_argument(
        "--tls-key", metavar="FILE", type=file_name, help="the certificate's private key (PEM)"
    )
    group.add_argument(
        "--notices-up-to",
        metavar="N",
        type=whole_number,
        help="with more users than this, tell who joins, leaves or is renamed only of those who have said "
        "something, and of the others in one line a minute; /list shows 200 of more than 1000; "
        f"0 = no limit (default: 0; {NOTICES_UP_TO} with --cluster)",
    )
    group.add_argument("--shared-nicks", action="store_true", help="let several users share a nickname")
    group.add_argument(
        "--welcome",
        metavar="FILE",
        type=file_name,
        help=f"show this text to everyone who joins, at most {MAX_WELCOME} bytes (default: none)",
    )


def _add_limits(group: Group) -> None:
    add = partial(_add_limit, group)
    add("--rate", number, "lines per second from one user, 0.4 KiB each; the rest wait; 0 = no limit")
    add("--burst", whole_number, "lines a user may send at once before --rate applies")
    group.add_argument(
        "--max-clients",
        metavar="N",
        type=whole_number,
        help="users connected at a time; 0 = no limit (default: the limit on open files less "
        f"{_SPARE_FILES}, at most {_MOST_CLIENTS})",
    )
    add("--max-per-ip", whole_number, "users from one address, loopback excepted; 0 = no limit")
    add(
        "--connect-rate",
        number,
        "new connections per minute from one address, loopback excepted; 0 = no limit",
    )
    add("--connect-burst", whole_number, "new connections at once before --connect-rate applies")
    group.add_argument(
        "--trust",
        metavar="NETWORK",
        action="append",
        default=[],
        help="exempt a network such as 192.0.2.0/24 from the three limits above; may be repeated",
    )
    add("--max-backlog", whole_number, "drop a user who reads too slowly once this much is waiting", "BYTES")
    add(
        "--stall-timeout",
        number,
        "drop a user who reads nothing for this long while something is waiting",
        "SECONDS",
    )
    group.add_argument(
        "--bans", metavar="FILE", type=file_name, help="keep the bans in this file (default: in memory only)"
    )


def _add_history(group: Group) -> None:
    group.add_argument(
        "--history",
        metavar="FILE",
        type=file_name,
        help="record what is said to everybody in this file, and tell everyone who joins (default: do not)",
    )
    group.add_argument(
        "--history-days",
        metavar="N",
        type=whole_number,
        default=_DEFAULTS.history_days,
        help="delete what is older than this many days; 0 = keep everything (default: %(default)s)",
    )
    group.add_argument(
        "--history-private",
        action="store_true",
        help="also record what is said privately to and by you, and tell everyone who joins",
    )
    group.add_argument(
        "--log",
        metavar="FILE",
        type=file_name,
        help="add what is said to everybody, and who comes and goes, to this text file; {date} in its name "
        "makes a file for each day (default: do not)",
    )
    group.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="lines as in the console's log, or one JSON object a line (default: %(default)s)",
    )
    group.add_argument(
        "--replay",
        metavar="N",
        type=whole_number,
        default=_DEFAULTS.replay,
        help="send everyone who joins the last N lines that were said, at most 1000, also without --history "
        "(default: %(default)s)",
    )


def _add_limit(
    group: Group, option: str, kind: Callable[[str], float], text: str, metavar: str = "N"
) -> None:
    """Add an option for the setting of the same name, with that setting's default."""
    default = getattr(_DEFAULTS, option.removeprefix("--").replace("-", "_"))
    group.add_argument(
        option, metavar=metavar, type=kind, default=default, help=f"{text} (default: %(default)s)"
    )


def _add_console(group: Group) -> None:
    group.add_argument("--plain", action="store_true", help="use a line-based console on stdin and stdout")
    group.add_argument(
        "--theme", metavar="NAME", help="the console's colours, such as textual-light or ansi-dark"
    )
    group.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    group.add_argument(
        "--no-bell", action="store_true", help="do not ring the terminal's bell for private lines"
    )
    group.add_argument(
        "--no-line-history",
        action="store_true",
        help="do not keep what you type for the next time, nor read what was kept",
    )


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
        raise UsageError(f"{path} is not UTF-8 text; see --welcome") from None


def _raise_open_files() -> int:
    """Raise the soft limit on open files to the hard one; return how many may be open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        wanted = max(soft, _MOST_CLIENTS + _SPARE_FILES)
    else:
        wanted = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
