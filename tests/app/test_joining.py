"""The addresses by which people reach this machine."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest

from chat_console.app import joining
from chat_console.app.joining import own_addresses, reachable

OWN = "192.0.2.2 127.0.0.1 10.1.2.3 169.254.7.7 2001:db8::2 ::1 fe80::1"


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "own_addresses", lambda: {ip_address(text) for text in OWN.split()})


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("listening", "expected"),
    [
        ("0.0.0.0", "10.1.2.3 192.0.2.2"),
        ("::", "10.1.2.3 192.0.2.2 2001:db8::2"),
        (":: 127.0.0.1", "2001:db8::2"),
        ("0.0.0.0 ::", "10.1.2.3 192.0.2.2 2001:db8::2"),
        ("192.0.2.2 0.0.0.0", "10.1.2.3 192.0.2.2"),
        ("198.51.100.1 127.0.0.1 ::1", "198.51.100.1"),
        ("fe80::1%eth0", ""),
        ("127.0.0.1", ""),
    ],
)
def test_reachable_is_what_others_can_use_of_what_is_listened_on(listening: str, expected: str) -> None:
    assert reachable(listening.split()) == expected.split()


def test_own_addresses_are_those_that_the_system_would_send_from() -> None:
    own = own_addresses()
    assert ip_address("127.0.0.1") in own
    for family, target in (socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"):
        # Connecting a datagram socket sends nothing, and chooses the address to send from.
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.connect((target, 9))
                address = sock.getsockname()[0]
        except OSError:
            continue  # no such network here
        assert ip_address(address.partition("%")[0]) in own


def test_there_are_none_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str | None) -> None:
        raise OSError("no such library")

    monkeypatch.setattr(joining.ctypes, "CDLL", refuse)
    assert own_addresses() == set()
