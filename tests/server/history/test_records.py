"""Records: every public event goes into one and comes out of it as it was."""

from __future__ import annotations

from typing import Any

import pytest

from chat_console.server.addresses import Address, Endpoint, network_of
from chat_console.server.history.records import Kind, Line, Record, content_of, event_of
from chat_console.server.room.events import (
    Banned,
    Event,
    Failed,
    Joined,
    LeaveReason,
    Left,
    Messaged,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Recording,
    Refused,
    Renamed,
    Replied,
    Said,
    Silenced,
    Started,
    Stopped,
    Unbanned,
)

NETWORKS = (network_of("192.0.2.0/24"), network_of("2001:db8::7"))

PUBLIC: list[Event] = [
    Said(1.5, 7, "Ann", ("hello",)),
    OperatorSaid(2, "Operator", "good evening"),
    Joined(3, 7, Address("2001:db8::7", 4711)),
    Renamed(4, 7, "2001:db8::7|4711", "Ann"),
    *(Left(5, 7, "Ann", reason, remark) for reason in LeaveReason for remark in ("", "be polite")),
    Muted(6, 7, "Ann", True),
    Muted(6, 7, "Ann", True, 600, "insults"),
    Muted(6, 7, "Ann", True, None, "insults"),
    Muted(6, 7, "Ann", False),
    Banned(7, NETWORKS),
    Banned(7, NETWORKS, 3600, "spam"),
    Banned(7, NETWORKS[:1], None, "spam"),
    Unbanned(8, NETWORKS[1]),
    Started(9, (Endpoint("127.0.0.1", 1234), Endpoint("::1", 1234))),
    Stopped(10),
    Stopped(10, "SIGTERM"),
]
PRIVATE: list[Event] = [
    Messaged(11, 7, "Ann", "can you help?"),
    OperatorMessaged(12, 0, "Operator", "Ann", "yes\u3000of course", (0,)),
]
OTHER: list[Event] = [
    Silenced(1, 7, "Ann", ("psst",)),
    Replied(1, 1, "no users"),
    Refused(1, 2, "banned", "192.0.2.1"),
    Muted(1, 7, "Bob", True, 60, is_old=True),
    Failed(1, "Ann", "KeyError"),
    Recording(1, False, "the disk is full"),
    OperatorMessaged(1, 1, "Operator", "Nobody", "hello", ()),
]


def line_of(event: Event, *, private: bool = False) -> Line:
    content = content_of(event, private=private)
    assert content is not None
    kind, member_id, name, text = content
    return Line(1, event.time, kind, member_id, name, "", text)


@pytest.mark.parametrize("event", PUBLIC, ids=str)
def test_a_public_event_comes_out_as_it_went_in(event: Event) -> None:
    assert event_of(line_of(event)) == event


@pytest.mark.parametrize("event", PRIVATE, ids=str)
def test_private_lines_are_recorded_only_if_that_is_asked_for(event: Event) -> None:
    assert content_of(event) is None
    assert event_of(line_of(event, private=True)) == event


@pytest.mark.parametrize("event", OTHER, ids=str)
def test_what_was_for_one_console_alone_is_never_recorded(event: Event) -> None:
    assert content_of(event) is None
    assert content_of(event, private=True) is None


def test_the_lines_of_one_event_are_one_text() -> None:
    assert content_of(Said(1, 7, "Ann", ("one", "two"))) == (Kind.SAID, 7, "Ann", "one\ntwo")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (99, "what a later version wrote"),
        (Kind.GAP, "1204"),
        (Kind.JOINED, "nowhere"),
        (Kind.LEFT, "BORED"),
        (Kind.MUTED, "1\tfor ever"),
        (Kind.BANNED, "everybody"),
        (Kind.UNBANNED, ""),
    ],
)
def test_what_it_does_not_know_is_no_event(kind: int, text: str) -> None:
    assert event_of(Line(1, 1.0, kind, 0, "", "", text)) is None


def test_the_numbers_of_the_kinds_never_change() -> None:
    assert {kind.name: kind.value for kind in Kind} == {
        "SAID": 0,
        "OPERATOR_SAID": 1,
        "JOINED": 2,
        "LEFT": 3,
        "RENAMED": 4,
        "MUTED": 5,
        "BANNED": 6,
        "UNBANNED": 7,
        "STARTED": 8,
        "STOPPED": 9,
        "GAP": 10,
        "PRIVATE": 11,
        "SENT": 12,
    }


def test_a_record_knows_about_how_much_memory_it_takes() -> None:
    values: dict[str, Any] = {
        "serial": 1,
        "time": 1.0,
        "kind": Kind.SAID,
        "member_id": 1,
        "name": "",
        "lines": 1,
    }
    assert Record(text="x" * 1000, **values).size - Record(text="", **values).size == 1000
