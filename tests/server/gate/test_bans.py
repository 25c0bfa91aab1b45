"""Bans: what they cover, until when, what is kept of them, and what they cost."""

from __future__ import annotations

import errno
import os
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.recording import NOW, Loop
from support.steps import steps

from chat_console.server.addresses import Network, address_of, network_of
from chat_console.server.gate.bans import Bans
from chat_console.server.gate.bans_file import BansFile, BansFileError


class Registry:
    """Bans with two clocks moved by hand, what was told of failures, and what waits to be done aside."""

    def __init__(self, path: Path | None = None) -> None:
        self.loop = Loop()
        self.wall = NOW
        self.failures: list[OSError] = []
        self.aside: list[Callable[[], object]] = []
        self.file = path and BansFile(path)
        self.bans = self.load()

    def load(self) -> Bans:
        """The bans as another start of the server would find them."""
        bans = Bans(self.loop.time, lambda: self.wall, self.failures.append, self.put_aside)
        bans.keep_in(self.file)
        return bans

    def put_aside(self, work: Callable[[], Any], done: Callable[[Any], object]) -> None:
        self.aside.append(lambda: done(work()))

    def settle(self) -> None:
        """Do what waits, in order."""
        while self.aside:
            self.aside.pop(0)()

    def add(self, network: str, seconds: float | None = None) -> None:
        self.bans.add([network_of(network)], seconds)

    def remove(self, network: str) -> bool:
        return self.bans.remove(network_of(network))

    def reload(self) -> int | BansFileError:
        results: list[int | BansFileError] = []
        self.bans.reload(results.append)
        self.settle()
        (result,) = results
        return result

    def pass_time(self, seconds: float) -> None:
        """Let both clocks go on."""
        self.loop.advance(seconds)
        self.wall += seconds


def listed(bans: Bans) -> list[tuple[str, float | None]]:
    return [(str(ban.network), ban.seconds) for ban in bans.all()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bans"


@pytest.fixture
def kept(path: Path) -> Iterator[Registry]:
    """Bans that are kept in `path`, which holds none at first."""
    registry = Registry(path)
    yield registry
    assert registry.file
    registry.file.close()


class TestInForce:
    def test_there_are_none_at_first(self) -> None:
        registry = Registry()
        assert not registry.bans.covers("192.0.2.7")
        assert registry.bans.all() == []

    @pytest.mark.parametrize(
        ("network", "inside", "outside"),
        [
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("2001:db8::/64", "2001:db8::ffff", "2001:db8:0:1::"),
            ("fe80::1", "fe80::1%eth0", "fe80::2%eth0"),
            ("::ffff:192.0.2.0/120", "192.0.2.255", "::ffff:192.0.3.0"),
            ("192.0.2.0/24", "::ffff:192.0.2.7", "::192.0.2.7"),
            ("0.0.0.0/0", "203.0.113.1", "2001:db8::1"),
        ],
    )
    def test_they_cover_every_address_of_their_network(self, network: str, inside: str, outside: str) -> None:
        registry = Registry()
        registry.add(network)
        assert registry.bans.covers(inside)
        assert registry.bans.covers(address_of(inside))
        assert not registry.bans.covers(outside)

    def test_whose_ban_is_replaced_is_told(self) -> None:
        registry = Registry()
        one, two, all_of_them = (network_of(text) for text in ("192.0.2.7", "192.0.2.8", "192.0.2.0/24"))
        assert registry.bans.add([one, all_of_them], None) == []
        assert registry.bans.add([two, one], 60) == [one]
        assert registry.bans.add([one, two], 60) == [one, two]
        registry.pass_time(60)
        assert registry.bans.add([one, two, all_of_them], None) == [all_of_them]

    def test_they_end_after_their_time(self) -> None:
        registry = Registry()
        registry.add("192.0.2.7", 60)
        registry.pass_time(59.9)
        assert registry.bans.covers("192.0.2.7")
        registry.pass_time(0.1)
        assert not registry.bans.covers("192.0.2.7")
        assert registry.bans.all() == []

    def test_one_that_ends_leaves_a_wider_one_in_force(self) -> None:
        registry = Registry()
        registry.add("192.0.2.7", 60)
        registry.add("192.0.2.0/24", 120)
        registry.pass_time(60)
        assert registry.bans.covers("192.0.2.7")

    def test_without_a_time_they_last(self) -> None:
        registry = Registry()
        registry.add("192.0.2.7")
        registry.pass_time(1e9)
        assert registry.bans.covers("192.0.2.7")

    @pytest.mark.parametrize(("first", "second"), [(None, 60), (60, None), (60, 30), (30, 60)])
    def test_the_last_one_of_a_network_counts(self, first: float | None, second: float | None) -> None:
        registry = Registry()
        registry.add("192.0.2.7", first)
        registry.add("192.0.2.7", second)
        assert listed(registry.bans) == [("192.0.2.7/32", second)]
        registry.pass_time(45)
        registry.add("192.0.2.8")  # whereby what has ended is forgotten
        assert registry.bans.covers("192.0.2.7") is (second != 30)

    def test_they_are_lifted_one_by_one(self) -> None:
        registry = Registry()
        registry.add("192.0.2.7")
        registry.add("192.0.2.0/24")
        assert registry.remove("::ffff:192.0.2.7")
        assert not registry.remove("192.0.2.7")
        assert listed(registry.bans) == [("192.0.2.0/24", None)]

    def test_one_that_has_ended_cannot_be_lifted(self) -> None:
        registry = Registry()
        registry.add("192.0.2.7", 60)
        registry.pass_time(60)
        assert not registry.remove("192.0.2.7")

    def test_they_are_in_order_of_their_networks(self) -> None:
        registry = Registry()
        for network in ("2001:db8::/32", "192.0.2.10", "192.0.2.9", "10.0.0.0/8"):
            registry.add(network)
        assert [network for network, _ in listed(registry.bans)] == [
            "10.0.0.0/8",
            "192.0.2.9/32",
            "192.0.2.10/32",
            "2001:db8::/32",
        ]

    @pytest.mark.parametrize("jump", [-1e6, 1e6])
    def test_setting_the_systems_clock_neither_lifts_nor_lengthens_them(self, jump: float) -> None:
        registry = Registry()
        registry.add("192.0.2.7", 60)
        registry.wall += jump
        assert listed(registry.bans) == [("192.0.2.7/32", 60)]
        registry.pass_time(60)
        assert registry.bans.all() == []


class TestCost:
    def test_of_asking_is_the_same_however_many_there_are(self) -> None:
        few, many = Registry(), Registry()
        for registry, count in ((few, 1), (many, 100)):
            registry.bans.add([Network(4, 10 << 24 | number, 32) for number in range(100 * count)], 60)
            registry.bans.add([Network(4, number << 12, 20) for number in range(count)], None)
        for host, banned in (("203.0.113.7", False), ("10.0.0.1", True)):
            assert few.bans.covers(host) is many.bans.covers(host) is banned
            costs = [steps(partial(registry.bans.covers, host)) for registry in (few, many)]
            assert costs[0] == costs[1] < 50

    def test_of_forgetting_is_bounded_however_many_end_at_once(self, kept: Registry, path: Path) -> None:
        kept.bans.add([Network(4, 10 << 24 | number, 32) for number in range(1000)], 60)
        kept.settle()
        kept.pass_time(60)
        assert steps(lambda: kept.add("192.0.2.7")) < 1000
        assert [ban.network.shown for ban in kept.bans.all()] == ["192.0.2.7"]
        kept.settle()
        left = len(path.read_text().splitlines())
        assert 900 < left < 1000
        for _ in range(1000 // (1000 - left) + 1):
            kept.add("192.0.2.7")
            kept.settle()
        assert path.read_text() == "192.0.2.7/32 -\n"

    def test_of_memory_is_bounded_by_the_bans_in_force(self) -> None:
        registry = Registry()
        tracemalloc.start()
        for number in range(10_000):
            registry.add("192.0.2.7", 60 + number)
            registry.bans.add([Network(4, number, 32)], 60)
            assert registry.bans.remove(Network(4, number, 32))
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 50_000
        registry.pass_time(60)
        assert registry.bans.covers("192.0.2.7")

    def test_of_showing_many_is_paid_aside(self) -> None:
        registry = Registry()
        shown: list[str] = []
        registry.add("192.0.2.7")
        registry.bans.render(lambda bans: f"{len(bans)}", shown.append)
        assert shown == ["1"]
        registry.bans.add([Network(4, number, 32) for number in range(10_000)], None)
        registry.bans.render(lambda bans: f"{len(bans)}", shown.append)
        assert shown == ["1"]
        registry.settle()
        assert shown == ["1", "10001"]


class TestKept:
    def test_they_are_there_after_a_restart(self, kept: Registry) -> None:
        kept.add("192.0.2.0/24")
        kept.add("2001:db8::7", 3600)
        kept.add("192.0.2.7", 60)
        kept.settle()
        kept.pass_time(600)
        assert listed(kept.load()) == [("192.0.2.0/24", None), ("2001:db8::7/128", 3000)]
        assert kept.failures == []

    def test_with_a_line_for_each_and_its_end_by_the_wall_clock(self, kept: Registry, path: Path) -> None:
        kept.add("192.0.2.0/24")
        kept.add("2001:db8::7", 3600)
        kept.settle()
        assert path.read_text() == f"192.0.2.0/24 -\n2001:db8::7/128 {NOW + 3600:.0f}\n"

    def test_without_those_that_were_lifted(self, kept: Registry, path: Path) -> None:
        kept.add("192.0.2.7")
        kept.remove("192.0.2.7")
        kept.settle()
        assert path.read_text() == ""
        assert kept.load().all() == []

    def test_together_are_written_once(
        self, kept: Registry, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written: list[int] = []
        write = BansFile.write
        monkeypatch.setattr(BansFile, "write", lambda file, lines: written.append(1) or write(file, lines))
        kept.bans.add([Network(4, number, 32) for number in range(3000)], None)
        kept.settle()
        assert len(written) == 1
        for number in range(100):  # while the first is being written, all others become one
            kept.add(f"192.0.2.{number}")
        kept.settle()
        assert len(written) == 3
        assert len(path.read_text().splitlines()) == 3100

    def test_are_written_aside(self, kept: Registry, path: Path) -> None:
        kept.add("192.0.2.7")
        assert not path.exists()
        assert kept.bans.covers("192.0.2.7")
        kept.settle()
        assert path.read_text() == "192.0.2.7/32 -\n"

    def test_in_their_places_with_comments_and_blank_lines(self, kept: Registry, path: Path) -> None:
        path.write_text(
            "\ufeff# who spoiled it\n\n"
            "192.0.2.7 -  # a spammer\n192.0.2.9 -  # gone\n# theirs\n"
            "::ffff:192.0.2.0/120 1700003600\n# the end"
        )
        kept.bans = kept.load()
        kept.add("198.51.100.1")
        kept.add("192.0.2.7", 60)
        kept.remove("192.0.2.9")
        kept.settle()
        assert path.read_text() == (
            f"# who spoiled it\n\n192.0.2.7/32 {NOW + 60:.0f}  # a spammer\n# theirs\n"
            "192.0.2.0/24 1700003600\n# the end\n198.51.100.1/32 -\n"
        )

    @pytest.mark.parametrize(
        ("lines", "bans"),
        [
            ("192.0.2.7 -\n192.0.2.7 1700000060\n", [("192.0.2.7/32", 60)]),
            ("192.0.2.7 1700000060\n192.0.2.7 -\n", [("192.0.2.7/32", None)]),
            ("192.0.2.7 -\n192.0.2.7 0\n", []),
            ("192.0.2.7 0\n", []),
        ],
    )
    def test_of_several_lines_the_last_counts(
        self, kept: Registry, path: Path, lines: str, bans: list[tuple[str, float | None]]
    ) -> None:
        path.write_text(lines)
        assert listed(kept.load()) == bans

    def test_in_a_file_that_cannot_be_read_are_an_error_and_change_nothing(
        self, kept: Registry, path: Path
    ) -> None:
        path.write_text("nobody -\n")
        with pytest.raises(BansFileError):
            kept.load()
        memory = Registry()
        memory.add("192.0.2.7")
        with pytest.raises(BansFileError):
            memory.bans.keep_in(kept.file)
        assert memory.bans.file is None
        assert listed(memory.bans) == [("192.0.2.7/32", None)]

    def test_in_memory_alone_stay_in_force_and_go_to_the_file(self, kept: Registry, path: Path) -> None:
        path.write_text("192.0.2.6 - # the first\n")
        memory = Registry()
        memory.add("192.0.2.6", 60)
        memory.add("192.0.2.7")
        memory.bans.keep_in(kept.file)
        assert memory.bans.file is kept.file
        assert listed(memory.bans) == [("192.0.2.6/32", 60), ("192.0.2.7/32", None)]
        memory.settle()
        assert path.read_text() == f"192.0.2.6/32 {NOW + 60:.0f} # the first\n192.0.2.7/32 -\n"

    def test_in_a_file_take_the_place_of_those_that_were_in_a_file(self, kept: Registry, path: Path) -> None:
        kept.add("192.0.2.7")
        kept.settle()
        path.write_text("192.0.2.6 -\n")
        kept.bans.keep_in(kept.file)
        assert listed(kept.bans) == [("192.0.2.6/32", None)]
        kept.settle()
        assert path.read_text() == "192.0.2.6 -\n"
        kept.bans.keep_in(None)
        assert listed(kept.bans) == []

    def test_that_could_not_be_written_are_told_and_in_force_and_written_with_the_next(
        self, kept: Registry, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept.add("192.0.2.7")
        kept.settle()
        before = path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", no_space)
            kept.add("192.0.2.8")
            kept.settle()
        assert path.read_bytes() == before
        assert [failure.errno for failure in kept.failures] == [errno.ENOSPC]
        assert kept.bans.covers("192.0.2.8")
        kept.add("192.0.2.9")
        kept.settle()
        assert len(kept.load().all()) == 3

    def test_that_came_while_writing_failed_are_tried_at_once(
        self, kept: Registry, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept.add("192.0.2.7")
        kept.add("192.0.2.8")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", no_space)
            kept.aside.pop(0)()
        kept.settle()
        assert len(kept.failures) == 1
        assert path.read_text() == "192.0.2.7/32 -\n192.0.2.8/32 -\n"


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class TestReload:
    def test_puts_in_force_what_the_file_says(self, kept: Registry, path: Path) -> None:
        kept.add("192.0.2.7")
        kept.add("192.0.2.8")
        kept.settle()
        path.write_text("# mine\n192.0.2.8 1700000060\n198.51.100.0/24 -\n")
        assert kept.reload() == 2
        assert listed(kept.bans) == [("192.0.2.8/32", 60), ("198.51.100.0/24", None)]
        assert not kept.bans.covers("192.0.2.7")
        assert path.read_text().startswith("# mine\n192.0.2.8 ")  # which nobody has touched

    @pytest.mark.parametrize("fault", ["nobody -\n", "\0", None])
    def test_of_a_file_that_cannot_be_read_changes_nothing(
        self, kept: Registry, path: Path, fault: str | None
    ) -> None:
        kept.add("192.0.2.7")
        kept.settle()
        path.unlink() if fault is None else path.write_text(fault)
        assert isinstance(kept.reload(), BansFileError)
        assert listed(kept.bans) == [("192.0.2.7/32", None)]

    def test_keeps_what_could_not_be_written(
        self, kept: Registry, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path.write_text("192.0.2.6 -\n192.0.2.7 -\n")
        kept.bans = kept.load()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", no_space)
            kept.add("192.0.2.8", 60)
            kept.remove("192.0.2.7")
            kept.settle()
        path.write_text("192.0.2.7 -\n192.0.2.5 -\n")
        assert kept.reload() == 2
        kept.settle()
        assert listed(kept.bans) == [("192.0.2.5/32", None), ("192.0.2.8/32", 60)]
        assert path.read_text() == "192.0.2.5/32 -\n192.0.2.8/32 1700000060\n"

    def test_is_asked_for_before_what_somebody_has_written_would_be_lost(
        self, kept: Registry, path: Path
    ) -> None:
        kept.add("192.0.2.7")
        kept.settle()
        path.write_text("192.0.2.6 -\n")
        kept.add("192.0.2.8")
        kept.settle()
        assert ["/reload" in str(failure.strerror) for failure in kept.failures] == [True]
        assert path.read_text() == "192.0.2.6 -\n"
        assert kept.reload() == 2
        assert listed(kept.bans) == listed(kept.load()) == [("192.0.2.6/32", None), ("192.0.2.8/32", None)]

    @pytest.mark.parametrize("order", ["before it is read", "after it was read"])
    def test_keeps_what_the_operator_does_meanwhile(self, kept: Registry, path: Path, order: str) -> None:
        path.write_text("192.0.2.6 -\n")
        results: list[object] = []
        if order == "before it is read":
            kept.add("192.0.2.7")
            kept.bans.reload(results.append)
        else:
            kept.bans.reload(results.append)
            kept.add("192.0.2.7")
        kept.add("192.0.2.8")
        kept.add("192.0.2.9")
        assert kept.remove("192.0.2.9")
        kept.settle()
        assert len(results) == 1
        assert kept.bans.covers("192.0.2.7")
        assert kept.bans.covers("192.0.2.8")
        assert listed(kept.load()) == listed(kept.bans)

    def test_of_what_another_has_banned_and_the_operator_lifted_meanwhile_lifts_it(
        self, kept: Registry, path: Path
    ) -> None:
        path.write_text("192.0.2.6 -\n192.0.2.7 -\n")
        kept.bans = kept.load()
        kept.bans.reload(lambda _: None)
        kept.remove("192.0.2.7")
        kept.settle()
        assert listed(kept.bans) == listed(kept.load()) == [("192.0.2.6/32", None)]
