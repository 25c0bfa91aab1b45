"""What the console sends to its terminal, and how soon typing shows on a slow line.

Run it from the repository's root: `python -m tests.benchmarks.slow_line`. It takes three minutes, prints its
figures and judges nothing. The console runs in a terminal whose bytes are counted and, for the echo, passed
on at so many a second. The pseudo-terminal's own buffer is in between, as with ssh.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import socket
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pyte

WIDTH, HEIGHT = 120, 40
QUESTION, ANSWER = b"\x1b[5n", b"\x1b[0n"
WORDS = "has anybody finished exercise three recv does not give whole lines tcp is a stream".split()


class Terminal:
    """A terminal that takes `speed` bytes a second, if not as many as come, and answers if it `answers`."""

    def __init__(self, *options: str, speed: int | None = None, answers: bool = True) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.ByteStream(self.screen)
        self.count = 0
        self.data = bytearray()
        self.speed, self.answers = speed, answers
        self.master, tty = pty.openpty()
        fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        environment = {
            name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TEXTUAL_DRIVER")
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chat_console.app", "--port", "0", "--rate", "0", *options],
            stdin=tty,
            stdout=tty,
            stderr=tty,
            start_new_session=True,
            env=environment | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"},
        )
        os.close(tty)
        self._ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        allowance, last, rest = 0.0, time.monotonic(), b""
        while not self._ended:
            if self.speed:
                now = time.monotonic()
                allowance = min(allowance + (now - last) * self.speed, max(self.speed * 0.05, 16))
                last = now
            size = int(allowance) if self.speed else 1 << 16
            if size < 8 or not select.select([self.master], [], [], 0.01)[0]:
                time.sleep(0.005 if size < 8 else 0)
                continue
            try:
                data = os.read(self.master, size)
            except OSError:
                return
            allowance -= len(data)
            self.count += len(data)
            self.data += data
            self.stream.feed(data.replace(QUESTION, b""))
            asked = (rest + data).count(QUESTION)
            rest = (rest + data)[-3:] if not (rest + data).endswith(QUESTION) else b""
            if self.answers and asked:
                os.write(self.master, ANSWER * asked)

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def wait_for(self, pattern: str, bound: float = 60.0) -> re.Match[str]:
        give_up_at = time.monotonic() + bound
        while time.monotonic() < give_up_at:
            if found := re.search(pattern, "\n".join(self.screen.display)):
                return found
            time.sleep(0.003)
        raise AssertionError(f"no {pattern!r} on\n" + "\n".join(self.screen.display))

    def quiet(self, seconds: float = 0.4) -> int:
        """Wait until nothing comes for a while, and return how much has come."""
        count = -1
        while count != self.count:
            count = self.count
            time.sleep(seconds)
        return count

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self._ended = True
        self._thread.join(2)
        os.close(self.master)


class Crowd:
    """Clients with names."""

    def __init__(self, port: int, names: list[str]) -> None:
        self.sockets = [socket.create_connection(("127.0.0.1", port)) for _ in names]
        for number, name in enumerate(names):
            self.say(number, f"/nick {name}")
        self._number = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def say(self, number: int, line: str) -> None:
        self.sockets[number].sendall(line.encode() + b"\n")

    def chat(self) -> None:
        """Say one line."""
        self._number += 1
        count = 4 + self._number % 6
        words = [WORDS[(self._number * 7 + 3 * word) % len(WORDS)] for word in range(count)]
        self.say(self._number * 5 % len(self.sockets), f"{self._number} {' '.join(words)}")

    def _listen(self) -> None:
        while not self._ended.is_set():
            for ready in select.select(self.sockets, [], [], 0.1)[0]:
                ready.recv(1 << 16)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        for each in self.sockets:
            each.close()


NAMES = [
    *(
        "stefan",
        "Max",
        "lukas",
        "quentin",
        "Lukas2",
        "yusuf",
        "lena",
        "karim",
        "anna",
        "bernd",
        "carla",
        "dmitri",
    ),
    *(
        "max_m",
        "elif",
        "fatima",
        "georg",
        "hannah",
        "ivan",
        "jonas",
        "mehmet",
        "nora",
        "oskar",
        "paula",
        "rosa",
    ),
    *("tanja", "uwe", "vera", "wolfgang", "xenia", "zoe"),
]


@contextmanager
def console(
    users: int, *, speed: int | None = None, answers: bool = True
) -> Iterator[tuple[Terminal, Crowd]]:
    """A console with a full log."""
    terminal = Terminal(answers=answers)
    crowd = None
    try:
        port = int(terminal.wait_for(r"127\.0\.0\.1:(\d+) · 0 users")[1])
        crowd = Crowd(port, NAMES[:users])
        terminal.wait_for(rf"{users} users?\b" if users != 1 else "1 user ")
        for _ in range(60):
            crowd.chat()
        terminal.quiet()
        terminal.speed = speed
        yield terminal, crowd
    finally:
        terminal.speed = None
        if crowd:
            crowd.close()
        terminal.close()


def bytes_of(terminal: Terminal, act: object) -> int:
    """How many bytes one act takes, at the least disturbed of a few times."""
    assert callable(act)
    figures: list[int] = []
    for _ in range(7):
        before = terminal.quiet(0.15)
        act()
        time.sleep(0.25)
        figures.append(terminal.count - before)
    return int(statistics.median(figures))


def count_bytes(users: int) -> None:
    with console(users) as (terminal, crowd):
        print(f"  a line of chat     {bytes_of(terminal, crowd.chat):6} bytes")
        print(f"  a typed key        {bytes_of(terminal, lambda: terminal.type('x')):6} bytes")
        terminal.quiet()
        before = terminal.count
        time.sleep(5)
        print(f"  idle               {(terminal.count - before) / 5:6.1f} bytes/s")
        if users:
            terminal.type("\x1bOS\x1b[B")  # F4 and Down
            terminal.quiet()
            before = terminal.count
            time.sleep(5)
            print(f"  idle, one selected {(terminal.count - before) / 5:6.1f} bytes/s")
            print(f"  a line of chat     {bytes_of(terminal, crowd.chat):6} bytes, one selected")


def echo(speed: int, rate: float, *, answers: bool, users: int = 30, keys: int = 12) -> None:
    """How long a key takes to be seen while `rate` lines a second come."""
    with console(users, speed=speed, answers=answers) as (terminal, crowd):
        ended = threading.Event()

        def chat() -> None:
            due = time.monotonic()
            while not ended.is_set():
                crowd.chat()
                due += 1 / rate
                time.sleep(max(0.0, due - time.monotonic()))

        thread = threading.Thread(target=chat, daemon=True)
        thread.start()
        time.sleep(3)
        waits: list[float] = []
        typed = ""
        try:
            for number in range(keys):
                typed += "abcdefghijklmnopqrstuvwxyz"[number % 26]
                started = time.monotonic()
                terminal.type(typed[-1])
                terminal.wait_for(rf"{typed}\b")
                waits.append(time.monotonic() - started)
                time.sleep(0.37)
        finally:
            ended.set()
            thread.join()
        how = "answers" if answers else "never answers"
        print(
            f"  {speed / 1000:g} kB/s, {rate:g} lines/s, {how}: "
            f"median {statistics.median(waits):.2f} s, worst {max(waits):.2f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.slow_line", description=__doc__)
    parser.add_argument("--only", choices=("bytes", "echo"))
    only = parser.parse_args().only
    if only != "echo":
        for users in (0, 30):
            print(f"{WIDTH} x {HEIGHT}, {users} users")
            count_bytes(max(users, 1))
    if only != "bytes":
        print("from a key to its echo")
        for answers in (True, False):
            for speed, rate in ((8000, 5), (30_000, 5), (8000, 500)):
                echo(speed, rate, answers=answers)


if __name__ == "__main__":
    main()
