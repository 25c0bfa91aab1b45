"""The palette: what is typed is searched for, and Enter, a click or Escape ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from textual import events
from textual.app import App
from textual.geometry import Region
from textual.widgets import Input

from chat_console.widgets.choice_list import Choice, ChoiceList
from chat_console.widgets.palette_screen import PaletteScreen, Wording

WORDING = Wording("Commands", "What?", "Nothing")
WORDS = ["alpha", "beta", "gamma", "alphabet", *(f"word{number}" for number in range(40))]


class PaletteApp(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[str | None] = []
        self.searched: list[str] = []
        self.hold = asyncio.Event()
        self.hold.set()

    async def search(self, text: str) -> Sequence[Choice]:
        await self.hold.wait()
        self.searched.append(text)
        return [Choice(word, value=word) for word in WORDS if text in word]

    def on_mount(self) -> None:
        self.push_screen(PaletteScreen(self.search, WORDING), self.answers.append)

    @property
    def list(self) -> ChoiceList:
        return self.screen.query_one(ChoiceList)

    @property
    def offered(self) -> list[str]:
        return [choice.title for choice in self.list.choices]


async def test_it_offers_everything_and_then_what_is_searched_for() -> None:
    app = PaletteApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.offered == WORDS
        await pilot.press(*"alpha")
        assert app.offered == ["alpha", "alphabet"]
        await pilot.press("down", "enter")
        assert app.answers == ["alphabet"]


async def test_a_search_is_given_up_when_the_text_changes() -> None:
    app = PaletteApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.hold.clear()
        await pilot.press(*"bet")
        app.hold.set()
        await pilot.pause()
        await app.workers.wait_for_complete()
        assert app.searched == ["", "bet"]
        assert app.offered == ["beta", "alphabet"]


async def test_enter_on_nothing_does_nothing() -> None:
    app = PaletteApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"xyz", "enter")
        assert isinstance(app.screen, PaletteScreen)
        assert app.answers == []


@pytest.mark.parametrize("key", ["escape", "ctrl+p"])
async def test_a_key_closes_it_without_an_answer(key: str) -> None:
    app = PaletteApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"alpha", key)
        assert app.answers == [None]
        assert not isinstance(app.screen, PaletteScreen)


async def test_the_keys_of_a_list_move_in_it() -> None:
    app = PaletteApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        page = app.list.size.height - 1
        for key, number in (("down", 1), ("pagedown", 1 + page), ("pageup", 1), ("up", 0)):
            await pilot.press(key)
            assert app.list.highlighted == app.list.choices[number]


async def test_a_click_answers() -> None:
    app = PaletteApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.click(ChoiceList, offset=(3, 2))
        assert app.answers == ["gamma"]


async def test_what_is_pasted_is_clean() -> None:
    app = PaletteApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(events.Paste("al\x1b[2J\x9b31mpha"))
        await pilot.pause()
        assert app.screen.query_one(Input).value == "alpha"


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12), (20, 6)])
async def test_it_is_within_the_screen_at_any_size(size: tuple[int, int]) -> None:
    app = PaletteApp()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for widget in (app.screen.query_one(Input), app.list):
            assert widget.region in Region(0, 0, *size)
            assert widget.size.height >= 1
