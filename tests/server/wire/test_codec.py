"""Items to bytes: which lines, which ends, what is made once for all, and what says nothing."""

from __future__ import annotations

from typing import get_args

import pytest
from support.recording import NOW

from chat_console.server.addresses import Address, network_of
from chat_console.server.room.events import (
    Banned,
    Joined,
    LeaveReason,
    Left,
    Messaged,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Renamed,
    Said,
    Unbanned,
)
from chat_console.server.room.listing import Page
from chat_console.server.room.room import Item
from chat_console.server.wire.codec import CRLF, LF, TextCodec

LINES: list[tuple[Item, str]] = [
    ("one", "one\n"),
    ("one\ntwo", "one\ntwo\n"),
    ("Grüße", "Grüße\n"),
    (Joined(NOW, 1, Address("192.0.2.7", 4000)), "Welcome 192.0.2.7|4000 to the server!\n"),
    (Renamed(NOW, 1, "192.0.2.7|4000", "Ann"), "192.0.2.7|4000 is now Ann\n"),
    (Said(NOW, 1, "Ann", ("hello", "you")), "Ann: hello\nAnn: you\n"),
    (OperatorSaid(NOW, "Operator", "hello"), "Operator: hello\n"),
    (Left(NOW, 1, "Ann", LeaveReason.KICKED, "for the log alone"), "Ann has left the server.\n"),
    (Messaged(NOW, 1, "Ann", "psst"), "Ann(private): psst \n"),
    (OperatorMessaged(NOW, 1, "Operator", "Ann", "psst", (1,)), "Operator (private): psst \n"),
    (
        Page([("192.0.2.7|4000", "Ann"), ("192.0.2.8|5000", "Bob")]),
        "192.0.2.7|4000 as Ann\n192.0.2.8|5000 as Bob\n",
    ),
    (Muted(NOW, 1, "Ann", True), ""),
    (Banned(NOW, (network_of("192.0.2.7"),)), ""),
    (Unbanned(NOW, network_of("192.0.2.7")), ""),
]


def test_every_kind_of_item_is_among_them() -> None:
    assert {type(item) for item, _ in LINES} == set(get_args(Item))


@pytest.mark.parametrize(("item", "text"), LINES, ids=[type(item).__name__ for item, _ in LINES])
class TestItem:
    def test_is_its_lines_each_with_its_end(self, item: Item, text: str) -> None:
        assert LF.encode(item) == text.encode()
        assert CRLF.encode(item) == text.replace("\n", "\r\n").encode()


class TestPage:
    def test_is_encoded_once_for_all_who_share_a_codec(self) -> None:
        page = Page([("192.0.2.7|4000", "Ann")])
        for codec in (LF, CRLF):
            assert codec.encode(page) is codec.encode(page)
        assert LF.encode(page) != CRLF.encode(page)

    def test_keeps_what_each_codec_has_made_of_it(self) -> None:
        page = Page([("192.0.2.7|4000", "Ann")])
        other = TextCodec(b"\n")
        made = [codec.encode(page) for codec in (LF, CRLF, other)]
        assert page.encoded == {LF: made[0], CRLF: made[1], other: made[2]}

    def test_with_the_same_members_as_another_has_bytes_of_its_own(self) -> None:
        pages = [Page([("192.0.2.7|4000", name)]) for name in ("Ann", "Bob")]
        assert [LF.encode(page) for page in pages] == [b"192.0.2.7|4000 as Ann\n", b"192.0.2.7|4000 as Bob\n"]
