"""Who floods the chat. Pure: the clock is handed in."""

from __future__ import annotations

from collections.abc import Callable

FAST_LINES = 15
"""How many lines within a minute make a flood, if the last of them came so fast that the log folds them."""

MANY_LINES = 60
"""How many do in any case, even if others speak in between."""

REMEMBERED = 60.0
"""For how many seconds after its last line somebody counts as flooding, and is not warned of again."""

MOST_WARNINGS = 8
"""How many warnings there are in that time. Of a whole crowd that floods, the list has the others."""


class Warned:
    """A warning in the log, which is kept up to date while the flood goes on."""

    __slots__ = ("at", "rate", "serial", "shown_at", "time")

    def __init__(self, serial: int, time: float, rate: int, now: float) -> None:
        self.serial = serial
        self.time = time
        self.rate = rate
        self.at = self.shown_at = now


class Floods:
    """Notes who says too much. Users are ids; every `now` is in monotonic seconds.

    Args:
        rate: how many lines a user has said in the last 60 s, by its id and `now`.
    """

    def __init__(self, rate: Callable[[int, float], int]) -> None:
        self._rate = rate
        self._floods: dict[int, float] = {}  # in the order of their beginnings, when each flood went on
        self._warnings: dict[int, Warned] = {}

    @property
    def count(self) -> int:
        """How many have flooded within the last minute, as of the last call of `flooders` at least."""
        return len(self._floods)

    def newest(self) -> int | None:
        """Return whose flood began last."""
        return next(reversed(self._floods), None)

    def flooders(self, now: float) -> list[int]:
        """Return who has flooded within the last minute, the latest to begin first."""
        for who in [who for who, at in self._floods.items() if now - at >= REMEMBERED]:
            del self._floods[who]
        return [*reversed(self._floods)]

    def spoke(self, who: int, now: float, *, fast: bool) -> int:
        """Note that a user has spoken; return how many lines a minute if that is a flood, and 0 if not.

        `fast` says that the log folds what it says.
        """
        rate = self._rate(who, now)
        if rate < (FAST_LINES if fast else MANY_LINES):
            return 0
        if now - self._floods.get(who, now) >= REMEMBERED:
            del self._floods[who]
        self._floods[who] = now
        return rate

    def warning(self, who: int, now: float) -> Warned | None:
        """Return the warning of a user's flood, if there was one within the last minute."""
        warned = self._warnings.get(who)
        return warned if warned and now - warned.at < REMEMBERED else None

    def may_warn(self, now: float) -> bool:
        """Whether there may be one more warning."""
        self._warnings = {who: each for who, each in self._warnings.items() if now - each.at < REMEMBERED}
        return len(self._warnings) < MOST_WARNINGS

    def warned(self, who: int, serial: int, time: float, rate: int, now: float) -> None:
        """Note the serial of a warning in the log, and the time of that entry."""
        self._warnings[who] = Warned(serial, time, rate, now)

    def forget(self, who: int) -> None:
        """Somebody floods no more: it is muted, or has left. There is still but one warning a minute."""
        self._floods.pop(who, None)
