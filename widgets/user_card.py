"""The card of the selected user: what is known, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button

from .text_button import TextButton
from .user_buttons import Act, UserButtons
from .user_facts import WIDE, Details, facts, title


class UserFacts(Widget):
    """What is known of one user, below the name. It has as many rows for one user as for another."""

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {"user-facts--name", "user-facts--rule"}

    DEFAULT_CSS = """
    UserFacts {
        height: auto;
        color: $text-muted;
        text-wrap: nowrap;
        & > .user-facts--rule { color: $foreground 30%; }
        & > .user-facts--name { color: $foreground; text-style: bold; }
        &:ansi, &:nocolor {
            text-style: dim;
            & > .user-facts--rule { color: ansi_bright_black; text-style: dim; }
        }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._details: Details | None = None
        self._shown: list[str] = []

    def show(self, details: Details) -> None:
        """Show a user; repaint only if it reads differently."""
        self._details = details
        if self._rows(self.size.width) != self._shown:
            self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many rows it takes in `width` cells."""
        return len(self._rows(width))

    def render(self) -> Content:
        width = self.size.width
        self._shown = rows = self._rows(width)
        before, name, after = title(rows[0], width) if rows else ("", "", "")
        rule = self.get_visual_style("user-facts--rule")
        named = Content.assemble(
            (before, rule), (name, self.get_visual_style("user-facts--name")), (after, rule)
        )
        return Content("\n").join([named, *(Content(f" {row}") for row in rows[1:])])

    def _rows(self, width: int) -> list[str]:
        if self._details is None:
            return []
        blank = [""] if width - 2 >= WIDE else []
        return [self._details.name, *facts(self._details, max(0, width - 2)), *blank]


class UserCard(Vertical):
    """Shows one user, with a button for each act; without a user it takes up no space.

    On a screen that is marked `-short` only the buttons are left.

    Args:
        acts: What the buttons do.
    """

    SCOPED_CSS = False  # what a short screen leaves out is decided here too

    DEFAULT_CSS = """
    UserCard {
        height: auto;
        & > .user-card--all {
            display: none;
            margin: 0 1;
        }
        &.-roomy > .user-card--all { display: block; }
    }
    .-short UserCard > UserFacts, .-short UserCard > .user-card--all { display: none; }
    """

    @dataclass
    class AllLines(Message):
        """The operator wants to see all lines of this user."""

        user_id: int

    def __init__(self, acts: Sequence[Act], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.display = False
        self.buttons = UserButtons(acts)
        """What can be done to the user."""
        self._facts = UserFacts()
        self._all = TextButton(classes="user-card--all")
        self._all.text = "[Find all lines]"
        self._user_id: int | None = None

    def compose(self) -> ComposeResult:
        yield self._facts
        yield self.buttons
        yield self._all

    def show(self, details: Details) -> None:
        """Show a user; repaint only what reads differently."""
        self._user_id = details.user_id
        self._facts.show(details)
        self.buttons.show(muted=details.muted)
        self.display = True

    def hide(self) -> None:
        """Show nobody."""
        self._user_id = None
        self.buttons.hide()
        self.display = False

    def on_resize(self) -> None:
        self.set_class(self.size.width - 2 >= WIDE, "-roomy")

    def on_click(self, event: events.Click) -> None:
        """What is known stands for all that the user has said."""
        self._ask_for_lines(event)

    @on(Button.Pressed, ".user-card--all")
    def _ask_for_lines(self, event: Message) -> None:
        event.stop()
        if self._user_id is not None:
            self.post_message(self.AllLines(self._user_id))
