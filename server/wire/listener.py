"""Listens on addresses and accepts connections, even when the system runs out of file descriptors."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Any

from ..addresses import is_link_local, is_loopback, plain_host

_ACCEPTS_PER_TURN = 64  # then clients that are already connected get their turn
_RETRY = 1.0  # seconds

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

_TRIES = 16  # to find a port that is free on each of several addresses

_Found = tuple[str, list[tuple[int, tuple[Any, ...]]]]
"""A host and its addresses: the family of each, and the argument for `bind`."""


class ListenError(OSError):
    """Listening on `host` and `port` failed; `errno` and `strerror` say why.

    If the host name could not be resolved, `errno` is None or negative (`socket.EAI_NONAME` and others).
    """

    def __init__(self, host: str, port: int, cause: OSError | UnicodeError) -> None:
        super().__init__(getattr(cause, "errno", None), getattr(cause, "strerror", None) or str(cause))
        self.host = host
        self.port = port


class HostsError(ListenError):
    """The hosts do not go together, or one of them is incomplete; the message says what to change."""

    def __init__(self, host: str, port: int, problem: str) -> None:
        super().__init__(host, port, OSError(errno.EINVAL, problem))
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


async def listening_sockets(hosts: Sequence[str], port: int, queue: int) -> list[socket.socket]:
    """Listen on each address of each host, all on one port.

    A name's loopback addresses that this machine does not have are skipped: `localhost` may resolve to `::1`
    even if IPv6 is disabled.

    Args:
        hosts: names or IP addresses; `::` alone covers IPv4 too.
        port: 0 = any free port.
        queue: how many connections may wait to be accepted.

    Raises:
        HostsError: if one host covers another's address, or a link-local address lacks its interface.
        ListenError: if listening fails on any of them; then no socket stays open.
    """
    found: list[_Found] = []
    for host in hosts:
        try:
            found.append((host, await _addresses(host, port)))
        except (OSError, UnicodeError) as error:
            raise ListenError(host, port, error) from None
    _check(found, port)
    tries = 1 if port else _TRIES
    while True:
        tries -= 1
        try:
            return _listen(found, port, queue)
        except ListenError as error:
            # The port that the system picked is free on the first address, but maybe not on the others.
            if error.errno != errno.EADDRINUSE or not tries:
                raise


def _listen(found: Sequence[_Found], port: int, queue: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    taken: set[object] = set()  # two hosts may share an address, such as localhost and 127.0.0.1
    dual = {address[0] for _, addresses in found for _, address in addresses} == {"::"}
    host = ""
    try:
        for name, addresses in found:
            host = name
            missing: OSError | None = None
            for family, address in addresses:
                if _place(address) in taken:
                    continue
                try:
                    sock = _bind(family, (address[0], port, *address[2:]), dual=dual)
                except OSError as error:
                    if error.errno not in _NOT_HERE or not is_loopback(address[0]):
                        raise
                    missing = error
                    continue
                taken.add(_place(address))
                sockets.append(sock)
                sock.listen(queue)
                port = sock.getsockname()[1]
            if missing and taken.isdisjoint(_place(address) for _, address in addresses):
                raise missing
    except BaseException as error:
        for sock in sockets:
            sock.close()
        if isinstance(error, OSError):
            raise ListenError(host, port, error) from None
        raise
    return sockets


def _place(address: tuple[Any, ...]) -> tuple[Any, ...]:
    """The address and, for IPv6, its interface number, without the port."""
    return address[:1] + address[3:]


def _check(found: Sequence[_Found], port: int) -> None:
    """Refuse hosts for which the system's own error would be no help."""
    for host, addresses in found:
        for family, address in addresses:
            if family == socket.AF_INET6 and is_link_local(address[0]) and not address[3]:
                raise HostsError(host, port, f"{host} needs its interface, as in {address[0]}%eth0")
            everything = "0.0.0.0" if family == socket.AF_INET else "::"
            for other, its in found:
                if address[0] != everything and any(one[0] == everything for _, one in its):
                    what = host if host.partition("%")[0] == address[0] else f"{host} ({address[0]})"
                    raise HostsError(host, port, f"{other} covers {what} too; leave one of them out")


async def _addresses(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [_plain(family, address) for family, *_, address in found]


def _plain(family: int, address: tuple[Any, ...]) -> tuple[int, tuple[Any, ...]]:
    """Turn an IPv4-mapped address into IPv4, because the system would refuse to listen on it."""
    plain = plain_host(address[0])
    return (socket.AF_INET, (plain, address[1])) if "." in plain else (family, address)


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
    """Accepts connections on a listening socket and passes each to `accepted` with the peer's address.

    While file descriptors are short, asyncio's own listeners report every failed accept, a hundred times a
    second; this one reports it once, waits a second, and goes on.

    Args:
        sock: a non-blocking socket that is already listening.
        accepted: gets each new socket, non-blocking, and the peer's address.
        failed: gets the error that kept the listener from accepting.
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
        """Stop listening. Accepted connections are not affected. A second call does nothing."""
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
                continue  # the client left before it was accepted: accept(2), "Error handling"
            self._exhausted = False
            sock.setblocking(False)
            self._accepted(sock, address[:2])

    def _wait(self, error: OSError) -> None:
        if not self._exhausted:
            self._exhausted = True
            self._failed(error)
        self._loop.remove_reader(self._sock)
        self._retry = self._loop.call_later(_RETRY, self._loop.add_reader, self._sock, self._accept)
