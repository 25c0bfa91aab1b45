"""Work that would hold the event loop, such as writing a file, on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """Runs one piece of work after the other on a thread, which ends when there is none.

    It belongs to the event loop that it is made on; the methods are for that loop's thread. A disk that
    never answers keeps nobody from ending the program.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
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
        """Wait until nothing is left to do."""
        await self._idle.wait()

    def _start(self) -> None:
        work, done = self._waiting.popleft()
        threading.Thread(target=self._work, args=(work, done), name="background", daemon=True).start()

    def _work(self, work: Callable[[], T], done: Callable[[T], object]) -> None:
        result = work()
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._finish, done, result)

    def _finish(self, done: Callable[[T], object], result: T) -> None:
        try:
            done(result)
        finally:
            if self._waiting:
                self._start()
            else:
                self._idle.set()
