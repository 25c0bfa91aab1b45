"""Who may come in: bans, the most at a time, and the limits for each address."""

from __future__ import annotations

from typing import Any

import pytest
from support.memory import keeping
from support.recording import NOW, Loop, at_once

from chat_console.server.addresses import address_of, network_of
from chat_console.server.gate.bans import Bans
from chat_console.server.gate.gate import Gate
from chat_console.server.gate.refusals import Refusals
from chat_console.server.rate import TokenBucket
from chat_console.server.room.events import Refused
from chat_console.server.settings import Settings

FULL = "Server is full"
TOO_MANY = "Too many connections from your address"
BANNED = "You are banned from this server"


class Door:
    """A gate with a clock moved by hand; the settings that are not given set no limit."""

    def __init__(self, **settings: Any) -> None:
        self.loop = Loop()
        self.bans = Bans(self.loop.time, lambda: NOW, lambda error: None, at_once)
        self.refused: list[Refused] = []
        limits: dict[str, Any] = {"max_clients": 0, "max_per_ip": 0, "connect_rate": 0} | settings
        refusals = Refusals(self.refused.append, lambda: NOW, self.loop)
        self.gate = Gate(Settings(**limits), self.bans, refusals, self.loop.time)

    def enter(self, host: str, count: int = 1) -> list[str | None]:
        return [self.gate.enter(host) for _ in range(count)]


def address(number: int) -> str:
    """One of many addresses that count one by one."""
    return f"10.0.{number >> 8}.{number & 255}"


def held_for(door: Door, count: int) -> int:
    """How many bytes a gate keeps once so many addresses have come and gone, one after the other."""
    address_of.cache_clear()
    with keeping() as kept:
        for number in range(count):
            assert door.enter(address(number)) == [None]
            door.gate.leave(address(number))
        address_of.cache_clear()
    return kept.bytes


LOOPBACK = pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1"])


def test_without_limits_everybody_may_come_in() -> None:
    assert Door().enter("192.0.2.1", 1000) == [None] * 1000


class TestAll:
    def test_are_at_most_so_many_wherever_they_come_from(self) -> None:
        door = Door(max_clients=3)
        hosts = ("192.0.2.1", "127.0.0.1", "2001:db8::1", "192.0.2.2", "127.0.0.1")
        assert [door.gate.enter(host) for host in hosts] == [None, None, None, FULL, FULL]

    def test_leave_room_for_others_when_they_go(self) -> None:
        door = Door(max_clients=1)
        assert door.enter("192.0.2.1", 2) == [None, FULL]
        door.gate.leave("192.0.2.1")
        assert door.enter("192.0.2.2", 2) == [None, FULL]


class TestOneAddress:
    def test_has_at_most_so_many(self) -> None:
        door = Door(max_per_ip=2)
        assert door.enter("192.0.2.1", 3) == [None, None, TOO_MANY]
        assert door.enter("192.0.2.2", 3) == [None, None, TOO_MANY]

    def test_has_room_again_when_one_goes(self) -> None:
        door = Door(max_per_ip=2)
        door.enter("192.0.2.1", 2)
        door.gate.leave("192.0.2.1")
        assert door.enter("192.0.2.1", 2) == [None, TOO_MANY]

    def test_that_is_gone_is_forgotten(self) -> None:
        door = Door(max_per_ip=2)
        assert held_for(door, 10_000) < 10_000

    def test_of_ipv6_is_a_whole_64_network(self) -> None:
        door = Door(max_per_ip=2)
        assert [door.gate.enter(f"2001:db8::{host}") for host in (1, "ffff:2", 3)] == [None, None, TOO_MANY]
        assert door.enter("2001:db8:0:1::1") == [None]
        assert door.enter("::2", 3) == [None, None, TOO_MANY]

    def test_of_a_link_is_one_by_one_over_whichever_interface(self) -> None:
        door = Door(max_per_ip=1)
        assert door.enter("fe80::1%eth0", 2) == [None, TOO_MANY]
        assert door.enter("fe80::2%eth0", 2) == [None, TOO_MANY]
        assert door.enter("fe80::2%eth1") == [TOO_MANY]
        assert [door.gate.enter(f"169.254.0.{host}") for host in (1, 2)] == [None, None]

    def test_of_ipv4_is_the_same_over_ipv6(self) -> None:
        door = Door(max_per_ip=1)
        assert door.enter("192.0.2.1") == [None]
        assert door.enter("::ffff:192.0.2.1") == [TOO_MANY]

    @LOOPBACK
    def test_of_loopback_is_exempt(self, host: str) -> None:
        assert Door(max_per_ip=1).enter(host, 50) == [None] * 50

    def test_that_is_turned_away_takes_no_place(self) -> None:
        door = Door(max_per_ip=1, max_clients=2)
        door.enter("192.0.2.1", 10)
        assert door.enter("192.0.2.2") == [None]


class TestConnecting:
    def test_is_allowed_so_often_at_once_and_then_at_a_rate(self) -> None:
        door = Door(connect_rate=30, connect_burst=10)
        assert door.enter("192.0.2.1", 12) == [None] * 10 + [TOO_MANY] * 2
        door.loop.advance(2)
        assert door.enter("192.0.2.1", 2) == [None, TOO_MANY]
        door.loop.advance(60)
        assert door.enter("192.0.2.1", 12) == [None] * 10 + [TOO_MANY] * 2

    def test_counts_for_each_address_by_itself(self) -> None:
        door = Door(connect_rate=30, connect_burst=1)
        for host in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
            assert door.enter(host, 2) == [None, TOO_MANY]

    def test_counts_also_what_has_left_again(self) -> None:
        door = Door(connect_rate=30, connect_burst=2)
        for _ in range(2):
            assert door.enter("192.0.2.1") == [None]
            door.gate.leave("192.0.2.1")
        assert door.enter("192.0.2.1") == [TOO_MANY]

    @LOOPBACK
    def test_from_loopback_is_exempt(self, host: str) -> None:
        assert Door(connect_rate=30, connect_burst=1).enter(host, 50) == [None] * 50

    @pytest.mark.slow
    def test_remembers_no_more_addresses_than_were_busy_of_late(self) -> None:
        few, many = Door(connect_rate=30, connect_burst=1), Door(connect_rate=30, connect_burst=1)
        assert held_for(many, 20_000) < 2 * held_for(few, 5000)
        assert many.enter(address(19_999)) == [TOO_MANY]  # a moment ago: not forgotten

    def test_remembers_who_tries_on_longest(self) -> None:
        door = Door(connect_rate=30, connect_burst=1)
        assert door.enter("192.0.2.1") == [None]
        for number in range(10_000):
            assert door.enter(address(number)) == [None]
            assert door.enter("192.0.2.1") == [TOO_MANY]

    def test_costs_the_same_for_each_of_many_networks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        filled: list[int] = []
        wait = TokenBucket.wait
        monkeypatch.setattr(
            TokenBucket, "wait", lambda self, cost, now: filled.append(1) or wait(self, cost, now)
        )
        door = Door(connect_rate=30, connect_burst=1)
        for number in range(10_000):
            host = f"2001:db8:{number >> 8:x}:{number & 255:x}::1"
            assert door.enter(host) == [None]
            door.gate.leave(host)
        assert len(filled) == 10_000  # each bucket was looked at for its own sake alone


class TestTrusted:
    """Networks of many people each of whom would be counted as one."""

    @pytest.mark.parametrize(
        ("trusted", "host"),
        [
            ("192.0.2.0/24", "192.0.2.200"),
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.0/120", "192.0.2.200"),
            ("192.0.2.0/24", "::ffff:192.0.2.200"),
            ("2001:db8::/32", "2001:db8:7::1"),
        ],
    )
    def test_addresses_have_no_limits_of_their_own(self, trusted: str, host: str) -> None:
        door = Door(max_per_ip=2, connect_rate=30, connect_burst=1, trusted=("198.51.100.0/24", trusted))
        assert door.enter(host, 100) == [None] * 100
        for _ in range(100):
            door.gate.leave(host)
        assert door.enter(host, 100) == [None] * 100

    def test_others_have_theirs(self) -> None:
        door = Door(max_per_ip=1, trusted=("192.0.2.0/24",))
        assert door.enter("192.0.3.1", 2) == [None, TOO_MANY]

    def test_addresses_count_among_all_and_are_banned(self) -> None:
        door = Door(max_clients=1, trusted=("192.0.2.0/24",))
        assert door.enter("192.0.2.1", 2) == [None, FULL]
        door.bans.add([network_of("192.0.2.0/24")], None)
        assert door.enter("192.0.2.1") == [BANNED]


class TestBans:
    def test_keep_out_whom_they_cover(self) -> None:
        door = Door()
        door.bans.add([network_of("192.0.2.0/24")], None)
        assert door.enter("192.0.2.1") == [BANNED]
        assert door.enter("198.51.100.1") == [None]

    def test_keep_out_loopback_too(self) -> None:
        door = Door()
        door.bans.add([network_of("127.0.0.1")], None)
        assert door.enter("127.0.0.1") == [BANNED]

    def test_are_told_before_any_limit_and_take_no_place(self) -> None:
        door = Door(max_clients=1)
        door.bans.add([network_of("192.0.2.1")], None)
        assert door.enter("192.0.2.1", 3) == [BANNED] * 3
        assert door.enter("192.0.2.2") == [None]
        assert door.enter("192.0.2.1") == [BANNED]


class TestRefused:
    def test_are_told_with_the_reason_and_from_where(self) -> None:
        door = Door()
        door.gate.refused(FULL, "192.0.2.1")
        assert door.refused == [Refused(NOW, 1, FULL, "192.0.2.1")]
