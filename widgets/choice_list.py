"""A list of things to do, of which one is pointed at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..server.room.text import clean
from .user_row import truncate

MARK = "▸ "
"""Precedes the choice that is pointed at."""

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Choice:
    """One row: what may be chosen. All of it is plain text."""

    title: str
    note: str = ""
    """What else is known of it, if there is room."""
    key: str = ""
    """The key that does the same."""
    value: str = ""
    """What the program makes of it; it is not shown."""


class ChoiceList(ScrollView, can_focus=False):
    """Shows choices, one a row: its title, a note, and its key at the right edge.

    Args:
        nothing: is shown where there is no choice.
    """

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "choice-list--title",
        "choice-list--note",
        "choice-list--highlighted",
    }

    DEFAULT_CSS = """
    ChoiceList {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .choice-list--note { color: $text-muted; }
        & > .choice-list--highlighted {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: bold;
        }
        &:nocolor > .choice-list--highlighted { text-style: bold reverse; }
    }
    """

    @dataclass
    class Chosen(Message):
        """A choice was clicked."""

        choice: Choice

    def __init__(self, nothing: str) -> None:
        super().__init__()
        self._nothing = nothing
        self._choices: Sequence[Choice] = ()
        self._at = 0

    @property
    def choices(self) -> Sequence[Choice]:
        """What may be chosen, from the top."""
        return self._choices

    @property
    def highlighted(self) -> Choice | None:
        """The choice that is pointed at; None if there is nothing to choose."""
        return self._choices[self._at] if self._choices else None

    def show(self, choices: Sequence[Choice]) -> None:
        """Show other choices, and point at the first."""
        self._choices = choices
        self._at = 0
        self.virtual_size = Size(0, len(choices))
        self.scroll_to(0, 0, animate=False, force=True, immediate=True)
        self.refresh()

    def move(self, by: int) -> None:
        """Point at a choice further down, or up; at the last or the first if there are not so many."""
        if self._choices:
            self._at = min(max(self._at + by, 0), len(self._choices) - 1)
            row = Region(0, self._at, 1, 1)
            self.scroll_to_region(row, animate=False, force=True, immediate=True)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Paint a row of the view."""
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        if not self._choices and not index:
            note = self.get_component_rich_style("choice-list--note")
            return Strip([Segment(truncate(self._nothing, width), note)]).adjust_cell_length(width, note)
        if index >= len(self._choices):
            return Strip.blank(width, self.rich_style)
        return self._row(self._choices[index], width, highlighted=index == self._at)

    def _row(self, choice: Choice, width: int, *, highlighted: bool) -> Strip:
        looks = "highlighted" if highlighted else "title"
        plain = self.get_component_rich_style(f"choice-list--{looks}")
        muted = plain if highlighted else self.get_component_rich_style("choice-list--note")
        key = f"{_GAP}{choice.key}" if choice.key else ""
        room = max(0, width - len(key) - len(MARK))
        title = truncate(clean(choice.title), room)
        left = Strip([Segment(MARK if highlighted else " " * len(MARK), plain), Segment(title, plain)])
        note = truncate(clean(choice.note), max(0, room - left.cell_length + len(MARK) - len(_GAP)))
        if note:
            left = Strip([*left, Segment(f"{_GAP}{note}", muted)])
        left = left.adjust_cell_length(len(MARK) + room, plain)
        return Strip([*left, Segment(key, muted)]).adjust_cell_length(width, plain)

    def on_click(self, event: events.Click) -> None:
        """Choose the row that was clicked."""
        offset = event.get_content_offset(self)
        if offset is not None and (index := offset.y + self.scroll_offset.y) < len(self._choices):
            event.stop()
            self.post_message(self.Chosen(self._choices[index]))
