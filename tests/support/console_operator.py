"""A console that runs without a terminal around a real server, and the hands of its operator."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from chat_console.app.console import ConsoleApp
from chat_console.server.chat_server import ChatServer
from chat_console.server.details import Details
from chat_console.server.room.events import Event
from chat_console.server.room.member import Member
from chat_console.server.settings import Settings
from chat_console.widgets.action_dialog import ActionDialog
from chat_console.widgets.answer_row import AnswerRow
from chat_console.widgets.command_line import CommandLine
from chat_console.widgets.entry import MARKS
from chat_console.widgets.message_log import MessageLog
from chat_console.widgets.status_bar import StatusBar
from chat_console.widgets.user_card import UserCard
from chat_console.widgets.user_list import UserList

from .recording import Receiver
from .socketless import go, join, say
from .waiting import until


class Client(Receiver):
    """The sending end of a member without a socket: what it got."""

    @property
    def lines(self) -> list[str]:
        return self.data.decode().splitlines()


class Operator:
    """What somebody at the console does and sees."""

    def __init__(self, console: ConsoleApp, pilot: Pilot[None], server: ChatServer) -> None:
        self.console = console
        self.pilot = pilot
        self.server = server
        self.log = console.screen.query_one(MessageLog)
        self.user_list = console.screen.query_one(UserList)
        self.line = console.screen.query_one(CommandLine)
        self.status_bar = console.screen.query_one(StatusBar)
        self.answer_row = console.screen.query_one(AnswerRow)
        self.buttons = list(console.screen.query_one(UserCard).buttons.buttons)
        self.message_button, self.kick_button, self.mute_button, self.ban_button = self.buttons
        self.clients: dict[Member, Client] = {}
        self.other = server.operator()
        """What another operator does, or a program."""

    until = staticmethod(until)

    async def settle(self) -> None:
        """Wait until all messages that are on their way have been handled."""
        quiet = 0
        # What is on its way to an app that has failed stays there for ever.
        while quiet < 3 and self.console.screen_stack and self.console.return_code is None:
            await asyncio.sleep(0)
            pumps = (self.console, *self.console.screen.walk_children(with_self=True))
            busy = self.console.type_ahead.busy or any(pump.message_queue_size for pump in pumps)
            quiet = 0 if busy else quiet + 1

    def join(self, name: str | None = None, *, address: str | None = None) -> Member:
        """Let somebody join, and take a nickname."""
        number = 1001 + len(self.clients)  # out of the way of connections with sockets
        member = join(self.server, number, address or f"10.0.0.1|{number}", client := Client())
        self.clients[member] = client
        if name:
            self.say(member, f"/nick {name}")
        return member

    async def gather(self, *names: str) -> list[Member]:
        """Let people of these names join, and wait until the list shows them."""
        members = [self.join(name) for name in names]
        await self.until(lambda: set(names) <= set(self.names))
        return members

    def say(self, member: Member, *lines: str) -> None:
        say(self.server, member, *lines)

    def happen(self, *happenings: Event) -> None:
        """Let the server tell of what its own rules would never let happen."""
        for event in happenings:
            self.server.chat.emit(event)

    def go(self, *members: Member) -> None:
        """Let `members` go, one after the other."""
        go(self.server, *members)

    async def leave(self, member: Member) -> None:
        """Let `member` go, and wait until the list shows it."""
        self.go(member)
        await self.until(lambda: member.id not in self.user_list.users)

    async def press(self, *keys: str) -> None:
        """Press keys, each when the one before has had its effect."""
        for key in keys:
            character = " " if key == "space" else key if len(key) == 1 else None
            self.console.post_message(events.Key(key, character))
            await self.settle()

    async def submit(self, line: str) -> None:
        """Type a line and press Enter."""
        await self.press("escape")
        self.line.value = line
        await self.press("enter")

    async def click(self, target: Widget | str, row: int | None = None) -> None:
        """Click on the middle of `target`, on that row of its content, or on that text on the screen."""
        await self.settle()
        if isinstance(target, str):
            await self.until(lambda: target in self.text)
            y, line = next((y, line) for y, line in enumerate(self.rows) if target in line)
            x = line.index(target) + len(target) // 2
        else:
            # A button that shows yet how it was pressed takes no other click.
            await self.until(lambda: not target.has_class("-active"))
            left, top, width, height = target.content_region
            x, y = left + width // 2, top + (height // 2 if row is None else row)
        for kind in (events.MouseDown, events.MouseUp):
            self.console.post_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y))
        await self.settle()

    async def resize(self, width: int, height: int) -> None:
        """Give the terminal another size, and wait until all is laid out for it."""
        await self.pilot.resize_terminal(width, height)

    async def painted(self) -> None:
        """Wait until what has changed is laid out and painted."""
        painted = asyncio.Event()
        self.console.screen.call_after_refresh(painted.set)
        await self.until(painted.is_set)

    async def question(self) -> str:
        """Wait for a question, and return it."""
        await self.until(lambda: self.console.screen.query("#question Label"))
        return str(self.console.screen.query_one("#question Label").render())

    async def dialog(self) -> ActionDialog:
        """Wait until time and reason of an action are asked for."""
        await self.until(lambda: isinstance(self.console.screen, ActionDialog))
        await self.settle()
        dialog = self.console.screen
        assert isinstance(dialog, ActionDialog)
        return dialog

    async def back(self) -> None:
        """Wait until no dialog is open."""
        await self.until(lambda: self.at_home)

    @property
    def at_home(self) -> bool:
        return len(self.console.screen_stack) == 1

    @property
    def entries(self) -> list[str]:
        """The log as an operator without colours reads it, without the times."""
        return [
            f"{MARKS[entry.kind]} {entry.sender and entry.sender + ': '}{entry.text}"
            for entry in self.log.entries
        ]

    @property
    def last(self) -> str:
        """The end of the log."""
        return self.entries[-1] if self.entries else ""

    @property
    def answer(self) -> str:
        """What the row above the line answers, with its mark."""
        return self.answer_row.answer

    @property
    def names(self) -> list[str]:
        """Who is in the user list."""
        return [user.name for user in self.user_list.users.values()]

    @property
    def selected(self) -> int | None:
        return self.user_list.selected

    @property
    def focused(self) -> Widget | None:
        return self.console.focused

    @property
    def status(self) -> str:
        return self.status_bar.render_line(0).text.rstrip()

    @property
    def strips(self) -> list[Strip]:
        """What the screen shows, row by row, with its colours."""
        # Private, so Textual is pinned: nothing public tells what is painted.
        return self.console.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]

    @property
    def rows(self) -> list[str]:
        """The text that the screen shows, row by row."""
        return [strip.text for strip in self.strips]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)


Operate = Callable[..., AbstractAsyncContextManager[Operator]]


def _known(server: ChatServer, member_id: int) -> Details | None:
    member = server.chat.room.roster.get(member_id)
    return member and Details(member.address, here=0.0, idle=0.0, lines=member.lines, waiting=0)


@asynccontextmanager
async def operate_console(
    *,
    settings: Settings | None = None,
    size: tuple[int, int] = (80, 24),
    before: Callable[[ChatServer], object] | None = None,
    **options: Any,
) -> AsyncIterator[Operator]:
    """Open a console around a server of its own."""
    async with ChatServer(settings or Settings(port=0)) as server:
        details = server.details
        # Whoever has no connection is known by what the room knows.
        server.details = lambda member_id: details(member_id) or _known(server, member_id)
        if before:
            before(server)
        async with operate_server(server, size=size, **options) as operator:
            yield operator


@asynccontextmanager
async def operate_server(
    server: ChatServer, *, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[Operator]:
    """Open a console around a server that runs already."""
    if sys.version_info >= (3, 12):
        # App.run_async does so, and run_test does not.
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    console = ConsoleApp(server, **options)
    async with console.run_test(size=size, notifications=True) as pilot:
        yield Operator(console, pilot, server)
