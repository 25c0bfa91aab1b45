"""The servers that are compared: how each is started with its limits off, and what it costs while it runs."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from chat_console.server.settings import Settings

from .crowd import CHAT, IRC, NCAT, Dialect

HERE = Path(__file__).parent
CHAT_CONSOLE = Path(sys.executable).with_name("chat-console")
LISTEN_QUEUE = Settings().listen_queue
NO_LIMITS = ("--rate", "0", "--max-clients", "0")
"""The options of chat-console that lift its limits."""

START_LIMIT = 10.0
"""Seconds a server may take to accept connections."""

NGIRCD = """\
[Global]
Name = irc.bench.test
Info = benchmark
AdminEMail = nobody@bench.test
Listen = 127.0.0.1
Ports = {port}
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 20
MaxPenaltyTime = 0
PingTimeout = 3600
PongTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
"""

INSPIRCD = """\
<config format="xml">
<server name="irc.bench.test" description="benchmark" network="bench" id="1BB">
<admin name="bench" nick="bench" email="nobody@bench.test">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect name="main" allow="*" timeout="60" pingfreq="3600" hardsendq="1073741824" softsendq="1073741824"
 recvq="1073741824" localmax="100000" globalmax="100000" maxconnwarn="no" useident="no" fakelag="no"
 threshold="1000000" commandrate="1000000000" resolvehostnames="no">
<performance softlimit="100000" somaxconn="4096" netbuffersize="65534" nouserdns="yes">
<options defaultmodes="not">
<path datadir="{folder}" logdir="{folder}" runtimedir="{folder}" configdir="{folder}">
"""


@dataclass(frozen=True)
class Kind:
    """One kind of server.

    `command` gives its arguments, from its port, a folder for its files and whether it announces joins.
    """

    name: str
    title: str
    program: str | Path
    command: Callable[[int, Path, bool], list[str | Path]]
    dialect: Dialect = CHAT
    listen_queue: int = 100
    console: bool = False
    """Whether it runs in a pseudo-terminal of its own, which is read."""

    total_order: bool = False
    """Whether all clients must get all lines in one order; each sender's lines must be in order anyway."""

    can_be_quiet: bool = False
    """Whether it can be kept from announcing joins."""

    @property
    def installed(self) -> bool:
        return shutil.which(self.program) is not None


def _chat_console(*options: str) -> Callable[[int, Path, bool], list[str | Path]]:
    return lambda port, folder, announce: [CHAT_CONSOLE, *options, *NO_LIMITS, "--port", str(port)]


def _naive(script: str) -> Callable[[int, Path, bool], list[str | Path]]:
    return lambda port, folder, announce: [
        *(sys.executable, HERE / script, "--port", str(port)),
        *([] if announce else ["--quiet"]),
    ]


def _ngircd(port: int, folder: Path, announce: bool) -> list[str | Path]:
    (folder / "ngircd.conf").write_text(NGIRCD.format(port=port))
    return ["ngircd", "--nodaemon", "--config", folder / "ngircd.conf"]


def _inspircd(port: int, folder: Path, announce: bool) -> list[str | Path]:
    (folder / "inspircd.conf").write_text(INSPIRCD.format(port=port, folder=folder))
    as_root = ["--runasroot"] if os.geteuid() == 0 else []
    return ["inspircd", "--nofork", "--nopid", *as_root, f"--config={folder / 'inspircd.conf'}"]


def _ncat(port: int, folder: Path, announce: bool) -> list[str | Path]:
    return ["ncat", "--chat", "--listen", "--max-conns", "1000", "127.0.0.1", str(port)]


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "plain",
            "chat-console, plain",
            CHAT_CONSOLE,
            _chat_console("--plain"),
            listen_queue=LISTEN_QUEUE,
            total_order=True,
        ),
        Kind(
            "history",
            "chat-console, plain, with --history",
            CHAT_CONSOLE,
            lambda port, folder, announce: [
                *_chat_console("--plain")(port, folder, announce),
                *("--history", folder / "chat.db"),
            ],
            replace(CHAT, alone=b"What is said here is recorded.\n"),
            listen_queue=LISTEN_QUEUE,
            total_order=True,
        ),
        Kind(
            "tui",
            "chat-console, with its console",
            CHAT_CONSOLE,
            _chat_console(),
            listen_queue=LISTEN_QUEUE,
            console=True,
            total_order=True,
        ),
        Kind(
            "asyncio", "naive asyncio streams", sys.executable, _naive("naive_asyncio.py"), can_be_quiet=True
        ),
        Kind(
            "threads",
            "naive thread per client",
            sys.executable,
            _naive("naive_threads.py"),
            can_be_quiet=True,
        ),
        Kind("ncat", "ncat --chat", "ncat", _ncat, NCAT, listen_queue=10),
        Kind("ngircd", "ngircd", "ngircd", _ngircd, IRC, listen_queue=10, can_be_quiet=True),
        Kind("inspircd", "inspircd", "inspircd", _inspircd, IRC, listen_queue=1000, can_be_quiet=True),
    )
}


def cpu_of(pid: int) -> float:
    """CPU time that a process has used so far, in seconds; NaN where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server:
    """A running server.

    Attributes:
        pid: its process.
        port: where it listens on 127.0.0.1.
        console: the reading end of its terminal, or None.
        log: the file that gets what it prints, unless it has a terminal.
    """

    def __init__(self, pid: int, port: int, console: int | None, log: Path) -> None:
        self.pid = pid
        self.port = port
        self.console = console
        self.log = log

    def cpu(self) -> float:
        """CPU time used so far, in seconds; NaN where the system does not tell."""
        return cpu_of(self.pid)

    def memory(self, field: str = "VmRSS") -> float:
        """Resident memory in KiB: now, or at its highest with `VmHWM`; NaN where the system does not tell."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return float("nan")
        return float(status.partition(f"{field}:")[2].split()[0])

    def told_of(self, names: list[bytes]) -> int:
        """How many of these clients the operator's log says have left."""
        log = self.log.read_bytes()
        return sum(b"\n%s has left" % name in log for name in names)


def cores() -> tuple[int, int] | None:
    """A core for the generator and one for the servers; None where there is but one, or no pinning."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return (usable[0], usable[-1]) if len(usable) > 1 else None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def _await_listening(port: int, process: subprocess.Popen[bytes], console: int | None) -> None:
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        if process.poll() is not None:
            raise TimeoutError(f"the server ended at once, with status {process.returncode}")
        if console is not None and select.select([console], [], [], 0)[0]:
            os.read(console, 1 << 16)
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
            continue
        time.sleep(0.1)  # let it forget this connection
        return
    raise TimeoutError(f"the server accepted no connection within {START_LIMIT:.0f} s")


@contextmanager
def running(kind: Kind, folder: Path, core: int | None = None, *, announce: bool = True) -> Generator[Server]:
    """Start a server, pinned to `core`, and end it whatever happens.

    Raises:
        TimeoutError: it did not come up.
    """
    port = _free_port()
    log = folder / f"{kind.name}.log"
    console, terminal = pty.openpty() if kind.console else (None, None)
    with log.open("wb") as output:
        process = subprocess.Popen(
            kind.command(port, folder, announce),
            stdin=subprocess.PIPE if terminal is None else terminal,
            stdout=output if terminal is None else terminal,
            stderr=output if terminal is None else terminal,
            env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "36"},
            start_new_session=True,
            preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
        )
    try:
        _await_listening(port, process, console)
        yield Server(process.pid, port, console, log)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
        for descriptor in (console, terminal):
            if descriptor is not None:
                os.close(descriptor)
        log.unlink()


def version(kind: Kind) -> str:
    """What the program says of its version."""
    said = subprocess.run(
        [kind.program, "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    return next(iter((said.stdout + said.stderr).strip().splitlines()), "unknown")
