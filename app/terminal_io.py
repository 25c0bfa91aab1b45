"""How the driver's two threads wait, for input and for room for output, so that the waits can be ended."""

from __future__ import annotations

import math
import os
import selectors
import socket
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from selectors import EVENT_READ, EVENT_WRITE
from threading import Event, Thread
from time import monotonic
from typing import TextIO

from .pacing import ANSWER
from .repertoire import ERRORS

POLL_INTERVAL = 0.2
"""How often a wait that nothing wakes checks whether it should end, in seconds."""

# With thousands of users a descriptor exceeds what select() accepts; on macOS poll() accepts no terminal.
if sys.platform == "darwin":
    Selector = selectors.SelectSelector
else:
    Selector = selectors.PollSelector


class ExitEvent(Event):
    """Ends the input thread, which can wait for it together with input."""

    def __init__(self) -> None:
        super().__init__()
        self.woken, self._wake = socket.socketpair()

    def set(self) -> None:
        if not self.is_set():
            super().set()
            self._wake.send(b"\0")

    def clear(self) -> None:
        if self.is_set():
            self.woken.recv(1)
        super().clear()

    def close(self) -> None:
        """Close the sockets. The thread must have ended."""
        self.woken.close()
        self._wake.close()


def read_answers(terminal: int, count: int, give_up_at: float) -> int:
    """Read up to `count` answers from the terminal, and all that comes with them; return how many came.

    Args:
        terminal: the descriptor to read from.
        count: how many answers are due.
        give_up_at: when to stop waiting for them, by the monotonic clock.
    """
    data = b""
    with Selector() as selector, suppress(OSError):
        selector.register(terminal, EVENT_READ)
        while data.count(ANSWER.encode()) < count and (left := give_up_at - monotonic()) > 0:
            if selector.select(left):
                more = os.read(terminal, 1 << 8)
                if not more:
                    break
                data += more
    return data.count(ANSWER.encode())


class TerminalOutput:
    """Writes to the terminal from a thread of its own. No write raises, or waits longer than it may.

    Args:
        file: the terminal.
        drained: called on that thread whenever everything has been written.
    """

    give_up_at = math.inf
    """When to stop waiting for the terminal, by the monotonic clock."""

    farewell = ""
    """What to write last in that case."""

    def __init__(self, file: TextIO, drained: Callable[[], None]) -> None:
        self._drained = drained
        self._encoding = file.encoding
        self._given_up = False
        try:
            # Opened again, since O_NONBLOCK on the inherited descriptor would affect the shell too.
            path = os.ttyname(file.fileno())
            self._fd = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            # It belongs to another user, as after su: writes block the thread, and there is no farewell.
            self._fd = os.dup(file.fileno())
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="terminal-output", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        """How many writes are waiting."""
        return self._queue.qsize()

    def put(self, text: str) -> None:
        """Queue `text`, of which the terminal gets what it reads before `give_up_at`. Never waits."""
        self._queue.put(text)

    def _work(self) -> None:
        while (text := self._queue.get()) is not None:
            self._write(text)
            if self._queue.empty():
                self._drained()

    def _write(self, text: str) -> None:
        data = memoryview(text.encode(self._encoding, ERRORS))
        with suppress(OSError):
            while data and not self._given_up:
                try:
                    data = data[os.write(self._fd, data) :]
                except BlockingIOError:
                    self._wait()

    def _wait(self) -> None:
        if monotonic() < self.give_up_at:
            with Selector() as selector:
                selector.register(self._fd, EVENT_WRITE)
                selector.select(POLL_INTERVAL)
            return
        self._given_up = True
        with suppress(termios.error):
            termios.tcflush(self._fd, termios.TCOFLUSH)
            os.write(self._fd, self.farewell.encode(self._encoding, ERRORS))

    def close(self, timeout: float) -> None:
        """Stop once everything is written, waiting for that at most `timeout` seconds."""
        self._queue.put(None)
        self._thread.join(timeout)
        if self._fd != -1 and not self._thread.is_alive():
            os.close(self._fd)
            self._fd = -1
