"""The process among others: its signals, its place in a shell's job control, and the service manager."""

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
    """Keep the system from stopping the whole process because of what it reads or writes in the background.

    A read from the terminal then fails with EIO, and a write is done, also after `stty tostop` (POSIX,
    General Terminal Interface, Terminal Access Control).
    """
    for number in (signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)


def on_signal(number: signal.Signals, call: Callable[[], object]) -> None:
    """Call `call` on the running loop at each such signal, unless it was ignored at the start.

    Whoever started the program, such as nohup, means it to stay ignored.
    """
    if not is_ignored(number):
        asyncio.get_running_loop().add_signal_handler(number, call)


def is_ignored(number: signal.Signals) -> bool:
    """Whether the process ignores such signals."""
    return signal.getsignal(number) is signal.SIG_IGN


def in_foreground(terminal: int) -> bool:
    """Whether this process may read from the descriptor `terminal`, as far as job control has a say."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return True  # not the terminal that controls this process, or none any more


def is_hung_up(terminal: int) -> bool:
    """Whether nobody is at the other end of the descriptor `terminal` any more."""
    try:
        termios.tcgetattr(terminal)
    except termios.error as error:
        return error.args[0] != errno.ENOTTY
    return False


def notify(state: str) -> None:
    """Tell the service manager, if there is one, such as `READY=1` (sd_notify(3)). Never fails or waits."""
    address = os.fsencode(os.environ.get("NOTIFY_SOCKET", ""))
    if address[:1] in (b"/", b"@"):
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            # An `@` stands for the NUL that begins an abstract address (unix(7)).
            sock.sendto(state.encode(), b"\0" + address[1:] if address[:1] == b"@" else address)
