"""Draw the pictures of the pages: the real console, on an evening that is the same each time.

Run it from the top of the repository, or have it draw into another folder:

    .venv/bin/python docs/picture.py [NAME...] [--to FOLDER]

Nobody is connected: what people do goes into the room as from their connections, at times of its own, and
the console reads the same clock. So a picture changes only if the console does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from textual import events
from textual.pilot import Pilot

from chat_console.app.console import ConsoleApp
from chat_console.app.feed import Clocks
from chat_console.app.user_pane import UserPane
from chat_console.server.addresses import Address, Endpoint
from chat_console.server.chat import Chat
from chat_console.server.chat_server import ChatServer, Details
from chat_console.server.room.entries import Leave, Lines
from chat_console.server.room.events import LeaveReason, Started
from chat_console.server.settings import Settings
from chat_console.server.wire.codec import LF

DAY = 1_764_201_600.0
"""Thursday 27 November 2025, 00:00 UTC, in seconds since the epoch."""

NAMES: Sequence[str] = (
    "anna bernd carla dmitri elif fatima georg hannah ivan jonas karim lena mehmet nora oskar paula "
    "quent rosa stefan tanja lukas Lukas2 Max max_m sofia uwe vera wolfgang xenia yusuf zoe"
).split()
"""Who comes, in this order: the last six later."""

QUENTINS_PORT = 47144

Step = tuple[str, str, str]
"""A time (`HH:MM:SS`), who does something, and the line; in brackets what is no line."""

EVENING: Sequence[Step] = [
    ("21:59:30", " ".join(NAMES[:-6]), "(joins)"),
    ("22:01:12", "anna", "is it the same exercise as last week?"),
    ("22:01:30", "", "No: today it is the server, exercise 3."),
    ("22:14:09", "rosa", "does telnet do as well?"),
    ("22:14:20", "tanja", "yes"),
    ("22:22:47", "quent", "/nick quentin"),
    ("22:31:05", "oskar", "I am back in ten minutes"),
    ("22:36:40", "nora", "who wants to test mine?"),
    ("22:38:51", "anna", "good evening everybody"),
    ("22:38:58", "bernd", "hi anna"),
    ("22:40:02", "carla", "has anybody finished exercise 3?"),
    ("22:40:10", "quent", "I use recv(1024)"),
    (
        "22:40:31",
        "dmitri",
        "Almost. recv() does not give me whole lines, and I do not see why.",
    ),
    (
        "22:41:07",
        "Max",
        "TCP is a stream: a read is not a line. Keep what comes after the last \\n for the next one, and "
        "prepend it to what you read next.",
    ),
    ("22:41:20", "max_m", "+1 to what Max said"),
    ("22:41:44", " ".join(NAMES[-6:]), "(joins)"),
    ("22:42:00", "", "(looks away)"),
    ("22:55:12", "quent", "is there a solution for 2?"),
    ("23:02:10", "lena", "max: and what about utf-8 that is cut in two?"),
    ("23:03:02", "Max", 'good question @lena, use codecs.getincrementaldecoder("utf-8")'),
    ("23:03:15", "quent", "/msg Operator Karim is insulting me in private, can you do something?"),
    ("23:03:40", "vera", "(leaves)"),
    ("23:04:00", "stefan", "(floods)"),
    ("23:04:50", "", "(looks back)"),
]
"""The evening until the operator is back."""

ANSWERS: Sequence[Step] = [
    ("23:05:01", "", "Thank you, Max. Exercise 4 is due on Friday."),
    ("23:05:20", "", "/msg quentin I saw it. I talk to Karim."),
    ("23:05:31", "", "/mute karim 10m insults"),
    ("23:05:40", "yusuf", "ok"),
    ("23:05:52", "karim", "can anybody hear me?"),
    (
        "23:06:03",
        "lukas",
        "my server is at https://github.com/lukas/chat-server-exercise/blob/main/server.py#L42",
    ),
    ("23:06:10", "Lukas2", "lol"),
]
"""What the operator does then."""


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.wall = DAY

    def set(self, at: str) -> None:
        """Set it to `HH:MM:SS` of that evening."""
        hours, minutes, seconds = map(int, at.split(":"))
        self.wall = DAY + hours * 3600 + minutes * 60 + seconds

    @property
    def clocks(self) -> Clocks:
        return Clocks(lambda: self.wall - DAY, lambda: self.wall)


class Nobody:
    """Takes what is sent to somebody who is not there."""

    codec = LF

    def write(self, data: bytes) -> None:
        """Take it."""

    def write_all(self, pieces: Sequence[bytes]) -> None:
        """Take them."""

    def finish(self) -> None:
        """Take nothing more."""

    def answered(self) -> None:
        """Take note."""


class Stage(ChatServer):
    """A server without sockets, whose clock is `clock`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Settings(port=1234))
        self._clock = clock
        self._here: dict[int, float] = {}
        self.chat = Chat(
            self.settings, self.chat.loop, lambda work, done: done(work()), now=lambda: clock.wall
        )
        self.endpoints = (Endpoint("127.0.0.1", 1234),)

    def open(self) -> None:
        """Begin to listen, as it seems."""
        self.chat.started(Started(self._clock.wall, self.endpoints))

    def join(self, name: str) -> None:
        """Let somebody join from this machine, and take a name."""
        number = 1 + NAMES.index(name)
        # Quentin's port is one that the page speaks of.
        port = QUENTINS_PORT + 2 * (NAMES.index(name) - NAMES.index("quent"))
        self._here[number] = self._clock.wall
        self.chat.join(number, Address("127.0.0.1", port), Nobody())
        self.say(name, f"/nick {name}")

    def say(self, name: str, *lines: str) -> None:
        """Let somebody say something."""
        self.chat.submit(Lines(self._clock.wall, 1 + NAMES.index(name), lines))

    def leave(self, name: str) -> None:
        """Let somebody go."""
        self.chat.submit(Leave(self._clock.wall, (1 + NAMES.index(name),), LeaveReason.QUIT))

    def details(self, member_id: int) -> Details | None:
        """What a connection would tell, if there were one."""
        member = self.chat.room.roster.get(member_id)
        if member is None:
            return None
        here = self._clock.wall - self._here[member_id]
        return Details(member.address, here, here, member.lines, 0)


class Play:
    """A console, what happens before it, and what its operator does."""

    def __init__(self, clock: Clock, stage: Stage, console: ConsoleApp, pilot: Pilot[Any]) -> None:
        self.clock = clock
        self.stage = stage
        self.console = console
        self.pilot = pilot
        self._is_there = True

    async def happen(self, steps: Sequence[Step]) -> None:
        """Let `steps` happen, each with a frame of its own."""
        for at, who, what in steps:
            self.clock.set(at)
            if self._is_there:
                await self._run(self.console.chat.feed.key)
            await self._do(who, what)
            await self._draw()
        await self.pilot.pause()

    async def pass_time(self) -> None:
        """Show what changes with time alone, and wait until all is painted."""
        await self._run(self.console.chat.feed.tick)
        await self._run(self.console.chat.query_one(UserPane).tick)
        await self.pilot.pause()

    async def _do(self, who: str, what: str) -> None:
        match what:
            case "(joins)":
                for name in who.split():
                    self.stage.join(name)
            case "(leaves)":
                self.stage.leave(who)
            case "(floods)":
                for number in range(64):
                    self.stage.say(who, f"FLOOD {number} buy cheap watches now")
                    self.clock.wall += 0.2
                    await self._draw()
            case "(looks away)":
                self._is_there = False
                self.console.post_message(events.AppBlur())
                await self.pilot.pause()
            case "(looks back)":
                self._is_there = True
                self.console.post_message(events.AppFocus())
                await self.pilot.pause()
            case _ if who:
                self.stage.say(who, what)
            case _:
                await self.type(what, "enter")

    async def type(self, text: str, *keys: str) -> None:
        """Type `text`, and press `keys`."""
        self.console.post_message(events.Paste(text))
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def _draw(self) -> None:
        await self._run(self.console.chat.feed.draw)

    async def _run(self, call: Callable[[], None]) -> None:
        """Make a call as the console makes it itself."""
        done = asyncio.Event()

        def run() -> None:
            call()
            done.set()

        self.console.call_later(run)
        await done.wait()


async def first(play: Play) -> None:
    """The console as it starts, before anybody has come."""


async def evening(play: Play) -> None:
    """The whole evening, with a message to quentin begun."""
    await play.happen(EVENING)
    await play.happen(ANSWERS)
    play.console.chat.user_list.selected = 1 + NAMES.index("quent")
    await play.pilot.press("f2")
    await play.type("we talk after the lesson")


async def find(play: Play) -> None:
    """What Max said of streams is found."""
    await evening(play)
    await play.pilot.press("ctrl+f")
    await play.type("@max ")


async def inbox(play: Play) -> None:
    """A private line waits, and F8 goes to it."""
    await play.happen(EVENING)
    await play.pilot.press("f8")


async def dialog(play: Play) -> None:
    """Karim is about to be muted."""
    await play.happen(EVENING)
    play.console.chat.user_list.selected = 1 + NAMES.index("karim")
    await play.pilot.press("f6")


async def away(play: Play) -> None:
    """The operator is back."""
    await play.happen(EVENING)


@dataclass(frozen=True)
class Picture:
    """One picture: its size in cells, and the scene."""

    scene: Callable[[Play], Awaitable[None]]
    size: tuple[int, int] = (120, 40)
    theme: str = "textual-dark"
    at: str = "23:06:15"


PICTURES = {
    "console": Picture(evening),
    "console-light": Picture(evening, theme="textual-light"),
    "console-first": Picture(first, (80, 24), at="21:58:30"),
    "console-find": Picture(find),
    "console-inbox": Picture(inbox, at="23:04:55"),
    "console-dialog": Picture(dialog, (80, 24), at="23:04:55"),
    "console-away": Picture(away, at="23:04:55"),
    "console-80x24": Picture(evening, (80, 24)),
    "console-40x12": Picture(evening, (40, 12)),
}
"""The pictures by name; README.md shows the first."""


async def draw(picture: Picture) -> str:
    """Return `picture` as SVG."""
    clock = Clock()
    clock.set("21:58:02")
    stage = Stage(clock)
    stage.open()
    with patch.object(ConsoleApp, "CLOCKS", clock.clocks):
        console = ConsoleApp(stage, theme=picture.theme)
    async with console.run_test(size=picture.size) as pilot:
        play = Play(clock, stage, console, pilot)
        await pilot.pause()
        await picture.scene(play)
        clock.set(picture.at)
        await play.pass_time()
        return console.export_screenshot(title="chat-console")


async def main(names: Sequence[str], folder: Path) -> None:
    for name in names:
        (folder / f"{name}.svg").write_text(await draw(PICTURES[name]), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the pictures of the pages.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(PICTURES)}; by default all")
    parser.add_argument("--to", type=Path, default=Path(__file__).parent, metavar="FOLDER")
    chosen = parser.parse_args()
    # Wherever they are drawn.
    os.environ.update(TZ="UTC", COLORTERM="truecolor")
    os.environ.pop("NO_COLOR", None)
    time.tzset()
    asyncio.run(main(chosen.names or list(PICTURES), chosen.to))
