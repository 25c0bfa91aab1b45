"""Who is here: one page for many, and each member told of all the others, in order of joining."""

from __future__ import annotations

import random

import pytest
from support.recording import Scene

from chat_console.server.room import listing
from chat_console.server.room.listing import Listing, Page
from chat_console.server.room.room import Member


def lines(pages: list[Page]) -> list[str]:
    return b"".join(page.encoded(crlf=False) for page in pages).decode().splitlines()


class TestPage:
    def test_is_encoded_once_for_each_line_end(self) -> None:
        page = Page(["a", "b"])
        assert page.encoded(crlf=False) == b"a\nb\n"
        assert page.encoded(crlf=True) == b"a\r\nb\r\n"
        for crlf in (False, True):
            assert page.encoded(crlf=crlf) is page.encoded(crlf=crlf)


class TestListing:
    def listing(self, count: int) -> tuple[Listing, list[Member]]:
        listing = Listing()
        members = [Member(number, f"10.0.0.1|{number}") for number in range(count)]
        for member in members:
            listing.add(member)
        return listing, members

    def test_is_shared_but_for_the_page_of_who_asks(self) -> None:
        listing, members = self.listing(1000)
        first, other = listing.all_but(members[0]), listing.all_but(members[500])
        assert sum(a is b for a, b in zip(first, other, strict=True)) == len(first) - 2

    def test_is_made_again_only_where_somebody_changed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        listing_, members = self.listing(1000)
        listing_.all_but(members[0])
        made: list[object] = []
        monkeypatch.setattr(listing, "Page", lambda lines: made.append(lines) or Page(lines))
        members[700].nickname = "Ann"
        listing_.change(members[700])
        assert "10.0.0.1|700 as Ann" in lines(listing_.all_but(members[0]))
        assert len(made) == 2  # that page, and the one of who asks

    def test_tells_of_all_others_in_order_of_joining_whoever_comes_and_goes(self) -> None:
        chance = random.Random(7)
        listing, here = self.listing(0)
        for number in range(600):
            if here and chance.random() < 0.4:
                listing.remove(here.pop(chance.randrange(len(here))))
            else:
                here.append(Member(number, f"10.0.0.1|{number}"))
                listing.add(here[-1])
            if here:
                asking = chance.choice(here)
                others = [f"{member.address} as {member.name}" for member in here if member is not asking]
                assert lines(listing.all_but(asking)) == others

    def test_keeps_nothing_of_those_who_are_gone(self) -> None:
        listing, members = self.listing(300)
        listing.all_but(members[0])
        for member in members:
            listing.remove(member)
        assert not (listing._members or listing._pages or listing._numbers)


def test_the_answer_to_a_client_is_made_of_pages() -> None:
    scene = Scene()
    ann, _ = scene.gather("Ann", "Bob")
    pages: list[object] = []
    scene.fanout.to = lambda member, line: pages.append(line)  # type: ignore[method-assign, assignment]
    scene.send(ann, "/list")
    assert [type(page) for page in pages[0]] == [Page]  # type: ignore[attr-defined]
