"""The confirmation: nothing but a deliberate yes is a yes."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App
from textual.geometry import Region
from textual.widgets import Button, Label

from chat_console.widgets.confirm import Confirm

QUESTION = "Kick Malcolm (127.0.0.1|41050)?"


class AskingApp(App[None]):
    def __init__(self, question: str = QUESTION) -> None:
        super().__init__()
        self.confirm = Confirm(question, yes="Kick", no="Cancel")
        self.answers: list[bool | None] = []

    async def on_mount(self) -> None:
        await self.ask()

    async def ask(self, question: str | None = None) -> None:
        """Ask the question for the first time, or once more, or another one."""
        if self.confirm.is_attached:
            await self.pop_screen()
        if question or self.answers:
            self.confirm = Confirm(question or QUESTION, yes="Kick", no="Cancel")
        self.answers.clear()
        await self.push_screen(self.confirm, self.answers.append)


async def test_the_keys_and_the_buttons_answer() -> None:
    app = AskingApp()
    async with app.run_test(size=(80, 24)) as pilot:
        for keys, answer in (
            (["enter"], False),
            (["n"], False),
            (["N"], False),
            (["escape"], False),
            (["y"], True),
            (["Y"], True),
            (["left", "enter"], True),
            (["right", "enter"], False),
            (["left", "left", "enter"], True),
            (["tab", "enter"], True),
            (["shift+tab", "enter"], True),
            (["left", "right", "enter"], False),
            ("#yes", True),
            ("#no", False),
        ):
            if isinstance(keys, str):
                await pilot.click(keys)
            else:
                await pilot.press(*keys)
            assert app.answers == [answer], keys
            assert app.screen is not app.confirm
            await app.ask()


async def test_other_keys_leave_the_question_open() -> None:
    app = AskingApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("k", "up", "1")
        assert app.answers == []
        assert app.screen is app.confirm


async def test_a_key_that_comes_twice_answers_once() -> None:
    app = AskingApp()
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(3):
            app.post_message(events.Key("y", "y"))
        await pilot.pause()
        assert app.answers == [True]
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_the_whole_of_it_fits_the_screen(size: tuple[int, int]) -> None:
    app = AskingApp()
    async with app.run_test(size=size) as pilot:
        for question in (QUESTION, "Kick " + "Methuselah " * 40 + "?"):
            await app.ask(question)
            await pilot.pause()
            screen = Region(0, 0, *size)
            for widget in app.confirm.query("Vertical, #question, Button"):
                assert widget.region in screen
                assert widget.region.area > 0
            yes, no = (app.confirm.query_one(button, Button) for button in ("#yes", "#no"))
            assert not yes.region.overlaps(no.region)
            assert not yes.region.overlaps(app.confirm.query_one("#question").region)


async def test_a_question_is_only_text() -> None:
    app = AskingApp()
    async with app.run_test(size=(80, 24)) as pilot:
        for question, shown in (
            ("Kick [/x]?", "Kick [/x]?"),
            ("Kick [red]bob[/]?", "Kick [red]bob[/]?"),
            ("Kick [@click=app.quit]eve?", "Kick [@click=app.quit]eve?"),
            ("Kick a\x1b[2J\u202eb?", "Kick ab?"),
            ("Kick 漢字?", "Kick 漢字?"),
        ):
            await app.ask(question)
            await pilot.pause()
            assert app.confirm.query_one(Label).render_line(0).text.strip() == shown


async def test_button_labels_are_only_text() -> None:
    app = AskingApp()
    app.confirm = Confirm(QUESTION, yes="[/x]", no="[red]no[/]")
    async with app.run_test(size=(80, 24)):
        labels = [button.render_line(0).text.strip() for button in app.confirm.query(Button)]
        assert labels == ["[[/x]]", "[[red]no[/]]"]
