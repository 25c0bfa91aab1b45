"""The roster: the members by id, address, and nickname with all that look like it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import TypeVar

from ..addresses import PackedAddress, address_in, pack
from .listing import Listing
from .member import Member
from .names import MAX_NAME_LENGTH, one_edit_away, skeleton

K = TypeVar("K", bound=Hashable)


class _Index(dict[K, Member | dict[int, Member]]):
    """Members by a key that several may share, and hardly ever do: then by id."""

    def add(self, key: K, member: Member) -> None:
        found = self.setdefault(key, member)
        if isinstance(found, dict):
            found[member.id] = member
        elif found is not member:
            self[key] = {found.id: found, member.id: member}

    def discard(self, key: K, member: Member) -> None:
        found = self.pop(key)
        if isinstance(found, dict):
            del found[member.id]
            self[key] = found if len(found) > 1 else next(iter(found.values()))

    def all(self, key: K) -> Collection[Member]:
        found = self.get(key)
        if found is None:
            return ()
        return found.values() if isinstance(found, dict) else (found,)


class Roster:
    """The members, in order of joining."""

    def __init__(self) -> None:
        self._members: dict[int, Member] = {}
        # One address and port can connect to two endpoints.
        self._by_address = _Index[PackedAddress]()
        self._by_name = _Index[str]()  # under each of the `_keys`
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
        self._by_address.add(member.packed_address, member)
        self.listing.add(member)

    def remove(self, member_id: int) -> Member | None:
        """Remove the member with this id and return it; None if it is already gone."""
        member = self._members.pop(member_id, None)
        if member is not None:
            self.listing.remove(member)
            self._by_address.discard(member.packed_address, member)
            self._forget_nickname(member)
        return member

    def clear(self) -> Sequence[Member]:
        """Remove all members and return them."""
        members = self.members
        self._members.clear()
        self._by_address.clear()
        self._by_name.clear()
        self.listing = Listing()
        return members

    def rename(self, member: Member, nickname: str) -> None:
        """Give `member` a new nickname."""
        self._forget_nickname(member)
        member.nickname = nickname
        for key in _keys(nickname):
            self._by_name.add(key, member)
        self.listing.changed(member)

    def find(self, target: str | int) -> Sequence[Member]:
        """The members that `target` names, in order of joining: an id, address, or nickname in any case."""
        if isinstance(target, int):
            member = self.get(target)
            return () if member is None else (member,)
        folded = _folded(target)
        bearers = self._at(folded) or self._called(folded)
        exact = [member for member in bearers if member.nickname == target]
        return sorted(exact or bearers, key=lambda member: member.id)

    def similar(self, target: str) -> str | None:
        """The nickname of a member that `target` may be a mistyped form of; None if there is none."""
        if len(target) <= MAX_NAME_LENGTH:
            for name in one_edit_away(_folded(target)):
                for member in self._called(name):
                    return member.nickname
        return None

    def is_taken(self, nickname: str, but: Member) -> bool:
        """Whether a member other than `but` has `nickname`, or one that looks like it."""
        look = skeleton(nickname)
        alike = [one for one in self._by_name.all(look) if skeleton(one.nickname or "") == look]
        return any(one is not but for one in (*self._called(_folded(nickname)), *alike))

    def _at(self, address: str) -> Collection[Member]:
        """The members from `address`, which may be any text."""
        found = address_in(address)
        return () if found is None else self._by_address.all(pack(found))

    def _called(self, folded: str) -> Collection[Member]:
        """The members whose nickname in lower case is `folded`."""
        return [one for one in self._by_name.all(folded) if _folded(one.nickname or "") == folded]

    def _forget_nickname(self, member: Member) -> None:
        if member.nickname is not None:
            for key in _keys(member.nickname):
                self._by_name.discard(key, member)


def _keys(nickname: str) -> Collection[str]:
    """What a nickname is found by: its lower case, and what it has in common with all that look like it."""
    folded, look = _folded(nickname), skeleton(nickname)
    # No copy is kept of what is the nickname itself.
    folded = nickname if folded == nickname else folded
    return (folded,) if look == folded else (folded, look)


def _folded(name: str) -> str:
    """`name` as the key under which all spellings in upper and lower case are the same."""
    return name.lower()
