"""The palette: a line to search with, and what can be done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from ..server.room.text import clean
from .choice_list import Choice, ChoiceList


@dataclass(frozen=True, slots=True)
class Wording:
    """What a palette says."""

    title: str
    hint: str
    """Stands in the line while it is empty."""
    nothing: str
    """Stands in the list where nothing is found."""


class SearchLine(Input):
    """A line whose text is clean, wherever it comes from."""

    def validate_value(self, value: str) -> str:
        """Leave out what a terminal would obey."""
        return clean(value)


class PaletteScreen(ModalScreen[str | None]):
    """Finds something to do by words, and returns the `value` of the choice; None if there was none.

    Args:
        search: returns what is offered for a text, best first; it is cancelled when the text changes.
        wording: what to say.
    """

    AUTO_FOCUS = "SearchLine"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+p", "dismiss", "Close"),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
    ]

    DEFAULT_CSS = """
    PaletteScreen {
        align: center top;
        & > Vertical {
            width: 100%; /* no text of the log is visible to its left */
            height: 100%;
            max-height: 20;
            padding: 0 1;
            border: round $primary;
            background: $surface;
        }
        & ChoiceList { height: 1fr; }
    }
    """

    def __init__(self, search: Callable[[str], Awaitable[Sequence[Choice]]], wording: Wording) -> None:
        super().__init__()
        self._search = search
        self._wording = wording
        self._list = ChoiceList(wording.nothing)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._wording.title
            box.border_subtitle = "Enter does it · Esc closes"
            yield SearchLine(placeholder=self._wording.hint, compact=True, select_on_focus=False)
            yield self._list

    def on_mount(self) -> None:
        """Show what is offered before anything is typed."""
        self._find("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._find(event.value)

    def _find(self, text: str) -> None:
        # A worker of this screen: keys typed ahead, such as Enter, wait for its end.
        self.run_worker(partial(self._show, text), exclusive=True)

    async def _show(self, text: str) -> None:
        self._list.show(await self._search(text))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if choice := self._list.highlighted:
            self.dismiss(choice.value)

    @on(ChoiceList.Chosen)
    def _clicked(self, event: ChoiceList.Chosen) -> None:
        event.stop()
        self.dismiss(event.choice.value)

    def action_move(self, by: int) -> None:
        """Point at the next choice, or the one before."""
        self._list.move(by)

    def action_page(self, way: int) -> None:
        """Point at a choice a page further down, or up."""
        self._list.move(way * max(1, self._list.size.height - 1))
