"""The options of a cluster: which settings they make, and what is told of those that cannot be."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from chat_console.app.cluster_options import VARIABLE, cluster_settings
from chat_console.app.options import parser
from chat_console.app.usage import UsageError
from chat_console.server.cluster.settings import ClusterSettings

URL = "nats://127.0.0.1:4222"


def made_of(arguments: str, **environ: str) -> ClusterSettings | None:
    return cluster_settings(parser().parse_args(arguments.split()), environ)


@pytest.fixture(autouse=True)
def host_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Paris.example.org")


def test_without_a_url_there_is_no_cluster() -> None:
    assert made_of("") is None
    assert made_of("", CHAT_CONSOLE_CLUSTER=" ") is None


def test_the_defaults_are_those_of_the_settings_and_the_name_that_of_the_machine() -> None:
    assert made_of(f"--cluster {URL}") == ClusterSettings(urls=(URL,), node="paris")


def test_the_help_has_the_defaults_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    text = re.sub(r"\n {9,}", " ", parser().format_help())
    defaults = ClusterSettings(urls=(URL,), node="paris")
    for option, default in (
        ("--room", defaults.room),
        ("--cluster-hold", f"{defaults.hold:g}"),
        ("--cluster-storage", defaults.storage),
        ("--cluster-replicas", defaults.replicas),
    ):
        (line,) = [line for line in text.splitlines() if line.startswith(f"  {option} ")]
        assert line.endswith(f"(default: {default})")


def test_each_option_reaches_its_setting() -> None:
    arguments = (
        "--cluster tls://nats1 --cluster tls://nats2:4333 --room class --node lab-2 --cluster-hold 2.5 "
        "--cluster-storage file --cluster-replicas 3 --cluster-ca ca.pem --cluster-cert cert.pem "
        "--cluster-key key.pem --cluster-creds login"
    )
    assert made_of(arguments) == ClusterSettings(
        urls=("tls://nats1", "tls://nats2:4333"),
        room="class",
        node="lab-2",
        hold=2.5,
        storage="file",
        replicas=3,
        ca=Path("ca.pem"),
        cert=Path("cert.pem"),
        key=Path("key.pem"),
        creds=Path("login"),
    )


def test_the_environment_may_have_the_urls_so_that_no_password_is_in_the_command_line() -> None:
    urls = "nats://paris:secret@nats1, nats://nats2"
    found = made_of("--room class", CHAT_CONSOLE_CLUSTER=urls)
    assert found is not None
    assert (found.urls, found.room) == (("nats://paris:secret@nats1", "nats://nats2"), "class")
    assert VARIABLE == "CHAT_CONSOLE_CLUSTER"


def test_what_cannot_be_in_the_environment_is_told_by_its_name() -> None:
    with pytest.raises(UsageError) as caught:
        made_of("", CHAT_CONSOLE_CLUSTER="nats://nats1, http://me:secret@nats2")
    told = "CHAT_CONSOLE_CLUSTER must be nats://HOST:PORT or tls://HOST:PORT, not 'http://…@nats2'"
    assert str(caught.value) == told


def test_an_environment_without_a_url_is_none() -> None:
    assert made_of("", CHAT_CONSOLE_CLUSTER=" ,\n") is None


def test_the_command_line_comes_before_the_environment() -> None:
    found = made_of(f"--cluster {URL}", CHAT_CONSOLE_CLUSTER="nats://other")
    assert found is not None
    assert found.urls == (URL,)


@pytest.mark.parametrize(
    "option",
    [
        *("--room a", "--node a", "--cluster-hold 5", "--cluster-storage file", "--cluster-replicas 3"),
        *("--cluster-ca f", "--cluster-cert f", "--cluster-key f", "--cluster-creds f"),
    ],
)
def test_an_option_of_a_cluster_needs_one(option: str) -> None:
    with pytest.raises(UsageError) as caught:
        made_of(option)
    assert str(caught.value) == f"{option.split()[0]} needs --cluster URL, the engine between the nodes"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--node Paris", "--node must be 1 to 32 of the characters a-z, 0-9 and -, not 'Paris'"),
        ("--room a_b", "--room must be 1 to 32 of the characters a-z, 0-9 and -, not 'a_b'"),
        ("--cluster-hold 0", "--cluster-hold must be a number of seconds from 1 to 3600, not '0.0'"),
        ("--cluster-replicas 2", "--cluster-replicas must be 1 or 3, not '2'"),
        ("--cluster-key f", "--cluster-cert and --cluster-key go together: give both or neither"),
        ("--cluster tls://a", "--cluster must be all nats:// or all tls://"),
        (
            "--cluster nats://a:b@h --cluster-creds f",
            "--cluster and --cluster-creds both say how to log in: give one of them",
        ),
        (
            "--cluster http://me:secret@h",
            "--cluster must be nats://HOST:PORT or tls://HOST:PORT, not 'http://…@h'",
        ),
    ],
)
def test_what_cannot_be_is_told_by_its_option_and_without_a_password(arguments: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        made_of(f"--cluster {URL} {arguments}")
    assert str(caught.value) == told
