"""A button that is nothing but its text."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.widgets import Button


class TextButton(Button):
    """A button of one row, as wide as its text.

    Args:
        action: The action that it runs; without one it posts `Pressed`.
    """

    DEFAULT_CSS = """
    TextButton {
        width: auto;
        min-width: 0;
        height: 1;
        padding: 0;
        text-align: left;
        content-align: left middle;
    }
    """

    def __init__(self, *, action: str | None = None, classes: str | None = None) -> None:
        super().__init__("", action=action, classes=classes, compact=True)
        # Otherwise it would ignore further presses for a while, and the effect of keys depend on timing.
        self.active_effect_duration = 0
        # Textual fails where a button is too narrow for its padding.
        self.styles.line_pad = 0

    @property
    def text(self) -> str:
        """What it says."""
        return Content.from_text(self.label).plain

    @text.setter
    def text(self, text: str) -> None:
        if text != (old := self.text):
            # A string would be parsed as markup.
            self.label = Content(text)
            if cell_len(text) != cell_len(old):
                self.refresh(layout=True)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the width of the text."""
        return cell_len(self.text)
