"""What the system does for a connection, what it knows of one, and how one ends that is not let in."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest

from chat_console.server.wire import sockets
from chat_console.server.wire.sockets import acknowledged, has_hung_up, keep_alive, turn_away


class TestKeepAlive:
    def test_finds_a_dead_peer_within_two_minutes(self) -> None:
        with socket.socket() as sock:
            keep_alive(sock, 20)

            def option(name: str) -> int:
                return sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))

            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle, interval, count = map(option, ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"))
            assert (idle, interval, count) == (60, 15, 4)
            assert idle + interval * count <= 120
            assert option("TCP_USER_TIMEOUT") == 120_000  # which ends the probing, so not before the last one
            assert option("TCP_NODELAY")

    def test_never_gives_up_before_the_server_would(self) -> None:
        with socket.socket() as sock:
            keep_alive(sock, 3600)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) > 3600_000

    def test_reads_the_urgent_byte_in_its_place(self) -> None:
        with socket.socket() as sock:
            keep_alive(sock, 20)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE)

    def test_does_without_what_the_system_does_not_have(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(socket, "TCP_USER_TIMEOUT")
        with socket.socket() as sock:
            keep_alive(sock, 20)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def test_does_without_what_the_system_refuses(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:  # no TCP at all
            keep_alive(sock, 20)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


class Pair:
    """The two ends of a connection over the loopback."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.peer = socket.create_connection(listener.getsockname())
            self.own, _ = listener.accept()


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    with pair.own, pair.peer:
        yield pair


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end


class TestAcknowledged:
    def test_is_what_the_peers_system_has_taken(self, pair: Pair) -> None:
        before = acknowledged(pair.own, 0)
        pair.own.send(b"x" * 1000)
        until(lambda: acknowledged(pair.own, 0) == before + 1000)

    def test_is_what_was_sent_where_the_system_does_not_tell(
        self, pair: Pair, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sockets, "_TCP_INFO", None)
        assert acknowledged(pair.own, 7) == 7


class TestHasHungUp:
    def test_is_known_before_all_is_read(self, pair: Pair) -> None:
        pair.peer.send(b"last words")
        assert not has_hung_up(pair.own)
        pair.peer.shutdown(socket.SHUT_WR)
        until(lambda: has_hung_up(pair.own))
        assert pair.own.recv(100) == b"last words"

    def test_is_known_of_a_peer_that_is_gone(self, pair: Pair) -> None:
        pair.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        pair.peer.close()
        until(lambda: has_hung_up(pair.own))


class TestTurnAway:
    @pytest.mark.parametrize(("notice", "data"), [("Server is full", b"Server is full\n"), (None, b"")])
    def test_ends_with_the_notice_though_unread_input_waits(
        self, pair: Pair, notice: str | None, data: bytes
    ) -> None:
        pair.peer.send(b"hello\n")
        until(lambda: bool(select.select([pair.own], [], [], 0)[0]))
        turn_away(pair.own, notice)
        assert pair.own.fileno() == -1
        received = b""
        while more := pair.peer.recv(100):
            received += more
        assert received == data

    def test_of_one_that_is_gone_already_costs_nothing(self, pair: Pair) -> None:
        pair.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        pair.peer.close()
        until(lambda: has_hung_up(pair.own))
        turn_away(pair.own, "Server is full")
        assert pair.own.fileno() == -1
