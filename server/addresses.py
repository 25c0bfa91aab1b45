"""IP addresses and networks: how they are read and shown, and which of them count as one."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

_BITS = {4: 32, 6: 128}


class Network(NamedTuple):
    """Addresses that begin with the same `length` bits. A single address is a network too.

    Networks sort by IP version, then by address, then the larger one first.
    """

    version: int
    first: int
    length: int

    def __str__(self) -> str:
        kind = ipaddress.IPv4Address if self.version == 4 else ipaddress.IPv6Address
        return f"{kind(self.first)}/{self.length}"

    @property
    def shown(self) -> str:
        """As an operator types it: a network of one address as that address."""
        text = str(self)
        return text.partition("/")[0] if self.length == _BITS[self.version] else text

    def widened(self, length: int) -> Network:
        """The network of `length` bits, at most its own, that this one is in."""
        return Network(self.version, self.first & _MASKS[self.version][length], length)


_MASKS = {
    version: tuple((1 << bits) - (1 << bits - length) for length in range(bits + 1))
    for version, bits in _BITS.items()
}
_LOOPBACK = {4: (127 << 24, 8), 6: (1, 128)}


@lru_cache(1024)  # each connection asks several times
def address_of(host: str) -> Network:
    """The IP address `host`: an IPv4 one in IPv6 as IPv4, without the interface that it came in on.

    Raises:
        ValueError: if it is not an IP address.
    """
    address = ipaddress.ip_address(host)
    return _unmapped(Network(address.version, int(address), address.max_prefixlen))


def network_of(text: str, *, strict: bool = False) -> Network:
    """The network that `text` is: an IP address alone, or one with the length of its prefix.

    An IPv4 address in IPv6 is that IPv4 address: `::ffff:192.0.2.0/120` is `192.0.2.0/24`.

    Raises:
        ValueError: if it is neither, or `strict` and its address has bits behind the prefix.
    """
    if "/" not in text:
        return address_of(text)
    network = ipaddress.ip_network(text, strict=strict)
    if network.version == 6 and network.prefixlen < 96 and _is_mapped(int(ipaddress.ip_interface(text).ip)):
        raise ValueError(f"{text!r}: the prefix of an IPv4 address in IPv6 has 96 bits or more")
    return _unmapped(Network(network.version, int(network.network_address), network.prefixlen))


def _is_mapped(number: int) -> bool:
    """Whether the IPv6 address `number` is an IPv4 one: ::ffff:0:0/96 (RFC 4291, 2.5.5.2)."""
    return number >> 32 == 0xFFFF


def _unmapped(network: Network) -> Network:
    if network.version == 6 and network.length >= 96 and _is_mapped(network.first):
        return Network(4, network.first & 0xFFFF_FFFF, network.length - 96)
    return network


def plain_host(host: str) -> str:
    """The peer's address that accept gave, as it is shown: an IPv4 one that came in over IPv6 as IPv4."""
    address = address_of(host)
    return address.shown if address.version == 4 else host


def is_loopback(host: str) -> bool:
    """Whether everybody on this machine has the IP address `host`."""
    return is_of_this_machine(address_of(host))


def is_link_local(host: str) -> bool:
    """Whether the IPv6 address `host` is one of a link alone (RFC 4291, 2.5.6)."""
    return _is_link_local(address_of(host))


def _is_link_local(address: Network) -> bool:
    return address.version == 6 and address.first >> 118 == 0xFE80 >> 6


def is_of_this_machine(network: Network) -> bool:
    """Whether loopback addresses are in `network`, which everybody on this machine has."""
    version, first, length = network
    loopback, prefix = _LOOPBACK[version]
    return not (first ^ loopback) & _MASKS[version][min(length, prefix)]


def counted(address: Network) -> Network:
    """The network as which `address` is counted and banned.

    One machine has all of an IPv6 /64 (RFC 4291, 2.5.4), except on the link, where all machines share one.
    """
    if address.version == 4 or _is_link_local(address) or address.first == 1:
        return address
    return address.widened(64)


V = TypeVar("V")


class NetworkMap(Generic[V]):
    """Something for each of many networks, found by an address with one look-up for each length of prefix."""

    def __init__(self) -> None:
        self._values: dict[tuple[int, int, int], V] = {}
        self._lengths: dict[int, dict[int, int]] = {4: {}, 6: {}}  # of each prefix: how many there are

    def __len__(self) -> int:
        return len(self._values)

    def __setitem__(self, network: Network, value: V) -> None:
        if network not in self._values:
            lengths = self._lengths[network.version]
            lengths[network.length] = lengths.get(network.length, 0) + 1
        self._values[network] = value

    def __delitem__(self, network: Network) -> None:
        del self._values[network]
        lengths = self._lengths[network.version]
        lengths[network.length] -= 1
        if not lengths[network.length]:
            del lengths[network.length]

    def get(self, network: Network) -> V | None:
        """What there is for exactly `network`."""
        return self._values.get(network)

    def covers(self, address: Network) -> bool:
        """Whether there is something for a network that `address` is in."""
        version, number, _ = address
        masks, values = _MASKS[version], self._values
        for length in self._lengths[version]:
            if (version, number & masks[length], length) in values:
                return True
        return False

    def covering(self, address: Network) -> Iterator[V]:
        """What there is for the networks that `address` is in."""
        version, number, _ = address
        for length in self._lengths[version]:
            value = self._values.get((version, number & _MASKS[version][length], length))
            if value is not None:
                yield value
