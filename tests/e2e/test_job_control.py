"""Both consoles under a shell's job control, and when their terminal is closed: nobody is left hanging."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.network import free_port
from support.programs import PROGRAM, Client, environment
from support.terminals import IN_TERMINAL, Terminal
from support.waiting import BOUND, wait_until

from .conftest import Connect, StartTerminal

GOODBYE = "Server is shutting down\nYou have left the server\n"
CTRL_Z = "\x1a"


class Shell:
    """An interactive bash in a terminal, and the program as its job, whose transcript goes to a file."""

    def __init__(self, terminal: Terminal, log: Path) -> None:
        self.terminal = terminal
        self._log = log
        self._commands = 0
        self.terminal.type("PS1='sh''ell> '\r")
        self.wait()

    def wait(self) -> None:
        """Wait until the shell waits for a command."""
        screen = self.terminal.screen
        self.terminal.wait_until(
            lambda: screen.display[screen.cursor.y][: screen.cursor.x].endswith("shell> ")
        )

    def run(self, command: str) -> None:
        """Type `command`, and wait until the shell has done it."""
        self._commands += 1
        # What the console has painted is still there: pyte has no alternate screen.
        self.terminal.type(f"clear\r{command}\recho done $(({self._commands} + 1000))\r")
        # Not on the screen: a console stopped while it paints goes on with that once it is continued.
        done = re.compile(rb"done %d\r?\n" % (self._commands + 1000))
        self.terminal.wait_until(lambda: done.search(self.terminal.data))

    def start(self, *options: str, end: str = "") -> None:
        self.terminal.type(shlex.join([*PROGRAM, "--port", "0", *options]) + f"{end}\r")

    def end_jobs(self) -> None:
        """End what the shell has started, which would keep the terminal open."""
        children = Path(f"/proc/{self.terminal.process.pid}/task/{self.terminal.process.pid}/children")
        give_up_at = time.monotonic() + BOUND
        told: set[int] = set()
        while jobs := [*map(int, children.read_text().split())]:
            late = time.monotonic() > give_up_at
            if time.monotonic() > give_up_at + 5:
                break  # what is left has ended, and the shell does not look at it
            for job in jobs:
                # None twice: at each SIGCONT the console takes the terminal anew, which may take a second.
                numbers = [signal.SIGKILL] if late else [] if job in told else [signal.SIGTERM]
                if is_stopped(job):
                    numbers.append(signal.SIGCONT)
                told.add(job)
                for number in numbers:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(job, number)
            time.sleep(0.02)

    @property
    def port(self) -> int:
        """The port of the plain console, by its transcript."""
        wait_until(lambda: self._log.exists() and "\n" in self._log.read_text())
        found = re.match(r"Server started on port (\d+)\n", self._log.read_text())
        assert found
        return int(found[1])


def is_stopped(process: int) -> bool:
    """Whether a signal has stopped `process`, which may have ended by now."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        # The state follows the name, which is in brackets and may contain anything.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False


def talk(*clients: Client, word: str) -> None:
    """Make sure that the chat goes on."""
    for client in clients:
        client.send(f"{word} of {client.address}")
    for client in clients:
        for other in clients:
            if other is not client:
                client.wait_for(f"{other.address}: {word} of {other.address}\n")


@pytest.fixture
def shell(start_terminal: StartTerminal, tmp_path: Path) -> Iterator[Shell]:
    terminal = start_terminal("bash", "--norc", "--noprofile", columns=200, rows=50)
    shell = Shell(terminal, tmp_path / "log")
    yield shell
    shell.end_jobs()
    terminal.signal(signal.SIGHUP)  # it ignores SIGTERM


@pytest.fixture
def log(tmp_path: Path) -> str:
    return shlex.quote(str(tmp_path / "log"))


def test_a_sequence_that_is_broken_off_fails_no_terminal(start_terminal: StartTerminal) -> None:
    broken = r"\033[38;5;253;\143lear\r\n\033[?Hangup\r\n\033[1;2;3exit\r\nwhole\r\n"
    terminal = start_terminal("sh", "-c", 'printf "$0"; read line', broken)
    terminal.wait_for("whole")
    assert [line.strip() for line in terminal.text.splitlines()[:4]] == ["lear", "angup", "xit", "whole"]


# The plain console


@pytest.mark.parametrize("tostop", ["tostop", "-tostop"])
def test_the_plain_console_runs_in_the_background_and_is_typed_to_after_fg(
    tostop: str, shell: Shell, connect: Connect
) -> None:
    shell.run(f"stty {tostop}")
    shell.start("--plain", end=" &")
    shell.terminal.wait_until(lambda: re.search(r"started on port \d+\n", shell.terminal.text))
    port = int(re.findall(r"started on port (\d+)\n", shell.terminal.text)[0])
    ann, bob = connect(port), connect(port)
    shell.run("echo typed for the shell")
    talk(ann, bob, word="one")
    shell.terminal.type("fg\r")
    shell.terminal.type("hello\r")
    ann.wait_for("Operator: hello\n")
    assert "typed for" not in ann.text
    shell.terminal.type("/quit\r")
    assert ann.read_to_end().endswith(GOODBYE)
    shell.wait()
    shell.run("echo code $?")
    shell.terminal.wait_for("code 0\n")


def test_the_plain_console_goes_on_after_ctrl_z_and_bg(shell: Shell, log: str, connect: Connect) -> None:
    shell.start("--plain", end=f" >{log}")
    ann, bob = connect(shell.port), connect(shell.port)
    for word in "one", "two":
        shell.terminal.type(f"typed {word}\r")
        ann.wait_for(f"Operator: typed {word}\n")
        shell.terminal.type(CTRL_Z)
        shell.wait()
        shell.run("bg")
        shell.run(f"echo for the shell {word}")
        talk(ann, bob, word=word)
        shell.terminal.type("fg\r")
    shell.terminal.type("/quit\r")
    assert ann.read_to_end().endswith(GOODBYE)
    assert "for the shell" not in ann.text
    shell.wait()
    shell.run("echo code $?")
    shell.terminal.wait_for("code 0\n")


# The full console


def console_port(terminal: Terminal) -> int:
    # What is painted line by line may be read line by line.
    found = terminal.wait_for_match(r"127\.0\.0\.1:(\d+) · (?s:.*)\n F1 help ")
    return int(found[1])


def connect_when_it_listens(connect: Connect, port: int) -> Client:
    give_up_at = time.monotonic() + BOUND
    while True:
        try:
            return connect(port)
        except ConnectionRefusedError:
            assert time.monotonic() < give_up_at
            time.sleep(0.02)


def test_the_console_started_in_the_background_waits_for_fg_and_shows_what_was_said(
    shell: Shell, connect: Connect
) -> None:
    port = free_port()
    shell.start("--port", str(port), end=" &")
    ann = connect_when_it_listens(connect, port)
    bob = connect(port)
    talk(ann, bob, word="early")
    shell.run("echo typed for the shell")
    talk(ann, bob, word="and later")
    assert "2 users" not in shell.terminal.text
    shell.terminal.type("fg\r")
    assert console_port(shell.terminal) == port
    shell.terminal.wait_for("2 users")
    shell.terminal.wait_for(f"{bob.address}: early of {bob.address}")
    shell.terminal.type("hello\r")
    ann.wait_for("Operator: hello\n")
    assert "typed for" not in ann.text
    shell.terminal.type("/quit\r")
    assert ann.read_to_end().endswith(GOODBYE)
    shell.wait()
    shell.run("echo code $?")
    shell.terminal.wait_for("code 0\n")


def test_the_console_ends_in_order_where_it_has_never_been_shown(shell: Shell, connect: Connect) -> None:
    port = free_port()
    shell.start("--port", str(port), end=" & job=$!")
    ann = connect_when_it_listens(connect, port)
    shell.run("kill $job; wait $job; echo code $?")
    shell.terminal.wait_for("code 0\n")
    assert ann.read_to_end().endswith(GOODBYE)
    assert b"\x1b[?1049h" not in shell.terminal.data


@pytest.mark.parametrize("stop", ["TSTP", "STOP"])
def test_the_console_goes_on_when_it_is_stopped_and_continued_in_the_background(
    stop: str, shell: Shell, connect: Connect
) -> None:
    shell.start("--port", "0")
    port = console_port(shell.terminal)
    ann, bob = connect(port), connect(port)
    for word in "one", "two":
        shell.terminal.wait_for("2 users")
        os.kill(shell.terminal.foreground, getattr(signal, f"SIG{stop}"))
        shell.terminal.wait_for("Stopped")
        shell.run("stty sane; bg")
        talk(ann, bob, word=word)
        shell.run("echo for the shell")
        shell.terminal.type("fg\r")
        shell.terminal.wait_for(f"{bob.address}: {word} of {bob.address}")
        shell.terminal.type(f"typed {word}\r")
        ann.wait_for(f"Operator: typed {word}\n")
    assert "for the shell" not in ann.text


@pytest.mark.parametrize("shell_program", ["bash --norc --noprofile", "dash"])
def test_the_console_that_was_stopped_leaves_its_screen_in_the_background(
    shell_program: str, start_terminal: StartTerminal, connect: Connect, tmp_path: Path
) -> None:
    terminal = start_terminal(*shell_program.split(), "-i", columns=200, rows=50)
    shell = Shell(terminal, tmp_path / "log")
    try:
        shell.start()
        ann = connect(console_port(terminal))
        os.kill(terminal.foreground, signal.SIGSTOP)
        terminal.wait_until(lambda: b"Stopped" in terminal.data)
        # dash leaves the console's modes, in which Enter is no end of a line.
        terminal.type("bg\n")
        for mode in b"?1003l", b"?1004l", b"?2004l", b"?25h", b"?7h", b"?1049l":
            terminal.wait_until(lambda mode=mode: b"\x1b[" + mode in terminal.data)
        shell.run("kill %1; wait %1; echo code $?; stty -a")
        terminal.wait_for("code 0\n")
        assert re.search(r"\bisig icanon iexten echo\b", terminal.text)
        assert ann.read_to_end().endswith(GOODBYE)
    finally:
        shell.end_jobs()
        terminal.signal(signal.SIGHUP)


def test_ctrl_z_in_the_console_stops_nobody(shell: Shell, connect: Connect) -> None:
    shell.start()
    port = console_port(shell.terminal)
    ann, bob = connect(port), connect(port)
    shell.terminal.type(CTRL_Z)
    talk(ann, bob, word="one")
    shell.terminal.type("hello\r")
    ann.wait_for("Operator: hello\n")


# The terminal is closed


class Closable:
    """A terminal that can be closed, and the program that it controls."""

    def __init__(self, *command: str) -> None:
        self._master, tty = pty.openpty()
        self.data = b""
        self.process = subprocess.Popen(
            [sys.executable, "-ISc", IN_TERMINAL, *command],
            stdin=tty,
            stdout=tty,
            stderr=tty,
            start_new_session=True,
            env=environment(),
        )
        os.close(tty)

    def wait_for(self, pattern: bytes) -> re.Match[bytes]:
        give_up_at = time.monotonic() + BOUND
        while not (found := re.search(pattern, self.data)):
            assert time.monotonic() < give_up_at, self.data
            if select.select([self._master], [], [], 0.05)[0]:
                self.data += os.read(self._master, 1 << 16)
        return found

    def close(self) -> None:
        """Close the terminal, as a window is closed."""
        if self._master >= 0:
            os.close(self._master)
        self._master = -1

    def end(self) -> None:
        self.close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(BOUND)


@pytest.fixture
def open_closable() -> Iterator[Callable[..., Closable]]:
    with contextlib.ExitStack() as opened:

        def open_closable(*command: str) -> Closable:
            terminal = Closable(*command)
            opened.callback(terminal.end)
            return terminal

        yield open_closable


@pytest.mark.parametrize(
    ("options", "started"),
    [(("--plain",), rb"Server started on port (\d+)"), ((), rb"127\.0\.0\.1:(\d+) ")],
    ids=["plain", "on screen"],
)
def test_a_terminal_that_is_closed_ends_the_server_in_order(
    options: tuple[str, ...],
    started: bytes,
    open_closable: Callable[..., Closable],
    connect: Connect,
) -> None:
    terminal = open_closable(*PROGRAM, "--port", "0", *options)
    ann = connect(int(terminal.wait_for(started)[1]))
    terminal.close()
    assert ann.read_to_end().endswith(GOODBYE)
    assert terminal.process.wait(BOUND) == 0


@pytest.mark.parametrize(
    ("options", "started"),
    [(("--plain",), rb"Server started on port (\d+)"), ((), rb"127\.0\.0\.1:(\d+) ")],
    ids=["plain", "on screen"],
)
def test_where_hangups_were_ignored_at_the_start_the_chat_goes_on_without_the_terminal(
    options: tuple[str, ...],
    started: bytes,
    open_closable: Callable[..., Closable],
    connect: Connect,
) -> None:
    terminal = open_closable(
        "sh", "-c", 'trap "" HUP; exec "$@"', "sh", *PROGRAM, "--port", "0", "--rate", "0", *options
    )
    port = int(terminal.wait_for(started)[1])
    ann, bob = connect(port), connect(port)
    terminal.close()
    for number in range(300):  # for longer than an end would take
        talk(ann, bob, word=str(number))
    terminal.process.terminate()
    assert ann.read_to_end().endswith(GOODBYE)
    assert terminal.process.wait(BOUND) == 0


def test_the_console_in_the_background_ends_in_order_with_its_terminal(
    start_terminal: StartTerminal, open_closable: Callable[..., Closable], connect: Connect, tmp_path: Path
) -> None:
    port, code = free_port(), tmp_path / "code"
    # The job is continued by nobody: the shell waits for it, and is itself what the terminal controls.
    script = 'set -m; trap "" HUP; (trap - HUP; exec "$@") & wait $!; echo $? >"$0"'
    terminal = open_closable("bash", "-c", script, str(code), *PROGRAM, "--port", str(port))
    ann = connect_when_it_listens(connect, port)
    terminal.close()
    assert ann.read_to_end().endswith(GOODBYE)
    wait_until(lambda: code.exists() and code.read_text())
    assert code.read_text() == "0\n"
