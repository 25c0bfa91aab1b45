"""The row above the operator's line, or a few: the last answer, and whether the log follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from ..server.room.text import clean
from .cells import widest
from .entry import wrap
from .user_row import truncate

SHOWN_FOR = 10.0
"""How long an answer stays, in seconds, unless the next one replaces it."""

MOST_ROWS = 4
"""The most rows that an answer takes."""

_RULE = "─"
_LEAST_RULE = 2
_MARGIN = _LEAST_RULE + len(" = ")
_LEAST_CUT = 8  # the fewest cells that make sense of a text

Row = tuple[str, str, str, str]
"""The rule before the answer, the answer, the rule after it, and the state with the rule at the end."""


def laid_out(answer: str, more: int, state: str, width: int, most: int = MOST_ROWS) -> list[Row]:
    """Lay out rows of `width` cells: `── answer ──────── state ──`, either text may be empty.

    An answer that does not fit goes on below, in `most` rows at most. If it has `more` lines, which the log
    has too, it is cut. Where next to nothing of it would be shown beside the state, it takes that place.
    """
    end = f" {state} {_RULE * _LEAST_RULE}" if state else ""
    needed = 2 * _LEAST_RULE + (2 + _LEAST_CUT if answer else 0)
    if widest(end) + needed > width:
        end = ""
    room = width - widest(end) - 2 * _LEAST_RULE - 2
    if not answer or room < 1:
        return [("", "", _RULE * max(0, width - widest(end)), end)]
    first, *others = (
        _first_line(answer, more, room) if more else _wrapped(answer, room, width - _MARGIN, most)
    )
    used = _LEAST_RULE + widest(first) + 2 + widest(end)
    rows = [(_RULE * _LEAST_RULE + " ", first, " " + _RULE * (width - used), end)]
    return rows + [(" " * _MARGIN, text, " " * (width - _MARGIN - widest(text)), "") for text in others]


def _first_line(answer: str, more: int, room: int) -> list[str]:
    """Return `answer` with how many `more` lines there are; the answer is cut first."""
    for tail in (_more_text(more), f" · {more:,} more"):
        if room >= _LEAST_CUT + widest(tail):
            return [truncate(answer, room - widest(tail)) + tail]
    return [truncate(answer, room)]


def _more_text(more: int) -> str:
    return f" · {more:,} more in the log"


def _wrapped(answer: str, first: int, rest: int, most: int) -> list[str]:
    """Return `answer` in `most` rows at most: of `first` cells, then of `rest`, which is not less."""
    if first < 2:
        return [truncate(answer, first)]
    rows = [answer[start:end] for start, end in wrap(answer, first, rest)]
    if len(rows) > most:
        rows[most - 1 :] = [truncate(" ".join(rows[most - 1 :]), rest if most > 1 else first)]
    return rows


class AnswerRow(Widget):
    """A rule: at its left what became of the operator's last act, at its right what the log shows.

    It takes more rows where the answer is longer than one: nothing else may say it in full.
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
        height: auto;
        max-height: 34vh; /* the log and the line stay, however long an answer and low a screen */
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
        self._more = 0
        self._is_error = False
        self._state = ""
        self._is_paused = False
        self._timer: Timer | None = None

    @property
    def answer(self) -> str:
        """What is shown at the left, with its mark, where there is room for all of it."""
        return self._answer + (_more_text(self._more) if self._more else "")

    def say(self, text: str, *, error: bool = False) -> None:
        """Show an answer of one or more lines: the first, and how many more there are in the log."""
        first, *more = text.split("\n")
        mark = "!" if error else "="
        self._set(f"{mark} {' '.join(clean(first).split())}", len(more), error)
        if not error:
            self._timer = self.set_timer(SHOWN_FOR, self.clear)

    def dismiss(self) -> None:
        """Remove an error, which the operator has seen by now; an answer stays for its time."""
        if self._is_error:
            self.clear()

    def clear(self) -> None:
        """Show no answer."""
        self._set("", 0, False)

    def show_state(self, text: str, *, paused: bool) -> None:
        """Show at the right what the log does."""
        if (text, paused) != (self._state, self._is_paused):
            self._state, self._is_paused = text, paused
            self._show()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many rows it takes in `width` cells."""
        return len(self._rows(width))

    def _rows(self, width: int, most: int = MOST_ROWS) -> list[Row]:
        return laid_out(self._answer, self._more, self._state, width, most)

    def _show(self) -> None:
        self.refresh(layout=len(self._rows(self.size.width)) != self.size.height)

    def _set(self, answer: str, more: int, error: bool) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if (answer, more, error) != (self._answer, self._more, self._is_error):
            if bool(answer) != bool(self._answer):
                self.post_message(self.Changed(bool(answer)))
            self._answer, self._more, self._is_error = answer, more, error
            self._show()

    def render_line(self, y: int) -> Strip:
        def style(name: str) -> Style:
            return self.get_component_rich_style(f"answer-row--{name}")

        rows = self._rows(self.size.width, max(1, self.size.height))
        if y >= len(rows):
            return Strip.blank(self.size.width, self.rich_style)
        before, answer, between, end = rows[y]
        return Strip(
            [
                Segment(before, style("rule")),
                Segment(answer, style("error" if self._is_error else "answer")),
                Segment(between, style("rule")),
                Segment(end, style("paused" if self._is_paused else "state")),
            ]
        )

    def on_click(self, event: events.Click) -> None:
        end = self._rows(self.size.width)[0][-1]
        if event.y == 0 and event.x >= self.size.width - widest(end):
            self.post_message(self.StatePressed())
