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
from typing import Any, TextIO

from .pacing import ANSWER
from .repertoire import ERRORS

POLL_INTERVAL = 0.2
"""How often a wait that nothing wakes checks whether it should end, in seconds."""

# With thousands of users a descriptor exceeds what select() accepts; on macOS poll() accepts no terminal.
if sys.platform == "darwin":
    Selector = selectors.SelectSelector
else:
    Selector = selectors.PollSelector


def modes(terminal: int) -> list[Any] | None:
    """Return the terminal's modes; None if it is closed."""
    try:
        return termios.tcgetattr(terminal)
    except termios.error:
        return None


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


class Questions:
    """Counts the questions to the terminal and its answers: `ask` on one thread, `hear` on another."""

    def __init__(self) -> None:
        self._asked = self._heard = 0
        self._first_at = 0.0

    @property
    def due(self) -> int:
        """How many answers have not come."""
        return max(0, self._asked - self._heard)

    def ask(self) -> None:
        """Note a question."""
        self._first_at = self._first_at or monotonic()
        self._asked += 1

    def hear(self) -> None:
        """Note an answer."""
        self._heard += 1

    def take_rest(self, terminal: int, grace: float) -> None:
        """Read the answers that are due, and all that comes with them, so that they are typed nowhere else.

        Args:
            terminal: the descriptor to read from, which no thread reads any more.
            grace: how long they may take, in seconds; where none has ever come, since the first question.
        """
        due, since = self.due, monotonic() if self._heard else self._first_at
        self._asked = self._heard = 0
        data = b""
        with Selector() as selector, suppress(OSError):
            selector.register(terminal, EVENT_READ)
            while data.count(ANSWER.encode()) < due and (left := since + grace - monotonic()) > 0:
                if selector.select(left):
                    more = os.read(terminal, 1 << 8)
                    if not more:
                        return
                    data += more


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
    def erases_in_colour(self) -> bool:
        """Whether what the terminal erases gets the colour behind the text, as terminfo says."""
        try:
            import curses
        except ImportError:
            return False
        try:
            curses.setupterm(os.environ.get("TERM", "dumb"), self._fd)
        except curses.error:
            return False  # it does not know the terminal
        return curses.tigetflag("bce") == 1 and curses.tigetstr("ech") is not None

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
