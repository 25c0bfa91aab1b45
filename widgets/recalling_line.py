"""A line to type into that knows what was sent before: Up and Down recall it, and a search finds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message

from .line_input import LineInput, one_line
from .past_lines import LineSearch, PastLines


class RecallingLine(LineInput):
    """A line with a history.

    While the history is searched, what is typed is searched for, and the line shows what is found.
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
            "ctrl+r",
            "search(-1)",
            "Search lines",
            show=False,
            tooltip="Search the lines sent before; press again for an older one",
            id="command-line.search",
        ),
    ]

    @dataclass
    class Remembered(Message):
        """Posted when a line has become part of the history."""

        line: RecallingLine
        text: str

        @property
        def control(self) -> RecallingLine:
            """The input whose history it is."""
            return self.line

    def __init__(
        self,
        *,
        placeholder: str = "",
        compact: bool = False,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(placeholder=placeholder, compact=compact, id=id, classes=classes)
        self._past = PastLines()
        self._line_search: LineSearch | None = None
        self._prefill = ""

    @property
    def history(self) -> Sequence[str]:
        """The lines that were sent or set aside, oldest first."""
        return self._past.lines

    @property
    def line_search(self) -> LineSearch | None:
        """The search that is going on."""
        return self._line_search

    def remember(self, lines: Iterable[str]) -> None:
        """Put the lines of former days, oldest first, before those of the history. Nothing is posted."""
        self._past.add_older(map(one_line, lines))

    def put(self, text: str) -> None:
        """Replace the line with `text`, put the cursor at its end, and take the focus.

        Lines that were typed or edited but not sent are kept in the history.
        """
        self.leave_search()
        for line in self._past.unsent(self.value):
            if line != self._prefill and line not in self.history:
                self._remember(line)
        self._start_over(text)
        self._prefill = self.value
        self.focus()

    def sent(self, text: str) -> None:
        """Begin an empty line after `text`, which the history remembers."""
        self._remember(text)
        self._start_over("")

    def show(self, left: str, right: str = "") -> None:
        """Replace the line, and put the cursor between both parts; the history stays where it is."""
        self.value = left + right
        self.cursor_position = len(self.value) - len(right)

    def search_changed(self) -> None:
        """Is called when a search has begun, changed or ended."""

    def watch_value(self) -> None:
        """End the search when the line changes in any other way."""
        self._end_search()

    def watch_selection(self) -> None:
        """End the search when the cursor moves, and scroll to it.

        Textual scrolls too, but not for the first text.
        """
        self._end_search()
        column = self.cursor_screen_offset.x - self.content_region.x + self.scroll_offset.x
        self.scroll_to_region(Region(column, 0, 1, 1), force=True, animate=False)

    def on_blur(self) -> None:
        """Leave the search when something else in the console gets the focus."""
        if self.app.app_focus:  # pyright: ignore[reportUnknownMemberType]
            self.leave_search()

    def write(self, text: str) -> None:
        """Insert typed text at the cursor, or in place of the selection; a search goes on with it."""
        if self._line_search is not None:
            self._narrow(self._line_search, self._line_search.query + text)
        else:
            super().write(text)

    def paste(self, text: str) -> int:
        """Insert `text`, of any length and number of lines, as `write` does; return how many lines it had."""
        if self._line_search is not None:
            self.write(one_line(text))
            return 1
        return super().paste(text)

    def action_delete_left(self) -> None:
        """Delete the character left of the cursor, or the last one of what is searched for."""
        if self._line_search is not None:
            self._narrow(self._line_search, self._line_search.query[:-1])
        else:
            super().action_delete_left()

    async def action_submit(self) -> None:
        """Take the line that was found, if there is a search, to be edited or sent."""
        if self._line_search is not None:
            self.leave_search(self._line_search.found)

    def action_recall(self, step: int) -> None:
        """Show the line `step` places further on in the history, or in what the search finds.

        Edits to a line of the history last until a line is sent, and do not change the history.
        """
        if self._line_search is not None:
            self.action_search(step)
        elif (line := self._past.move(step, self.value)) is not None:
            self.show(line)

    def action_search(self, step: int) -> None:
        """Search the history for what is typed next; while searching, show the line `step` places further on.

        If there is none, the terminal's bell rings.
        """
        if self._line_search is None:
            self._show_search(LineSearch(self.history, self.value))
        elif self._line_search.move(step):
            self._show_search(self._line_search)
        else:
            self.app.bell()  # pyright: ignore[reportUnknownMemberType]

    def leave_search(self, found: str | None = None) -> None:
        """Show the line that was found, or else the draft, to be edited."""
        if (search := self._line_search) is not None:
            self.show(search.draft if found is None else found)
            self._end_search()

    def _narrow(self, search: LineSearch, query: str) -> None:
        search.narrow(query)
        self._show_search(search)

    def _show_search(self, search: LineSearch) -> None:
        self.show(search.shown)
        self._line_search = search
        self.search_changed()

    def _end_search(self) -> None:
        if self._line_search is not None:
            self._line_search = None
            self.search_changed()

    def _remember(self, line: str) -> None:
        if self._past.add(line):
            self.post_message(self.Remembered(self, line))

    def _start_over(self, text: str) -> None:
        self._past.start_over()
        self._prefill = ""
        self.show(text)
