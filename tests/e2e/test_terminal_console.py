# ruff: noqa: RUF001
"""The console in a real terminal: what is on the screen, what the keys do, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable

import pytest
from support.programs import PROGRAM, Program, require
from support.terminals import Terminal

from .conftest import Connect, StartProgram, StartTerminal

DOWN, RIGHT, ENTER, ESCAPE, BACKSPACE = "\x1b[B", "\x1b[C", "\r", "\x1b", "\x7f"
CTRL_L, CTRL_Q = "\x0c", "\x11"
F1, F2, F3, F4, F6, F7 = "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[17~", "\x1b[18~"

FOOTER = " F1 help  F4 users  F5 log  F8 reply  ^F find  ^S save  ^P all  ^Q quit"
LEAVE_ALTERNATE_SCREEN, SHOW_CURSOR, NO_MOUSE = b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l"


class Console:
    """The program in a terminal, from its first complete screen on, painted from its top to its bottom."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        found = terminal.wait_for_match(
            r"127\.0\.0\.1:(\d+) · 0 users(?s:.*)\* The server listens on port"
            r"(?s:.*)\n F1 help (?s:.*)\^(?:Q quit|P all|F find)\Z"
        )
        self.port = int(found[1])


StartConsole = Callable[..., Console]


@pytest.fixture
def start_console(start_terminal: StartTerminal) -> StartConsole:
    def start_console(*options: str, within: tuple[str, ...] = (), **size: int) -> Console:
        return Console(start_terminal(*within, *PROGRAM, "--port", "0", *options, **size))

    return start_console


def test_the_first_screen_says_where_to_connect_and_what_the_keys_do(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console()
    terminal = console.terminal
    terminal.wait_for(f"* The server listens on port {console.port}")
    assert terminal.text.startswith(f" chat-console  127.0.0.1:{console.port} · 0 users · ")
    assert "0 users" in terminal.text
    assert terminal.text.endswith(f"\n{FOOTER}")
    ann = connect(console.port)
    ann.send("hello")
    terminal.wait_for(f"{ann.address}: hello")
    terminal.type("hello yourself" + ENTER)
    ann.wait_for("Operator: hello yourself\n")
    terminal.wait_for("> Operator: hello yourself")


def test_a_user_is_messaged_and_kicked_by_keyboard(start_console: StartConsole, start: StartProgram) -> None:
    nc = require("nc")
    console = start_console()
    terminal = console.terminal
    clients: list[Program] = []
    for name in ("Ann", "Bob"):
        clients.append(start(nc, "localhost", str(console.port)))
        clients[-1].type(f"/nick {name}")
        clients[-1].output.wait_for(f"You are now {name}\n")
    ann, bob = clients
    terminal.wait_for("2 users")
    terminal.wait_until(lambda: re.search(r"\n Ann .*\n Bob ", terminal.text))
    terminal.type(F4 + DOWN)
    terminal.wait_for("▸Ann")
    terminal.type(DOWN)
    terminal.wait_for("▸Bob")

    terminal.type(F2)
    terminal.wait_for("to Bob ›")
    terminal.type("beware" + ENTER)
    bob.output.wait_for("Operator (private): beware \n")

    terminal.type(F3)
    terminal.wait_for("Kick Bob (127.0.0.1|")
    terminal.type(ESCAPE)
    terminal.wait_until(lambda: "Kick Bob" not in terminal.text)
    terminal.type(F3)
    terminal.wait_for("Kick Bob (127.0.0.1|")
    terminal.type(ENTER)
    terminal.wait_for("Bob was kicked")
    terminal.wait_for("- Bob left (kicked)")
    terminal.wait_for("1 user")
    bob.output.wait_for("beware \nYou have left the server\n")
    ann.output.wait_for("Bob has left the server.\n")
    ann.type("still here")
    terminal.wait_for("Ann: still here")


def test_a_user_is_muted_and_not_banned_from_this_machine_by_keyboard(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console(columns=100)
    terminal = console.terminal
    ann, bob = connect(console.port), connect(console.port)
    ann.send("/nick Ann")
    terminal.wait_until(lambda: re.search(r"\n Ann .*\n 127", terminal.text))
    terminal.type(F4 + DOWN)
    terminal.wait_for("▸Ann")
    terminal.wait_for(f"{ann.address} · here ")
    terminal.type(F6)
    terminal.wait_for("Mute Ann (")
    terminal.type(ENTER)
    terminal.wait_until(lambda: re.search(r"▸Ann +mute 10m ", terminal.text))
    ann.send("can you hear me?")
    ann.wait_for("You are muted\nYou are muted\n")
    terminal.type(F6)
    terminal.wait_for("Ann is no longer muted")
    ann.send("and now?")
    bob.wait_for("Ann: and now?\n")
    assert "can you hear me?" not in bob.text
    terminal.type(F7)
    terminal.wait_for("127.0.0.1 is this machine itself; to ban it")
    ann.send("still here")
    bob.wait_for("Ann: still here\n")


def test_a_port_in_use_is_one_line_and_nothing_is_painted(start_terminal: StartTerminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        terminal = start_terminal(*PROGRAM, "--port", str(port), columns=120)
        assert terminal.wait() == 2
    assert terminal.read_rest().decode() == (
        f"chat-console: port {port} on 127.0.0.1 is in use; "
        "stop the program that is using it, or choose another with --port\r\n"
    )


def test_sigterm_says_goodbye_and_restores_the_terminal(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console()
    ann = connect(console.port)
    assert not console.terminal.is_restored
    console.terminal.signal(signal.SIGTERM)
    assert console.terminal.wait() == 0
    assert ann.read_to_end().endswith("Server is shutting down\nYou have left the server\n")
    assert console.terminal.is_restored
    written = console.terminal.read_rest()
    assert all(written.rfind(code) > written.rfind(b"f7") for code in (LEAVE_ALTERNATE_SCREEN, SHOW_CURSOR))
    assert NO_MOUSE in written
    assert b"Traceback" not in written


def test_ctrl_q_asks_while_users_are_connected(start_console: StartConsole, connect: Connect) -> None:
    console = start_console()
    terminal = console.terminal
    ann = connect(console.port)
    terminal.wait_for("· 1 user ·")
    terminal.type(CTRL_Q)
    terminal.wait_for("1 user is connected.")
    terminal.type("n")
    terminal.wait_until(lambda: "1 user is connected." not in terminal.text)
    ann.send("still here")
    terminal.wait_for(f"{ann.address}: still here")
    terminal.type(CTRL_Q)
    terminal.wait_for("1 user is connected.")
    terminal.type("y")
    assert terminal.wait() == 0
    assert ann.read_to_end().endswith("Server is shutting down\nYou have left the server\n")
    assert terminal.is_restored


def test_a_stalled_terminal_leaves_the_chat_alive(start_console: StartConsole, connect: Connect) -> None:
    console = start_console("--rate", "0")
    terminal = console.terminal
    ann, bob = connect(console.port), connect(console.port)
    terminal.wait_for("· 2 users ·")
    terminal.stall()
    # Typing in each round makes more frames, at most 60 a second, than terminal and queue can take.
    number = 0
    started = time.monotonic()
    while number < 100 or time.monotonic() < started + 2:
        number += 1
        terminal.type("." if number % 50 else "\x15")
        ann.send(f"ping {number}")
        bob.wait_for(f"{ann.address}: ping {number}\n")
        bob.send(f"pong {number}")
        ann.wait_for(f"{bob.address}: pong {number}\n")
    terminal.go_on()
    terminal.wait_for(f"pong {number}")


def test_it_fits_a_terminal_of_40_by_12(start_console: StartConsole, connect: Connect) -> None:
    console = start_console(columns=40, rows=12)
    terminal = console.terminal
    ann = connect(console.port)
    ann.send("/nick Ann")
    terminal.wait_for("Ann joined")
    assert all(len(line) <= 40 for line in terminal.text.splitlines())
    terminal.type("hello" + ENTER)
    ann.wait_for("Operator: hello\n")
    terminal.type(F4 + DOWN)
    terminal.wait_for("▸Ann")
    terminal.type(F2)
    terminal.wait_for("to Ann ›")
    terminal.type("psst" + ENTER)
    ann.wait_for("Operator (private): psst \n")
    terminal.resize(100, 30)
    terminal.wait_for("1 user")
    terminal.wait_for("+ Ann joined")


def test_what_is_typed_ahead_takes_effect_in_its_order(start_console: StartConsole, connect: Connect) -> None:
    console = start_console()
    terminal = console.terminal
    ann, bob = connect(console.port), connect(console.port)
    for client, name in ((ann, "Ann"), (bob, "Bob")):
        client.send(f"/nick {name}")
        client.wait_for(f"You are now {name}\n")
    terminal.wait_until(lambda: re.search(r"\n Ann .*\n Bob ", terminal.text))
    terminal.type(
        f"hello{ENTER}/msg Bob secret{ENTER}oops{BACKSPACE * 4}{ESCAPE}alpha{ENTER}beta{ENTER}"
        f"{F4}{DOWN}{F2}psst{ENTER}{F4}{F3}{ENTER}{ESCAPE}{ESCAPE}the last{ENTER}"
    )
    bob.wait_for("Operator: the last\n")
    terminal.wait_for("Operator: the last")
    said = ["Operator: alpha", "Operator: beta"]
    assert bob.lines[-6:] == [
        "Operator: hello",
        "Operator (private): secret ",
        *said,
        "Ann has left the server.",
        "Operator: the last",
    ]
    assert ann.read_to_end().splitlines()[-5:] == [
        "Operator: hello",
        *said,
        "Operator (private): psst ",
        "You have left the server",
    ]


def test_what_is_typed_before_the_console_has_the_terminal_is_typed_to_it(
    start_terminal: StartTerminal,
) -> None:
    terminal = start_terminal(*PROGRAM, "--port", "0")
    terminal.type(f"hello{ENTER}/list{ENTER}half a")
    terminal.wait_for("> Operator: hello")
    terminal.wait_for("= No users connected")
    terminal.wait_until(lambda: re.search(r"everybody › half a", terminal.text))


def test_quitting_drops_what_is_typed_after_it(start_console: StartConsole, connect: Connect) -> None:
    console = start_console()
    ann = connect(console.port)
    console.terminal.wait_for("· 1 user ·")
    console.terminal.type(f"bye{ENTER}{CTRL_Q}yhello{ENTER}")
    assert console.terminal.wait() == 0
    assert ann.read_to_end().splitlines()[-3:] == [
        "Operator: bye",
        "Server is shutting down",
        "You have left the server",
    ]


def test_ctrl_q_on_a_russian_keyboard(start_console: StartConsole) -> None:
    console = start_console()
    # https://sw.kovidgoyal.net/kitty/keyboard-protocol/#key-codes
    console.terminal.type("\x1b[1081::113;5u")
    assert console.terminal.wait() == 0


def test_a_terminal_without_unicode_shows_the_frame_and_takes_its_own_letters(
    start_terminal: StartTerminal, connect: Connect
) -> None:
    terminal = start_terminal("env", "PYTHONIOENCODING=iso-8859-1", *PROGRAM, "--port", "0")
    found = terminal.wait_for_match(r"127\.0\.0\.1:(\d+) . 0 users")
    ann = connect(int(found[1]))
    ann.send("Привет")
    terminal.wait_for(": ??????")
    assert re.search(r"\|\d\d:\d\d ", terminal.text)
    assert "-- following --" in terminal.text
    assert "\\u" not in terminal.text
    terminal.type(b"caf\xe9\r")
    ann.wait_for("Operator: café\n")


def test_the_size_is_the_terminals_whatever_the_environment_says(start_console: StartConsole) -> None:
    terminal = start_console(within=("env", "COLUMNS=300", "LINES=100")).terminal
    assert terminal.text.endswith(f"\n{FOOTER}")


def scribble(terminal: Terminal) -> None:
    """Write over what the console has painted, and wait until it is there."""
    seen = terminal.data.count(b"nonsense")
    terminal.scribble(b"\x1b[0m\x1b[2J\x1b[5;5Hnonsense\x0e\x1b[3;6r")
    terminal.wait_until(lambda: terminal.data.count(b"nonsense") > seen)


def test_ctrl_l_paints_everything_anew(start_console: StartConsole) -> None:
    terminal = start_console().terminal
    before = terminal.text.splitlines()[1:]
    scribble(terminal)
    terminal.type(CTRL_L)
    terminal.wait_until(lambda: terminal.text.splitlines()[1:] == before)
    terminal.type(F1)
    terminal.wait_for("Show all keys and commands")
    scribble(terminal)
    terminal.type(CTRL_L)
    terminal.wait_until(lambda: "nonsense" not in terminal.text and "F1  " in terminal.text)


@pytest.mark.parametrize(
    "stop", [signal.SIGTSTP, signal.SIGSTOP, None], ids=["SIGTSTP", "SIGSTOP", "SIGCONT alone"]
)
def test_after_a_suspension_the_whole_screen_is_there(
    start_console: StartConsole, connect: Connect, stop: signal.Signals | None
) -> None:
    console = start_console()
    terminal = console.terminal
    before = terminal.text.splitlines()[1:]
    if stop:
        terminal.signal(stop)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED | os.WNOWAIT)
    scribble(terminal)
    terminal.signal(signal.SIGCONT)
    terminal.wait_until(lambda: terminal.text.splitlines()[1:] == before)
    assert not terminal.is_restored
    ann = connect(console.port)
    terminal.type(f"again{ENTER}")
    ann.wait_for("Operator: again\n")
    terminal.type(CTRL_Q)
    terminal.wait_for("1 user is connected.")
    terminal.type("y")
    assert terminal.wait() == 0
    assert terminal.is_restored


def start_in_shell(terminal: Terminal) -> tuple[int, int]:
    """Start the program from the shell in `terminal`; return its process and its port."""
    terminal.wait_for("bash-")
    terminal.type(" ".join(("PS1='ready> ';", *PROGRAM, "--port", "0", "--rate", "0")) + ENTER)
    found = terminal.wait_for_match(r"127\.0\.0\.1:(\d+) ·(?s:.*)\^P all")
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(terminal.process.pid)], capture_output=True, text=True, check=True
    )
    return int(children.stdout), int(found[1])


@pytest.mark.parametrize("stop", [signal.SIGTSTP, signal.SIGSTOP])
def test_in_the_background_the_chat_goes_on_and_the_terminal_is_left_alone(
    start_terminal: StartTerminal, connect: Connect, stop: signal.Signals
) -> None:
    terminal = start_terminal(require("bash"), "--norc", "-i")
    pid, port = start_in_shell(terminal)
    os.kill(pid, stop)
    terminal.wait_for("ready>")
    terminal.type("bg" + ENTER)
    ann, bob = connect(port), connect(port)
    for number in range(50):
        ann.send(f"line {number}")
        bob.wait_for(f"line {number}\n")
        bob.send(f"heard {number}")  # so that the lines are no flood, which would be one row
        ann.wait_for(f"heard {number}\n")
    terminal.type("echo in''between" + ENTER)
    terminal.wait_for("inbetween")
    assert "line 49" not in terminal.text
    terminal.type("fg" + ENTER)
    terminal.wait_for("line 49")
    terminal.type(f"back again{ENTER}")
    ann.wait_for("Operator: back again\n")
    terminal.type(CTRL_Q + "y")
    terminal.wait_for("ready>")
    ann.read_to_end()


@pytest.mark.parametrize("stop", [signal.SIGTSTP, signal.SIGSTOP])
def test_in_the_background_it_ends_without_touching_the_terminal(
    start_terminal: StartTerminal, connect: Connect, stop: signal.Signals
) -> None:
    terminal = start_terminal(require("bash"), "--norc", "-i")
    pid, port = start_in_shell(terminal)
    os.kill(pid, stop)
    terminal.wait_for("ready>")
    terminal.type("bg" + ENTER)
    ann = connect(port)
    # At SIGSTOP it can leave its screen only now, and may still paint before: pyte's cursor is anywhere.
    terminal.wait_until(lambda: LEAVE_ALTERNATE_SCREEN in terminal.data)
    terminal.type("echo in''between" + ENTER)
    terminal.wait_until(lambda: b"inbetween\r\n" in terminal.data)
    written = len(terminal.data)
    os.kill(pid, signal.SIGTERM)
    assert ann.read_to_end().endswith("You have left the server\n")
    terminal.type("wait; echo rc''=$?" + ENTER)
    terminal.wait_for("rc=0")
    assert b"\x1b[?1049" not in terminal.data[written:]
