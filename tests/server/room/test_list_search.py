"""A search of the member list: whom it finds, and what is answered to members and operators."""

from __future__ import annotations

import pytest
from support.recording import Scene, replied

from chat_console.server.addresses import Address
from chat_console.server.room.listing import LISTED, LISTED_WHOLE, Listing
from chat_console.server.room.member import Member
from chat_console.server.room.roster import Roster
from chat_console.server.room.search import Search
from chat_console.server.settings import Settings


def roster_of(*users: tuple[str, str | None]) -> Roster:
    """Members at these hosts, with these nicknames; their ids count from 1, their ports from 4001."""
    roster = Roster()
    for number, (host, nickname) in enumerate(users, 1):
        member = Member(number, Address(host, 4000 + number))
        roster.add(member)
        if nickname:
            roster.rename(member, nickname)
    return roster


def answer(listing: Listing, word: str, but: Member | None = None) -> list[str]:
    search = Search(listing, word, but)
    for _ in search.steps():
        pass
    return search.answer.split("\n")


@pytest.fixture
def roster() -> Roster:
    return roster_of(
        ("192.0.2.1", "Ann"),
        ("192.0.2.2", "Hanna"),
        ("192.0.2.3", None),
        ("2001:db8::abc", "Bob"),
        ("fe80::1%eth0", None),
    )


class TestSearch:
    @pytest.mark.parametrize(
        ("word", "ports"),
        [
            pytest.param("ann", [4001, 4002], id="part of a name in any case"),
            pytest.param("ANN", [4001, 4002], id="in capitals"),
            pytest.param("192.0.2.", [4001, 4002, 4003], id="an address"),
            pytest.param("|4003", [4003], id="a port"),
            pytest.param("192.0.2.2|4002", [4002], id="all of an address"),
            pytest.param("DB8::a", [4004], id="of IPv6"),
            pytest.param("%eth", [4005], id="an interface"),
            pytest.param("b", [4004], id="a name and an address at once"),
            pytest.param("4", [4001, 4002, 4003, 4004, 4005], id="all ports"),
        ],
    )
    def test_finds_names_and_addresses_in_order_of_joining(
        self, roster: Roster, word: str, ports: list[int]
    ) -> None:
        members = [member for member in roster.members if member.address.port in ports]
        assert answer(roster.listing, word) == [f"{one.address} as {one.name}" for one in members]

    @pytest.mark.parametrize("word", ["zoe", "198.51", "as"])
    def test_says_that_it_found_nobody(self, roster: Roster, word: str) -> None:
        assert answer(roster.listing, word) == [f"No users with {word}"]

    def test_does_not_find_who_asks(self, roster: Roster) -> None:
        ann, bob = roster.get(1), roster.get(4)
        assert answer(roster.listing, "ann", ann) == ["192.0.2.2|4002 as Hanna"]
        assert answer(roster.listing, "bob", bob) == ["No other users with bob"]

    @pytest.mark.parametrize("more", [0, 1, 1804])
    def test_names_so_many_and_counts_the_others(self, more: int) -> None:
        roster = roster_of(
            *[("192.0.2.1", f"Ann{number}") for number in range(LISTED + more)], ("::1", "Bob")
        )
        lines = answer(roster.listing, "ann")
        assert lines[:LISTED] == [f"192.0.2.1|{4001 + number} as Ann{number}" for number in range(LISTED)]
        assert lines[LISTED:] == ([f"… and {more:,} others with ann."] if more else [])

    def test_goes_on_though_members_come_and_go(self) -> None:
        roster = roster_of(*[("192.0.2.1", f"Ann{number}") for number in range(300)])
        search = Search(roster.listing, "ann")
        for step, _ in enumerate(search.steps()):
            for id_ in (step + 1, 300 - step):
                roster.remove(id_)
            roster.add(Member(1000 + step, Address("192.0.2.1", 5000)))
        assert "ann" in search.answer.lower()

    def test_takes_many_steps(self) -> None:
        roster = roster_of(*[("192.0.2.1", None)] * 1000)
        assert len(list(Search(roster.listing, "ann").steps())) > 10


class TestMember:
    def test_gets_the_answer_alone(self) -> None:
        scene = Scene()
        ann, _, _ = scene.gather("Ann", "Bob", "Bobby")
        scene.send(ann, "/list bob")
        assert scene.seen() == {ann: ["10.0.0.2|4002 as Bob", "10.0.0.3|4003 as Bobby"]}
        assert scene.told() == []

    def test_gets_answers_in_order(self) -> None:
        scene = Scene()
        ann, bob = scene.gather("Ann", "Bob")
        scene.send(ann, "one", "/list bob", "two", "/list zoe", "/list a b")
        assert scene.seen() == {
            ann: ["10.0.0.2|4002 as Bob", "No other users with zoe", "Usage: /list [word]"],
            bob: ["Ann: one", "Ann: two"],
        }


class TestOperator:
    def test_gets_the_answer(self) -> None:
        scene = Scene()
        scene.gather("Ann", "Bob")
        scene.operate("/list B", "/list zoe", "/list a b")
        assert scene.told() == [
            replied("10.0.0.2|4002 as Bob"),
            replied("No users with zoe"),
            replied("Usage: /list [word]"),
        ]


class TestListInPart:
    def crowd(self, up_to: int, count: int) -> Scene:
        scene = Scene(Settings(notices_up_to=up_to))
        for _ in range(count):
            scene.join()
        scene.forget()
        return scene

    def test_is_of_the_first_where_there_is_a_limit_and_too_many_others(self) -> None:
        scene = self.crowd(1, LISTED_WHOLE + 2)
        first, *_, last = scene.present
        more = "… and 801 others. Type /list WORD for names with WORD."
        for asking, ids in ((first, range(2, LISTED + 2)), (last, range(1, LISTED + 1))):
            scene.send(asking, "/list")
            lines = [f"{one.address} as {one.name}" for id_ in ids if (one := scene.members[id_])]
            assert scene.seen() == {asking: [*lines, more]}
        scene.operate("/list")
        more = "… and 802 others. Type /list WORD for names with WORD."
        assert scene.told() == [replied("\n".join([*lines, more]))]

    @pytest.mark.parametrize(("up_to", "count"), [(0, LISTED_WHOLE + 2), (1, LISTED_WHOLE + 1)])
    def test_is_of_all_where_they_are_fewer_or_there_is_no_limit(self, up_to: int, count: int) -> None:
        scene = self.crowd(up_to, count)
        scene.send(scene.present[0], "/list")
        assert len(scene.seen()[scene.present[0]]) == count - 1

    def test_is_of_all_for_an_operator_of_as_many(self) -> None:
        scene = self.crowd(1, LISTED_WHOLE)
        scene.operate("/list")
        lines = [f"{one.address} as {one.name}" for one in scene.present]
        assert scene.told() == [replied("\n".join(lines))]
