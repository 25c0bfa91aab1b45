"""IP addresses and networks: how they are parsed, shown, and grouped for limits and bans."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Generic, NamedTuple, TypeVar

_BITS = {4: 32, 6: 128}

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

IPV4 = rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}"
"""A pattern for an IPv4 address, as `ipaddress` takes it."""

_is_ipv4 = re.compile(IPV4).fullmatch


class Network(NamedTuple):
    """The addresses that share their first `length` bits. A single address is a network too.

    Networks sort by IP version, then by address, then larger before smaller.
    """

    version: int
    first: int
    length: int

    def __str__(self) -> str:
        kind = ipaddress.IPv4Address if self.version == 4 else ipaddress.IPv6Address
        return f"{kind(self.first)}/{self.length}"

    @property
    def shown(self) -> str:
        """As an operator would type it: a network of one address as the bare address."""
        text = str(self)
        return text.partition("/")[0] if self.length == _BITS[self.version] else text

    def widened(self, length: int) -> Network:
        """The network of `length` bits that contains this one; `length` is at most its own."""
        return Network(self.version, self.first & _MASKS[self.version][length], length)


_MASKS = {
    version: tuple((1 << bits) - (1 << bits - length) for length in range(bits + 1))
    for version, bits in _BITS.items()
}
_LOOPBACK = {4: (127 << 24, 8), 6: (1, 128)}


@lru_cache(1024)  # each connection asks several times
def address_of(host: str) -> Network:
    """Parse the IP address `host`: an IPv4-mapped one becomes IPv4, and the interface (`%eth0`) is dropped.

    Raises:
        ValueError: if it is not an IP address.
    """
    if _is_ipv4(host):  # most are, and a parser for all of them takes three times as long
        return Network(4, int.from_bytes(map(int, host.split("."))), 32)
    address = ipaddress.IPv6Address(host) if ":" in host else ipaddress.IPv4Address(host)
    return _unmapped(Network(address.version, int(address), address.max_prefixlen))


def network_of(text: str, *, strict: bool = False) -> Network:
    """Parse `text`, an IP address with or without a prefix length, as a network.

    An IPv4-mapped network becomes IPv4: `::ffff:192.0.2.0/120` is `192.0.2.0/24`.

    Raises:
        ValueError: if it is neither, or if `strict` and the address has bits set after the prefix.
    """
    if "/" not in text:
        return address_of(text)
    network = ipaddress.ip_network(text, strict=strict)
    if network.version == 6 and network.prefixlen < 96 and _is_mapped(int(ipaddress.ip_interface(text).ip)):
        raise ValueError(f"{text!r}: the prefix of an IPv4-mapped network has at least 96 bits")
    return _unmapped(Network(network.version, int(network.network_address), network.prefixlen))


def _is_mapped(number: int) -> bool:
    """Whether the IPv6 address `number` is IPv4-mapped: in ::ffff:0:0/96 (RFC 4291, 2.5.5.2)."""
    return number >> 32 == 0xFFFF


def _unmapped(network: Network) -> Network:
    if network.version == 6 and network.length >= 96 and _is_mapped(network.first):
        return Network(4, network.first & 0xFFFF_FFFF, network.length - 96)
    return network


def plain_host(host: str) -> str:
    """The peer's address from `accept`, as it is shown: an IPv4-mapped one as IPv4."""
    address = address_of(host)
    return address.shown if address.version == 4 else host


def is_loopback(host: str) -> bool:
    """Whether `host` is a loopback IP address, which everybody on this machine shares."""
    return is_of_this_machine(address_of(host))


def is_link_local(host: str) -> bool:
    """Whether `host` is an IPv6 link-local address (RFC 4291, 2.5.6)."""
    return _is_link_local(address_of(host))


def _is_link_local(address: Network) -> bool:
    return address.version == 6 and address.first >> 118 == 0xFE80 >> 6


def is_of_this_machine(network: Network) -> bool:
    """Whether `network` overlaps the loopback addresses, which everybody on this machine shares."""
    version, first, length = network
    loopback, prefix = _LOOPBACK[version]
    return not (first ^ loopback) & _MASKS[version][min(length, prefix)]


def counted(address: Network) -> Network:
    """The network under which `address` is counted and banned.

    One machine may use a whole IPv6 /64 (RFC 4291, 2.5.4); the link-local /64 is shared by all on the link.
    """
    if address.version == 4 or _is_link_local(address) or address.first == 1:
        return address
    return address.widened(64)


class Address(NamedTuple):
    """The far end of a connection, as `accept` returned it; shown as `{host}|{port}`."""

    host: str
    """The IP address; an IPv4-mapped one as IPv4."""

    port: int

    def __str__(self) -> str:
        return f"{self.host}|{self.port}"

    @property
    def ip(self) -> Network:
        """The IP address, for looking it up among networks."""
        return address_of(self.host)


def address_in(text: str) -> Address | None:
    """The address that is shown as `text`; None if none is."""
    host, _, port = text.rpartition("|")
    if not (port.isascii() and port.isdigit() and len(port) <= len("65535")):
        return None
    address = Address(host, int(port))
    return address if str(address) == text else None


PackedAddress = int | str
"""An address in little memory: a number if its host is an IP address as usually written, else as shown.

The last 16 bits are the port, and what is before them the IP address, for IPv6 with a 1 in front of its bits.
"""

_PORT_BITS = 16
_LAST_PORT = (1 << _PORT_BITS) - 1
_OF_IPV6 = 1 << _BITS[6]


def pack(address: Address) -> PackedAddress:
    """Return `address` in little memory. Only equal addresses are the same so packed."""
    text = str(address)
    try:
        if ":" in address.host:
            number = int.from_bytes(inet_pton(AF_INET6, address.host))
            if _is_mapped(number):
                return text
            number |= _OF_IPV6
        else:
            number = int.from_bytes(inet_pton(AF_INET, address.host))
    except (OSError, ValueError):  # as with an interface: fe80::1%eth0
        return text
    number = number << _PORT_BITS | address.port & _LAST_PORT
    return number if packed_text(number) == text else text


def pack_ipv4(octets: Iterable[int], port: int) -> PackedAddress:
    """Return the address of an IPv4 host, given by its four octets, in little memory."""
    return int.from_bytes(octets) << _PORT_BITS | port


def unpack(packed: PackedAddress) -> Address:
    """Return the address that was packed."""
    host, _, port = packed_text(packed).rpartition("|")
    return Address(host, int(port))


def packed_text(packed: PackedAddress) -> str:
    """Return the address that was packed, as it is shown."""
    if isinstance(packed, str):
        return packed
    number, port = packed >> _PORT_BITS, packed & _LAST_PORT
    if number & _OF_IPV6:
        return f"{inet_ntop(AF_INET6, (number ^ _OF_IPV6).to_bytes(16))}|{port}"
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}|{port}"


def packed_ip(packed: PackedAddress) -> Network:
    """Return the IP address of the address that was packed."""
    if isinstance(packed, str):
        return unpack(packed).ip
    number = packed >> _PORT_BITS
    return Network(6, number ^ _OF_IPV6, 128) if number & _OF_IPV6 else Network(4, number, 32)


def within(networks: Iterable[Network]) -> Callable[[PackedAddress], bool]:
    """Return a function that tells, for many packed addresses, whether any of `networks` contains one."""
    prefixes: dict[int, set[int]] = {}  # by the number of bits that come after them
    others: NetworkMap[bool] = NetworkMap()
    for network in networks:
        others[network] = True
        rest = _BITS[network.version] - network.length
        first = network.first | _OF_IPV6 if network.version == 6 else network.first
        prefixes.setdefault(rest + _PORT_BITS, set()).add(first >> rest)
    shifts = tuple(prefixes.items())

    def is_within(packed: PackedAddress) -> bool:
        if isinstance(packed, str):
            return others.covers(packed_ip(packed))
        for shift, starts in shifts:
            if packed >> shift in starts:
                return True
        return False

    return is_within


class Endpoint(NamedTuple):
    """An address or host name to listen on, and the TCP port; shown as in a URL (RFC 3986, 3.2.2)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


V = TypeVar("V")


class NetworkMap(Generic[V]):
    """A value for each of many networks, found by address with one look-up per prefix length."""

    def __init__(self) -> None:
        self._values: dict[tuple[int, int, int], V] = {}
        self._lengths: dict[int, dict[int, int]] = {4: {}, 6: {}}  # version, prefix length: how many networks

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
        """The value for exactly `network`."""
        return self._values.get(network)

    def covers(self, address: Network) -> bool:
        """Whether there is a value for any network that contains `address`."""
        version, number, _ = address
        masks, values = _MASKS[version], self._values
        for length in self._lengths[version]:
            if (version, number & masks[length], length) in values:
                return True
        return False

    def covering(self, address: Network) -> Iterator[V]:
        """The values for the networks that contain `address`."""
        version, number, _ = address
        for length in self._lengths[version]:
            value = self._values.get((version, number & _MASKS[version][length], length))
            if value is not None:
                yield value
