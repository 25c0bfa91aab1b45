"""Listening on addresses, and accepting connections there, also when the system has no descriptor left."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Any

from .bans import is_loopback

_ACCEPTS_PER_TURN = 64  # then those who are here get their turn
_RETRY = 1.0  # seconds

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class ListenError(OSError):
    """It is not possible to listen on `host` and `port`; `errno` and `strerror` say why.

    A host name that cannot be looked up has no `errno`, or a negative one (`socket.EAI_NONAME` and others).
    """

    def __init__(self, host: str, port: int, cause: OSError | UnicodeError) -> None:
        super().__init__(getattr(cause, "errno", None), getattr(cause, "strerror", None) or str(cause))
        self.host = host
        self.port = port


async def listening_sockets(hosts: Sequence[str], port: int, queue: int) -> list[socket.socket]:
    """Listen on each address of each host, all on one port.

    Of a name's loopback addresses those that this machine does not have are left out: `localhost` may be
    `::1` where IPv6 is switched off.

    Args:
        hosts: names or IP addresses; `::` alone stands for IPv4 too.
        port: 0 for any that is free.
        queue: how many connections may wait to be accepted.

    Raises:
        ListenError: if that fails for one of them, or one has no address here; then none is listened on.
    """
    sockets: list[socket.socket] = []
    taken: set[object] = set()  # two hosts may share an address, such as localhost and 127.0.0.1
    host = ""
    try:
        for host in hosts:
            missing: OSError | None = None
            addresses = await _addresses(host, port)
            for family, address in addresses:
                if address[0] in taken:
                    continue
                try:
                    sock = _bind(family, (address[0], port, *address[2:]), dual=list(hosts) == ["::"])
                except OSError as error:
                    if error.errno not in _NOT_HERE or not is_loopback(address[0]):
                        raise
                    missing = error
                    continue
                taken.add(address[0])
                sockets.append(sock)
                sock.listen(queue)
                port = sock.getsockname()[1]
            if missing and taken.isdisjoint(address[0] for _, address in addresses):
                raise missing
    except BaseException as error:  # also when it is cancelled while it looks up a name
        for sock in sockets:
            sock.close()
        if isinstance(error, OSError | UnicodeError):
            raise ListenError(host, port, error) from None
        raise
    return sockets


async def _addresses(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [(family, address) for family, *_, address in found]


def _bind(family: int, address: tuple[str | int, ...], *, dual: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
        sock.bind(address)
    except BaseException:
        sock.close()
        raise
    return sock


class Listener:
    """Gives each connection that comes in on a listening socket to `accepted`, with its peer's address.

    asyncio's own listeners report each attempt to accept while descriptors are short, a hundred times a
    second; this one says so once, waits a second, and goes on.

    Args:
        sock: listens already, and does not block.
        accepted: takes the new socket, which does not block, and the address that accept gave for it.
        failed: is told what kept the listener from accepting.
    """

    def __init__(
        self,
        sock: socket.socket,
        accepted: Callable[[socket.socket, tuple[str, int]], None],
        failed: Callable[[OSError], None],
    ) -> None:
        self._sock = sock
        self._accepted = accepted
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._retry: asyncio.TimerHandle | None = None
        self._exhausted = False
        self._loop.add_reader(sock, self._accept)

    def close(self) -> None:
        """Listen no more. Connections that were accepted are not touched. Twice is once."""
        if self._retry:
            self._retry.cancel()
        if self._sock.fileno() < 0:
            return
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_PER_TURN):
            try:
                sock, address = self._sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._wait(error)
                    return
                continue  # the client was gone before it was accepted: accept(2), "Error handling"
            self._exhausted = False
            sock.setblocking(False)
            self._accepted(sock, address[:2])

    def _wait(self, error: OSError) -> None:
        if not self._exhausted:
            self._exhausted = True
            self._failed(error)
        self._loop.remove_reader(self._sock)
        self._retry = self._loop.call_later(_RETRY, self._loop.add_reader, self._sock, self._accept)
