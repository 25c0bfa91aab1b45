"""The event stream: events in order, with floods spread over several turns of the event loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from .room.events import Event

_TOLD_AT_ONCE = 256  # events of a flood, per turn


class EventStream:
    """Passes events on in order: single ones at once, a flood in parts, one per turn of the event loop.

    Args:
        tell: receives each event.
        call_soon: schedules a call for the next turn, like `loop.call_soon`.
    """

    def __init__(
        self, tell: Callable[[Event], object], call_soon: Callable[[Callable[[], None]], object]
    ) -> None:
        self._tell = tell
        self._call_soon = call_soon
        self._waiting: deque[Iterator[Event]] = deque()
        self._is_held = False

    @property
    def waits(self) -> bool:
        """Whether some events have not been passed on yet."""
        return bool(self._waiting)

    def emit(self, event: Event) -> None:
        """Pass on `event`, after any that still wait."""
        if self._waiting or self._is_held:
            self._waiting.append(iter((event,)))
        else:
            self._tell(event)

    def emit_all(self, events: Iterable[Event]) -> None:
        """Pass on `events`, after any that still wait. They may be generated lazily."""
        self._waiting.append(iter(events))
        if len(self._waiting) == 1 and not self._is_held:
            self._go_on()

    def hold(self) -> None:
        """Let all that comes from now on wait for `go_on_after`."""
        self._is_held = True

    def go_on_after(self, event: Event) -> None:
        """Pass on `event`, and then what was held."""
        self._tell(event)
        self._is_held = False
        self._go_on()

    def _go_on(self) -> None:
        left = _TOLD_AT_ONCE
        try:
            while self._waiting and left:
                for event in islice(self._waiting[0], left):
                    left -= 1
                    self._tell(event)
                if left:
                    self._waiting.popleft()
        finally:
            if self._waiting:
                self._call_soon(self._go_on)
