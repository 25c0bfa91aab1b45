"""How wide a text gets at most, and how it is painted so that nothing beside it moves."""

from __future__ import annotations

import unicodedata
from itertools import chain

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size
from wcwidth import wcwidth

from chat_console.server.room.text import clean
from chat_console.widgets.cells import fitting, pieces, pinned, widest

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAG = "\U0001f1e9\U0001f1ea"
THUMB = "\U0001f44d\U0001f3fd"

TEXTS = st.text(st.sampled_from("ab 漢é\u0301\u200d\ufe0f©\u093e\u0915\U0001f468\U0001f1e9\U0001f3fd㉈"))


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("plain text, über Привет …│", 26),
        ("漢字", 4),
        ("e\u0301", 1),
        (FAMILY, 8),  # each joiner may be a cell on a terminal that does not know it
        ("a\u200db\u200dc", 5),
        (THUMB, 4),
        ("㉈㉈", 4),
        ("①⑩", 4),
        ("❤\ufe0f", 3),
        ("©\ufe0f", 2),
        ("1\ufe0f\u20e3", 2),
        (FLAG, 4),
        ("\u0915\u093e", 2),  # a spacing mark
        ("\u1100\u1161\u11a8", 4),  # a syllable of three jamo
        ("\N{THERMOMETER}", 2),
        ("\U0001faf8", 2),  # newer than the tables of Python 3.11
        ("\N{HEXAGRAM FOR THE CREATIVE HEAVEN}", 2),
        ("⸺⸻", 5),
        ("שָׁלוֹם", 4),
        ("สวัสดี", 4),
    ],
)
def test_what_counts_is_the_terminal_that_takes_most(text: str, cells: int) -> None:
    assert widest(text) == cells


@pytest.mark.slow
def test_no_character_is_wider_to_rich_or_to_the_tables_of_other_terminals() -> None:
    # Nothing is assigned in the planes between, and all that is not counts the same.
    for code in chain(range(0x40000), range(0xE0000, 0xE1000)):
        character = chr(code)
        if unicodedata.category(character) not in ("Cc", "Cs", "Co"):
            cells = widest(character)
            assert cells >= get_character_cell_size(character) and cells >= wcwidth(character), hex(code)


@given(st.text().map(clean) | TEXTS)
def test_no_text_is_wider_to_rich(text: str) -> None:
    assert widest(text) >= cell_len(text)


@given(st.text().map(clean) | TEXTS, st.integers(1, 20))
def test_pieces_are_all_of_the_text_and_none_is_too_wide(text: str, cells: int) -> None:
    found = pieces(text, cells)
    assert "".join(found) == text
    assert all(widest(piece) <= cells or len(piece) == 1 for piece in found)
    assert all(found) or found == [""]


@pytest.mark.parametrize("whole", [FAMILY, FLAG, THUMB, "e\u0301", "❤\ufe0f", "\u0915\u093e"])
def test_what_is_shown_as_one_is_cut_only_where_it_alone_is_too_wide(whole: str) -> None:
    room = widest(whole)
    assert pieces(whole * 3, room + 1 if room > 1 else 1) == [whole] * 3
    assert fitting(whole, room - 1) == 0
    assert len(pieces(whole, max(1, room - 1))) == 1 + (room > 1)


def test_a_chain_without_an_end_is_cut_in_time_that_grows_with_it_alone() -> None:
    chain = "\U0001f468\u200d" * 20_000
    assert "".join(pieces(chain, 40)) == chain


@pytest.mark.parametrize(
    "text", [FAMILY, "a\u200db\u200dc", "㉈", FLAG, "\u0915\u093e", "漢", "❤\ufe0f", THUMB]
)
@pytest.mark.parametrize("painted_before", ["", "#" * 20])
def test_what_stands_behind_a_text_stands_where_textual_means_it_to(text: str, painted_before: str) -> None:
    screen = pyte.Screen(20, 1)
    stream = pyte.Stream(screen)
    stream.feed(painted_before + "\x1b[1;1H")
    line = f"\x1b[1m<{text}    \x1b[0m\x1b[7m|list\x1b[0m"
    stream.feed(pinned(line))
    column = 1 + cell_len(text) + 4
    cells = [screen.buffer[0][x].data for x in range(20)]
    assert "".join(cells[column : column + 5]) == "|list"
    assert "#" not in "".join(cells[: column + 5])
    # The cursor stands behind it.
    assert screen.cursor.x == column + 5


@pytest.mark.parametrize(
    "painted",
    [
        "\x1b[1;31mplain\x1b[0m",
        "\x1b[1;1H│ ╭─╮ über … Привет\n",
        "\x1b]52;c;5ryi\x07",
        "\x1b]2;漢\x1b\\\x1b]2;漢\x07",
        "",
    ],
)
def test_what_every_terminal_paints_alike_and_what_is_no_text_goes_as_it_is(painted: str) -> None:
    assert pinned(painted) == painted


@given(st.lists(st.sampled_from(["\x1b[1m", "\x1b[3;4H", "\n", "漢字 ", "ab", "\x1b[0m", "\x1b]8;;x\x1b\\"])))
def test_no_control_is_lost_or_added_but_to_save_and_go_back(parts: list[str]) -> None:
    painted = pinned("".join(parts))
    for part in ("\x1b[1m", "\x1b[3;4H", "\n", "\x1b[0m", "\x1b]8;;x\x1b\\"):
        assert painted.count(part) == parts.count(part)
    assert painted.count("\x1b7") == painted.count("\x1b8")
