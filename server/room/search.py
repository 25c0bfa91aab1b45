"""A search of the member list for a word, step by step: a million members are more than one turn's work."""

from __future__ import annotations

from collections.abc import Iterator

from ..addresses import packed_text
from . import notices
from .listing import LISTED, Listing, shown
from .member import Member

_IN_NUMBERS = frozenset("0123456789.|")
"""What an address consists of that is kept as a number, if it is one of IPv4."""


class Search:
    """Finds the members whose name or address has `word`, in upper or lower case.

    Who joins or leaves meanwhile may be found or not.

    Args:
        listing: the member list.
        word: what is looked for.
        but: the member who asks, and is not looked for; None if an operator asks.
    """

    def __init__(self, listing: Listing, word: str, but: Member | None = None) -> None:
        self._parts = listing.parts
        self._word = word
        self._but = but
        self._found: list[tuple[str, str]] = []
        self._count = 0

    def steps(self) -> Iterator[None]:
        """Carry out the search, a short step at a time."""
        word = self._word.lower()
        may_be_ipv4 = _IN_NUMBERS.issuperset(word)
        for part in self._parts:
            for member in part.members:
                nickname, packed = member.nickname, member.packed_address
                if nickname is not None and word in nickname.lower():
                    self._add(member)
                elif isinstance(packed, str) or packed >> 48 or may_be_ipv4:
                    if word in packed_text(packed).lower():
                        self._add(member)
            yield

    def _add(self, member: Member) -> None:
        if member is not self._but:
            self._count += 1
            if len(self._found) < LISTED:
                self._found.append(shown(member))

    @property
    def answer(self) -> str:
        """What was found, one or more lines."""
        if not self._count:
            return notices.nobody_with(self._word, others=self._but is not None)
        lines = [notices.listed(self._found)]
        if self._count > len(self._found):
            lines.append(notices.more_with(self._count - len(self._found), self._word))
        return "\n".join(lines)
