"""The limits that a server has unless it is told otherwise, and the values that it refuses."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from chat_console.server import settings
from chat_console.server.settings import Settings, SettingsError

PEM, KEY = Path("cert.pem"), Path("key.pem")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hosts", ("127.0.0.1",)),
        ("burst", 20),
        ("rate", 5),
        ("max_per_ip", 32),
        ("connect_rate", 30),
        ("connect_burst", 40),
        ("trusted", ()),
        ("max_line", 2048),
        ("max_backlog", 4 << 20),
        ("stall_timeout", 20),
        ("close_grace", 1),
        ("bans_file", None),
    ],
)
def test_the_defaults_are_what_the_pages_for_users_say(name: str, value: object) -> None:
    assert getattr(Settings(), name) == value


def test_it_is_encrypted_with_a_certificate() -> None:
    assert Settings(tls_cert=PEM, tls_key=KEY).encrypted
    assert not Settings().encrypted


def test_every_field_is_checked() -> None:
    checked = [*settings._WHOLE, *settings._RATES, *settings._SECONDS]
    checked += [*settings._TEXTS, *settings._PATHS, *settings._SWITCHES, "welcome"]
    assert sorted(checked) == sorted(field.name for field in fields(Settings))


@pytest.mark.parametrize("value", [b"hi", None, 7, "x" * 4097, "\u00e4" * 2049])
def test_a_welcome_is_a_short_text(value: Any) -> None:
    assert Settings(welcome="x" * 4096).welcome
    with pytest.raises(SettingsError, match=r"^welcome must be text of at most 4096 bytes, not "):
        Settings(welcome=value)


@pytest.mark.parametrize("name", [*settings._WHOLE, *settings._RATES, *settings._SECONDS])
@pytest.mark.parametrize(
    "value", [-1, -0.5, math.nan, math.inf, -math.inf, 1 << 70, 1e300, True, "5", None, [1]]
)
def test_a_number_is_one_in_its_range(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"^{name} must be .* number from .* to .*, not ") as raised:
        Settings(**{name: value})
    assert raised.value.fields == (name,)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize("name", settings._WHOLE)
def test_a_whole_number_is_no_fraction_and_in_its_range(name: str) -> None:
    least, most = settings._WHOLE[name]
    for value in (least, most):
        assert getattr(Settings(**{name: value}), name) == value  # type: ignore[arg-type]
    for wrong in (least - 1, most + 1, 5.0, 10**5000):
        with pytest.raises(
            SettingsError, match=f"^{name} must be a whole number from {least} to {most}, not "
        ):
            Settings(**{name: wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", settings._RATES)
def test_a_rate_is_0_for_none_and_otherwise_no_trifle(name: str) -> None:
    for value in (0, 0.001, 2.5, 1_000_000):
        assert getattr(Settings(**{name: value}), name) == value  # type: ignore[arg-type]
    for wrong in (0.0009, 5e-324, 1_000_001):
        with pytest.raises(SettingsError, match=r"^.*rate must be 0 or a number from 0.001 to 1000000, not "):
            Settings(**{name: wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"port": 70_000}, "port must be a whole number from 0 to 65535, not 70000"),
        ({"burst": 0}, "burst must be a whole number from 1 to 1000000, not 0"),
        ({"stall_timeout": 0}, "stall_timeout must be a number from 1 to 86400, not 0"),
        ({"rate": math.nan}, "rate must be 0 or a number from 0.001 to 1000000, not nan"),
        ({"shared_nicks": 1}, "shared_nicks must be True or False, not 1"),
        ({"hosts": "127.0.0.1"}, "hosts must be a tuple of strings, not '127.0.0.1'"),
        ({"hosts": ["::1"]}, "hosts must be a tuple of strings, not ['::1']"),
        ({"hosts": ()}, "hosts must be a tuple of at least one host, not ()"),
        ({"hosts": ("::1", "")}, "hosts must be printable text without surrounding blanks, not ''"),
        ({"hosts": ("::1 ",)}, "hosts must be printable text without surrounding blanks, not '::1 '"),
        ({"hosts": ("a\0b",)}, "hosts must be printable text without surrounding blanks, not 'a\\x00b'"),
        ({"hosts": (b"::1",)}, "hosts must be printable text without surrounding blanks, not b'::1'"),
        ({"hosts": (None,)}, "hosts must be printable text without surrounding blanks, not None"),
        ({"trusted": "192.0.2.0/24"}, "trusted must be a tuple of strings, not '192.0.2.0/24'"),
        ({"trusted": ("school",)}, "trusted must be networks such as 192.0.2.0/24, not 'school'"),
        ({"trusted": ("192.0.2.0/33",)}, "trusted must be networks such as 192.0.2.0/24, not '192.0.2.0/33'"),
        (
            {"trusted": (ipaddress.ip_network("192.0.2.0/24"),)},
            "trusted must be printable text without surrounding blanks, not IPv4Network('192.0.2.0/24')",
        ),
        ({"bans_file": "bans"}, "bans_file must be a Path or None, not 'bans'"),
        ({"tls_cert": "cert.pem", "tls_key": KEY}, "tls_cert must be a Path or None, not 'cert.pem'"),
        ({"tls_cert": PEM}, "tls_cert and tls_key go together: give both or neither"),
        ({"tls_key": KEY}, "tls_cert and tls_key go together: give both or neither"),
        (
            {"max_clients": "x" * 1000},
            "max_clients must be a whole number from 0 to 1000000, not '" + "x" * 59,
        ),
        ({"port": 10**5000}, "port must be a whole number from 0 to 65535, not that"),
    ],
)
def test_a_wrong_value_is_told_in_a_sentence(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings(**wrong)
    assert str(raised.value) == told


def test_trusted_networks_are_read_as_bans_are() -> None:
    trusted = ("192.0.2.7", "192.0.2.7/24", "::ffff:192.0.2.0/120", "2001:db8::/32")
    assert Settings(trusted=trusted).trusted == trusted
