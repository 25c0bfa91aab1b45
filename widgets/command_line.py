"""The operator's line: history, Tab completion, and pastes that never run as several commands."""

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
"""How many lines the history keeps; the oldest are dropped first."""

_LINE_END = re.compile("[\n\r\v\f\x85\u2028\u2029]")

# Characters whose validity depends on what follows: joiners, variation selectors, and a flag's tags.
_UNDECIDED = re.compile("[\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]")


def typed(text: str | None) -> str:
    """Return the text that a key with this `character` types, in any script; empty for a control character.

    `Key.is_printable` excludes joiners, every blank but one, and what Python's Unicode does not know.
    """
    controls = any(unicodedata.category(character) in ("Cc", "Cs") for character in text or "")
    return "" if controls else text or ""


def _lines(text: str) -> list[str]:
    """Return the lines of `text`, each cleaned on its own, so that no cut sequence swallows the next line."""
    return [line for line in map(clean, _LINE_END.split(text)) if line]


def _one_line(text: str) -> str:
    return " ".join(_lines(text))


def _common_prefix(candidates: Sequence[str]) -> str:
    """Return the longest common prefix, ignoring case, in the spelling of the first candidate."""
    columns = zip(*(map(str.casefold, candidate) for candidate in candidates), strict=False)
    same = takewhile(lambda column: len(set(column)) == 1, columns)
    return candidates[0][: sum(1 for _ in same)]


@dataclass
class _Cycle:
    """The candidates that Tab cycles through, the one shown, and the text to the right of the cursor."""

    candidates: Sequence[str]
    shown: int | None
    right: str


class CommandLine(Input):
    """A line for commands and messages.

    Whatever its source, the text is always a single line, and clean (`server.room.text.clean`) except for
    characters that depend on what follows, such as a joiner just typed; these are cleaned when the line is
    sent.
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
            tooltip="Go forward to the line sent after, and finally to the draft",
            id="command-line.newer",
        ),
        Binding(
            "tab",
            "complete(1)",
            "Complete",
            show=False,
            tooltip="Complete a command or a name; press again for the next candidate",
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
        """The line as it was typed, including blanks at its ends."""

        @property
        def control(self) -> CommandLine:
            """The input that the line was typed in."""
            return self.command_line

    @dataclass
    class Joined(Message):
        """Posted when several pasted lines were joined into one."""

        command_line: CommandLine
        lines: int
        """How many lines were joined, not counting empty ones."""

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
            complete: Takes the text left of the cursor and returns the candidates to replace it.
            placeholder: Shown while the line is empty; not markup.
            compact: Take one row and draw no border.
            id: The widget's id.
            classes: The widget's classes, separated by blanks.
        """
        super().__init__(
            placeholder=placeholder, compact=compact, select_on_focus=False, id=id, classes=classes
        )
        # A blinking cursor would wake up an idle console twice a second.
        self.cursor_blink = False
        self._complete = complete
        self._cycle: _Cycle | None = None
        self._history: deque[str] = deque(maxlen=HISTORY_LIMIT)
        # While browsing: the index of the line shown, len(history) being the draft, and visited lines as
        # edited.
        self._position = 0
        self._visited: dict[int, str] = {}
        self._prefill = ""

    @property
    def history(self) -> Sequence[str]:
        """The lines that were sent or set aside, oldest first."""
        return tuple(self._history)

    def put(self, text: str) -> None:
        """Replace the line with `text`, put the cursor at its end, and take the focus.

        Lines that were typed or edited but not sent are kept in the history.
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
        """End the cycle of candidates when the line changes in any other way."""
        self._cycle = None

    def watch_selection(self) -> None:
        """End the cycle of candidates when the cursor moves, and scroll to it.

        Textual scrolls too, but not for the first text.
        """
        self._cycle = None
        column = self.cursor_screen_offset.x - self.content_region.x + self.scroll_offset.x
        self.scroll_to_region(Region(column, 0, 1, 1), force=True, animate=False)

    def on_key(self, event: events.Key) -> None:
        """Insert typed text."""
        if text := typed(event.character):
            event.prevent_default()
            event.stop()
            self.write(text)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key types something into this line."""
        return bool(typed(character))

    def on_paste(self, event: events.Paste) -> None:
        """Insert all the text that the terminal pastes; Textual takes only the first line."""
        event.prevent_default()
        event.stop()
        self.paste(event.text)

    def action_paste(self) -> None:
        """Insert the text last copied within the app."""
        self.paste(self.app.clipboard)  # pyright: ignore[reportUnknownMemberType]

    def write(self, text: str) -> None:
        """Insert typed text at the cursor, or in place of the selection."""
        right = len(self.value) - max(self.selection)
        self.replace(text, *self.selection)
        # After what is left of the text, which may be nothing.
        self.cursor_position = len(self.value) - right

    def paste(self, text: str) -> None:
        """Insert `text`, of any length and number of lines, at the cursor or in place of the selection."""
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

        Edits to a line of the history last until a line is sent, and do not change the history.
        """
        position = clamp(self._position + step, 0, len(self._history))
        if position == self._position:
            return
        self._visited[self._position] = self.value
        self._position = position
        self._show(self._visited[position] if position in self._visited else self._history[position])

    def action_complete(self, step: int) -> None:
        """Complete the text left of the cursor, or show the candidate `step` places further on.

        If there is nothing to complete, the terminal's bell rings and the line keeps the focus.

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
