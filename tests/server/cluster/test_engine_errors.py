"""Why the engine cannot be used: what heals by itself, what does not, and how it is said."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Any, NamedTuple

import pytest

from chat_console.server.cluster import engine
from chat_console.server.cluster.engine import EngineError, LinkError
from chat_console.server.cluster.settings import ClusterSettings, Server

SERVER = Server("nats1", 4222, None, None)


class Version(NamedTuple):
    major: int
    minor: int


def test_an_engine_that_is_too_old_is_told_the_version() -> None:
    engine.check(Version(2, 9), 1 << 20)
    with pytest.raises(EngineError, match=r"nats-server 2\.8 is too old: use 2\.9 or newer"):
        engine.check(Version(2, 8), 1 << 20)


def test_an_engine_must_take_the_longest_entry() -> None:
    engine.check(Version(2, 11), 512 << 10)
    with pytest.raises(EngineError, match="takes at most 524287 bytes in a message"):
        engine.check(Version(2, 11), (512 << 10) - 1)


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (
            {"code": 503, "err_code": 10076},
            EngineError,
            "the engine has no JetStream for this login: start nats-server with -js, or enable it",
        ),
        (
            {"code": 500, "err_code": 10028},
            EngineError,
            "the engine has no 256 MiB left for the stream CHAT_lobby: raise its max_mem",
        ),
        (
            {"code": 500, "err_code": 10047},
            EngineError,
            "the engine has no 256 MiB left for the stream CHAT_lobby: raise its max_file",
        ),
        (
            {"code": 500, "err_code": 10074},
            EngineError,
            "the engine is one server and keeps one copy: use --cluster-replicas 1",
        ),
        (
            {"code": 400, "err_code": 10065},
            EngineError,
            "another stream has the entries of CHAT_lobby: name another --room, or delete it",
        ),
        (
            {"code": 400, "err_code": 10005},
            LinkError,
            "the engine has too few servers for the stream CHAT_lobby",
        ),
        (
            {"code": 400, "description": "no\x1b such\nthing"},
            EngineError,
            "the engine cannot make the stream CHAT_lobby: no? such thing",
        ),
        (
            {"code": 503, "description": "system temporarily unavailable"},
            LinkError,
            "the engine answers: system temporarily unavailable",
        ),
    ],
)
def test_what_it_refuses_is_told(error: dict[str, Any], kind: type[Exception], told: str) -> None:
    refused = engine.refused(error, "CHAT_lobby")
    assert (type(refused), str(refused)) == (kind, told)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('permissions violation for publish to "chat.x"', "write to chat.x"),
        ('Permissions Violation for Subscription to "chat.x"', "read chat.x"),
        ("permissions violation for publish to chat.x", "write to chat.x"),
        ("permissions violation", "permissions violation"),
    ],
)
def test_what_it_denies_is_told_with_the_page_that_helps(text: str, what: str) -> None:
    told = engine.denied(text.lower(), "paris")
    assert told == f"the engine does not let this login {what}: give paris the permissions of docs/cluster.md"


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (socket.gaierror(-2, "Name or service not known"), LinkError, "the name nats1 cannot be resolved"),
        (TimeoutError(), LinkError, "no answer"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), LinkError, "connection refused"),
        (
            OSError(f"Multiple exceptions: [Errno {errno.ECONNREFUSED}] Connect call failed, [Errno 101] x"),
            LinkError,
            "connection refused",
        ),
        (OSError("something odd"), LinkError, "something odd"),
        (ValueError("nats: 'odd\nthing'"), LinkError, "'odd thing'"),
        (ValueError(), LinkError, "ValueError"),
        (
            ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required"),
            EngineError,
            "nats1:4222 wants a certificate of paris: give --cluster-cert and --cluster-key",
        ),
        (
            Exception("nats: 'Authorization Violation'"),
            EngineError,
            "the engine refuses the login of paris: check user and password, or the file of --cluster-creds",
        ),
        (
            ImportError("No module named 'nkeys'", name="nkeys"),
            EngineError,
            "a credentials file of NATS needs one more package: pip install nkeys",
        ),
    ],
)
def test_why_there_is_no_connection_is_told(error: Exception, kind: type[Exception], told: str) -> None:
    why = engine.reason(error, SERVER, "paris")
    assert (type(why), str(why)) == (kind, told)


def test_what_it_says_is_shown_as_one_line_of_bounded_length() -> None:
    assert engine.shown("nats: a\r\n\tb \x1b[31m" + "x" * 500) == "a b ?[31m" + "x" * 191


@pytest.mark.parametrize(
    ("replicas", "storage", "told"),
    [
        (3, "memory", "its log has 1 of 3 copies, as it was made: see docs/cluster.md"),
        (1, "file", "its log is kept in memory, not in file, as it was made: see docs/cluster.md"),
        (1, "memory", ""),
    ],
)
def test_a_stream_that_is_not_as_it_is_wanted_is_told(replicas: int, storage: str, told: str) -> None:
    settings = ClusterSettings(urls=("nats://a",), node="paris", replicas=replicas, storage=storage)
    assert engine.differs({"num_replicas": 1, "storage": "memory"}, settings) == told
    assert engine.differs({}, settings) == ""
