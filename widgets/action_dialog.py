"""The dialog before a user is kicked, muted or banned: for how long, and why."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Label

from ..server.room.text import clean
from .line_input import LineInput, one_line
from .prompt import ARROW
from .time_field import CHOICES, UNTIL_LIFTED, TimeField, until_lifted

NAMED = 5
"""How many of those whom a ban hits are named; the others are counted."""


class Action(enum.Enum):
    """What can be done to a user."""

    KICK = "kick"
    MUTE = "mute"
    BAN = "ban"

    @property
    def done(self) -> str:
        """As in `nobody was banned`."""
        return {"kick": "kicked", "mute": "muted", "ban": "banned"}[self.value]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about, fixed when the dialog opens."""

    action: Action
    user_id: int
    name: str
    """The user's name."""

    in_full: str
    """What is acted on: the name with the address, or of a ban the network."""

    hit: Sequence[str] = ()
    """The names of all whom a ban drops."""

    time: str = ""
    """The time that is offered; if it is empty, 10 minutes for a mute, and no end for a ban."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the operator decided."""

    action: Action
    user_id: int
    seconds: float | None
    """For how long; None is until it is lifted. A kick has no time."""

    reason: str
    """One clean line, which may be empty."""

    time: str = ""
    """The time as it was typed, to be offered next time."""


class ActionDialog(ModalScreen[Decision | None]):
    """Asks for the time and the reason of an action; the answer is None if nothing is to be done.

    Enter does it, except on Cancel, which has the focus first if it is a ban.

    Args:
        question: what is asked about.
        parse_duration: returns the seconds of a text such as `10m`, or None if it is not one.
    """

    AUTO_FOCUS = ".first"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "Do it", show=False, priority=True),
        Binding("escape", "leave", "Cancel", show=False),
        Binding("up,left", "app.focus_previous", "Previous field", show=False),
        Binding("down,right", "app.focus_next", "Next field", show=False),
    ]

    DEFAULT_CSS = """
    ActionDialog {
        align: center middle;
        background: transparent; /* what is around it need not be painted again */
        & > #dialog {
            width: 100%; /* no text of the log is visible to its left */
            height: auto;
            max-height: 100%;
            padding: 0 1;
            border: round $warning;
            border-subtitle-color: $foreground;
            background: $background;
        }
        & Label { width: 1fr; }
        & #title { text-style: bold; }
        & Horizontal { height: auto; }
        & .name { width: 9; }
        & #choices { margin-left: 9; }
        & #complaint { display: none; text-style: bold; }
        & #complaint.-shown { display: block; }
        & #answers { margin-top: 1; align-horizontal: center; }
        & LineInput, & LineInput:focus {
            width: 1fr;
            background: $background;
            background-tint: transparent;
            & > .input--placeholder { color: $foreground; text-style: italic; }
            & > .input--selection { color: $background; background: $foreground; }
            &:nocolor > .input--cursor, &:nocolor > .input--selection { text-style: reverse; }
        }
        & #dialog Button, & #dialog Button:hover {
            min-width: 0;
            margin-right: 1;
            color: $foreground;
            background: $background;
        }
        & #dialog Button:hover { text-style: underline; }
        & #dialog Button:focus { color: $background; background: $foreground; text-style: bold; }
        & #dialog Button:nocolor:focus { text-style: bold reverse; }
        &:ansi #dialog Button:focus { text-style: bold reverse; }
    }
    """

    def __init__(self, question: Question, parse_duration: Callable[[str], int | None]) -> None:
        super().__init__()
        self.question = question
        self._parse_duration = parse_duration
        self._is_gone = False
        default = UNTIL_LIFTED if question.action is Action.BAN else CHOICES[0]
        self._time = TimeField(question.time or default, id="time")
        self._reason = LineInput(placeholder="optional", compact=True, id="reason")
        self._hit = Label(_drops(question.hit), markup=False, id="hit")
        self._complaint = Label("", markup=False, id="complaint")
        self._cancel = _button("Cancel", "leave")
        first = {Action.KICK: self._reason, Action.MUTE: self._time, Action.BAN: self._cancel}
        first[question.action].add_class("first")

    @property
    def refusal(self) -> str:
        """Why nothing could be done, if the user left before the answer."""
        name, action = clean(self.question.name), self.question.action
        return f"{name} has left; nobody was {action.done}" if self._is_gone else ""

    def ask(self, app: App[Any]) -> asyncio.Future[Decision | None]:
        """Show the dialog on `app`, and return a future for the answer. To be called from a worker."""
        # Unlike push_screen_wait, this puts it on the stack at once, for the same key to find when repeated.
        return app.push_screen(self, wait_for_dismiss=True)

    def compose(self) -> ComposeResult:
        """Lay out the question, the fields and the buttons."""
        action = self.question.action
        verb = action.value.title()
        with VerticalScroll(id="dialog", can_focus=False) as box:
            box.border_subtitle = (
                "Esc cancels" if action is Action.BAN else f"Enter {action.value}s · Esc cancels"
            )
            yield Label(f"{verb} {clean(self.question.in_full)}", markup=False, id="title")
            if self.question.hit:
                yield self._hit
            if action is not Action.KICK:
                yield Horizontal(Label(f"for{ARROW}", classes="name"), self._time)
                choices = [_button(text, f"choose({place})") for place, text in enumerate(CHOICES)]
                for button in choices:
                    button.can_focus = False  # by the keyboard they are chosen in the field
                yield Horizontal(*choices, id="choices")
            yield Horizontal(Label(f"reason{ARROW}", classes="name"), self._reason)
            yield self._complaint
            yield Horizontal(_button(verb, "decide"), self._cancel, id="answers")

    def on_resize(self) -> None:
        """Keep what has the focus in view, also on the first layout."""
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def gone(self, user_id: int) -> None:
        """Tell that a user has left. If it is the one in question, nothing can be done any more."""
        if user_id == self.question.user_id and not self._is_gone:
            self._is_gone = True
            self._complain(f"{clean(self.question.name)} has left. Enter closes this.")

    def hits(self, names: Sequence[str]) -> None:
        """Tell whom a ban drops by now."""
        self._hit.update(_drops(names))

    def action_choose(self, place: int) -> None:
        """Take one of the times that are offered."""
        self._time.choose(place)
        self.set_focus(self._time)

    def action_enter(self) -> None:
        """Do what Enter does where the focus is."""
        if self.focused is self._cancel:
            self.action_leave()
        else:
            self.action_decide()

    def action_leave(self) -> None:
        """Close the dialog: nothing is done."""
        self.dismiss(None)

    def action_decide(self) -> None:
        """Close the dialog with a decision, unless the time says nothing, or the user has left."""
        if self._is_gone:
            self.dismiss(None)
            return
        question = self.question
        reason = one_line(self._reason.value).strip()
        if question.action is Action.KICK:
            self.dismiss(Decision(question.action, question.user_id, None, reason))
            return
        text = one_line(self._time.value).strip()
        seconds = None if until_lifted(text) else self._parse_duration(text)
        if seconds is None and not until_lifted(text):
            self._complain("Type a time such as 30s, 10m, 2h or 1d, or until lifted.")
            self.set_focus(self._time)
            self.app.bell()  # pyright: ignore[reportUnknownMemberType]
            return
        self.dismiss(Decision(question.action, question.user_id, seconds, reason, text))

    def _complain(self, text: str) -> None:
        self._complaint.update(text)
        self._complaint.add_class("-shown")


def _button(label: str, action: str) -> Button:
    button = Button(Content(f"[{label}]"), action=f"screen.{action}", compact=True)
    # Else it would be two cells wider.
    button.styles.line_pad = 0
    button.styles.width = len(label) + 2
    # Otherwise it would ignore further presses for a while, and the effect of keys depend on timing.
    button.active_effect_duration = 0
    return button


def _drops(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    some = ", ".join(map(clean, names[:NAMED])) + (f" and {more:,} more" if more > 0 else "")
    return f"This drops {some}."
