"""How late a node reads entries, though its clock and that of the engine never agree."""

from __future__ import annotations

import math

_WINDOW = 60.0  # seconds


class Lateness:
    """Measures by how much longer an entry took to come than the fastest one of the last minute or two."""

    def __init__(self) -> None:
        self._since = -math.inf
        self._least = self._least_before = math.inf

    def of(self, time: float, now: float) -> float:
        """Return how late an entry comes, in seconds.

        Args:
            time: when it was put into the log, by the engine's clock.
            now: when it comes, by a monotonic clock of this node.
        """
        if now - self._since > _WINDOW:
            self._since = now
            self._least, self._least_before = math.inf, self._least
        took = now - time
        self._least = min(self._least, took)
        return took - min(self._least, self._least_before)
