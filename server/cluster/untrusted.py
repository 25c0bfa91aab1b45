"""What other nodes send, checked before it is stored or shown to anybody."""

from __future__ import annotations

import re
import struct
from typing import Any

from ..addresses import (
    IPV4,
    Address,
    Network,
    PackedAddress,
    address_of,
    network_of,
    pack,
    pack_ipv4,
    packed_text,
    unpack,
)
from ..room.names import is_name
from ..room.text import clean

PROCESSES = 1 << 31
"""How many numbers there are for processes: the ids of members have 63 bits then, which SQLite can keep."""

_SIZE = struct.Struct("<H")

_over_ipv4 = re.compile(rf"({IPV4})\|([0-9]{{1,5}})".encode()).fullmatch
_host = re.compile(r"[0-9A-Fa-f:.]{2,45}(?:%[0-9A-Za-z_.@-]{1,16})?", re.ASCII).fullmatch
_port = re.compile("[0-9]{1,5}", re.ASCII).fullmatch
_node = re.compile("[a-z0-9-]{1,32}", re.ASCII).fullmatch


class Malformed(ValueError):
    """What another node has sent is not understood at all."""


class Invalid(ValueError):
    """A value that cannot be; what stands beside it is not concerned."""


MOST_NODES = 1000
"""Of how many processes something is remembered, however many a node invents."""


def forget_oldest(known: dict[Any, Any], most: int = MOST_NODES) -> None:
    """Forget what `known` has had for longest, where that is more than `most`."""
    while len(known) > most:
        del known[next(iter(known))]


def process(number: int) -> int:
    """Return the number of a process.

    Raises:
        Invalid: if none can have it.
    """
    if number >= PROCESSES:
        raise Invalid
    return number


class Payload:
    """Bytes that are taken one piece after another."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at

    @property
    def has_more(self) -> bool:
        """Whether any bytes have not been taken."""
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        """Take the next `size` bytes.

        Raises:
            Malformed: if there are fewer.
        """
        piece = self._data[self._at : self._at + size]
        if len(piece) < size:
            raise Malformed("it ends too early")
        self._at += size
        return piece

    def sized(self) -> bytes:
        """Take as many bytes as the `u16` before them says."""
        return self.take(*_SIZE.unpack(self.take(_SIZE.size)))

    def rest(self) -> bytes:
        """Take all that is left."""
        piece = self._data[self._at :]
        self._at = len(self._data)
        return piece


# Each of these raises `Invalid` if `data` is not what it should be.


def text(data: bytes, most: int) -> str:
    """What `data`, of at most `most` bytes, says, cleaned."""
    if len(data) > most:
        raise Invalid
    try:
        return clean(data.decode())  # which makes nothing longer
    except UnicodeDecodeError:
        raise Invalid from None


def words(data: bytes, most: int) -> str:
    """The same of what must say something."""
    cleaned = text(data, most)
    if not cleaned or cleaned.isspace():
        raise Invalid
    return cleaned


def nickname(data: bytes) -> str:
    """The nickname that `data` is."""
    name = data.decode("ascii", "replace")
    if not is_name(name):
        raise Invalid
    return name


def node_name(data: bytes) -> str:
    """The name of a node that `data` is."""
    name = data.decode("ascii", "replace")
    if not _node(name):
        raise Invalid
    return name


def shown_node(name: str) -> str:
    """`name` as an operator may see it: "?" if no node can be called that."""
    return name if _node(name) else "?"


def address(data: bytes) -> Address:
    """The address of a client that `data` is: host, `|` and port."""
    host, _, port = data.decode("ascii", "replace").partition("|")
    if not _host(host) or not _port(port) or int(port) > 0xFFFF:
        raise Invalid
    try:
        address_of(host)
    except ValueError:
        raise Invalid from None
    return Address(host, int(port))


def packed_address(data: bytes) -> PackedAddress:
    """The same, packed."""
    if (found := _over_ipv4(data)) and (port := int(found[2])) <= 0xFFFF:  # most are, and a state has many
        return pack_ipv4(map(int, found[1].split(b".")), port)
    return pack(address(data))


def address_bytes(client: Address) -> bytes:
    """The bytes of a client's address; an interface whose name others would not take is left out."""
    host = client.host if _host(client.host) else client.host.partition("%")[0]
    return f"{host}|{client.port}".encode()


def packed_address_bytes(client: PackedAddress) -> bytes:
    """The same of one that is packed."""
    return packed_text(client).encode() if isinstance(client, int) else address_bytes(unpack(client))


def network(data: bytes) -> Network:
    """The network that `data` is."""
    try:
        return network_of(data.decode("ascii"), strict=True)
    except ValueError:  # also if it is not ASCII
        raise Invalid from None
