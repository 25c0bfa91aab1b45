"""Bans: what they cover, until when, and the file that keeps them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from recording import NOW, Clock

from chat_console.server import bans as module
from chat_console.server.bans import Bans, BansFileError, address_of, network_of, shown


class Registry:
    """Bans with two clocks moved by hand, and what was told of failures."""

    def __init__(self, path: Path | None = None) -> None:
        self.clock = Clock()
        self.wall = NOW
        self.failures: list[OSError] = []
        self.path = path
        self.bans = self.load()

    def load(self) -> Bans:
        """The bans as another start of the server would find them."""
        return Bans(self.path, self.clock, lambda: self.wall, self.failures.append)

    def add(self, network: str, seconds: float | None = None) -> None:
        self.bans.add(network_of(network), seconds)

    def pass_time(self, seconds: float) -> None:
        """Let both clocks go on."""
        self.clock.advance(seconds)
        self.wall += seconds


def listed(bans: Bans) -> list[tuple[str, float | None]]:
    return [(str(ban.network), ban.seconds) for ban in bans.all()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bans"


class TestNetworks:
    @pytest.mark.parametrize(
        ("text", "network", "short"),
        [
            ("192.0.2.7", "192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.7/32", "192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.7/24", "192.0.2.0/24", "192.0.2.0/24"),
            ("2001:DB8::0:7", "2001:db8::7/128", "2001:db8::7"),
            ("fe80::1%eth0", "fe80::1/128", "fe80::1"),
            ("0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0"),
        ],
    )
    def test_are_read_and_shown_as_they_are_typed(self, text: str, network: str, short: str) -> None:
        assert str(network_of(text)) == network
        assert shown(network_of(text)) == short

    @pytest.mark.parametrize(
        "text", ["", "Bob", "192.0.2", "192.0.2.7/33", "192.0.2.7|4001", "7", "1.2.3.04"]
    )
    def test_are_nothing_else(self, text: str) -> None:
        with pytest.raises(ValueError):
            network_of(text)

    def test_know_an_address_with_its_interface(self) -> None:
        assert str(address_of("fe80::1%eth0")) == "fe80::1"


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
            ("0.0.0.0/0", "203.0.113.1", "2001:db8::1"),
        ],
    )
    def test_they_cover_every_address_of_their_network(self, network: str, inside: str, outside: str) -> None:
        registry = Registry()
        registry.add(network)
        assert registry.bans.covers(inside)
        assert not registry.bans.covers(outside)

    def test_they_end_after_their_time(self) -> None:
        registry = Registry()
        registry.add("192.0.2.7", 60)
        registry.pass_time(59.9)
        assert registry.bans.covers("192.0.2.7")
        registry.pass_time(0.1)
        assert not registry.bans.covers("192.0.2.7")
        assert registry.bans.all() == []

    def test_without_a_time_they_last(self) -> None:
        registry = Registry()
        registry.add("192.0.2.7")
        registry.pass_time(1e9)
        assert registry.bans.covers("192.0.2.7")

    def test_the_last_one_of_a_network_counts(self) -> None:
        registry = Registry()
        registry.add("192.0.2.7")
        registry.add("192.0.2.7", 60)
        assert listed(registry.bans) == [("192.0.2.7/32", 60)]

    def test_they_are_lifted_one_by_one(self) -> None:
        registry = Registry()
        registry.add("192.0.2.7")
        registry.add("192.0.2.0/24")
        assert registry.bans.remove(network_of("192.0.2.7"))
        assert not registry.bans.remove(network_of("192.0.2.7"))
        assert listed(registry.bans) == [("192.0.2.0/24", None)]

    def test_one_that_has_ended_cannot_be_lifted(self) -> None:
        registry = Registry()
        registry.add("192.0.2.7", 60)
        registry.pass_time(60)
        assert not registry.bans.remove(network_of("192.0.2.7"))

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


class TestFile:
    def test_keeps_them_over_a_restart(self, path: Path) -> None:
        registry = Registry(path)
        registry.add("192.0.2.0/24")
        registry.add("2001:db8::7", 3600)
        registry.add("192.0.2.7", 60)
        registry.pass_time(600)
        assert listed(registry.load()) == [("192.0.2.0/24", None), ("2001:db8::7/128", 3000)]
        assert registry.failures == []

    def test_holds_a_line_for_each_with_its_end_by_the_wall_clock(self, path: Path) -> None:
        registry = Registry(path)
        registry.add("192.0.2.0/24")
        registry.add("2001:db8::7", 3600)
        assert path.read_text() == f"192.0.2.0/24 -\n2001:db8::7/128 {NOW + 3600:.0f}\n"

    def test_forgets_what_is_lifted(self, path: Path) -> None:
        registry = Registry(path)
        registry.add("192.0.2.7")
        registry.bans.remove(network_of("192.0.2.7"))
        assert path.read_text() == ""
        assert registry.load().all() == []

    def test_is_for_the_operators_eyes_alone_also_where_it_was_not(self, path: Path) -> None:
        path.write_text("")
        path.chmod(0o644)
        Registry(path).add("192.0.2.7")
        assert path.stat().st_mode & 0o7777 == 0o600

    def test_is_written_in_one_step_and_leaves_nothing_else_behind(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registry = Registry(path)
        registry.add("192.0.2.7")
        before = path.read_text()
        synced: list[str] = []

        def fsync(descriptor: int) -> None:
            # What is written is complete and not yet in the place of the old.
            (new,) = set(path.parent.iterdir()) - {path}
            synced.append(new.read_text())
            assert path.read_text() == before

        monkeypatch.setattr(os, "fsync", fsync)
        registry.add("192.0.2.8")
        assert synced == [path.read_text()]
        assert list(path.parent.iterdir()) == [path]

    def test_that_is_missing_holds_none(self, path: Path) -> None:
        assert Registry(path).bans.all() == []
        assert not path.exists()

    @pytest.mark.parametrize(
        ("content", "line"),
        [
            (b"Bob -\n", "line 1: 'Bob -'"),
            (b"192.0.2.7 -\n\n", "line 2: ''"),
            (b"192.0.2.7\n", "line 1"),
            (b"192.0.2.7 soon\n", "line 1"),
            (b"192.0.2.7/24 -\n", "line 1"),
            (b"192.0.2.7 - -\n", "line 1"),
        ],
    )
    def test_that_holds_something_else_is_refused_with_the_line(
        self, path: Path, content: bytes, line: str
    ) -> None:
        path.write_bytes(content)
        with pytest.raises(BansFileError) as raised:
            Registry(path)
        message = str(raised.value)
        assert message.startswith(f"{path}, {line}")
        assert "\n" not in message

    def test_that_is_not_text_is_refused(self, path: Path) -> None:
        path.write_bytes(b"\xff\xfe")
        with pytest.raises(BansFileError, match="utf-8"):
            Registry(path)

    def test_that_cannot_be_read_is_refused(self, path: Path) -> None:
        path.mkdir()
        with pytest.raises(BansFileError) as raised:
            Registry(path)
        assert str(raised.value) == f"{path}: {os.strerror(errno.EISDIR)}"


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fsync_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", no_space)


def replace_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "replace", no_space)


def mkstemp_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.tempfile, "mkstemp", lambda **_: no_space())


class TestFullDisk:
    @pytest.mark.parametrize("fault", [mkstemp_fails, fsync_fails, replace_fails])
    def test_leaves_the_old_file_and_is_told_and_the_ban_is_in_force(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[[pytest.MonkeyPatch], None]
    ) -> None:
        registry = Registry(path)
        registry.add("192.0.2.7")
        before = path.read_bytes()
        with monkeypatch.context() as patch:
            fault(patch)
            registry.add("192.0.2.8")
        assert path.read_bytes() == before
        assert list(path.parent.iterdir()) == [path]
        assert [failure.errno for failure in registry.failures] == [errno.ENOSPC]
        assert registry.bans.covers("192.0.2.8")
        registry.add("192.0.2.9")
        assert len(registry.load().all()) == 3

    def test_is_told_also_where_the_new_file_cannot_be_removed(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registry = Registry(path)
        fsync_fails(monkeypatch)
        monkeypatch.setattr(os, "unlink", no_space)
        registry.add("192.0.2.7")
        assert len(registry.failures) == 1
        assert not path.exists()
