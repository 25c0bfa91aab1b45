"""The command line: arguments, exit codes, and the choice of console. Textual is imported last, if at all."""

from __future__ import annotations

import argparse
import asyncio
import errno
import functools
import gc
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from ..server.chat_server import ChatServer, StartError
from ..server.gate.bans_file import BansFileError
from ..server.history.place import HistoryError
from ..server.wire.listener import HostsError, ListenError
from ..server.wire.tls import CertificateError
from . import environment
from .cluster_options import NOTICES_UP_TO, cluster_settings
from .joining import who_can_join
from .options import EXIT_USAGE, parser, problem, settings, show
from .plain import PlainConsole
from .process import never_stop_for_the_terminal, notify, on_signal
from .usage import UsageError

if TYPE_CHECKING:
    from ..server.history.recorder import Recorder

EXIT_OK = 0
EXIT_INCOMPLETE = 1
"""The exit code when something that was said could not be recorded."""

EXIT_INTERRUPTED = 128 + signal.SIGINT

_STARTED = 1.0
"""Seconds after which a console has usually laid out its first screen."""


class Console(Protocol):
    """Runs a server for an operator."""

    ending: Callable[[], object]
    """Is called when the end begins, whoever began it."""

    async def serve(self) -> int:
        """Run until the operator quits or `end` is called, stop the server, and return the exit code."""
        ...

    def end(self) -> None:
        """Say goodbye to everybody and make `serve` return."""
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run chat-console and return its exit code: 0 after a clean shutdown, 1 if the record has a hole
    at its end, 2 if the user has to act."""
    _open_missing_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["history"]:
        from . import history_command

        return history_command.main(arguments[1:])
    options = parser().parse_args(arguments)
    if options.version:
        from importlib.metadata import version

        return show(f"chat-console {version('tcp-chat-console')}\n")
    never_stop_for_the_terminal()
    try:
        return asyncio.run(_run(options))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED  # before our own handlers were in place


async def _run(options: argparse.Namespace) -> int:
    try:
        server = _server(options)
    except UsageError as error:
        return _fail(str(error))
    log = None
    try:
        if options.log is not None:
            log = _log(server, options)
    except HistoryError as error:
        return _fail(str(error))
    try:
        return await _serve(server, options, log)
    finally:
        if log is not None:
            await log.close()


def _server(options: argparse.Namespace) -> ChatServer:
    """Make the server, or the node, that the options ask for.

    Raises:
        UsageError: if they cannot be met.
    """
    cluster = cluster_settings(options)
    wanted = settings(options)
    if cluster is None:
        return ChatServer(wanted)
    if options.notices_up_to is None:
        wanted = replace(wanted, notices_up_to=NOTICES_UP_TO)
    # Not earlier: a server without a cluster does without its modules, and without nats-py.
    try:
        from ..server.cluster.clustered_server import ClusteredServer

        return ClusteredServer(cluster, wanted)
    except ModuleNotFoundError as error:
        if error.name != "nats":
            raise
        install = f"{shlex.quote(sys.executable)} -m pip install nats-py"
        raise UsageError(f"--cluster needs one more package: {install}") from None


def _log(server: ChatServer, options: argparse.Namespace) -> Recorder:
    """Begin to write the log file.

    Raises:
        HistoryError: if it cannot be written.
    """
    from ..server.history.recorder import Recorder
    from .log_file import LogFile
    from .recorded import LOG_FORMATS

    log = Recorder(LogFile(options.log, LOG_FORMATS[options.log_format]), server.chat.emit)
    server.subscribe(log.take)
    return log


async def _serve(server: ChatServer, options: argparse.Namespace, log: Recorder | None) -> int:
    plain = None
    if options.plain or not environment.has_screen():
        plain = PlainConsole(server, line_history=not options.no_line_history)
    try:
        await server.start()
    except ListenError as error:
        return _fail(_listen_problem(error))
    except CertificateError as error:
        return _fail(f"{error}; see --tls-cert and --tls-key")
    except BansFileError as error:
        return _fail(f"{error}, or name another file with --bans")
    except (HistoryError, StartError) as error:
        return _fail(str(error))
    # At most once, whatever starts the shutdown.
    stopping = functools.cache(functools.partial(notify, "STOPPING=1"))

    try:
        try:
            console = plain or _console_on_screen(server, options)
        except UsageError as error:
            return _fail(str(error))
        if plain:
            for text in who_can_join(server):
                plain.tell(text)
        console.ending = stopping
        _on_signals(console, server, log)
        notify("READY=1")
        asyncio.get_running_loop().call_later(_STARTED, _spare_what_is_there)
        code = await console.serve()
    finally:
        stopping()
        await server.stop()
    not_recorded = [server.not_recorded, await log.close() if log is not None else ""]
    for text in filter(None, not_recorded):
        problem(text)
        code = EXIT_INCOMPLETE
    return code


def _console_on_screen(server: ChatServer, options: argparse.Namespace) -> Console:
    # Imported here: it takes longer than everything else, and a busy port should be reported at once.
    environment.check()
    from .console import ConsoleApp

    return ConsoleApp(
        server,
        theme=options.theme,
        mouse=not options.no_mouse,
        bell=not options.no_bell,
        line_history=not options.no_line_history,
    )


def _spare_what_is_there() -> None:
    """Keep the garbage collector from going through objects that live until the end over and over."""
    gc.collect()
    gc.freeze()


def _open_missing_streams() -> None:
    """Replace standard streams that are closed, as by `<&-` in a shell, with the null device."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.open(os.devnull, os.O_RDWR), mode, closefd=False))


def _on_signals(console: Console, server: ChatServer, log: Recorder | None) -> None:
    """Shut down cleanly at the first signal, and without waiting for anybody at the second.

    A hangup ends a program that runs on a terminal; a daemon, which has none, reloads its files instead.
    """
    signals = iter((console.end,))

    def abort() -> None:
        server.abort()
        if log is not None:
            log.abort()

    def end(number: signal.Signals) -> None:
        server.stopping_because = server.stopping_because or number.name
        next(signals, abort)()

    for number in (signal.SIGINT, signal.SIGTERM):
        on_signal(number, functools.partial(end, number))
    hangup = functools.partial(end, signal.SIGHUP)
    on_signal(signal.SIGHUP, hangup if sys.stdin.isatty() else server.chat.reload)
    on_signal(signal.SIGUSR1, server.chat.reload_certificate)


def _listen_problem(error: ListenError) -> str:
    if isinstance(error, HostsError):
        return str(error)
    where = f"port {error.port} on {error.host}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where} is in use; stop the program that is using it, or choose another with --port"
        case errno.EACCES:
            return f"{where} needs privileges; choose one from 1024 to 65535 with --port"
        case errno.EADDRNOTAVAIL:
            return f"{error.host} is not an address of this machine; choose one that is with --host"
        case code if code is None or code < 0:
            return f"{error.host!r} has no known address; give an IP address of this machine with --host"
        case _:
            return f"cannot listen on {where}: {error.strerror}"


def _fail(text: str) -> int:
    problem(text)
    return EXIT_USAGE
