"""The rule above the line to type in what is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content
from textual.widget import Widget

from .cells import fitting, widest


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
        width = self.size.width
        left = self._left[: fitting(self._left, max(0, width - len("──  ")))]
        room = width - widest(left) - len("── ") - len(" ──  ──")
        right = next((text for text in self._right if widest(text) <= room), "")
        line = self.get_visual_style("find-rule--line")
        used = len("── ") + widest(left) + 1 + (widest(right) + len("  ──") if right else 0)
        fill = "─" * (width - used)
        end = [(f" {right} ", ""), ("──", line)] if right else []
        return Content.assemble(("── ", line), left, (f" {fill}", line), *end)
