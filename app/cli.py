"""The command line: arguments, exit codes, and which console runs. Textual is imported last, if at all."""

from __future__ import annotations

import argparse
import asyncio
import errno
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from ..server import notices
from ..server.chat_server import ChatServer, ListenError
from ..server.settings import Settings
from .plain import PlainConsole

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 128 + signal.SIGINT

_DEFAULTS = Settings()


class Console(Protocol):
    """What runs a server for an operator."""

    async def serve(self) -> int:
        """Run until the operator quits or `end` is called, stop the server, and return the exit code."""
        ...

    def end(self) -> None:
        """Say goodbye to everybody and make `serve` return."""
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run chat-console and return its exit code: 0 after an orderly end, 2 for what the user must mend."""
    options = _parser().parse_args(arguments)
    if options.version:
        from importlib.metadata import version

        print(f"chat-console {version('chat-console')}")
        return EXIT_OK
    _open_missing_streams()
    try:
        return asyncio.run(_run(options))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED  # before the signals were taken over


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chat-console",
        description="A chat room that people join with nc or telnet, and the console that runs it.",
        epilog="People join with: nc HOST PORT. Without a terminal it is line-based, as with --plain.",
    )
    parser.add_argument(
        "--host",
        metavar="ADDR",
        action="append",
        help=f"listen on this address; may be repeated (default: {_DEFAULTS.hosts[0]}, this machine only)",
    )
    parser.add_argument(
        "-p",
        "--port",
        metavar="N",
        type=_whole_number(0, 65535),
        default=_DEFAULTS.port,
        help="listen on this TCP port; 0 takes a free one and says which (default: %(default)s)",
    )
    parser.add_argument("--plain", action="store_true", help="line-based console on stdin and stdout")
    parser.add_argument(
        "--shared-nicks", action="store_true", help="let several users have the same nickname"
    )
    parser.add_argument(
        "--max-backlog",
        metavar="BYTES",
        type=_whole_number(1024, 1 << 30),
        default=_DEFAULTS.max_backlog,
        help="drop a user who reads too slowly when this much waits for it (default: %(default)s)",
    )
    parser.add_argument(
        "--theme", metavar="NAME", help="colours of the console, such as textual-light or ansi-dark"
    )
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    return parser


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")

    return whole_number


async def _run(options: argparse.Namespace) -> int:
    server = ChatServer(
        Settings(
            hosts=tuple(dict.fromkeys(options.host or _DEFAULTS.hosts)),
            port=options.port,
            shared_nicks=options.shared_nicks,
            max_backlog=options.max_backlog,
        )
    )
    plain = PlainConsole(server) if options.plain or not _on_terminal() else None
    try:
        await server.start()
    except ListenError as error:
        return _fail(_listen_problem(error))
    try:
        try:
            console = plain or _console_on_screen(server, options)
        except ValueError as error:
            return _fail(str(error))
        if plain and server.is_public:
            print(
                f"chat-console: {notices.public_warning(encrypted=server.settings.encrypted)}",
                file=sys.stderr,
            )
        _on_signals(console, server)
        return await console.serve()
    finally:
        await server.stop()


def _console_on_screen(server: ChatServer, options: argparse.Namespace) -> Console:
    # Imported here: it takes longer than all the rest, and a busy port should be told at once.
    from .console import ConsoleApp

    return ConsoleApp(server, theme=options.theme, mouse=not options.no_mouse)


def _open_missing_streams() -> None:
    """Let the null device stand in for standard streams that are closed, as by `<&-` in a shell."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.open(os.devnull, os.O_RDWR), mode, closefd=False))


def _on_terminal() -> bool:
    # Textual paints on stderr. textual-serve runs the console behind pipes and says so with TEXTUAL_DRIVER.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in streams) or "TEXTUAL_DRIVER" in os.environ


def _on_signals(console: Console, server: ChatServer) -> None:
    """End the console in order at the first signal, and without waiting for anybody at the second."""
    signals = iter((console.end,))

    def end() -> None:
        next(signals, server.abort)()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end)


def _listen_problem(error: ListenError) -> str:
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


def _fail(problem: str) -> int:
    print(f"chat-console: {problem}", file=sys.stderr)
    return EXIT_USAGE
