"""Kills a program that records, in the midst of a flood, and compares its file with what was delivered."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import NamedTuple

from .records import is_sound, lines_in
from .waiting import BOUND, wait_until


class Killed(NamedTuple):
    """What was in the file after a kill. Times are in seconds."""

    delivered: int
    """How many lines had reached a client."""
    missing: float
    """How long before the kill the oldest delivered line that is not in the file had arrived; 0 = none."""
    in_order: bool
    """Whether the file has each line once, in order, with consecutive numbers."""
    sound: bool
    """Whether SQLite finds nothing wrong."""


class _Reader:
    """A client that notes when each line arrived."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=BOUND)
        self.arrivals: list[tuple[float, int]] = []  # the time, and how many lines had come by then
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def count(self) -> int:
        return self.arrivals[-1][1] if self.arrivals else 0

    def _read(self) -> None:
        count = 0
        try:
            while data := self._sock.recv(1 << 20):
                if found := data.count(b": line "):
                    count += found
                    self.arrivals.append((time.monotonic(), count))
        except OSError:
            pass  # killed

    def close(self) -> None:
        self._thread.join(BOUND)
        self._sock.close()


def kill(pid: int, port: int, path: Path, *, rate: int, seconds: float) -> Killed:
    """Send `rate` lines a second to the program for some time, then kill it with SIGKILL.

    Args:
        pid: the program's process, which records in the history file `path`.
        port: where it listens.
    """
    already = len(_flood_in(path)) if path.exists() else 0
    reader = _Reader(port)
    with socket.create_connection(("127.0.0.1", port), timeout=BOUND) as sender:
        began_at, sent = time.monotonic(), 0
        while (passed := time.monotonic() - began_at) < seconds:
            due = int(rate * passed) + 1
            lines = range(sent, min(due, sent + 1000))
            try:
                sender.sendall(b"".join(b"line %d\n" % number for number in lines))
            except TimeoutError:
                break
            sent = lines.stop
            if sent == due:
                time.sleep(0.001)
        wait_until(lambda: reader.count)
        killed_at = time.monotonic()
        os.kill(pid, signal.SIGKILL)
    reader.close()
    found = _flood_in(path)[already:]
    in_order = found == [*range(len(found))] and _consecutive(path)
    missing = [killed_at - at for at, count in reader.arrivals if count > len(found) and at < killed_at]
    return Killed(reader.count, max(missing, default=0.0), in_order, is_sound(path))


def _flood_in(path: Path) -> list[int]:
    return [int(text.removeprefix("line ")) for _, text in lines_in(path) if text.startswith("line ")]


def _consecutive(path: Path) -> bool:
    numbers = [number for number, _ in lines_in(path)]
    return numbers == [*range(1, len(numbers) + 1)]
