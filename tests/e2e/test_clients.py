"""What real client programs get to see, each with its own idea of Ctrl-C and of the end of input."""

from __future__ import annotations

import time

import pytest
from support.programs import require

from .conftest import Connect, StartConsole, StartProgram, StartTerminal

HALF_CLOSING = [
    pytest.param(("nc", "-N"), id="nc -N"),
    pytest.param(("ncat",), id="ncat"),
]
"""Programs that send FIN at the end of their input, and go on reading."""


def test_telnet_shows_what_is_said_after_a_ctrl_c(
    start_console: StartConsole, start_terminal: StartTerminal
) -> None:
    telnet = require("telnet")
    console = start_console()
    terminal = start_terminal(telnet, "127.0.0.1", str(console.port))
    terminal.wait_for("to the server!")
    terminal.type("/nick Ann\r")
    terminal.wait_for("You are now Ann")
    terminal.type("\x03")
    # What is typed next leaves telnet behind the command that Ctrl-C makes, so the server has had both.
    terminal.type("interrupted\r")
    console.output.wait_for("Ann: interrupted\n")
    console.type("Can you hear me?")
    terminal.wait_for("Operator: Can you hear me?")


def test_telnet_says_that_the_server_is_gone(
    start_console: StartConsole, start_terminal: StartTerminal
) -> None:
    telnet = require("telnet")
    console = start_console()
    terminal = start_terminal(telnet, "127.0.0.1", str(console.port))
    terminal.wait_for("to the server!")
    terminal.type("/quit\r")
    terminal.wait_for("You have left the server\nConnection closed by foreign host.")
    terminal.wait()
    console.output.wait_for("has left the server.\n")


@pytest.mark.parametrize("program", HALF_CLOSING)
def test_a_piped_command_is_answered(
    program: tuple[str, ...], start_console: StartConsole, start: StartProgram, connect: Connect
) -> None:
    require(*program)
    console = start_console()
    resident = connect(console.port)
    client = start(*program, "localhost", str(console.port))
    client.type("/list")
    client.end_input()
    welcome, *lines = client.output.read_to_end().splitlines()
    assert welcome.startswith("Welcome 127.0.0.1|")
    assert lines == [f"{resident.address} as {resident.address}", "You have left the server"]
    assert client.wait() == 0


@pytest.mark.parametrize("program", HALF_CLOSING)
def test_an_unfinished_last_line_is_run(
    program: tuple[str, ...], start_console: StartConsole, start: StartProgram
) -> None:
    require(*program)
    console = start_console()
    client = start(*program, "localhost", str(console.port))
    client.write(b"first\nlast")
    client.end_input()
    _, *lines = client.output.read_to_end().splitlines()
    assert lines == ["You have left the server"]
    console.output.wait_for(": first\n")
    console.output.wait_for(": last\n")
    console.output.wait_for("has left the server.\n")


@pytest.mark.parametrize("program", HALF_CLOSING)
def test_a_long_paste_is_said_whole_and_in_order_before_its_author_leaves(
    program: tuple[str, ...], start_console: StartConsole, start: StartProgram, connect: Connect
) -> None:
    require(*program)
    console = start_console("--rate", "20", "--burst", "5")
    resident = connect(console.port)
    client = start(*program, "localhost", str(console.port))
    resident.wait_until(lambda: resident.text.count("Welcome") == 2)
    began = time.monotonic()
    client.write(b"".join(b"line %d\n" % number for number in range(25)))
    client.end_input()
    resident.wait_for(" has left the server.\n")
    assert time.monotonic() - began > (25 - 5) / 20 * 0.9
    said = [line.partition(": ")[2] for line in resident.lines if ": line " in line]
    assert said == [f"line {number}" for number in range(25)]
    assert client.output.read_to_end().endswith("to the server!\nYou have left the server\n")


def test_killed_nc_leaves_the_room(start_console: StartConsole, start: StartProgram) -> None:
    nc = require("nc")
    console = start_console()
    client = start(nc, "localhost", str(console.port))
    client.type("/nick Ann")
    console.output.wait_for(" is now Ann\n")
    client.process.kill()
    console.output.wait_for("Ann has left the server.\n")
