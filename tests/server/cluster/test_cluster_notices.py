"""What members are told of a cluster, word for word."""

from __future__ import annotations

from chat_console.server.cluster import notices


def test_sentences() -> None:
    assert notices.cut_off(1214) == (
        "Cut off from 1,214 other users: only those on this server read you until the link is back."
    )
    assert notices.link_is_back(214) == "The link is back: 214 other users are here."
    assert notices.users_joined(1214) == "1,214 users have joined."
    assert notices.users_left(214) == "214 users have left the server."
    assert notices.lines_are_missing() == "Some lines of others are missing here."
