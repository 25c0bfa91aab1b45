"""The status line: how the server is doing, and what waits for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widget import Widget

from ..server.room.text import clean
from .activity import sparkline
from .counts import count_text
from .user_row import truncate

_LAYOUTS = (
    ("title", "address", "users", "nodes", "rate and history", "uptime", "recorded", "long chips"),
    ("address", "users", "nodes", "rate and history", "uptime", "recorded", "long chips"),
    ("address", "users", "nodes", "rate and history", "uptime", "long chips"),
    ("address", "users", "nodes", "rate", "uptime", "long chips"),
    ("address", "users", "nodes", "uptime", "long chips"),
    ("address", "users", "nodes", "long chips"),
    ("address", "users", "nodes"),
    ("port", "users", "nodes"),
    ("port", "users"),
    ("port",),
    (),
)
"""What is shown, from the widest to the narrowest."""

_GAP = 2
"""Blanks before each chip, at least."""

_SHORT_NAME = 12
"""The most cells that a name takes in a short chip."""

_SHOWN_MINUTES = 6


def uptime_text(seconds: float) -> str:
    """Format a time span in hours and minutes: `0:00`, `1:02`, `2d 13:00`."""
    hours, minutes = divmod(int(seconds) // 60, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d {hours}:{minutes:02}" if days else f"{hours}:{minutes:02}"


@dataclass(slots=True)
class _Facts:
    """What is known, ready to be shown."""

    address: str = ""
    port: str = ""
    users: str = ""
    nodes: str = ""
    rate: int | None = None
    bars: str = ""
    uptime: str = ""
    recorded: str = ""
    alert: str = ""
    trouble: str = ""
    private: int = 0
    flood: str = ""
    floods: int = 0

    def shown(self, layout: tuple[str, ...]) -> str:
        """Return the facts of a layout."""
        rates = {
            "rate": "" if self.rate is None else f"{self.rate:,}/min",
            "rate and history": ""
            if self.rate is None
            else f"{count_text(self.rate, 'line')}/min {self.bars}".rstrip(),
        }
        parts = (rates[name] if name in rates else getattr(self, name, "") for name in layout)
        return " · ".join(filter(None, parts))

    def chips(self, *, long: bool) -> list[tuple[str, str]]:
        """Return the name and the text of each chip."""
        found: list[tuple[str, str]] = []
        if self.private:
            found.append(("inbox", f"» {self.private:,}{' private' if long else ''}"))
        if self.flood:
            more = f" +{self.floods - 1:,}" if self.floods > 1 else ""
            found.append(("flood", f"! {self.flood if long else truncate(self.flood, _SHORT_NAME)}{more}"))
        return found


class _Line(NamedTuple):
    """What the line says: trouble with the alert, the title, the facts, and each chip's name and text."""

    alert: str
    title: str
    facts: str
    chips: tuple[tuple[str, str], ...]

    @property
    def cells(self) -> int:
        """How many cells it takes at least."""
        chips = sum(cell_len(text) + _GAP for _, text in self.chips)
        facts = cell_len(self.title + self.facts)
        return cell_len(self.alert) + bool(self.alert and facts) + facts + chips


class StatusBar(Widget):
    """One line: `127.0.0.1:1234 · 30 users · 14/min · up 1:02      » 2 private  ! stefan`.

    What is wrong stands in front, in red, and then an alert. At the right are chips, which a click presses:
    `inbox` counts the private lines that are not answered, `flood` names who floods the chat. What does not
    fit is dropped or shortened, the title first; the chips, the port and a truncated alert stay.

    Args:
        title: The program's name.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status-bar--alert",
        "status-bar--trouble",
        "status-bar--title",
        "status-bar--inbox",
        "status-bar--flood",
    }

    DEFAULT_CSS = """
    StatusBar {
        height: 1;
        padding: 0 1;
        background: $panel;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        & > .status-bar--title { text-style: bold; }
        & > .status-bar--inbox { color: $text-accent; background: $accent-muted; text-style: bold; }
        & > .status-bar--alert, & > .status-bar--flood {
            color: $text-warning;
            background: $warning-muted;
            text-style: bold;
        }
        /* No theme's own red, as in the prompt: in some it is hard to tell from the alert's. */
        & > .status-bar--trouble { background: darkred; color: white; text-style: bold; }
        &:ansi > .status-bar--trouble { background: ansi_red; color: ansi_bright_white; }
        &:nocolor > .status-bar--trouble { text-style: bold reverse; }
        &:ansi > .status-bar--alert, &:ansi > .status-bar--flood,
        &:nocolor > .status-bar--alert, &:nocolor > .status-bar--flood {
            color: $warning;
            background: $panel;
            text-style: bold reverse;
        }
        &:ansi > .status-bar--inbox, &:nocolor > .status-bar--inbox {
            color: $accent;
            background: $panel;
            text-style: bold reverse;
        }
    }
    """

    class ChipPressed(Message):
        """A chip was clicked; `name` is `inbox` or `flood`."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, title: str = "chat-console", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._title = title
        self._facts = _Facts()
        self._painted: _Line | None = None
        self._chips: list[tuple[range, str]] = []  # which columns each takes

    def show(
        self,
        *,
        address: str | None = None,
        users: int | None = None,
        nodes: int | None = None,
        rate: int | None = None,
        history: Sequence[int] | None = None,
        uptime: float | None = None,
        recorded: str | None = None,
        alert: str | None = None,
        trouble: str | None = None,
        private: int | None = None,
        flood: str | None = None,
        floods: int | None = None,
    ) -> None:
        """Change what is given and keep the rest; repaint only if the line's text changes.

        Args:
            address: The addresses that people connect to, with their ports.
            users: How many users are here.
            nodes: How many nodes the cluster has; 0 without a cluster.
            rate: Lines in the last minute.
            history: Lines in each of the last minutes, the oldest first.
            uptime: Seconds since the server started.
            recorded: The file that the chat is recorded in; empty if it is not.
            alert: What the operator must not miss; empty for no alert.
            trouble: What is wrong, for as long as it is; empty if nothing is.
            private: How many private lines are not answered.
            flood: Who floods the chat, the newest; empty for nobody.
            floods: How many do.
        """
        facts = self._facts
        if address is not None:
            facts.address = clean(address)
            ports = dict.fromkeys(each.rpartition(":")[2] for each in facts.address.split())
            facts.port = " ".join(f":{port}" for port in ports)
        if users is not None:
            facts.users = count_text(users, "user")
        if nodes is not None:
            facts.nodes = count_text(nodes, "node") if nodes else ""
        if history is not None:
            facts.bars = sparkline(history[-_SHOWN_MINUTES:])
        if uptime is not None:
            facts.uptime = f"up {uptime_text(uptime)}"
        if recorded is not None:
            facts.recorded = f"● rec {clean(recorded)}" if recorded else ""
        facts.alert = facts.alert if alert is None else clean(alert)
        facts.trouble = facts.trouble if trouble is None else clean(trouble)
        if flood is not None:
            facts.flood = clean(flood)
        facts.rate = facts.rate if rate is None else rate
        facts.private = facts.private if private is None else private
        facts.floods = facts.floods if floods is None else floods
        if self._painted is not None and self._fit(self.content_size.width) != self._painted:
            self.refresh()

    def render(self) -> Content:
        width = self.content_size.width
        line = self._painted = self._fit(width)
        wrong = len(f" {self._facts.trouble} ") if self._facts.trouble else 0
        if len(line.alert) <= wrong + 1:
            wrong = len(line.alert)  # it was cut, and nothing of the alert is left but the last blank
        left = Content.assemble(
            (line.alert[:wrong], self._style("trouble")),
            (line.alert[wrong:], self._style("alert")),
            " " if line.alert and (line.title or line.facts) else "",
            (line.title, self._style("title")),
            line.facts,
        )
        chips = Content("")
        self._chips.clear()
        column = width - (line.cells - left.cell_length)
        blanks = max(0, column - left.cell_length)
        for name, text in line.chips:
            column += _GAP
            self._chips.append((range(column, column + cell_len(text)), name))
            column += cell_len(text)
            chips = Content.assemble(chips, " " * _GAP, (text, self._style(name)))
        return Content.assemble(left, " " * blanks, chips)

    def on_click(self, event: events.Click) -> None:
        """Press the chip under the mouse."""
        offset = event.get_content_offset(self)
        for columns, name in self._chips:
            if offset is not None and offset.x in columns:
                event.stop()
                self.post_message(self.ChipPressed(name))

    def _style(self, part: str) -> Style:
        # Not get_visual_style, which drops reverse.
        return Style.from_styles(self.get_component_styles(f"status-bar--{part}"))

    def _fit(self, width: int) -> _Line:
        """Return what fits into `width` cells."""
        facts = self._facts
        alert = " · ".join(filter(None, (facts.trouble, facts.alert)))
        line = _Line("", "", "", ())
        for layout in _LAYOUTS:
            line = _Line(
                f" {alert} " if alert else "",
                f"{self._title}  " if "title" in layout else "",
                facts.shown(layout),
                tuple(facts.chips(long="long chips" in layout)),
            )
            if line.cells <= width:
                return line
            # The port is worth more than the end of the alert, and less than half of it.
            room = width - (line.cells - cell_len(line.alert))
            if alert and ((layout == ("port",) and room > width // 2) or (not layout and room > 4)):
                return line._replace(alert=truncate(line.alert.rstrip(), room - 1) + " ")
        return line
