"""A question that must be answered before anything happens."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Label

from ..server.room.text import clean
from .text_button import TextButton


class Confirm(ModalScreen[bool]):
    """Asks a yes-or-no question. No has the focus, so that Enter alone confirms nothing.

    Args:
        question: Plain text without line breaks; it wraps, and scrolls if it is too long.
        yes: The label of the button that confirms.
        no: The label of the button that does not.
    """

    AUTO_FOCUS = "#no"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,Y", "dismiss(True)", "Yes"),
        Binding("n,N,escape", "dismiss(False)", "No"),
        Binding("left", "go('yes')", "Yes button", show=False),
        Binding("right", "go('no')", "No button", show=False),
    ]

    DEFAULT_CSS = """
    Confirm {
        align: center middle;
        & > Vertical {
            width: 100%; /* no text of the log is visible to its left */
            height: auto;
            padding: 0 1;
            border: round $warning;
            background: $surface;
        }
        & #question { height: auto; max-height: 50vh; }
        & Label { width: 1fr; text-align: center; }
        & Horizontal { height: auto; margin-top: 1; align-horizontal: center; }
        & Button, & Button:hover { margin-right: 1; color: $foreground; background: $surface; }
        & Button:hover { text-style: underline; }
        & Button:focus { color: $surface; background: $foreground; text-style: bold; }
        & Button:nocolor:focus { text-style: bold reverse; }
        &:ansi Button:focus { text-style: bold reverse; }
    }
    """

    def __init__(self, question: str, yes: str = "Yes", no: str = "No") -> None:
        super().__init__()
        self._question = clean(question)
        self._yes = yes
        self._no = no

    def ask(self, app: App[Any]) -> asyncio.Future[bool]:
        """Show the question on `app`, and return a future for the answer. To be called from a worker."""
        # Unlike push_screen_wait, this puts it on the stack at once, for the same key to find when repeated.
        return app.push_screen(self, wait_for_dismiss=True)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            # A string would be parsed as markup.
            box.border_subtitle = Content(f"y {self._yes.lower()} · Esc {self._no.lower()}")
            with VerticalScroll(id="question", can_focus=False):
                yield Label(self._question, markup=False)
            with Horizontal():
                yield _button(self._yes, "yes", "screen.dismiss(True)")
                yield _button(self._no, "no", "screen.dismiss(False)")

    def action_go(self, button: str) -> None:
        """Move the focus to a button."""
        self.set_focus(self.query_one(f"#{button}", Button))


def _button(label: str, name: str, action: str) -> TextButton:
    button = TextButton(action=action)
    button.id = name
    button.text = f"[{label}]"
    return button
