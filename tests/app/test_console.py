"""The operator's console: every key, button and line, whatever the users do meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

import pytest
from support.console_operator import Operate, Operator
from support.recording import Receiver
from support.socketless import join, say
from textual import events
from textual.drivers.headless_driver import HeadlessDriver
from textual.widget import Widget

from chat_console.app import joining
from chat_console.app.console import ConsoleApp, UnknownTheme
from chat_console.server.chat_server import ChatServer
from chat_console.server.room.member import Member
from chat_console.server.settings import Settings

HOSTILE = "[/x][@click=app.quit]\x1b[2J\x1b]0;title\x07\x9b31m\u202e"
HARMLESS = "[/x][@click=app.quit]"


def footer_keys(operator: Operator) -> dict[str, Any]:
    """The keys in the footer, which replaces them whenever one is enabled or disabled."""
    return {key.key: key for key in cast("Iterable[Any]", operator.console.screen.query("FooterKey"))}


def enabled(operator: Operator) -> str:
    """The keys in the footer that do something."""
    return " ".join(key for key, shown in footer_keys(operator).items() if not shown.has_class("-disabled"))


def ended(operator: Operator) -> bool:
    return not operator.console.is_running or operator.console.return_code is not None


# The start


async def test_what_happens_before_there_is_a_screen_is_shown_once_there_is() -> None:
    async with ChatServer(Settings(port=0)) as server:
        console = ConsoleApp(server)
        server.operator().say("hello?")
        async with console.run_test() as pilot:
            for _ in range(200):
                await pilot.pause(0.01)
                if "hello?" in console.export_screenshot(simplify=True):
                    return
    raise AssertionError("the early line was not shown")


async def test_an_unknown_theme_is_refused_with_the_names_of_those_there_are() -> None:
    async with ChatServer(Settings(port=0)) as server:
        with pytest.raises(UnknownTheme, match=r"no theme 'pink'; .*ansi-dark, .*textual-light") as error:
            ConsoleApp(server, theme="pink")
        assert isinstance(error.value, ValueError)
        assert ConsoleApp(server, theme="ansi-light").theme == "ansi-light"


@pytest.mark.parametrize(
    ("environment", "theme", "colours"),
    [({}, None, True), ({}, "ansi-dark", False), ({"NO_COLOR": "1"}, None, False)],
)
async def test_no_color_and_the_ansi_themes_leave_the_colours_to_the_terminal(
    operate: Operate,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    theme: str | None,
    colours: bool,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with operate(theme=theme, size=(40, 12)) as operator:
        await operator.gather("Ann")
        strips = operator.strips
        # As on its way to the terminal.
        for filter_ in operator.console.get_line_filters():
            background = operator.console.screen.background_colors[1]
            strips = [strip.apply_filter(filter_, background) for strip in strips]
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        rgb = [c for style in styles for c in (style.color, style.bgcolor) if c and c.triplet]
        assert bool(rgb) == colours
        if environment:
            assert not any(c and not c.is_default for style in styles for c in (style.color, style.bgcolor))


# The operator's line


async def test_plain_text_goes_to_everybody_and_into_the_log(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    await operator.submit("hello  there")
    await operator.submit("//slash")
    await operator.until(lambda: operator.entries[-2:] == ["> Operator: hello  there", "> Operator: /slash"])
    assert operator.clients[ann].lines[-2:] == ["Operator: hello  there", "Operator: /slash"]
    assert operator.line.value == ""


PANES = ["users", "log", "kick button", "nothing"]


async def go_to(operator: Operator, pane: str) -> None:
    """Give the focus to a pane of the main screen, while somebody is selected."""
    if pane == "users":
        await operator.press("f4")
    elif pane == "log":
        await operator.press("f5")
    else:
        await operator.until(lambda: not operator.kick_button.disabled)
        operator.console.screen.set_focus(operator.kick_button if pane == "kick button" else None)
    await operator.settle()
    assert operator.focused is not operator.line


async def test_what_is_pasted_in_any_pane_goes_into_the_line(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    operator.console.copy_to_clipboard("e")
    for pane in PANES:
        operator.line.value = "ab"
        await go_to(operator, pane)
        operator.console.post_message(events.Paste("c\nd"))
        await operator.until(lambda: operator.line.value == "abc d")
        assert operator.focused is operator.line, pane
        await go_to(operator, pane)
        await operator.press("ctrl+v")
        assert (operator.line.value, operator.focused) == ("abc de", operator.line), pane


async def test_the_palette_leaves_the_line_as_it_was(operator: Operator) -> None:
    await operator.settle()
    before = operator.line.region, operator.line.styles.border, operator.line.styles.padding
    await operator.press("ctrl+p")
    await operator.until(lambda: operator.console.screen.query("SearchLine"))
    await operator.press("escape")
    await operator.back()
    await operator.until(lambda: operator.focused is operator.line)
    assert (operator.line.region, operator.line.styles.border, operator.line.styles.padding) == before


# Help


# Message, kick, mute and ban


# The detail of the selected user


# Whom a key acts upon is on the screen


def shows(operator: Operator, member: Member) -> bool:
    """Whether the list shows `member` as selected."""
    return any(f"▸ {member.name} " in row for row in operator.rows)


# The list changes under the operator's hands


async def test_the_log_goes_on_behind_a_question_and_behind_the_help(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    for key in ("f3", "f1"):
        await operator.press(key)
        await operator.until(lambda: not operator.at_home)
        operator.say(ann, f"behind {key}")
        await operator.until(lambda: operator.last == f"  Ann: behind {key}")  # noqa: B023
        await operator.press("escape")
        await operator.back()
    assert operator.log.following
    assert "Ann: behind f1" in operator.text


# Hostile text


# Sizes


def visible(operator: Operator, widget: Widget) -> bool:
    """Whether all of `widget` is on the screen."""
    screen = operator.console.screen.region
    return bool(widget.display and widget.region and screen.contains_region(widget.region)) and all(
        ancestor.display for ancestor in widget.ancestors if isinstance(ancestor, Widget)
    )


async def test_a_question_or_the_help_leaves_the_pane_below_as_it_is(operate: Operate) -> None:
    async with operate(size=(40, 12)) as operator:
        (ann,) = await operator.gather("Ann")
        operator.user_list.selected = ann.id
        await operator.press("f4")
        for key in ("f3", "f1"):
            await operator.press(key)
            await operator.until(lambda: not operator.at_home)
            await operator.press("escape")
            await operator.back()
            await operator.until(lambda: visible(operator, operator.user_list))
            assert operator.focused is operator.user_list


# The end


async def test_ctrl_q_ends_at_once_where_nobody_is_connected(operator: Operator) -> None:
    port = operator.server.port
    await operator.press("ctrl+q")
    await operator.until(lambda: ended(operator))
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_ctrl_q_asks_where_somebody_is(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    await operator.press("ctrl+q")
    assert await operator.question() == "2 users are connected. Stop the server?"
    await operator.press("enter")
    await operator.back()
    assert not ended(operator)
    await operator.leave(bob)
    await operator.press("ctrl+q")
    assert await operator.question() == "1 user is connected. Stop the server?"
    await operator.press("y")
    await operator.until(lambda: ended(operator))
    assert operator.clients[ann].lines[-2:] == ["Server is shutting down", "You have left the server"]


async def test_quit_typed_ends_without_asking_and_once(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ann,) = await operator.gather("Ann")
    begun: list[bool] = []
    operator.console.ending = lambda: begun.append(ann in operator.server.members)
    stops: list[None] = []
    stop = operator.server.stop

    async def stop_once_it_is_told() -> None:
        stops.append(None)
        await operator.until(lambda: "= Server is shutting down" in operator.entries)
        await stop()

    monkeypatch.setattr(operator.server, "stop", stop_once_it_is_told)
    await operator.submit("/quit")
    operator.console.end()
    await operator.until(lambda: ended(operator))
    assert operator.clients[ann].lines.count("Server is shutting down") == 1
    assert operator.entries.count("= Server is shutting down") == len(stops) == 1
    assert begun == [True]


class Running:
    """A console that runs by `serve`, as the command line does it, in front of no terminal."""

    def __init__(self, server: ChatServer, **options: Any) -> None:
        self.console = ConsoleApp(server, **options)
        self.console.driver_class = HeadlessDriver
        self.task = asyncio.create_task(self.console.serve())

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                assert not self.task.done()
                await asyncio.sleep(0.005)


@pytest.mark.parametrize("code", [0, 129])
async def test_serve_tells_how_it_ended_and_takes_the_mouse_only_where_it_may(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    async with ChatServer(Settings(port=0)) as server:
        console = ConsoleApp(server, mouse=code == 0)

        async def run_async(*, mouse: bool) -> None:
            assert mouse == (code == 0)
            if code:
                console.exit(return_code=code)

        monkeypatch.setattr(console, "run_async", run_async)
        assert await console.serve() == code


# With sockets


# A bad day


async def test_no_terminal_is_too_narrow_for_the_buttons(operate: Operate) -> None:
    async with operate(size=(60, 20)) as operator:
        await operator.gather("Ann")
        await operator.press("f4", "down")
        for width in (9, 17, 18, 19, 24):
            await operator.resize(60, 20)
            await operator.resize(width, 24)
            assert operator.console.size.width == width
            assert operator.console.is_running


async def test_ctrl_q_asks_over_another_question_and_pressed_again_asks_no_more(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    await operator.press("f3")
    await operator.dialog()
    await operator.press("ctrl+q")
    await operator.until(lambda: len(operator.console.screen_stack) == 3)
    assert "Stop the server?" in await operator.question()
    await operator.press("ctrl+q")
    assert len(operator.console.screen_stack) == 3
    assert list(operator.server.members) == [ann]
    await operator.press("y")
    await operator.until(lambda: ended(operator))


async def test_serve_runs_until_the_end_and_stops_the_server() -> None:
    loop = asyncio.get_running_loop()
    factory = loop.get_task_factory()
    server = ChatServer(Settings(port=0))
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    running = Running(server)
    await running.until(lambda: running.console.chat.user_list.count == 1)
    running.console.end()
    running.console.end()
    last_lines = (await reader.read()).splitlines()[-2:]
    assert last_lines == [b"Server is shutting down", b"You have left the server"]
    writer.close()
    assert await running.task == 0
    assert loop.get_exception_handler() is None
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", server.port)
    await writer.wait_closed()
    loop.set_task_factory(factory)


async def test_two_thousand_users_come_and_go(operator: Operator) -> None:
    members = [operator.join(f"user{number}") for number in range(2_000)]
    await operator.until(lambda: operator.user_list.count == 2_000)
    await operator.until(lambda: "2,000 users" in operator.text)
    operator.user_list.selected = members[1_500].id
    operator.go(*members[:1_500], *members[1_501:])
    await operator.until(lambda: operator.names == ["user1500"])
    assert operator.selected == members[1_500].id


async def test_an_error_that_nobody_caught_is_shown_in_the_log() -> None:
    async with ChatServer(Settings(port=0)) as server:
        running = Running(server)
        await running.until(lambda: running.console.is_running and running.console.screen_stack)
        loop = asyncio.get_running_loop()

        def fail() -> None:
            raise ValueError(HOSTILE)

        loop.call_soon(fail)
        loop.call_exception_handler({"message": "no exception, just a message"})
        shown = running.console.chat.messages
        await running.until(lambda: len(shown.entries) == 4)
        assert [entry.text for entry in shown.entries][2:] == [
            "Error while serving the event loop: RuntimeError: no exception, just a message",
            f"Error while serving the event loop: ValueError: {HOSTILE}",
        ]
        running.console.end()
        assert await running.task == 0


async def test_a_public_server_is_announced_where_it_cannot_be_missed(
    operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "own_addresses", lambda: {ip_address("192.0.2.2")})
    async with operate(settings=Settings(port=0, hosts=("0.0.0.0", "::1")), size=(120, 40)) as operator:
        port = operator.server.port
        for text in ("nothing on the wire is encrypted", "public, not encrypted", f"nc 192.0.2.2 {port}"):
            await operator.until(lambda: text in operator.text)  # noqa: B023
        assert f"nc ::1 {port}" in operator.text


@pytest.mark.quick
async def test_people_with_sockets_are_seen_heard_answered_and_kicked(operator: Operator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", operator.server.port)
    host, port = writer.get_extra_info("sockname")
    await operator.until(lambda: operator.names == [f"{host}|{port}"])
    writer.write(b"/nick Ann\nhi\n")
    await operator.until(lambda: operator.last == "  Ann: hi")
    await operator.submit("hello Ann")
    await operator.press("f4", "down", "f3")
    await operator.dialog()
    assert f"Kick Ann ({host}|{port})" in operator.text
    await operator.press("enter")
    await operator.until(lambda: operator.names == [])
    assert (await reader.read()).decode().splitlines() == [
        f"Welcome {host}|{port} to the server!",
        "You are now Ann",
        "Operator: hello Ann",
        "You have left the server",
    ]
    writer.close()
    await writer.wait_closed()


async def test_who_was_there_before_the_console_is_shown_too(operate: Operate) -> None:
    def come(server: ChatServer) -> None:
        join(server, 1, "10.0.0.1|1", Receiver())
        say(server, join(server, 2, "10.0.0.1|2", Receiver()), "/nick Ann")
        server.operator().mute(2, 600)

    async with operate(before=come) as operator:
        await operator.until(lambda: operator.names == ["10.0.0.1|1", "Ann"])
        assert [user.muted for user in operator.user_list.users.values()] == [False, True]
        await operator.until(lambda: "mute 10m" in operator.text)


async def test_a_flood_leaves_the_log_bounded_and_the_keys_alive(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    lines = [f"line {number}" for number in range(500)]
    for round_ in range(200):
        operator.say(ann, *lines)
        if round_ % 40 == 0:
            await operator.press(*"ok")
    operator.say(bob, "the end")
    await operator.until(lambda: "  Bob: the end" in operator.entries)
    assert operator.line.value == "ok" * 5
    assert operator.log.lines <= 10_000
    operator.user_list.selected = ann.id
    await operator.press("f3")
    await operator.dialog()
    await operator.press("enter")
    await operator.until(lambda: ann not in operator.server.members)
    assert bob in operator.server.members


async def test_what_is_typed_is_kept_for_the_next_time(
    operate: Operate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with operate(line_history=True) as operator:
        await operator.submit("hello")
        await operator.until(
            lambda: any("hello" in file.read_text() for file in tmp_path.rglob("line-history"))
        )
    async with operate(line_history=True) as operator:
        await operator.until(lambda: operator.line.history == ("hello",))
    async with operate() as operator:
        await operator.submit("not this")
        assert operator.line.history == ("not this",)
