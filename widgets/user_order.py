"""In which order users are listed, whom a filter shows, who has a double. Pure; cheap for 10,000 users."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import filterfalse

from ..server.room.text import clean
from .user_row import User

SLICE = 2_000
"""How many users are ranked before others get their turn: a few milliseconds' worth."""

BULK = 64
"""From how many changes on a list is gone through once, rather than searched for each of them."""


class Order(StrEnum):
    """What the list is sorted by; the value is what the operator reads."""

    JOINED = "joined"
    """Who has been here longest comes first."""
    NAME = "name"
    LOUD = "loud"
    """Who says most comes first, then who spoke last, then those who have said nothing."""
    IDLE = "idle"
    """Who has said nothing for longest comes first."""

    @property
    def next(self) -> Order:
        """The one after this, all in turn."""
        orders = list(Order)
        return orders[(orders.index(self) + 1) % len(orders)]


Key = Callable[[User], float | str]
"""What users are sorted by. It returns values of one type; equal ones are in order of joining."""

Rank = tuple[float | str, int]


class UserOrder:
    """Users in an order, and those whose name, address or node contains what is looked for.

    A user is an id. Its place is decided when it comes, and again by `resort`; in between nobody moves.

    Args:
        key: what the users are sorted by until the next `resort`.
        alike: what a name has in common with every name that looks like it.
    """

    def __init__(self, key: Key, alike: Callable[[str], str] = str.casefold) -> None:
        self.users: dict[int, User] = {}
        """The users by id."""
        self.query: str = ""
        """What is looked for, without regard to case; empty shows everybody."""
        self._key = key
        self._ranks: dict[int, Rank] = {}
        self._texts: dict[int, str] = {}
        self._all: list[int] = []
        self._shown = self._all  # the same list while nothing is looked for
        self._kept: int | None = None
        self._alike = alike
        self._names: Counter[str] = Counter()

    @property
    def shown(self) -> Sequence[int]:
        """The ids of the users who are shown, in their order."""
        return self._shown

    @property
    def matches(self) -> int:
        """How many users are what is looked for."""
        extra = self._kept is not None and not self._fits(self._kept)
        return len(self._shown) - extra

    def has_double(self, user: User) -> bool:
        """Whether somebody else has a name that looks like this user's."""
        return self._names[self._alike(user.name)] > 1

    def rank(self, user_id: int) -> Rank:
        """Return a user's place among all. It holds until the next `resort`, also when the user is gone."""
        return self._ranks[user_id]

    def row(self, rank: Rank) -> int:
        """Return at which place in `shown` that rank is, or would be."""
        return bisect_left(self._shown, rank, key=self._ranks.__getitem__)

    def row_of(self, user_id: int | None) -> int | None:
        """Return at which place in `shown` a user is; None if it is not there."""
        if user_id not in self.users:
            return None
        row = self.row(self._ranks[user_id])
        return row if row < len(self._shown) and self._shown[row] == user_id else None

    def apply(self, added: Iterable[User], changed: Iterable[User], removed: Iterable[int]) -> None:
        """Let users come, change and go. Unknown ids among `changed` and `removed` are ignored."""
        for user in added:
            if user.id in self.users:
                self._change(user)
            else:
                self._add(user)
        for user in changed:
            if user.id in self.users:
                self._change(user)
        self._remove(dict.fromkeys(user_id for user_id in removed if user_id in self.users))

    def look_for(self, query: str) -> None:
        """Show only those whose name, address or `@` node contains `query`, without regard to case."""
        query = query.casefold()
        within = self._shown if self.query in query else self._all
        self.query = query
        texts = self._texts
        self._shown = [user_id for user_id in within if query in texts[user_id]] if query else self._all
        if self._kept is not None:
            self._show(self._kept)

    def keep(self, user_id: int | None) -> None:
        """Show this user whatever is looked for, and no other such user."""
        kept, self._kept = self._kept, user_id
        if kept is not None and not self._fits(kept):
            self._hide(kept)
        if user_id is not None:
            self._show(user_id)

    def best(self, preferred: int | None = None) -> int | None:
        """Return who fits best what is looked for; None if nobody does.

        That is whose name it is, then whose name begins with it, then the first one shown. Of several it is
        the `preferred` one if it is among them.
        """
        texts = self._texts
        own = None if preferred is None else texts.get(preferred)
        for start in (f"{self.query}\n", self.query):
            if own is not None and own.startswith(start):
                return preferred
            fitting = (user_id for user_id in self._shown if texts[user_id].startswith(start))
            if (first := next(fitting, None)) is not None:
                return first
        if own is not None and self.query in own:
            return preferred
        return next(filter(self._fits, self._shown), None)

    def resort(self, key: Key) -> Iterator[None]:
        """Decide everybody's place anew; yield after each slice of work, so that others get their turn.

        Nothing changes before the last slice is done, and users may come and go meanwhile.
        """
        keys: dict[int, float | str] = {}
        ranks: dict[int, Rank] = {}

        def decide(user: User) -> None:
            keys[user.id] = found = key(user)
            ranks[user.id] = (found, user.id)

        for done, user in enumerate(list(self.users.values())):
            if done and done % SLICE == 0:
                yield
            decide(user)
        yield
        for user_id in self.users.keys() - ranks.keys():
            decide(self.users[user_id])
        for user_id in ranks.keys() - self.users.keys():
            del ranks[user_id]
        self._key, self._ranks = key, ranks
        # By the keys alone, which is faster; the sort is stable, so equal ones stay in order of joining.
        self._all[:] = sorted(sorted(self.users), key=keys.__getitem__)
        if self.query:
            self._shown = [user_id for user_id in self._all if user_id == self._kept or self._fits(user_id)]

    def _fits(self, user_id: int) -> bool:
        return self.query in self._texts.get(user_id, "")

    def _add(self, user: User) -> None:
        self.users[user.id] = user
        self._ranks[user.id] = (self._key(user), user.id)
        self._texts[user.id] = _text(user)
        self._names[self._alike(user.name)] += 1
        self._insert(self._all, user.id)
        if self.query and self._fits(user.id):
            self._insert(self._shown, user.id)

    def _change(self, user: User) -> None:
        self._forget_name(user.id)
        self._names[self._alike(user.name)] += 1
        self.users[user.id] = user
        self._texts[user.id] = _text(user)
        if self._fits(user.id) or user.id == self._kept:
            self._show(user.id)
        else:
            self._hide(user.id)

    def _remove(self, gone: Mapping[int, object]) -> None:
        if self._kept in gone:
            self._kept = None
        for ids in [self._all] if self._shown is self._all else [self._all, self._shown]:
            if len(gone) > BULK:
                ids[:] = filterfalse(gone.__contains__, ids)
            else:
                for user_id in gone:
                    self._delete(ids, user_id)
        for user_id in gone:
            self._forget_name(user_id)
            del self.users[user_id], self._ranks[user_id], self._texts[user_id]

    def _forget_name(self, user_id: int) -> None:
        name = self._alike(self.users[user_id].name)
        self._names[name] -= 1
        if not self._names[name]:
            del self._names[name]

    def _show(self, user_id: int) -> None:
        """Show a user; it may be shown already."""
        if self.row_of(user_id) is None:
            self._insert(self._shown, user_id)

    def _hide(self, user_id: int) -> None:
        """Show a user no longer, if it is not what is looked for."""
        if self._shown is not self._all:
            self._delete(self._shown, user_id)

    def _insert(self, ids: list[int], user_id: int) -> None:
        ranks = self._ranks
        if not ids or ranks[ids[-1]] < ranks[user_id]:
            ids.append(user_id)
        else:
            insort(ids, user_id, key=ranks.__getitem__)

    def _delete(self, ids: list[int], user_id: int) -> None:
        row = bisect_left(ids, self._ranks[user_id], key=self._ranks.__getitem__)
        if row < len(ids) and ids[row] == user_id:
            del ids[row]


def _text(user: User) -> str:
    node = f"\n@{clean(user.node)}" if user.node else ""
    return f"{clean(user.name)}\n{clean(user.address)}{node}".casefold()
