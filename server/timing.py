"""What the server needs from an event loop: asyncio's will do, and a test can use one with a fake clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A scheduled call, such as `asyncio.TimerHandle`."""

    def cancel(self) -> None:
        """Cancel the call."""
        ...


class Loop(Protocol):
    """An event loop, as far as the chat needs one."""

    def time(self) -> float:
        """A monotonic clock, in seconds."""
        ...

    def call_soon(self, call: Callable[[], object], /) -> object:
        """Call `call` in the loop's next turn."""
        ...

    def call_later(self, seconds: float, call: Callable[[], object], /) -> Timer:
        """Call `call` after `seconds`."""
        ...
