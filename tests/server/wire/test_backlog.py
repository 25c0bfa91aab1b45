"""What waits for one client: nothing is copied, lost, or sent twice."""

from __future__ import annotations

from itertools import chain, repeat

from hypothesis import given
from hypothesis import strategies as st

from chat_console.server.wire.backlog import Backlog


def test_holds_what_is_appended_by_reference() -> None:
    backlog = Backlog()
    pieces = [b"one", b"two"]
    backlog.extend(pieces)
    assert [first is piece for first, piece in zip(backlog.first(100), pieces, strict=True)] == [True, True]
    assert backlog.size == 6


def test_gives_no_more_than_is_asked_for_and_no_more_pieces_than_the_system_takes() -> None:
    backlog = Backlog()
    backlog.extend([b"ab"] * 5000)
    assert b"".join(backlog.first(5)) == b"ababa"
    assert len(backlog.first(10_000)) <= 1024


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=9)),
    calls=st.lists(st.tuples(st.integers(1, 20), st.integers(0, 20)), min_size=1),
)
def test_every_byte_goes_out_once_and_in_order(pieces: list[bytes], calls: list[tuple[int, int]]) -> None:
    backlog = Backlog()
    backlog.extend(pieces)
    sent = b""
    for size, taken in chain(calls, repeat((20, 20))):
        if not backlog.size:
            break
        offered = b"".join(backlog.first(size))
        assert len(offered) == min(size, backlog.size)
        count = min(taken, len(offered))
        backlog.sent(count)
        sent += offered[:count]
    assert sent == b"".join(pieces)
    assert backlog.first(1) == []
