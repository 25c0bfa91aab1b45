"""The operator's line: history, completion by Tab, and a paste that never runs as several commands."""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.geometry import Region, clamp
from textual.message import Message
from textual.widgets import Input

from ..server.room.text import clean

HISTORY_LIMIT = 500
"""How many lines the history keeps; the oldest go first."""

_LINE_END = re.compile("[\n\r\v\f\x85\u2028\u2029]")

# What is right or wrong by what follows: joiners, variation selectors, and the tags of a flag.
_UNDECIDED = re.compile("[\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]")


def typed(text: str | None) -> str:
    """The text that a key with this `character` types, in any script; nothing if that is a control.

    `Key.is_printable` leaves out the joiners, every blank but one, and what Python's Unicode does not know.
    """
    controls = any(unicodedata.category(character) in ("Cc", "Cs") for character in text or "")
    return "" if controls else text or ""


def _lines(text: str) -> list[str]:
    """The lines of `text`, each cleaned by itself: a cut control sequence must not swallow the next line."""
    return [line for line in map(clean, _LINE_END.split(text)) if line]


def _one_line(text: str) -> str:
    return " ".join(_lines(text))


def _common_prefix(candidates: Sequence[str]) -> str:
    """The longest common prefix whatever the case, in the spelling of the first candidate."""
    columns = zip(*(map(str.casefold, candidate) for candidate in candidates), strict=False)
    same = takewhile(lambda column: len(set(column)) == 1, columns)
    return candidates[0][: sum(1 for _ in same)]


@dataclass
class _Cycle:
    """The candidates that Tab goes through, the one that is shown, and what stands right of the cursor."""

    candidates: Sequence[str]
    shown: int | None
    right: str


class CommandLine(Input):
    """A line for commands and messages.

    Whatever its source, the text is always a single line, and clean (`server.text.clean`) but for what is
    judged by what follows, such as a joiner that was just typed: that is cleaned when the line is sent.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "up",
            "recall(-1)",
            "Older line",
            show=False,
            tooltip="Go back to the line sent before",
            id="command-line.older",
        ),
        Binding(
            "down",
            "recall(1)",
            "Newer line",
            show=False,
            tooltip="Go forward to the line sent after, and last to the draft",
            id="command-line.newer",
        ),
        Binding(
            "tab",
            "complete(1)",
            "Complete",
            show=False,
            tooltip="Complete a command or a name; again for the next candidate",
            id="command-line.complete",
        ),
        Binding(
            "shift+tab",
            "complete(-1)",
            "Previous candidate",
            show=False,
            tooltip="Go back to the previous candidate",
            id="command-line.previous-candidate",
        ),
    ]

    @dataclass
    class Line(Message):
        """Posted when Enter is pressed on a line that is not blank."""

        command_line: CommandLine
        text: str
        """The line as it was typed, blanks at its ends included."""

        @property
        def control(self) -> CommandLine:
            """The input that the line was typed in."""
            return self.command_line

    @dataclass
    class Joined(Message):
        """Posted when a paste of several lines was joined into one."""

        command_line: CommandLine
        lines: int
        """How many lines were joined; empty ones do not count."""

        @property
        def control(self) -> CommandLine:
            """The input that was pasted into."""
            return self.command_line

    def __init__(
        self,
        complete: Callable[[str], Sequence[str]],
        *,
        placeholder: str = "",
        compact: bool = False,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """Create an empty line.

        Args:
            complete: Returns the candidates that may replace the text left of the cursor, which it is given.
            placeholder: Shown while the line is empty; not markup.
            compact: Take one row and draw no border.
            id: The widget's id.
            classes: The widget's classes, separated by blanks.
        """
        super().__init__(
            placeholder=placeholder, compact=compact, select_on_focus=False, id=id, classes=classes
        )
        # A blinking cursor would wake an idle console twice a second.
        self.cursor_blink = False
        self._complete = complete
        self._cycle: _Cycle | None = None
        self._history: deque[str] = deque(maxlen=HISTORY_LIMIT)
        # Browsing: the line shown, where len(history) is the draft, and each visited line as it was left.
        self._position = 0
        self._visited: dict[int, str] = {}
        self._prefill = ""

    @property
    def history(self) -> Sequence[str]:
        """The lines that were sent or put aside, oldest first."""
        return tuple(self._history)

    def put(self, text: str) -> None:
        """Replace the line by `text`, with the cursor at its end, and take the focus.

        Lines that were typed or edited and not sent are kept in the history.
        """
        self._visited[self._position] = self.value
        for _, line in sorted(self._visited.items()):
            if line != self._prefill and line not in self._history:
                self._remember(line)
        self._start_over(text)
        self._prefill = self.value
        self.focus()

    def validate_value(self, value: str) -> str:
        """Keep the value a single clean line, wherever it comes from."""
        line = _one_line(value)
        return value if _UNDECIDED.sub("", line) == _UNDECIDED.sub("", value) else line

    def watch_value(self) -> None:
        """End the cycle of candidates when the line is changed otherwise."""
        self._cycle = None

    def watch_selection(self) -> None:
        """End the cycle of candidates when the cursor is moved, and show where it is.

        Textual does that too, but not for the first text.
        """
        self._cycle = None
        column = self.cursor_screen_offset.x - self.content_region.x + self.scroll_offset.x
        self.scroll_to_region(Region(column, 0, 1, 1), force=True, animate=False)

    def on_key(self, event: events.Key) -> None:
        """Insert what is typed."""
        if text := typed(event.character):
            event.prevent_default()
            event.stop()
            self.write(text)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key types something here."""
        return bool(typed(character))

    def on_paste(self, event: events.Paste) -> None:
        """Insert what the terminal pastes, instead of its first line alone."""
        event.prevent_default()
        event.stop()
        self.paste(event.text)

    def action_paste(self) -> None:
        """Insert what was copied within the app."""
        self.paste(self.app.clipboard)  # pyright: ignore[reportUnknownMemberType]

    def write(self, text: str) -> None:
        """Insert what was typed, at the cursor or in the place of what is selected."""
        right = len(self.value) - max(self.selection)
        self.replace(text, *self.selection)
        # Behind what is left of the text, which may be nothing.
        self.cursor_position = len(self.value) - right

    def paste(self, text: str) -> None:
        """Insert `text`, of any length and any lines, at the cursor or in the place of what is selected."""
        lines = _lines(text)
        if lines:
            self.replace(" ".join(lines), *self.selection)
        if len(lines) > 1:
            self.post_message(self.Joined(self, len(lines)))

    async def action_submit(self) -> None:
        """Send the line, unless it is blank."""
        text = _one_line(self.value)
        if text.strip():
            self._remember(text)
            self._start_over("")
            self.post_message(self.Line(self, text))

    def action_recall(self, step: int) -> None:
        """Show the line `step` places further on in the history.

        Edits to a line of the history last until a line is sent and leave the history as it is.
        """
        position = clamp(self._position + step, 0, len(self._history))
        if position == self._position:
            return
        self._visited[self._position] = self.value
        self._position = position
        self._show(self._visited[position] if position in self._visited else self._history[position])

    def action_complete(self, step: int) -> None:
        """Complete the text left of the cursor, or show the candidate `step` places further on.

        With nothing to complete the terminal's bell rings, and what is typed next is still for this line.

        Raises:
            SkipAction: If the line is empty, so that the key moves the focus.
        """
        if self._cycle is not None:
            self._show_candidate(self._cycle, step)
            return
        left, right = self.value[: self.cursor_position], self.value[self.cursor_position :]
        candidates = self._complete(left) if step > 0 and left.strip() else ()
        if not self.value:
            raise SkipAction()
        if not candidates or set(candidates) == {left}:
            self.app.bell()  # pyright: ignore[reportUnknownMemberType]
            return
        if len(candidates) == 1:
            self._show(candidates[0], right)
            return
        cycle = _Cycle(candidates, None, right)
        prefix = _common_prefix(candidates)
        if len(prefix) > len(left):
            self._show(prefix, right)
            self._cycle = cycle
        else:
            self._show_candidate(cycle, step)

    def _show_candidate(self, cycle: _Cycle, step: int) -> None:
        if cycle.shown is None:
            shown = 0 if step > 0 else len(cycle.candidates) - 1
        else:
            shown = (cycle.shown + step) % len(cycle.candidates)
        self._show(cycle.candidates[shown], cycle.right)
        self._cycle = _Cycle(cycle.candidates, shown, cycle.right)

    def _show(self, left: str, right: str = "") -> None:
        self.value = left + right
        self.cursor_position = len(self.value) - len(right)

    def _remember(self, line: str) -> None:
        if line.strip() and (not self._history or line != self._history[-1]):
            self._history.append(line)

    def _start_over(self, text: str) -> None:
        self._visited.clear()
        self._position = len(self._history)
        self._prefill = ""
        self._show(text)
