"""A row of the user list: what it says, and what gives way where it does not fit."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from chat_console.widgets.user_row import columns, time_here, truncate


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h00"),
        (3840, "1h04"),
        (86_399, "23h59"),
        (86_400, "1d00"),
        (183_600, "2d03"),
        (100 * 86_400 - 1, "99d23"),
        (100 * 86_400, "100d"),
    ],
)
def test_a_time_is_told_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert time_here(seconds) == text


@pytest.mark.parametrize(
    ("text", "width", "truncated"),
    [
        ("Malcolm", 7, "Malcolm"),
        ("Malcolm", 6, "Malco…"),
        ("Malcolm", 1, "…"),
        ("Malcolm", 0, ""),
        ("Malcolm", -1, ""),
        ("漢字漢字", 8, "漢字漢字"),
        ("漢字漢字", 7, "漢字漢…"),
        ("漢字漢字", 6, "漢字…"),
    ],
)
def test_text_is_truncated_by_cells(text: str, width: int, truncated: str) -> None:
    assert truncate(text, width) == truncated


V4, V6 = "127.0.0.1|41050", "2001:db8:85a3:8d3:1319:8a2e:370:7348|54321"


@pytest.mark.parametrize(
    ("name", "address", "width", "row"),
    [
        pytest.param("Bob", V4, 34, "Bob          127.0.0.1|41050    3m", id="all of it"),
        pytest.param("Bob", V4, 26, "Bob  127.0.0.1|41050    3m", id="narrow: the address just fits"),
        pytest.param("Bob", V4, 25, "Bob                    3m", id="narrow: the address is dropped whole"),
        pytest.param("Bob", V6, 34, "Bob  2001:db8:85a3:8d3:1319…    3m", id="wide: it is truncated"),
        pytest.param(
            "Methuselah-the-Elder", V4, 40, "Methuselah-the-Elder                  3m", id="no room"
        ),
        pytest.param(V4, V4, 34, "127.0.0.1|41050                 3m", id="no nickname: shown once"),
        pytest.param("Methuselah", V4, 11, "Methuse… 3m", id="the name gives way to the time"),
        pytest.param("Bo", V4, 10, "Bo      3m", id="the least width with a time"),
        pytest.param("Methuselah", V4, 9, "Methusel…", id="the time is the last to go"),
        pytest.param("Bob", V4, 0, "", id="no width at all"),
    ],
)
def test_a_row_drops_what_does_not_fit(name: str, address: str, width: int, row: str) -> None:
    assert "".join(columns(name, address, "3m", width)) == row


@pytest.mark.parametrize("name", ["Bob", "漢字漢字漢字漢字漢字", "e\u0301" * 20, V4])
@pytest.mark.parametrize("time_text", ["0s", "23h59", "100d"])
def test_a_row_fills_its_width_exactly(name: str, time_text: str) -> None:
    for width in range(1, 90):
        assert cell_len("".join(columns(name, V4, time_text, width))) == width
