"""Cleaning: what reaches other people's terminals."""

from __future__ import annotations

import gc
import re
import time
import tracemalloc
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat_console.server.room import unicode_ranges
from chat_console.server.room.commands import COMMANDS
from chat_console.server.room.text import MAX_MARKS, MAX_STACKED_MARKS, clean, is_blank

JOINERS = "\u200c\u200d"
ACUTE = "\u0301"  # of combining class 230
VIRAMA = "\u094d"  # of combining class 9

# DerivedCoreProperties.txt of Unicode 16.0, Default_Ignorable_Code_Point.
DEFAULT_IGNORABLE = frozenset(
    chr(code)
    for first, last in (
        *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
        *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F)),
        *((0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)),
        (0xE0000, 0xE0FFF),
    )
    for code in range(first, last + 1)
)
SELECTORS = "\u180b\u180c\u180d\u180f" + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
TAGS = "".join(map(chr, range(0xE0020, 0xE0080)))
BLACK_FLAG = "\U0001f3f4"


def flag(letters: str) -> str:
    return BLACK_FLAG + "".join(chr(0xE0000 + ord(letter)) for letter in letters) + "\U000e007f"


FLAGS = [flag("gbeng"), flag("gbsct"), flag("gbwls")]
BLANKS = "\t\v\f\x85\u2028\u2029\u2800"

HOSTILE = (
    "\x1b\x9b\x9d\x90\x98\x9c\x8e\x8f[]P\\X^_NO( 0;m\x07\x18\x1a\b\x7f\t\v\0\r\n\x85/ms" + JOINERS + BLANKS
)
HOSTILE += "\ufe0f\ufe0e\ufe00\u180b\U000e0100\u202e\u2066\u200b\u2800\u3164\u115f\ud800\ue000\ufdd0\ufffe"
HOSTILE += "\u0301\u0302\u0489\u094d\u1abf\u1aff ax\u4f60\u0915\u1820\U0001f469\U0001f3fb\U00010a01\U00010a38"
HOSTILE += BLACK_FLAG + "\U000e0067\U000e007f\U0001fffe\U000f0000"
ANY_TEXT = st.lists(st.sampled_from([*HOSTILE, *FLAGS]) | st.characters()).map("".join)


def is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" and character not in DEFAULT_IGNORABLE


SEQUENCES = {
    "CSI": "\x1b[31m",
    "CSI, 8-bit": "\x9b31m",
    "CSI with a private parameter": "\x1b[?25l",
    "CSI with an intermediate byte": "\x1b[2 q",
    "a function key of Linux": "\x1b[[A",
    "a function key of Linux, 8-bit": "\x9b[E",
    "a mouse key of X10": "\x1b[M !!",
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
    "DCS cut short by an 8-bit sequence": "\x90q#0\x9bm",
    "APC": "\x1b_payload\x1b\\",
    "APC, 8-bit": "\x9fpayload\x9c",
    "PM": "\x1b^payload\x1b\\",
    "PM, 8-bit": "\x9epayload\x9c",
    "SOS": "\x1bXpayload\x1b\\",
    "SOS, 8-bit": "\x98payload\x9c",
    "SS2": "\x1bNx",
    "SS2, 8-bit": "\x8ex",
    "SS3, which is F1": "\x1bOP",
    "SS3, 8-bit": "\x8fP",
    "SS3 with a character that is not ASCII": "\x1bOé",
    "SS3 with a slash": "\x1bO/",
    "a function key with a modifier": "\x1bO5P",
    "a function key with a modifier, another way": "\x1bO1;5P",
    "what `tput sgr0` writes": "\x1b(B\x1b[m",
    "DECALN": "\x1b#8",
    "several intermediates": "\x1b$(C",
    "RIS": "\x1bc",
    "ESC twice": "\x1b\x1b[A",
    "Alt and a letter": "\x1bx",
}


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES.keys())
def test_a_whole_sequence_is_removed(sequence: str) -> None:
    assert clean(f"a{sequence}b") == "ab"
    assert clean(f"é{sequence}b") == "éb"
    assert clean(sequence) == ""


def test_every_escape_sequence_of_ecma_35_is_removed_with_its_intermediates_and_its_final() -> None:
    for final in map(chr, range(0x30, 0x7F)):
        if final not in "NOPX[]^_":  # these begin something longer
            assert clean(f"a\x1b{final}b") == "ab", ascii(final)
        for intermediate in map(chr, range(0x20, 0x30)):
            assert clean(f"a\x1b{intermediate}{final}b") == "ab", ascii(intermediate + final)
            assert clean(f"a\x1b({intermediate}{final}b") == "ab", ascii(intermediate + final)


def test_every_control_sequence_of_ecma_48_is_removed() -> None:
    for final in map(chr, range(0x40, 0x7F)):
        for introducer in ("\x1b[", "\x9b"):
            assert clean(f"a{introducer}1;2{final}b") == "ab", ascii(final)
            for intermediate in map(chr, range(0x20, 0x30)):
                assert clean(f"a{introducer}<1{intermediate}{final}b") == "ab", ascii(intermediate + final)


@pytest.mark.parametrize(
    "introducer", ["\x1b]", "\x9d", "\x1bP", "\x90", "\x1b_", "\x9f", "\x1b^", "\x9e", "\x1bX", "\x98"]
)
def test_of_a_control_string_that_is_never_ended_only_the_introducer_is_removed(introducer: str) -> None:
    assert clean(f"a{introducer}0;b") == "a0;b"
    assert clean(f"{introducer} lease wait") == " lease wait"


def test_what_is_left_of_a_sequence_that_breaks_off_is_text() -> None:
    assert clean("a\x1b[31é") == "aé"
    assert clean("a\x1b[31") == "a"
    assert clean("a\x1b(é") == "aé"
    assert clean("a\x1bO") == clean("a\x1b") == "a"
    assert clean("a\x1bO\tb") == "a b"
    assert clean("a\x1bO12ab") == "a2ab"


def test_removing_a_sequence_never_makes_another_one() -> None:
    assert clean("\x1b\x1b[31m[32mred") == "[32mred"


@pytest.mark.parametrize("command", sorted({command.word for command in COMMANDS}))
@pytest.mark.parametrize(
    "before",
    [
        *("\x1b", "\x1b ", "\x1b(", "\x1b[", "\x1b[1;5", "\x1b[3$", "\x9b", "\x1bO", "\x1bN", "\x8f"),
        *("\x1b[[", "\x9b[", "\x1b[M ", "\x1b[A\x07\x1b"),
    ],
    ids=ascii,
)
def test_no_sequence_swallows_the_slash_of_a_command_at_the_start_of_a_line(
    before: str, command: str
) -> None:
    for unseen in "", " ", "\u3000\ufffd", "\u202e\ue000\ud800\ufdd0\U000e0067\ufe0f\u200d", "x\b\x1b]":
        shown = clean(unseen)
        assert clean(f"{unseen}{before}/{command} Bob") == f"{shown}/{command} Bob"
        assert clean(f"{unseen}{before}/{command.title()}") == f"{shown}/{command.title()}"
        assert clean(f"{unseen}{before}//{command}") == f"{shown}//{command}"
        assert clean(f"{unseen}{before}\uff0f{command}") == f"{shown}\uff0f{command}"
    # A control string that what comes next ends.
    assert clean(f"\x1bPx{before}/{command}") == f"/{command}"


def test_a_sequence_behind_a_command_or_text_takes_its_slash() -> None:
    assert clean("/foo \x1b[/msg") == "/foo sg"
    assert clean("\u0301x\x1b[/msg") == "\u0301xsg"


def test_a_slash_elsewhere_is_part_of_its_sequence() -> None:
    assert clean("a\x1b/msg") == "asg"
    assert clean("\x1b/msgs") == "sgs"
    assert clean("\x1b]8;;http://x/msg\x07") == ""


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_a_tab_and_its_like_become_a_blank(blank: str) -> None:
    assert clean(f"a{blank}b") == "a b"
    assert clean(f"é{blank}b") == "é b"


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
        (f"ae{ACUTE * 9}<b", "ab"),
        (f"ae{ACUTE}b<{ACUTE}<c", "ac"),
        ("a\u2764\ufe0f<b", "ab"),
        (f"a{FLAGS[0]}<b", "ab"),
        ("a\U00010a10\U00010a38<b", "ab"),
        ("a\U00010330<b", "ab"),
        (f"{ACUTE}<a", "a"),
        ("a\0<b", "b"),
        ("é\0<b", "b"),
    ],
)
def test_a_backspace_or_del_removes_the_character_before_it_with_its_marks(
    erase: str, before: str, after: str
) -> None:
    assert clean(before.replace("<", erase)) == after


@pytest.mark.parametrize(
    "code",
    [
        *(code for code in range(0x20) if chr(code) not in "\b\x1b" + BLANKS),
        *(code for code in range(0x80, 0xA0) if chr(code) not in "\x85\x8e\x8f\x90\x98\x9b\x9d\x9e\x9f"),
    ],
    ids="U+{:04X}".format,
)
def test_every_other_control_is_removed(code: int) -> None:
    assert clean(f"a{chr(code)}b") == "ab"
    assert clean(f"é{chr(code)}b") == "éb"


@pytest.mark.slow
def test_what_is_kept_and_what_is_removed_of_all_of_unicode() -> None:
    for code in range(0xA0, 0x110000):
        character = chr(code)
        is_removed = (
            unicodedata.category(character) in ("Cs", "Co")
            or character in DEFAULT_IGNORABLE
            or code & 0xFFFE == 0xFFFE
            or 0xFDD0 <= code <= 0xFDEF
        )
        expected = "" if is_removed else " " if character in BLANKS else character
        if clean(character) != expected:
            pytest.fail(f"U+{code:04X} became {clean(character)!a}")


@pytest.mark.parametrize("character", ["\U0001fae8", "\u0378", "\U0001cc00"], ids=ascii)
def test_what_the_interpreter_does_not_know_stays(character: str) -> None:
    """U+1FAE8 is the shaking face of Unicode 15.0, which Python 3.11 does not know."""
    assert clean(f"a{character * 20}") == f"a{character * 20}"


@pytest.mark.parametrize(
    "direction", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
)
def test_what_changes_the_direction_of_text_is_removed(direction: str) -> None:
    assert clean(f"a{direction}b") == "ab"


@pytest.mark.parametrize(
    "text",
    [
        "plain text, with  inner blanks ",
        "Grüße, Привет, 你好, שלום",
        "\U0001f469\u200d\U0001f4bb \u2764\ufe0f 1\ufe0f\u20e3 \U0001f44d\U0001f3fd",
        FLAGS[0] + "\u200d\u2620",
        "\u2764\ufe0f\u200d\U0001f525 \U0001f9d1\U0001f3fd\u200d\U0001f680",
        "\U0001f3f3\ufe0f\u200d\U0001f308 \U0001f1e9\U0001f1ea " + "".join(FLAGS),
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, which needs ZWNJ
        "\u0d15\u0d4d\u200d \u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Malayalam, Sinhala: ZWJ behind a virama
        "\u1820\u180b\u1822\u180d",  # Mongolian
        "\u845b\U000e0100\u57ce",  # an ideographic variation
        "\u2229\ufe00 0\ufe00",
        f"e{ACUTE}te{ACUTE}",
        "no\u00a0break, \u3000, \u2009",
        "[/red] [@click=quit] $x \\ %s {y}",
        "\u0600\u0661\u0662",  # a sign that spans a number
        "\U0001d4d7\U0001d4ee\U00010330",
    ],
    ids=ascii,
)  # fmt: skip
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "\u101b\u103d\u103e\u1031\u1037\u1038 \u1000\u103c\u103d\u1031\u1037",  # Burmese
        "\u05e9\u05c1\u05b4\u0591\u05bd \u05d1\u05bc\u05b0\u05bf\u05c4",  # Hebrew with points and accents
        "\u0f66\u0f92\u0fb2\u0f74\u0f56\u0f0b \u0f67\u0fb1\u0f74\u0f82\u0f83",  # Tibetan
        "\u1a2f\u1a60\u1a3f\u1a6c\u1a62\u1a76 \u1a20\u1a55\u1a60\u1a45\u1a6e\u1a62\u1a75",  # Tai Tham
    ],
    ids=["Burmese", "Hebrew", "Tibetan", "Tai Tham"],
)
def test_scripts_with_many_marks_stay_as_they_are(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("base", ["", " ", "a", "é", "я", "\ufffd", "!"], ids=ascii)
def test_joiners_and_selectors_go_where_they_can_act_upon_nothing(base: str) -> None:
    for invisible in JOINERS + SELECTORS:
        assert clean(f"{base}{invisible}b") == f"{base}b", ascii(invisible)


@pytest.mark.parametrize(
    ("base", "invisible"),
    [
        ("\u06cc", "\u200c"),
        ("\u06cc", "\u200d"),
        ("\U0001f469", "\u200d"),
        ("\u2764", "\ufe0f"),
        ("\u1820", "\u180b"),
        ("\u845b", "\U000e0100"),
    ],
    ids=ascii,
)
def test_joiners_and_selectors_stay_once(base: str, invisible: str) -> None:
    assert clean(f"x{base}{invisible * 3}b") == f"x{base}{invisible}b"


def test_a_selector_stays_only_directly_behind_its_character() -> None:
    assert clean(f"\u845b{ACUTE}\U000e0100") == f"\u845b{ACUTE}"
    assert clean("\U0001f469\u200d\ufe0f") == "\U0001f469\u200d"


def test_only_whole_tag_sequences_of_three_flags_stay() -> None:
    for other in (flag("gb"), flag("gbnir"), flag("uspa"), FLAGS[0][:-1], FLAGS[0].replace(BLACK_FLAG, "x")):
        assert clean(f"{other}!").isprintable()
        assert not set(clean(f"{other}!")) & set(TAGS)
    assert clean(f"{FLAGS[0]}\U000e0067\U000e007f!") == f"{FLAGS[0]}!"
    assert clean(f"{BLACK_FLAG}\u200b{FLAGS[0][1:]}") == BLACK_FLAG


class TestMarks:
    def test_that_pile_up_are_at_most_three_on_one_character(self) -> None:
        assert clean(f"a{ACUTE * 5}b{ACUTE * 4}") == f"a{ACUTE * 3}b{ACUTE * 3}"
        assert clean(ACUTE * 4) == ACUTE * 3
        assert clean(f"a{ACUTE * 3}\t{ACUTE * 4}") == f"a{ACUTE * 3} {ACUTE * 3}"
        assert (
            clean("\U00010a0f" + "\U00010a0f" * 4 + "\U00010a00" + "\U00010a0f" * 4).count("\U00010a0f") == 6
        )

    @pytest.mark.parametrize(
        "code", [200, 202, 214, 216, 218, 220, 222, 224, 226, 228, 230, 232, 233, 234, 240]
    )
    @pytest.mark.slow
    def test_pile_up_by_their_combining_class(self, code: int) -> None:
        marks = [chr(mark) for mark in range(0x110000) if unicodedata.combining(chr(mark)) == code]
        for mark in marks:
            assert clean("a" + mark * 9) == "a" + mark * 3

    @pytest.mark.parametrize("mark", ["\u05bc", VIRAMA, "\u0e34", "\u20dd", "\u0489", "\u103d"], ids=ascii)
    def test_of_any_other_class_are_at_most_eight(self, mark: str) -> None:
        assert clean("a" + mark * 20 + "b") == "a" + mark * 8 + "b"

    def test_are_at_most_eight_in_all(self) -> None:
        assert clean("a" + VIRAMA * 6 + ACUTE * 4) == "a" + VIRAMA * 6 + ACUTE * 2
        assert clean("a" + ACUTE * 4 + VIRAMA * 6) == "a" + ACUTE * 3 + VIRAMA * 5

    @pytest.mark.parametrize(
        "mark", ["\u1ace", "\u1acf", "\u1aff", "\u0897", "\U0001e4ec", "\U00010d69"], ids=ascii
    )
    def test_that_the_interpreter_does_not_know_pile_up(self, mark: str) -> None:
        assert clean("a" + mark * 9 + "b") == "a" + mark * 3 + "b"

    @pytest.mark.parametrize("between", ["\0", "\u200b", "\u200d", "\ufe0f", "\U000e0020"], ids=ascii)
    def test_are_not_counted_anew_behind_what_cannot_be_seen(self, between: str) -> None:
        assert clean(f"\u0915{ACUTE * 2}{between}{ACUTE * 2}").count(ACUTE) == 3
        assert clean(f"\u2764{between}{ACUTE * 4}").count(ACUTE) == 3

    def test_before_an_erased_character_still_count(self) -> None:
        assert clean(f"a{ACUTE * 2}b\b{ACUTE * 2}") == f"a{ACUTE * 3}"
        assert clean(f"a{ACUTE * 2}b{ACUTE}c\b{ACUTE * 2}") == f"a{ACUTE * 2}b{ACUTE * 3}"

    def test_that_the_interpreter_knows_are_known_here(self) -> None:
        known = re.compile(f"[{unicode_ranges.MARKS}{unicode_ranges.MARKS_BEYOND}]")
        marks = {chr(code) for code in range(0x110000) if is_mark(chr(code))}
        others = {chr(code) for code in range(0x110000) if unicodedata.category(chr(code))[0] not in "MC"}
        assert {mark for mark in marks if not known.match(mark)} == set()
        assert {other for other in others if known.match(other)} == set()


@pytest.mark.parametrize(
    "text", ["", " ", "  ", "\t", "\v\f", "\x85", "\u2028 \u2029", "\u2800", "\u3000\xa0", "\r"]
)
def test_a_blank_text_is_empty_or_of_blanks(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize(
    "text", ["a", " a ", "\x07", "\x1b[A", "\x1c", "\x1f", "\b", "\u200b", "\ufe0f", " \x1b"]
)
def test_a_text_of_which_cleaning_leaves_nothing_is_not_blank(text: str) -> None:
    assert not is_blank(text)


@given(ANY_TEXT)
@example("\x1b\x1b[[m")
@example("\x1b]\x1b\x1b\\")
@example("\x9d\x90\x07")
@example("\x1bO\x1b(\x9b")
def test_no_output_ever_holds_what_is_forbidden(text: str) -> None:
    cleaned = clean(text)
    rest = re.sub("|".join(FLAGS), "", cleaned)
    for character in rest:
        assert unicodedata.category(character) not in ("Cc", "Cs", "Co", "Zl", "Zp")
        assert character not in DEFAULT_IGNORABLE or character in JOINERS + SELECTORS
        assert character not in BLANKS
        assert not re.match("[\ufdd0-\ufdef]", character)
        assert ord(character) & 0xFFFE != 0xFFFE
    for before, character in zip(" " + cleaned, cleaned, strict=False):
        if character in JOINERS + SELECTORS:
            assert not before.isspace()
            assert not before.isascii() or (before in "0123456789#*" and "\ufe00" <= character <= "\ufe0f")
            assert before not in (JOINERS if character in JOINERS else JOINERS + SELECTORS)


@given(ANY_TEXT)
def test_no_output_ever_stacks_more_marks_than_may_be(text: str) -> None:
    marks = stacked = 0
    for character in clean(text):
        if is_mark(character):
            marks += 1
            stacked += 200 <= unicodedata.combining(character) <= 240
        elif character not in DEFAULT_IGNORABLE:
            marks = stacked = 0
        assert marks <= MAX_MARKS
        assert stacked <= MAX_STACKED_MARKS


@given(ANY_TEXT)
@example("\x1b\x1b/msg")
@example("\x1b/\x1b/msg")
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_printable_ascii_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.slow
def test_every_code_point_once_leaves_no_memory_behind() -> None:
    clean("é\x07\u0301" * 9)
    gc.collect()
    tracemalloc.start()
    try:
        for start in range(0, 0x110000, 256):
            clean("é" + "".join(map(chr, range(start, start + 256))))
        gc.collect()
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert left < 1 << 18


@pytest.mark.parametrize(
    "unit",
    [
        *("\x90", "\x9d", "\x90\x07", "\x1bP", "\x1b]x", "\x1b[", "\x9b1", "\x1b(", " \x1b"),
        *("a\b", "\b", ACUTE, "\U00010330\b"),
    ],
    ids=ascii,
)
@pytest.mark.slow
def test_the_work_grows_no_faster_than_the_text(unit: str) -> None:
    def seconds(text: str) -> float:
        start = time.process_time()
        clean(text)
        return time.process_time() - start

    short, long = unit * 4000, "/" + unit * 32_000
    assert min(seconds(long) for _ in range(5)) < 32 * min(seconds(short) for _ in range(5))
