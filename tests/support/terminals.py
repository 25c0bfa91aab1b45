"""A terminal that a program runs in, with its screen in memory."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable

import pyte

from .programs import Output, end, environment
from .waiting import BOUND

# Makes the terminal on stdin the controlling one, and its keys' signals what they are for a program that a
# shell starts: whoever runs the tests in the background may have them ignored.
IN_TERMINAL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
for number in signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP:
    signal.signal(number, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def _tolerant(method: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(method)
    def tolerant(self: pyte.Screen, *parameters: int, **options: bool) -> None:
        with contextlib.suppress(TypeError):
            method(self, *parameters, **options)

    return tolerant


class Screen(pyte.Screen):
    """A screen that ignores a sequence whose parameters make no sense, as terminals do.

    A program that is stopped within a sequence leaves its end to whatever is written next: the `c` of
    a command typed at the shell's prompt, say. pyte would fail.
    """


for _name in {*pyte.Stream.csi.values()}:
    setattr(Screen, _name, _tolerant(getattr(pyte.Screen, _name)))


class Terminal(Output):
    """A terminal with a program in it. What `text` gives, and waiting looks at, is its screen."""

    def __init__(self, *command: str, columns: int = 80, rows: int = 24) -> None:
        self.screen = Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._reading = threading.Event()
        self._reading.set()
        self._master, self._tty = pty.openpty()
        _set_size(self._tty, columns, rows)
        self._attributes = termios.tcgetattr(self._tty)
        self.process = subprocess.Popen(
            [sys.executable, "-ISc", IN_TERMINAL, *command],
            stdin=self._tty,
            stdout=self._tty,
            stderr=self._tty,
            start_new_session=True,
            env=environment(),
        )
        super().__init__(open(self._master, "rb", buffering=0))

    @property
    def text(self) -> str:
        with self._changed:
            return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def is_restored(self) -> bool:
        """Whether the terminal's modes are what they were before the program."""
        return termios.tcgetattr(self._tty) == self._attributes

    @property
    def foreground(self) -> int:
        """The process group that may use the terminal."""
        return os.tcgetpgrp(self._master)

    def type(self, keys: str | bytes) -> None:
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def scribble(self, text: bytes) -> None:
        """Write to the terminal as another program does, wherever this one is with its painting."""
        os.write(self._tty, text)

    def resize(self, columns: int, rows: int) -> None:
        with self._changed:
            self.screen.resize(rows, columns)
            _set_size(self._tty, columns, rows)

    def stall(self) -> None:
        """Read nothing more, but for what is being read now."""
        self._reading.clear()

    def go_on(self) -> None:
        """Read again."""
        self._reading.set()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end of the program, and return its exit code."""
        return self.process.wait(BOUND)

    def read_rest(self) -> bytes:
        """Return all that an ended program has written."""
        mark = b"end of output"
        os.write(self._tty, mark)
        self.wait_until(lambda: self.data.endswith(mark))
        return bytes(self.data.removesuffix(mark))

    def close(self) -> None:
        self.go_on()
        end(self.process, signal.SIGHUP)  # which an interactive shell does not ignore
        os.close(self._tty)
        super().close()

    def _receive(self) -> bytes:
        self._reading.wait()
        return super()._receive()

    def _take(self, data: bytes) -> None:
        super()._take(data)
        self._stream.feed(data)


def _set_size(tty: int, columns: int, rows: int) -> None:
    fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
