"""The rule above the line to type in what is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content
from textual.widget import Widget

from .cells import widest
from .user_row import truncate


def rule(left: str, right: Sequence[str], width: int) -> list[tuple[str, bool]]:
    """Return the parts of a rule of `width` cells, and of each whether it is line or text.

    `left` is cut if it does not fit; of `right` the first text is shown that fits, if any does.
    """
    left = truncate(left, width - len("──  "))
    room = width - len("── ") - widest(left) - 1
    end = next((text for text in right if widest(text) + len("─  ──") <= room), "")
    fill = room - (widest(end) + len("  ──") if end else 0)
    parts = [("── ", True), (left, False), (" " + "─" * fill, True)]
    return [*parts, (f" {end} ", False), ("──", True)] if end else parts


class FindRule(Widget):
    """A rule with something at its left and, as far as there is room, at its right."""

    DEFAULT_CSS = """
    FindRule {
        height: 1;
        color: $foreground;
        & > .find-rule--line { color: $foreground 50%; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"find-rule--line"}

    _left = ""
    _right: Sequence[str] = ()

    def show(self, left: str, right: Sequence[str]) -> None:
        """Show `left`, and the first of `right` that there is room for; all are clean."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render(self) -> Content:
        """Draw the rule."""
        line = self.get_visual_style("find-rule--line")
        parts = rule(self._left, self._right, self.size.width)
        return Content.assemble(*((text, line if is_line else "") for text, is_line in parts))
