"""The status line: how the server is doing."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from ..server.room.text import clean

_LAYOUTS = (
    ("title", "address", "users", "rate", "uptime"),
    ("address", "users", "rate", "uptime"),
    ("address", "users", "uptime"),
    ("address", "users"),
    ("address",),
)
"""What is shown, from the widest to the narrowest."""


def uptime_text(seconds: float) -> str:
    """Format a time span like a clock: `0:00:07`, `1:02:03`, `2d 13:00:00`."""
    minutes, s = divmod(int(seconds), 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    return f"{days}d {h}:{m:02}:{s:02}" if days else f"{h}:{m:02}:{s:02}"


class StatusBar(Widget):
    """One line: `chat-console  127.0.0.1:1234 · 3 users · 12 msg/s · up 1:02:03`, and an alert before it.

    If it does not fit, the title is dropped first, then the rate, the uptime and the users; the address and a
    truncated alert stay.

    Args:
        title: The program's name.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"status-bar--alert", "status-bar--title"}

    DEFAULT_CSS = """
    StatusBar {
        height: 1;
        padding: 0 1;
        background: $panel;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        & > .status-bar--title { text-style: bold; }
        & > .status-bar--alert { color: $text-warning; background: $warning-muted; text-style: bold; }
        &:ansi > .status-bar--alert, &:nocolor > .status-bar--alert {
            color: $warning;
            background: $panel;
            text-style: bold reverse;
        }
    }
    """

    def __init__(self, title: str = "chat-console", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._title = title
        self._facts = dict.fromkeys(("address", "users", "rate", "uptime"), "")
        self._alert = ""
        self._painted: tuple[str, str, str] | None = None

    def show(
        self,
        *,
        address: str | None = None,
        users: int | None = None,
        rate: float | None = None,
        uptime: float | None = None,
        alert: str | None = None,
    ) -> None:
        """Change what is given and keep the rest; repaint only if the line's text changes.

        Args:
            address: The address that people connect to.
            users: How many users are here.
            rate: Messages per second.
            uptime: Seconds since the server started.
            alert: What the operator must not miss; empty for no alert.
        """
        if address is not None:
            self._facts["address"] = clean(address)
        if users is not None:
            self._facts["users"] = "1 user" if users == 1 else f"{users:,} users"
        if rate is not None:
            self._facts["rate"] = f"{rate:,.0f} msg/s"
        if uptime is not None:
            self._facts["uptime"] = f"up {uptime_text(uptime)}"
        if alert is not None:
            self._alert = clean(alert)
        if self._fit(self.size.width) != self._painted:
            self.refresh()

    def render(self) -> Content:
        self._painted = alert, title, facts = self._fit(self.size.width)
        return Content.assemble(
            # Not get_visual_style, which drops reverse.
            (alert, Style.from_styles(self.get_component_styles("status-bar--alert"))),
            " " if alert else "",
            (title, self.get_visual_style("status-bar--title")),
            facts,
        )

    def _fit(self, width: int) -> tuple[str, str, str]:
        """Return the alert, the title and the facts, as far as they fit into `width` cells."""
        alert = f" {self._alert} " if self._alert else ""
        room = width - cell_len(alert) - bool(alert)
        title = facts = ""
        for layout in _LAYOUTS:
            title = f"{self._title}  " if "title" in layout else ""
            facts = " · ".join(text for name, text in self._facts.items() if text and name in layout)
            if cell_len(title + facts) <= room:
                return alert, title, facts
        if alert:
            alert_room = max(width - cell_len(facts) - 1, width // 2)
            alert = Content(alert.rstrip()).truncate(alert_room - 1, ellipsis=True).plain + " "
        return alert, title, facts
