"""What the answers of JetStream say."""

from __future__ import annotations

import pytest

from chat_console.server.cluster.jetstream import delivery, is_control, wanted_answer


@pytest.mark.parametrize(
    "reply",
    [
        "$JS.ACK.CHAT_lobby.c.1.7.3.1700000000500000000.0",
        "$JS.ACK.domain.account.CHAT_lobby.c.1.7.3.1700000000500000000.0",
        "$JS.ACK._.account.CHAT_lobby.c.1.7.3.1700000000500000000.0.random",
    ],
)
def test_a_reply_says_where_an_entry_is(reply: str) -> None:
    assert delivery(reply) == (7, 3, 1700000000.5)


@pytest.mark.parametrize("reply", ["", "$JS.FC.CHAT_lobby.c.x", "_INBOX.x"])
def test_another_reply_is_of_no_entry(reply: str) -> None:
    assert delivery(reply) is None


def test_a_consumer_that_waits_is_answered() -> None:
    assert wanted_answer("$JS.FC.CHAT_lobby.c.x", {"Status": "100"}) == "$JS.FC.CHAT_lobby.c.x"
    assert wanted_answer("", {"Status": "100", "Nats-Consumer-Stalled": "$JS.FC.y"}) == "$JS.FC.y"
    assert wanted_answer("", {"Status": "100"}) == wanted_answer("", None) == ""


def test_what_is_no_control_ends_the_reading() -> None:
    assert is_control({"Status": "100"})
    assert not is_control({"Status": "409"})
    assert not is_control(None)
