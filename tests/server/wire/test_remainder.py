"""What a client that is gone has left: every line of it is counted, and none is heard."""

from __future__ import annotations

import socket

import pytest

from chat_console.server.settings import Settings
from chat_console.server.wire.inbox import Inbox
from chat_console.server.wire.remainder import Remainder


@pytest.fixture
def inbox() -> Inbox:
    """One with two lines that wait, and the beginning of a third."""
    inbox = Inbox(Settings(burst=1, rate=1), 0.0)
    inbox.receive(b"one\ntwo\nthree\nfo")
    assert inbox.ready(0.0) == ["one"]
    return inbox


def counted(rest: Remainder) -> tuple[int, int]:
    """How many parts there were, and how many lines."""
    parts = 1
    while rest.drop():
        parts += 1
    return parts, rest.lines


def test_where_all_was_read_is_what_waits(inbox: Inbox) -> None:
    assert counted(Remainder(None, None, inbox)) == (1, 2)
    assert not inbox.waits


def test_is_also_what_was_not_read_a_part_at_a_time(inbox: Inbox) -> None:
    own, peer = socket.socketpair()
    with own, peer:
        peer.sendall(b"ur\n" + b"x\n" * 20_000)
        peer.close()
        parts, lines = counted(Remainder(own, None, inbox))
        assert parts > 2
        assert lines == 20_003


def test_of_a_client_that_does_not_end_is_what_has_come_so_far(inbox: Inbox) -> None:
    own, peer = socket.socketpair()
    with own, peer:
        own.setblocking(False)
        peer.sendall(b"ur\n")
        assert counted(Remainder(own, None, inbox)) == (2, 3)


def test_ends_where_the_connection_is_broken(inbox: Inbox) -> None:
    own, peer = socket.socketpair()
    with peer:
        own.close()
        assert counted(Remainder(own, None, inbox)) == (1, 2)
