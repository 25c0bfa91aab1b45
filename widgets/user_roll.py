"""Who is here, in an order, and what a row of the list says of each. Pure: the clock is handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from ..server.room.text import clean
from .activity import Activity
from .list_header import Listing
from .user_order import Key, Order, UserOrder
from .user_row import Parts, Row, User, lay_out_row, state_of, time_idle


class UserRoll(UserOrder):
    """Users in one of the orders that the operator chooses from.

    Args:
        activity: How much everybody says.
        alike: What a name has in common with each name that looks like it; such users show their address.
        clock: Monotonic seconds, the clock of `User.since` and of `activity`.
    """

    def __init__(self, activity: Activity, alike: Callable[[str], str], clock: Callable[[], float]) -> None:
        self.clock = clock
        self.order = Order.JOINED
        self.pending: Mapping[int, int] = {}
        """How many private lines of each user, by id, wait for an answer."""
        self._activity = activity
        super().__init__(self._ranking(), alike)

    @property
    def listing(self) -> Listing:
        """What the header of the list tells."""
        return Listing(len(self.users), self.matches, self.query, self.order)

    def sorting(self) -> Iterator[None]:
        """Sort the users by `order`; see `resort`."""
        return self.resort(self._ranking())

    def look(self, row: int, width: int, now: float) -> Parts | None:
        """Return what a row shows at `now` in `width` cells; None if there is no such row."""
        if row >= len(self.shown):
            return None
        user = self.users[self.shown[row]]
        activity = self._activity
        idle = activity.idle(user.id, now)
        rate, pending = activity.rate(user.id, now), self.pending.get(user.id, 0)
        shown = Row(
            user.name,
            user.address if self.has_double(user) else "",
            state_of(user, rate=rate, pending=pending, now=now),
            activity.history(user.id, now),
            time_idle(now - user.since if idle is None else idle),
            user.node,
        )
        return lay_out_row(shown, width)

    def _ranking(self) -> Key:
        now = self.clock()
        match self.order:
            case Order.JOINED:
                return lambda user: 0.0
            case Order.NAME:
                return lambda user: clean(user.name).casefold()
            case Order.IDLE:
                return partial(self._last_heard, now=now)
            case Order.LOUD:
                return partial(self._quiet, now=now)

    def _last_heard(self, user: User, now: float) -> float:
        idle = self._activity.idle(user.id, now)
        return user.since if idle is None else now - idle

    def _quiet(self, user: User, now: float) -> float:
        """Return less the more `user` says. Unanswered private lines count as one a minute each."""
        idle = self._activity.idle(user.id, now)
        pending = self.pending.get(user.id, 0)
        loud = max(self._activity.rate(user.id, now), pending) + (0.5 if pending else 0.0)
        return (0.5 if idle is None else idle / (2 * idle + 600)) - loud
