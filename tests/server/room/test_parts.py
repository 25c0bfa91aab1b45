"""A member's lines taken apart: what others hear of, what its author alone does, and that no more is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pure_room import PureRoom

from chat_console.server.addresses import Address
from chat_console.server.room.entries import NOTHING, Join, Leave, Line, Lines, Mute, Nick, TooLong
from chat_console.server.room.events import LeaveReason
from chat_console.server.room.listing import Page
from chat_console.server.room.parts import Part, parts_of


def parts(*lines: Line) -> list[Part]:
    return list(parts_of(Lines(5.0, 7, lines)))


def test_texts_that_follow_each_other_are_one_part() -> None:
    assert parts("one", "//two", "three") == [Part(Lines(5.0, 7, ("one", "//two", "three")), True)]


def test_of_no_lines_there_is_no_part() -> None:
    assert parts() == []


@pytest.mark.parametrize(
    "line",
    [
        *("/list", "/help", "/LIST", "/list all", "/foo", "/kick Bob", "/nick", "/msg Bob", "/quit now"),
        *("/nick two words", "/nick -a", "/nick Operator", "/nick 192.0.2.1"),
        *(NOTHING, TooLong(2048)),
    ],
)
def test_what_changes_nothing_concerns_its_author_alone(line: Line) -> None:
    assert parts("one", line, "two") == [
        Part(Lines(5.0, 7, ("one",)), True),
        Part(Lines(5.0, 7, (line,)), False),
        Part(Lines(5.0, 7, ("two",)), True),
    ]


def test_what_may_change_the_room_concerns_all() -> None:
    assert parts("/nick Ann", "/msg Bob  two  blanks", "/MSG operator help") == [
        Part(Nick(5.0, 7, "Ann"), True),
        Part(Lines(5.0, 7, ("/msg Bob two  blanks",)), True),
        Part(Lines(5.0, 7, ("/msg operator help",)), True),
    ]


def test_nothing_comes_after_a_quit() -> None:
    assert parts("bye", "/quit", "never said") == [
        Part(Lines(5.0, 7, ("bye",)), True),
        Part(Leave(5.0, (7,), LeaveReason.QUIT), True),
    ]


LINES: tuple[Line, ...] = (
    *("hello", "//slash", "/nick Ann", "/nick ann", "/nick Bob", "/nick -", "/nick Root", "/nick"),
    *(
        "/msg Bob psst",
        "/msg Ann to  me",
        "/msg Operator psst",
        "/msg Bob",
        "/list",
        "/help",
        "/foo",
        "/quit",
    ),
    *(NOTHING, TooLong(2048)),
)


@given(lines=st.lists(st.sampled_from(LINES), max_size=8), muted=st.booleans())
def test_the_parts_do_what_the_whole_does(lines: list[Line], muted: bool) -> None:
    whole, apart = PureRoom(), PureRoom()
    for pure in (whole, apart):
        pure.apply_all(Join(1.0, number, Address("192.0.2.1", 4000 + number)) for number in (1, 2))
        pure.apply(Nick(2.0, 2, "Bob"))
        if muted:
            pure.apply(Mute(3.0, 1, 1))
    entry = Lines(4.0, 1, tuple(lines))
    whole.apply(entry)
    apart.apply_all(part.entry for part in parts_of(entry))
    assert seen(apart) == seen(whole)


@given(lines=st.lists(st.sampled_from(LINES), max_size=8))
def test_others_see_no_difference_without_what_concerns_the_author_alone(lines: list[Line]) -> None:
    whole, shared = PureRoom(), PureRoom()
    for pure in (whole, shared):
        pure.apply_all(Join(1.0, number, Address("192.0.2.1", 4000 + number)) for number in (1, 2))
    entry = Lines(4.0, 1, tuple(lines))
    whole.apply(entry)
    shared.apply_all(part.entry for part in parts_of(entry) if part.is_shared)
    assert whole.items[2] == shared.items[2]
    assert whole.events == shared.events
    assert [known(one) for one in whole.room.roster.members] == [
        known(one) for one in shared.room.roster.members
    ]


def known(member: object) -> object:
    return [getattr(member, name) for name in ("id", "name", "nickname", "lines")]


def seen(pure: PureRoom) -> object:
    items = {
        member_id: [item.users if isinstance(item, Page) else item for item in items]
        for member_id, items in pure.items.items()
    }
    return items, pure.ended, pure.events, [known(one) for one in pure.room.roster.members]
