"""The status bar: what it says, what it leaves out where it is narrow, and when it repaints."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.content import Content

from chat_console.widgets.status_bar import StatusBar, uptime_text

FACTS = "127.0.0.1:1234 · 3 users · 12 msg/s · up 1:02:03"
ALERT = "anyone who reaches the port can join; not encrypted"


class RecordingBar(StatusBar):
    """A bar that remembers each line it painted."""

    def __init__(self) -> None:
        super().__init__()
        self.painted: list[str] = []

    def render(self) -> Content:
        content = super().render()
        self.painted.append(content.plain)
        return content


class BarApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.bar = RecordingBar()

    def compose(self) -> ComposeResult:
        yield self.bar


async def painted(width: int, alert: str = "") -> str:
    """Return the whole line as the screen shows it, without the blank on either side."""
    app = BarApp()
    async with app.run_test(size=(width, 3)) as pilot:
        app.bar.show(address="127.0.0.1:1234", users=3, rate=12.3, uptime=3723, alert=alert)
        await pilot.pause()
        line = app.bar.render_line(0)
        assert cell_len(line.text) <= width - 2
        return line.text.rstrip()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00:00"),
        (7.9, "0:00:07"),
        (3723, "1:02:03"),
        (86_399, "23:59:59"),
        (2 * 86_400 + 3600, "2d 1:00:00"),
    ],
)
def test_an_uptime_reads_like_a_clock(seconds: float, text: str) -> None:
    assert uptime_text(seconds) == text


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (120, f"chat-console  {FACTS}"),
        (64, f"chat-console  {FACTS}"),
        (63, FACTS),
        (50, FACTS),
        (49, "127.0.0.1:1234 · 3 users · up 1:02:03"),
        (40, "127.0.0.1:1234 · 3 users · up 1:02:03"),
        (38, "127.0.0.1:1234 · 3 users"),
        (20, "127.0.0.1:1234"),
        (12, "127.0.0.1…"),
    ],
)
async def test_the_line_gives_up_its_least_part_first(width: int, line: str) -> None:
    assert await painted(width) == line


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (120, f" {ALERT}  chat-console  {FACTS}"),
        (80, f" {ALERT}  127.0.0.1:1234 · 3 users"),
        (40, " anyone who reaches t…  127.0.0.1:1234"),
        (20, " anyone…  127.0.0…"),
    ],
)
async def test_an_alert_stands_in_front_and_leaves_room_for_the_address(width: int, line: str) -> None:
    assert await painted(width, ALERT) == line


async def test_only_what_is_known_is_shown_and_only_what_is_given_changes() -> None:
    app = BarApp()
    async with app.run_test(size=(120, 3)) as pilot:
        app.bar.show(users=1)
        await pilot.pause()
        app.bar.show(address="[::1]:1234", alert="Look out")
        await pilot.pause()
        app.bar.show(users=12_345, rate=6_600_000, alert="")
        await pilot.pause()
        assert app.bar.painted[-3:] == [
            "chat-console  1 user",
            " Look out  chat-console  [::1]:1234 · 1 user",
            "chat-console  [::1]:1234 · 12,345 users · 6,600,000 msg/s",
        ]


async def test_the_bar_repaints_only_when_it_reads_differently() -> None:
    app = BarApp()
    async with app.run_test(size=(120, 3)) as pilot:
        app.bar.show(address="127.0.0.1:1234", users=3, rate=12.3, uptime=3723)
        await pilot.pause()
        app.bar.painted.clear()
        app.bar.show(address="127.0.0.1:1234", users=3, rate=12.4, uptime=3723.9)
        await pilot.pause()
        assert app.bar.painted == []
        app.bar.show(uptime=3724)
        await pilot.pause()
        assert app.bar.painted == ["chat-console  127.0.0.1:1234 · 3 users · 12 msg/s · up 1:02:04"]


async def test_the_bar_refits_when_the_terminal_is_resized() -> None:
    app = BarApp()
    async with app.run_test(size=(120, 3)) as pilot:
        app.bar.show(address="127.0.0.1:1234", users=3, rate=12.3, uptime=3723)
        await pilot.resize_terminal(40, 3)
        assert app.bar.painted[-1] == "127.0.0.1:1234 · 3 users · up 1:02:03"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("[/x]", "[/x]"),
        ("[@click=app.quit]x[/]", "[@click=app.quit]x[/]"),
        ("a\x1b[2J\nb\u202e", "ab"),
    ],
)
async def test_an_alert_is_only_text(hostile: str, shown: str) -> None:
    assert (await painted(120, hostile)).startswith(f" {shown}  chat-console")


async def test_an_alert_stands_out_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = BarApp()
    async with app.run_test(size=(80, 3)) as pilot:
        app.bar.show(address="127.0.0.1:1234", alert="Look out")
        await pilot.pause()
        alert = next(segment for segment in app.bar.render_line(0) if "Look out" in segment.text)
        assert alert.style is not None
        assert alert.style.reverse
