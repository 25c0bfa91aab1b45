"""The server on a meter, from outside; and whoever else it takes to measure it."""

from __future__ import annotations

import functools
import json
import os
import resource
import select
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from support.certificates import Authority

from . import bars
from .program import PATIENCE


def environment() -> dict[str, str]:
    """This process' environment, without what would have the server's coverage measured: that takes time."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}


@dataclass(frozen=True)
class Reading:
    """What there is of the server, and what has happened to it. Times are seconds of CPU, sizes MiB."""

    cpu: float
    turns: int
    slices: Sequence[float]
    memory: float
    peak: float
    members: int
    events: dict[str, int]
    reasons: dict[str, int]
    told: Sequence[str]
    reference: float

    @property
    def pace(self) -> float:
        """How much slower the machine is just now than the one for which the bars were agreed."""
        return max(1.0, self.reference / bars.NOMINAL)

    @property
    def dropped(self) -> int:
        """How many members the server has dropped for not reading."""
        return self.reasons.get("SLOW", 0) + self.reasons.get("STALLED", 0)

    def held(self, attack: str) -> bars.Outcome:
        """Whether the loop was never held too long."""
        return bars.slices(attack, [each / self.pace for each in self.slices], self.turns)


class Ended(Exception):
    """The server has ended by itself."""


class Metered:
    """The server on a meter. A context manager: it ends at the end, in whatever state it is.

    Args:
        speed: how many seconds pass on its loop's clock in one.
        settings: of the server; its port is a free one.
    """

    def __init__(self, speed: float = 1.0, **settings: Any) -> None:
        options = json.dumps({"settings": settings, "speed": speed}, default=str)
        script = Path(__file__).with_name("metered_server.py")
        self.process = subprocess.Popen(
            [sys.executable, script, options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            start_new_session=True,
        )
        self.port: int = self._answer()

    def __enter__(self) -> Metered:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def begin(self) -> Reading:
        """Forget everything that has happened, and look at what there is now."""
        return self._reading("begin")

    def read(self) -> Reading:
        """What there is, and what has happened since `begin`."""
        return self._reading("read")

    @property
    def members(self) -> int:
        """How many are in the room."""
        return int(self._ask("glance")["members"])

    @property
    def dropped(self) -> int:
        """How many have been dropped for not reading, since `begin`."""
        return int(self._ask("glance")["dropped"])

    def seen(self, event: str) -> int:
        """How many events of this kind there have been, since `begin`."""
        return int(self._ask("glance")["events"].get(event, 0))

    def settle(self) -> Reading:
        """The same once the garbage is collected."""
        return self._reading("settle")

    def say(self, text: str, count: int = 1) -> None:
        """Say `text` so often as the operator."""
        self._ask("say", text, count)

    def operate(self, line: str) -> None:
        """Do what the operator's `line` asks for."""
        self._ask("operate", line)

    def waste(self, seconds: float, mebibytes: int) -> None:
        """Hold its loop, and keep memory."""
        self._ask("waste", seconds, mebibytes)

    def _reading(self, command: str) -> Reading:
        return Reading(**self._ask(command))

    def _ask(self, *command: Any) -> Any:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout
        ready, _, _ = select.select([self.process.stdout], [], [], 4 * PATIENCE)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            raise Ended(f"the server does not answer: {self.process.poll()}")
        return json.loads(line)


@contextmanager
def plain_console(*options: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The program with its plain console, and its port; it ends at the end, in whatever state it is."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "chat_console.app", "--plain", "--port", "0", *options],
            stdin=subprocess.PIPE,
            stdout=output,
            env=environment(),
            start_new_session=True,
        )
        try:
            wait_for(lambda: os.pread(output.fileno(), 100, 0).count(b"\n"))
            yield process, int(os.pread(output.fileno(), 100, 0).split(b"\n")[0].split()[-1])
        finally:
            process.kill()
            process.communicate()


def raise_open_files(wanted: int = 20_000) -> bool:
    """Let this process, and those that it starts, have so many descriptors; whether they may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = [wanted if limit == resource.RLIM_INFINITY else limit for limit in (soft, hard)]
    if limits[0] < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, limits[1]), hard))
    return limits[1] >= wanted


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Wait until `condition` holds, for at most so long; whether it does."""
    end = time.monotonic() + seconds
    while not (held := bool(condition())) and time.monotonic() < end:
        time.sleep(0.01)
    return held


class Certificate(TypedDict, total=False):
    """The settings of a server that speaks TLS."""

    tls_cert: Path
    tls_key: Path


def certificate(folder: Path) -> Certificate:
    """A certificate, made in `folder`."""
    pair = Authority(folder).self_signed("cert")
    return {"tls_cert": pair.cert, "tls_key": pair.key}


@functools.cache
def tls_context() -> ssl.SSLContext:
    """The context of clients that trust everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
