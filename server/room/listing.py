"""Who is here, as `/list` tells it: made once for all who ask, and made again only where it has changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import notices

if TYPE_CHECKING:
    from .room import Member

_MEMBERS = 64
"""How many share a page: so much is made again when one of them comes, goes or takes a name."""


class Page:
    """Lines that many members get, encoded once for all who have the same line ends."""

    __slots__ = ("_crlf", "_lf")

    def __init__(self, lines: Iterable[str]) -> None:
        self._lf = "".join(f"{line}\n" for line in lines).encode()
        self._crlf: bytes | None = None

    def encoded(self, *, crlf: bool) -> bytes:
        """The lines, each with its line end."""
        if not crlf:
            return self._lf
        if self._crlf is None:
            self._crlf = self._lf.replace(b"\n", b"\r\n")
        return self._crlf


class Listing:
    """The members in order of joining, a line each, in pages that are kept until one of theirs changes."""

    def __init__(self) -> None:
        self._joined = 0
        self._numbers: dict[int, int] = {}  # of the pages, by the id of a member
        self._members: dict[int, dict[int, Member]] = {}  # of each page
        self._pages: dict[int, Page] = {}  # those that are made

    def add(self, member: Member) -> None:
        """Take in `member`, the last to join."""
        number = self._joined // _MEMBERS
        self._joined += 1
        self._numbers[member.id] = number
        self._members.setdefault(number, {})[member.id] = member
        self._pages.pop(number, None)

    def change(self, member: Member) -> None:
        """Show `member` by its new name."""
        self._pages.pop(self._numbers[member.id], None)

    def remove(self, member: Member) -> None:
        """Leave out `member` from now on."""
        number = self._numbers.pop(member.id)
        self._pages.pop(number, None)
        del self._members[number][member.id]
        if not self._members[number]:
            del self._members[number]

    def all_but(self, member: Member) -> list[Page]:
        """The pages for `member`, who is not told of itself; none where nobody else is here."""
        own = self._numbers[member.id]
        found: list[Page] = []
        for number, members in self._members.items():
            if number == own:
                if len(members) > 1:
                    found.append(_page(other for other in members.values() if other is not member))
                continue
            page = self._pages.get(number)
            if page is None:
                page = self._pages[number] = _page(members.values())
            found.append(page)
        return found


def _page(members: Iterable[Member]) -> Page:
    return Page(notices.listed(member.address, member.name) for member in members)
