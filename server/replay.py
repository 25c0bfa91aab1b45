"""Replay: what was said last, for those who join."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable

from .room import notices
from .room.events import Event, OperatorSaid, Said


class Replay:
    """Keeps the last public lines, and makes of them the text that a newcomer gets.

    Args:
        lines: how many are kept.
        most_bytes: how long the text may be; the oldest lines are left out.
    """

    def __init__(self, lines: int, most_bytes: int) -> None:
        self._lines: deque[tuple[float, str, str]] = deque(maxlen=lines)
        self._most_bytes = most_bytes
        self._text: str | None = ""  # made when somebody joins, and kept until something is said

    def watch(self, event: Event) -> None:
        """Keep what `event` says to everybody, if it says something."""
        if isinstance(event, Said):
            self._lines.extend((event.time, event.name, text) for text in event.texts)
        elif isinstance(event, OperatorSaid):
            self._lines.append((event.time, event.name, event.text))
        else:
            return
        self._text = None

    def watch_all(self, events: Iterable[Event]) -> None:
        """Keep what was said before, oldest first."""
        for event in events:
            self.watch(event)

    def text(self) -> str:
        """Return the lines, joined by LF, each with its date and time; empty if there are none."""
        if self._text is None:
            self._text = self._made()
        return self._text

    def _made(self) -> str:
        lines: list[str] = []
        left = self._most_bytes
        for at, name, text in reversed(self._lines):
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
            line = notices.replayed(when, name, text)
            left -= len(line.encode()) + 1
            if left < 0:
                break
            lines.append(line)
        return "\n".join(reversed(lines))
