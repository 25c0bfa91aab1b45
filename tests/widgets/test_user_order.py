"""The order of the list and its filter: against a model that sorts and looks at everybody each time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.steps import steps

from chat_console.widgets.user_order import BULK, SLICE, Key, Order, UserOrder
from chat_console.widgets.user_row import User

names = st.text("abAB1", min_size=1, max_size=3)
queries = st.text("abAB1|0", max_size=3)


def user(user_id: int, name: str = "") -> User:
    return User(user_id, name or f"user{user_id}", f"10.0.0.{user_id % 3}|{user_id}", user_id)


def by_joining(_: User) -> float:
    return 0.0


def by_name(user: User) -> str:
    return user.name.casefold()


def by_address(user: User) -> str:
    return user.address


KEYS: list[Key] = [by_joining, by_name, by_address]


class OrderMachine(RuleBasedStateMachine):
    """Whatever comes, changes and goes, and whatever is looked for: those who fit are shown, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.order = UserOrder(by_joining)
        self.users: dict[int, User] = {}
        self.key: Key = by_joining
        # Whom the key placed where, when they came or when the list was last resorted.
        self.placed: dict[int, object] = {}
        self.kept: int | None = None
        self.query = ""
        self.newest = 0

    def come(self, names: list[str]) -> list[User]:
        come = [user(self.newest + number, name) for number, name in enumerate(names)]
        self.newest += len(come)
        return come

    @rule(
        names=st.lists(names, max_size=4),
        data=st.data(),
        renamed=st.lists(names, max_size=3),
        crowd=st.booleans(),
    )
    def apply(self, names: list[str], data: st.DataObject, renamed: list[str], crowd: bool) -> None:
        here = list(self.users)
        come = self.come(names + ["x"] * crowd * (BULK + 1))
        ids = st.sampled_from([*here, -1])
        change = [user(data.draw(ids), name) for name in renamed]
        gone = data.draw(st.lists(ids, max_size=3)) + here[:: 3 if crowd else 1000]
        self.order.apply(come, change, gone)
        for each in come:
            self.users[each.id] = each
            self.placed[each.id] = self.key(each)
        for each in change:
            if each.id in self.users:
                self.users[each.id] = each
        for user_id in gone:
            self.users.pop(user_id, None)
        self.kept = self.kept if self.kept in self.users else None

    @rule(query=queries, further=st.booleans())
    def look_for(self, query: str, further: bool) -> None:
        self.query = (self.query + query)[:5] if further else query
        self.order.look_for(self.query)

    @precondition(lambda self: self.users)
    @rule(data=st.data())
    def keep(self, data: st.DataObject) -> None:
        self.kept = data.draw(st.sampled_from([None, *self.users]))
        self.order.keep(self.kept)

    @rule(key=st.sampled_from(KEYS), names=st.lists(names, max_size=3), data=st.data())
    def resort(self, key: Key, names: list[str], data: st.DataObject) -> None:
        sorting = self.order.resort(key)
        next(sorting, None)
        # Meanwhile some come and somebody goes.
        come = self.come(names)
        gone = data.draw(st.lists(st.sampled_from([*self.users, -1]), max_size=2))
        self.order.apply(come, (), gone)
        self.users |= {each.id: each for each in come}
        for user_id in gone:
            self.users.pop(user_id, None)
        self.kept = self.kept if self.kept in self.users else None
        for _ in sorting:
            pass
        self.key = key
        self.placed = {user_id: self.key(each) for user_id, each in self.users.items()}

    def fits(self, each: User) -> bool:
        return any(self.query.lower() in text.lower() for text in (each.name, each.address))

    @invariant()
    def shows_who_fits_in_order(self) -> None:
        order, users = self.order, self.users
        assert order.users == users
        everybody = sorted(users, key=lambda user_id: (self.placed[user_id], user_id))
        shown = [i for i in everybody if self.fits(users[i]) or i == self.kept]
        assert order.shown == shown
        assert order.matches == sum(map(self.fits, users.values()))
        for row, user_id in enumerate(shown):
            assert order.row_of(user_id) == order.row(order.rank(user_id)) == row
        assert not any(order.row_of(user_id) is not None for user_id in users.keys() - set(shown))
        for each in users.values():
            doubles = [other for other in users.values() if other.name.lower() == each.name.lower()]
            assert order.has_double(each) == (len(doubles) > 1)

    @invariant()
    def finds_who_fits_best(self) -> None:
        query, users = self.query.lower(), self.users

        def fit(user_id: int) -> tuple[bool, bool]:
            name = users[user_id].name.lower()
            return name != query, not name.startswith(query)

        fitting = [user_id for user_id in self.order.shown if self.fits(users[user_id])]
        first = min(fitting, key=fit, default=None)
        assert self.order.best() == first
        for preferred in [*users][:3]:
            as_good = first is not None and preferred in fitting and fit(preferred) == fit(first)
            assert self.order.best(preferred) == (preferred if as_good else first)


OrderMachine.TestCase.settings = settings(stateful_step_count=20, max_examples=60)
TestOrder = OrderMachine.TestCase


def test_the_orders_take_turns() -> None:
    orders = [Order.JOINED]
    while len(orders) < 5:
        orders.append(orders[-1].next)
    assert orders == ["joined", "name", "loud", "idle", "joined"]


def test_who_looks_like_another_depends_on_what_counts_as_alike() -> None:
    order = UserOrder(by_joining, lambda name: name.lower().replace("1", "l"))
    order.apply([user(1, "Paul"), user(2, "pau1"), user(3, "Paula")], (), ())
    assert [order.has_double(each) for each in order.users.values()] == [True, True, False]
    order.apply((), [user(2, "Bob")], ())
    assert [order.has_double(each) for each in order.users.values()] == [False, False, False]


def test_ten_thousand_are_narrowed_and_resorted_without_holding_up_anybody() -> None:
    order = UserOrder(by_joining)
    order.apply([user(number, f"{number}-er") for number in range(10_000)], (), ())
    assert steps(lambda: order.look_for("9")) < 5 * 10_000
    assert order.best() == 9
    order.look_for("")
    sorting = iter(order.resort(by_name))
    turns: list[int] = []
    while (cost := steps(lambda: next(sorting, None))) > 1:
        turns.append(cost)
    assert len(turns) >= 10_000 / SLICE
    assert max(turns) < 10 * SLICE
    assert list(order.shown) == sorted(range(10_000), key=str)


def test_a_user_of_another_node_is_found_by_the_name_of_the_node() -> None:
    order = UserOrder(by_joining)
    order.apply([replace(user(1, "Ann"), node="Rome"), user(2, "Romeo"), user(3, "Bob")], [], [])
    order.look_for("rome")
    assert list(order.shown) == [1, 2]
    assert order.best() == 2  # a name counts more
    order.look_for("@rome")
    assert list(order.shown) == [1]
