"""Real programs and what they write, and clients of the chat with real sockets."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from io import RawIOBase
from typing import IO

import pytest

from .waiting import BOUND

PROGRAM = (sys.executable, "-W", "error", "-m", "chat_console.app")


@functools.cache
def _state_folders() -> str:
    """Where the programs that the tests start keep their state; gone at the end."""
    folder = tempfile.mkdtemp(prefix="chat-console-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def environment() -> dict[str, str]:
    """This process' environment, but for what makes a console another than the tests expect.

    Each program has a folder of its own for what it keeps, so that none finds what another was typed.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES") and not name.startswith("TEXTUAL")
    }
    state = tempfile.mkdtemp(dir=_state_folders())
    return inherited | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "XDG_STATE_HOME": state}


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


class Output:
    """What comes from a file, gathered by a thread up to its end."""

    def __init__(self, file: IO[bytes] | RawIOBase) -> None:
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
        # Whatever came after that would end the thread by an error, in the middle of another test.
        assert not self._thread.is_alive(), f"somebody has the other end open yet, after:\n{self.text}"
        self._file.close()

    def _read(self) -> None:
        try:
            with contextlib.suppress(OSError):
                while data := self._receive():
                    with self._changed:
                        self._take(data)
                        self._changed.notify_all()
        finally:
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
        end(self.process)
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


def end(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> None:
    """End a process, in order if it can: coverage is measured only where it ends by itself."""
    process.send_signal(number)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
