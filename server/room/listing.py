"""The member list as `/list` shows it: made once for everybody, and remade only where it has changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice

from ..addresses import packed_text
from .member import Member

_MEMBERS = 64
"""Members per part: what is remade when one of them joins, leaves or takes a nickname."""

LISTED = 200
"""How many members an answer names that does not name all."""

LISTED_WHOLE = 1000
"""The most members that are all named, where there is a limit."""


class Page:
    """A part of the member list, shared by many recipients: addresses and names.

    Each codec encodes it once for everybody who uses that codec, and keeps the bytes in `encoded`.
    """

    __slots__ = ("encoded", "users")

    def __init__(self, users: Iterable[tuple[str, str]]) -> None:
        self.users = tuple(users)
        self.encoded: dict[object, bytes] = {}


def shown(member: Member) -> tuple[str, str]:
    """A member's address and name, as they are listed."""
    address = packed_text(member.packed_address)
    return address, member.nickname or address


def _page_of(members: Iterable[Member]) -> Page:
    return Page(map(shown, members))


class Part:
    """Members who joined one after another, and the page of them, once it is made."""

    __slots__ = ("members", "page")

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.page: Page | None = None


class Listing:
    """The members in order of joining, in parts whose pages are kept until one of their members changes."""

    def __init__(self) -> None:
        self._last = Part()
        self._parts: dict[Part, None] = {}  # in order; none is empty

    def add(self, member: Member) -> None:
        """Add the latest member to join."""
        if len(self._last.members) == _MEMBERS:
            self._last = Part()
        part = member.part = self._last
        part.members.append(member)
        part.page = None
        self._parts[part] = None

    def changed(self, member: Member) -> None:
        """Show a member under its new name."""
        member.part.page = None

    def remove(self, member: Member) -> None:
        """Remove a member."""
        part = member.part
        part.members.remove(member)
        part.page = None
        if not part.members:
            del self._parts[part]

    @property
    def parts(self) -> Sequence[Part]:
        """All parts, in order."""
        return tuple(self._parts)

    def first(self, but: Member | None = None) -> Sequence[tuple[str, str]]:
        """As many as are listed in part, the first to join, without the member `but`."""
        members = chain.from_iterable(part.members for part in self._parts)
        return [shown(member) for member in islice(members, LISTED + 1) if member is not but][:LISTED]

    def pages(self, but: Member | None = None) -> list[Page]:
        """The pages, without the member `but`; none if nobody else is here."""
        found: list[Page] = []
        for part in self._parts:
            if but is None or part is not but.part:
                if part.page is None:
                    part.page = _page_of(part.members)
                found.append(part.page)
            elif len(part.members) > 1:
                found.append(_page_of([member for member in part.members if member is not but]))
        return found
