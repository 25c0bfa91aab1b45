"""The addresses at which people can reach this machine, taken from the system: no name is looked up."""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from ..server.addresses import Endpoint
from ..server.chat_server import ChatServer
from ..server.room import notices

_UP, _RUNNING = 0x1, 0x40  # IFF_UP and IFF_RUNNING of <net/if.h>, the same on Linux, macOS and the BSDs
_MOST = 10  # a machine that runs containers or a router can have hundreds

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def who_can_join(server: ChatServer) -> list[str]:
    """Return what to tell the operator of an open `server`: warnings, and what people type to join.

    Empty if only this machine can join, and nothing goes to other nodes as it is.
    """
    link = [notices.link_warning()] if server.link_is_exposed else []
    if not server.is_public:
        return link
    encrypted = server.settings.encrypted
    ways = [
        notices.join_with(Endpoint(address, server.port), encrypted=encrypted)
        for address in reachable([endpoint.host for endpoint in server.endpoints])[:_MOST]
    ]
    return [notices.public_warning(encrypted=encrypted), *ways, *link]


def ways_to_join(server: ChatServer) -> list[str]:
    """Return what people type to join, for each address on which `server` listens: this machine's last."""
    listening = [endpoint.host for endpoint in server.endpoints]
    own = [host for host in map(_own_loopback, listening) if host]
    hosts = dict.fromkeys([*reachable(listening)[:_MOST], *own])
    return [
        notices.join_command(Endpoint(host, server.port), encrypted=server.settings.encrypted)
        for host in hosts
    ]


def _own_loopback(host: str) -> str | None:
    """Return the address at which this machine itself reaches a listener on `host`, if that is loopback."""
    address = _address(host)
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "::1"
    return host if address.is_loopback else None


def reachable(listening: Sequence[str]) -> list[str]:
    """Return the addresses at which others can reach a server that listens on `listening`, IPv4 first.

    An unspecified address is replaced by the addresses that this machine has now. Loopback addresses are left
    out, and so are link-local ones, which mean nothing without the name of an interface.
    """
    found: set[Address] = set()
    for address in map(_address, listening):
        if address.is_unspecified:
            # `::` alone takes IPv4 as well.
            versions = (4, 6) if address.version == 6 and len(listening) == 1 else (address.version,)
            found |= {own for own in own_addresses() if own.version in versions}
        else:
            found.add(address)
    usable = [address for address in found if not (address.is_loopback or address.is_link_local)]
    return [str(address) for address in sorted(usable, key=lambda address: (address.version, int(address)))]


def own_addresses() -> set[Address]:
    """Return all addresses of the interfaces that are up and connected; none if the system cannot say."""
    try:
        library = ctypes.CDLL(None)
        first = ctypes.POINTER(_Interface)()
        if library.getifaddrs(ctypes.byref(first)):
            return set()
        try:
            return set(_listed(first))
        finally:
            library.freeifaddrs(first)
    except (OSError, AttributeError):
        return set()


class _Interface(ctypes.Structure):
    """An interface's address in a linked list: `struct ifaddrs` of getifaddrs(3)."""


_Interface._fields_ = [
    ("next", ctypes.POINTER(_Interface)),
    ("name", ctypes.c_char_p),
    ("flags", ctypes.c_uint),
    ("address", ctypes.c_void_p),
]


def _listed(entry: Any) -> Iterator[Address]:
    while entry:
        interface = entry.contents
        if interface.address and interface.flags & _UP and interface.flags & _RUNNING:
            # On macOS and the BSDs the first byte is the length, and the family is a single byte.
            head = ctypes.string_at(interface.address, 2)
            family = struct.unpack("=H", head)[0] if sys.platform == "linux" else head[1]
            if family == socket.AF_INET:
                yield ipaddress.IPv4Address(ctypes.string_at(interface.address + 4, 4))
            elif family == socket.AF_INET6:
                yield ipaddress.IPv6Address(ctypes.string_at(interface.address + 8, 16))
        entry = interface.next


def _address(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])
