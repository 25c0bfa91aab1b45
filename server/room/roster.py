"""The roster: the members by id, address, nickname and skeleton."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..addresses import Address, Network
from .listing import Listing
from .names import MAX_NAME_LENGTH, one_edit_away, skeleton


@dataclass(eq=False, slots=True)
class Member:
    """One client in the room. Its `id` is never reused."""

    id: int
    address: Address
    nickname: str | None = None
    muted_at: float | None = None
    """When it was muted, in wall-clock time; None if it may speak."""
    muted_until: float | None = None
    """When the mute ends, in wall-clock time; None = when it is unmuted."""
    lines: int = 0
    """How many lines it has said, in public or in private."""
    ip: Network = field(init=False, repr=False)
    """The IP address, for looking it up among networks."""
    name: str = field(init=False)
    """The nickname, or the address if it has none yet."""

    def __post_init__(self) -> None:
        self.ip = self.address.ip
        self.name = str(self.address)

    @property
    def muted(self) -> bool:
        """Whether what it says is kept from everybody."""
        return self.muted_at is not None


class _Index(dict[str, dict[int, Member]]):
    """Members by a key that several may share, then by id."""

    def add(self, key: str, member: Member) -> None:
        self.setdefault(key, {})[member.id] = member

    def discard(self, key: str, member: Member) -> None:
        del self[key][member.id]
        if not self[key]:
            del self[key]


class Roster:
    """The members, in order of joining."""

    def __init__(self) -> None:
        self._members: dict[int, Member] = {}
        # One address and port can connect to two endpoints; a tuple takes little room.
        self._by_address: dict[str, tuple[Member, ...]] = {}
        self._by_nickname = _Index()  # folded
        self._by_skeleton = _Index()
        self.listing = Listing()
        """The members as `/list` shows them."""

    def __len__(self) -> int:
        return len(self._members)

    @property
    def members(self) -> Sequence[Member]:
        """All members, in order of joining."""
        return tuple(self._members.values())

    def get(self, member_id: int) -> Member | None:
        """The member with this id, if it is still here."""
        return self._members.get(member_id)

    def add(self, member: Member) -> None:
        """Add `member`, which has no nickname yet."""
        self._members[member.id] = member
        self._by_address[member.name] = (*self._by_address.get(member.name, ()), member)
        self.listing.add(member.id, member.name)

    def remove(self, member_id: int) -> Member | None:
        """Remove the member with this id and return it; None if it is already gone."""
        member = self._members.pop(member_id, None)
        if member is not None:
            self.listing.remove(member.id)
            address = str(member.address)
            others = tuple(one for one in self._by_address.pop(address) if one is not member)
            if others:
                self._by_address[address] = others
            self._forget_nickname(member)
        return member

    def clear(self) -> Sequence[Member]:
        """Remove all members and return them."""
        members = self.members
        self._members.clear()
        self._by_address.clear()
        self._by_nickname.clear()
        self._by_skeleton.clear()
        self.listing = Listing()
        return members

    def rename(self, member: Member, nickname: str) -> None:
        """Give `member` a new nickname."""
        self._forget_nickname(member)
        member.nickname = member.name = nickname
        self._by_nickname.add(_folded(nickname), member)
        self._by_skeleton.add(skeleton(nickname), member)
        self.listing.rename(member.id, nickname)

    def find(self, target: str | int) -> Sequence[Member]:
        """The members that `target` names, in order of joining: an id, address, or nickname in any case."""
        if isinstance(target, int):
            member = self.get(target)
            return () if member is None else (member,)
        folded = _folded(target)
        bearers = self._by_address.get(folded) or tuple(self._by_nickname.get(folded, {}).values())
        exact = [member for member in bearers if member.nickname == target]
        return sorted(exact or bearers, key=lambda member: member.id)

    def similar(self, target: str) -> str | None:
        """The nickname of a member that `target` may be a mistyped form of; None if there is none."""
        if len(target) <= MAX_NAME_LENGTH:
            for name in one_edit_away(_folded(target)):
                if bearers := self._by_nickname.get(name):
                    return next(iter(bearers.values())).name
        return None

    def is_taken(self, nickname: str, but: Member) -> bool:
        """Whether a member other than `but` has `nickname`, or one that looks like it."""
        bearers = self._by_nickname.get(_folded(nickname), {}), self._by_skeleton.get(skeleton(nickname), {})
        return any(others.keys() - {but.id} for others in bearers)

    def _forget_nickname(self, member: Member) -> None:
        if member.nickname is not None:
            self._by_nickname.discard(_folded(member.nickname), member)
            self._by_skeleton.discard(skeleton(member.nickname), member)


def _folded(name: str) -> str:
    """`name` as the key under which all spellings in upper and lower case are the same."""
    return name.lower()
