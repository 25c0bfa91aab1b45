"""Counts the connections that were turned away: a storm of them is one event a minute."""

from __future__ import annotations

from collections.abc import Callable

from ..repeats import Repeats
from ..room.events import Refused
from ..timing import Loop


class Refusals:
    """Reports the first refusal for a reason at once, and the following ones once a minute.

    Args:
        emit: receives the events.
        now: the wall clock, in seconds since the epoch.
        loop: provides the timers.
    """

    def __init__(self, emit: Callable[[Refused], None], now: Callable[[], float], loop: Loop) -> None:
        self._emit = emit
        self._now = now
        self._hosts: dict[str, str] = {}  # the last one for each reason
        self._repeats: Repeats[str] = Repeats(self._tell, loop)
        self.close = self._repeats.close
        """Report what has not been reported, then count nothing more."""

    def add(self, why: str, host: str) -> None:
        """Count a connection from `host` that was turned away for the reason `why`."""
        self._hosts[why] = host
        self._repeats.add(why)

    def _tell(self, why: str, count: int) -> None:
        self._emit(Refused(self._now(), count, why, self._hosts[why]))
