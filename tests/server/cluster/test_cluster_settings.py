"""What a node is told about its cluster: the defaults, and what is said of values that are wrong."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from chat_console.server.cluster.settings import ClusterSettings, default_node, urls_in

PEM, KEY = Path("cert.pem"), Path("key.pem")
HERE = ("nats://127.0.0.1",)


def settings(**values: Any) -> ClusterSettings:
    return ClusterSettings(**{"urls": HERE, "node": "paris", **values})


def test_the_defaults_are_what_the_pages_for_users_say() -> None:
    some = settings()
    assert (some.room, some.hold, some.storage, some.replicas) == ("lobby", 10, "memory", 1)
    assert (some.ca, some.cert, some.key, some.creds) == (None, None, None, None)


@pytest.mark.parametrize(
    ("url", "shown", "login"),
    [
        ("nats://nats1", "nats1:4222", (None, None)),
        ("nats1", "nats1:4222", (None, None)),
        ("nats1:4223", "nats1:4223", (None, None)),
        ("tls://nats1.example:4223/", "nats1.example:4223", (None, None)),
        ("nats://[2001:db8::1]:4223", "[2001:db8::1]:4223", (None, None)),
        ("nats://paris:secret@nats1", "nats1:4222", ("paris", "secret")),
        ("paris:secret@nats1", "nats1:4222", ("paris", "secret")),
        ("nats://paris:s%40c%3Aret@nats1", "nats1:4222", ("paris", "s@c:ret")),
        ("nats://token@nats1", "nats1:4222", ("token", None)),
    ],
)
def test_a_url_says_where_a_server_is_and_how_to_log_in(url: str, shown: str, login: tuple[str, str]) -> None:
    (server,) = settings(urls=(url,)).servers
    assert str(server) == repr(server) == shown
    assert (server.user, server.password) == login


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("", ()),
        (" \n", ()),
        ("tls://a:b@c", ("tls://a:b@c",)),
        ("nats://one, nats://two\nnats://three ", ("nats://one", "nats://two", "nats://three")),
    ],
)
def test_the_environment_variable_has_urls_with_blanks_or_commas_between(
    text: str, urls: tuple[str, ...]
) -> None:
    assert urls_in(text) == urls


@pytest.mark.parametrize(
    ("values", "is_encrypted", "is_exposed"),
    [
        ({}, False, False),
        ({"urls": ("nats://localhost:4222", "nats://[::1]:4222")}, False, False),
        ({"urls": ("nats://192.0.2.1",)}, False, True),
        ({"urls": ("nats://127.0.0.1", "nats://nats1")}, False, True),
        ({"urls": ("tls://nats1",)}, True, False),
        ({"urls": ("nats://nats1",), "ca": PEM}, True, False),
        ({"urls": ("nats://nats1",), "cert": PEM, "key": KEY}, True, False),
    ],
)
def test_who_may_read_what_passes(values: dict[str, Any], is_encrypted: bool, is_exposed: bool) -> None:
    some = settings(**values)
    assert (some.is_encrypted, some.is_exposed) == (is_encrypted, is_exposed)


_NAMES = "must be 1 to 32 of the characters a-z, 0-9 and -"
_URLS = "urls must be nats://HOST:PORT or tls://HOST:PORT"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"urls": ()}, "urls must be a tuple of at least one URL"),
        ({"urls": "nats://127.0.0.1"}, "urls must be a tuple of at least one URL"),
        ({"urls": (7,)}, "urls must be a tuple of at least one URL"),
        ({"urls": ("",)}, f"{_URLS}, not ''"),
        ({"urls": ("http://nats1",)}, f"{_URLS}, not 'http://nats1'"),
        ({"urls": ("nats://nats1:0",)}, f"{_URLS}, not 'nats://nats1:0'"),
        ({"urls": ("nats://nats1:70000",)}, f"{_URLS}, not 'nats://nats1:70000'"),
        ({"urls": ("nats://nats1/lobby",)}, f"{_URLS}, not 'nats://nats1/lobby'"),
        ({"urls": ("nats://nats 1",)}, f"{_URLS}, not 'nats://nats 1'"),
        ({"urls": ("nats://[::1",)}, f"{_URLS}, not 'nats://[::1'"),
        ({"urls": ("nats://paris:secret@",)}, f"{_URLS}, not 'nats://…@'"),
        ({"urls": ("paris:secret@nats1/x",)}, f"{_URLS}, not '//…@nats1/x'"),
        ({"urls": ("paris:secret/s@nats1",)}, f"{_URLS}, not '//…@nats1'"),
        ({"urls": ("nats://paris:secret\n@nats1",)}, f"{_URLS}, not 'nats://…@nats1'"),
        ({"urls": ("nats://one", "tls://two")}, "urls must be all nats:// or all tls://"),
        ({"room": ""}, f"room {_NAMES}, not ''"),
        ({"room": "Lobby"}, f"room {_NAMES}, not 'Lobby'"),
        ({"room": "a.b"}, f"room {_NAMES}, not 'a.b'"),
        ({"room": "x" * 33}, f"room {_NAMES}, not '{'x' * 33}'"),
        ({"node": "paris\n"}, f"node {_NAMES}, not 'paris\\n'"),
        ({"node": None}, f"node {_NAMES}, not 'None'"),
        ({"node": "*"}, f"node {_NAMES}, not '*'"),
        ({"hold": 0}, "hold must be a number of seconds from 1 to 3600, not '0'"),
        ({"hold": 3601}, "hold must be a number of seconds from 1 to 3600, not '3601'"),
        ({"hold": math.nan}, "hold must be a number of seconds from 1 to 3600, not 'nan'"),
        ({"hold": True}, "hold must be a number of seconds from 1 to 3600, not 'True'"),
        ({"hold": "5"}, "hold must be a number of seconds from 1 to 3600, not '5'"),
        ({"storage": "disk"}, "storage must be memory or file, not 'disk'"),
        ({"replicas": 2}, "replicas must be 1 or 3, not '2'"),
        ({"replicas": True}, "replicas must be 1 or 3, not 'True'"),
        ({"ca": "ca.pem"}, "ca must be a Path or None, not 'ca.pem'"),
        ({"cert": PEM}, "cert and key go together: give both or neither"),
        ({"key": KEY}, "cert and key go together: give both or neither"),
        (
            {"urls": ("nats://paris:secret@nats1",), "creds": PEM},
            "urls and creds both say how to log in: give one of them",
        ),
    ],
)
def test_a_wrong_value_is_told_in_a_sentence_without_a_password(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError) as raised:
        settings(**wrong)
    assert str(raised.value) == told
    assert "secret" not in str(raised.value)


def test_shown_they_have_no_password() -> None:
    assert "secret" not in repr(settings(urls=("nats://paris:secret@nats1",)))


@pytest.mark.parametrize(
    ("host", "node"),
    [
        ("paris", "paris"),
        ("Paris.example.org", "paris"),
        ("Ägypten_2", "gypten-2"),
        ("-x-", "x"),
        ("", "node"),
        ("日本", "node"),
        ("x" * 31 + "-y", "x" * 31),
    ],
)
def test_the_name_of_a_node_is_that_of_its_machine(host: str, node: str) -> None:
    assert default_node(host) == node
    assert settings(node=node).node == node
