"""Cleaning: what reaches other people's terminals. Names: who may be called what."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat_console.server.text import MAX_COMBINING_MARKS, RESERVED_NAMES, clean, is_name, is_reserved

FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800"
JOINERS = "\u200c\u200d"
ACUTE = "\u0301"

HOSTILE = "\x1b\x9b\x9d\x90\x98\x9c[]P\\X^_0;m\x07\x18\x1a\b\x7f\t\0\r\n" + FILLERS + JOINERS
HOSTILE += "\ufe0f\ufe0e\u180b\u202e\u2066\u200b\u2028\ud800\ue000\u0301\u0302\u0489 ax\U0001f469"
ANY_TEXT = st.lists(st.sampled_from(HOSTILE) | st.characters()).map("".join)

SEQUENCES = {
    "CSI": "\x1b[31m",
    "CSI, 8-bit": "\x9b31m",
    "CSI with a private parameter": "\x1b[?25l",
    "CSI with an intermediate byte": "\x1b[2 q",
    "OSC ended by BEL": "\x1b]0;title\x07",
    "OSC ended by ST": "\x1b]0;title\x1b\\",
    "OSC ended by ST, 8-bit": "\x1b]0;title\x9c",
    "OSC, 8-bit": "\x9d0;title\x9c",
    "OSC cancelled by CAN": "\x1b]0;title\x18",
    "OSC cancelled by SUB": "\x1b]0;title\x1a",
    "OSC cut short by another sequence": "\x1b]0;title\x1b[m",
    "OSC hyperlink": "\x1b]8;;http://example.org\x1b\\",
    "DCS": "\x1bPq#0;2\x1b\\",
    "DCS, 8-bit": "\x90q#0;2\x9c",
    "DCS, which BEL does not end": "\x1bPq\x07#0\x1b\\",
    "APC": "\x1b_payload\x1b\\",
    "APC, 8-bit": "\x9fpayload\x9c",
    "PM": "\x1b^payload\x1b\\",
    "PM, 8-bit": "\x9epayload\x9c",
    "SOS": "\x1bXpayload\x1b\\",
    "SOS, 8-bit": "\x98payload\x9c",
}


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES.keys())
def test_a_whole_sequence_is_removed(sequence: str) -> None:
    assert clean(f"a{sequence}b") == "ab"


@pytest.mark.parametrize("start", ["\x1b]", "\x9d", "\x1bP", "\x90", "\x1b_", "\x1b^", "\x1bX"])
def test_a_control_string_that_is_never_ended_runs_to_the_end_of_the_line(start: str) -> None:
    assert clean(f"a{start}0;b") == "a"


def test_a_control_sequence_without_its_final_byte_takes_nothing_else_along() -> None:
    assert clean("a\x1b[31é") == "aé"
    assert clean("a\x1b[31") == "a"


def test_removing_a_sequence_never_makes_another_one() -> None:
    assert clean("\x1b\x1b[31m[32mred") == "[32mred"


def test_a_tab_becomes_a_blank() -> None:
    assert clean("a\tb") == "a b"


@pytest.mark.parametrize("erase", ["\b", "\x7f"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ab<c", "ac"),
        ("ab<<c", "c"),
        ("<a", "a"),
        ("a<<<b", "b"),
        ("a\t<b", "ab"),
        (f"ae{ACUTE}<b", "ab"),
        ("a\u2764\ufe0f<b", "ab"),
        (f"{ACUTE}<a", "a"),
        ("a\0<b", "b"),
    ],
)
def test_a_backspace_or_del_removes_the_character_before_it_with_its_marks(
    erase: str, before: str, after: str
) -> None:
    assert clean(before.replace("<", erase)) == after


@pytest.mark.parametrize(
    "code",
    [
        *(code for code in range(0x20) if code not in (0x08, 0x09, 0x1B)),
        *(code for code in range(0x80, 0xA0) if code not in (0x90, 0x98, 0x9B, 0x9D, 0x9E, 0x9F)),
    ],
    ids="U+{:04X}".format,
)
def test_every_other_control_is_removed(code: int) -> None:
    assert clean(f"a{chr(code)}b") == "ab"


@pytest.mark.parametrize(
    "character",
    [
        *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",  # UAX 9: directions
        *"\u00ad\u200b\u2060\ufeff\u180e\U000e0041",  # other format characters
        *"\ud800\udfff",  # surrogates
        *"\ue000\U000f0000\U0010fffd",  # private use
        *"\u0378\uffff\U0010ffff",  # unassigned
        *"\u2028\u2029",  # line and paragraph separators
        *FILLERS,
    ],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_what_is_invisible_or_moves_text_is_removed(character: str) -> None:
    assert clean(f"a{character}b") == "ab"


@pytest.mark.parametrize(
    "text",
    [
        "plain text, with  inner blanks ",
        "Grüße, Привет, 你好, שלום",
        "\U0001f469\u200d\U0001f4bb \u2764\ufe0f",  # emoji made of several, and with a variation selector
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, which needs ZWNJ
        f"e{ACUTE}te{ACUTE}",
        "no\u00a0break",
        "[/red] [@click=quit] $x \\ %s {y}",
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("invisible", [*JOINERS, "\ufe0f"], ids=["ZWNJ", "ZWJ", "VS16"])
def test_joiners_and_variation_selectors_stay_only_behind_a_visible_character_and_once(
    invisible: str,
) -> None:
    assert clean(f"{invisible}a {invisible}b{invisible * 3}c") == f"a b{invisible}c"


def test_at_most_three_combining_marks_follow_one_character() -> None:
    assert clean(f"a{ACUTE * 5}b{ACUTE * 4}") == f"a{ACUTE * 3}b{ACUTE * 3}"
    assert clean(ACUTE * 4) == ACUTE * 3
    assert clean(f"a{ACUTE * 3}\t{ACUTE * 4}") == f"a{ACUTE * 3} {ACUTE * 3}"


@pytest.mark.parametrize("between", ["\0", "\ufe0f", "\u200d"])
def test_nothing_invisible_starts_the_count_of_marks_anew(between: str) -> None:
    assert clean(f"a{ACUTE * 2}{between}{ACUTE * 2}").count(ACUTE) == 3


def test_marks_before_an_erased_character_still_count() -> None:
    assert clean(f"a{ACUTE * 2}b\b{ACUTE * 2}") == f"a{ACUTE * 3}"
    assert clean(f"a{ACUTE * 2}b{ACUTE}c\b{ACUTE * 2}") == f"a{ACUTE * 2}b{ACUTE * 3}"


@given(ANY_TEXT)
@example("\x1b\x1b[[m")
@example("\x1b]\x1b\x1b\\")
def test_no_output_ever_holds_a_control_a_bidi_or_an_escape_character(text: str) -> None:
    for character in clean(text):
        category = unicodedata.category(character)
        assert category[0] != "C" or character in JOINERS
        assert category not in ("Zl", "Zp")
        assert character not in FILLERS


@given(ANY_TEXT)
def test_no_output_ever_stacks_more_than_three_marks(text: str) -> None:
    marks = 0
    for character in clean(text):
        if unicodedata.category(character)[0] != "M":
            marks = marks if character in JOINERS else 0
        elif "VARIATION SELECTOR" not in unicodedata.name(character):
            marks += 1
        assert marks <= MAX_COMBINING_MARKS


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_printable_ascii_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("name", ["a", "Malcolm", "x" * 20, "0", "a_b-c.d", "...", "-"])
def test_one_to_twenty_letters_digits_underscores_hyphens_and_dots_are_a_name(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "x" * 21, "a b", "a\n", "Jürgen", "a|b", "a/b", "\uff21", "\u0661", "a\u200d", "[red]", "a:"],
)
def test_anything_else_is_not_a_name(name: str) -> None:
    assert not is_name(name)


def test_the_house_has_these_names() -> None:
    assert RESERVED_NAMES == (
        "Operator", "Server", "System", "Admin", "Root", "Moderator", "You", "Everyone",
    )  # fmt: skip


@pytest.mark.parametrize("name", [*RESERVED_NAMES, *map(str.upper, RESERVED_NAMES), "operator", "eVeRyOnE"])
def test_a_name_of_the_house_is_reserved_whatever_the_case(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize(
    "name", ["0perator", "OPERAT0R", "r0Ot", "adm1n", "admln", "ADMLN", "M0derat0r", "y0u"]
)
def test_a_look_alike_of_a_name_of_the_house_is_reserved(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["Operators", "Root2", "Yo", "Adm.in", "S3rver"])
def test_any_other_name_is_free(name: str) -> None:
    assert not is_reserved(name)
