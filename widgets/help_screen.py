"""The help: marks, keys and commands."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label

Section = tuple[str, Sequence[tuple[str, str]]]
"""A heading, with marks, keys or commands and what each of them means."""


_TWO_FROM = 100
"""From how many columns on there are two columns."""


class HelpScreen(ModalScreen[None]):
    """Shows sections: a mark, a key or a command, and what it means. All of it is plain text.

    From 100 columns on the sections stand in two columns: those that come first on the left.

    Args:
        sections: The sections, from the top.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "dismiss", "Close"),
    ]

    HORIZONTAL_BREAKPOINTS = [(0, "-one"), (_TWO_FROM, "-two")]  # noqa: RUF012

    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        & > VerticalScroll {
            width: 100%; /* no text of the log is visible to its left */
            height: auto;
            max-height: 100%;
            padding: 0 1;
            border: round $primary;
            background: $surface;
            scrollbar-size-vertical: 1;
        }
        & .columns { grid-size: 1; grid-rows: auto; grid-gutter: 1 3; height: auto; }
        &.-two .columns { grid-size: 2; }
        & .column { height: auto; }
        & .rows {
            grid-size: 2;
            grid-columns: auto 1fr;
            grid-rows: auto;
            grid-gutter: 0 2;
            height: auto;
        }
        & .heading { width: 1fr; margin-top: 1; text-style: bold underline; }
        & .heading:first-child { margin-top: 0; }
        & .key { max-width: 33vw; text-style: bold; }
        &.-two .key { max-width: 18; }
        & .meaning { width: 1fr; }
    }
    """

    def __init__(self, sections: Sequence[Section]) -> None:
        super().__init__()
        self._sections = sections

    def compose(self) -> ComposeResult:
        # Textual knows the width only after the first layout, which is seen where the machine is busy.
        self.set_class(self.app.size.width >= _TWO_FROM, "-two")  # pyright: ignore[reportUnknownMemberType]
        with VerticalScroll() as page:
            page.border_title = "Help"
            page.border_subtitle = "Esc closes"
            with Grid(classes="columns"):
                for column in in_two(self._sections):
                    with Vertical(classes="column"):
                        yield from _labels(column)


def _labels(sections: Sequence[Section]) -> ComposeResult:
    for heading, rows in sections:
        yield Label(heading, markup=False, classes="heading")
        # Each section has its own columns: marks need less room than commands.
        with Grid(classes="rows"):
            for key, meaning in rows:
                yield Label(key, markup=False, classes="key")
                yield Label(meaning, markup=False, classes="meaning")


_COLUMN = 54
"""About how many cells wide one of two columns is."""

_KEY = 18
"""The most that are for the keys."""


def in_two(sections: Sequence[Section]) -> tuple[Sequence[Section], Sequence[Section]]:
    """Divide `sections` into two columns that are about as long as each other, without changing the order."""
    lengths = [2 + sum(_height(section, row) for row in range(len(section[1]))) for section in sections]
    cuts = range(len(sections) + 1)
    cut = min(cuts, key=lambda cut: max(sum(lengths[:cut]), sum(lengths[cut:])))
    return sections[:cut], sections[cut:]


def _height(section: Section, row: int) -> int:
    """Return about how many rows of the screen a row of `section` takes in one of two columns."""
    rows = section[1]
    key_width = min(_KEY, max((len(key) for key, _ in rows), default=1))
    key, meaning = rows[row]
    return max(ceil(len(key) / key_width), ceil(len(meaning) / (_COLUMN - key_width)))
