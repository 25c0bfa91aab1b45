"""The bottom row: which keys it shows, and what a click does."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.waiting import until
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from chat_console.widgets.cells import widest
from chat_console.widgets.key_bar import Hint, KeyBar, fit, key_in_words, key_name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("f10", "F10"),
        ("ctrl+f", "^F"),
        ("escape", "Esc"),
        ("up", "↑"),
        ("slash", "/"),
        ("y", "y"),
        ("enter", "Enter"),
    ],
)
def test_a_key_is_shown_as_it_is_printed_on_it(key: str, name: str) -> None:
    assert key_name(key) == name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("f10", "F10"),
        ("ctrl+f", "Ctrl+F"),
        ("shift+tab", "Shift+Tab"),
        ("escape", "Escape"),
        ("up", "Up"),
        ("slash", "/"),
        ("y", "y"),
    ],
)
def test_texts_call_a_key_by_words(key: str, name: str) -> None:
    assert key_in_words(key) == name


HINTS = st.lists(
    st.tuples(st.builds(Hint, st.just("f1"), st.just("F1"), st.text("abc", max_size=9)), st.integers(-1, 9)),
    max_size=12,
)


@given(hints=HINTS, width=st.integers(0, 80))
def test_what_is_shown_fits_and_keeps_its_order(hints: list[tuple[Hint, int]], width: int) -> None:
    shown = fit(hints, width)
    assert not shown or 2 + widest(" ".join(hint.text for hint in shown)) <= width
    rest = iter(hint for hint, _ in hints)
    assert all(any(hint is other for other in rest) for hint in shown)


@pytest.mark.parametrize(("cells", "width", "count"), [(27, 62, 2), (27, 61, 1), (26, 59, 2), (27, 59, 1)])
def test_where_there_is_room_two_blanks_keep_them_apart(cells: int, width: int, count: int) -> None:
    hints = [(Hint("a", "a", "x" * cells), 0), (Hint("b", "b", "x" * cells), 1)]
    assert len(fit(hints, width)) == count


def test_what_ranks_lowest_is_left_out_last() -> None:
    hints = [(Hint("a", "a", "first"), 2), (Hint("b", "b", "second"), 0), (Hint("c", "c", "third"), 1)]
    assert [hint.key for hint in fit(hints, 30)] == ["a", "b", "c"]
    assert [hint.key for hint in fit(hints, 20)] == ["b", "c"]
    assert [hint.key for hint in fit(hints, 10)] == ["b"]


class Pane(Widget, can_focus=True):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy"),
        Binding("z", "hide", "Hidden", show=False),
    ]

    def action_copy(self) -> None:
        """Do nothing."""


class Keys(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "note(1)", "Help", id="help"),
        Binding("f2", "note(2)", "Write", id="message"),
        Binding("f3", "note(3)", "Kick", id="kick"),
    ]
    ENABLE_COMMAND_PALETTE = False
    CSS = "Pane { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.bar = KeyBar(["help", "message", "kick"], ["help", "kick", "message"])
        self.pane = Pane()
        self.notes: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.bar
        yield self.pane

    def action_note(self, number: int) -> None:
        self.notes.append(number)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if parameters == (3,) else True

    @property
    def text(self) -> str:
        return self.bar.render_line(0).text


async def test_the_focused_panes_keys_come_first() -> None:
    app = Keys()
    async with app.run_test(size=(60, 4)):
        app.set_focus(None)
        await until(lambda: app.text.rstrip() == " F1 Help  F2 Write  F3 Kick")
        app.set_focus(app.pane)
        await until(lambda: app.text.rstrip() == " y Copy  F1 Help  F2 Write  F3 Kick")


async def test_where_there_is_little_room_the_apps_least_keys_are_left_out() -> None:
    app = Keys()
    async with app.run_test(size=(20, 4)):
        app.set_focus(None)
        await until(lambda: app.text.rstrip() == " F1 Help F3 Kick")


async def test_those_of_the_focused_pane_are_left_out_last() -> None:
    app = Keys()
    async with app.run_test(size=(10, 4)):
        app.set_focus(app.pane)
        await until(lambda: app.text.rstrip() == " y Copy")


async def test_a_key_may_be_for_something_else_for_a_while() -> None:
    app = Keys()
    async with app.run_test(size=(60, 4)):
        app.set_focus(None)
        app.bar.relabel({"message": "Write »2"})
        await until(lambda: "F2 Write »2" in app.text)
        app.bar.relabel({})
        await until(lambda: "»2" not in app.text)


async def test_a_click_presses_the_key() -> None:
    app = Keys()
    async with app.run_test(size=(60, 4)) as pilot:
        app.set_focus(None)
        await until(lambda: app.text.startswith(" F1"))
        await pilot.click(app.bar, offset=(11, 0))
        await until(lambda: app.notes == [2])
        await pilot.click(app.bar, offset=(50, 0))
        assert app.notes == [2]
        app.set_focus(app.pane)
        await pilot.click(app.bar, offset=(40, 0))
        assert app.focused is app.pane


async def test_a_key_that_cannot_be_used_now_is_dimmed() -> None:
    app = Keys()
    async with app.run_test(size=(60, 4)):
        app.set_focus(None)
        await until(lambda: "F3" in app.text)
        styles = {segment.text.strip(): segment.style for segment in app.bar.render_line(0)}
        assert styles["Kick"] and styles["Help"] and styles["Kick"].color != styles["Help"].color
