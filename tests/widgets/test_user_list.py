"""The list of users: selection by id, a viewport that stays, and text that is only text."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import product
from typing import cast

import pytest
from support.steps import steps
from textual import events, on
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip

from chat_console.widgets.activity import Activity
from chat_console.widgets.list_header import Listing
from chat_console.widgets.user_list import QUERY_LIMIT, RESORT_INTERVAL, UserList
from chat_console.widgets.user_order import Order
from chat_console.widgets.user_painter import MARK
from chat_console.widgets.user_row import User

NOW = 1_000_000.0
V4, V6 = "127.0.0.1|41050", "2001:db8:85a3:8d3:1319:8a2e:370:7348|54321"


class RecordingList(UserList):
    """A list that remembers which of its lines were painted."""

    def __init__(
        self,
        hint: str = "",
        *,
        activity: Activity | None = None,
        clock: Callable[[], float] = lambda: NOW,
    ) -> None:
        super().__init__(hint, activity=activity, clock=clock)
        self.painted: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.painted.append(y)
        return super().render_line(y)


class ListApp(App[None]):
    def __init__(self, user_list: UserList, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.user_list = user_list
        self.seen: list[Message] = []
        self.listings: list[Listing] = []

    def compose(self) -> ComposeResult:
        yield self.user_list

    @on(UserList.Selected)
    @on(UserList.Chosen)
    def see(self, message: Message) -> None:
        self.seen.append(message)

    @on(UserList.Listed)
    def note_listing(self, message: UserList.Listed) -> None:
        self.listings.append(message.listing)

    @property
    def chosen(self) -> list[int]:
        return [message.user_id for message in self.seen if isinstance(message, UserList.Chosen)]


@asynccontextmanager
async def shown(
    user_list: UserList, users: Iterable[User] = (), size: tuple[int, int] = (30, 10)
) -> AsyncIterator[tuple[ListApp, Pilot[None]]]:
    app = ListApp(user_list)
    async with app.run_test(size=size) as pilot:
        user_list.apply(users)
        await pilot.pause()
        yield app, pilot


def user(user_id: int, name: str = "", address: str = "", here: float = 5) -> User:
    return User(user_id, name or f"user{user_id}", address or f"10.0.0.1|{user_id}", NOW - here)


def rows(user_list: UserList) -> list[str]:
    return [user_list.render_line(y).text for y in range(user_list.size.height)]


def name_at_top(user_list: UserList) -> str:
    return rows(user_list)[0].split()[0]


# Users come, change and go


async def test_users_are_listed_in_order_of_joining() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(3), user(1)]):
        user_list.apply([user(2)])
        assert [row.split()[0] for row in rows(user_list)[:3]] == ["user1", "user2", "user3"]
        assert user_list.count == 3
        assert user_list.users[2] == user(2)


async def test_a_change_renames_in_place() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(3))):
        user_list.apply(changed=[user(1, "Malcolm")])
        assert [row.split()[0] for row in rows(user_list)[:3]] == ["user0", "Malcolm", "user2"]


async def test_unknown_ids_change_nothing() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1)]):
        user_list.apply(changed=[user(7)], removed=[0, 2, 99])
        assert dict(user_list.users) == {1: user(1)}
        assert user_list.count == 1


async def test_a_user_that_is_added_twice_is_listed_once() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1), user(1, "Malcolm")]):
        assert user_list.count == 1
        assert user_list.users[1].name == "Malcolm"


async def test_the_users_are_read_only() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1)]):
        with pytest.raises(TypeError):
            cast("dict[int, User]", user_list.users)[2] = user(2)


async def test_an_empty_list_says_so_and_wraps() -> None:
    user_list = RecordingList("Nobody here yet")
    async with shown(user_list, size=(12, 4)):
        assert [row.strip() for row in rows(user_list)] == ["Nobody", "here yet", "", ""]
        user_list.apply([user(1)])
        assert [row.strip()[:5] for row in rows(user_list)] == ["user1", "", "", ""]


async def test_muting_repaints_and_unmuting_too() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1), user(2)]) as (_, pilot):
        for muted in (True, False):
            user_list.painted.clear()
            user_list.apply(changed=[replace(user(2), muted=muted)])
            await pilot.pause()
            assert user_list.painted == [1]
            assert ["muted" in row for row in rows(user_list)[:2]] == [False, muted]


# Selection


async def test_the_keys_move_the_selection_and_keep_it_in_view() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100))) as (_, pilot):
        visited = []
        for key in ("up", "down", "pagedown", "pagedown", "pageup", "end", "down", "up", "home"):
            await pilot.press(key)
            visited.append(user_list.selected)
            assert any(row.startswith(f"{MARK}user{user_list.selected} ") for row in rows(user_list))
        assert visited == [0, 1, 10, 19, 10, 99, 99, 98, 0]


async def test_with_nobody_selected_down_takes_the_first_visible_user() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100))) as (_, pilot):
        user_list.scroll_to(y=40, animate=False)
        await pilot.press("down")
        assert user_list.selected == 40


async def test_a_key_brings_a_selection_back_that_was_scrolled_away() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100))) as (_, pilot):
        user_list.selected = 0
        user_list.scroll_to(y=40, animate=False)
        await pilot.press("home")
        assert user_list.scroll_offset.y == 0


async def test_keys_in_an_empty_list_do_nothing() -> None:
    user_list = RecordingList("Nobody here yet")
    async with shown(user_list) as (app, pilot):
        await pilot.press("down", "end", "pageup", "enter")
        assert user_list.selected is None
        assert app.seen == []


async def test_enter_chooses_the_selected_user_alone() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(5))) as (app, pilot):
        await pilot.press("enter")
        assert app.chosen == []
        await pilot.press("down", "down", "enter")
        assert app.seen == [UserList.Selected(0), UserList.Selected(1), UserList.Chosen(1)]


async def test_a_click_selects_and_a_click_on_the_selection_chooses() -> None:
    user_list = RecordingList()
    user_list.styles.border = ("round", "white")
    async with shown(user_list, map(user, range(100)), size=(30, 12)) as (app, pilot):
        user_list.scroll_to(y=20, animate=False)
        await pilot.click(user_list, offset=(4, 3))
        assert user_list.selected == 22
        assert app.chosen == []
        await pilot.click(user_list, offset=(4, 3))
        assert app.chosen == [22]
        await pilot.click(user_list, offset=(4, 0))
        assert user_list.selected == 22, "the border is no row"


async def test_a_click_below_the_last_user_does_nothing() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1)]) as (app, pilot):
        await pilot.click(user_list, offset=(4, 5))
        assert app.seen == []


async def test_an_id_that_is_not_here_selects_nobody() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1)]):
        user_list.selected = 1
        user_list.selected = 99
        assert user_list.selected is None


async def test_a_selection_from_outside_scrolls_into_view() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100))):
        user_list.selected = 70
        assert f"{MARK}user70" in "".join(rows(user_list))


async def test_a_user_may_be_selected_before_the_list_is_laid_out() -> None:
    user_list = RecordingList()
    user_list.apply(map(user, range(3)))
    user_list.selected = 2
    async with shown(user_list):
        assert rows(user_list)[2].startswith(f"{MARK}user2 ")


async def test_the_selection_follows_its_user_when_others_above_go() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(10))) as (app, pilot):
        user_list.selected = 5
        user_list.apply([user(10)], removed=[0, 3])
        assert user_list.selected == 5
        assert rows(user_list)[3].startswith(f"{MARK}user5 ")
        await pilot.press("enter")
        assert app.chosen == [5]


async def test_when_the_selected_user_goes_nobody_is_selected() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(10))) as (app, pilot):
        user_list.selected = 5
        user_list.apply(removed=[5])
        await pilot.press("enter")
        assert user_list.selected is None
        assert app.seen == [UserList.Selected(5), UserList.Selected(None)]
        assert MARK.strip() not in "".join(rows(user_list))


async def test_when_the_selected_user_goes_the_keys_go_on_from_there() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(10))) as (_, pilot):
        for key, expected in (("down", 6), ("up", 4), ("pagedown", 10), ("pageup", 0)):
            user_list.apply(map(user, range(10)), removed=[10])
            user_list.selected = 5
            user_list.apply([user(10)], removed=[5, 1])
            await pilot.press(key)
            assert user_list.selected == expected, key


async def test_when_the_last_user_of_the_list_goes_down_takes_the_new_last_one() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(3))) as (_, pilot):
        user_list.selected = 2
        user_list.apply(removed=[2])
        await pilot.press("down")
        assert user_list.selected == 1


# The viewport


@pytest.mark.parametrize("scrolled", [0, 5])
async def test_a_selection_in_view_stays_there_whoever_comes_above(scrolled: int) -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100, 200)), size=(30, 10)):
        user_list.scroll_to(y=scrolled, animate=False, immediate=True)
        user_list.selected = 100 + scrolled + 9
        user_list.apply(map(user, range(7)), removed=[100 + scrolled])
        assert user_list.shows_selected
        assert any(row.startswith(f"{MARK}user{user_list.selected}") for row in rows(user_list))


async def test_a_selection_is_in_view_after_a_resize() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100)), size=(30, 20)) as (_, pilot):
        for size, selected in product(((30, 4), (30, 40), (20, 3), (60, 7)), (0, 19, 60, 99)):
            await pilot.resize_terminal(30, 20)
            user_list.selected = selected
            await pilot.resize_terminal(*size)
            assert user_list.shows_selected, (size, selected)
            assert any(row.startswith(f"{MARK}user{selected} ") for row in rows(user_list)), (size, selected)


async def test_a_selection_that_was_scrolled_away_is_not_in_view() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100))) as (_, pilot):
        assert not user_list.shows_selected
        user_list.selected = 3
        assert user_list.shows_selected
        user_list.scroll_to(y=4, animate=False)
        await pilot.pause()
        assert not user_list.shows_selected
        user_list.reveal_selected()
        assert user_list.shows_selected


async def test_a_scrolled_list_stands_still_while_users_above_go() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100))):
        user_list.scroll_to(y=50, animate=False)
        before = rows(user_list)
        user_list.apply([user(100), user(101)], removed=[3, 7, 11])
        assert rows(user_list) == before


async def test_a_scrolled_list_stands_still_while_users_above_come() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(0, 200, 2))):
        user_list.scroll_to(y=50, animate=False)
        before = rows(user_list)
        user_list.apply(map(user, (1, 3, 5)))
        assert rows(user_list) == before


async def test_when_the_user_at_the_top_goes_the_next_one_takes_its_line() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100))):
        user_list.scroll_to(y=50, animate=False)
        user_list.apply(removed=[1, 50, 51])
        assert name_at_top(user_list) == "user52"


async def test_a_list_that_is_not_scrolled_stays_at_its_start() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(10, 100))):
        user_list.apply([user(1)])
        assert name_at_top(user_list) == "user1"


async def test_a_list_that_is_scrolled_to_its_end_stays_full_when_it_shrinks() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100))):
        user_list.scroll_to(y=90, animate=False)
        user_list.apply(removed=[95, 99])
        assert name_at_top(user_list) == "user88"


async def test_a_list_that_shrinks_to_less_than_a_page_shows_all_of_it() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100))) as (_, pilot):
        user_list.scroll_to(y=90, animate=False)
        user_list.apply(removed=range(3, 100))
        await pilot.pause()
        assert [row.split()[0] for row in rows(user_list)[:3]] == ["user0", "user1", "user2"]
        user_list.apply(removed=range(3))
        await pilot.pause()
        assert user_list.count == 0


async def test_any_course_of_changes_keeps_the_order_the_selection_and_the_top() -> None:
    chance = random.Random(4)
    user_list = RecordingList()
    async with shown(user_list, map(user, range(60))):
        newest = 60
        for _ in range(300):
            here = list(user_list.users)
            top_id = user_list.scroll_offset.y and sorted(here)[user_list.scroll_offset.y]
            selected = user_list.selected
            gone = chance.sample(here, min(len(here), chance.randrange(6)))
            come = [user(newest + i) for i in range(chance.randrange(6))]
            newest += len(come)

            user_list.apply(come, map(user, chance.sample(here, min(len(here), 2))), gone)

            ids = sorted(user_list.users)
            assert set(ids) == set(here) - set(gone) | {each.id for each in come}
            assert user_list.selected == (None if selected in gone else selected)
            top = user_list.scroll_offset.y
            assert [row.strip(MARK).split()[0] for row in rows(user_list) if row.strip()] == [
                f"user{user_id}" for user_id in ids[top : top + 10]
            ]
            if top_id and top < user_list.max_scroll_y:
                assert ids[top] == min(user_id for user_id in ids if user_id >= top_id)
            if chance.random() < 0.3 and ids:
                user_list.selected = chance.choice(ids)


# Painting


async def test_a_change_out_of_sight_repaints_nothing() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100))) as (_, pilot):
        user_list.painted.clear()
        user_list.apply(changed=[user(80, "Malcolm")])
        await pilot.pause()
        assert user_list.painted == []


async def test_a_tick_repaints_only_the_rows_whose_text_changed() -> None:
    now = NOW
    user_list = RecordingList(clock=lambda: now)
    users = [user(0, here=3700), user(1, here=30), user(2, here=59), user(3, here=119)]
    async with shown(user_list, users) as (_, pilot):
        user_list.painted.clear()
        user_list.tick()
        await pilot.pause()
        assert user_list.painted == []
        now += 1
        user_list.tick()
        await pilot.pause()
        assert sorted(user_list.painted) == [2, 3]
        assert [row.split()[-1] for row in rows(user_list)[:4]] == ["1h01", "30s", "1m", "2m"]
        user_list.painted.clear()
        user_list.tick(now + 9)
        await pilot.pause()
        assert sorted(user_list.painted) == [1]


async def test_a_tick_reads_the_rows_that_are_scrolled_to() -> None:
    now = NOW
    user_list = RecordingList(clock=lambda: now)
    users = [user(i, here=59 if i == 52 else 3700) for i in range(100)]
    async with shown(user_list, users) as (_, pilot):
        user_list.scroll_to(y=50, animate=False)
        await pilot.pause()
        user_list.painted.clear()
        now += 1
        user_list.tick()
        await pilot.pause()
        assert user_list.painted == [2]


async def test_ten_thousand_users_cost_what_is_visible() -> None:
    costs: list[int] = []
    for count in (1_000, 10_000):
        user_list = RecordingList()
        async with shown(user_list, map(user, range(count)), size=(40, 24)) as (_, pilot):
            user_list.scroll_to(y=count / 2, animate=False)
            selected = user_list.selected = count // 2 + 3
            await pilot.pause()
            others = [user_id for user_id in user_list.users if user_id != selected]
            gone = random.Random(1).sample(others, 100)
            come = [user(20_000 + number) for number in range(100)]
            user_list.painted.clear()
            costs.append(steps(lambda: user_list.apply(come, (), gone)))  # noqa: B023
            await pilot.pause()
            assert set(user_list.painted) == set(range(24))
            assert user_list.selected == selected
            assert user_list.count == count
    assert costs[1] < 1.5 * costs[0]


async def test_the_selection_shows_without_colour_and_tells_whether_the_list_has_the_focus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    user_list = RecordingList()
    app = ListApp(user_list, ansi_color=True)
    async with app.run_test(size=(30, 5)) as pilot:
        user_list.apply(map(user, range(3)))
        user_list.selected = 1
        await pilot.pause()
        focused = next(iter(user_list.render_line(1)))
        app.set_focus(None)
        await pilot.pause()
        blurred = next(iter(user_list.render_line(1)))
        assert focused.text.startswith(MARK) and blurred.text.startswith(MARK)
        assert focused.style is not None and blurred.style is not None
        assert (focused.style.reverse, bool(blurred.style.reverse)) == (True, False)
        assert not any(row.startswith(MARK) for row in (rows(user_list)[0], rows(user_list)[2]))


async def test_the_focus_repaints_the_selection() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(3))) as (app, pilot):
        user_list.selected = 1
        await pilot.pause()
        user_list.painted.clear()
        app.set_focus(None)
        await pilot.pause()
        assert 1 in user_list.painted


HOSTILE = [
    ("[/x]", "[/x]"),
    ("[red]bob[/]", "[red]bob[/]"),
    ("[@click=app.quit]eve", "[@click=app.quit]eve"),
    ("a\x1b[31mb\x1b]0;title\x07c", "abc"),
    ("\u202egnp.exe", "gnp.exe"),
    ("one\ntwo\r\x9b2Jthree", "onetwothree"),
    ("漢字", "漢字"),
]


async def test_a_hostile_name_is_only_text() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1), user(2)], (60, 4)) as (app, pilot):
        user_list.selected = 1
        for count, (name, painted) in enumerate(HOSTILE, start=1):
            user_list.apply(changed=[user(1, name, address=f"1{name}"), user(2, name, address=f"2{name}")])
            await pilot.click(user_list, offset=(4, 0))
            assert app.chosen == [1] * count
            for number, row in enumerate(rows(user_list)[:2], start=1):
                assert row[1:].split() == [*painted.split(), *f"{number}{painted}".split(), "0s"]


# What a row says


def words(user_list: UserList) -> list[list[str]]:
    """The words of each user's row, the mark apart."""
    return [row[1:].split() for row in rows(user_list) if row.strip()]


async def test_a_row_says_what_matters_most_of_a_user() -> None:
    now = NOW
    activity = Activity()
    user_list = RecordingList(activity=activity, clock=lambda: now)
    users = [user(1, "stefan"), user(2, "karim"), user(3, "quentin", here=720), user(4, "bo")]
    async with shown(user_list, users, (25, 6)) as (_, pilot):
        activity.said(1, 62, now)
        activity.said(2, 3, now - 30)
        user_list.apply(changed=[replace(user(2, "karim"), muted=True, muted_until=now + 540)])
        user_list.pending = {3: 2}
        user_list.tick()
        await pilot.pause()
        assert rows(user_list)[:4] == [
            " stefan       62/min   0s",
            " karim       mute 9m  30s",
            " quentin          »2  12m",
            " bo                    0s",
        ]
        now += 120
        user_list.pending = {}
        user_list.tick()
        await pilot.pause()
        assert rows(user_list)[:4] == [
            " stefan                2m",
            " karim       mute 7m   2m",
            " quentin              14m",
            " bo                    2m",
        ]


async def test_an_unanswered_private_line_stands_out() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1), user(2)]):
        user_list.pending = {2: 1}
        styles = [{part.text.strip(): part.style for part in user_list.render_line(y)} for y in (0, 1)]
        assert styles[1]["»1"] not in (None, styles[0]["0s"], styles[1]["0s"])


async def test_where_there_is_room_a_row_shows_how_much_was_said_in_the_last_minutes() -> None:
    now = NOW
    activity = Activity()
    user_list = RecordingList(activity=activity, clock=lambda: now)
    async with shown(user_list, [user(1, "stefan"), user(2, "elif", here=3720)], (37, 4)) as (_, pilot):
        activity.said(1, 40, now - 60)
        activity.said(1, 62, now)
        user_list.tick()
        await pilot.pause()
        assert rows(user_list)[:2] == [
            " stefan          62/min ▁▁▁▁▁▁▇▇   0s",
            " elif                            1h02",
        ]


async def test_who_looks_like_another_shows_the_address_as_long_as_the_other_is_here() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1, "Max", V4), user(2, "lena")], (25, 5)) as (_, pilot):
        user_list.apply([user(3, "max", "127.0.0.1|7")])
        await pilot.pause()
        assert words(user_list) == [["Max", V4, "0s"], ["lena", "0s"], ["max", "127.0.0.1|7", "0s"]]
        user_list.painted.clear()
        user_list.apply(removed=[3])
        await pilot.pause()
        assert {0, 2} <= set(user_list.painted)
        assert words(user_list) == [["Max", "0s"], ["lena", "0s"]]


# The order


def orders(user_list: UserList) -> list[str]:
    return [words[0] for words in words(user_list)]


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[UserList, ListApp, Pilot[None], Callable[[str, int], None]]]:
    """A list without the focus, sorted by who is loud, with a clock; and what makes a user talk."""
    now = NOW
    activity = Activity()
    user_list = RecordingList(activity=activity, clock=lambda: now)
    names = ["anna", "Bernd", "carla", "dmitri"]
    users = [user(number, name, here=100 - number) for number, name in enumerate(names)]

    def talk(name: str, lines: int) -> None:
        nonlocal now
        if lines:
            activity.said(names.index(name), lines, now)
        now += RESORT_INTERVAL

    async with shown(user_list, users) as (app, pilot):
        app.set_focus(None)
        user_list.order = Order.LOUD
        await pilot.pause()
        yield user_list, app, pilot, talk


async def test_now_and_then_the_loudest_come_first() -> None:
    async with talking() as (user_list, _, pilot, talk):
        assert orders(user_list) == ["anna", "Bernd", "carla", "dmitri"]
        talk("dmitri", 2)
        talk("carla", 3)
        user_list.tick()
        await pilot.pause()
        assert orders(user_list) == ["carla", "dmitri", "anna", "Bernd"]
        talk("dmitri", 2)
        user_list.tick()
        await pilot.pause()
        assert orders(user_list) == ["dmitri", "carla", "anna", "Bernd"]
        talk("Bernd", 50)
        user_list.tick(NOW + 4 * RESORT_INTERVAL - 0.1)
        await pilot.pause()
        assert orders(user_list) == ["dmitri", "carla", "anna", "Bernd"], "too early"


async def test_nobody_moves_under_the_keys_or_the_mouse() -> None:
    async with talking() as (user_list, app, pilot, talk):
        talk("dmitri", 2)
        app.set_focus(user_list)
        await pilot.pause()
        user_list.tick()
        await pilot.pause()
        assert orders(user_list)[0] == "anna"
        app.set_focus(None)
        user_list.styles.height = 5
        await pilot.hover(user_list)
        user_list.tick()
        await pilot.pause()
        assert orders(user_list)[0] == "anna"
        await pilot.hover(offset=(5, 8))
        user_list.tick()
        await pilot.pause()
        assert orders(user_list)[0] == "dmitri"


async def test_nobody_moves_when_the_mouse_comes_while_the_list_is_sorted() -> None:
    async with talking() as (user_list, _, pilot, talk):
        talk("dmitri", 2)
        user_list.tick()
        user_list.mouse_hover = True
        await pilot.pause()
        assert orders(user_list)[0] == "anna"


async def test_the_operator_changes_the_order_in_turn_whoever_has_the_focus() -> None:
    async with talking() as (user_list, app, pilot, talk):
        talk("dmitri", 2)
        app.set_focus(user_list)
        user_list.selected = 0
        seen: list[list[str]] = []
        for _ in range(4):
            user_list.action_cycle_sort()
            await pilot.pause()
            seen.append([user_list.order.value, *orders(user_list)])
        assert seen == [
            ["idle", "anna", "Bernd", "carla", "dmitri"],
            ["joined", "anna", "Bernd", "carla", "dmitri"],
            ["name", "anna", "Bernd", "carla", "dmitri"],
            ["loud", "dmitri", "anna", "Bernd", "carla"],
        ]
        assert user_list.selected == 0
        user_list.apply([user(9, "bea")])
        user_list.order = Order.NAME
        await pilot.pause()
        user_list.apply([user(10, "Abel")])
        assert orders(user_list) == ["Abel", "anna", "bea", "Bernd", "carla", "dmitri"]


async def test_an_unanswered_private_line_comes_before_as_much_talk() -> None:
    async with talking() as (user_list, _, pilot, talk):
        talk("dmitri", 1)
        talk("carla", 2)
        user_list.pending = {1: 1}
        user_list.tick()
        await pilot.pause()
        assert orders(user_list) == ["carla", "Bernd", "dmitri", "anna"]


async def test_sorting_keeps_the_selected_user_in_view() -> None:
    now = NOW
    activity = Activity()
    user_list = RecordingList(activity=activity, clock=lambda: now)
    async with shown(user_list, map(user, range(100))) as (app, pilot):
        app.set_focus(None)
        user_list.order = Order.LOUD
        user_list.selected = 3
        await pilot.pause()
        for number in range(4, 60):
            activity.said(number, 1, now)
        now += RESORT_INTERVAL
        user_list.tick()
        await pilot.pause()
        assert user_list.shows_selected
        assert any(row.startswith(f"{MARK}user3 ") for row in rows(user_list))


async def test_who_joined_first_stays_first_without_any_sorting(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking() as (user_list, _, pilot, talk):
        user_list.order = Order.JOINED
        await pilot.pause()
        monkeypatch.setattr(user_list.roll, "sorting", lambda: pytest.fail("it is sorted"))
        talk("dmitri", 2)
        user_list.tick()
        await pilot.pause()
        assert orders(user_list) == ["anna", "Bernd", "carla", "dmitri"]


async def test_an_order_can_be_chosen_before_the_list_is_on_the_screen() -> None:
    user_list = RecordingList()
    user_list.apply([user(1, "Zoe"), user(2, "anna")])
    user_list.order = Order.NAME
    async with shown(user_list):
        assert orders(user_list) == ["anna", "Zoe"]


# The filter


async def test_letters_narrow_the_list_and_select_who_fits_best() -> None:
    user_list = RecordingList()
    users = [user(1, "lukas"), user(2, "quentin"), user(3, "Max"), user(4, "max_m"), user(5, "elif")]
    async with shown(user_list, users) as (app, pilot):
        seen: list[tuple[str, list[str], int | None]] = []
        for key in ("m", "a", "x", "_", "backspace", "backspace", "backspace"):
            await pilot.press(key)
            seen.append((user_list.looked_for, orders(user_list), user_list.selected))
        everybody = ["lukas", "quentin", "Max", "max_m", "elif"]
        assert seen == [
            ("m", ["Max", "max_m"], 3),
            ("ma", ["Max", "max_m"], 3),
            ("max", ["Max", "max_m"], 3),
            ("max_", ["max_m"], 4),
            ("max", ["Max", "max_m"], 3),
            ("ma", ["Max", "max_m"], 3),
            ("m", ["Max", "max_m"], 3),
        ]
        assert app.listings[-1] == Listing(5, 2, "m", "joined")
        await pilot.press("backspace")
        assert orders(user_list) == everybody
        assert app.listings[-1] == Listing(5, 5, "", "joined")


async def test_the_footer_offers_what_there_is_something_for() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1, "lukas"), user(2, "quentin")]) as (app, pilot):

        def offered() -> list[str]:
            active = app.screen.active_bindings.values()
            return [
                each.binding.description for each in active if each.binding.show and each.node is user_list
            ]

        assert offered() == ["select", "sort"]
        await pilot.press("down")
        assert offered() == ["select", "write", "sort"]
        await pilot.press("q")
        assert offered() == ["select", "write", "sort", "show all"]
        await pilot.press("escape")
        assert offered() == ["select", "write", "sort"]


async def test_an_address_narrows_the_list_too() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1), user(2, address="192.0.2.7|41050")]) as (_, pilot):
        await pilot.press(*"192", "full_stop")
        assert (orders(user_list), user_list.selected) == (["user2"], 2)


async def test_user_250_of_299_takes_four_letters_or_less() -> None:
    names = ["".join(letters) for letters in product("bcdfghk", "aeiou", "lmnrst", "aei")][:299]
    user_list = RecordingList()
    async with shown(user_list, [user(number, name) for number, name in enumerate(names)]) as (_, pilot):
        await pilot.press(*names[249])
        assert user_list.selected == 249


async def test_the_selected_user_stays_while_it_fits_as_well_as_any() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1, "Max"), user(2, "max_m"), user(3, "tomas")]) as (_, pilot):
        user_list.selected = 2
        await pilot.press("m", "a")
        assert user_list.selected == 2
        await pilot.press("x")
        assert user_list.selected == 1


async def test_the_selected_user_is_shown_whatever_is_looked_for() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1, "Max"), user(2, "lena"), user(3, "lola")]) as (_, pilot):
        user_list.selected = 2
        await pilot.press("z")
        assert (orders(user_list), user_list.selected) == (["lena"], 2)
        await pilot.press("escape", "l", "o")
        assert (orders(user_list), user_list.selected) == (["lola"], 3)
        user_list.selected = 1
        assert orders(user_list) == ["Max", "lola"]
        user_list.apply(changed=[user(3, "Bob")])
        assert orders(user_list) == ["Max"]
        user_list.selected = None
        assert "Nobody fits" in rows(user_list)[0]


async def test_up_and_down_move_among_those_who_are_listed() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(100))) as (_, pilot):
        await pilot.press("7")
        visited = [user_list.selected]
        for key in ("down", "down", "end", "up", "home"):
            await pilot.press(key)
            visited.append(user_list.selected)
        assert visited == [7, 17, 27, 97, 87, 7]


async def test_escape_shows_everybody_and_then_is_somebody_elses_key() -> None:
    passed: list[str] = []

    class Outside(ListApp):
        BINDINGS = [("escape", "pass('escape')"), ("backspace", "pass('backspace')")]  # noqa: RUF012

        def action_pass(self, key: str) -> None:
            passed.append(key)

        def on_key(self, event: events.Key) -> None:
            if event.is_printable:
                passed.append(event.key)

    user_list = RecordingList()
    app = Outside(user_list)
    async with app.run_test(size=(30, 10)) as pilot:
        user_list.apply(map(user, range(30)))
        await pilot.press("2", "9", "escape")
        assert (user_list.looked_for, user_list.selected, passed) == ("", 29, [])
        assert user_list.shows_selected
        await pilot.press("escape", "backspace", "/")
        assert passed == ["escape", "backspace", "/"]
        assert user_list.looked_for == ""


async def test_who_is_chosen_is_no_longer_looked_for() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(30))) as (app, pilot):
        await pilot.press("2", "9", "enter")
        assert (app.chosen, user_list.looked_for, user_list.selected) == ([29], "", 29)
        assert user_list.shows_selected


async def test_a_selection_is_in_view_under_a_filter_after_a_resize() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(300)), size=(30, 20)) as (_, pilot):
        await pilot.press("1", "end")
        selected = user_list.selected
        for size in ((30, 4), (30, 40), (20, 3)):
            await pilot.resize_terminal(*size)
            assert (user_list.selected, user_list.shows_selected) == (selected, True)


async def test_each_user_costs_little_when_the_list_is_narrowed() -> None:
    user_list = RecordingList()
    async with shown(user_list, map(user, range(10_000)), size=(40, 24)):
        assert steps(lambda: user_list.narrow("9")) < 10 * 10_000


async def test_nothing_longer_than_a_name_or_an_address_is_looked_for() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1)]) as (_, pilot):
        user_list.focus()
        await pilot.press(*"x" * (QUERY_LIMIT + 2))
        assert user_list.looked_for == "x" * QUERY_LIMIT
