"""What Ctrl+Z lifts: the last mute or ban, for a while. Pure: the caller passes the time in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

UNDO_TIME = 60.0
"""How long after it an action can be undone, in seconds."""

LIMIT = 100
"""How many actions are kept at most."""

HINT = "Ctrl+Z undoes"
"""Is shown beside what can be undone."""

NOTHING = "nothing to undo"


@dataclass(frozen=True, slots=True)
class MuteDone:
    """A user was muted. To undo it, unmute that id."""

    user_id: int
    name: str
    was_muted: bool
    """Whether it replaced an older mute, which is lost."""

    @property
    def hint(self) -> str:
        """What the key does, in words for the answer row."""
        return "Ctrl+Z unmutes, and lifts the mute before it too" if self.was_muted else HINT

    @property
    def undone(self) -> str:
        """What is said when it has been undone."""
        older = "; the mute before it is lifted too" if self.was_muted else ""
        return f"{self.name} is unmuted{older}"


@dataclass(frozen=True, slots=True)
class BanDone:
    """Networks were banned by one act. To undo it, unban each."""

    networks: tuple[str, ...]
    """As the command `/unban` takes each."""
    replaced: tuple[str, ...] = ()
    """Those of them that had been banned before; that ban is lost."""

    @property
    def hint(self) -> str:
        """What the key does, in words for the answer row."""
        return f"Ctrl+Z unbans, and lifts {self._older} too" if self.replaced else HINT

    @property
    def undone(self) -> str:
        """What is said when it has been undone."""
        *others, last = self.networks
        shown = f"{', '.join(others)} and {last} are" if others else f"{last} is"
        verb = "is" if len(self.replaced) == 1 else "are"
        older = f", and {self._older} {verb} lifted too" if self.replaced else ""
        return f"{shown} no longer banned{older}; whoever it dropped may come back"

    def without(self, network: str) -> BanDone:
        """The same act without what it did to that network."""
        networks, replaced = (
            tuple(one for one in those if one != network) for those in (self.networks, self.replaced)
        )
        return BanDone(networks, replaced)

    @property
    def _older(self) -> str:
        return "the ban before it" if len(self.replaced) == 1 else "the bans before it"


@dataclass(frozen=True, slots=True)
class KickDone:
    """A user was kicked, for good: a connection does not come back."""

    name: str

    @property
    def hint(self) -> str:
        """Nothing: the key does nothing."""
        return ""

    @property
    def undone(self) -> str:
        """What is said instead of undoing it."""
        return f"a kick cannot be undone; {self.name} may join again"


Done: TypeAlias = MuteDone | BanDone | KickDone
"""An action on a user, as Ctrl+Z knows it."""


class Undo:
    """The operator's last actions on users, of which the newest is undone first.

    All times are from one monotonic clock, in seconds.
    """

    def __init__(self) -> None:
        self._done: deque[tuple[float, Done]] = deque(maxlen=LIMIT)

    def muted(self, user_id: int, name: str, was_muted: bool, now: float) -> MuteDone:
        """A user was muted, who `was_muted` already or not."""
        if was_muted:
            # Undone it would be unmuted altogether: one of them is enough.
            self.unmuted(user_id)
        done = MuteDone(user_id, name, was_muted)
        self._done.append((now, done))
        return done

    def banned(self, networks: Sequence[str], replaced: Sequence[str], now: float) -> BanDone:
        """Networks were banned, of which those of `replaced` had been banned already."""
        for network in networks:
            self.unbanned(network)
        done = BanDone(tuple(networks), tuple(replaced))
        self._done.append((now, done))
        return done

    def kicked(self, name: str, now: float) -> KickDone:
        """A user was kicked."""
        done = KickDone(name)
        self._done.append((now, done))
        return done

    def unmuted(self, user_id: int) -> None:
        """A user is not muted any more, or has left: there is nothing left to undo."""
        self._forget(lambda done: isinstance(done, MuteDone) and done.user_id == user_id)

    def unbanned(self, network: str) -> None:
        """A network is not banned any more."""
        for place, (at, done) in enumerate(self._done):
            if isinstance(done, BanDone) and network in done.networks:
                self._done[place] = at, done.without(network)
        self._forget(lambda done: isinstance(done, BanDone) and not done.networks)

    def last(self, now: float) -> Done | None:
        """What Ctrl+Z is about; None if there is nothing to undo."""
        while self._done and now - self._done[0][0] > UNDO_TIME:
            self._done.popleft()
        return self._done[-1][1] if self._done else None

    def take(self, now: float) -> Done | None:
        """The same, for the last time: the next one is about what was done before.

        A kick is taken too: once it has been said that it stays, the key is about what was done before.
        """
        last = self.last(now)
        if last is not None:
            self._done.pop()
        return last

    def _forget(self, over: Callable[[Done], bool]) -> None:
        self._done = deque((item for item in self._done if not over(item[1])), maxlen=LIMIT)
