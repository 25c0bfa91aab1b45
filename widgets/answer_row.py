"""The row above the operator's line: the last answer, and whether the log follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from ..server.room.text import clean
from .cells import fitting, widest

SHOWN_FOR = 10.0
"""How long an answer stays, in seconds, unless the next one replaces it."""

_RULE = "─"
_LEAST_RULE = 2


def laid_out(answer: str, state: str, width: int) -> tuple[str, str, str, str]:
    """Lay out one row of `width` cells: `── answer ──────── state ──`, either text may be empty.

    The answer is cut first, with `…` at its end, then the state.

    Returns:
        The rule before the answer, the answer, the rule between them, and the state with the rule after it.
    """
    end = f" {state} {_RULE * _LEAST_RULE}" if state else ""
    if widest(end) + 2 * _LEAST_RULE > width:
        end = ""
    room = width - widest(end) - 2 * _LEAST_RULE - 2
    if not answer or room < 1:
        return "", "", _RULE * max(0, width - widest(end)), end
    if widest(answer) > room:
        answer = answer[: fitting(answer, room - 1)] + "…"
    used = _LEAST_RULE + widest(answer) + 2 + widest(end)
    return _RULE * _LEAST_RULE + " ", answer, " " + _RULE * (width - used), end


class AnswerRow(Widget):
    """One rule: at its left what became of the operator's last act, at its right what the log shows.

    An answer stays for `SHOWN_FOR` seconds, an error until `dismiss`, or either until the next one.
    """

    class StatePressed(Message):
        """The state at the right was clicked."""

    @dataclass
    class Changed(Message):
        """There is an answer now, or no longer."""

        answered: bool

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "answer-row--rule",
        "answer-row--answer",
        "answer-row--error",
        "answer-row--state",
        "answer-row--paused",
    }
    DEFAULT_CSS = """
    AnswerRow {
        height: 1;
        background: $surface;
        & > .answer-row--rule { color: $text-muted; }
        & > .answer-row--answer { color: $text-success; text-style: bold; }
        & > .answer-row--error { color: $text-error; text-style: bold; }
        & > .answer-row--state { color: $text-muted; }
        & > .answer-row--paused { color: $text-warning; text-style: bold; }
        &:nocolor > .answer-row--error, &:nocolor > .answer-row--paused { text-style: bold reverse; }
        &:ansi > .answer-row--rule { text-style: dim; }
    }
    """

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._answer = ""
        self._is_error = False
        self._state = ""
        self._is_paused = False
        self._timer: Timer | None = None

    @property
    def answer(self) -> str:
        """What is shown at the left, with its mark."""
        return self._answer

    def say(self, text: str, *, error: bool = False) -> None:
        """Show an answer of one or more lines: the first, and how many more there are in the log."""
        first, *more = text.split("\n")
        mark = "!" if error else "="
        self._set(f"{mark} {clean(first)}" + (f" · {len(more):,} more in the log" if more else ""), error)
        if not error:
            self._timer = self.set_timer(SHOWN_FOR, self.clear)

    def dismiss(self) -> None:
        """Remove an error, which the operator has seen by now; an answer stays for its time."""
        if self._is_error:
            self.clear()

    def clear(self) -> None:
        """Show no answer."""
        self._set("", False)

    def show_state(self, text: str, *, paused: bool) -> None:
        """Show at the right what the log does."""
        if (text, paused) != (self._state, self._is_paused):
            self._state, self._is_paused = text, paused
            self.refresh()

    def _set(self, answer: str, error: bool) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if (answer, error) != (self._answer, self._is_error):
            if bool(answer) != bool(self._answer):
                self.post_message(self.Changed(bool(answer)))
            self._answer, self._is_error = answer, error
            self.refresh()

    def render_line(self, y: int) -> Strip:
        def style(name: str) -> Style:
            return self.get_component_rich_style(f"answer-row--{name}")

        before, answer, between, end = laid_out(self._answer, self._state, self.size.width)
        return Strip(
            [
                Segment(before, style("rule")),
                Segment(answer, style("error" if self._is_error else "answer")),
                Segment(between, style("rule")),
                Segment(end, style("paused" if self._is_paused else "state")),
            ]
        )

    def on_click(self, event: events.Click) -> None:
        *_, end = laid_out(self._answer, self._state, self.size.width)
        if event.x >= self.size.width - widest(end):
            self.post_message(self.StatePressed())
