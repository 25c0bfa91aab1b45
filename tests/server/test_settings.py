"""The limits that a server has unless it is told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_console.server.settings import Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hosts", ("127.0.0.1",)),
        ("burst", 20),
        ("rate", 5),
        ("max_per_ip", 32),
        ("connect_rate", 30),
        ("connect_burst", 10),
        ("max_line", 2048),
        ("max_backlog", 4 << 20),
        ("stall_timeout", 20),
        ("close_grace", 1),
        ("bans_file", None),
    ],
)
def test_the_defaults_are_what_the_pages_for_users_say(name: str, value: object) -> None:
    assert getattr(Settings(), name) == value


def test_it_is_encrypted_only_with_both_a_certificate_and_its_key() -> None:
    cert, key = Path("cert.pem"), Path("key.pem")
    assert Settings(tls_cert=cert, tls_key=key).encrypted
    assert not Settings().encrypted
    assert not Settings(tls_cert=cert).encrypted
    assert not Settings(tls_key=key).encrypted
