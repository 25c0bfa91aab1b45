"""How often something may happen. Pure: the clock is handed in."""

from __future__ import annotations

_HAIR = 1e-6
"""May be missing: the sum of many small steps is not exact."""


class TokenBucket:
    """Allows `burst` at once after a quiet time, and `rate` a second in the long run.

    All times are those of one monotonic clock, in seconds.
    """

    __slots__ = ("_burst", "_rate", "_then", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._then = now

    def take(self, cost: float, now: float) -> bool:
        """Take `cost` tokens if they are there, and say whether they were. None costs more than `burst`."""
        if self.wait(cost, now) > 0:
            return False
        self._tokens -= min(cost, self._burst)
        return True

    def wait(self, cost: float, now: float) -> float:
        """How many seconds it takes until `take(cost)` succeeds; 0 if it does now."""
        missing = min(cost, self._burst) - self.available(now)
        return (missing + _HAIR) / self._rate if missing > 0 else 0.0

    def available(self, now: float) -> float:
        """How much may be taken now."""
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._then) * self._rate)
        self._then = now
        return self._tokens + _HAIR
