"""The program under attack, a process of its own: its console in a pseudo-terminal, or with pipes."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import math
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from support.programs import environment

from .checks import COLUMNS, ROWS, Errors, Screen, Stream

PATIENCE = 30.0
"""How long anything may take on a busy machine, in seconds."""

_STARTED = re.compile(r"(?:Server started|The server listens) on port (\d+)\D")


class NotMet(Exception):
    """What was waited for has not come; the message says what."""


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait until `condition` holds.

    Raises:
        NotMet: if it does not within `PATIENCE`.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise NotMet(what) from None


def run_command(main: Callable[[], int]) -> NoReturn:
    """Run `main` and exit with its status. SIGTERM ends it as Ctrl-C does, with all that it has started."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def memory(pid: int, field: str) -> float:
    """A process's `VmRSS` or `VmHWM`, in MiB; NaN if it has ended, or the system does not tell."""
    try:
        found = re.search(rf"{field}:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        found = None
    return int(found[1]) / 1024 if found else math.nan


class Program:
    """A running program, whose output is read and checked all the time.

    A context manager: at its end the program ends, in whatever state it is.

    Args:
        command: the program with its options; it must print which port it has taken.
        console: whether it runs in a terminal.
        operator: checks what it writes to the terminal, or to stdout.
        errors: checks what it writes to stderr, where that is no terminal.
    """

    def __init__(
        self, command: Sequence[str], console: bool, operator: Stream, errors: Errors | None = None
    ) -> None:
        self.operator = operator
        self.errors = errors or Errors("stderr")
        self.written = 0
        """How many bytes the operator's terminal has got."""
        self._loop = asyncio.get_running_loop()
        self._first = b""
        self._open: set[int] = set()
        if console:
            self._start_in_terminal(command)
        else:
            self._start_with_pipes(command)

    def _start_in_terminal(self, command: Sequence[str]) -> None:
        self._input, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            command,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
            env=environment(),
        )
        os.close(terminal)
        self._read(self._input, self.operator)

    def _start_with_pipes(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=environment(),
        )
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self._input = os.dup(self.process.stdin.fileno())
        self._read(os.dup(self.process.stdout.fileno()), self.operator)
        self._read(os.dup(self.process.stderr.fileno()), self.errors)
        for file in (self.process.stdin, self.process.stdout, self.process.stderr):
            file.close()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for descriptor in self._open.copy():
            self._close(descriptor)
        with contextlib.suppress(OSError):
            os.close(self._input)

    async def port(self) -> int:
        """The port that it says it listens on."""
        await until(lambda: self._started() or self.process.poll() is not None, "the program has not started")
        started = self._started()
        if started is None:
            raise NotMet(f"the program has not started: {self._first!r}")
        return int(started[1])

    def type(self, line: str) -> None:
        """Type a line, as the operator.

        Raises:
            NotMet: if nobody is there to read it.
        """
        end = "\r" if isinstance(self.operator, Screen) else "\n"
        try:
            os.write(self._input, (line + end).encode())
        except OSError as error:
            raise NotMet(f"the program takes no input: {error}") from None

    async def end(self) -> int:
        """End it in order, and return its exit code."""
        self.process.terminate()
        await until(lambda: self.process.poll() is not None, "the program has not ended at SIGTERM")
        await until(lambda: not self._open, "the program's output has no end")
        assert self.process.returncode is not None
        return self.process.returncode

    def _started(self) -> re.Match[str] | None:
        return _STARTED.search(self._first.decode("utf-8", "replace"))

    def _read(self, descriptor: int, stream: Stream) -> None:
        os.set_blocking(descriptor, False)
        self._open.add(descriptor)
        self._loop.add_reader(descriptor, self._take, descriptor, stream)

    def _take(self, descriptor: int, stream: Stream) -> None:
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return
        except OSError:  # EIO: nobody has the terminal open any more
            data = b""
        if not data:
            self._close(descriptor)
            return
        if len(self._first) < 1 << 16:
            self._first += data
        if stream is self.operator:
            self.written += len(data)
        stream.take(data)

    def _close(self, descriptor: int) -> None:
        self._open.discard(descriptor)
        self._loop.remove_reader(descriptor)
        if descriptor != self._input:
            os.close(descriptor)
