"""Who is here: one page for many, and each member told of all the others, in order of joining."""

from __future__ import annotations

import random
from collections.abc import Sequence

from support.pure_room import PureRoom

from chat_console.server.addresses import Address
from chat_console.server.room.entries import Join, Lines
from chat_console.server.room.listing import Listing, Page
from chat_console.server.room.member import Member
from chat_console.server.wire.codec import CRLF, LF


def users(pages: Sequence[Page]) -> list[tuple[str, str]]:
    return [user for page in pages for user in page.users]


def listing_of(count: int) -> tuple[Listing, list[Member]]:
    """Members with the ids from 0 on, none of them with a nickname."""
    listing = Listing()
    members = [Member(number, Address("10.0.0.1", number)) for number in range(count)]
    for member in members:
        listing.add(member)
    return listing, members


def rename(listing: Listing, member: Member, nickname: str = "Ann") -> None:
    member.nickname = nickname
    listing.changed(member)


def shown(member: Member) -> tuple[str, str]:
    return str(member.address), member.name


def test_a_page_is_encoded_once_for_each_codec() -> None:
    page = Page([("10.0.0.1|1", "Ann"), ("10.0.0.1|2", "10.0.0.1|2")])
    assert LF.encode(page) == b"10.0.0.1|1 as Ann\n10.0.0.1|2 as 10.0.0.1|2\n"
    assert CRLF.encode(page) == b"10.0.0.1|1 as Ann\r\n10.0.0.1|2 as 10.0.0.1|2\r\n"
    for codec in (LF, CRLF):
        assert codec.encode(page) is codec.encode(page)


class TestListing:
    def test_is_shared_but_for_the_page_of_who_asks(self) -> None:
        listing, members = listing_of(1000)
        first, other = listing.pages(but=members[0]), listing.pages(but=members[500])
        assert sum(a is b for a, b in zip(first, other, strict=True)) == len(first) - 2

    def test_is_shared_as_a_whole_by_those_who_are_not_in_it(self) -> None:
        listing, members = listing_of(1000)
        first, other, own = listing.pages(), listing.pages(), listing.pages(but=members[0])
        assert all(a is b for a, b in zip(first, other, strict=True))
        assert sum(a is b for a, b in zip(first, own, strict=True)) == len(first) - 1
        assert users(first) == [(f"10.0.0.1|{number}",) * 2 for number in range(1000)]

    def test_is_made_again_only_where_somebody_changed(self) -> None:
        listing, members = listing_of(1000)
        for change in (rename, Listing.remove):
            before = listing.pages()
            change(listing, members[700])
            after = listing.pages()
            assert sum(a is not b for a, b in zip(before, after, strict=True)) == 1
            assert (("10.0.0.1|700", "Ann") in users(after)) is (change is rename)

    def test_tells_of_all_others_in_order_of_joining_whoever_comes_and_goes(self) -> None:
        chance = random.Random(7)
        listing = Listing()
        here: list[Member] = []
        for number in range(600):
            if here and chance.random() < 0.4:
                gone = chance.choice(here)
                listing.remove(gone)
                here.remove(gone)
            else:
                here.append(Member(number, Address("10.0.0.1", number)))
                listing.add(here[-1])
            if here:
                renamed, asking = (chance.choice(here) for _ in range(2))
                rename(listing, renamed, f"n{number}")
                assert users(listing.pages(but=asking)) == [shown(one) for one in here if one is not asking]
            assert users(listing.pages()) == [shown(one) for one in here]

    def test_has_no_page_for_one_who_is_alone(self) -> None:
        listing, (alone,) = listing_of(1)
        assert listing.pages(but=alone) == []
        assert Listing().pages() == []

    def test_keeps_nothing_of_those_who_are_gone(self) -> None:
        listing, members = listing_of(300)
        listing.pages(but=members[0])
        for member in members:
            listing.remove(member)
        assert listing.pages() == []
        assert not any(kept for kept in vars(listing).values() if isinstance(kept, dict))


def test_the_answer_to_a_client_is_made_of_pages_that_others_get_too() -> None:
    room = PureRoom()
    for number in range(200):
        room.apply(Join(0, number, Address("10.0.0.1", number)))
    for number in (0, 1):
        room.items[number].clear()
        room.apply(Lines(0, number, ("/list",)))
    first, other = room.items[0], room.items[1]
    assert {type(item) for item in first} == {Page}
    assert [a is b for a, b in zip(first, other, strict=True)] == [False, True, True, True]
