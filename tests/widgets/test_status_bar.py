"""The status bar: what it says, what it leaves out where it is narrow, and when it repaints."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult
from textual.content import Content

from chat_console.widgets.status_bar import StatusBar, uptime_text

ALERT = "public, not encrypted"
HISTORY = (0, 0, 1, 2, 2, 1, 4, 64)


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
        self.pressed: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.bar

    def on_status_bar_chip_pressed(self, event: StatusBar.ChipPressed) -> None:
        self.pressed.append(event.name)


def show_evening(bar: StatusBar) -> None:
    bar.show(address="127.0.0.1:1234", users=30, rate=14, history=HISTORY, uptime=3723)


async def painted(width: int, **facts: Any) -> str:
    """Return the whole line as a screen of `width` cells shows it, without the blank on either side."""
    app = BarApp()
    async with app.run_test(size=(width, 3)) as pilot:
        show_evening(app.bar)
        app.bar.show(**facts)
        await pilot.pause()
        line = app.bar.render_line(0)
        assert cell_len(line.text) <= width - 2
        return line.text.rstrip()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (59.9, "0:00"),
        (3723, "1:02"),
        (86_399, "23:59"),
        (2 * 86_400 + 3600, "2d 1:00"),
    ],
)
def test_an_uptime_is_in_hours_and_minutes(seconds: float, text: str) -> None:
    assert uptime_text(seconds) == text


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (120, "chat-console  127.0.0.1:1234 · 30 users · 14 lines/min ▂▃▃▂▄█ · up 1:02"),
        (73, "chat-console  127.0.0.1:1234 · 30 users · 14 lines/min ▂▃▃▂▄█ · up 1:02"),
        (72, "127.0.0.1:1234 · 30 users · 14 lines/min ▂▃▃▂▄█ · up 1:02"),
        (58, "127.0.0.1:1234 · 30 users · 14/min · up 1:02"),
        (45, "127.0.0.1:1234 · 30 users · up 1:02"),
        (36, "127.0.0.1:1234 · 30 users"),
        (26, ":1234 · 30 users"),
        (12, ":1234"),
    ],
)
async def test_the_line_gives_up_its_least_part_first(width: int, line: str) -> None:
    assert await painted(width) == line


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (120, "chat-console  127.0.0.1:1234 · 30 users · 14 lines/min ▂▃▃▂▄█ · up 1:02 · ● rec chat.db"),
        (80, "127.0.0.1:1234 · 30 users · 14 lines/min ▂▃▃▂▄█ · up 1:02 · ● rec chat.db"),
        (72, "127.0.0.1:1234 · 30 users · 14 lines/min ▂▃▃▂▄█ · up 1:02"),
    ],
)
async def test_it_says_where_the_chat_is_recorded(width: int, line: str) -> None:
    assert await painted(width, recorded="chat.db") == line


@pytest.mark.parametrize(
    ("width", "facts", "line"),
    [
        (
            120,
            {},
            "chat-console  127.0.0.1:1234 · 30 users · 3 nodes · 14 lines/min ▂▃▃▂▄█ · up 1:02",
        ),
        (80, {}, "127.0.0.1:1234 · 30 users · 3 nodes · 14 lines/min ▂▃▃▂▄█ · up 1:02"),
        (
            80,
            {"private": 2, "flood": "stefan"},
            "127.0.0.1:1234 · 30 users · 3 nodes · 14/min · up 1:02   » 2 private  ! stefan",
        ),
        (80, {"nodes": 1}, "127.0.0.1:1234 · 30 users · 1 node · 14 lines/min ▂▃▃▂▄█ · up 1:02"),
        (40, {}, "127.0.0.1:1234 · 30 users · 3 nodes"),
        (36, {}, ":1234 · 30 users · 3 nodes"),
        (27, {}, ":1234 · 30 users"),
        (40, {"private": 2}, ":1234 · 30 users · 3 nodes         » 2"),
        (40, {"private": 2, "flood": "stefan"}, ":1234 · 30 users         » 2  ! stefan"),
        (40, {"trouble": "cut off", "nodes": 1}, " cut off  :1234 · 30 users · 1 node"),
        (40, {"nodes": 0}, "127.0.0.1:1234 · 30 users · up 1:02"),
    ],
)
async def test_in_a_cluster_it_counts_the_nodes(width: int, facts: dict[str, Any], line: str) -> None:
    assert await painted(width, **{"nodes": 3, **facts}) == line


@pytest.mark.parametrize(
    ("width", "wrong", "alert"),
    [
        (120, " cut off · history not written ", "· public "),
        (46, " cut off · history not written ", "· pub… "),
        (40, " cut off · history not written… ", " "),
    ],
)
async def test_what_is_wrong_has_a_colour_of_its_own(width: int, wrong: str, alert: str) -> None:
    app = BarApp()
    async with app.run_test(size=(width, 3)) as pilot:
        app.bar.show(address="127.0.0.1:1234", alert="public", trouble="cut off · history not written")
        await pilot.pause()
        first, second, *_ = app.bar.render_line(0)
        assert (first.text, second.text) == (wrong, alert)
        assert first.style is not None
        assert first.style.bgcolor == Style.parse("on #8b0000").bgcolor
        assert second.style is not None
        assert second.style.bgcolor != first.style.bgcolor


async def test_what_is_wrong_stands_in_front_of_the_alert_as_long_as_it_lasts() -> None:
    assert (await painted(120, alert="public", trouble="history not written")).startswith(
        " history not written · public  "
    )
    assert (await painted(120, alert="public", trouble="")).startswith(" public  ")


@pytest.mark.parametrize(
    ("width", "left", "right"),
    [
        (
            120,
            "chat-console  127.0.0.1:1234 · 30 users · 14 lines/min ▂▃▃▂▄█ · up 1:02",
            "» 2 private  ! stefan",
        ),
        (80, "127.0.0.1:1234 · 30 users · 14/min · up 1:02", "» 2 private  ! stefan"),
        (50, "127.0.0.1:1234 · 30 users", "» 2 private  ! stefan"),
        (49, "127.0.0.1:1234 · 30 users", "» 2  ! stefan"),
        (40, ":1234 · 30 users", "» 2  ! stefan"),
        (24, ":1234", "» 2  ! stefan"),
        (20, "", "» 2  ! stefan"),
    ],
)
async def test_chips_stand_at_the_right(width: int, left: str, right: str) -> None:
    blanks = width - 2 - cell_len(left) - cell_len(right)
    assert await painted(width, private=2, flood="stefan", floods=1) == left + " " * blanks + right


@pytest.mark.parametrize(
    ("facts", "chips"),
    [
        ({"private": 1}, "» 1 private"),
        ({"private": 1_234, "flood": "", "floods": 0}, "» 1,234 private"),
        ({"flood": "stefan", "floods": 3}, "! stefan +2"),
        ({"flood": "127.0.0.1|47144", "floods": 1}, "! 127.0.0.1|47144"),
    ],
)
async def test_a_chip_counts_or_names_what_waits(facts: dict[str, Any], chips: str) -> None:
    assert (await painted(120, **facts)).endswith(f"1:02{' ' * (118 - 71 - len(chips))}{chips}")


async def test_a_long_name_is_shortened_where_there_is_no_room() -> None:
    assert (await painted(40, flood="2001:db8:1234:5678::1|47144")).endswith("  ! 2001:db8:12…")


async def test_where_there_is_no_room_at_all_the_line_is_cut() -> None:
    assert len(await painted(10, private=2, flood="stefan", alert=ALERT)) <= 8


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (
            120,
            f" {ALERT}  chat-console  127.0.0.1:1234 · 30 users · 14 lines/min ▂▃▃▂▄█ · up 1:02",
        ),
        (80, f" {ALERT}  127.0.0.1:1234 · 30 users · 14/min · up 1:02"),
        (44, f" {ALERT}  :1234 · 30 users"),
        (40, f" {ALERT}  :1234"),
        (26, " public, not enc…  :1234"),
        (12, " public,…"),
    ],
)
async def test_an_alert_stands_in_front_and_leaves_room_for_the_port(width: int, line: str) -> None:
    assert await painted(width, alert=ALERT) == line


async def test_an_alert_stays_beside_chips() -> None:
    shown = await painted(40, alert=ALERT, private=2, flood="stefan", floods=1)
    assert (shown[:9], shown[-13:]) == (" public, ", "» 2  ! stefan")
    assert (
        await painted(30, alert=ALERT, private=2, flood="stefan", floods=1) == " public, no…   » 2  ! stefan"
    )


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("[::1]:1234", ":1234"),
        ("0.0.0.0:4711 [::]:4711", ":4711"),
        ("0.0.0.0:1 0.0.0.0:2", ":1 :2"),
    ],
)
async def test_an_address_is_shortened_to_its_port(address: str, port: str) -> None:
    assert await painted(20, address=address) == f"{port} · 30 users"


async def test_only_what_is_known_is_shown_and_only_what_is_given_changes() -> None:
    app = BarApp()
    async with app.run_test(size=(120, 3)) as pilot:
        app.bar.show(users=1)
        await pilot.pause()
        app.bar.show(address="[::1]:1234", alert="Look out")
        await pilot.pause()
        app.bar.show(users=12_345, rate=6_600_000, alert="")
        await pilot.pause()
        assert [line.rstrip() for line in app.bar.painted[-3:]] == [
            "chat-console  1 user",
            " Look out  chat-console  [::1]:1234 · 1 user",
            "chat-console  [::1]:1234 · 12,345 users · 6,600,000 lines/min",
        ]


async def test_the_bar_repaints_only_when_it_reads_differently() -> None:
    app = BarApp()
    async with app.run_test(size=(120, 3)) as pilot:
        show_evening(app.bar)
        app.bar.show(private=2, flood="stefan", floods=1)
        await pilot.pause()
        app.bar.painted.clear()
        for uptime in range(3720, 3780):
            app.bar.show(
                users=30, rate=14, history=HISTORY, uptime=uptime, private=2, flood="stefan", floods=1
            )
        await pilot.pause()
        assert app.bar.painted == []
        changes: list[dict[str, Any]] = [{"uptime": 3780}, {"private": 3}, {"floods": 2}, {"rate": 15}]
        for change in changes:
            app.bar.show(**change)
            await pilot.pause()
            assert len(app.bar.painted) == 1
            app.bar.painted.clear()


async def test_the_bar_refits_when_the_terminal_is_resized() -> None:
    app = BarApp()
    async with app.run_test(size=(120, 3)) as pilot:
        show_evening(app.bar)
        await pilot.resize_terminal(40, 3)
        assert app.bar.painted[-1].rstrip() == "127.0.0.1:1234 · 30 users · up 1:02"


@pytest.mark.parametrize("width", [120, 80, 40])
async def test_a_click_presses_a_chip(width: int) -> None:
    app = BarApp()
    async with app.run_test(size=(width, 3)) as pilot:
        show_evening(app.bar)
        app.bar.show(private=2, flood="stefan", floods=1)
        await pilot.pause()
        line = app.bar.render_line(0).text
        await pilot.click(app.bar, offset=(3, 0))
        for mark in ("»", "!"):
            await pilot.click(app.bar, offset=(1 + line.index(mark), 0))
        await pilot.click(app.bar, offset=(width - 2, 0))
        await pilot.click(app.bar, offset=(line.index("!") - 1, 0))
        assert app.pressed == ["inbox", "flood", "flood"]


async def test_where_a_chip_was_is_nothing_to_press() -> None:
    app = BarApp()
    async with app.run_test(size=(80, 3)) as pilot:
        app.bar.show(private=2)
        await pilot.pause()
        app.bar.show(private=0)
        await pilot.pause()
        await pilot.click(app.bar, offset=(78, 0))
        assert app.pressed == []


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("[/x]", "[/x]"),
        ("[@click=app.quit]x[/]", "[@click=app.quit]x[/]"),
        ("a\x1b[2J\nb\u202e", "ab"),
    ],
)
async def test_an_alert_is_only_text(hostile: str, shown: str) -> None:
    assert (await painted(120, alert=hostile)).startswith(f" {shown}  chat-console")
    assert (await painted(120, flood=hostile)).endswith(f"  ! {shown}")


@pytest.mark.parametrize("text", ["Look out", "cut off", "» 2 private", "! stefan"])
async def test_an_alert_and_chips_stand_out_without_colour(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = BarApp()
    async with app.run_test(size=(80, 3)) as pilot:
        app.bar.show(address="127.0.0.1:1234", alert="Look out", private=2, flood="stefan")
        app.bar.show(trouble="cut off")
        await pilot.pause()
        segment = next(segment for segment in app.bar.render_line(0) if text in segment.text)
        assert segment.style is not None
        assert segment.style.reverse
