"""What the end-to-end tests share: the program, its clients and a terminal, each a real process or socket."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest
from support.programs import PROGRAM, Client, PlainConsole, Program
from support.terminals import Terminal

StartProgram = Callable[..., Program]
StartConsole = Callable[..., PlainConsole]
StartTerminal = Callable[..., Terminal]
Connect = Callable[..., Client]


@pytest.fixture
def opened() -> Iterator[contextlib.ExitStack]:
    """What is closed when the test ends, the last opened first."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def start(opened: contextlib.ExitStack) -> StartProgram:
    """Starts a program: `start("nc", "localhost", "1234")`."""

    def start(*command: str, **files: int) -> Program:
        program = Program(*command, **files)
        opened.callback(program.close)
        return program

    return start


@pytest.fixture
def start_console(opened: contextlib.ExitStack) -> StartConsole:
    """Starts the plain console on a free port: `start_console("--shared-nicks")`."""

    def start_console(*options: str, program: tuple[str, ...] = PROGRAM, **files: int) -> PlainConsole:
        console = PlainConsole(*program, "--plain", "--port", "0", *options, **files)
        opened.callback(console.close)
        return console

    return start_console


@pytest.fixture
def start_terminal(opened: contextlib.ExitStack) -> StartTerminal:
    """Starts a program in a terminal: `start_terminal("telnet", "localhost", "1234", columns=40)`."""

    def start_terminal(*command: str, **size: int) -> Terminal:
        terminal = Terminal(*command, **size)
        opened.callback(terminal.close)
        return terminal

    return start_terminal


@pytest.fixture
def connect(opened: contextlib.ExitStack) -> Connect:
    """Connects a client: `connect(port)`."""

    def connect(port: int, host: str = "127.0.0.1", source: str | None = None) -> Client:
        client = Client(port, host, source)
        opened.callback(client.close)
        return client

    return connect
