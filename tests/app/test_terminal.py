"""The terminal's driver, in a program of its own on a pseudo-terminal that stalls, drains and vanishes."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import pty
import re
import select
import selectors
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pyte
import pytest
from support.waiting import BOUND
from textual.app import App, ComposeResult
from textual.constants import ESCAPE_DELAY
from textual.events import Key, Resize
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Static

from chat_console.app import terminal
from chat_console.app.frame import Cell, Row
from chat_console.app.pacing import ANSWER, QUESTION
from chat_console.app.painting import PaintingApp
from chat_console.app.terminal import (
    EXIT_GRACE,
    HANGUP,
    MAX_PENDING,
    NonBlockingDriver,
    driver_class,
)
from chat_console.app.terminal_io import ExitEvent, Selector, TerminalOutput

WIDTH, HEIGHT = 80, 24
CANCEL = b"\x18\x1b\\\x1b[?2026l"
RESTORED = (
    b"\x1b[?2004l",
    b"\x1b[?7h",
    b"\x1b[?1000l",
    b"\x1b[<u",
    b"\x1b[?1049l",
    b"\x1b[?25h",
    b"\x1b[?1004l",
)


class Painter(PaintingApp):
    """The program under test: it paints frame after frame, and answers on a socket that its loop watches."""

    def __init__(self, control: socket.socket) -> None:
        super().__init__(driver_class=driver_class())
        self.control = control
        self.count = 0
        self.painting = True

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def on_mount(self) -> None:
        self.set_interval(1 / 50, self.paint)
        asyncio.get_running_loop().add_reader(self.control, self.answer)

    def paint(self) -> None:
        self.count += 1
        if self.painting:
            self.show(f"frame {self.count} {'#*+-'[self.count % 4] * 50}")

    def show(self, word: str) -> None:
        self.query_one(Static).update("\n".join(f"{word} {row}" for row in range(HEIGHT)))

    def answer(self) -> None:
        match self.control.recv(100).decode().split():
            case ["show", word]:
                self.painting = False
                self.show(word)
            case ["copy"]:
                self.copy_to_clipboard("x" * 300_000)
            case ["exit"]:
                self.exit(return_code=3)
            case _:
                pass
        assert isinstance(self.driver, NonBlockingDriver)
        self.control.send(json.dumps({"stalled": self.driver.stalled, "count": self.count}).encode())


def main(control_fd: str, *flags: str) -> int:
    """Run the program under test. A closed terminal does not end it by a signal."""
    control = socket.socket(fileno=int(control_fd))
    control.setblocking(False)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, lambda *_: None)
    threading.excepthook = lambda args: control.send(f"thread: {args.exc_value!r}".encode()) and None
    if "inherited" in flags:

        def refuse(fd: int) -> str:
            raise PermissionError(fd)

        os.ttyname = refuse
    painter = Painter(control)
    asyncio.run(painter.run_async())
    return painter.return_code or 0


class Terminal:
    """A terminal with the program in it; it reads only when told to. With the flag `answers` it answers."""

    def __init__(self, *flags: str) -> None:
        self.answers = "answers" in flags
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.ByteStream(self.screen)
        self.received = b""
        self.master, self.tty = pty.openpty()
        fcntl.ioctl(self.tty, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.attributes = termios.tcgetattr(self.tty)
        self.control, control = socket.socketpair()
        self.control.settimeout(BOUND)
        environment = {name: value for name, value in os.environ.items() if name != "TEXTUAL_DRIVER"}
        with control:
            self.process = subprocess.Popen(
                [sys.executable, __file__, str(control.fileno()), *flags],
                stdin=self.tty,
                stdout=self.tty,
                stderr=self.tty,
                start_new_session=True,
                pass_fds=[control.fileno()],
                env=environment | {"TERM": "xterm-256color", "PYTHONPATH": str(Path(__file__).parents[1])},
            )

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.control.close()
        self.hang_up()

    def hang_up(self) -> None:
        self.close_tty()
        if self.master >= 0:
            os.close(self.master)
        self.master = -1

    def close_tty(self) -> None:
        if self.tty >= 0:
            os.close(self.tty)
        self.tty = -1

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def read_until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + BOUND
        while not condition():
            assert time.monotonic() < deadline, self.screen.display
            if select.select([self.master], [], [], 0.05)[0]:
                data = os.read(self.master, 65536)
                asked = self.received.count(QUESTION.encode())
                self.received += data
                self.stream.feed(data)
                if self.answers:
                    self.type(ANSWER.encode() * (self.received.count(QUESTION.encode()) - asked))

    def read_rest(self) -> None:
        """Read what is left once the program has ended, and then what a shell would print."""
        self.close_tty()
        with contextlib.suppress(OSError):  # EIO: nothing is left, and nobody to write more
            self.read_until(lambda: False)
        self.stream.feed(b"prompt $")

    def shows(self, word: str) -> bool:
        return all(line.rstrip() == f"{word} {row}" for row, line in enumerate(self.screen.display))

    def start(self) -> None:
        """Wait for the first frames and tell the program that this terminal can synchronise its updates."""
        self.type(b"\x1b[?2026;2$y")
        self.read_until(lambda: "frame" in self.screen.display[-1] and b"\x1b[?2026h" in self.received)

    def ask(self, command: str) -> dict[str, Any]:
        self.control.send(command.encode())
        return json.loads(self.control.recv(1000))

    def stall(self) -> None:
        """Read nothing until the program, frame after frame, finds no room for it."""
        deadline = time.monotonic() + BOUND
        without_room = 0
        while without_room < 10:
            assert time.monotonic() < deadline
            without_room = without_room + 1 if self.ask("state")["stalled"] else 0
            self.wait_for_frames(1)

    def wait_for_frames(self, count: int) -> None:
        """Wait until the program's loop has made `count` frames, painted or dropped."""
        last = self.ask("state")["count"] + count
        deadline = time.monotonic() + BOUND
        while self.ask("state")["count"] < last:
            assert time.monotonic() < deadline

    def is_restored(self) -> bool:
        return termios.tcgetattr(self.tty) == self.attributes


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    with contextlib.ExitStack() as stack:

        def open_terminal(*flags: str) -> Terminal:
            opened = Terminal(*flags)
            stack.callback(opened.close)
            opened.start()
            return opened

        yield open_terminal


OpenTerminal = Callable[..., Terminal]


@pytest.fixture(params=["answers", "never answers"])
def either(request: pytest.FixtureRequest) -> str:
    """What the terminal does with questions."""
    return request.param


def test_the_loop_goes_on_while_the_terminal_does_not_read(open_terminal: OpenTerminal, either: str) -> None:
    terminal = open_terminal(either)
    terminal.stall()
    terminal.wait_for_frames(50)
    assert terminal.ask("state")["stalled"]


def test_the_whole_screen_is_right_once_the_terminal_reads_again(
    open_terminal: OpenTerminal, either: str
) -> None:
    terminal = open_terminal(either)
    terminal.stall()
    terminal.ask("show final")
    terminal.wait_for_frames(3)
    assert terminal.ask("state")["stalled"]
    terminal.read_until(lambda: terminal.shows("final"))
    assert not terminal.ask("state")["stalled"]
    terminal.ask("show again")
    terminal.read_until(lambda: terminal.shows("again"))


def test_frames_are_sent_as_a_whole(open_terminal: OpenTerminal, either: str) -> None:
    terminal = open_terminal(either)
    terminal.stall()
    terminal.ask("show final")
    terminal.read_until(lambda: terminal.shows("final"))
    # The last update may have been read in part.
    _, *updates, _ = terminal.received.split(b"\x1b[?2026h")
    assert all(update.endswith(b"\x1b[?2026l" + QUESTION.encode()) for update in updates)


def test_no_more_than_two_frames_wait_for_a_terminal_that_answers(open_terminal: OpenTerminal) -> None:
    terminal = open_terminal("answers")
    terminal.stall()
    terminal.wait_for_frames(20)
    read = len(terminal.received)
    terminal.answers = False
    terminal.read_until(lambda: not select.select([terminal.master], [], [], 0.3)[0])
    assert terminal.received[read:].count(QUESTION.encode()) <= 2
    assert terminal.ask("state")["stalled"]


def test_a_terminal_that_stops_answering_is_not_waited_for_for_ever(open_terminal: OpenTerminal) -> None:
    terminal = open_terminal("answers")
    terminal.answers = False
    terminal.stall()
    terminal.ask("show final")
    terminal.read_until(lambda: terminal.shows("final"))


@pytest.mark.parametrize("stop", ["exit", "suspend"])
def test_no_answer_is_left_for_the_shell(open_terminal: OpenTerminal, stop: str) -> None:
    terminal = open_terminal("answers")
    terminal.answers = False
    asked = terminal.received.count(QUESTION.encode())
    terminal.stall()
    if stop == "exit":
        terminal.ask("exit")
    else:
        os.kill(terminal.process.pid, signal.SIGTSTP)
    # It answers late, on a slow line.
    terminal.read_until(lambda: b"\x1b[?1000l" in terminal.received)
    terminal.read_until(lambda: not select.select([terminal.master], [], [], 0.2)[0])
    late = terminal.received.count(QUESTION.encode()) - asked
    terminal.type(ANSWER.encode() * late)
    if stop == "exit":
        terminal.read_until(lambda: terminal.process.poll() is not None)
    else:
        terminal.read_until(lambda: os.waitpid(terminal.process.pid, os.WUNTRACED | os.WNOHANG)[0])
    assert late
    assert terminal.is_restored()
    terminal.type(b"\n")
    assert os.read(terminal.tty, 100) == b"\n"


def test_exit_restores_the_terminal(open_terminal: OpenTerminal) -> None:
    terminal = open_terminal()
    assert not terminal.is_restored()
    terminal.ask("exit")
    terminal.read_until(lambda: terminal.process.poll() is not None)
    assert terminal.process.returncode == 3
    assert terminal.is_restored()
    terminal.read_rest()
    assert all(sequence in terminal.received for sequence in RESTORED)
    assert CANCEL not in terminal.received


def test_exit_while_stalled_waits_for_a_terminal_that_reads_in_time(open_terminal: OpenTerminal) -> None:
    terminal = open_terminal()
    terminal.stall()
    terminal.ask("exit")
    terminal.read_until(lambda: terminal.process.poll() is not None)
    assert terminal.process.returncode == 3
    assert terminal.is_restored()
    terminal.read_rest()
    assert all(sequence in terminal.received for sequence in RESTORED)
    assert CANCEL not in terminal.received


@pytest.mark.parametrize("within", ["a frame", "a control string"])
def test_exit_while_stalled_is_bounded_and_leaves_the_terminal_usable(
    open_terminal: OpenTerminal, within: str
) -> None:
    terminal = open_terminal()
    if within == "a control string":
        terminal.ask("copy")
    terminal.stall()
    asked = time.monotonic()
    terminal.ask("exit")
    assert terminal.process.wait(BOUND) == 3
    assert time.monotonic() - asked > EXIT_GRACE
    assert terminal.is_restored()
    terminal.read_rest()
    _, cancel, farewell = terminal.received.rpartition(CANCEL)
    assert cancel
    assert all(sequence in farewell for sequence in RESTORED)
    assert "prompt $" in "".join(terminal.screen.display)


def test_exit_while_stalled_is_bounded_also_where_the_terminal_cannot_be_opened_anew(
    open_terminal: OpenTerminal,
) -> None:
    terminal = open_terminal("inherited")
    terminal.stall()
    terminal.ask("exit")
    assert terminal.process.wait(BOUND) == 3
    assert terminal.is_restored()


@pytest.mark.parametrize("stalled", [False, True], ids=["reading", "stalled"])
def test_the_program_ends_when_the_terminal_is_closed(open_terminal: OpenTerminal, stalled: bool) -> None:
    terminal = open_terminal()
    if stalled:
        terminal.stall()
    terminal.hang_up()
    assert terminal.process.wait(BOUND) == HANGUP == 0
    # No thread ended with a traceback: nothing but the end of the program arrives.
    assert terminal.control.recv(1000) == b""


@pytest.mark.parametrize("stop", [signal.SIGTSTP, signal.SIGSTOP])
def test_the_program_paints_again_after_a_suspension(
    open_terminal: OpenTerminal, stop: signal.Signals
) -> None:
    terminal = open_terminal()
    os.kill(terminal.process.pid, stop)
    terminal.read_until(lambda: os.waitpid(terminal.process.pid, os.WUNTRACED | os.WNOHANG)[0])
    assert terminal.is_restored() == (stop == signal.SIGTSTP)
    os.kill(terminal.process.pid, signal.SIGCONT)
    terminal.ask("show resumed")
    terminal.read_until(lambda: terminal.shows("resumed"))
    assert not terminal.is_restored()
    terminal.ask("exit")
    terminal.read_until(lambda: terminal.process.poll() is not None)
    assert terminal.is_restored()


class Sized(App[None]):
    """Notes what sizes it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, int]] = []

    def on_resize(self, event: Resize) -> None:
        self.sizes.append(event.size)


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot[None]]:
    async with Sized().run_test() as pilot:
        yield pilot


class Output:
    """In the place of the terminal's writer: as far behind as it is told to be."""

    erases_in_colour = False

    def __init__(self, drained: Callable[[], None]) -> None:
        self.drained = drained
        self.pending = 0
        self.farewell = ""
        self.give_up_at = 0.0
        self.texts: list[str] = []

    def put(self, text: str) -> None:
        self.texts.append(text)

    def close(self, timeout: float) -> None:
        pass


@pytest.fixture
async def driver(pilot: Pilot[None]) -> AsyncIterator[NonBlockingDriver]:
    """A driver, not started, of an app that runs without a terminal; what is typed comes from a pipe."""
    numbers = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU)
    handlers = {number: signal.getsignal(number) for number in numbers}
    driver = NonBlockingDriver(pilot.app)
    silent = os.pipe()
    driver.fileno = silent[0]
    yield driver
    driver.close()
    for descriptor in silent:
        os.close(descriptor)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
async def output(driver: NonBlockingDriver, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Output]:
    """What the driver, now started, writes to."""
    made: list[Output] = []

    def make(file: object, drained: Callable[[], None]) -> Output:
        made.append(Output(drained))
        return made[0]

    monkeypatch.setattr(terminal, "TerminalOutput", make)
    driver.start_application_mode()
    made[0].texts.clear()
    yield made[0]
    driver.stop_application_mode()


async def test_a_terminal_that_catches_up_as_it_is_found_stalled_is_sent_the_frame(
    driver: NonBlockingDriver, output: Output
) -> None:
    output.pending = 1
    waiting = iter((1, 0, 0))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(NonBlockingDriver, "queued", property(lambda _: next(waiting)))
        driver.frames.show(screenful("frame"), (0, 0))
    assert not driver.stalled
    assert "frame" in "".join(output.texts)


async def test_what_others_wrote_is_cleared_once_a_stalled_terminal_reads_again(
    pilot: Pilot[None], driver: NonBlockingDriver, output: Output
) -> None:
    driver.frames.show(screenful("frame"), (0, 0))
    output.texts.clear()
    output.pending = 1
    driver.repaint()
    assert driver.stalled
    assert output.texts == []
    output.pending = 0
    output.drained()
    await pilot.pause()
    assert not driver.stalled
    (painted,) = output.texts
    assert re.search(r"\x1b\[2J.*frame", painted)
    output.drained()
    await pilot.pause()
    assert output.texts == [painted]


async def test_while_much_is_waiting_the_bell_is_not_rung(driver: NonBlockingDriver, output: Output) -> None:
    output.pending = MAX_PENDING
    driver.write("\a")
    assert output.texts == []
    output.pending -= 1
    driver.write("\a")
    assert output.texts == ["\a"]


def screenful(word: str) -> list[Row]:
    """A frame."""
    return [[Cell(letter, 0, 0) for letter in word]]


def closed() -> int:
    """A descriptor that nothing can be read from."""
    read_end, write_end = os.pipe()
    os.close(write_end)
    os.close(read_end)
    return read_end


async def test_a_terminal_that_cannot_be_read_counts_as_closed(
    pilot: Pilot[None], driver: NonBlockingDriver
) -> None:
    driver.fileno = closed()
    await asyncio.to_thread(driver.run_input_thread)
    await pilot.pause()
    assert pilot.app.return_code == HANGUP


async def test_input_that_another_reader_took_is_not_the_end(
    driver: NonBlockingDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.fileno, write_end = os.pipe()
    os.write(write_end, b"x")
    reads = iter([BlockingIOError(errno.EAGAIN, "Try again"), OSError(errno.EBADF, "closed")])

    def read(descriptor: int, size: int) -> bytes:
        raise next(reads)

    with monkeypatch.context() as patched:
        patched.setattr(terminal.os, "read", read)
        await asyncio.to_thread(driver.run_input_thread)
    assert next(reads, None) is None
    os.close(driver.fileno)
    os.close(write_end)


def test_what_ends_the_input_thread_wakes_it_once() -> None:
    event = ExitEvent()
    event.set()
    event.set()
    event.clear()
    assert not select.select([event.woken], [], [], 0)[0]
    event.close()


class Waits(Selector):
    """Notes how long each wait may be."""

    timeouts: ClassVar[list[float | None]] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.timeouts.append(timeout)
        return super().select(timeout)


@pytest.mark.parametrize(
    ("typed", "keys", "timeouts"),
    [
        pytest.param([b"x"], ["x"], [None, None], id="a letter"),
        pytest.param(["é".encode()[:1], "é".encode()[1:]], ["é"], [None, None, None], id="in two halves"),
        pytest.param([b"\xffx"], ["\ufffd", "x"], [None, None], id="not UTF-8"),
        pytest.param([b"\x1b"], ["\x1b"], [None, ESCAPE_DELAY, None], id="Escape"),
    ],
)
async def test_the_input_thread_sleeps_until_something_is_typed(
    driver: NonBlockingDriver,
    monkeypatch: pytest.MonkeyPatch,
    typed: list[bytes],
    keys: list[str],
    timeouts: list[float | None],
) -> None:
    monkeypatch.setattr(terminal, "Selector", Waits)
    monkeypatch.setattr(Waits, "timeouts", [])
    characters: list[str | None] = []

    def dispatch(event: Message) -> None:
        assert isinstance(event, Key)
        characters.append(event.character)

    monkeypatch.setattr(driver, "process_message", dispatch)
    driver.fileno, write_end = os.pipe()
    thread = threading.Thread(target=driver.run_input_thread)
    thread.start()
    deadline = time.monotonic() + BOUND
    for waits, piece in enumerate(typed, start=1):
        while len(Waits.timeouts) < waits:
            assert time.monotonic() < deadline
        os.write(write_end, piece)
    while len(Waits.timeouts) < len(timeouts):
        assert time.monotonic() < deadline
    driver.exit_event.set()
    thread.join(BOUND)
    assert (characters, Waits.timeouts) == (keys, timeouts)
    os.close(driver.fileno)
    os.close(write_end)


async def test_a_hangup_does_not_change_the_code_of_an_exit_under_way(
    pilot: Pilot[None], driver: NonBlockingDriver
) -> None:
    pilot.app.exit(return_code=143)
    driver.fileno = closed()
    await asyncio.to_thread(driver.run_input_thread)
    await pilot.pause()
    assert pilot.app.return_code == 143


async def test_a_driver_that_was_never_started_can_be_closed(driver: NonBlockingDriver) -> None:
    driver.close()
    driver.close()


@pytest.mark.parametrize(("columns", "width"), [(4, 10), (6, 10), (10, 10), (80, 80)])
async def test_no_screen_is_laid_out_so_narrow_that_textual_fails(
    pilot: Pilot[None],
    driver: NonBlockingDriver,
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
    width: int,
) -> None:
    assert isinstance(pilot.app, Sized)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 12)))
    driver.start_application_mode()
    await pilot.pause()
    driver.stop_application_mode()
    assert pilot.app.sizes[-1] == (width, 12)


def test_a_terminal_that_was_closed_takes_nothing_and_closes_nothing_else() -> None:
    read_end, write_end = os.pipe()
    with open(write_end, "w") as file:
        closed = TerminalOutput(file, lambda: None)
        closed.close(BOUND)
        reused = os.dup(file.fileno())
        closed.close(BOUND)
        closed.put("lost")
        os.write(reused, b"kept")
        os.close(reused)
    assert os.read(read_end, 100) == b"kept"
    os.close(read_end)


@pytest.mark.parametrize(
    ("term", "erases"), [("xterm-256color", True), ("screen", False), ("vt100", False), ("no such", False)]
)
def test_it_erases_in_colour_where_the_terminal_says_so(term: str, erases: bool) -> None:
    # In a program of its own: curses looks but once.
    code = (
        "import sys; from chat_console.app.terminal_io import TerminalOutput; "
        "print(TerminalOutput(sys.stderr, lambda: None).erases_in_colour)"
    )
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "TERM": term}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=BOUND, check=True)
    assert done.stdout.strip() == str(erases)


class TestDriverClass:
    def test_it_is_the_driver_that_does_not_block(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
        assert driver_class() is NonBlockingDriver

    def test_a_driver_named_in_the_environment_goes_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TEXTUAL_DRIVER", "textual.drivers.web_driver:WebDriver")
        assert driver_class() is None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
