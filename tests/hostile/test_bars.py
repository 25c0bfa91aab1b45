"""What attacks cost stays below its bars, at a scale that takes seconds: see `measure` for the whole one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from support.programs import require

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

Missed = Callable[[str], list[str]]

TRIES = 3
"""How often a time has to miss its bar: what the machine has beside it to do is not there each time."""


@pytest.fixture(scope="module")
def openssl() -> None:
    require("openssl")


@pytest.fixture
def missed(tmp_path_factory: pytest.TempPathFactory) -> Missed:
    """Makes an attack, and says what missed its bar; a time has to miss it each time the attack is made."""

    def missed(name: str) -> list[str]:
        counting: list[Outcome] = []
        late: set[tuple[str, str]] = set()
        for attempt in range(TRIES):
            outcomes = list(ATTACKS[name](QUICK, tmp_path_factory.mktemp(name)))
            counting = [
                one for one in outcomes if not (one.timed and attempt) or (one.attack, one.bar) in late
            ]
            late = {(one.attack, one.bar) for one in counting if one.timed and not one.held}
            if not late or not all(one.held or one.timed for one in counting):
                break
        return told(counting)

    return missed


def told(outcomes: list[Outcome]) -> list[str]:
    """What missed its bar."""
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


def test_what_is_removed_costs_others_no_more_than_text(missed: Missed) -> None:
    assert missed("removed") == []


def test_what_is_removed_over_tls_costs_others_no_more_than_text(openssl: None, missed: Missed) -> None:
    assert missed("removed-tls") == []


def test_the_program_ends_while_removed_things_are_sent(missed: Missed) -> None:
    assert missed("sigterm") == []


def test_listings_of_a_large_room_hold_nobody_up_and_none_is_lost(missed: Missed) -> None:
    if not raise_open_files():
        pytest.skip("needs more descriptors")
    assert missed("lists") == []


def test_listings_over_tls_have_their_turn_at_the_rate(openssl: None, missed: Missed) -> None:
    assert missed("lists-tls") == []


def test_who_reads_is_not_dropped_whatever_those_of_one_address_say(missed: Missed) -> None:
    assert missed("one-address") == []


def test_bytes_are_metered_like_lines_also_those_that_are_removed(
    waited: dict[str, Future[list[Outcome]]],
) -> None:
    assert told(waited["metering"].result()) == []


def test_what_is_held_of_a_client_is_bounded(missed: Missed) -> None:
    assert missed("held") == []


def test_no_character_is_remembered_for_good(missed: Missed) -> None:
    assert missed("code-points") == []


def test_bans_cost_the_same_however_many_there_are(missed: Missed) -> None:
    assert missed("bans") == []


def test_new_networks_cost_the_same_however_many_there_were(missed: Missed) -> None:
    assert missed("networks") == []


def test_a_ban_of_many_holds_nobody_up(missed: Missed) -> None:
    if not raise_open_files():
        pytest.skip("needs more descriptors")
    assert missed("ban-of-a-name") == []


def test_many_who_leave_at_once_hold_nobody_up(missed: Missed) -> None:
    if not raise_open_files():
        pytest.skip("needs more descriptors")
    assert missed("leaving") == []


def test_a_handshake_that_is_never_finished_takes_little_memory(openssl: None, missed: Missed) -> None:
    assert missed("handshakes") == []


def test_who_never_reads_over_tls_is_dropped_as_without(openssl: None, missed: Missed) -> None:
    assert missed("silent-reader") == []


def test_who_stalls_over_tls_is_dropped_as_without(waited: dict[str, Future[list[Outcome]]]) -> None:
    assert told(waited["stalled-reader"].result()) == []


def test_tls_records_that_bring_nothing_cost_others_no_more_than_text(openssl: None, missed: Missed) -> None:
    if not libssl.is_there():
        pytest.skip("needs the OpenSSL of Python's ssl")
    assert missed("key-updates") == []


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
