"""Many connections that send at full speed, a process of its own, so that nobody waits for it but the server.

It is started with one argument, a JSON object: the `port`, how many `connections`, the `payload` that each
sends over and over, in Latin-1, and `tls`, whether they speak it. Where `records` is not 0, each connection
sends so many TLS records, made beforehand: one with the payload each, or an update of its key if that is
empty. It prints a line when all are connected, begins at a line on stdin, and ends at the end of stdin, with
how many bytes it has sent.
"""

from __future__ import annotations

import json
import os
import select
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

from .libssl import TlsClient
from .metered import Ended, environment, tls_context
from .program import PATIENCE

_PIECE = 1 << 16


class Flood:
    """A running flood. A context manager: at its end the connections are gone."""

    def __init__(
        self, port: int, connections: int, payload: bytes = b"", *, tls: bool = False, records: int = 0
    ) -> None:
        self.is_short = bool(records)
        """Whether it ends by itself."""
        options = json.dumps(
            {
                "port": port,
                "connections": connections,
                "payload": payload.decode("latin-1"),
                "tls": tls,
                "records": records,
            }
        )
        self._process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, options],
            cwd=Path(__file__).parents[__spec__.name.count(".")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            start_new_session=True,
        )
        assert self._process.stdout
        ready, _, _ = select.select([self._process.stdout], [], [], 4 * PATIENCE)
        if not ready or not self._process.stdout.readline():
            raise Ended("the flood does not start")

    def __enter__(self) -> Flood:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def begin(self) -> None:
        """Let it begin."""
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def end(self) -> int:
        """Let it end, and return how many bytes the server has taken."""
        out, _ = self._process.communicate(timeout=PATIENCE)
        return int(out or 0)


class _Source:
    """One connection, and what it has still to send."""

    def __init__(self, sock: Any, payload: bytes, *, endless: bool) -> None:
        self._sock = sock
        self._payload = memoryview(payload)
        self._at = 0
        self._endless = endless
        self.over = not payload

    def send(self) -> int:
        """Send a piece, and return how many bytes were taken; none if there is no room."""
        try:
            sent: int = self._sock.send(self._payload[self._at : self._at + _PIECE])
        except (BlockingIOError, ssl.SSLWantWriteError):
            return 0
        self._at += sent
        if self._at == len(self._payload):
            self._at = 0
            self.over = not self._endless
        return sent

    def read(self) -> bool:
        """Take what has come; whether the connection is still there."""
        try:
            return bool(self._sock.recv(1 << 18))
        except (BlockingIOError, ssl.SSLWantReadError):
            return True


def _connect(port: int, payload: bytes, tls: bool, records: int) -> tuple[socket.socket, _Source]:
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    if records:
        client = TlsClient(sock)
        made = client.records(payload, records) if payload else client.key_updates(records, answered=True)
        source = _Source(sock, made, endless=False)
    else:
        if tls:
            sock = tls_context().wrap_socket(sock)
        unit = payload * max(1, _PIECE // len(payload)) if payload else b""
        source = _Source(sock, unit, endless=True)
    sock.setblocking(False)
    return sock, source


def main() -> None:
    options = json.loads(sys.argv[1])
    payload = options["payload"].encode("latin-1")
    sources: dict[int, _Source] = {}
    socks: list[socket.socket] = []
    for _ in range(options["connections"]):
        sock, source = _connect(options["port"], payload, options["tls"], options["records"])
        socks.append(sock)
        sources[sock.fileno()] = source
    poll = select.epoll()
    for descriptor in sources:
        poll.register(descriptor, select.EPOLLIN)
    stdin = sys.stdin.fileno()
    poll.register(stdin, select.EPOLLIN)
    print(flush=True)
    sent = 0
    while True:
        for descriptor, events in poll.poll():
            if descriptor == stdin:
                if not os.read(stdin, 1):
                    print(sent)
                    return
                for each, source in sources.items():
                    poll.modify(each, select.EPOLLIN | (0 if source.over else select.EPOLLOUT))
                continue
            source = sources[descriptor]
            try:
                here = not events & (select.EPOLLIN | select.EPOLLHUP) or source.read()
                if here and events & select.EPOLLOUT:
                    sent += source.send()
                    if source.over:
                        poll.modify(descriptor, select.EPOLLIN)
            except (ConnectionError, ssl.SSLError):
                here = False
            if not here:
                poll.unregister(descriptor)
                del sources[descriptor]


if __name__ == "__main__":
    main()
