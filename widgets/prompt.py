"""What stands before the operator's line: to whom it goes."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from ..server.room.text import clean
from .cells import fitting, widest

ARROW = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
"""Stands between the prompt and what is typed."""

LEAST = 10
"""How many cells are left for what is typed, whatever the prompt."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """The user to whom the line goes."""

    id: int
    name: str
    """As it is shown; a rename changes it, and never whom the id means."""

    gone: bool = False
    """Whether the user has left, so that nothing can be sent."""


@dataclass(frozen=True, slots=True)
class PromptText:
    """A prompt, of which the middle is shortened where there is little room."""

    before: str
    middle: str = ""
    after: str = ""
    keeps_end: bool = False
    """Whether it is the end of the middle that counts."""

    def fitted(self, width: int) -> str:
        """The prompt for a row of `width` cells; the middle takes a third of them at most."""
        middle = _shortened(clean(self.middle), max(1, width // 3), self.keeps_end)
        text = f"{self.before}{middle}{self.after}{ARROW}"
        return text if widest(text) <= width - LEAST else ARROW.lstrip()


def prompt_to(recipient: Recipient | None) -> PromptText:
    """The prompt that says to whom a line goes; None is everybody."""
    if recipient is None:
        return PromptText("everybody")
    # Of an address the port tells most, since several people may share the rest.
    is_address = "|" in recipient.name
    if recipient.gone:
        return PromptText("", recipient.name, " has left", is_address)
    return PromptText("to ", recipient.name, keeps_end=is_address)


def _shortened(text: str, cells: int, keeps_end: bool) -> str:
    if widest(text) <= cells:
        return text
    if not keeps_end:
        return text[: fitting(text, cells - 1)] + "…"
    start = len(text)
    while start and widest(text[start - 1 :]) < cells:
        start -= 1
    return "…" + text[start:]


class Prompt(Widget):
    """Shows to whom the line goes. A click asks to write to everybody."""

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    Prompt {
        width: auto;
        height: 1;
        &.-private { text-style: bold; }
        /* No theme's own red, on which text is hard to read in some of them. */
        &.-gone { background: darkred; color: white; text-style: bold; }
        &.-gone:ansi { background: ansi_red; color: ansi_bright_white; }
        &.-gone:nocolor { text-style: bold reverse; }
    }
    """

    @dataclass
    class Pressed(Message):
        """Posted when the prompt is clicked."""

        prompt: Prompt

        @property
        def control(self) -> Prompt:
            """The prompt."""
            return self.prompt

    def __init__(self) -> None:
        super().__init__()
        self._text = prompt_to(None)
        self._row_width = 0

    def show(self, text: PromptText, recipient: Recipient | None) -> None:
        """Show `text` before a line that goes to `recipient`."""
        self.set_class(recipient is not None and not recipient.gone, "-private")
        self.set_class(recipient is not None and recipient.gone, "-gone")
        if text != self._text:
            self._text = text
            self.refresh(layout=True)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the width of the text in a row of that width."""
        self._row_width = container.width
        return widest(self._text.fitted(container.width))

    def render(self) -> Content:
        """Return the text, never as markup."""
        return Content(self._text.fitted(self._row_width))

    def on_click(self, event: events.Click) -> None:
        """Tell that the prompt was clicked."""
        event.stop()
        self.post_message(self.Pressed(self))
