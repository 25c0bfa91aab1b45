"""The card of one user: as many rows for anybody, none for nobody, painted when it reads differently."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from support.users import ACTS, QUENTIN
from support.waiting import paused_until
from textual import on
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Label

from chat_console.widgets.text_button import TextButton
from chat_console.widgets.user_card import UserCard, UserFacts

NARROW = """\
── quentin ──────────────
 127.0.0.1|47144
 here 1h02 · 14 lines
 was q · muted never
 [Message F2] [Kick F3]
 [Mute F6]    [Ban F7]
below""".splitlines()

WIDE = """\
── quentin ──────────────────────────
 127.0.0.1|47144 · here 1h02
 14 lines · idle 2m · 0 B waiting
 was q · same address: 29 others
 23:03 » Karim is insulting me in p…
 22:55   is there a solution for 2?
 22:40 ⊘ I use recv(1024)

 [Message] [Kick] [Mute] [Ban]
 [Find all lines]
below""".splitlines()


class CardApp(App[None]):
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.card = UserCard(ACTS)
        self.asked: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.card
        yield Label("below")

    def action_do(self, what: str) -> None:
        pass

    @on(UserCard.AllLines)
    def note(self, message: UserCard.AllLines) -> None:
        self.asked.append(message.user_id)

    @property
    def rows(self) -> list[str]:
        """What is painted, down to the label below the card."""
        # Private, so Textual is pinned: nothing public tells what is painted.
        strips = self.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        rows = [strip.text.rstrip() for strip in strips]
        return rows[: rows.index("below") + 1]


@asynccontextmanager
async def shown(width: int, height: int = 24) -> AsyncIterator[tuple[CardApp, Pilot[None]]]:
    app = CardApp()
    async with app.run_test(size=(width, height)) as pilot:
        assert app.rows == ["below"]
        app.card.show(QUENTIN)
        await paused_until(pilot, lambda: any("[Ban" in row for row in app.rows))
        await pilot.pause()
        yield app, pilot


@pytest.mark.parametrize(("width", "rows"), [(25, NARROW), (37, WIDE)])
async def test_it_shows_what_is_known_and_what_can_be_done(width: int, rows: list[str]) -> None:
    async with shown(width) as (app, pilot):
        assert app.rows == rows
        app.card.show(replace(QUENTIN, name="Bob", old_names=[], last=[], others=0))
        await pilot.pause()
        assert len(app.rows) == len(rows), "the list above would jump"
        app.card.hide()
        await paused_until(pilot, lambda: app.rows == ["below"])
        app.card.show(QUENTIN)
        await paused_until(pilot, lambda: app.rows == rows)


async def test_it_is_laid_out_anew_for_another_width() -> None:
    async with shown(25) as (app, pilot):
        for width, rows in ((37, WIDE), (25, NARROW)):
            await pilot.resize_terminal(width, 24)
            await paused_until(pilot, lambda: app.rows == rows)  # noqa: B023


async def test_on_a_short_screen_only_the_buttons_are_left() -> None:
    async with shown(37, height=12) as (app, pilot):
        assert app.rows == [" [Message] [Kick] [Mute] [Ban]", "below"]
        await pilot.resize_terminal(37, 20)
        await paused_until(pilot, lambda: app.rows == WIDE)


async def test_what_reads_the_same_is_not_painted_again() -> None:
    async with shown(37) as (app, pilot):
        known = app.card.query_one(UserFacts)
        renders = 0
        render = known.render

        def count() -> object:
            nonlocal renders
            renders += 1
            return render()

        known.render = count  # pyright: ignore[reportAttributeAccessIssue]
        app.card.show(replace(QUENTIN, here=3779, idle=179))
        await pilot.pause()
        assert renders == 0
        app.card.show(replace(QUENTIN, here=3780))
        await pilot.pause()
        assert renders == 1
        assert app.rows[1] == " 127.0.0.1|47144 · here 1h03"


async def test_the_buttons_follow_the_mute() -> None:
    async with shown(25) as (app, pilot):
        app.card.show(replace(QUENTIN, muted=True, mute_left=540))
        await paused_until(
            pilot,
            lambda: (
                app.rows[3:6]
                == [
                    " muted for 9m more · wa…",
                    " [Message F2] [Kick F3]",
                    " [Unmute F6]  [Ban F7]",
                ]
            ),
        )


async def test_all_lines_are_asked_for_by_key_and_by_mouse() -> None:
    async with shown(37) as (app, pilot):
        button = app.card.query_one(".user-card--all", TextButton)
        await pilot.click(button)
        app.set_focus(button)
        await pilot.press("enter")
        await pilot.click(UserFacts, offset=(5, 2))
        assert app.asked == [7, 7, 7]
        await pilot.click(app.card.buttons.buttons[1])
        assert app.asked == [7, 7, 7]


async def test_once_it_shows_nobody_no_lines_are_asked_for() -> None:
    async with shown(37) as (app, pilot):
        button = app.card.query_one(".user-card--all", TextButton)
        button.press()
        app.card.hide()
        button.press()
        await pilot.pause()
        assert app.asked == []


@pytest.mark.parametrize("text", ["[/x]", "[@click=app.quit]", "a\x1b[31mb\x1b]0;t\x07c\u202e"])
async def test_hostile_text_is_only_text(text: str) -> None:
    async with shown(37) as (app, pilot):
        last = [replace(QUENTIN.last[0], text=text)]
        app.card.show(replace(QUENTIN, name=text, address=text, old_names=[text], last=last))
        await pilot.pause()
        painted = text if text.startswith("[") else "abc"
        assert app.rows[0].startswith(f"── {painted} ──")
        assert app.rows[1].startswith(f" {painted} · here ")
        assert app.rows[3].startswith(f" was {painted}")
        assert f" 23:03 » {painted}" in app.rows
