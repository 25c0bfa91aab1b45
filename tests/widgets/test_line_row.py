"""The row in which the operator types: to whom a line goes, and the search for one sent before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.pilot import Pilot
from textual.widgets import Button

from chat_console.widgets.command_line import PRIVATE_PLACEHOLDER, CommandLine
from chat_console.widgets.line_row import LineRow
from chat_console.widgets.prompt import ARROW, Recipient
from chat_console.widgets.recalling_line import RecallingLine

ANN = Recipient(7, "ann")


class Row(App[None]):
    """An app with the row at its end, which records what the line posts, and keys that come through."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"seen('{key}')") for key in ("escape", "end", "pageup", "ctrl+home", "ctrl+end")
    ]

    def __init__(self) -> None:
        super().__init__()
        self.line = CommandLine(lambda left: (), placeholder="To everybody", compact=True)
        self.sent: list[tuple[str, int | None]] = []
        self.refused: list[str] = []
        self.remembered: list[str] = []
        self.seen: list[str] = []
        self.bells = 0

    def compose(self) -> ComposeResult:
        yield Button("before")
        yield LineRow(self.line)

    def on_mount(self) -> None:
        self.line.focus()

    def bell(self) -> None:
        self.bells += 1

    def action_seen(self, key: str) -> None:
        self.seen.append(key)

    def on_command_line_line(self, event: CommandLine.Line) -> None:
        self.sent.append((event.text, event.recipient_id))

    def on_command_line_refused(self, event: CommandLine.Refused) -> None:
        assert event.control is self.line
        self.refused.append(event.reason)

    def on_recalling_line_remembered(self, event: CommandLine.Remembered) -> None:
        assert event.control is self.line
        self.remembered.append(event.text)

    @property
    def shown(self) -> str:
        """What the row shows."""
        prompt, line = (widget.render_line(0).text for widget in (self.line.prompt, self.line))
        return (prompt + line).rstrip()


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot[None]]:
    async with Row().run_test(size=(60, 12)) as pilot:
        yield pilot


@pytest.fixture
def row(pilot: Pilot[None]) -> Row:
    assert isinstance(pilot.app, Row)
    return pilot.app


@pytest.fixture
def line(row: Row) -> CommandLine:
    return row.line


def shown(prompt: str, text: str = "") -> str:
    return (prompt + ARROW + text).rstrip()


class TestRecipient:
    async def test_the_prompt_says_to_whom_the_line_goes(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        assert row.shown == shown("everybody", "To everybody")
        line.recipient = ANN
        await pilot.pause()
        assert row.shown == shown("to ann", PRIVATE_PLACEHOLDER)
        await pilot.press("h", "i")
        assert row.shown == shown("to ann", "hi")

    async def test_it_stays_from_line_to_line_and_the_draft_from_one_to_another(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        await pilot.press("h")
        line.recipient = ANN
        await pilot.press("i", "enter", "x", "enter", "y")
        line.recipient = Recipient(8, "bob")
        await pilot.press("enter", "z", "escape", "enter")
        assert row.sent == [("hi", 7), ("x", 7), ("y", 8), ("z", None)]

    async def test_a_recipient_is_an_id_whatever_its_name(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        line.recipient = ANN
        line.rename(8, "eve")
        line.left(8)
        line.rename(7, "Anna")
        await pilot.press("x")
        assert row.shown == shown("to Anna", "x")
        await pilot.press("enter")
        assert row.sent == [("x", 7)]

    async def test_nothing_is_sent_to_anybody_when_the_recipient_has_left(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        line.recipient = ANN
        await pilot.press("s", "e", "c", "r", "e", "t")
        line.left(7)
        await pilot.press("enter", "enter")
        assert row.shown == shown("ann has left", "secret")
        assert line.prompt.has_class("-gone")
        assert (row.sent, row.bells, line.history) == ([], 2, ())
        assert row.refused == ["ann has left; Esc writes to everybody"] * 2
        line.rename(7, "ann2")  # of what was on its way
        await pilot.press("enter")
        assert row.sent == []
        await pilot.press("escape", "enter")
        assert row.sent == [("secret", None)]
        assert not line.prompt.has_class("-gone")

    async def test_escape_acts_here_only_while_there_is_something_to_do(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        line.recipient = ANN
        await pilot.press("escape")
        assert (line.recipient, row.seen) == (None, [])
        await pilot.press("escape")
        assert row.seen == ["escape"]

    async def test_backspace_on_an_empty_line_leaves_the_recipient(
        self, pilot: Pilot[None], line: CommandLine
    ) -> None:
        line.recipient = ANN
        await pilot.press("backspace")
        assert line.recipient is None
        await pilot.press("backspace")

    async def test_a_backspace_that_is_held_down_does_not_leave_the_recipient(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        line.recipient = ANN
        await pilot.press("x", "y", *["backspace"] * 5)
        assert (line.value, line.recipient, row.bells) == ("", ANN, 3)
        await pilot.press("z", "ctrl+u", "backspace")
        assert line.recipient is None

    async def test_a_click_on_the_prompt_leaves_the_recipient_and_keeps_the_draft(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        line.recipient = ANN
        await pilot.press("x")
        row.query_one(Button).focus()
        await pilot.click(line.prompt)
        assert (line.recipient, line.value, line.has_focus) == (None, "x", True)

    @pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12), (20, 5)])
    async def test_the_row_is_one_row_high_and_the_text_has_the_rest_of_it(
        self, pilot: Pilot[None], line: CommandLine, size: tuple[int, int]
    ) -> None:
        await pilot.resize_terminal(*size)
        for recipient in (None, ANN, Recipient(8, "a_name_of_20_letters"), Recipient(9, "x", gone=True)):
            line.recipient = recipient
            await pilot.pause()
            prompt, text = line.prompt.region, line.region
            assert (prompt.height, text.height, text.y) == (1, 1, prompt.y)
            assert (prompt.x, prompt.right, text.right) == (0, text.x, size[0])
            assert text.width >= 10

    async def test_the_prompt_fits_again_after_a_resize(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        line.recipient = Recipient(8, "a_name_of_20_letters")
        await pilot.press("x")
        await pilot.resize_terminal(40, 12)
        assert row.shown == shown("to a_name_of_20…", "x")
        await pilot.resize_terminal(80, 12)
        assert row.shown == shown("to a_name_of_20_letters", "x")

    async def test_keys_of_the_log_come_through(self, pilot: Pilot[None], row: Row) -> None:
        await pilot.press("end", "x", "home", "end", "y", "pageup", "ctrl+home", "ctrl+end")
        assert row.seen == ["end", "pageup", "ctrl+home", "ctrl+end"]
        assert row.line.value == "xy"


class TestSearch:
    @pytest.fixture(autouse=True)
    def history(self, line: CommandLine) -> None:
        line.remember(["hello world", "/kick bob", "the words", "bye"])

    async def test_what_is_typed_narrows_and_enter_takes_the_line_without_sending_it(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        await pilot.press("d", "ctrl+r")
        assert row.shown == shown("search: ", "d")
        await pilot.press("w", "o", "r")
        assert row.shown == shown("search: wor", "the words")
        await pilot.press("ctrl+r")
        assert row.shown == shown("search: wor", "hello world")
        await pilot.press("enter")
        assert row.shown == shown("everybody", "hello world")
        assert row.sent == []
        await pilot.press("!", "enter")
        assert row.sent == [("hello world!", None)]

    async def test_escape_restores_the_draft_and_keeps_the_recipient(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        line.recipient = ANN
        await pilot.press("d", "ctrl+r", "b", "escape")
        assert (row.shown, row.seen) == (shown("to ann", "d"), [])
        assert line.recipient is ANN

    async def test_up_and_down_go_through_what_is_found(self, pilot: Pilot[None], line: CommandLine) -> None:
        await pilot.press("ctrl+r")
        found: list[str] = []
        for key in ("up", "up", "up", "b", "up", "down"):
            await pilot.press(key)
            found.append(line.value)
        assert found == ["bye", "the words", "/kick bob", "bye", "/kick bob", "bye"]

    async def test_without_a_hit_it_says_so_and_enter_restores_the_draft(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        await pilot.press("d", "ctrl+r", "z", "z")
        assert row.shown == shown("not found: zz")
        await pilot.press("ctrl+r")
        assert row.bells == 1
        await pilot.press("backspace", "backspace")
        assert row.shown == shown("search: ", "d")
        await pilot.press("z", "enter")
        assert row.shown == shown("everybody", "d")

    async def test_moving_the_cursor_or_editing_takes_the_line(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        for keys, text in ((["left"], "the words"), (["ctrl+w"], "the "), (["home"], "the words")):
            line.put("")
            await pilot.press("ctrl+r", "w", "o", *keys)
            assert row.shown == shown("everybody", text)

    async def test_a_paste_is_searched_for(self, pilot: Pilot[None], row: Row, line: CommandLine) -> None:
        await pilot.press("ctrl+r")
        line.post_message(events.Paste("kick\nbob"))
        await pilot.pause()
        assert row.shown == shown("search: kick bob", "/kick bob")

    async def test_it_ends_when_the_focus_or_the_recipient_goes_elsewhere(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        await pilot.press("d", "ctrl+r", "w", "o")
        line.recipient = ANN
        await pilot.pause()
        assert row.shown == shown("to ann", "d")
        await pilot.press("ctrl+r", "w", "o")
        row.query_one(Button).focus()
        await pilot.pause()
        assert row.shown == shown("to ann", "d")

    async def test_it_goes_on_when_the_terminal_gets_the_focus_back(
        self, pilot: Pilot[None], row: Row, line: CommandLine
    ) -> None:
        await pilot.press("ctrl+r", "w", "o")
        row.post_message(events.AppBlur())
        await pilot.pause()
        row.post_message(events.AppFocus())
        await pilot.pause()
        await pilot.press("r")
        assert row.shown == shown("search: wor", "the words")

    async def test_only_new_lines_are_told_of(self, pilot: Pilot[None], row: Row, line: CommandLine) -> None:
        await pilot.press("ctrl+r", "y", "enter", "enter", "x", "enter", "d")
        line.put("")
        await pilot.pause()
        assert row.remembered == ["x", "d"]
        assert line.history[-3:] == ("bye", "x", "d")


async def test_every_binding_has_an_id_and_a_tooltip_and_stays_out_of_the_footer() -> None:
    bindings: list[BindingType] = RecallingLine.BINDINGS
    for binding in bindings:
        assert isinstance(binding, Binding)
        assert binding.id and binding.tooltip and not binding.show
