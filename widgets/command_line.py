"""The operator's line: to whom it goes, Tab completion, and pastes that never run as several commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.message import Message

from .line_input import one_line
from .prompt import Prompt, PromptText, Recipient, prompt_to
from .recalling_line import RecallingLine

PRIVATE_PLACEHOLDER = "Private; Esc writes to everybody"
"""What an empty line that goes to one user shows."""


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


class CommandLine(RecallingLine):
    """A line for commands and messages, which goes to everybody or to one user, until that changes.

    Its prompt, which says so, is a widget of its own; `LineRow` shows both.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
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
        Binding(
            "escape",
            "everybody",
            "everybody",
            show=True,
            tooltip="Write to everybody again, or leave the search",
            id="command-line.everybody",
        ),
    ]

    @dataclass
    class Line(Message):
        """Posted when Enter is pressed on a line that is not blank."""

        command_line: CommandLine
        text: str
        """The line as it was typed, including blanks at its ends."""

        recipient_id: int | None = None
        """The user to whom it goes, or None for everybody, as it was when Enter was pressed."""

        @property
        def control(self) -> CommandLine:
            """The input that the line was typed in."""
            return self.command_line

    @dataclass
    class Refused(Message):
        """Posted when Enter is pressed on a line to a user who has left. The line is still there."""

        command_line: CommandLine
        recipient: Recipient

        @property
        def control(self) -> CommandLine:
            """The input that the line was typed in."""
            return self.command_line

        @property
        def reason(self) -> str:
            """Why it was not sent, and what to do."""
            return f"{self.recipient.name} has left; Esc writes to everybody"

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
        """Create an empty line to everybody.

        Args:
            complete: Takes the text left of the cursor and returns the candidates to replace it.
            placeholder: Shown while the line is empty and goes to everybody; not markup.
            compact: Take one row and draw no border.
            id: The widget's id.
            classes: The widget's classes, separated by blanks.
        """
        super().__init__(placeholder=placeholder, compact=compact, id=id, classes=classes)
        self.prompt = Prompt()
        """Shows to whom the line goes, wherever it is mounted."""
        self._complete = complete
        self._cycle: _Cycle | None = None
        self._recipient: Recipient | None = None
        self._to_everybody = placeholder
        # Whether Backspace emptied the line: held down, it must not go on to another recipient.
        self._erasing = False

    # To whom it goes

    @property
    def recipient(self) -> Recipient | None:
        """To whom the line goes; None is everybody. Half-typed text stays when this changes."""
        return self._recipient

    @recipient.setter
    def recipient(self, recipient: Recipient | None) -> None:
        self.leave_search()
        self._recipient = recipient
        self._erasing = False
        self._show_prompt()

    def rename(self, user_id: int, name: str) -> None:
        """Show the new name of a user, if the line goes to it."""
        if self._recipient is not None and self._recipient.id == user_id:
            self._recipient = replace(self._recipient, name=name)
            self._show_prompt()

    def left(self, user_id: int) -> None:
        """Send nothing more, if the line goes to that user, until another recipient is chosen."""
        if self._recipient is not None and self._recipient.id == user_id:
            self._recipient = replace(self._recipient, gone=True)
            self._show_prompt()

    def returned(self, user_id: int) -> None:
        """Send again, if the line goes to that user, who had left only because a link was cut."""
        if self._recipient is not None and self._recipient.id == user_id and self._recipient.gone:
            self._recipient = replace(self._recipient, gone=False)
            self._show_prompt()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to write to everybody only where that changes anything."""
        if action == "everybody":
            return self._recipient is not None or self.line_search is not None
        return True

    def action_everybody(self) -> None:
        """Leave the search, if there is one, or else write to everybody again.

        Raises:
            SkipAction: If there is no search, and the line goes to everybody anyway.
        """
        if self.line_search is not None:
            self.leave_search()
        elif self._recipient is not None:
            self.recipient = None
        else:
            raise SkipAction()

    def _show_prompt(self) -> None:
        self.placeholder = self._to_everybody if self._recipient is None else PRIVATE_PLACEHOLDER
        if (search := self.line_search) is None:
            text = prompt_to(self._recipient)
        else:
            self.placeholder = ""
            text = PromptText("not found: " if search.failed else "search: ", search.query, keeps_end=True)
        self.prompt.show(text, None if self.line_search else self._recipient)
        self.refresh_bindings()

    # What is typed

    def search_changed(self) -> None:
        """Show what is searched for in the prompt."""
        self._show_prompt()

    def watch_value(self) -> None:
        """End the cycle of candidates when the line changes in any other way."""
        self._cycle = None
        super().watch_value()

    def watch_selection(self) -> None:
        """End the cycle of candidates when the cursor moves."""
        self._cycle = None
        super().watch_selection()

    def on_focus(self) -> None:
        """Let Backspace do all it can: it was let go of."""
        self._erasing = False

    def write(self, text: str) -> None:
        """Insert typed text at the cursor, or in place of the selection; a search goes on with it."""
        self._erasing = False
        super().write(text)

    def paste(self, text: str) -> int:
        """Insert `text`, of any length and number of lines, as `write` does; tell if lines were joined."""
        self._erasing = False
        lines = super().paste(text)
        if lines > 1:
            self.post_message(self.Joined(self, lines))
        return lines

    def action_delete_left(self) -> None:
        """Delete what is left of the cursor; on an empty line, write to everybody again."""
        if self.value or self.line_search is not None or self._recipient is None:
            self._erasing = bool(self.value) and self.line_search is None
            super().action_delete_left()
        elif self._erasing:
            self.app.bell()  # pyright: ignore[reportUnknownMemberType]
        else:
            self.recipient = None

    def action_end(self, select: bool = False) -> None:
        """Go to the end of the line.

        Raises:
            SkipAction: If the line is empty, so that the key goes to the end of something else.
        """
        if not self.value and not select:
            raise SkipAction()
        super().action_end(select)

    def action_recall(self, step: int) -> None:
        """Show another line of the history."""
        self._erasing = False
        super().action_recall(step)

    async def action_submit(self) -> None:
        """Send the line, unless it is blank or goes to nobody; while searching, take the line found."""
        self._erasing = False
        if self.line_search is not None:
            await super().action_submit()
            return
        text = one_line(self.value)
        recipient = self._recipient
        if not text.strip():
            return
        if recipient is not None and recipient.gone:
            self.app.bell()  # pyright: ignore[reportUnknownMemberType]
            self.post_message(self.Refused(self, recipient))
            return
        self.sent(text)
        self.post_message(self.Line(self, text, recipient.id if recipient else None))

    # Completion

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
            self.show(candidates[0], right)
            return
        cycle = _Cycle(candidates, None, right)
        prefix = _common_prefix(candidates)
        if len(prefix) > len(left):
            self.show(prefix, right)
            self._cycle = cycle
        else:
            self._show_candidate(cycle, step)

    def _show_candidate(self, cycle: _Cycle, step: int) -> None:
        if cycle.shown is None:
            shown = 0 if step > 0 else len(cycle.candidates) - 1
        else:
            shown = (cycle.shown + step) % len(cycle.candidates)
        self.show(cycle.candidates[shown], cycle.right)
        self._cycle = _Cycle(cycle.candidates, shown, cycle.right)
