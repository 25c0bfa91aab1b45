"""What came while the operator was away. Pure: every time is handed in, in seconds since the epoch."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence

from ..server.room.events import Joined, Left
from ..widgets.counts import count_text
from ..widgets.entry import Entry, Kind
from .readable import Gap, Item, Move

LOOKED_AWAY = 5.0
"""Seconds without the terminal's focus before the operator counts as away: a glance elsewhere is none."""

IDLE = 300.0
"""Seconds without a key after which the operator counts as away."""

_CALLING = (Kind.PRIVATE, Kind.WARNING, Kind.ERROR)
"""The kinds of what the operator should read on return."""


class Away:
    """Keeps one rule in the log for each absence: where it began, and what has come in it.

    The rule is appended with the first line that comes, since what is in the log keeps its place, and
    replaced once the operator is back. Nothing came: no rule.
    """

    def __init__(self, now: float) -> None:
        self._key_at = now
        self._blurred_at: float | None = None
        self._since = self._ruled_at = now
        self._due = False  # the rule is on its way into the log
        self._rule: int | None = None
        self._counts: Counter[str] = Counter()
        self._coming: list[int] = []
        self._places: deque[int] = deque()

    def focus(self, has: bool, now: float) -> tuple[int, Entry] | None:
        """The terminal got or lost the focus; returns as `key` does."""
        if has:
            return self.key(now)
        if self._blurred_at is None:
            self._blurred_at = now
        return None

    def key(self, now: float) -> tuple[int, Entry] | None:
        """The operator did something; if that ends an absence, return its rule's serial and final text."""
        self._key_at = now
        self._blurred_at = None
        if self._rule is None:
            return None
        serial, self._rule = self._rule, None
        self._places = deque((serial, *self._coming))
        return serial, Entry(self._ruled_at, Kind.RULE, "", self._told(now))

    def rule(self, items: Sequence[Item], now: float) -> Entry | None:
        """Return the rule that goes before `items`, if they are the first to come in an absence."""
        since = self._away_since(now)
        if since is None or self._rule is not None or not any(map(_what, items)):
            return None
        self._due = True
        self._since, self._ruled_at = since, items[0].time
        self._counts.clear()
        self._coming.clear()
        return Entry(self._ruled_at, Kind.RULE, "", f"away since {_clock(since)}")

    def wrote(self, serial: int, items: Iterable[Item], appended: Sequence[Entry]) -> None:
        """Count `items`, which made the log append entries from that serial on: the rule first, if due."""
        if self._due:
            self._due, self._rule = False, serial
        if self._rule is None:
            return
        for item in items:
            if what := _what(item):
                self._counts[what] += item.lines if isinstance(item, Gap) else 1
        self._coming += [serial + place for place, entry in enumerate(appended) if entry.kind in _CALLING]

    def next_place(self) -> int | None:
        """Return the next serial to read after an absence: the rule, then each line that calls for it."""
        return self._places.popleft() if self._places else None

    def _away_since(self, now: float) -> float | None:
        if self._blurred_at is not None and now - self._blurred_at >= LOOKED_AWAY:
            return self._blurred_at
        return self._key_at + IDLE if now - self._key_at >= IDLE else None

    def _told(self, now: float) -> str:
        counts = self._counts
        lines = count_text(counts["line"], "line") if counts["line"] else ""
        private = f"{counts['private']:,} private" if counts["private"] else ""
        errors = count_text(counts["error"], "error") if counts["error"] else ""
        crowd = ", ".join(f"{counts[did]:,} {did}" for did in ("joined", "left") if counts[did])
        places = "F9 next" if self._coming else ""
        span = f"away {_clock(self._since)}–{_clock(now)}"  # noqa: RUF001
        return " · ".join(filter(None, (span, lines, private, errors, crowd, places)))


def _what(item: Item) -> str:
    """As what an item is counted; empty for what calls nobody."""
    match item:
        case Gap() | Entry(kind=Kind.CHAT | Kind.SILENCED):
            return "line"
        case Entry(kind=Kind.PRIVATE):
            return "private"
        case Entry(kind=Kind.ERROR):
            return "error"
        case Move(Joined()):
            return "joined"
        case Move(Left()):
            return "left"
        case _:
            return ""


def _clock(at: float) -> str:
    return time.strftime("%H:%M", time.localtime(at))
