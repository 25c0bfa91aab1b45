"""How a node logs in to the engine, and which files it can use for that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority

from chat_console.server.cluster.engine import EngineError
from chat_console.server.cluster.login import Login, login, nats_options, tls_context
from chat_console.server.cluster.settings import ClusterSettings


def settings(*urls: str, **values: Any) -> ClusterSettings:
    return ClusterSettings(urls=urls or ("nats://nats1",), node="paris", **values)


@pytest.mark.parametrize(
    ("urls", "logins"),
    [
        (("nats://a", "nats://b"), [Login(), Login()]),
        (("nats://a", "nats://paris:secret@b"), [Login("paris", "secret")] * 2),
        (("nats://x:y@a", "nats://paris:secret@b"), [Login("x", "y"), Login("paris", "secret")]),
        (("nats://token@a",), [Login(token="token")]),
    ],
)
def test_a_server_without_a_login_has_that_of_the_first_with_one(
    urls: tuple[str, ...], logins: list[Login]
) -> None:
    some = settings(*urls)
    assert [login(some, server) for server in some.servers] == logins


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"paris:secret", Login("paris", "secret")),
        (b" paris:s:e cret\r\nmore\n", Login("paris", "s:e cret")),
    ],
)
def test_a_file_has_user_and_password_in_its_first_line(tmp_path: Path, data: bytes, found: Login) -> None:
    path = tmp_path / "creds"
    path.write_bytes(data)
    some = settings(creds=path)
    assert login(some, some.servers[0]) == found


def test_a_file_of_nats_is_given_to_its_client(tmp_path: Path) -> None:
    path = tmp_path / "paris.creds"
    path.write_text("-----BEGIN NATS USER JWT-----\n")
    some = settings(creds=path)
    assert login(some, some.servers[0]) == Login(file=path)
    assert nats_options(some, some.servers[0], dict)["user_credentials"] == str(path)


@pytest.mark.parametrize("data", [b"", b"paris", b"paris:", b":secret", b"\nparis:secret", b"\xff:\xff"])
def test_a_file_without_a_login_is_told(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "creds"
    path.write_bytes(data)
    some = settings(creds=path)
    with pytest.raises(EngineError, match="creds has neither USER:PASSWORD in its first line nor"):
        login(some, some.servers[0])


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    missing, pem = tmp_path / "missing", tmp_path / "pem"
    pem.write_text("nothing")
    some = settings(creds=missing)
    with pytest.raises(EngineError, match=r"cannot read .*missing: No such file or directory"):
        login(some, some.servers[0])
    for values in ({"ca": missing}, {"cert": missing, "key": pem}):
        with pytest.raises(EngineError, match=r"cannot read .*missing: No such file or directory"):
            tls_context(settings("tls://nats1", **values), lambda: None)


def test_a_file_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.self_signed("engine")
    locked = authority.with_passphrase("locked", pair)
    pem = tmp_path / "pem"
    pem.write_text("nothing")
    with pytest.raises(EngineError, match="pem has no certificate in PEM"):
        tls_context(settings("tls://nats1", ca=pem), lambda: None)
    for values in ({"cert": pem, "key": pair.key}, {"cert": locked.cert, "key": locked.key}):
        with pytest.raises(EngineError, match="are not a PEM certificate and its unencrypted key"):
            tls_context(settings("tls://nats1", **values), lambda: None)
