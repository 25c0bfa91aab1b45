"""A listener: every connection is accepted once, whatever the system refuses in between."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from support.chat_clients import Clock, ipv6
from support.waiting import BOUND, until

from chat_console.server.wire.listener import HostsError, Listener, ListenError, listening_sockets

needs_ipv6 = pytest.mark.skipif(not ipv6, reason="no IPv6 here")


class Port(socket.socket):
    """A listening socket of the loopback whose next calls of `accept` fail with `errors`."""

    def __init__(self) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self.errors: list[int] = []
        self.calls = 0
        self.setblocking(False)
        self.bind(("127.0.0.1", 0))
        self.listen(200)

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        self.calls += 1
        if self.errors:
            number = self.errors.pop(0)
            raise OSError(number, os.strerror(number))
        return super().accept()


class Scene:
    """A listener, what it has accepted and what it has told of failures."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self.port = stack.enter_context(Port())
        self.accepted: list[tuple[socket.socket, tuple[str, int]]] = []
        self.failures: list[int | None] = []
        self.listener = Listener(self.port, self._take, lambda error: self.failures.append(error.errno))

    def _take(self, sock: socket.socket, address: tuple[str, int]) -> None:
        self._stack.enter_context(sock)
        self.accepted.append((sock, address))

    def connect(self) -> socket.socket:
        """A client whose connection waits to be accepted."""
        return self._stack.enter_context(socket.create_connection(self.port.getsockname(), timeout=BOUND))

    until = staticmethod(until)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    troubles: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
    with contextlib.ExitStack() as stack:
        scene = Scene(stack)
        yield scene
        if scene.port.fileno() != -1:
            scene.listener.close()
    assert not troubles


async def turns(count: int = 20) -> None:
    """Let the loop turn so often."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_connection_is_given_with_its_address_and_does_not_block(scene: Scene) -> None:
    client = scene.connect()
    await scene.until(lambda: scene.accepted)
    ((sock, address),) = scene.accepted
    assert address == client.getsockname()
    assert not sock.getblocking()
    sock.send(b"hello")
    assert client.recv(5) == b"hello"


async def test_a_crowd_that_comes_at_once_leaves_others_their_turn(scene: Scene) -> None:
    clients = [scene.connect() for _ in range(100)]
    counts: list[int] = []

    def count() -> None:
        counts.append(len(scene.accepted))
        if counts[-1] < len(clients):
            loop.call_soon(count)

    loop = asyncio.get_running_loop()
    loop.call_soon(count)
    await scene.until(lambda: len(scene.accepted) == len(clients))
    assert 64 in counts
    assert [address for _, address in scene.accepted] == [client.getsockname() for client in clients]


@pytest.mark.parametrize("error", [errno.ECONNABORTED, errno.EPROTO, errno.EPERM])
async def test_one_that_is_gone_before_it_is_accepted_costs_nothing(scene: Scene, error: int) -> None:
    scene.port.errors = [error] * 3
    client = scene.connect()
    await scene.until(lambda: scene.accepted)
    assert scene.accepted[0][1] == client.getsockname()
    assert scene.failures == []


class TestShortOfDescriptors:
    @pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
    async def test_it_says_so_once_and_goes_on_later(self, scene: Scene, clock: Clock, error: int) -> None:
        scene.port.errors = [error] * 5
        client = scene.connect()
        for count in range(1, 6):
            await scene.until(lambda count=count: scene.port.calls == count)
            clock.advance(1)
        await scene.until(lambda: scene.accepted)
        assert scene.accepted[0][1] == client.getsockname()
        assert scene.failures == [error]

    async def test_it_says_so_again_the_next_time(self, scene: Scene, clock: Clock) -> None:
        for count in (1, 2):
            scene.port.errors = [errno.EMFILE]
            scene.connect()
            await scene.until(lambda count=count: len(scene.failures) == count)
            clock.advance(1)
            await scene.until(lambda count=count: len(scene.accepted) == count)
            assert len(scene.failures) == count

    async def test_it_does_not_try_until_a_second_has_passed(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [0.0]  # of a clock that stands
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])
        scene.port.errors = [errno.EMFILE]
        scene.connect()
        while not scene.failures:
            await turns()
        calls = scene.port.calls
        for seconds in (0.0, 0.9):
            now[0] = seconds
            await turns()  # in which the socket is ready
            assert scene.port.calls == calls
        now[0] = 1.0
        while not scene.accepted:
            await turns()

    async def test_it_can_be_closed_meanwhile(self, scene: Scene, clock: Clock) -> None:
        scene.port.errors = [errno.EMFILE]
        scene.connect()
        await scene.until(lambda: scene.failures)
        scene.listener.close()
        assert scene.port.fileno() == -1
        clock.advance(2)
        await turns()
        assert scene.accepted == []


async def test_closing_leaves_what_was_accepted_and_refuses_the_rest(scene: Scene) -> None:
    client = scene.connect()
    await scene.until(lambda: scene.accepted)
    address = scene.port.getsockname()
    scene.listener.close()
    scene.accepted[0][0].send(b"hello")
    assert client.recv(5) == b"hello"
    with socket.socket() as late:
        assert late.connect_ex(address) == errno.ECONNREFUSED


def looked_up(
    monkeypatch: pytest.MonkeyPatch, found: Callable[[str, int], list[tuple[int, tuple[Any, ...]]]]
) -> None:
    """Let names have the addresses that `found` gives for them, with the family of each."""

    async def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        return [(family, socket.SOCK_STREAM, 0, "", address) for family, address in found(host, port)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


class TestHosts:
    @pytest.mark.parametrize(
        ("hosts", "told"),
        [
            (("127.0.0.1", "0.0.0.0"), "0.0.0.0 covers 127.0.0.1 too"),
            (("0.0.0.0", "127.0.0.1"), "0.0.0.0 covers 127.0.0.1 too"),
            (("0", "127.1"), "0 covers 127.1 (127.0.0.1) too"),
            (("::ffff:127.0.0.1", "0.0.0.0"), "0.0.0.0 covers ::ffff:127.0.0.1 (127.0.0.1) too"),
            (("::", "::1"), ":: covers ::1 too"),
            (("::1", "127.0.0.1", "::"), ":: covers ::1 too"),
            (("::", "fe80::1%1"), ":: covers fe80::1%1 too"),
        ],
    )
    async def test_one_of_which_listens_for_another_are_refused_with_both(
        self, hosts: tuple[str, ...], told: str
    ) -> None:
        with pytest.raises(HostsError) as raised:
            await listening_sockets(hosts, 0, 1)
        assert str(raised.value) == f"{told}; leave one of them out"
        assert isinstance(raised.value, ListenError)

    async def test_one_of_which_is_a_name_are_refused_with_its_address(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked_up(
            monkeypatch,
            lambda host, port: [(socket.AF_INET, ("127.0.0.1" if host == "name" else host, port))],
        )
        with pytest.raises(HostsError, match=r"^0\.0\.0\.0 covers name \(127\.0\.0\.1\) too;"):
            await listening_sockets(("name", "0.0.0.0"), 0, 1)

    @pytest.mark.parametrize("host", ["fe80::1", "FEBF::1"])
    async def test_of_a_link_need_their_interface(self, host: str) -> None:
        with pytest.raises(HostsError) as raised:
            await listening_sockets(("127.0.0.1", host), 0, 1)
        assert str(raised.value) == f"{host} needs its interface, as in {host.lower()}%eth0"

    @pytest.mark.parametrize(
        ("hosts", "addresses"),
        [
            (("::ffff:127.0.0.1",), {"127.0.0.1"}),
            (("::ffff:7f00:1", "127.0.0.1", "127.1"), {"127.0.0.1"}),
            (("0.0.0.0", "0"), {"0.0.0.0"}),
            pytest.param(("::", "0.0.0.0"), {"::", "0.0.0.0"}, marks=needs_ipv6),
            pytest.param(("::", "127.0.0.1"), {"::", "127.0.0.1"}, marks=needs_ipv6),
            pytest.param(("::1", "127.0.0.1"), {"::1", "127.0.0.1"}, marks=needs_ipv6),
        ],
    )
    async def test_that_go_together_are_listened_on_each_once(
        self, hosts: tuple[str, ...], addresses: set[str]
    ) -> None:
        sockets = await listening_sockets(hosts, 0, 1)
        assert len(sockets) == len(addresses)
        assert {sock.getsockname()[0] for sock in sockets} == addresses
        for sock in sockets:
            sock.close()

    async def test_get_a_port_that_is_free_on_each_where_any_will_do(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        chosen: list[int] = []
        real = socket.socket.bind

        def bind(sock: socket.socket, address: tuple[str, int]) -> None:
            if address[0] == "127.0.0.2":
                chosen.append(address[1])
                if len(chosen) <= 3:
                    raise OSError(errno.EADDRINUSE, "in use")
            real(sock, address)

        monkeypatch.setattr(socket.socket, "bind", bind)
        sockets = await listening_sockets(("127.0.0.1", "127.0.0.2"), 0, 1)
        assert [sock.getsockname() for sock in sockets] == [
            ("127.0.0.1", chosen[3]),
            ("127.0.0.2", chosen[3]),
        ]
        for sock in sockets:
            sock.close()

    async def test_that_have_no_port_in_common_are_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def bind(*_: object) -> None:
            raise OSError(errno.EADDRINUSE, "in use")

        monkeypatch.setattr(socket.socket, "bind", bind)
        with pytest.raises(ListenError, match="in use"):
            await listening_sockets(("127.0.0.1",), 0, 1)

    @needs_ipv6
    async def test_of_one_address_on_two_links_are_two(self, monkeypatch: pytest.MonkeyPatch) -> None:
        bound: list[int] = []
        real = socket.socket.bind

        def bind(sock: socket.socket, address: tuple[str, int, int, int]) -> None:
            bound.append(address[3])
            real(sock, ("::1", 0))

        looked_up(
            monkeypatch,
            lambda host, port: [(socket.AF_INET6, ("fe80::1", port, 0, int(host[-1])))],
        )
        monkeypatch.setattr(socket.socket, "bind", bind)
        for sock in await listening_sockets(("fe80::1%1", "fe80::1%2", "fe80::1%1"), 0, 1):
            sock.close()
        assert bound == [1, 2]

    @needs_ipv6
    @pytest.mark.parametrize("hosts", [("::",), ("0:0::0",), ("::", "::0")])
    async def test_that_are_all_of_ipv6_alone_are_ipv4_too(self, hosts: tuple[str, ...]) -> None:
        (sock,) = await listening_sockets(hosts, 0, 1)
        with sock, socket.create_connection(("127.0.0.1", sock.getsockname()[1]), timeout=BOUND):
            pass

    async def test_one_of_which_is_not_here_leave_nothing_listening(self) -> None:
        with pytest.raises(ListenError) as raised:
            await listening_sockets(("127.0.0.1", "192.0.2.1"), 0, 1)
        assert (raised.value.host, raised.value.errno) == ("192.0.2.1", errno.EADDRNOTAVAIL)
        with socket.socket() as sock:
            assert sock.connect_ex(("127.0.0.1", raised.value.port)) == errno.ECONNREFUSED

    @pytest.mark.parametrize(
        ("missing", "listens"), [((), 2), (("127.0.9.9",), 1), (("127.0.9.9", "127.0.0.1"), 0)]
    )
    async def test_that_are_names_need_one_of_their_loopback_addresses(
        self, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], listens: int
    ) -> None:
        real = socket.socket.bind

        def bind(sock: socket.socket, address: tuple[str, int]) -> None:
            if address[0] in missing:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            real(sock, address)

        looked_up(
            monkeypatch,
            lambda host, port: [(socket.AF_INET, (each, port)) for each in ("127.0.9.9", "127.0.0.1")],
        )
        monkeypatch.setattr(socket.socket, "bind", bind)
        if not listens:
            with pytest.raises(ListenError, match="not supported"):
                await listening_sockets(("name",), 0, 1)
            return
        sockets = await listening_sockets(("name",), 0, 1)
        assert len(sockets) == listens
        for sock in sockets:
            sock.close()

    @pytest.mark.parametrize("host", ["no host", "x" * 64])
    async def test_that_there_are_not_are_an_error(self, host: str) -> None:
        with pytest.raises(ListenError) as raised:
            await listening_sockets(("127.0.0.1", host), 0, 1)
        assert raised.value.host == host
        assert (raised.value.errno or -1) < 0
        assert raised.value.strerror

    async def test_leave_nothing_behind_when_the_program_is_interrupted(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bound: list[socket.socket] = []
        real = socket.socket.bind

        def bind(sock: socket.socket, address: tuple[str, int]) -> None:
            bound.append(sock)
            if len(bound) == 2:
                raise KeyboardInterrupt
            real(sock, address)

        monkeypatch.setattr(socket.socket, "bind", bind)
        with pytest.raises(KeyboardInterrupt):
            await listening_sockets(("127.0.0.1", "127.0.0.2"), 0, 1)
        assert [sock.fileno() for sock in bound] == [-1, -1]
