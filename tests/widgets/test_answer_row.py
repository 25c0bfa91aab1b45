"""The row above the operator's line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.waiting import until
from textual.app import App, ComposeResult

from chat_console.widgets import answer_row
from chat_console.widgets.answer_row import AnswerRow, laid_out
from chat_console.widgets.cells import widest


class Screen(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.row = AnswerRow()
        self.presses = 0
        self.changes: list[bool] = []

    def compose(self) -> ComposeResult:
        yield self.row

    def on_answer_row_state_pressed(self) -> None:
        self.presses += 1

    def on_answer_row_changed(self, event: AnswerRow.Changed) -> None:
        self.changes.append(event.answered)

    @property
    def text(self) -> str:
        return self.row.render_line(0).text


def test_it_is_a_rule_with_both_texts() -> None:
    assert "".join(laid_out("= sent", "following", 40)) == "── = sent ───────────────── following ──"


@given(answer=st.text("ab中é "), state=st.text("ab9 "), width=st.integers(0, 60))
def test_it_fills_its_row_and_never_more(answer: str, state: str, width: int) -> None:
    assert widest("".join(laid_out(answer, state, width))) in (width, max(0, width - 1))


@given(answer=st.text("abc", min_size=1), width=st.integers(12, 60))
def test_an_answer_that_does_not_fit_is_cut_at_its_end(answer: str, width: int) -> None:
    _, shown, _, _ = laid_out(answer, "", width)
    assert shown == answer or (
        shown.endswith("…") and answer.startswith(shown[:-1]) and len(shown) == width - 6
    )


async def test_it_shows_the_first_of_several_lines() -> None:
    async with Screen().run_test(size=(60, 5)) as pilot:
        app: Any = pilot.app
        app.row.say("one\ntwo\nthree")
        assert "── = one · 2 more in the log ──" in app.text


async def test_an_answer_goes_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_row, "SHOWN_FOR", 0.01)
    async with Screen().run_test(size=(60, 5)) as pilot:
        app: Any = pilot.app
        app.row.say("done")
        await until(lambda: app.row.answer == "")


async def test_an_error_stays_until_it_is_dismissed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_row, "SHOWN_FOR", 0.01)
    async with Screen().run_test(size=(60, 5)) as pilot:
        app: Any = pilot.app
        app.row.say("done")
        app.row.say("nobody here is called karm", error=True)
        later: list[bool] = []
        app.set_timer(0.02, lambda: later.append(True))
        await until(lambda: later)
        assert "── ! nobody here is called karm ──" in app.text
        app.row.dismiss()
        assert app.row.answer == ""


async def test_dismissing_leaves_an_answer() -> None:
    async with Screen().run_test(size=(60, 5)) as pilot:
        app: Any = pilot.app
        app.row.say("done")
        app.row.dismiss()
        assert app.row.answer == "= done"


async def test_a_click_on_the_state_is_told_and_elsewhere_not() -> None:
    async with Screen().run_test(size=(60, 5)) as pilot:
        app: Any = pilot.app
        app.row.show_state("paused 22:41 · 9 new · End", paused=True)
        await pilot.click(app.row, offset=(50, 0))
        await pilot.click(app.row, offset=(5, 0))
        await until(lambda: app.presses == 1)


async def test_hostile_text_is_shown_as_text() -> None:
    async with Screen().run_test(size=(60, 5)) as pilot:
        app: Any = pilot.app
        app.row.say("[/x]\x1b[2J\x9b31m", error=True)
        assert "! [/x]" in app.text
        assert app.text.isprintable()


async def test_it_tells_when_there_is_an_answer_and_when_there_is_none() -> None:
    async with Screen().run_test(size=(60, 5)) as pilot:
        app: Any = pilot.app
        for text in ("one", "two"):
            app.row.say(text)
        app.row.clear()
        await until(lambda: False in app.changes)
        assert app.changes == [True, False]
