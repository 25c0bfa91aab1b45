"""The member list as `/list` shows it: made once for everybody, and remade only where it has changed."""

from __future__ import annotations

from collections.abc import Iterable

_MEMBERS = 64
"""Members per page: what is remade when one of them joins, leaves or takes a nickname."""


class Page:
    """A part of the member list, shared by many recipients: addresses and names.

    Each codec encodes it once for everybody who uses that codec, and keeps the bytes in `encoded`.
    """

    __slots__ = ("encoded", "users")

    def __init__(self, users: Iterable[tuple[str, str]]) -> None:
        self.users = tuple(users)
        self.encoded: dict[object, bytes] = {}


class Listing:
    """The members in order of joining, in pages that are kept until one of their members changes."""

    def __init__(self) -> None:
        self._joined = 0
        self._numbers: dict[int, int] = {}  # the page of each member id
        self._users: dict[int, dict[int, tuple[str, str]]] = {}  # by page number, then member id
        self._pages: dict[int, Page] = {}  # those made so far

    def add(self, member_id: int, address: str) -> None:
        """Add the latest member to join."""
        number = self._joined // _MEMBERS
        self._joined += 1
        self._numbers[member_id] = number
        self._users.setdefault(number, {})[member_id] = address, address
        self._pages.pop(number, None)

    def rename(self, member_id: int, name: str) -> None:
        """Show a member under its new name."""
        number = self._numbers[member_id]
        self._pages.pop(number, None)
        users = self._users[number]
        users[member_id] = users[member_id][0], name

    def remove(self, member_id: int) -> None:
        """Remove a member."""
        number = self._numbers.pop(member_id)
        self._pages.pop(number, None)
        del self._users[number][member_id]
        if not self._users[number]:
            del self._users[number]

    def pages(self, but: int | None = None) -> list[Page]:
        """The pages, without the member `but`; none if nobody else is here."""
        own = None if but is None else self._numbers[but]
        found: list[Page] = []
        for number, users in self._users.items():
            if number == own:
                if len(users) > 1:
                    found.append(Page(user for one, user in users.items() if one != but))
                continue
            page = self._pages.get(number)
            if page is None:
                page = self._pages[number] = Page(users.values())
            found.append(page)
        return found
