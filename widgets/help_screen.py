"""The help: keys and commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label

Section = tuple[str, Sequence[tuple[str, str]]]
"""A heading, with keys or commands and what each of them does."""


class HelpScreen(ModalScreen[None]):
    """Shows sections in two columns: a key or command, and what it does. All of it is plain text.

    Args:
        sections: The sections, from the top.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "dismiss", "Close"),
    ]

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
        & Grid {
            grid-size: 2;
            grid-columns: auto 1fr;
            grid-rows: auto;
            grid-gutter: 0 2;
            height: auto;
        }
        & .heading { column-span: 2; width: 1fr; padding-top: 1; text-style: bold underline; }
        & .heading:first-child { padding-top: 0; }
        & .key { max-width: 33vw; text-style: bold; }
        & .meaning { width: 1fr; }
    }
    """

    def __init__(self, sections: Sequence[Section]) -> None:
        super().__init__()
        self._sections = sections

    def compose(self) -> ComposeResult:
        with VerticalScroll() as page:
            page.border_title = "Help"
            page.border_subtitle = "Esc closes"
            with Grid():
                for heading, rows in self._sections:
                    yield Label(heading, markup=False, classes="heading")
                    for key, meaning in rows:
                        yield Label(key, markup=False, classes="key")
                        yield Label(meaning, markup=False, classes="meaning")
