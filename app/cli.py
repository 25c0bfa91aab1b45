"""The command line: arguments, exit codes, and which console runs. Textual is imported last, if at all."""

from __future__ import annotations

import argparse
import asyncio
import errno
import functools
import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from ..server.chat_server import ChatServer
from ..server.gate.bans_file import BansFileError
from ..server.room.events import Event, QuitRequested
from ..server.wire.listener import HostsError, ListenError
from ..server.wire.tls import CertificateError
from . import environment
from .joining import who_can_join
from .options import EXIT_USAGE, UsageError, parser, problem, settings, show
from .plain import PlainConsole
from .process import never_stop_for_the_terminal, notify, on_signal

EXIT_OK = 0
EXIT_INTERRUPTED = 128 + signal.SIGINT

_STARTED = 1.0
"""Seconds after which a console has most often laid out its first screen."""


class Console(Protocol):
    """What runs a server for an operator."""

    async def serve(self) -> int:
        """Run until the operator quits or `end` is called, stop the server, and return the exit code."""
        ...

    def end(self) -> None:
        """Say goodbye to everybody and make `serve` return."""
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run chat-console and return its exit code: 0 after an orderly end, 2 for what the user must fix."""
    _open_missing_streams()
    options = parser().parse_args(arguments)
    if options.version:
        from importlib.metadata import version

        return show(f"chat-console {version('tcp-chat-console')}\n")
    never_stop_for_the_terminal()
    try:
        return asyncio.run(_run(options))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED  # before the signals were taken over


async def _run(options: argparse.Namespace) -> int:
    try:
        server = ChatServer(settings(options))
    except UsageError as error:
        return _fail(str(error))
    plain = PlainConsole(server) if options.plain or not environment.has_screen() else None
    try:
        await server.start()
    except ListenError as error:
        return _fail(_listen_problem(error))
    except CertificateError as error:
        return _fail(f"{error}; see --tls-cert and --tls-key")
    except BansFileError as error:
        return _fail(f"{error}, or name another file with --bans")
    # At most once, whatever begins the end.
    stopping = functools.cache(functools.partial(notify, "STOPPING=1"))

    def note(event: Event) -> None:
        if isinstance(event, QuitRequested):
            stopping()

    try:
        try:
            console = plain or _console_on_screen(server, options)
        except UsageError as error:
            return _fail(str(error))
        if plain:
            for text in who_can_join(server):
                plain.tell(text)
        _on_signals(console, server, stopping)
        server.subscribe(note)
        notify("READY=1")
        asyncio.get_running_loop().call_later(_STARTED, _spare_what_is_there)
        return await console.serve()
    finally:
        stopping()
        await server.stop()


def _console_on_screen(server: ChatServer, options: argparse.Namespace) -> Console:
    # Imported here: it takes longer than all the rest, and a busy port should be told at once.
    environment.check()
    from .console import ConsoleApp

    return ConsoleApp(server, theme=options.theme, mouse=not options.no_mouse)


def _spare_what_is_there() -> None:
    """Keep the garbage collector from looking again and again at what stays to the end."""
    gc.collect()
    gc.freeze()


def _open_missing_streams() -> None:
    """Let the null device stand in for standard streams that are closed, as by `<&-` in a shell."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.open(os.devnull, os.O_RDWR), mode, closefd=False))


def _on_signals(console: Console, server: ChatServer, stopping: Callable[[], object]) -> None:
    """End the console in order at the first signal, and without waiting for anybody at the second.

    A hangup ends what runs on a terminal; a daemon, which has none, takes it to read its files again.
    """
    signals = iter((console.end,))

    def end() -> None:
        stopping()
        next(signals, server.abort)()

    on_signal(signal.SIGINT, end)
    on_signal(signal.SIGTERM, end)
    on_signal(signal.SIGHUP, end if sys.stdin.isatty() else server.reload)
    on_signal(signal.SIGUSR1, server.reload_certificate)


def _listen_problem(error: ListenError) -> str:
    if isinstance(error, HostsError):
        return str(error)
    where = f"port {error.port} on {error.host}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where} is in use; end the program that has it, or choose another with --port"
        case errno.EACCES:
            return f"{where} is for privileged programs; choose one from 1024 to 65535 with --port"
        case errno.EADDRNOTAVAIL:
            return f"{error.host} is not an address of this machine; choose one of its own with --host"
        case code if code is None or code < 0:
            return f"no address is known for {error.host!r}; give an IP address of this machine with --host"
        case _:
            return f"cannot listen on {where}: {error.strerror}"


def _fail(text: str) -> int:
    problem(text)
    return EXIT_USAGE
