"""Rate limiting. Pure: the caller passes the time in."""

from __future__ import annotations

_HAIR = 1e-6
"""Tokens that may be missing: the sum of many small steps is not exact."""


class TokenBucket:
    """Allows `burst` tokens at once after a quiet period, and `rate` a second in the long run.

    All times are from one monotonic clock, in seconds.
    """

    __slots__ = ("_burst", "_rate", "_then", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._then = now

    def take(self, cost: float, now: float) -> bool:
        """Take `cost` tokens if available, and return whether they were. A cost is capped at `burst`."""
        if self.wait(cost, now) > 0:
            return False
        self._tokens -= min(cost, self._burst)
        return True

    def wait(self, cost: float, now: float) -> float:
        """How many seconds until `take(cost)` succeeds; 0 if it would now."""
        missing = min(cost, self._burst) - self.available(now)
        return (missing + _HAIR) / self._rate if missing > 0 else 0.0

    def available(self, now: float) -> float:
        """How many tokens may be taken now."""
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._then) * self._rate)
        self._then = now
        return self._tokens + _HAIR
