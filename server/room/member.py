"""A member: what the room knows of one client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..addresses import Address, Network, PackedAddress, pack, packed_ip, packed_text, unpack

if TYPE_CHECKING:
    from .listing import Part


class Member:
    """One client in the room. Its `id` is never reused.

    A room may have a million of them, so that each byte counts: what is seldom asked for is not kept.
    """

    __slots__ = ("has_spoken", "id", "lines", "muted_at", "muted_until", "nickname", "packed_address", "part")

    def __init__(self, id: int, address: Address | PackedAddress) -> None:  # noqa: A002
        self.id = id
        self.packed_address = pack(address) if isinstance(address, Address) else address
        """The address in little memory, as it is kept."""
        self.nickname: str | None = None
        self.muted_at: float | None = None
        """When it was muted, in wall-clock time; None if it may speak."""
        self.muted_until: float | None = None
        """When the mute ends, in wall-clock time; None = when it is unmuted."""
        self.lines = 0
        """How many lines it has said, in public or in private."""
        self.has_spoken = False
        """Whether it has said something in public."""
        self.part: Part
        """The part of the member list that it is in, once it is in a roster."""

    @property
    def address(self) -> Address:
        """Where it connected from."""
        return unpack(self.packed_address)

    @property
    def ip(self) -> Network:
        """The IP address, for looking it up among networks."""
        return packed_ip(self.packed_address)

    @property
    def name(self) -> str:
        """The nickname, or the address if it has none yet."""
        return self.nickname or packed_text(self.packed_address)

    @property
    def muted(self) -> bool:
        """Whether what it says is kept from everybody."""
        return self.muted_at is not None
