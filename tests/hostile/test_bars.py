"""What attacks cost stays below its bars, at a scale that takes seconds: see `measure` for the whole one."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from . import libssl
from .bars import QUICK, Outcome
from .measure import ATTACKS
from .metered import raise_open_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the meter reads Linux' /proc")

WAITING = (
    *("last-lines", "last-lines-tls", "long-last-lines", "minute", "minute-tls"),
    *("pause", "pause-tls", "metering", "stalled-reader"),
)
"""Attacks that mostly wait, and so are made all at once."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bars")


@pytest.fixture(scope="module")
def openssl() -> None:
    if shutil.which("openssl") is None:
        missing = "needs the program openssl"
        if os.environ.get("CHAT_CONSOLE_REQUIRE_CLIENTS") == "1":
            pytest.fail(missing)
        pytest.skip(missing)


def missed(name: str, folder: Path) -> list[str]:
    """What missed its bar when this attack was made."""
    return told(list(ATTACKS[name](QUICK, folder)))


def told(outcomes: list[Outcome]) -> list[str]:
    assert outcomes
    return [" ".join(str(outcome).split()) for outcome in outcomes if not outcome.held]


@pytest.fixture(scope="module")
def waited(
    openssl: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[list[Outcome]]]]:
    """What came of the attacks that mostly wait."""

    def make(name: str) -> list[Outcome]:
        return list(ATTACKS[name](QUICK, tmp_path_factory.mktemp(name)))

    with ThreadPoolExecutor(len(WAITING)) as pool:
        yield {name: pool.submit(make, name) for name in WAITING}


# Work is charged to who causes it


def test_what_is_removed_costs_others_no_more_than_text(folder: Path) -> None:
    assert missed("removed", folder) == []


def test_what_is_removed_over_tls_costs_others_no_more_than_text(openssl: None, folder: Path) -> None:
    assert missed("removed-tls", folder) == []


def test_the_program_ends_while_removed_things_are_sent(folder: Path) -> None:
    assert missed("sigterm", folder) == []


def test_listings_of_a_large_room_hold_nobody_up_and_none_is_lost(folder: Path) -> None:
    if not raise_open_files():
        pytest.skip("needs more descriptors")
    assert missed("lists", folder) == []


def test_listings_over_tls_have_their_turn_at_the_rate(openssl: None, folder: Path) -> None:
    assert missed("lists-tls", folder) == []


def test_who_reads_is_not_dropped_whatever_those_of_one_address_say(folder: Path) -> None:
    assert missed("one-address", folder) == []


def test_bytes_are_metered_like_lines_also_those_that_are_removed(
    waited: dict[str, Future[list[Outcome]]],
) -> None:
    assert told(waited["metering"].result()) == []


def test_what_is_held_of_a_client_is_bounded(folder: Path) -> None:
    assert missed("held", folder) == []


def test_no_character_is_remembered_for_good(folder: Path) -> None:
    assert missed("code-points", folder) == []


def test_bans_cost_the_same_however_many_there_are(folder: Path) -> None:
    assert missed("bans", folder) == []


def test_new_networks_cost_the_same_however_many_there_were(folder: Path) -> None:
    assert missed("networks", folder) == []


def test_a_ban_of_many_holds_nobody_up(folder: Path) -> None:
    if not raise_open_files():
        pytest.skip("needs more descriptors")
    assert missed("ban-of-a-name", folder) == []


def test_many_who_leave_at_once_hold_nobody_up(folder: Path) -> None:
    if not raise_open_files():
        pytest.skip("needs more descriptors")
    assert missed("leaving", folder) == []


def test_a_handshake_that_is_never_finished_takes_little_memory(openssl: None, folder: Path) -> None:
    assert missed("handshakes", folder) == []


def test_who_never_reads_over_tls_is_dropped_as_without(openssl: None, folder: Path) -> None:
    assert missed("silent-reader", folder) == []


def test_who_stalls_over_tls_is_dropped_as_without(waited: dict[str, Future[list[Outcome]]]) -> None:
    assert told(waited["stalled-reader"].result()) == []


def test_tls_records_that_bring_nothing_cost_others_no_more_than_text(openssl: None, folder: Path) -> None:
    if not libssl.is_there():
        pytest.skip("needs the OpenSSL of Python's ssl")
    assert missed("key-updates", folder) == []


# Nothing received is lost


@pytest.mark.parametrize("name", ["last-lines", "last-lines-tls", "long-last-lines"])
def test_what_was_sent_before_an_end_is_heard_at_the_rate(
    name: str, waited: dict[str, Future[list[Outcome]]]
) -> None:
    assert told(waited[name].result()) == []


@pytest.mark.parametrize("name", ["minute", "minute-tls"])
def test_what_is_held_of_who_is_gone_has_a_minute_and_the_rest_is_counted(
    name: str, waited: dict[str, Future[list[Outcome]]]
) -> None:
    assert told(waited[name].result()) == []


@pytest.mark.parametrize("name", ["pause", "pause-tls"])
def test_a_pause_of_the_server_is_no_stall_of_its_clients(
    name: str, waited: dict[str, Future[list[Outcome]]]
) -> None:
    assert told(waited[name].result()) == []
