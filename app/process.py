"""The process and its surroundings: signals, job control in a shell, and the service manager."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import termios
from collections.abc import Callable
from contextlib import suppress


def never_stop_for_the_terminal() -> None:
    """Keep the system from stopping the process when it uses the terminal from the background.

    A read from the terminal then fails with EIO, and a write succeeds even after `stty tostop` (POSIX,
    General Terminal Interface, Terminal Access Control).
    """
    for number in (signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)


def on_signal(number: signal.Signals, call: Callable[[], object]) -> None:
    """Call `call` on the running loop at each such signal, unless the signal was ignored at the start.

    Whoever started the program, such as nohup, wants it to stay ignored.
    """
    if not is_ignored(number):
        asyncio.get_running_loop().add_signal_handler(number, call)


def is_ignored(number: signal.Signals) -> bool:
    """Whether the process ignores such signals."""
    return signal.getsignal(number) is signal.SIG_IGN


def in_foreground(terminal: int) -> bool:
    """Whether job control allows this process to read from the descriptor `terminal`."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return True  # not this process's controlling terminal, or not any more


def is_hung_up(terminal: int) -> bool:
    """Whether the terminal behind the descriptor `terminal` has been closed."""
    try:
        termios.tcgetattr(terminal)
    except termios.error as error:
        return error.args[0] != errno.ENOTTY
    return False


def notify(state: str) -> None:
    """Send `state`, such as `READY=1`, to the service manager if there is one (sd_notify(3)).

    Never fails or waits.
    """
    address = os.fsencode(os.environ.get("NOTIFY_SOCKET", ""))
    if address[:1] in (b"/", b"@"):
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            # A leading `@` stands for the NUL of an abstract address (unix(7)).
            sock.sendto(state.encode(), b"\0" + address[1:] if address[:1] == b"@" else address)
