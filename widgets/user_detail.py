"""Details of the selected user, in a few words below the list."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from ..server.room.text import clean
from .user_row import time_here


def size_text(size: int) -> str:
    """Format a number of bytes in the largest fitting unit: `0 B`, `340 kB`, `12 MB`."""
    if size < 1_000:
        return f"{size} B"
    return f"{size / 1_000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.0f} MB"


class UserDetail(Widget):
    """Shows one user; without one it takes up no space."""

    DEFAULT_CSS = """
    UserDetail {
        height: auto;
        padding: 0 1;
        color: $text-muted;
        &:ansi, &:nocolor { text-style: dim; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.display = False
        self._text = ""

    def show(self, address: str, here: float, idle: float, lines: int, waiting: int) -> None:
        """Show a user; repaint only if the text changes.

        Args:
            address: The address of the user's connection.
            here, idle: Seconds since the user joined, and since the user last said something.
            lines: How many lines the user has said.
            waiting: How many bytes are waiting for the user to read them.
        """
        said = "1 line" if lines == 1 else f"{lines:,} lines"
        self._set(
            f"{clean(address)} · here {time_here(here)} · idle {time_here(idle)} · {said} · "
            f"{size_text(waiting)} waiting"
        )

    def hide(self) -> None:
        """Show nobody."""
        self._set("")

    def render(self) -> Content:
        return Content(self._text)

    def _set(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.display = bool(text)
            self.refresh(layout=True)
