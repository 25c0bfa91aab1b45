"""How an entry is laid out: wrapping, margins, styles by kind, and hostile text."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from chat_console.server.room.text import clean
from chat_console.widgets.cells import widest
from chat_console.widgets.entry import (
    BODY,
    MARKS,
    TEXT,
    TIME,
    Entry,
    Kind,
    Layout,
    cut,
    estimate_rows,
    full_text,
    lay_out,
    shown_text,
    wrap,
)

NOON = time.mktime((2026, 3, 1, 12, 34, 56, 0, 0, -1))


def entry(text: str, sender: str = "", kind: Kind = Kind.CHAT) -> Entry:
    return Entry(NOON, kind, sender, text)


def rows_of(text: str, first: int, rest: int) -> list[str]:
    return [text[start:end] for start, end in wrap(text, first, rest)]


def lines_of(layout: Layout) -> list[str]:
    return [
        layout.before(row) + "".join(layout.text[start:end] for start, end, _ in layout.parts(row))
        for row in range(len(layout.rows))
    ]


@pytest.mark.parametrize(
    ("text", "first", "rest", "rows"),
    [
        ("", 10, 10, [""]),
        ("fits", 10, 10, ["fits"]),
        ("fits right", 10, 10, ["fits right"]),
        ("breaks at a blank", 10, 10, ["breaks at", "a blank"]),
        ("first is short", 5, 10, ["first", "is short"]),
        ("two  blanks", 4, 6, ["two", "blanks"]),
        ("keeps  inner   ones here", 15, 15, ["keeps  inner", "ones here"]),
        ("  leading", 9, 9, ["  leading"]),
        ("  leading and more", 9, 9, ["  leading", "and more"]),
        ("x" * 25, 10, 10, ["x" * 10, "x" * 10, "x" * 5]),
        ("x" * 20, 10, 10, ["x" * 10, "x" * 10]),
        ("see " + "x" * 20 + " end", 10, 10, ["see xxxxxx", "x" * 10, "xxxx end"]),
        ("nine cell " + "x" * 11, 10, 10, ["nine cell", "x" * 10, "x"]),
        ("wordlonger than first", 6, 12, ["wordlo", "nger than", "first"]),
        (" a你 b", 2, 3, ["a", "你", "b"]),
        ("    " + "x" * 12, 10, 10, ["x" * 10, "xx"]),
        (" " * 30, 10, 10, [""]),
        (" " * 30 + "x", 10, 10, ["x"]),
        ("a" + " " * 30 + "b", 10, 10, ["a", "b"]),
        ("你好世界你好", 5, 4, ["你好", "世界", "你好"]),
        ("你好 世界 你好", 9, 9, ["你好 世界", "你好"]),
        ("a 你好世界你好世界", 7, 7, ["a 你好", "世界你", "好世界"]),
        ("👨‍👩‍👧‍👦 family", 11, 11, ["👨‍👩‍👧‍👦", "family"]),
        ("👨‍👩‍👧‍👦 family", 6, 6, ["👨‍👩‍", "👧‍👦", "family"]),
        ("a 👍🏽👍🏽 👍🏽", 7, 7, ["a 👍🏽", "👍🏽", "👍🏽"]),
        ("㉈㉈㉈", 4, 4, ["㉈㉈", "㉈"]),
        ("e\u0301" * 12, 5, 5, ["e\u0301" * 5, "e\u0301" * 5, "e\u0301" * 2]),
        ("\u0301" * 3 + " " * 9 + "\u0301", 2, 2, ["\u0301" * 3, "\u0301"]),
    ],
)
def test_rows_break_at_blanks_where_they_can(text: str, first: int, rest: int, rows: list[str]) -> None:
    assert rows_of(text, first, rest) == rows


TEXTS = st.text(st.sampled_from("ab  你👍é\u0301\u200d\ufe0f"), max_size=120) | st.text(max_size=120)
CLEAN = TEXTS.map(clean)


@given(CLEAN, st.integers(2, 40), st.integers(0, 20))
def test_rows_hold_all_of_the_text_but_blanks_and_never_more_than_fits(
    text: str, first: int, more: int
) -> None:
    rows = wrap(text, first, first + more)
    assert rows
    after = 0
    for index, (start, end) in enumerate(rows):
        assert after <= start <= end <= len(text)
        assert text[after:start].strip(" ") == ""
        # One character may be wider than the narrowest rows, whole as it is.
        assert widest(text[start:end]) <= first + (more if index else 0) or end - start == 1
        after = end
    assert text[after:].strip(" ") == ""


def test_a_line_of_100_kb_is_wrapped_like_any_other() -> None:
    assert rows_of("x" * 100_000, 100, 100) == ["x" * 100] * 1000
    assert rows_of("word " * 20_000, 99, 99) == ["word " * 19 + "word"] * 1000


def test_each_kind_has_a_mark_one_cell_wide_which_only_like_kinds_share() -> None:
    assert set(MARKS) == set(Kind)
    shared = {Kind.SENT: Kind.PRIVATE, Kind.WARNING: Kind.ERROR}
    assert len(set(MARKS.values())) == len(Kind) - len(shared)
    assert all(MARKS[one] == MARKS[other] for one, other in shared.items())
    assert all(cell_len(mark) == 1 for mark in MARKS.values())


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (60, ["12:34:56 > Operator: one two three four five six seven eight", "           nine ten"]),
        (59, ["12:34 > Operator: one two three four five six seven eight", "        nine ten"]),
        (45, ["12:34 > Operator: one two three four five six", "        seven eight nine ten"]),
        (44, ["12:34 > Operator: one two three four five", "  six seven eight nine ten"]),
        (40, ["12:34 > Operator: one two three four", "  five six seven eight nine ten"]),
        (20, ["> Operator: one two", "   three four five", "   six seven eight", "   nine ten"]),
    ],
)
def test_the_time_and_the_indent_give_way_where_it_is_narrow(width: int, lines: list[str]) -> None:
    said = entry("one two three four five six seven eight nine ten", "Operator", Kind.OPERATOR)
    assert lines_of(lay_out(said, width)) == lines


@pytest.mark.parametrize("width", [8, 10, 20, 23, 24, 44, 45, 59, 60])
def test_no_row_of_a_wrapped_line_passes_for_a_line_of_its_own(width: int) -> None:
    blanks = re.compile(" *")
    first, *others = lines_of(lay_out(entry("x " * width + "Bob: it was me " * 9, "Ann"), width))
    own = blanks.match(first)
    assert own and others
    for row in others:
        found = blanks.match(row)
        assert found and len(found[0]) > len(own[0])


@given(st.integers(0, 120), TEXTS, TEXTS, st.sampled_from(Kind))
def test_no_row_is_wider_than_the_log(width: int, sender: str, text: str, kind: Kind) -> None:
    layout = lay_out(Entry(NOON, kind, sender, text), width)
    assert all(widest(line) <= max(5, width) for line in lines_of(layout))


@given(st.integers(1, 60), st.sampled_from(Kind))
def test_no_row_but_the_first_can_pass_for_the_beginning_of_an_entry(width: int, kind: Kind) -> None:
    text = "words " * 20 + "x" * 200 + " * Server started on port 1"
    first, *others = lines_of(lay_out(Entry(NOON, kind, "a", text), width))
    assert MARKS[kind] in first
    assert others and all(line.startswith("  ") for line in others)


def drawn(each: Entry, width: int) -> list[str]:
    """The rows of an entry with what they show at their end."""
    layout = lay_out(each, width)
    lines = lines_of(layout)
    return [line + layout.after(row, width - widest(line)) for row, line in enumerate(lines)]


FOLD = entry("57 more like it in 12 s", kind=Kind.FOLD)


@pytest.mark.parametrize(
    ("width", "rows"),
    [
        (60, ["           ⋮ 57 more like it in 12 s"]),
        (45, ["        ⋮ 57 more like it in 12 s"]),
        (40, ["  ⋮ 57 more like it in 12 s"]),
        (20, ["   ⋮ 57 more like it", "     in 12 s"]),
    ],
)
def test_a_fold_stands_below_the_text_it_is_like(width: int, rows: list[str]) -> None:
    assert drawn(FOLD, width) == rows


@pytest.mark.parametrize(
    ("width", "rows"),
    [
        (60, ["──── away 22:42-23:05 · 214 lines " + "─" * 26]),
        (59, ["─ away 22:42-23:05 · 214 lines " + "─" * 28]),
        (31, ["─ away 22:42-23:05 · 214 lines "]),
        (20, ["─ away 22:42-23:05 ·", "  214 lines ────────"]),
    ],
)
def test_a_rule_goes_from_one_side_to_the_other(width: int, rows: list[str]) -> None:
    rule = entry("away 22:42-23:05 · 214 lines", kind=Kind.RULE)
    assert [row.rstrip() for row in drawn(rule, width)] == [row.rstrip() for row in rows]


def test_a_private_line_that_was_sent_says_so_at_its_end_where_there_is_room() -> None:
    sent = entry("I saw it. I talk to Karim.", "to quentin", Kind.SENT)
    assert drawn(sent, 60) == ["12:34:56 » to quentin: I saw it. I talk to Karim.         ✓ "]
    assert drawn(sent, 51) == ["12:34 » to quentin: I saw it. I talk to Karim.   ✓ "]
    assert drawn(sent, 49) == ["12:34 » to quentin: I saw it. I talk to Karim. ✓ "]
    assert drawn(sent, 48) == ["12:34 » to quentin: I saw it. I talk to Karim."]
    assert drawn(sent, 30)[-1].endswith("✓ ")
    assert "✓" not in full_text(sent)


@given(st.integers(0, 120), TEXTS, st.sampled_from([Kind.RULE, Kind.SENT]), st.integers(0, 40))
def test_the_end_of_a_row_never_takes_more_than_is_left(
    width: int, text: str, kind: Kind, cells: int
) -> None:
    layout = lay_out(entry(text, kind=kind), width)
    for row in range(len(layout.rows)):
        assert widest(layout.after(row, cells)) <= cells + ("✓" in layout.after(row, cells))


def test_names_have_the_colour_of_their_id_where_members_speak() -> None:
    def style(kind: Kind, who: int | None) -> str:
        return lay_out(Entry(NOON, kind, "Bob", "hello", who), 80).sender_style

    assert [style(Kind.CHAT, who) for who in (0, 7, 8, 29)] == ["name-0", "name-7", "name-0", "name-5"]
    assert style(Kind.PRIVATE, 3) == "name-3"
    assert style(Kind.CHAT, None) == Kind.CHAT
    assert style(Kind.SENT, 3) == Kind.SENT
    assert style(Kind.SILENCED, 3) == Kind.SILENCED


def test_what_a_muted_member_said_and_a_fold_are_styled_as_a_whole() -> None:
    for kind in (Kind.SILENCED, Kind.FOLD):
        layout = lay_out(entry("hello", "Bob", kind), 80)
        assert {style for _, _, style in layout.parts(0)} - {TIME} == {kind}


def test_a_copy_has_all_that_an_entry_stands_for() -> None:
    lines = tuple(entry(text, "stefan") for text in ("buy", "sell\nnow", "buy"))
    fold = Entry(NOON, Kind.FOLD, "", "3 more like it", 1, lines)
    assert fold.expanded == lines
    assert full_text(fold) == "12:34:56   stefan: buy\n12:34:56   stefan: sellnow\n12:34:56   stefan: buy"
    assert shown_text(fold) == "12:34:56 ⋮ 3 more like it"
    alone = entry("hello", "Bob")
    assert alone.expanded == (alone,)
    assert full_text(alone) == shown_text(alone) == "12:34:56   Bob: hello"


def test_an_entry_without_text_or_sender_is_one_row() -> None:
    assert lines_of(lay_out(entry("", kind=Kind.NOTICE), 80)) == ["12:34:56 * "]


@pytest.mark.parametrize("kind", [Kind.CHAT, Kind.OPERATOR, Kind.PRIVATE])
def test_of_somebodys_words_the_mark_and_the_sender_are_styled_by_kind(kind: Kind) -> None:
    layout = lay_out(entry("- Bob has left the server.", "Bob", kind), 80)
    styled = [(layout.text[start:end], style) for start, end, style in layout.parts(0)]
    assert styled == [
        ("12:34:56", TIME),
        (f" {MARKS[kind]} ", kind),
        ("Bob: ", kind),
        ("- Bob has left the server.", TEXT),
    ]


@pytest.mark.parametrize("kind", [Kind.JOIN, Kind.LEAVE, Kind.RENAME, Kind.REPLY, Kind.NOTICE, Kind.ERROR])
def test_what_nobody_said_is_styled_by_kind_as_a_whole(kind: Kind) -> None:
    layout = lay_out(entry("Bob: hello", kind=kind), 80)
    assert [style for _, _, style in layout.parts(0)] == [TIME, kind, kind]


def test_a_sender_that_is_longer_than_a_row_keeps_its_style_on_the_next() -> None:
    layout = lay_out(entry("hello", "x" * 60), 60)
    assert [style for _, _, style in layout.parts(1)] == [Kind.CHAT, TEXT]


HOSTILE = {
    "[/x]": "[/x]",
    "[red]x[/]": "[red]x[/]",
    "[@click=app.quit]hi[/]": "[@click=app.quit]hi[/]",
    "a \\[b": "a \\[b",
    "\x1b[31mred\x1b[0m": "red",
    "\x1b]0;title\x07text": "text",
    "\x1b]52;c;aGk=\x1b\\text": "text",
    "\x9b2Jgone": "gone",
    "\x1bPdcs\x1b\\text": "text",
    "one\rtwo\nthree\x0bfour\x85five\u2028six": "onetwothree four five six",
    "\u202eevil\u202c": "evil",
    "\u2066a\u2069\u200f": "a",
    "bell\x07": "bell",
    "tab\there": "tab here",
    "e" + "\u0301" * 50: "e\u0301\u0301\u0301",
}


@pytest.mark.parametrize(("raw", "safe"), HOSTILE.items(), ids=ascii)
def test_hostile_text_and_senders_are_shown_without_controls_and_markup_as_it_is(raw: str, safe: str) -> None:
    hostile = entry(raw, raw)
    assert full_text(hostile) == f"12:34:56   {safe}: {safe}"
    assert lay_out(hostile, 200).text == full_text(hostile)


def test_parts_are_cut_at_both_ends_of_a_span() -> None:
    parts = [(0, 8, TIME), (8, 11, TEXT), (11, 20, TEXT)]
    assert list(cut(parts, 0, 0)) == [(*part, False) for part in parts]
    assert list(cut(parts, 0, -1)) == [(*part, True) for part in parts]
    assert list(cut(parts, 4, 15)) == [
        (0, 4, TIME, False),
        (4, 8, TIME, True),
        (8, 11, TEXT, True),
        (11, 15, TEXT, True),
        (15, 20, TEXT, False),
    ]


def test_a_row_is_found_by_a_position_in_it() -> None:
    layout = lay_out(entry("word " * 40), 60)
    for row, (start, end) in enumerate(layout.rows):
        assert layout.row_at(start) == layout.row_at(end) == row
        assert layout.start_of(row) == (start if row else 0)
    assert layout.row_at(0) == 0
    assert layout.row_at(10_000) == len(layout.rows) - 1


def test_a_row_is_found_where_the_text_begins_with_more_blanks_than_fit() -> None:
    layout = lay_out(entry(" " * 100 + "x"), 60)
    assert layout.row_at(BODY) == 0


@given(
    st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=200)), st.integers(1, 120)
)
def test_estimates_are_exact_for_ascii_without_blanks(texts: list[str], width: int) -> None:
    entries = [entry(text) for text in texts]
    assert estimate_rows(entries, width) == [len(lay_out(each, width).rows) for each in entries]
