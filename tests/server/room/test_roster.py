"""Who is here: each found by what it is called, and nobody any more once it is gone."""

from __future__ import annotations

import pytest

from chat_console.server.addresses import Address
from chat_console.server.room.member import Member
from chat_console.server.room.names import MAX_NAME_LENGTH
from chat_console.server.room.roster import Roster


@pytest.fixture
def roster() -> Roster:
    return Roster()


def add(roster: Roster, member_id: int, nickname: str | None = None, host: str = "10.0.0.1") -> Member:
    member = Member(member_id, Address(host, 4000 + member_id))
    roster.add(member)
    if nickname:
        roster.rename(member, nickname)
    return member


def listed(roster: Roster) -> list[tuple[str, str]]:
    return [user for page in roster.listing.pages() for user in page.users]


class TestRoster:
    def test_has_nobody_at_first(self, roster: Roster) -> None:
        assert not roster
        assert roster.members == ()
        assert roster.get(1) is None
        assert listed(roster) == []

    def test_has_its_members_in_order_of_joining(self, roster: Roster) -> None:
        ann, bob, cid = add(roster, 2), add(roster, 1), add(roster, 3)
        assert roster.members == (ann, bob, cid)
        assert len(roster) == 3
        assert roster.remove(1) is bob
        assert roster.members == (ann, cid)
        assert (roster.get(1), roster.get(2)) == (None, ann)
        assert listed(roster) == [("10.0.0.1|4002",) * 2, ("10.0.0.1|4003",) * 2]

    def test_takes_out_each_once(self, roster: Roster) -> None:
        ann = add(roster, 1, "Ann")
        assert roster.remove(1) is ann
        assert roster.remove(1) is None
        assert roster.remove(2) is None

    def test_takes_out_everybody_at_once(self, roster: Roster) -> None:
        ann, bob = add(roster, 1, "Ann"), add(roster, 2)
        assert roster.clear() == (ann, bob)
        assert not roster
        assert listed(roster) == []
        for target in ("Ann", "10.0.0.1|4001", "10.0.0.1|4002", 1, 2):
            assert list(roster.find(target)) == []
        assert not roster.is_taken("Ann", but=bob)
        assert roster.clear() == ()
        again = add(roster, 3, "Ann")
        assert roster.members == (again,)
        assert listed(roster) == [("10.0.0.1|4003", "Ann")]

    def test_finds_a_member_by_its_id(self, roster: Roster) -> None:
        _, bob = add(roster, 1, "Bob"), add(roster, 2, "Bob")
        assert roster.find(2) == (bob,)
        assert roster.find(3) == ()

    def test_takes_no_number_that_is_typed_for_an_id(self, roster: Roster) -> None:
        add(roster, 1)
        two = add(roster, 2, "1")
        assert roster.find("1") == [two]

    def test_finds_by_the_exact_nickname_first_then_in_any_case(self, roster: Roster) -> None:
        upper, lower = add(roster, 1, "BOB"), add(roster, 2, "bob")
        assert roster.find("bob") == [lower]
        assert roster.find("BOB") == [upper]
        assert roster.find("Bob") == [upper, lower]

    def test_finds_all_of_one_name_in_order_of_joining_however_late_it_was_taken(
        self, roster: Roster
    ) -> None:
        one, two, three = add(roster, 1), add(roster, 2), add(roster, 3)
        for member in (three, one, two):
            roster.rename(member, "Bob")
        assert roster.find("Bob") == [one, two, three]

    def test_finds_by_the_address_also_one_who_has_a_nickname(self, roster: Roster) -> None:
        ann = add(roster, 1, "Ann", host="fd00::a")
        assert roster.find("fd00::a|4001") == [ann]
        assert roster.find("FD00::A|4001") == [ann]
        assert list(roster.find("fd00::a")) == []

    def test_finds_nobody_by_a_name_that_was_given_up(self, roster: Roster) -> None:
        ann = add(roster, 1, "Ann")
        roster.rename(ann, "Eve")
        assert list(roster.find("Ann")) == []
        assert roster.find("Eve") == [ann]
        assert listed(roster) == [("10.0.0.1|4001", "Eve")]
        roster.remove(1)
        assert list(roster.find("Eve")) == []

    @pytest.mark.parametrize("name", ["Alice", "ALICE", "AIice", "A-1ice."])
    def test_says_that_a_name_is_taken_by_another_who_has_one_like_it(
        self, roster: Roster, name: str
    ) -> None:
        alice, bob = add(roster, 1, "Alice"), add(roster, 2, "Bob")
        assert roster.is_taken(name, but=bob)
        assert not roster.is_taken(name, but=alice)
        roster.rename(alice, "Eve")
        assert not roster.is_taken(name, but=bob)

    def test_says_that_a_name_is_taken_as_long_as_one_of_its_bearers_is_here(self, roster: Roster) -> None:
        add(roster, 1, "Bob")
        add(roster, 2, "Bob")
        ann = add(roster, 3, "Ann")
        roster.remove(1)
        assert roster.is_taken("bob", but=ann)
        roster.remove(2)
        assert not roster.is_taken("bob", but=ann)

    def test_tells_names_in_another_case_alike_also_where_they_look_different(self, roster: Roster) -> None:
        """`CID` reads as `ClD`, and yet who writes to `cid` must reach one."""
        add(roster, 1, "CID")
        assert roster.is_taken("cid", but=add(roster, 2))

    def test_has_names_apart_of_which_one_looks_like_the_other_in_lower_case(self, roster: Roster) -> None:
        """`AI` in lower case is what `A_i` and its look-alikes have in common, and yet it reads as `Al`."""
        upper, apart = add(roster, 1, "AI"), add(roster, 2)
        assert not roster.is_taken("A_i", but=apart)
        roster.rename(apart, "A_i")
        assert roster.find("ai") == [upper]
        assert roster.find("a_I") == [apart]
        assert roster.similar("aii") == "AI"
        other = add(roster, 3)
        for name, taken in (("ai", True), ("Al", True), ("a-i", True), ("aj", False)):
            assert roster.is_taken(name, but=other) is taken
        roster.remove(1)
        assert list(roster.find("ai")) == []
        assert not roster.is_taken("Al", but=other)
        assert roster.is_taken("a-i", but=other)
        roster.remove(2)
        assert not roster.is_taken("a-i", but=other)

    @pytest.mark.parametrize(
        "text", ["", "|", "10.0.0.1|", "10.0.0.1|04001", "10.0.0.1|x", "10.0.0.1|٤001", "010.0.0.1|4001"]
    )
    def test_finds_nobody_by_what_is_almost_an_address(self, roster: Roster, text: str) -> None:
        add(roster, 1)
        assert list(roster.find(text)) == []


class TestSimilar:
    def test_is_a_nickname_one_slip_away(self) -> None:
        roster = Roster()
        for number, name in enumerate(["Karim", "quentin", "max_m"]):
            member = Member(number, Address("192.0.2.7", number))
            roster.add(member)
            roster.rename(member, name)
        for slip in ("Karm", "KARIMM", "kairm", "karin", "_karim"):
            assert roster.similar(slip) == "Karim"
        assert roster.similar("maxm") == "max_m"
        for other in ("", "kar", "Quentn1", "x" * 1000, "\u017farim2"):
            assert roster.similar(other) is None

    def test_is_not_looked_for_where_it_would_be_no_nickname(
        self, roster: Roster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chat_console.server.room.roster.one_edit_away", pytest.fail)
        assert roster.similar("x" * (MAX_NAME_LENGTH + 1)) is None
