"""The buttons of what can be done to a user."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from textual.containers import Container

from .text_button import TextButton


class Act(NamedTuple):
    """What can be done to a user."""

    name: str
    key: str
    """The key that does the same, as it is shown."""
    action: str
    """The action that a button runs."""
    undo: str = ""
    """The name of the opposite, which the same action does to a muted user; empty if there is none."""


def label(act: Act, *, muted: bool, keyed: bool) -> str:
    """Return a button's label: `[Mute F6]` if `keyed`, else `[Mute]`."""
    name = act.undo if muted and act.undo else act.name
    return f"[{name} {act.key}]" if keyed else f"[{name}]"


def lay_out_buttons(acts: Sequence[Act], width: int, *, muted: bool) -> list[list[str]]:
    """Return the labels of the buttons in rows, of at most `width` cells if that can be.

    One row is better than two columns, and the keys are shown where they fit.
    """
    rows: list[list[str]] = []
    for columns, keyed in ((len(acts), True), (len(acts), False), (2, True), (2, False)):
        labels = [label(act, muted=muted, keyed=keyed) for act in acts]
        rows = [labels[start : start + columns] for start in range(0, len(labels), columns)]
        if sum(column_widths(rows)) + columns - 1 <= width:
            break
    return rows


def column_widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return how wide each column of buttons is."""
    return [max(len(row[column]) for row in rows if column < len(row)) for column in range(len(rows[0]))]


class UserButtons(Container):
    """A button for each act, in one row or two, there while a user is selected.

    Args:
        acts: What the buttons do.
    """

    DEFAULT_CSS = """
    UserButtons {
        display: none;
        layout: grid;
        grid-gutter: 0 1;
        height: 1;
        padding: 0 1;
        &.-selected { display: block; }
    }
    """

    def __init__(self, acts: Sequence[Act], *, id: str | None = None) -> None:  # noqa: A002
        self._acts = acts
        self._muted = False
        self.buttons = tuple(TextButton(action=act.action) for act in acts)
        """The buttons, in the order of the acts."""
        super().__init__(*self.buttons, id=id)

    def show(self, *, muted: bool) -> None:
        """Show what can be done to a user, who is muted or not."""
        self.add_class("-selected")
        self._muted = muted
        self._fit()

    def hide(self) -> None:
        """Take up no space, while nobody is selected."""
        self.remove_class("-selected")

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        width = self.content_size.width
        rows = lay_out_buttons(self._acts, width, muted=self._muted) if width else []
        if not rows:
            return
        self.styles.grid_size_columns = len(rows[0])
        self.styles.grid_columns = column_widths(rows)
        self.styles.height = len(rows)
        for button, text in zip(self.buttons, chain.from_iterable(rows), strict=True):
            button.text = text
