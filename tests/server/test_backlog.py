"""What waits for one client: nothing is copied, lost, or sent twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat_console.server.backlog import Backlog


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
    sizes=st.lists(st.integers(1, 20), min_size=1),
    taken=st.randoms(use_true_random=False),
)
def test_every_byte_goes_out_once_and_in_order(pieces: list[bytes], sizes: list[int], taken: object) -> None:
    backlog = Backlog()
    backlog.extend(pieces)
    sent = b""
    while backlog.size:
        for size in sizes:
            offered = b"".join(backlog.first(size))
            assert len(offered) == min(size, backlog.size)
            count = taken.randint(0, len(offered))  # type: ignore[attr-defined]
            backlog.sent(count)
            sent += offered[:count]
    assert sent == b"".join(pieces)
    assert backlog.first(1) == []
