"""A row of the user list: what it says, and what gives way where it does not fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from chat_console.widgets.cells import widest
from chat_console.widgets.user_row import (
    MIN_NAME_WIDTH,
    WIDE,
    Row,
    User,
    ending,
    lay_out_row,
    state_of,
    time_here,
    time_idle,
    time_left,
    truncate,
)

V4, V6 = "127.0.0.1|41050", "2001:db8:85a3:8d3:1319:8a2e:370:7348|54321"
SILENT = (0,) * 8


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
    ("seconds", "text"),
    [
        (-3, "0s"),
        (9.9, "0s"),
        (10, "10s"),
        (59.9, "50s"),
        (60, "1m"),
        (3840, "1h04"),
        (35_999, "9h59"),
        (36_000, "10h"),
        (86_399, "23h"),
        (86_400, "1d"),
        (100_000_000, "999d"),
    ],
)
def test_an_idle_time_changes_seldom_and_takes_four_cells_at_most(seconds: float, text: str) -> None:
    assert time_idle(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "10s"),
        (0.1, "10s"),
        (49.9, "50s"),
        (50.1, "1m"),
        (60, "1m"),
        (599.9, "10m"),
        (600, "10m"),
        (5400, "1h30"),
    ],
)
def test_what_is_left_of_a_time_is_rounded_up(seconds: float, text: str) -> None:
    assert time_left(seconds) == text


@pytest.mark.parametrize(
    ("text", "width", "truncated", "end"),
    [
        ("Malcolm", 7, "Malcolm", "Malcolm"),
        ("Malcolm", 6, "Malco…", "…lcolm"),
        ("Malcolm", 1, "…", "…"),
        ("Malcolm", 0, "", ""),
        ("Malcolm", -1, "", ""),
        ("漢字漢字", 8, "漢字漢字", "漢字漢字"),
        ("漢字漢字", 7, "漢字漢…", "…字漢字"),
        ("漢字漢字", 6, "漢字…", "…漢字"),
    ],
)
def test_text_is_cut_by_cells_at_either_end(text: str, width: int, truncated: str, end: str) -> None:
    assert (truncate(text, width), ending(text, width)) == (truncated, end)


@pytest.mark.parametrize(
    ("rate", "pending", "muted", "until", "state"),
    [
        (0, 0, False, None, ""),
        (62, 0, False, None, "62/min"),
        (9_999, 0, False, None, "9999/min"),
        (1_234_567, 0, False, None, "1234k/min"),
        (62, 0, True, None, "muted"),
        (62, 0, True, 540.0, "mute 9m"),
        (62, 1, False, None, "»1"),
        (62, 12, True, 540.0, "»12"),
    ],
)
def test_of_a_user_the_row_says_what_matters_most(
    rate: int, pending: int, muted: bool, until: float | None, state: str
) -> None:
    user = User(1, "Bob", V4, 0.0, muted, until)
    assert state_of(user, rate=rate, pending=pending, now=0.0) == state


@pytest.mark.parametrize(
    ("row", "width", "text"),
    [
        pytest.param(
            Row("stefan", "", "62/min", SILENT, "0s"), 24, "stefan       62/min   0s", id="80 columns"
        ),
        pytest.param(
            Row("karim", "", "mute 9m", (2, 4, 0, 0, 0, 0, 0, 1), "1m"),
            36,
            "karim          mute 9m ▃▄▁▁▁▁▁▂   1m",
            id="100 columns",
        ),
        pytest.param(
            Row("elif", "", "", SILENT, "1h02"), 36, "elif                            1h02", id="silent"
        ),
        pytest.param(
            Row("stefan", "", "62/min", (9,) * 8, "0s"),
            35,
            "stefan                  62/min   0s",
            id="too narrow for a sparkline",
        ),
        pytest.param(Row("Max", V4, "4/min", SILENT, "3m"), 24, f"Max {V4}   3m", id="before a rate"),
        pytest.param(
            Row("Max", V4, "»1", SILENT, "3m"), 24, "Max …0.0.1|41050 »1   3m", id="not before that"
        ),
        pytest.param(
            Row("Max", V4, "4/min", (9,) * 8, "3m"),
            36,
            f"Max {V4}       4/min   3m",
            id="in the place of the sparkline",
        ),
        pytest.param(
            Row("Bob", V6, "", SILENT, "3m"), 24, "Bob …370:7348|54321   3m", id="the end tells them apart"
        ),
        pytest.param(
            Row("Methuselah-the-Elder", V4, "", SILENT, "3m"), 24, "Methusel… ….1|41050   3m", id="both cut"
        ),
        pytest.param(
            Row("Methuselah-the-Elder", "", "mute 9m", SILENT, "3m"),
            24,
            "Methuselah… mute 9m   3m",
            id="the name gives way to the state",
        ),
        pytest.param(Row(V4, "", "mute 9m", SILENT, "3m"), 24, "….0.1|41050 mute 9m   3m", id="no nickname"),
        pytest.param(
            Row("Bobby", V4, "", SILENT, "3m"), 15, "Bobby        3m", id="an address cut too short"
        ),
        pytest.param(Row("Bobby", "", "»1", SILENT, "3m"), 12, "Bob… »1   3m", id="a short name gives way"),
        pytest.param(Row("Bobby", "", "»1", SILENT, "3m"), 11, "Bobby    3m", id="the state is next to go"),
        pytest.param(Row("Bo", "", "", SILENT, "3m"), 9, "Bo     3m", id="the least width with a time"),
        pytest.param(Row("Methuselah", "", "", SILENT, "3m"), 8, "Methuse…", id="the time is the last to go"),
        pytest.param(Row("Bob", "", "", SILENT, "3m"), 0, "", id="no width at all"),
        pytest.param(
            Row("stefan", "", "62/min", SILENT, "0s", "rome"),
            24,
            "stefan @rome 62/min   0s",
            id="another node",
        ),
        pytest.param(
            Row("stefan", "", "62/min", (9,) * 8, "0s", "rome"),
            36,
            "stefan @rome    62/min ▅▅▅▅▅▅▅▅   0s",
            id="another node at 100 columns",
        ),
        pytest.param(
            Row("stefan", "", "mute 9m", SILENT, "0s", "rome"), 24, "stefan @ro… mute 9m   0s", id="node cut"
        ),
        pytest.param(
            Row("Methuselah-the", "", "»1", SILENT, "0s", "rome"),
            24,
            "Methuselah-the   »1   0s",
            id="no node",
        ),
        pytest.param(Row("Ann", "", "", SILENT, "0s", "a"), 12, "Ann @a    0s", id="a short node"),
        pytest.param(
            Row(V4, "", "", SILENT, "0s", "rome"), 24, f"{V4}       0s", id="an address and no node"
        ),
        pytest.param(
            Row("Bob", V4, "", SILENT, "0s", "rome"), 36, f"Bob {V4} @rome         0s", id="address and node"
        ),
    ],
)
def test_a_row_drops_what_does_not_fit(row: Row, width: int, text: str) -> None:
    assert "".join(lay_out_row(row, width)) == text


texts = st.one_of(
    st.sampled_from(["Bob", "漢字漢字漢字漢字漢字", "e\u0301" * 20, "👨‍👩‍👧‍👦 x", V4, V6]),
    st.text(max_size=24),
)
rows = st.builds(
    Row,
    name=texts,
    address=st.sampled_from(["", V4, V6]),
    state=st.sampled_from(["", "»1", "»1234", "muted", "mute 23h59", "62/min", "1234k/min"]),
    history=st.tuples(*[st.integers(0, 99)] * 8),
    idle=st.sampled_from(["0s", "40s", "12m", "1h02", "999d"]),
    node=st.sampled_from(["", "a", "rome", "n" * 32]),
)


@given(rows, st.integers(1, 90))
def test_a_row_fills_its_width_exactly_and_nothing_is_lost_without_need(row: Row, width: int) -> None:
    parts = lay_out_row(row, width)
    assert widest("".join(parts)) == width
    without = lay_out_row(row._replace(node=""), width)
    assert (parts.name, parts.bars, parts.idle) == (without.name, without.bars, without.idle)
    assert parts.state.strip() == without.state.strip()
    assert parts.detail.startswith(without.detail)
    if width > MIN_NAME_WIDTH + 4:
        assert parts.idle.strip() == row.idle
    if width >= 20 and not row.address:
        assert parts.state.strip() == row.state
    if width >= WIDE and not row.address:
        assert cell_len(parts.bars.strip()) in (0, 8)
