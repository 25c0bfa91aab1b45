"""The plain console: the operator's transcript on stdout, the operator's lines from stdin.

On a terminal the line that is being typed stays below what arrives.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from ..server.chat_server import ChatServer
from ..server.room.entries import Line
from ..server.room.events import Event
from ..server.room.told import told
from ..server.wire.framing import LineFramer
from .environment import is_dumb
from .line_history import LineHistory
from .line_terminal import LineTerminal, TerminalPrinter
from .streams import Printer, read


class PlainConsole:
    """Runs a server from stdin and stdout, line by line, for scripts, pipes and simple terminals.

    No stream can stall the chat: each has a thread of its own, and output to stdout or stderr is dropped, and
    counted on stderr, once more than 16 MiB are waiting.

    Args:
        server: the server, which need not be started yet.
        line_history: keep what is typed on a terminal for the next time.
    """

    def __init__(self, server: ChatServer, *, line_history: bool = False) -> None:
        self._server = server
        self.ending: Callable[[], object] = lambda: None
        """Is called when the end begins."""
        self._ended = asyncio.Event()
        # By descriptor: at exit, a thread that waits for a reader must not hold a stream's lock.
        output, errors = sys.stdout.fileno(), sys.stderr.fileno()
        self._terminal = _shared_terminal()
        printer = Printer if self._terminal is None else TerminalPrinter
        self._printer = printer(output, self.tell)
        self._line: LineTerminal | None = None
        self._history = LineHistory(self.tell) if line_history else None
        # If both are the same file, a single printer keeps each line whole.
        one = os.path.sameopenfile(output, errors)
        self._asides = self._printer if one else Printer(errors, lambda problem: None)
        self._typed = self._framer()
        self._taken = threading.Semaphore(1)
        self._events: list[Event] = []  # of this turn of the event loop
        self._operator = server.operator(self._note, self.end)

    async def serve(self) -> int:
        """Take the operator's lines until `end` is called; the end of stdin does not end it.

        Returns:
            The program's exit code, 0.
        """
        loop = asyncio.get_running_loop()
        # Not earlier: whoever reads the first line may send a signal, and it must be handled by then.
        for printer in {self._printer, self._asides}:
            printer.start()
        try:
            await asyncio.sleep(0)  # what has happened is printed first
            self._line = self._start_line()
            threading.Thread(target=self._read, args=(loop,), name="stdin", daemon=True).start()
            await self._ended.wait()
            await self._server.stop()
            self._tell()
            await self._close()
        finally:
            if self._line is not None:
                self._line.close()
        return 0

    def end(self) -> None:
        """Make `serve` say goodbye to everybody and return."""
        self.ending()
        self._ended.set()

    def tell(self, text: str) -> None:
        """Print something on stderr that is not part of the transcript."""
        self._asides.print(f"chat-console: {text}")

    def _start_line(self) -> LineTerminal | None:
        """Take the terminal on which lines are typed below what is printed, if there is one."""
        if self._terminal is None or not isinstance(self._printer, TerminalPrinter):
            return None
        # Not earlier: the widths of characters take a while to import, and the port is open by now.
        from .typed_line import TypedLine

        typed = TypedLine(self._server.settings.max_line + 1)  # so that a longer one is told of, as any is
        if self._history is not None:
            self._history.recall(typed.remember)
        line = LineTerminal(self._terminal, self._printer, typed)
        line.start()
        return line

    async def _close(self) -> None:
        if self._history is not None:
            await self._history.close()
        if self._line is not None:
            self._line.clear()
        for printer in (self._printer, self._asides):
            await asyncio.to_thread(printer.close, timeout=1.0)

    def _note(self, event: Event) -> None:
        if not self._events:
            # Usually after the turn's fan-out, which everybody is waiting for.
            asyncio.get_running_loop().call_soon(self._tell)
        self._events.append(event)

    def _tell(self) -> None:
        """Print what has happened."""
        events, self._events = self._events, []
        tellings = [(event, told(event)) for event in events]
        texts = [telling.transcript(event) for event, telling in tellings if telling.transcript]
        if texts:
            self._printer.print("\n".join(texts))
        for event, telling in tellings:
            if telling.aside:
                self.tell(telling.aside(event))

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        """Pass on what stdin brings, one piece at a time, so that a long file is not read in advance."""

        def hand_over(data: bytes) -> None:
            self._taken.acquire()
            loop.call_soon_threadsafe(self._take, data)

        # The terminal is gone, stdin was closed, or the loop has ended.
        with suppress(OSError, ValueError, RuntimeError):
            # A duplicate: if stdin is closed, the thread must not read from whatever reuses its number.
            with open(os.dup(sys.stdin.fileno()), "rb", buffering=0) as stdin:
                read(stdin.fileno(), hand_over)

    def _take(self, data: bytes) -> None:
        """Run the lines in `data`; an empty piece is an end of file, after which input starts again."""
        try:
            typed = self._line.feed(data) if self._line is not None else None
            for line in self._framed(data) if typed is None else self._kept(typed):
                self._operator.operate(line)
        finally:
            self._taken.release()

    def _framed(self, data: bytes) -> list[Line]:
        if data:
            return self._typed.receive(data)
        lines, self._typed = self._typed.end(), self._framer()
        return lines

    def _kept(self, typed: list[str]) -> list[Line]:
        if self._history is not None:
            for line in typed:
                self._history.append(line)
        return self._typed.receive("".join(f"{line}\n" for line in typed).encode())

    def _framer(self) -> LineFramer:
        settings = self._server.settings
        return LineFramer(settings.max_line, settings.max_subnegotiation)


def _shared_terminal() -> int | None:
    """Return the descriptor of the terminal that is both stdin and stdout, if things can be erased on it."""
    with suppress(OSError, ValueError):  # stdin may be closed
        terminal = sys.stdin.fileno()
        shared = os.isatty(terminal) and os.path.sameopenfile(terminal, sys.stdout.fileno())
        if shared and not is_dumb():
            return terminal
    return None
