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

    def on_mount(self) -> None:
        self.push_screen(self.confirm, self.answers.append)


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
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
    ],
)
async def test_the_keys_answer(keys: list[str], answer: bool) -> None:
    app = AskingApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys)
        assert app.answers == [answer]
        assert app.screen is not app.confirm


@pytest.mark.parametrize(("button", "answer"), [("#yes", True), ("#no", False)])
async def test_the_buttons_answer(button: str, answer: bool) -> None:
    app = AskingApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(button)
        assert app.answers == [answer]


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
@pytest.mark.parametrize("question", [QUESTION, "Kick " + "Methuselah " * 40 + "?"])
async def test_the_whole_of_it_fits_the_screen(size: tuple[int, int], question: str) -> None:
    app = AskingApp(question)
    async with app.run_test(size=size):
        screen = Region(0, 0, *size)
        for widget in app.confirm.query("Vertical, #question, Button"):
            assert widget.region in screen
            assert widget.region.area > 0
        yes, no = (app.confirm.query_one(button, Button) for button in ("#yes", "#no"))
        assert not yes.region.overlaps(no.region)
        assert not yes.region.overlaps(app.confirm.query_one("#question").region)


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("Kick [/x]?", "Kick [/x]?"),
        ("Kick [red]bob[/]?", "Kick [red]bob[/]?"),
        ("Kick [@click=app.quit]eve?", "Kick [@click=app.quit]eve?"),
        ("Kick a\x1b[2J\u202eb?", "Kick ab?"),
        ("Kick 漢字?", "Kick 漢字?"),
    ],
)
async def test_a_question_is_only_text(question: str, shown: str) -> None:
    app = AskingApp(question)
    async with app.run_test(size=(80, 24)):
        label = app.confirm.query_one(Label)
        assert label.render_line(0).text.strip() == shown


async def test_button_labels_are_only_text() -> None:
    app = AskingApp()
    app.confirm = Confirm(QUESTION, yes="[/x]", no="[red]no[/]")
    async with app.run_test(size=(80, 24)):
        labels = [button.render_line(0).text.strip() for button in app.confirm.query(Button)]
        assert labels == ["[/x]", "[red]no[/]"]
