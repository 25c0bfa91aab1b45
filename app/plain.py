"""The plain console: the operator's transcript on stdout, the operator's lines from stdin."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable

from ..server import notices
from ..server.chat_server import ChatServer
from ..server.events import (
    Event,
    Failed,
    Joined,
    LeaveReason,
    Left,
    MessagedOperator,
    Muted,
    OperatorMessaged,
    QuitRequested,
    Refused,
    Renamed,
    Replied,
    Said,
    Started,
)
from ..server.framing import LineFramer

_MAX_UNPRINTED = 16 << 20  # bytes that may wait for a reader of stdout


def transcript(event: Event) -> str | None:
    """What the plain console prints for `event`; None for what the operator has just typed."""
    match event:
        case Started():
            return notices.server_started(event.port)
        case Joined():
            return notices.welcome(event.address)
        case Renamed():
            return notices.is_now(event.old, event.new)
        case Said():
            return notices.said(event.name, event.texts)
        case MessagedOperator():
            return notices.private(event.name, event.text)
        case OperatorMessaged():
            return notices.message_sent(event.count, event.recipient)
        case Replied():
            return event.text
        case Left():
            return notices.has_left(event.name)
        case _:
            return None


def aside(event: Event) -> str | None:
    """What the plain console tells of `event` on stderr, for the transcript has no line for it."""
    match event:
        case Left(reason=LeaveReason.SLOW | LeaveReason.STALLED | LeaveReason.FAILED | LeaveReason.FOREIGN):
            return notices.was_dropped(event.name, event.reason.value)
        case Muted():
            return notices.is_muted(event.name) if event.muted else notices.is_heard(event.name)
        case Refused():
            return notices.refused(event.count, event.why, event.host)
        case Failed():
            return notices.failed(event.where, event.error)
        case _:
            return None


class PlainConsole:
    """Runs a server from stdin and stdout, line by line, for scripts, pipes and simple terminals.

    No stream can stall the chat: each has a thread of its own, and what nobody reads from stdout or stderr
    is dropped, and counted on stderr, when more than 16 MiB of it wait.
    """

    def __init__(self, server: ChatServer) -> None:
        self._server = server
        self._ended = asyncio.Event()
        # By descriptor: a thread that waits for a reader must not hold the lock of a stream at the end.
        self._asides = _Printer(sys.stderr.fileno(), lambda problem: None)
        self._printer = _Printer(sys.stdout.fileno(), self._tell_aside)
        self._typed = LineFramer(server.settings.max_line, server.settings.max_subnegotiation)
        self._taken = threading.Semaphore(1)
        self._events: list[Event] = []  # of this turn of the event loop
        server.subscribe(self._note)

    async def serve(self) -> int:
        """Take the operator's lines until `end` is called. The end of stdin ends nothing.

        Returns:
            The exit code of the program, 0.
        """
        loop = asyncio.get_running_loop()
        # Not before: whoever reads the first line may send a signal, and must find it handled.
        self._printer.start()
        self._asides.start()
        threading.Thread(target=self._read, args=(loop,), name="stdin", daemon=True).start()
        await self._ended.wait()
        await self._server.stop()
        self._tell()
        await asyncio.to_thread(self._printer.close, timeout=1.0)
        await asyncio.to_thread(self._asides.close, timeout=1.0)
        return 0

    def end(self) -> None:
        """Make `serve` say goodbye to everybody and return."""
        self._ended.set()

    def _note(self, event: Event) -> None:
        if not self._events:
            # Most often behind the turn's fan-out, which everybody waits for.
            asyncio.get_running_loop().call_soon(self._tell)
        self._events.append(event)
        if isinstance(event, QuitRequested):
            self.end()

    def _tell(self) -> None:
        """Print what has happened."""
        events, self._events = self._events, []
        texts = [text for event in events if (text := transcript(event)) is not None]
        if texts:
            self._printer.print("\n".join(texts))
        for event in events:
            if (text := aside(event)) is not None:
                self._tell_aside(text)

    def _tell_aside(self, text: str) -> None:
        self._asides.print(f"chat-console: {text}")

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand over what stdin brings, a piece at a time, so that a long file waits where it is."""
        try:
            while data := os.read(sys.stdin.fileno(), 1 << 16):
                self._taken.acquire()
                loop.call_soon_threadsafe(self._take, data)
            loop.call_soon_threadsafe(self._take_end)
        except (OSError, ValueError, RuntimeError):
            pass  # the terminal is gone, stdin was closed, or the loop has ended

    def _take(self, data: bytes) -> None:
        try:
            for line in self._typed.receive(data):
                self._server.operate(line)
        finally:
            self._taken.release()

    def _take_end(self) -> None:
        for line in self._typed.end():
            self._server.operate(line)


class _Printer:
    """Writes lines to a file descriptor from a thread of its own, all that wait in one write.

    Args:
        descriptor: where to.
        complain: is told, on any thread, when lines are not printed.
    """

    def __init__(self, descriptor: int, complain: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._complain = complain
        self._waiting: list[bytes] = []
        self._size = 0
        self._lost = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="printer", daemon=True)

    def start(self) -> None:
        """Begin to write; what was printed before has waited."""
        self._thread.start()

    def print(self, text: str) -> None:
        """Print `text`, one or more lines without the last line end. Never blocks."""
        data = text.encode() + b"\n"
        with self._changed:
            if self._size > _MAX_UNPRINTED or self._closed:
                self._lost += data.count(b"\n")
                return
            self._waiting.append(data)
            self._size += len(data)
            self._changed.notify()

    def close(self, timeout: float) -> None:
        """Wait until all is printed, at most `timeout` seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout)
        if self._lost:
            self._complain(notices.not_printed(self._lost))

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                data = memoryview(b"".join(self._waiting))
                self._waiting.clear()
            try:
                while data:
                    written = os.write(self._descriptor, data)
                    data = data[written:]
                    with self._changed:
                        self._size -= written
            except OSError as error:
                self._complain(notices.cannot_print(error.strerror or str(error)))
                with self._changed:
                    self._closed = True
                return
