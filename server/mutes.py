"""Timers for the mutes that expire, because the room has no clock of its own."""

from __future__ import annotations

from collections.abc import Callable

from .room.entries import MuteExpired
from .room.events import Event, Left, Muted
from .timing import Loop, Timer


class MuteTimers:
    """Submits a `MuteExpired` for each mute whose time is up.

    Args:
        loop: provides the timers.
        now: the wall clock, in seconds since the epoch.
        submit: receives the entries.
    """

    def __init__(self, loop: Loop, now: Callable[[], float], submit: Callable[[MuteExpired], object]) -> None:
        self._loop = loop
        self._now = now
        self._submit = submit
        self._timers: dict[int, Timer] = {}

    def watch(self, event: Event) -> None:
        """Start or cancel a mute's timer if `event` calls for it."""
        if isinstance(event, Muted) or (self._timers and isinstance(event, Left)):
            if timer := self._timers.pop(event.member_id, None):
                timer.cancel()
            if isinstance(event, Muted) and event.muted and event.seconds is not None:
                member_id, since = event.member_id, event.time
                self._timers[member_id] = self._loop.call_later(
                    event.seconds, lambda: self._submit(MuteExpired(self._now(), member_id, since))
                )

    def close(self) -> None:
        """Cancel all timers, so that nothing more is submitted."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
