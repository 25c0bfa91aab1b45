"""The side pane: the list under its header, the card of the selected user, and what is remembered of it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from support.recording import Receiver
from support.socketless import join, say
from support.waiting import paused_until, until
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from chat_console.app.keys import KEYS
from chat_console.app.user_pane import ACTS, UserPane
from chat_console.server.addresses import Address
from chat_console.server.chat_server import ChatServer
from chat_console.server.room.events import Joined, LeaveReason, Left, Muted, Renamed, Said
from chat_console.server.settings import Settings
from chat_console.widgets.activity import Activity
from chat_console.widgets.user_card import UserCard
from chat_console.widgets.user_list import UserList
from chat_console.widgets.user_row import User

NOW = 1_000_000.0
HERE = Address("127.0.0.1", 47144)


class Next(Widget, can_focus=True):
    """What Textual gives the focus of one that vanishes, unless it is told better."""

    DEFAULT_CSS = "Next { height: 0; }"


class PaneScreen(Screen[None]):
    def __init__(self, server: ChatServer) -> None:
        super().__init__()
        self.now = NOW
        self.activity = Activity()
        self.user_list = UserList("Nobody is here yet", activity=self.activity, clock=self.clock)
        self.pane = UserPane(server, self.user_list, self.activity, self.clock)
        self.done: list[str] = []
        self.asked: list[int] = []

    def clock(self) -> float:
        return self.now

    def compose(self) -> ComposeResult:
        yield Horizontal(self.pane)
        yield self.pane.buttons_below
        yield Next()

    def action_message(self) -> None:
        self.done.append("message")

    def action_kick(self) -> None:
        self.done.append("kick")

    def action_mute(self) -> None:
        self.done.append("mute")

    def action_ban(self) -> None:
        self.done.append("ban")

    @on(UserCard.AllLines)
    def find(self, message: UserCard.AllLines) -> None:
        self.asked.append(message.user_id)


class PaneApp(App[None]):
    CSS = """
    #side { width: 25; }
    #buttons-below.-selected { display: none; }
    .-narrow { & #side { display: none; } & #buttons-below.-selected { display: block; } }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-normal")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012

    def __init__(self, server: ChatServer) -> None:
        super().__init__()
        self.panes = PaneScreen(server)

    def get_default_screen(self) -> Screen[None]:
        return self.panes


class Panes:
    """The pane on a screen, and who is in the list, with events told as the console's feed tells them."""

    def __init__(self, app: PaneApp, pilot: Pilot[None]) -> None:
        self.screen = app.panes
        self.pane, self.users = app.panes.pane, app.panes.user_list
        self.pilot = pilot

    def come(self, *names: str) -> None:
        for number, name in enumerate(names, start=len(self.users.users) + 1):
            self.pane.note(Joined(1.0, number, HERE))
            self.pane.note(Renamed(1.0, number, str(HERE), name))
            self.users.apply([User(number, name, str(HERE), NOW)])

    @property
    def rows(self) -> list[str]:
        """The text that the screen shows, row by row."""
        # Private, so Textual is pinned: nothing public tells what is painted.
        strips = self.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        return [strip.text.rstrip() for strip in strips]

    @property
    def card(self) -> list[str]:
        """What is below the list."""
        start = next((y for y, row in enumerate(self.rows) if row.startswith("──")), len(self.rows))
        return self.rows[start:]

    @property
    def focused(self) -> Widget | None:
        return self.screen.focused


@pytest.fixture
async def panes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panes]:
    async with ChatServer(Settings(port=0)) as server:
        known = SimpleNamespace(here=3720.0, idle=1.0, lines=14, waiting=0)
        monkeypatch.setattr(server, "details", lambda _: known)
        app = PaneApp(server)
        async with app.run_test(size=(80, 24)) as pilot:
            yield Panes(app, pilot)


def test_each_button_names_the_key_that_does_the_same() -> None:
    keys = {key.action: key.key.upper() for key in KEYS if isinstance(key, Binding)}
    assert [(act.action, act.key) for act in ACTS] == [
        (f"screen.{action}", keys[action]) for action in ("message", "kick", "mute", "ban")
    ]


async def test_the_header_tells_how_many_there_are_and_by_what_they_are_sorted(panes: Panes) -> None:
    panes.come("stefan", "Max", "lukas")
    await until(
        lambda: (
            panes.rows[:4]
            == [
                " 3 users          loud ▾",
                " stefan                0s",
                " Max                   0s",
                " lukas                 0s",
            ]
        )
    )
    panes.screen.set_focus(panes.users)
    await panes.pilot.press("l", "u")
    assert panes.rows[:3] == [" 1 of 3 users · lu", "▸lukas                 0s", ""]
    await panes.pilot.click("#users-header", offset=(3, 0))
    assert panes.rows[0] == " 3 users          loud ▾"
    await panes.pilot.click("#users-header", offset=(20, 0))
    assert panes.rows[0] == " 3 users          idle ▾"


async def test_the_card_tells_what_is_known_and_remembered(panes: Panes) -> None:
    panes.come("q", "lena")
    panes.pane.note(Renamed(2.0, 1, "q", "quentin"))
    panes.users.apply(changed=[User(1, "quentin", str(HERE), NOW)])
    panes.users.selected = 1
    await until(
        lambda: (
            panes.card
            == [
                "── quentin ──────────────",
                " 127.0.0.1|47144",
                " here 1h02 · 14 lines",
                " was q · muted never",
                " [Message F2] [Kick F3]",
                " [Mute F6]    [Ban F7]",
            ]
        )
    )
    panes.users.selected = None
    await paused_until(panes.pilot, lambda: panes.card == [])


async def test_of_old_names_each_is_told_once_and_not_the_one_that_it_has_again(panes: Panes) -> None:
    panes.come("q")
    for old, new in (("q", "quentin"), ("quentin", "q"), ("q", "tin"), ("tin", "quentin")):
        panes.pane.note(Renamed(2.0, 1, old, new))
    panes.users.apply(changed=[User(1, "quentin", str(HERE), NOW)])
    panes.users.selected = 1
    await until(lambda: any(row.startswith(" was tin, q · muted") for row in panes.card))


async def test_where_there_is_room_the_card_has_the_last_lines_and_asks_for_all(panes: Panes) -> None:
    panes.pane.styles.width = 37
    panes.come("quentin", "lena", "max")
    at = time.mktime((2025, 11, 27, 22, 40, 0, 0, 0, -1))
    panes.pane.note(Said(at, 1, "quentin", ("I use recv(1024)",)))
    panes.screen.activity.said(1, 1, NOW - 120)
    panes.users.selected = 1
    await until(
        lambda: (
            panes.card[:5]
            == [
                "── quentin ──────────────────────────",
                " 127.0.0.1|47144 · here 1h02",
                " 14 lines · idle 2m · 0 B waiting",
                " same address: 2 others",
                " 22:40   I use recv(1024)",
            ]
        )
    )
    panes.pane.note(Left(2.0, 3, "max", LeaveReason.QUIT))
    panes.pane.tick()
    await paused_until(panes.pilot, lambda: panes.card[3] == " same address: 1 other")
    await paused_until(panes.pilot, lambda: " [Find all lines]" in panes.rows)
    await panes.pilot.click(".user-card--all")
    assert panes.screen.asked == [1]


async def test_a_mute_shows_at_once(panes: Panes) -> None:
    panes.come("karim")
    panes.users.selected = 1
    await panes.pilot.pause()
    panes.pane.note(Muted(2.0, 1, "karim", True, 600.0))
    panes.users.apply(changed=[User(1, "karim", str(HERE), NOW, True, NOW + 600)])
    await paused_until(panes.pilot, lambda: panes.rows[1] == "▸karim      mute 10m   0s")
    await paused_until(
        panes.pilot,
        lambda: (
            panes.card[3:]
            == [
                " muted for 10m more",
                " [Message F2] [Kick F3]",
                " [Unmute F6]  [Ban F7]",
            ]
        ),
    )


async def test_each_button_runs_the_screens_action(panes: Panes) -> None:
    panes.come("karim")
    panes.users.selected = 1
    await paused_until(panes.pilot, lambda: any("[Ban" in row for row in panes.rows))
    for text in ("[Message", "[Kick", "[Mute", "[Ban"):
        y, row = next((y, row) for y, row in enumerate(panes.rows) if text in row)
        await panes.pilot.click(offset=(row.index(text) + 1, y))
    assert panes.screen.done == ["message", "kick", "mute", "ban"]


async def test_where_the_pane_does_not_fit_the_buttons_are_elsewhere(panes: Panes) -> None:
    panes.come("karim")
    await panes.pilot.resize_terminal(40, 12)
    await panes.pilot.pause()
    assert not any("[" in row for row in panes.rows)
    panes.users.selected = 1
    await paused_until(panes.pilot, lambda: panes.rows[-1] == " [Message] [Kick] [Mute] [Ban]")
    panes.screen.set_focus(panes.pane.buttons_below.buttons[2])
    await panes.pilot.press("enter")
    assert panes.screen.done == ["mute"]
    panes.users.apply(removed=[1])
    await until(lambda: panes.focused is None)
    await paused_until(panes.pilot, lambda: not any("[" in row for row in panes.rows))


async def test_when_the_selected_user_goes_the_list_gets_the_focus_of_its_buttons(panes: Panes) -> None:
    panes.come("karim", "lena")
    panes.users.selected = 1
    await panes.pilot.pause()
    panes.screen.set_focus(panes.pane.query(".-textual-compact").first())
    panes.users.apply(removed=[1])
    await until(lambda: panes.focused is panes.users)


async def test_who_was_here_before_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ChatServer(Settings(port=0)) as server:
        known = SimpleNamespace(here=59.0, idle=1.0, lines=0, waiting=0)
        monkeypatch.setattr(server, "details", lambda _: known)
        for number in (1, 2):
            say(server, join(server, number, f"10.0.0.1|{number}", Receiver()), f"/nick user{number}")
        app = PaneApp(server)
        async with app.run_test(size=(80, 24)) as pilot:
            app.panes.pane.styles.width = 37
            app.panes.user_list.apply([User(1, "user1", "10.0.0.1|1", NOW)])
            app.panes.user_list.selected = 1
            await paused_until(pilot, lambda: " same address: 1 other" in Panes(app, pilot).rows)


async def test_a_selected_user_who_is_gone_has_no_card(panes: Panes, monkeypatch: pytest.MonkeyPatch) -> None:
    panes.come("karim")
    panes.users.selected = 1
    await paused_until(panes.pilot, lambda: panes.card)
    monkeypatch.setattr("chat_console.server.chat_server.ChatServer.details", lambda *_: None)
    monkeypatch.setattr(panes.pane, "_server", SimpleNamespace(details=lambda _: None))
    panes.pane.tick()
    await paused_until(panes.pilot, lambda: panes.card == [])
