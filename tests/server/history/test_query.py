"""What a query holds for: each condition by itself, and all of them together."""

from __future__ import annotations

import pytest

from chat_console.server.history.query import TALK, Query
from chat_console.server.history.records import Kind, Line

LINE = Line(1, 100.0, Kind.SAID, 7, "Straße", "192.0.2.1|4711", "TCP is a Stream")


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(("stream",)),
        Query(("tcp", "a st")),
        Query(("STRASSE",)),
        Query(("strasse:",)),
        Query(names=("bob", "strasse")),
        Query(kinds=TALK),
        Query(since=100.0),
        Query(until=100.1),
        Query(("is",), ("Straße",), TALK, 99.0, 101.0),
        Query(sender="STRA"),
        Query(member_id=7),
    ],
)
def test_it_holds(query: Query) -> None:
    assert query.finds([LINE, LINE]) == [LINE, LINE]


@pytest.mark.parametrize(
    "query",
    [
        Query(("streams",)),
        Query(("stream", "udp")),
        Query(("strasse: tcp",)),
        Query(("192.0.2.1",)),
        Query(names=("stra",)),
        Query(kinds=(Kind.JOINED,)),
        Query(since=100.1),
        Query(until=100.0),
        Query(("is",), ("Straße",), TALK, 99.0, 100.0),
        Query(sender="raße"),
        Query(member_id=1),
    ],
)
def test_it_does_not_hold(query: Query) -> None:
    assert query.finds([LINE]) == []


@pytest.mark.parametrize(
    ("kind", "text", "holds"),
    [
        (Kind.SENT, "Bob\tAnn is here", True),
        (Kind.SENT, "Ann\tBob is here", False),
        (Kind.PRIVATE, "Bob is here", False),
        (Kind.RENAMED, "Bob", False),
    ],
)
def test_a_private_line_is_of_whom_it_was_sent_to(kind: Kind, text: str, holds: bool) -> None:
    line = Line(1, 100.0, kind, 0, "Operator", "", text)
    assert bool(Query(sender="bo").finds([line])) is holds
