"""The line to type in what is looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Input

from ..server.room.text import clean
from .line_input import typed

if TYPE_CHECKING:
    from .find_bar import FindBar


class FindLine(Input, inherit_bindings=False):
    """The line to type in what is looked for. Its keys move through what is found."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "older", id="find.older", tooltip="Go to the hit before"),
        Binding("down", "move(1)", "newer", id="find.newer", tooltip="Go to the hit after"),
        Binding("tab", "show_only", "only these", id="find.only", tooltip="Show only the hits"),
        Binding("tab", "show_all", "all lines", id="find.all", tooltip="Show all lines again"),
        Binding("enter", "submit", "go to the line", id="find.choose", tooltip="Point at the line"),
        Binding("escape", "close", "close", id="find.close", tooltip="Stay where the log is"),
        Binding("pageup", "scroll_log('page_up')", show=False),
        Binding("pagedown", "scroll_log('page_down')", show=False),
        Binding("ctrl+home", "scroll_log('home')", show=False),
        Binding("ctrl+end", "scroll_log('end')", show=False),
        Binding("end", "end_or_follow", show=False, tooltip="At the end of what is typed: follow the log"),
        *Input.BINDINGS,  # after our own, which the footer shows in their order
    ]
    DEFAULT_CSS = """
    FindLine { width: 1fr; }
    """

    def __init__(self, bar: FindBar) -> None:
        super().__init__(compact=True, select_on_focus=False)
        # A blinking cursor would wake up an idle console twice a second.
        self.cursor_blink = False
        self._bar = bar

    def show(self, value: str, placeholder: str) -> None:
        """Show a query, all of it selected; or else what stands for one that cannot be typed."""
        self.placeholder = placeholder
        self.value = value
        self.action_select_all()

    def validate_value(self, value: str) -> str:
        """Keep the value a single line that is safe to show."""
        return clean(" ".join(value.splitlines()))

    def on_key(self, event: events.Key) -> None:
        """Insert typed text, in any script."""
        if text := typed(event.character):
            event.prevent_default()
            event.stop()
            self.write(text)

    def on_paste(self, event: events.Paste) -> None:
        """Insert all that is pasted, as one line; Textual takes only the first."""
        event.prevent_default()
        event.stop()
        self.write(event.text)

    def action_paste(self) -> None:
        """Insert the text last copied within the app."""
        self.write(self.app.clipboard)  # pyright: ignore[reportUnknownMemberType]

    def write(self, text: str) -> None:
        """Put `text` in the place of what is selected."""
        self.placeholder = ""
        self.replace(" ".join(text.splitlines()), *self.selection)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key types something into this line."""
        return bool(typed(character))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer one of the two that share a key."""
        if action in ("show_only", "show_all"):
            return self._bar.shows_only_hits is (action == "show_all")
        return True

    async def action_submit(self) -> None:
        """Point at the current line."""
        self._bar.act(self._bar.choose)

    def action_move(self, step: int) -> None:
        """Go to the hit before or after."""
        self._bar.act(lambda: self._bar.move(step))

    def action_show_only(self) -> None:
        """Show only the hits."""
        self._bar.act(self._bar.toggle_only)

    def action_show_all(self) -> None:
        """Show all lines again."""
        self._bar.act(self._bar.toggle_only)

    def action_close(self) -> None:
        """End finding."""
        self._bar.close(escaped=True)

    def action_scroll_log(self, way: str) -> None:
        """Scroll the log."""
        self._bar.scroll_log(way)

    def action_end_or_follow(self) -> None:
        """Go to the end of the line, or, where the cursor is there already, to that of the log."""
        if self.cursor_position == len(self.value):
            self._bar.scroll_log("end")
        self.action_end()
