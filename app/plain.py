"""The plain console: the operator's transcript on stdout, the operator's lines from stdin."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from ..server.chat_server import ChatServer
from ..server.room.events import Event
from ..server.room.told import told
from ..server.wire.framing import LineFramer
from .streams import Printer, read


class PlainConsole:
    """Runs a server from stdin and stdout, line by line, for scripts, pipes and simple terminals.

    No stream can stall the chat: each has a thread of its own, and output to stdout or stderr is dropped, and
    counted on stderr, once more than 16 MiB are waiting.
    """

    def __init__(self, server: ChatServer) -> None:
        self._server = server
        self.ending: Callable[[], object] = lambda: None
        """Is called when the end begins."""
        self._ended = asyncio.Event()
        # By descriptor: at exit, a thread that waits for a reader must not hold a stream's lock.
        output, errors = sys.stdout.fileno(), sys.stderr.fileno()
        self._printer = Printer(output, self.tell)
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
        threading.Thread(target=self._read, args=(loop,), name="stdin", daemon=True).start()
        await self._ended.wait()
        await self._server.stop()
        self._tell()
        await asyncio.to_thread(self._printer.close, timeout=1.0)
        await asyncio.to_thread(self._asides.close, timeout=1.0)
        return 0

    def end(self) -> None:
        """Make `serve` say goodbye to everybody and return."""
        self.ending()
        self._ended.set()

    def tell(self, text: str) -> None:
        """Print something on stderr that is not part of the transcript."""
        self._asides.print(f"chat-console: {text}")

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
            lines = self._typed.receive(data) if data else self._typed.end()
            if not data:
                self._typed = self._framer()
            for line in lines:
                self._operator.operate(line)
        finally:
            self._taken.release()

    def _framer(self) -> LineFramer:
        settings = self._server.settings
        return LineFramer(settings.max_line, settings.max_subnegotiation)
