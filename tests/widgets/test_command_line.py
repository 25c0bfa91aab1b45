"""The operator's line: what Enter, Tab, the arrows and a paste do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import product

import pytest
from support.waiting import until
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import Button, Input
from textual.widgets.input import Selection

from chat_console.server.room.text import clean
from chat_console.widgets.command_line import CommandLine
from chat_console.widgets.past_lines import LIMIT as HISTORY_LIMIT

Paste = Callable[[str], Awaitable[None]]


class Console(App[None]):
    """An app with a command input between two buttons, which records what the input posts."""

    CSS = "CommandLine.one-row {border: none; height: 1; padding: 0; &:focus {border: none}}"

    def __init__(self) -> None:
        super().__init__()
        self.candidates: Sequence[str] = ()
        self.asked: list[str] = []
        self.lines: list[str] = []
        self.joined: list[int] = []
        self.submitted = 0
        self.bells = 0

    def bell(self) -> None:
        self.bells += 1

    def compose(self) -> ComposeResult:
        yield Button("before", id="before")
        yield CommandLine(self.complete, placeholder="A [b]message[/b] or /help", id="line")
        yield Button("after", id="after")

    def on_mount(self) -> None:
        self.line.focus()

    @property
    def line(self) -> CommandLine:
        return self.query_one(CommandLine)

    def complete(self, left: str) -> Sequence[str]:
        self.asked.append(left)
        return [name for name in self.candidates if name.casefold().startswith(left.casefold())]

    def on_command_line_line(self, event: CommandLine.Line) -> None:
        assert event.control is self.line
        self.lines.append(event.text)

    def on_command_line_joined(self, event: CommandLine.Joined) -> None:
        assert event.control is self.line
        self.joined.append(event.lines)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.submitted += 1

    @property
    def focused_id(self) -> str | None:
        return self.focused.id if self.focused else None


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot[None]]:
    async with Console().run_test(size=(80, 12)) as pilot:
        yield pilot


@pytest.fixture
def console(pilot: Pilot[None]) -> Console:
    assert isinstance(pilot.app, Console)
    return pilot.app


@pytest.fixture
def line(console: Console) -> CommandLine:
    return console.line


async def send(pilot: Pilot[None], line: CommandLine, *texts: str) -> None:
    for text in texts:
        line.value = text
        await line.action_submit()
    await pilot.pause()


class TestEnter:
    async def test_a_line_is_posted_as_it_was_typed_and_cleared(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        line.value = "  /not a command "
        await pilot.press("enter")
        assert console.lines == ["  /not a command "]
        assert line.value == ""
        assert line.history == ("  /not a command ",)

    async def test_a_blank_line_does_nothing(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        for blank in ("", " ", "\N{IDEOGRAPHIC SPACE} "):
            line.value = blank
            await pilot.press("enter")
            assert (console.lines, line.value, line.history) == ([], blank, ())

    async def test_a_line_is_announced_once(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        await send(pilot, line, "hello")
        assert (len(console.lines), console.submitted) == (1, 0)


class TestHistory:
    async def test_up_goes_back_and_down_returns_to_the_draft(
        self, pilot: Pilot[None], line: CommandLine
    ) -> None:
        await send(pilot, line, "one", "two")
        line.value = "draft"
        shown = [line.value]
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            shown.append(line.value)
        assert shown == ["draft", "two", "one", "one", "two", "draft", "draft"]

    async def test_the_cursor_stands_behind_a_recalled_line(
        self, pilot: Pilot[None], line: CommandLine
    ) -> None:
        await send(pilot, line, "a longer line")
        await pilot.press("x", "up")
        assert line.cursor_position == len("a longer line")

    async def test_a_line_sent_twice_in_a_row_is_stored_once(
        self, pilot: Pilot[None], line: CommandLine
    ) -> None:
        await send(pilot, line, "a", "a", "b", "a")
        assert line.history == ("a", "b", "a")

    async def test_the_oldest_lines_go_first(self, pilot: Pilot[None], line: CommandLine) -> None:
        await send(pilot, line, *map(str, range(HISTORY_LIMIT + 2)))
        assert len(line.history) == HISTORY_LIMIT
        assert (line.history[0], line.history[-1]) == ("2", str(HISTORY_LIMIT + 1))
        await pilot.press("up")
        assert line.value == str(HISTORY_LIMIT + 1)

    async def test_an_edited_entry_leaves_the_history_as_it_is(
        self, pilot: Pilot[None], line: CommandLine
    ) -> None:
        await send(pilot, line, "one", "two")
        await pilot.press("up", "up", "s", "down", "up")
        assert line.value == "ones"
        assert line.history == ("one", "two")

    async def test_edits_of_entries_end_when_a_line_is_sent(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        await send(pilot, line, "one", "two")
        await pilot.press("up", "s", "up", "!", "enter")
        assert console.lines[-1] == "one!"
        assert line.history == ("one", "two", "one!")
        await pilot.press("up", "up")
        assert line.value == "two"


class TestCompletion:
    async def test_a_single_candidate_replaces_what_is_left_of_the_cursor(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        console.candidates = ["/kick "]
        line.value = "/KIBob"
        line.cursor_position = 3
        await pilot.press("tab")
        assert console.asked == ["/KI"]
        assert (line.value, line.cursor_position) == ("/kick Bob", 6)
        assert console.focused_id == "line"

    async def test_several_candidates_extend_to_their_common_prefix_whatever_the_case(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        console.candidates = ["/msg Malcolm ", "/msg mALlory ", "/kick "]
        line.value = "/msg m hi"
        line.cursor_position = 6
        await pilot.press("tab")
        assert (line.value, line.cursor_position) == ("/msg Mal hi", 8)

    async def test_further_tabs_cycle_through_the_candidates_and_back(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        console.candidates = ["bob ", "bobby ", "bonnie "]
        line.value = "b hi"
        line.cursor_position = 1
        shown: list[str] = []
        for key in ("tab", "tab", "tab", "tab", "tab", "shift+tab", "shift+tab"):
            await pilot.press(key)
            shown.append(line.value)
            assert line.cursor_position == len(line.value) - len(" hi")
        words = ["bo", "bob ", "bobby ", "bonnie ", "bob ", "bonnie ", "bobby "]
        assert shown == [word + " hi" for word in words]
        assert len(console.asked) == 1

    async def test_shift_tab_after_the_common_prefix_starts_with_the_last_candidate(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        console.candidates = ["bob", "bonnie"]
        line.value = "b"
        line.action_end()
        await pilot.press("tab", "shift+tab")
        assert line.value == "bonnie"

    async def test_the_first_tab_shows_a_candidate_where_no_prefix_can_be_added(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        console.candidates = ["alice", "ANNA"]
        line.value = "a"
        line.action_end()
        await pilot.press("tab")
        assert line.value == "alice"
        await pilot.press("tab")
        assert line.value == "ANNA"

    @pytest.mark.parametrize("keys", [("x", "backspace"), ("left", "right")], ids=["typing", "moving"])
    async def test_typing_or_moving_ends_the_cycle(
        self, pilot: Pilot[None], console: Console, line: CommandLine, keys: tuple[str, ...]
    ) -> None:
        console.candidates = ["alice", "anna"]
        line.value = "a"
        line.action_end()
        await pilot.press("tab", *keys, "tab")
        assert console.asked == ["a", "alice"]
        assert line.value == "alice"
        assert console.bells == 1

    async def test_with_nothing_to_complete_the_bell_rings_and_the_focus_stays(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        console.candidates = ["bob", "/list"]
        for (why, text, cursor), key in product(
            (
                ("blank", "   ", 3),
                ("cursor at the start", "bo", 0),
                ("no candidate", "nobody", 6),
                ("already complete", "/list", 5),
            ),
            ("tab", "shift+tab"),
        ):
            console.bells = 0
            line.value = text
            line.cursor_position = cursor
            await pilot.press(key)
            assert (console.focused_id, line.value, console.bells) == ("line", text, 1), (why, key)

    async def test_an_empty_line_is_left_both_ways(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        await pilot.press("tab")
        assert console.focused_id == "after"
        line.focus()
        await pilot.press("shift+tab")
        assert console.focused_id == "before"
        assert console.bells == 0


@pytest.fixture(params=["terminal", "ctrl+v"])
def paste(request: pytest.FixtureRequest, pilot: Pilot[None], line: CommandLine) -> Paste:
    """Paste a text the one way or the other."""

    async def paste(text: str) -> None:
        if request.param == "terminal":
            line.post_message(events.Paste(text))
            await pilot.pause()
        else:
            pilot.app.copy_to_clipboard(text)
            await pilot.press("ctrl+v")

    return paste


class TestPaste:
    async def test_several_lines_become_one_and_are_not_sent(
        self, console: Console, line: CommandLine, paste: Paste
    ) -> None:
        for end in ("\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029", "\n\n"):
            line.value = ""
            console.joined.clear()
            await paste(f"hello{end}/kick all{end}")
            assert (line.value, console.joined, console.lines) == ("hello /kick all", [2], []), repr(end)

    async def test_a_single_line_with_its_line_end_is_not_reported_as_joined(
        self, console: Console, line: CommandLine, paste: Paste
    ) -> None:
        await paste("hello  there\n")
        assert line.value == "hello  there"
        assert console.joined == []

    async def test_the_text_goes_in_at_the_cursor(self, line: CommandLine, paste: Paste) -> None:
        line.value = "say  loudly"
        line.cursor_position = 4
        await paste("a\nb")
        assert (line.value, line.cursor_position) == ("say a b loudly", 7)

    async def test_the_selection_is_replaced(self, line: CommandLine, paste: Paste) -> None:
        line.value = "say this"
        line.selection = Selection(8, 4)
        await paste("that")
        assert line.value == "say that"

    async def test_a_paste_of_nothing_leaves_the_selection(self, line: CommandLine, paste: Paste) -> None:
        line.value = "keep"
        line.select_all()
        for nothing in ("", "\n", "\r\n\r\n", "\x1b[31m"):
            await paste(nothing)
            assert (line.value, line.selected_text) == ("keep", "keep"), repr(nothing)

    async def test_control_sequences_are_removed_and_no_line_is_lost_to_a_cut_one(
        self, line: CommandLine, paste: Paste
    ) -> None:
        line.value = "draft "
        line.action_end()
        await paste("\b\x1b[31mred\x1b]0;cut title\nnext\u202e\x1b[")
        assert line.value == "draft red0;cut title next"

    async def test_a_long_text_is_kept_whole(self, line: CommandLine, paste: Paste) -> None:
        text = "0123456789 " * 1_000
        await paste(text)
        assert line.value == text


class TestPut:
    async def test_it_replaces_the_line_and_takes_the_focus(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        console.query_one("#after").focus()
        line.put("/msg Bob ")
        await pilot.press("h")
        assert line.value == "/msg Bob h"

    async def test_a_draft_is_kept_in_the_history(self, pilot: Pilot[None], line: CommandLine) -> None:
        await send(pilot, line, "sent")
        line.value = "draft"
        line.put("/kick Bob")
        assert line.history == ("sent", "draft")
        await pilot.press("up")
        assert line.value == "draft"
        await pilot.press("down")
        assert line.value == "/kick Bob"

    async def test_drafts_are_kept_also_while_the_history_is_browsed(
        self, pilot: Pilot[None], line: CommandLine
    ) -> None:
        await send(pilot, line, "one", "two")
        line.value = "draft"
        await pilot.press("up", "up", "!")
        line.put("/kick Bob")
        assert line.history == ("one", "two", "one!", "draft")

    async def test_what_was_put_before_and_not_touched_is_no_draft(self, line: CommandLine) -> None:
        line.put("/msg Al ")
        line.put("/msg Bob ")
        assert line.history == ()
        line.value += "hi"
        line.put("/msg Cy ")
        assert line.history == ("/msg Bob hi",)

    async def test_blanks_are_no_draft(self, line: CommandLine) -> None:
        line.value = "  "
        line.put("/list")
        assert line.history == ()


class TestText:
    async def test_whatever_is_set_is_one_clean_line(self, pilot: Pilot[None], line: CommandLine) -> None:
        for text, kept in (
            ("[red]x[/nope] [@click=app.quit]y[/]", "[red]x[/nope] [@click=app.quit]y[/]"),
            ("a\n/kick all\u2029b", "a /kick all b"),
            ("\x1b]0;title\x07x\x9b31my\u202ez", "xyz"),
        ):
            line.value = ""
            line.value = text
            assert line.value == kept
            line.put(text)
            assert line.value == kept
            await pilot.pause()
            assert line.render_line(0).text.rstrip() == kept

    async def test_what_is_typed_is_kept_like_what_is_pasted(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        for text in (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a non-joiner
            "\u0915\u094d\u200d\u0937",  # Hindi, a half form
            "\u09b0\u200d\u09cd\u09af",  # Bengali
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\u2764\ufe0f",
            "\u00df \u0416 \u6f22\u3000\u5b57 \u0e01\u0e33",
        ):
            console.lines.clear()
            for character in text:
                line.post_message(events.Key(character, character))
            await pilot.pause()
            assert line.value == text
            await pilot.press("enter")
            line.post_message(events.Paste(text))
            await pilot.pause()
            await pilot.press("enter")
            # A blank is a blank, whatever its width.
            assert console.lines == [clean(text)] * 2, ascii(text)

    async def test_a_joiner_is_kept_wherever_it_is_typed_and_cleaned_when_it_is_sent(
        self, pilot: Pilot[None], console: Console, line: CommandLine
    ) -> None:
        line.value = "\u0645\u06cc \u062e"
        line.cursor_position = 2
        line.post_message(events.Key("x", "\u200c"))
        line.post_message(events.Key("x", "\u062e"))
        await pilot.pause()
        assert line.value == "\u0645\u06cc\u200c\u062e \u062e"
        line.value = " \u200d\u200dfor nothing"
        assert line.value == " \u200d\u200dfor nothing"
        await pilot.press("enter")
        assert console.lines == [clean(" \u200d\u200dfor nothing")] == [" for nothing"]

    async def test_what_is_removed_moves_no_cursor(self, pilot: Pilot[None], line: CommandLine) -> None:
        line.value = "abc"
        line.cursor_position = 1
        for nothing in ("\u202e", "\x9b"):
            line.post_message(events.Key("x", nothing))
            await pilot.pause()
            assert (line.value, line.cursor_position) == ("abc", 1), repr(nothing)

    async def test_the_placeholder_is_not_markup(self, line: CommandLine) -> None:
        assert line.render_line(0).text.rstrip() == "A [b]message[/b] or /help"


class TestScreen:
    async def test_coming_back_and_typing_adds_to_the_draft(
        self, pilot: Pilot[None], line: CommandLine
    ) -> None:
        await pilot.press("a", "b")
        pilot.app.action_focus_next()
        line.focus()
        await pilot.press("c")
        assert line.value == "abc"

    async def test_the_cursor_does_not_blink(self, line: CommandLine) -> None:
        assert line.has_focus
        assert not line.cursor_blink
        cursor = line.get_component_rich_style("input--cursor")
        assert any(part.style and part.style.bgcolor == cursor.bgcolor for part in line.render_line(0))

    @pytest.mark.parametrize("way", ["compact", "css"])
    async def test_one_row_of_forty_columns_shows_the_end_of_a_long_first_line(
        self, pilot: Pilot[None], line: CommandLine, way: str
    ) -> None:
        await pilot.resize_terminal(40, 12)
        if way == "compact":
            line.compact = True
        else:
            line.add_class("one-row")
        line.put("/msg Bob " + "漢字" * 40 + "the end")
        # The last blank is the cursor.
        await until(lambda: line.render_line(0).crop(0, 40).text.endswith("漢字the end "))
        assert line.region.size == (40, 1)

    async def test_every_binding_has_an_id_and_a_tooltip(self) -> None:
        for binding in CommandLine.BINDINGS:
            assert isinstance(binding, Binding)
            assert binding.id and binding.tooltip
