"""The plain console on a terminal: the line being typed stays below what arrives; the modes are restored."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.programs import PROGRAM, Client
from support.terminals import Terminal
from support.waiting import wait_until

from .conftest import Connect, StartTerminal
from .test_job_control import CTRL_Z, GOODBYE, Shell, talk

LEFT, UP, DOWN, BACKSPACE, CTRL_U = "\x1b[D", "\x1b[A", "\x1b[B", "\x7f", "\x15"
OPTIONS = ("--plain", "--port", "0")

# Fails while it says goodbye.
FAILING_PROGRAM = (
    sys.executable,
    "-c",
    """
import sys
from chat_console.app import cli
from chat_console.server.chat_server import ChatServer
async def stop(self): raise LookupError("oops")
ChatServer.stop = stop
sys.exit(cli.main())
""",
)


class Console:
    """The plain console in a terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.port = int(terminal.wait_for_match(r"Server started on port (\d+)\n")[1])

    def type(self, keys: str) -> None:
        self.terminal.type(keys)

    @property
    def rows(self) -> list[str]:
        """What the screen shows below its first row, down to that of the cursor."""
        return self.last_rows(self.terminal.screen.cursor.y)

    def last_rows(self, count: int) -> list[str]:
        screen = self.terminal.screen
        return [
            "".join(screen.buffer[y][x].data for x in range(screen.columns)).rstrip()
            for y in range(max(screen.cursor.y + 1 - count, 1), screen.cursor.y + 1)
        ]

    def wait_for_rows(self, *rows: str, column: int | None = None) -> None:
        """Wait until the screen ends with `rows`, and the cursor is in `column` of the last one."""

        def shown() -> bool:
            is_at = column is None or self.terminal.screen.cursor.x == column
            return is_at and self.last_rows(len(rows)) == list(rows)

        try:
            self.terminal.wait_until(shown)
        except AssertionError:
            assert (self.last_rows(len(rows)), self.terminal.screen.cursor.x) == (list(rows), column)


StartConsole = Callable[..., Console]


@pytest.fixture
def start_console(start_terminal: StartTerminal) -> StartConsole:
    """Starts the plain console in a terminal: `start_console("--no-line-history", columns=40)`."""

    def start_console(
        *options: str, program: tuple[str, ...] = PROGRAM, state: Path | None = None, **size: int
    ) -> Console:
        environment = ("env", f"XDG_STATE_HOME={state}") if state else ()
        no_core = ("sh", "-c", 'ulimit -c 0; exec "$@"', "sh")
        console = Console(start_terminal(*environment, *no_core, *program, *OPTIONS, *options, **size))
        wait_until(lambda: not console.terminal.is_restored)
        return console

    return start_console


def welcome(client: Client) -> str:
    return f"Welcome {client.address} to the server!"


# The line being typed


def test_what_arrives_is_shown_above_the_line_being_typed(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console()
    ann = connect(console.port)
    console.wait_for_rows(welcome(ann), "")
    console.type("half a l")
    console.wait_for_rows("half a l", column=8)
    ann.send("anybody?")
    console.wait_for_rows(welcome(ann), f"{ann.address}: anybody?", "half a l", column=8)
    console.type("x" + BACKSPACE + "ine")
    bob = connect(console.port)
    console.wait_for_rows(f"{ann.address}: anybody?", welcome(bob), "half a line", column=11)
    console.type("\r")
    ann.wait_for("Operator: half a line\n")
    console.wait_for_rows(welcome(bob), "half a line", "")
    console.type("/list\r")
    console.wait_for_rows(
        "half a line", "/list", f"{ann.address} as {ann.address}", f"{bob.address} as {bob.address}", ""
    )


def test_a_line_is_edited_where_the_cursor_is_whatever_arrives(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console()
    ann = connect(console.port)
    console.wait_for_rows(welcome(ann), "")
    console.type(f"漢x字 e\u0301{LEFT * 3}")
    console.wait_for_rows("漢x字 é", column=3)
    ann.send("und?")
    console.wait_for_rows(f"{ann.address}: und?", "漢x字 é", column=3)
    console.type(BACKSPACE)
    console.wait_for_rows(f"{ann.address}: und?", "漢字 é", column=2)
    console.type("\r")
    ann.wait_for("Operator: 漢字 e\u0301\n")
    console.wait_for_rows(f"{ann.address}: und?", "漢字 é", "")


def test_a_line_longer_than_the_terminal_is_scrolled_also_after_a_resize(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console(columns=60)
    ann = connect(console.port)
    text = "the quick brown fox jumps over the lazy dog"
    console.type(text)
    console.wait_for_rows(text, column=len(text))
    console.terminal.resize(24, 24)
    console.terminal.wait_until(lambda: console.rows[-1].startswith("<"))
    assert console.rows[-1].removeprefix("<") in text
    assert console.rows[-1].endswith(" dog")
    ann.send("hi")
    console.wait_for_rows(f"{ann.address}: hi"[:24], console.rows[-1])
    console.terminal.resize(60, 24)
    console.wait_for_rows(f"{ann.address}: hi"[:24], text, column=len(text))
    console.type("\r")
    ann.wait_for(f"Operator: {text}\n")


def test_what_was_typed_before_the_start_is_there_once(
    start_terminal: StartTerminal, connect: Connect
) -> None:
    terminal = start_terminal(*PROGRAM, *OPTIONS)
    terminal.type("half")
    terminal.wait_for("half")
    console = Console(terminal)
    console.wait_for_rows("half", column=4)
    console.type("\r")
    console.wait_for_rows("half", "")
    ann = connect(console.port)
    console.wait_for_rows("half", welcome(ann), "")


def test_pasted_lines_are_sent_and_the_last_one_waits_for_enter(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console(rows=40)
    ann = connect(console.port)
    console.wait_for_rows(welcome(ann), "")
    lines = [f"line {number} {'x' * 50}" for number in range(500)]
    console.type("\r".join([*lines, "half"]))
    ann.wait_for(f"Operator: {lines[-1]}\n")
    console.wait_for_rows(*lines[-20:], "half", column=4)
    assert ann.lines[1:] == [f"Operator: {line}" for line in lines]
    console.type(f"{CTRL_U}/quit\r")
    assert console.terminal.wait() == 0


def test_a_line_that_is_too_long_is_refused(start_console: StartConsole, connect: Connect) -> None:
    console = start_console()
    ann = connect(console.port)
    console.type("x" * 2048 + "\r" + "y" * 5000 + "\rafter\r")
    ann.wait_for("Operator: after\n")
    assert ann.lines[1:] == ["Operator: " + "x" * 2048, "Operator: after"]
    console.wait_for_rows("after", "Message too long (max 2048 bytes)", "")


def test_who_only_types_and_reads_gets_no_control_sequence(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console()
    ann = connect(console.port)
    console.wait_for_rows(welcome(ann), "")
    for word in ("hello", "world"):
        for character in word:
            console.type(character)
        console.type("\r")
        ann.wait_for(f"Operator: {word}\n")
        ann.send(f"{word}!")
        console.wait_for_rows(word, f"{ann.address}: {word}!", "")
    assert re.fullmatch(
        rb"Server started on port \d+\r\nWelcome \S+ to the server!\r\n"
        rb"hello\r\n\S+: hello!\r\nworld\r\n\S+: world!\r\n",
        bytes(console.terminal.data),
    )


@pytest.mark.parametrize(
    "command",
    [("env", "TERM=dumb"), ("sh", "-c", 'cat | "$@"', "sh"), ("sh", "-c", '"$@" | cat', "sh")],
    ids=["a dumb terminal", "stdin is a pipe", "stdout is a pipe"],
)
def test_elsewhere_nothing_is_painted_and_the_terminal_echoes(
    command: tuple[str, ...], start_terminal: StartTerminal, connect: Connect
) -> None:
    terminal = start_terminal(*command, *PROGRAM, *OPTIONS)
    console = Console(terminal)
    ann = connect(console.port)
    terminal.type("half")
    terminal.wait_for("half")
    ann.send("anybody?")
    terminal.wait_for(f"{ann.address}: anybody?")
    terminal.type(" and half\r")
    ann.wait_for("Operator: half and half\n")
    assert terminal.is_restored
    assert b"\x1b" not in terminal.data
    terminal.type("/quit\r\x04")  # the latter ends cat
    assert terminal.wait() == 0


def test_a_terminal_that_reads_nothing_stalls_nobody_and_shows_all_in_the_end(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console("--rate", "0")
    ann, bob = connect(console.port), connect(console.port)
    console.type("half")
    console.wait_for_rows(welcome(bob), "half")
    console.terminal.stall()
    for number in range(200):  # more than the system keeps for a terminal
        ann.send(f"{number} {'x' * 500}")
    bob.wait_for(f"{ann.address}: 199 ")
    console.type(" and half")
    console.terminal.go_on()
    console.wait_for_rows("half and half", column=13)
    console.type("\r")
    bob.wait_for("Operator: half and half\n")
    shown = re.findall(
        rb"^[\d.|]+: (\d+) x{500}\r\n", console.terminal.data.replace(b"\r\x1b[K", b"\n"), re.M
    )
    assert [int(number) for number in shown] == list(range(200))


# The terminal is given back


@pytest.mark.parametrize(
    ("keys", "end"), [("", "/quit\r"), (f"half{LEFT}", "\x03")], ids=["quit", "Ctrl+C at half a line"]
)
def test_the_terminal_is_as_it_was_after_the_end(
    keys: str, end: str, start_console: StartConsole, connect: Connect
) -> None:
    console = start_console()
    ann = connect(console.port)
    console.wait_for_rows(welcome(ann), "")
    assert not console.terminal.is_restored
    console.type(keys)
    console.wait_for_rows("half" if keys else "", column=3 if keys else 0)
    console.type(end)
    assert console.terminal.wait() == 0
    assert console.terminal.is_restored
    assert ann.read_to_end().endswith(GOODBYE)
    console.terminal.read_rest()
    assert console.rows[-1] == "end of output"  # half a line is not left in front of the shell's prompt


@pytest.mark.parametrize(
    ("number", "code"), [("SIGTERM", 0), ("SIGHUP", 0), ("SIGINT", 0), ("SIGQUIT", -signal.SIGQUIT)]
)
def test_the_terminal_is_as_it_was_after_a_signal(
    number: str, code: int, start_console: StartConsole, connect: Connect
) -> None:
    console = start_console()
    console.type("half")
    console.wait_for_rows("half")
    console.terminal.signal(signal.Signals[number])
    assert console.terminal.wait() == code
    assert console.terminal.is_restored


def test_a_terminal_that_reads_nothing_does_not_hold_up_the_end(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console("--rate", "0")
    ann, bob = connect(console.port), connect(console.port)
    console.terminal.stall()
    for number in range(200):  # more than the system keeps for a terminal
        ann.send(f"{number} {'x' * 500}")
    bob.wait_for(f"{ann.address}: 199 ")
    console.terminal.signal(signal.SIGTERM)
    assert console.terminal.wait() == 0
    assert console.terminal.is_restored


def test_the_terminal_is_as_it_was_after_a_crash(start_console: StartConsole) -> None:
    console = start_console(program=FAILING_PROGRAM)
    console.type("\x03")
    assert console.terminal.wait() == 1
    assert console.terminal.is_restored
    assert b"LookupError: oops" in console.terminal.read_rest()


def test_ctrl_backslash_ends_it_at_once(start_console: StartConsole) -> None:
    console = start_console()
    console.type("half\x1c")
    assert console.terminal.wait() == -signal.SIGQUIT
    assert console.terminal.is_restored


# Job control


def start(shell: Shell) -> Console:
    shell.terminal.type("clear\r")
    shell.terminal.type(shlex.join([*PROGRAM, *OPTIONS]) + "\r")
    return Console(shell.terminal)


@pytest.mark.parametrize("stop", ["Ctrl+Z", "SIGSTOP"])
@pytest.mark.parametrize("program", ["bash --norc --noprofile", "dash"])
def test_the_shell_gets_the_terminal_and_the_line_is_there_again_after_fg(
    program: str, stop: str, start_terminal: StartTerminal, connect: Connect, tmp_path: Path
) -> None:
    terminal = start_terminal(*program.split(), "-i", columns=120, rows=50)
    shell = Shell(terminal, tmp_path / "log")
    try:
        console = start(shell)
        ann, bob = connect(console.port), connect(console.port)
        for word in "one", "two":
            console.type(f"half {word}")
            console.wait_for_rows(f"half {word}")
            if stop == "Ctrl+Z":
                console.type(CTRL_Z)
            else:
                os.kill(shell.terminal.foreground, signal.SIGSTOP)
            shell.terminal.wait_for("Stopped")
            # bash has modes of its own while it reads a command. dash uses what it finds.
            assert stop == "SIGSTOP" or program != "dash" or shell.terminal.is_restored
            shell.terminal.type("bg\n")
            wait_until(lambda: program != "dash" or shell.terminal.is_restored)
            shell.run("stty -a; echo for the shell")
            assert re.search(r"\bisig icanon iexten echo\b", shell.terminal.text)
            talk(ann, bob, word=word)
            shell.terminal.wait_for(f": {word} of {ann.address}")
            assert "half" not in shell.terminal.text
            shell.terminal.type("fg\r")
            console.wait_for_rows(f"half {word}")
            shell.terminal.type("\r")
            ann.wait_for(f"Operator: half {word}\n")
        console.type("/quit\r")
        assert ann.read_to_end().endswith(GOODBYE)
        shell.wait()
        shell.run("echo code $?")
        shell.terminal.wait_for("code 0\n")
    finally:
        shell.end_jobs()
        shell.terminal.signal(signal.SIGHUP)


def test_ctrl_z_where_no_shell_could_continue_it_stops_nobody(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console()
    ann, bob = connect(console.port), connect(console.port)
    console.type("half")
    console.wait_for_rows("half")
    console.type(CTRL_Z)
    talk(ann, bob, word="one")
    console.type(" and half\r")
    ann.wait_for("Operator: half and half\n")


# What was typed before


def test_what_was_typed_is_there_after_a_restart_unless_it_shall_not_be(
    start_console: StartConsole, connect: Connect, tmp_path: Path
) -> None:
    kept = tmp_path / "chat-console" / "line-history"
    first = start_console(state=tmp_path)
    first.type("hello\r/msg Ann psst\r/quit\r")
    assert first.terminal.wait() == 0
    assert kept.read_text() == "hello\n/msg Ann psst\n/quit\n"

    second = start_console("--no-line-history", state=tmp_path)
    second.type(f"{UP}not kept\r{UP}")
    second.wait_for_rows("not kept", "not kept")
    second.type(f"{CTRL_U}/quit\r")
    assert second.terminal.wait() == 0
    assert kept.read_text() == "hello\n/msg Ann psst\n/quit\n"

    third = start_console(state=tmp_path)
    wait_until(lambda: third.type(UP) or third.rows[-1] == "hello", pause=0.05)
    third.type(DOWN)
    third.wait_for_rows("/msg Ann psst")


def test_a_history_that_cannot_be_kept_is_told_of_once(start_console: StartConsole, tmp_path: Path) -> None:
    (tmp_path / "chat-console").touch()
    console = start_console(state=tmp_path, columns=200)
    console.type("one\r")
    told = "chat-console: What you type is not kept for the next time: "
    console.terminal.wait_for(told)
    console.type("two\r/quit\r")
    assert console.terminal.wait() == 0
    console.terminal.read_rest()
    assert console.terminal.text.count(told) == 1


@pytest.mark.parametrize("where", ["stdin", "TERM=dumb"])
def test_only_what_is_typed_on_a_terminal_is_kept(
    where: str, start_terminal: StartTerminal, tmp_path: Path
) -> None:
    command = ("sh", "-c", 'cat | "$@"', "sh") if where == "stdin" else ("env", "TERM=dumb")
    terminal = start_terminal("env", f"XDG_STATE_HOME={tmp_path}", *command, *PROGRAM, *OPTIONS)
    terminal.wait_for("Server started")
    terminal.type("/list\r")
    terminal.wait_for("No users connected")
    terminal.type("/quit\r\r\x04")
    assert terminal.wait() == 0
    assert list(tmp_path.iterdir()) == []
