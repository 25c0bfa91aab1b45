"""Runs work that would block the event loop, such as writing a file, on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """Runs one piece of work after another on a daemon thread, which exits when there is none left.

    Call the methods from the thread of the running event loop. A disk that hangs cannot keep the program
    from exiting.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[[], Any], Callable[[Any], object]]] = deque()
        self._idle = asyncio.Event()
        self._idle.set()

    def run(self, work: Callable[[], T], done: Callable[[T], object], /) -> None:
        """Call `done` on the loop with the result of `work`, which must not raise."""
        self._waiting.append((work, done))
        if self._idle.is_set():
            self._idle.clear()
            self._start()

    async def finished(self) -> None:
        """Wait until all work is done."""
        await self._idle.wait()

    def _start(self) -> None:
        work, done = self._waiting.popleft()
        loop = asyncio.get_running_loop()

        def run() -> None:
            result = work()
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._finish, done, result)

        threading.Thread(target=run, name="background", daemon=True).start()

    def _finish(self, done: Callable[[T], object], result: T) -> None:
        try:
            done(result)
        finally:
            if self._waiting:
                self._start()
            else:
                self._idle.set()
