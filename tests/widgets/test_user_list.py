"""The list of users: selection by id, a viewport that stays, and text that is only text."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import product
from typing import cast

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip

from chat_console.widgets.user_list import MARK, MUTED, UserList
from chat_console.widgets.user_row import User

NOW = 1_000_000.0
V4, V6 = "127.0.0.1|41050", "2001:db8:85a3:8d3:1319:8a2e:370:7348|54321"


class RecordingList(UserList):
    """A list that remembers which of its lines were painted."""

    def __init__(self, hint: str = "", *, clock: Callable[[], float] = lambda: NOW) -> None:
        super().__init__(hint, clock=clock)
        self.painted: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.painted.append(y)
        return super().render_line(y)


class ListApp(App[None]):
    def __init__(self, user_list: UserList, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.user_list = user_list
        self.seen: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.user_list

    def on_user_list_selected(self, message: UserList.Selected) -> None:
        self.seen.append(message)

    def on_user_list_chosen(self, message: UserList.Chosen) -> None:
        self.seen.append(message)

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


@pytest.mark.parametrize(
    ("name", "address", "width", "words"),
    [
        pytest.param("Bob", V4, 40, ["Bob", "muted", "<1m"], id="for the address"),
        pytest.param(V4, V4, 40, [V4, "muted", "<1m"], id="no nickname"),
        pytest.param(
            "Methuselah-the-Elder", V4, 35, ["Methuselah-the-Elder", "muted", "<1m"], id="just fits"
        ),
        pytest.param(
            "Methuselah-the-Elder", V4, 34, ["Methuselah-the-Eld…", "muted", "<1m"], id="before a long name"
        ),
        pytest.param("Methuselah", V4, 18, ["Methuselah", "<1m"], id="no room"),
        pytest.param("Bob", V6, 20, ["Bob", "muted", "<1m"], id="where no address would fit"),
    ],
)
async def test_a_muted_user_is_told_by_a_word_in_the_place_of_its_address(
    name: str, address: str, width: int, words: list[str]
) -> None:
    user_list = RecordingList()
    async with shown(user_list, [replace(user(1, name, address), muted=True)], (width, 3)):
        row = rows(user_list)[0]
        assert (row.split(), cell_len(row)) == (words, width)
        user_list.selected = 1
        assert rows(user_list)[0] == MARK + row.removeprefix("  ")


async def test_muting_repaints_and_the_address_comes_back() -> None:
    user_list = RecordingList()
    async with shown(user_list, [user(1), user(2)]) as (_, pilot):
        for muted in (True, False):
            user_list.painted.clear()
            user_list.apply(changed=[replace(user(2), muted=muted)])
            await pilot.pause()
            assert 1 in user_list.painted
            assert [MUTED in row for row in rows(user_list)[:2]] == [False, muted]


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


async def test_a_tick_repaints_only_the_rows_whose_time_changed() -> None:
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
        assert [row.split()[-1] for row in rows(user_list)[:4]] == ["1h01", "<1m", "1m", "2m"]


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
    user_list = RecordingList()
    async with shown(user_list, map(user, range(10_000)), size=(40, 24)) as (_, pilot):
        user_list.scroll_to(y=5_000, animate=False)
        user_list.selected = 5_003
        await pilot.pause()
        chance = random.Random(1)
        calls: list[float] = []
        for burst in range(5):
            gone = chance.sample([user_id for user_id in user_list.users if user_id != 5_003], 100)
            come = [user(20_000 + 100 * burst + i) for i in range(100)]
            start = time.perf_counter()
            user_list.apply(come, (), gone)
            calls.append(time.perf_counter() - start)
        user_list.painted.clear()
        await pilot.pause()
        assert min(calls) < 0.003
        assert set(user_list.painted) == set(range(24))
        assert user_list.selected == 5_003
        assert user_list.count == 10_000


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
            user_list.apply(changed=[user(1, name, address=name), user(2, "Bob", address=name)])
            await pilot.click(user_list, offset=(4, 0))
            assert app.chosen == [1] * count
            first, second = rows(user_list)[:2]
            assert first.removeprefix(MARK).split() == [*painted.split(), "<1m"]
            assert second.split() == ["Bob", *painted.split(), "<1m"]
