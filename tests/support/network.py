"""What a machine's network may be like: names with several addresses, and addresses that are not here."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from typing import Any

import pytest


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def resolve(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name stand for these IPv4 addresses; to be called where the loop runs."""

    async def look_up(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)


def refuse_to_bind(monkeypatch: pytest.MonkeyPatch, address: str, error: Exception) -> None:
    """Let no socket be bound to `address`."""
    plain = socket.socket

    class Unbound(plain):
        def bind(self, address: Any, /) -> None:
            if address[0] == refused:
                raise error
            super().bind(address)

    refused = address
    monkeypatch.setattr(socket, "socket", Unbound)


def server_end(client: Sequence[Any]) -> socket.socket:
    """The end in this process of the connection from the address `client`; to be closed."""
    for name in os.listdir("/dev/fd"):
        try:
            sock = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue  # no socket
        try:
            if sock.getpeername() == client:
                return sock
        except OSError:
            pass  # not connected
        sock.close()
    raise AssertionError(f"nobody is connected to {client}")
