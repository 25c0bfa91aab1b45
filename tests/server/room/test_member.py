"""A member: what is known of it, and how little memory that takes."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable

import pytest

from chat_console.server.addresses import Address, network_of
from chat_console.server.room.member import Member
from chat_console.server.room.roster import Roster


def letters(number: int) -> str:
    return "".join(chr(ord("a") + number // 26**place % 26) for place in range(8))


def bytes_a_member(count: int, host: str, nickname: Callable[[int], str]) -> float:
    """How much memory each of so many members takes in a roster."""
    gc.collect()
    tracemalloc.start()
    try:
        roster = Roster()
        for number in range(count):
            member = Member(
                1 << 75 | number, Address(host.format(number >> 8, number & 255), 40_000 + number % 20_000)
            )
            roster.add(member)
            roster.rename(member, nickname(number))
        gc.collect()
        return tracemalloc.get_traced_memory()[0] / count
    finally:
        tracemalloc.stop()


class TestMember:
    @pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7", "fe80::1%eth0"])
    def test_is_called_by_its_address_until_it_has_a_nickname(self, host: str) -> None:
        member = Member(7, Address(host, 41050))
        assert member.address == Address(host, 41050)
        assert member.name == f"{host}|41050"
        roster = Roster()
        roster.add(member)
        roster.rename(member, "Ann")
        assert member.name == "Ann"

    def test_knows_its_ip_address(self) -> None:
        assert Member(7, Address("192.0.2.7", 41050)).ip == network_of("192.0.2.7")
        assert Member(7, Address("fe80::1%eth0", 41050)).ip == network_of("fe80::1")

    def test_is_muted_from_some_moment_on(self) -> None:
        member = Member(7, Address("192.0.2.7", 41050))
        assert not member.muted
        member.muted_at = 0.0
        assert member.muted

    def test_is_no_other_however_alike(self) -> None:
        one, other = (Member(7, Address("192.0.2.7", 41050)) for _ in range(2))
        assert one != other
        assert len({one, other}) == 2

    @pytest.mark.parametrize("host", ["10.{}.{}.7", "2001:db8:{:x}:{:x}::7"])
    @pytest.mark.parametrize(
        "nickname",
        [letters, lambda number: letters(number).title(), "name{}".format],
        ids=["lower case", "a capital", "digits"],
    )
    def test_takes_at_most_500_bytes_in_a_roster(self, host: str, nickname: Callable[[int], str]) -> None:
        """So many members that the tables have just grown, and take the most for each."""
        assert bytes_a_member(5_500, host, nickname) <= 500

    @pytest.mark.slow
    def test_takes_no_more_in_a_large_roster(self) -> None:
        assert bytes_a_member(100_000, "2001:db8:{:x}:{:x}::7", "name{}".format) <= 500
