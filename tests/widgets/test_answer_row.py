"""The row above the operator's line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.waiting import until
from textual.app import App, ComposeResult

from chat_console.widgets import answer_row
from chat_console.widgets.answer_row import MOST_ROWS, AnswerRow, laid_out
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


def rows(answer: str, more: int, state: str, width: int) -> list[str]:
    return ["".join(row) for row in laid_out(answer, more, state, width)]


def test_it_is_a_rule_with_both_texts() -> None:
    assert rows("= sent", 0, "following", 40) == ["── = sent ───────────────── following ──"]


@given(answer=st.text("ab中é "), more=st.integers(0, 2000), state=st.text("ab9 "), width=st.integers(0, 60))
def test_it_fills_its_rows_and_never_more(answer: str, more: int, state: str, width: int) -> None:
    found = rows(answer, more, state, width)
    assert 1 <= len(found) <= (1 if more else MOST_ROWS)
    assert all(widest(row) in (width, max(0, width - 1)) for row in found)


def test_an_answer_takes_the_place_of_the_state_where_there_is_not_room_for_both() -> None:
    state = "paused 14 Nov 2023 22:13 · End"
    assert rows("! nobody is selected", 0, state, 40) == ["── ! nobody is selected ────────────────"]
    assert rows("", 0, state, 40) == ["────── paused 14 Nov 2023 22:13 · End ──"]
    assert rows("! nobody is selected", 0, state, 60)[0].endswith(f" {state} ──")


def test_an_answer_that_does_not_fit_goes_on_below_it() -> None:
    text = "! 127.0.0.1 is this machine itself; to ban it anyway, type: /ban 127.0.0.1 --force"
    assert rows(text, 0, "following", 80) == [
        "── ! 127.0.0.1 is this machine itself; to ban it anyway, type: ──── following ──",
        "     /ban 127.0.0.1 --force" + " " * 53,
    ]
    assert [row.rstrip() for row in rows(text, 0, "following", 40)] == [
        "── ! 127.0.0.1 is this ──── following ──",
        "     machine itself; to ban it anyway,",
        "     type: /ban 127.0.0.1 --force",
    ]


@given(words=st.lists(st.text("abc", min_size=1, max_size=9), min_size=1), width=st.integers(24, 60))
def test_what_of_it_fits_nowhere_is_cut_at_its_end(words: list[str], width: int) -> None:
    answer = " ".join(words)
    shown = " ".join(row[1] for row in laid_out(answer, 0, "", width))
    assert shown == answer or (shown.endswith("…") and answer.startswith(shown[:-1]))


def test_how_many_more_lines_there_are_is_said_where_the_first_does_not_fit() -> None:
    first = "= 127.0.0.1|49038 as anna_the_first"
    assert rows(first, 4, "paused 15:03 · 10 new · End", 80) == [
        "── = 127.0.0.1|49038 as a… · 4 more in the log ── paused 15:03 · 10 new · End ──"
    ]
    assert rows(first, 4, "following", 40) == ["── = 127.0.0.1… · 4 more ── following ──"]
    assert rows(first, 4, "following", 28) == ["── = 127.0.… ── following ──"]


async def test_it_is_as_high_as_its_answer_and_leaves_room_for_others() -> None:
    async with Screen().run_test(size=(60, 12)) as pilot:
        app: Any = pilot.app
        app.row.say("word " * 17, error=True)
        await until(lambda: app.row.size.height == 2)
        assert app.row.render_line(1).text.strip() == "word " * 6 + "word"
        app.row.say("done")
        await until(lambda: app.row.size.height == 1)
        app.row.say("word " * 90, error=True)
        await until(lambda: app.row.size.height == 4)
        assert app.row.render_line(3).text.rstrip().endswith("…")
        await pilot.resize_terminal(60, 3)
        await until(lambda: app.row.size.height == 1)
        assert app.text.rstrip(" ─").endswith("…")


async def test_columns_are_none_in_one_row() -> None:
    async with Screen().run_test(size=(60, 5)) as pilot:
        app: Any = pilot.app
        app.row.say("/bans          show who is banned")
        assert "= /bans show who is banned ─" in app.text


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
