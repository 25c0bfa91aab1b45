"""The dialog before a kick, a mute or a ban: what each key and click decides."""

from __future__ import annotations

import re

import pytest
from support.waiting import until
from textual import events
from textual.app import ComposeResult
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Button, Input, Label

from chat_console.app.typeahead import KeyByKeyApp
from chat_console.widgets.action_dialog import Action, ActionDialog, Decision, Question

KICK = Question(Action.KICK, 7, "karim", "karim (127.0.0.1|47144)")
MUTE = Question(Action.MUTE, 7, "karim", "karim (127.0.0.1|47144)")
BAN = Question(Action.BAN, 7, "karim", "192.0.2.0/24", ("karim", "anna"))


def parse_duration(text: str) -> int | None:
    found = re.fullmatch(r"([0-9]+)([smhdw])", text)
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[found[2]] if found else None


def kicked(reason: str = "") -> Decision:
    return Decision(Action.KICK, 7, None, reason)


def muted(seconds: float | None, time: str, reason: str = "") -> Decision:
    return Decision(Action.MUTE, 7, seconds, reason, time)


def banned(seconds: float | None, time: str, reason: str = "") -> Decision:
    return Decision(Action.BAN, 7, seconds, reason, time)


class Asking(KeyByKeyApp):
    """An app that asks, and keeps the answer. A function key asks too."""

    def __init__(self) -> None:
        super().__init__()
        self.dialog: ActionDialog
        self.answers: list[Decision | None] = []
        self.bells = 0

    def compose(self) -> ComposeResult:
        yield Input(id="below")

    def bell(self) -> None:
        self.bells += 1

    def on_key(self, event: events.Key) -> None:
        if event.key == "f6":
            self.ask(MUTE)

    def ask(self, question: Question) -> None:
        self.answers.clear()
        self.bells = 0
        self.dialog = ActionDialog(question, parse_duration)

        async def ask() -> None:
            self.answers.append(await self.dialog.ask(self))

        self.run_worker(ask)

    @property
    def is_open(self) -> bool:
        return self.screen is self.dialog

    @property
    def complaint(self) -> str:
        label = self.dialog.query_one("#complaint", Label)
        return str(label.render()) if label.display else ""


KEYS: list[tuple[Question, list[str], Decision | None]] = [
    (KICK, ["enter"], kicked()),
    (KICK, ["r", "u", "d", "e", "space", "enter"], kicked("rude")),
    (KICK, ["x", "escape"], None),
    (KICK, ["tab", "enter"], kicked()),
    (KICK, ["tab", "tab", "enter"], None),
    (KICK, ["shift+tab", "enter"], None),
    (KICK, ["down", "right", "enter"], None),
    (KICK, ["down", "right", "left", "enter"], kicked()),
    (MUTE, ["enter"], muted(600, "10m")),
    (MUTE, ["2", "h", "enter"], muted(7200, "2h")),
    (MUTE, ["down", "enter"], muted(3600, "1h")),
    (MUTE, ["down", "down", "enter"], muted(None, "until lifted")),
    (MUTE, ["up", "enter"], muted(None, "until lifted")),
    (MUTE, ["down", "down", "down", "enter"], muted(600, "10m")),
    (MUTE, ["5", "m", "down", "enter"], muted(600, "10m")),
    (MUTE, ["5", "m", "up", "enter"], muted(None, "until lifted")),
    (MUTE, ["down", "3", "0", "s", "enter"], muted(30, "30s")),
    (MUTE, ["u", "n", "t", "i", "l", "enter"], muted(None, "until")),
    (MUTE, ["tab", "n", "o", "enter"], muted(600, "10m", "no")),
    (MUTE, ["tab", "n", "o", "up", "1", "d", "enter"], muted(86400, "1d", "no")),
    (MUTE, ["escape"], None),
    (BAN, ["enter"], None),
    (BAN, ["y", "enter"], None),
    (BAN, ["escape"], None),
    (BAN, ["shift+tab", "enter"], banned(None, "until lifted")),
    (BAN, ["left", "enter"], banned(None, "until lifted")),
    (BAN, ["tab", "2", "h", "enter"], banned(7200, "2h")),
    (BAN, ["tab", "tab", "n", "o", "enter"], banned(None, "until lifted", "no")),
]


async def test_the_keys_decide() -> None:
    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        for question, keys, answer in KEYS:
            app.ask(question)
            await pilot.pause()
            await pilot.press(*keys)
            assert (app.answers, app.is_open) == ([answer], False), (question.action, keys)


async def test_the_mouse_decides_alike() -> None:
    app = Asking()
    for size in ((80, 24), (40, 12)):
        async with app.run_test(size=size) as pilot:
            for question, buttons, answer in (
                (KICK, ["Kick"], kicked()),
                (KICK, ["Cancel"], None),
                (MUTE, ["1h", "Mute"], muted(3600, "1h")),
                (MUTE, ["until lifted", "10m", "Mute"], muted(600, "10m")),
                (BAN, ["1h", "until lifted", "Ban"], banned(None, "until lifted")),
                (BAN, ["Cancel"], None),
            ):
                app.ask(question)
                await pilot.pause()
                for name in buttons:
                    button = next(b for b in app.dialog.query(Button) if str(b.label) == f"[{name}]")
                    await pilot.click(button)
                assert app.answers == [answer], (question.action, buttons)
        app = Asking()


async def test_keys_typed_ahead_decide_as_if_they_came_one_by_one() -> None:
    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(3):
            for key in ("f6", "2", "h", "tab", "n", "o", "enter", "x", "f6", "enter", "y"):
                app.post_message(events.Key(key, key if len(key) == 1 else None))
            while app.type_ahead.busy:
                await pilot.pause()
            assert app.answers == [muted(600, "10m")]
            assert not app.is_open
        assert app.query_one("#below", Input).value == "xyxyxy"


async def test_a_key_that_comes_twice_answers_once() -> None:
    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(MUTE)
        await pilot.pause()
        for _ in range(3):
            app.type_ahead.deliver(events.Key("enter", None))
        await pilot.pause()
        assert app.answers == [muted(600, "10m")]
        assert len(app.screen_stack) == 1


async def test_an_invalid_time_says_what_to_type_and_nothing_happens() -> None:
    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        for text in ("2x", "", "  ", "ten minutes", "until never"):
            app.ask(MUTE)
            await pilot.pause()
            app.dialog.query_one("#time", Input).value = text
            await pilot.press("tab", "enter")
            assert (app.answers, app.is_open, app.bells) == ([], True, 1), text
            assert app.complaint == "Type a time such as 30s, 10m, 2h or 1d, or until lifted."
            # The field is ready to be typed over.
            await pilot.press("2", "h", "enter")
            assert app.answers == [muted(7200, "2h")]


@pytest.mark.parametrize("question", [KICK, MUTE, BAN])
async def test_when_the_user_has_left_nothing_is_done(question: Question) -> None:
    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        for keys in (["enter"], ["tab", "enter"], ["shift+tab", "enter"], ["escape"], ["x", "enter"]):
            app.ask(question)
            await pilot.pause()
            app.dialog.gone(8)
            assert (app.complaint, app.dialog.refusal) == ("", "")
            app.dialog.gone(7)
            await pilot.pause()
            assert app.complaint == "karim has left. Enter closes this."
            await pilot.press(*keys)
            assert (app.answers, app.is_open) == ([None], False)
            assert app.dialog.refusal == f"karim has left; nobody was {question.action.done}"


async def test_a_ban_names_the_first_five_and_counts_the_others() -> None:
    app = Asking()
    names = [f"user{number}" for number in range(2_005)]
    async with app.run_test(size=(80, 24)) as pilot:
        for hit, shown in (
            (names[:1], "This drops user0."),
            (names[:5], "This drops user0, user1, user2, user3, user4."),
            (names, "This drops user0, user1, user2, user3, user4 and 2,000 more."),
        ):
            app.ask(Question(Action.BAN, 7, "karim", "192.0.2.0/24", hit))
            await pilot.pause()
            assert str(app.dialog.query_one("#hit", Label).render()) == shown
            await pilot.press("escape")


async def test_the_time_used_last_is_offered() -> None:
    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(Question(Action.MUTE, 7, "karim", "karim", time="2h"))
        await pilot.pause()
        await pilot.press("enter")
        assert app.answers == [muted(7200, "2h")]


async def test_names_and_reasons_are_only_clean_text() -> None:
    app = Asking()
    async with app.run_test(size=(80, 24)) as pilot:
        for hostile in ("[/x]", "[red]bob[/]", "[@click=app.quit]eve", "a\x1b[2J\u202eb"):
            app.ask(Question(Action.BAN, 7, hostile, hostile, [hostile]))
            await pilot.pause()
            plain = hostile.replace("\x1b[2J\u202e", "")
            title, hit = (app.dialog.query_one(name, Label) for name in ("#title", "#hit"))
            assert title.render_line(0).text.strip() == f"Ban {plain}"
            assert hit.render_line(0).text.strip() == f"This drops {plain}."
            app.dialog.gone(7)
            await pilot.pause()
            assert app.complaint.startswith(f"{plain} has left")
            await pilot.press("escape")
        app.ask(KICK)
        await pilot.pause()
        app.post_message(events.Paste("two\nlines\x1b[31m"))
        await pilot.press("enter")
        assert app.answers == [kicked("two lines")]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12), (30, 6)])
async def test_all_of_it_is_reached_on_any_screen(size: tuple[int, int]) -> None:
    app, whole = Asking(), Region(0, 0, *size)
    async with app.run_test(size=size) as pilot:
        for question in (KICK, MUTE, BAN):
            app.ask(question)
            await pilot.pause()
            assert app.dialog.query_one("#dialog").region in whole
            reached: list[Widget] = []
            while (focused := app.focused) not in reached:
                assert focused is not None
                reached.append(focused)
                await until(lambda shown=focused: shown.region in whole and shown.region.area > 0)
                await pilot.press("tab")
            assert len(reached) == (3 if question is KICK else 4)
            await pilot.press("escape")


async def test_at_40x12_all_of_it_is_seen_at_once() -> None:
    app = Asking()
    async with app.run_test(size=(40, 12)) as pilot:
        for question in (KICK, MUTE, Question(Action.BAN, 7, "x", "2001:db8:0:1::/64", ["somebody"] * 9)):
            app.ask(question)
            await pilot.pause()
            box = app.dialog.query_one("#dialog").content_region
            for widget in app.dialog.query("Label, LineInput, Button"):
                assert widget.region in box or not widget.display
            await pilot.press("escape")
