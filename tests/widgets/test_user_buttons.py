"""The buttons of the acts on a user: as many as fit, by mouse and by key, in one row or two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from support.users import ACTS
from support.waiting import paused_until
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from chat_console.widgets.text_button import TextButton
from chat_console.widgets.user_buttons import UserButtons, lay_out_buttons


@pytest.mark.parametrize(
    ("width", "muted", "rows"),
    [
        (43, True, [["[Message F2]", "[Kick F3]", "[Unmute F6]", "[Ban F7]"]]),
        (41, False, [["[Message F2]", "[Kick F3]", "[Mute F6]", "[Ban F7]"]]),
        (40, False, [["[Message]", "[Kick]", "[Mute]", "[Ban]"]]),
        (31, True, [["[Message]", "[Kick]", "[Unmute]", "[Ban]"]]),
        (23, False, [["[Message F2]", "[Kick F3]"], ["[Mute F6]", "[Ban F7]"]]),
        (22, True, [["[Message F2]", "[Kick F3]"], ["[Unmute F6]", "[Ban F7]"]]),
        (21, True, [["[Message]", "[Kick]"], ["[Unmute]", "[Ban]"]]),
        (3, False, [["[Message]", "[Kick]"], ["[Mute]", "[Ban]"]]),
    ],
)
def test_one_row_is_better_than_two_and_keys_are_shown_where_they_fit(
    width: int, muted: bool, rows: list[list[str]]
) -> None:
    assert lay_out_buttons(ACTS, width, muted=muted) == rows


class ButtonsApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.user_buttons = UserButtons(ACTS)
        self.done: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.user_buttons

    def action_do(self, what: str) -> None:
        self.done.append(what)

    @property
    def rows(self) -> list[str]:
        # Private, so Textual is pinned: nothing public tells what is painted.
        strips = self.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        return [strip.text.rstrip() for strip in strips]


@asynccontextmanager
async def shown(width: int, *, muted: bool = False) -> AsyncIterator[tuple[ButtonsApp, Pilot[None]]]:
    app = ButtonsApp()
    async with app.run_test(size=(width, 4)) as pilot:
        app.user_buttons.show(muted=muted)
        await paused_until(pilot, lambda: app.rows[0])
        await pilot.pause()
        yield app, pilot


@pytest.mark.parametrize("width", [25, 37, 60])
async def test_each_does_its_act_by_mouse_and_by_key(width: int) -> None:
    async with shown(width) as (app, pilot):
        for button in app.user_buttons.buttons:
            await pilot.click(button)
        assert app.done == ["message", "kick", "mute", "ban"]
        app.done.clear()
        app.set_focus(None)
        for _ in ACTS:
            await pilot.press("tab", "enter")
        assert app.done == ["message", "kick", "mute", "ban"]


async def test_a_press_is_never_too_soon_after_another() -> None:
    async with shown(37) as (app, pilot):
        app.set_focus(app.user_buttons.buttons[2])
        await pilot.press("enter", "enter", "enter")
        assert app.done == ["mute"] * 3


async def test_they_are_laid_out_anew_for_another_width_and_for_who_is_muted() -> None:
    async with shown(25) as (app, pilot):
        assert app.rows[:3] == [" [Message F2] [Kick F3]", " [Mute F6]    [Ban F7]", ""]
        app.user_buttons.show(muted=True)
        await paused_until(
            pilot, lambda: app.rows[:3] == [" [Message F2] [Kick F3]", " [Unmute F6]  [Ban F7]", ""]
        )
        await pilot.resize_terminal(37, 4)
        await paused_until(pilot, lambda: app.rows[:2] == [" [Message] [Kick] [Unmute] [Ban]", ""])
        await pilot.resize_terminal(25, 4)
        await paused_until(
            pilot, lambda: app.rows[:3] == [" [Message F2] [Kick F3]", " [Unmute F6]  [Ban F7]", ""]
        )


async def test_without_a_user_there_are_none() -> None:
    app = ButtonsApp()
    async with app.run_test(size=(37, 4)) as pilot:
        assert app.rows[0] == ""
        app.user_buttons.show(muted=False)
        await paused_until(pilot, lambda: app.rows[0] == " [Message] [Kick] [Mute] [Ban]")
        app.user_buttons.hide()
        await paused_until(pilot, lambda: app.rows[0] == "")


async def test_the_text_of_a_button_is_only_text() -> None:
    class One(App[None]):
        def compose(self) -> ComposeResult:
            yield TextButton()

    app = One()
    async with app.run_test(size=(30, 2)) as pilot:
        button = app.query_one(TextButton)
        for text in ("[/x]", "[red]bob[/]", "[@click=app.quit]eve"):
            button.text = text
            await pilot.pause()
            assert (button.text, button.render_line(0).text) == (text, text)
            assert button.size == (len(text), 1)
