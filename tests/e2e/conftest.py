"""What the end-to-end tests share: the program, its clients and a terminal, each a real process or socket."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pyte
import pytest

BOUND = 20.0
"""How long to wait for a condition on a busy machine, in seconds."""

PROGRAM = (sys.executable, "-W", "error", "-m", "chat_console.app")

# Makes the terminal on stdin the controlling one, as it is for a program that a shell starts.
IN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let SIGINT reach the programs: what starts the tests, such as a shell by `&`, may have it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def environment() -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES") and not name.startswith("TEXTUAL")
    }
    return inherited | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}


class Output:
    """What comes from a file, gathered by a thread up to its end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.data = bytearray()
        self.ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        """What has come until now."""
        with self._changed:
            return self.data.decode("utf-8", "replace")

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition`, which is tried whenever something has come, holds."""
        with self._changed:
            met = self._changed.wait_for(lambda: condition() or self.ended, BOUND) and condition()
        assert met, f"{'ended' if self.ended else 'waited in vain'} with:\n{self.text}"

    def wait_for(self, text: str) -> None:
        self.wait_until(lambda: text in self.text)

    def wait_for_match(self, pattern: str) -> re.Match[str]:
        self.wait_until(lambda: re.search(pattern, self.text))
        found = re.search(pattern, self.text)
        assert found, self.text
        return found

    def read_to_end(self) -> str:
        """Wait for the end of the file, and return all of it."""
        self.wait_until(lambda: self.ended)
        return self.text

    def close(self) -> None:
        """Be done with the file, which must be at its end."""
        self._thread.join(BOUND)
        self._file.close()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._receive():
                with self._changed:
                    self._take(data)
                    self._changed.notify_all()
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def _receive(self) -> bytes:
        return os.read(self._file.fileno(), 1 << 16)

    def _take(self, data: bytes) -> None:
        self.data += data


class Program:
    """A running program with pipes for its input, output and errors, or with the files given for them."""

    def __init__(self, *command: str, stdin: int | None = None, stdout: int | None = None) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if stdin is None else stdin,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment(),
        )
        nothing = functools.partial(open, os.devnull, "rb", buffering=0)
        self.output = Output(self.process.stdout or nothing())
        self.errors = Output(self.process.stderr or nothing())

    def type(self, line: str) -> None:
        """Give the program a line of input."""
        self.write(line.encode() + b"\n")

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        os.write(self.process.stdin.fileno(), data)

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end of the program, and return its exit code."""
        return self.process.wait(BOUND)

    def close(self) -> None:
        _end(self.process)
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.output.close()
        self.errors.close()


class PlainConsole(Program):
    """The program with its plain console."""

    @functools.cached_property
    def port(self) -> int:
        """The port that it says it listens on."""
        return int(self.output.wait_for_match(r"\AServer started on port (\d+)\n")[1])

    def close(self) -> None:
        super().close()
        assert "Traceback" not in self.errors.text, self.errors.text


class Client(Output):
    """A connection to the chat, from the address `source`, which hangs up when the server does."""

    def __init__(self, port: int, host: str = "127.0.0.1", source: str | None = None) -> None:
        self.socket = socket.create_connection((host, port), BOUND, (source, 0) if source else None)
        self.socket.settimeout(None)
        self.address = f"{source or host}|{self.socket.getsockname()[1]}"
        super().__init__(self.socket.makefile("rb", buffering=0))
        self.wait_for(f"Welcome {self.address} to the server!\n")

    def send(self, line: str) -> None:
        self.socket.sendall(line.encode() + b"\n")

    def close(self) -> None:
        self._hang_up()
        super().close()
        self.socket.close()

    def _read(self) -> None:
        super()._read()
        self._hang_up()

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


class Terminal(Output):
    """A terminal with a program in it. What `text` gives, and waiting looks at, is its screen."""

    def __init__(self, *command: str, columns: int = 80, rows: int = 24) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._reading = threading.Event()
        self._reading.set()
        self._master, self._tty = pty.openpty()
        _set_size(self._tty, columns, rows)
        self._attributes = termios.tcgetattr(self._tty)
        self.process = subprocess.Popen(
            [sys.executable, "-ISc", IN_TERMINAL, *command],
            stdin=self._tty,
            stdout=self._tty,
            stderr=self._tty,
            start_new_session=True,
            env=environment(),
        )
        super().__init__(open(self._master, "rb", buffering=0))

    @property
    def text(self) -> str:
        with self._changed:
            return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def is_restored(self) -> bool:
        """Whether the terminal's modes are what they were before the program."""
        return termios.tcgetattr(self._tty) == self._attributes

    @property
    def foreground(self) -> int:
        """The process group that may use the terminal."""
        return os.tcgetpgrp(self._master)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        with self._changed:
            self.screen.resize(rows, columns)
            _set_size(self._tty, columns, rows)

    def stall(self) -> None:
        """Read nothing more, but for what is being read now."""
        self._reading.clear()

    def go_on(self) -> None:
        """Read again."""
        self._reading.set()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end of the program, and return its exit code."""
        return self.process.wait(BOUND)

    def read_rest(self) -> bytes:
        """Return all that an ended program has written."""
        mark = b"end of output"
        os.write(self._tty, mark)
        self.wait_until(lambda: self.data.endswith(mark))
        return bytes(self.data.removesuffix(mark))

    def close(self) -> None:
        self.go_on()
        _end(self.process, signal.SIGHUP)  # which an interactive shell does not ignore
        os.close(self._tty)
        super().close()

    def _receive(self) -> bytes:
        self._reading.wait()
        return super()._receive()

    def _take(self, data: bytes) -> None:
        super()._take(data)
        self._stream.feed(data)


def _end(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> None:
    """End a process, in order if it can: coverage is measured only where it ends by itself."""
    process.send_signal(number)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _set_size(tty: int, columns: int, rows: int) -> None:
    fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def require(client: str, option: str = "") -> str:
    """Return the path of a client program that knows `option`.

    Where it is missing the test is skipped, and fails if CHAT_CONSOLE_REQUIRE_CLIENTS is 1.
    """
    path = shutil.which(client)
    if path and option:
        usage = subprocess.run([path, "-h"], capture_output=True, text=True, timeout=BOUND)
        if not re.search(rf"^\s*{option}\b", usage.stdout + usage.stderr, re.MULTILINE):
            path = None
    if path is None:
        missing = f"needs the program {client} {option}".rstrip()
        if os.environ.get("CHAT_CONSOLE_REQUIRE_CLIENTS") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return path


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
