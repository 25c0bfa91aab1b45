"""A field for how long something lasts."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from .line_input import LineInput, one_line

UNTIL_LIFTED = "until lifted"
"""The time that has no end."""

CHOICES = ("10m", "1h", UNTIL_LIFTED)
"""The times that are offered."""


def until_lifted(text: str) -> bool:
    """Whether `text` says that there is no end; its beginning is enough."""
    return bool(text) and UNTIL_LIFTED.startswith(text.casefold())


class TimeField(LineInput):
    """A line for a time. Up and Down choose one of the usual ones; typing replaces what is offered.

    Args:
        time: the time that is offered.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", "Time before", show=False),
        Binding("down", "step(1)", "Next time", show=False),
    ]

    def __init__(self, time: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(compact=True, id=id)
        self.select_on_focus = True
        self.value = time

    def choose(self, place: int) -> None:
        """Take the choice with that index."""
        self.value = CHOICES[place]
        self.select_all()

    def action_step(self, step: int) -> None:
        """Take the choice `step` places further on, around the end."""
        text = one_line(self.value).strip()
        # What is none of them comes before the first and after the last.
        place = CHOICES.index(text) if text in CHOICES else -1 if step > 0 else 0
        self.choose((place + step) % len(CHOICES))
