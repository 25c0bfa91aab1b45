"""What is said of each event: in the operator's log, to members, and on the plain console."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, get_args

import pytest
from support.samples import EVENTS

from chat_console.server.addresses import Address, Endpoint, network_of
from chat_console.server.room.events import (
    Addressed,
    Banned,
    Event,
    Failed,
    Joined,
    LeaveReason,
    Left,
    Linked,
    Messaged,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Outcome,
    Recording,
    Refused,
    Renamed,
    Replied,
    RoomEvent,
    Said,
    ServerEvent,
    Silenced,
    Started,
    Stopped,
    Unbanned,
)
from chat_console.server.room.told import Kind, told


class Row(NamedTuple):
    """An event, and all that is said of it."""

    event: Event
    kind: Kind
    texts: list[str]
    author: str = ""
    line: str | None = None
    transcript: str | None = None
    aside: str | None = None


def public(event: Event, kind: Kind, text: str) -> Row:
    """One that members, the log and the transcript tell alike."""
    return Row(event, kind, [text], line=text, transcript=text)


def aside(event: Event, kind: Kind, text: str) -> Row:
    """One that the operator alone is told of, and the transcript has no line for."""
    return Row(event, kind, [text], aside=text)


def left(reason: LeaveReason, text: str, aside: str, remark: str = "") -> Row:
    line = "Bob has left the server."
    return Row(Left(1, 7, "Bob", reason, remark), "leave", [text], line=line, transcript=line, aside=aside)


ROWS = (
    Row(Said(1, 7, "Bob", ("hello",)), "chat", ["hello"], "Bob", "Bob: hello", "Bob: hello"),
    Row(
        Said(1, 7, "192.0.2.7|41050", ("one", "two")),
        "chat",
        ["one", "two"],
        "192.0.2.7|41050",
        "192.0.2.7|41050: one\n192.0.2.7|41050: two",
        "192.0.2.7|41050: one\n192.0.2.7|41050: two",
    ),
    Row(
        Joined(1, 7, Address("192.0.2.7", 41050)),
        "join",
        ["192.0.2.7|41050 joined"],
        line="Welcome 192.0.2.7|41050 to the server!",
        transcript="Welcome 192.0.2.7|41050 to the server!",
    ),
    public(Renamed(1, 7, "192.0.2.7|41050", "Bob"), "rename", "192.0.2.7|41050 is now Bob"),
    Row(OperatorSaid(1, "Operator", "hello"), "operator", ["hello"], "Operator", "Operator: hello"),
    Row(OperatorSaid(1, "Night shift", "hello"), "operator", ["hello"], "Night shift", "Night shift: hello"),
    Row(
        OperatorSaid(1, "Operator", "hello", "rome"),
        "operator",
        ["hello"],
        "Operator (rome)",
        "Operator: hello",
        "Operator: hello",
    ),
    left(LeaveReason.QUIT, "Bob left", "Bob left: quit"),
    left(LeaveReason.END_OF_INPUT, "Bob left (closed its end)", "Bob left: closed the connection"),
    left(LeaveReason.LOST, "Bob left (connection lost)", "Bob left: connection lost"),
    left(LeaveReason.KICKED, "Bob left (kicked)", "Bob left: kicked"),
    left(LeaveReason.KICKED, "Bob left (kicked: too loud)", "Bob left: kicked (too loud)", remark="too loud"),
    left(LeaveReason.BANNED, "Bob left (banned)", "Bob left: banned"),
    left(LeaveReason.SLOW, "Bob was dropped (read too slowly)", "Bob was dropped: read too slowly"),
    left(LeaveReason.STALLED, "Bob was dropped (stopped reading)", "Bob was dropped: stopped reading"),
    left(
        LeaveReason.FOREIGN,
        "Bob was dropped (spoke another protocol)",
        "Bob was dropped: spoke another protocol",
    ),
    left(LeaveReason.FAILED, "Bob was dropped (internal error)", "Bob was dropped: internal error"),
    aside(Muted(1, 7, "Bob", True), "notice", "Bob is muted"),
    aside(Muted(1, 7, "Bob", True, 600), "notice", "Bob is muted for 10m"),
    aside(Muted(1, 7, "Bob", True, None, "too loud"), "notice", "Bob is muted (too loud)"),
    Row(Muted(1, 7, "Bob", True, 600, is_old=True), "notice", []),
    aside(Muted(1, 7, "Bob", False), "notice", "Bob is no longer muted"),
    aside(Banned(1, (network_of("192.0.2.7"),), 7200, "spam"), "notice", "192.0.2.7 is banned for 2h (spam)"),
    aside(
        Banned(1, (network_of("192.0.2.0/24"), network_of("::1"))),
        "notice",
        "192.0.2.0/24, ::1 are banned until unbanned",
    ),
    aside(Unbanned(1, network_of("192.0.2.7")), "notice", "192.0.2.7 is no longer banned"),
    Row(
        Messaged(1, 7, "Jimmy", "Hey, how's it going?"),
        "private",
        ["Hey, how's it going?"],
        "Jimmy",
        "Jimmy(private): Hey, how's it going? ",
        "Jimmy(private): Hey, how's it going? ",
    ),
    Row(
        OperatorMessaged(1, 1, "Operator", "Sturgis", "You're my favorite <3", (7,)),
        "sent",
        ["You're my favorite <3"],
        "to Sturgis",
        "Operator (private): You're my favorite <3 ",
    ),
    Row(
        OperatorMessaged(1, 2, "Night shift", "bob", "psst", ()),
        "sent",
        [],
        "to bob",
        "Night shift (private): psst ",
    ),
    Row(
        Silenced(1, 7, "Bob", ("hey", "you")),
        "silenced",
        ["hey", "you"],
        "Bob",
        aside="Bob, who is muted, said: hey\nBob, who is muted, said: you",
    ),
    Row(Replied(1, 1, "Nobody is banned"), "reply", ["Nobody is banned"], transcript="Nobody is banned"),
    Row(Replied(1, 1, "Kicked 1 people.", Outcome.DONE), "reply", [], transcript="Kicked 1 people."),
    Row(Replied(1, 1, "Usage: /help", Outcome.REFUSED), "reply", [], transcript="Usage: /help"),
    Row(Replied(1, None, "one\ntwo"), "reply", ["one", "two"], transcript="one\ntwo"),
    Row(
        Started(1, (Endpoint("192.0.2.1", 12345), Endpoint("::1", 12345))),
        "notice",
        ["The server listens on port 12345"],
        transcript="Server started on port 12345",
    ),
    aside(
        Refused(1, 3, "Server is full", "192.0.2.9"),
        "notice",
        "Refused 3 connections, the last from 192.0.2.9: Server is full",
    ),
    aside(Failed(1, "Bob", "KeyError: 1"), "error", "Error while serving Bob: KeyError: 1"),
    Row(Stopped(1, "SIGTERM"), "notice", ["The server has stopped (SIGTERM)"]),
    aside(Recording(1, True, "A new one was begun."), "notice", "A new one was begun."),
    aside(Linked(1, "Node rome is in.", 2), "notice", "Node rome is in."),
    aside(Linked(1, "Cut off.", 1, "cut off"), "error", "Cut off."),
    aside(Recording(1, False, "The disk is full."), "error", "The disk is full."),
)


def made(text: Callable[[Event], str] | None, event: Event) -> str | None:
    return text and text(event)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row.event).__name__)
def test_of_an_event_is_said_to_each_what_is_theirs(row: Row) -> None:
    event = row.event
    found = told(event)
    assert (found.kind, list(found.texts(event)), found.author(event)) == (row.kind, row.texts, row.author)
    assert made(found.line, event) == row.line
    assert made(found.transcript, event) == row.transcript
    assert made(found.aside, event) == row.aside


def test_there_is_a_row_for_each_kind_of_event() -> None:
    assert {type(row.event) for row in ROWS} == set(get_args(Event))
    assert {row.event.reason for row in ROWS if isinstance(row.event, Left)} == set(LeaveReason)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_members_hear_what_the_room_says_aloud_and_what_is_said_to_them(event: Event) -> None:
    to_members = isinstance(event, RoomEvent | Messaged | OperatorMessaged)
    to_members &= not isinstance(event, Muted | Banned | Unbanned)
    assert (told(event).line is not None) is to_members


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_the_operator_hears_of_every_event_on_the_plain_console_unless_it_has_typed_it(event: Event) -> None:
    found = told(event)
    typed = isinstance(event, OperatorSaid | OperatorMessaged)
    over = isinstance(event, Stopped)  # the console ends with the server
    assert (found.transcript is None and found.aside is None) is (typed or over)
    assert all(found.texts(event))


def test_every_event_is_the_rooms_the_servers_or_addressed() -> None:
    groups = [set(get_args(group)) for group in (RoomEvent, ServerEvent, Addressed)]
    assert set.union(*groups) == set(get_args(Event))
    assert sum(map(len, groups)) == len(get_args(Event))
