"""From bytes to lines: line ends, telnet, over-long lines, and that the split of the bytes never matters."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat_console.server.room.entries import NOTHING, Line, TooLong
from chat_console.server.room.text import clean, is_blank
from chat_console.server.settings import Settings
from chat_console.server.wire.framing import WONT_TIMING_MARK, LineFramer

MAX_LINE = Settings().max_line
MAX_SUBNEGOTIATION = Settings().max_subnegotiation

IAC, SE, NOP, SB, WILL, WONT, DO, DONT = (bytes([code]) for code in (255, 240, 241, 250, 251, 252, 253, 254))
EC, EL = b"\xf7", b"\xf8"
DO_TIMING_MARK = IAC + DO + b"\x06"


def framer() -> LineFramer:
    return LineFramer(MAX_LINE, MAX_SUBNEGOTIATION)


def frame(*pieces: bytes) -> list[Line]:
    """The lines of `pieces`, each of which is one read, and of the end of the input."""
    by_read = framer()
    return [line for piece in pieces for line in by_read.receive(piece)] + by_read.end()


def single_bytes(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r\0", b"\r"], ids=["LF", "CRLF", "CR NUL", "CR"])
class TestLineEndings:
    def test_ends_a_line(self, ending: bytes) -> None:
        assert framer().receive(b"one" + ending + b"two" + ending) == ["one", "two"]

    def test_ends_a_line_in_reads_of_one_byte(self, ending: bytes) -> None:
        assert frame(*single_bytes(b"one" + ending + b"two" + ending)) == ["one", "two"]

    def test_ends_a_line_that_is_not_plain_ascii(self, ending: bytes) -> None:
        assert frame("é".encode() + ending + "ü".encode() + ending) == ["é", "ü"]

    def test_makes_no_line_of_nothing_or_of_blanks(self, ending: bytes) -> None:
        assert frame(ending * 3 + b"  " + ending + b"\t\x0b\xe2\xa0\x80" + ending + b"end") == ["end"]
        assert frame(ending + b"  " + ending + b"end" + ending) == ["end"]


def test_a_line_may_come_in_many_pieces_and_a_piece_may_hold_many_lines() -> None:
    assert frame(b"on", b"e\ntwo\nth", b"", b"ree\n") == ["one", "two", "three"]


def test_a_line_is_cleaned_after_it_has_been_put_together() -> None:
    assert frame(b"\x1b[3", b"1mred\x1b", b"[0m\n") == ["red"]
    assert frame(b"tes\x7f", b"xt\n") == frame(b"tes\x7fxt\n") == ["text"]


def test_a_nul_that_follows_no_cr_is_removed_like_any_control() -> None:
    assert frame(b"a\0b\n\0c\n") == ["ab", "c"]


@pytest.mark.parametrize(
    "line", [b"\x1b[A", b"\x07", b" \x07 ", b"\0", b"ab\b\b", "\u200b".encode(), b"\x1b"]
)
@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r", b""])
def test_a_line_of_which_nothing_is_left_is_told_and_a_blank_one_is_not(line: bytes, ending: bytes) -> None:
    assert frame(line + ending) == frame(*single_bytes(line + ending)) == [NOTHING]
    assert frame(b" \n" + line + b"\n\t\nx\n") == [NOTHING, "x"]


def test_blank_lines_are_counted() -> None:
    for pieces in ([b"\n  \nx\n\n\x07\n"], [b"\n \xc2\xa0\nx\r\n\t\n\xc2\xad\n"], [b" ", b"\n\nx\n\n"]):
        counted = framer()
        for piece in pieces:
            counted.receive(piece)
        assert counted.end() == []
        assert counted.blank_lines == 3


def test_the_unfinished_last_line_comes_at_the_end_of_the_input() -> None:
    last = framer()
    assert last.receive(b"one\ntwo") == ["one"]
    assert last.end() == ["two"]
    assert last.end() == []


class TestLineLength:
    def test_is_at_most_2048_bytes(self) -> None:
        assert MAX_LINE == 2048

    @pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r\0", b"\r", b""])
    @pytest.mark.parametrize("filler", [b"x", "é".encode()])
    @pytest.mark.parametrize("split", [lambda data: [data], single_bytes], ids=["whole", "bytes"])
    def test_does_not_count_the_ending(self, filler, ending: bytes, split) -> None:
        line = filler * (MAX_LINE // len(filler))
        assert frame(*split(line + ending)) == [line.decode()]
        assert frame(*split(line + b"x" + ending)) == [TooLong(MAX_LINE)]

    def test_counts_no_telnet_command(self) -> None:
        line = b"x" * MAX_LINE
        assert frame(line + IAC + NOP, IAC + WILL, b"\x01\n") == [line.decode()]

    def test_a_longer_line_is_told_once_and_the_next_one_is_intact(self) -> None:
        reads = [b"before\n" + b"x" * 2000, *[b"x" * 2000] * 5, b"xxx\nnext\nand on"]
        assert frame(*reads) == ["before", TooLong(MAX_LINE), "next", "and on"]

    def test_a_longer_line_is_told_as_soon_as_it_is_too_long(self) -> None:
        long = framer()
        assert long.receive(b"x" * 2049) == [TooLong(MAX_LINE)]
        assert long.receive(b"x" * 2049) == []
        assert long.receive(b"\r") == []
        assert long.receive(b"\nnext\n") == ["next"]
        assert [long.receive(b"x" * 1024) for _ in range(3)] == [[], [], [TooLong(MAX_LINE)]]

    @pytest.mark.parametrize("split", [lambda data: [data], single_bytes], ids=["whole", "bytes"])
    def test_holds_for_the_cleaned_line_too(self, split) -> None:
        most = b"a\xe9" * 512  # each of the invalid bytes becomes three
        assert frame(*split(most + b"\nnext\n")) == ["a\ufffd" * 512, "next"]
        assert frame(*split(most + b"a\nnext\n")) == [TooLong(MAX_LINE), "next"]
        assert frame(*split(most + b"a")) == [TooLong(MAX_LINE)]

    def test_a_longer_line_at_the_end_of_the_input_is_told_once(self) -> None:
        assert frame(b"x" * 2048, b"x") == [TooLong(MAX_LINE)]

    def test_holds_whichever_line_of_a_read_is_too_long(self) -> None:
        long = b"x" * 2049
        assert frame(b"one\n" + long + b"\ntwo\n") == ["one", TooLong(MAX_LINE), "two"]
        assert frame(b"one\n" + long) == ["one", TooLong(MAX_LINE)]
        assert frame(b"xx", long[2:] + b"\ntwo\n") == [TooLong(MAX_LINE), "two"]
        assert frame(long + b"\n" + long + b"\n") == [TooLong(MAX_LINE)] * 2


class TestUtf8:
    @pytest.mark.parametrize("at", range(1, 4))
    def test_survives_a_split_anywhere_in_a_character(self, at: int) -> None:
        data = "😀".encode()
        assert frame(data[:at], data[at:] + b"\n") == ["😀"]

    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (b"caf\xe9!", "caf\ufffd!"),
            (b"\xc3", "\ufffd"),
            (b"\x80\x81", "\ufffd"),
            (b"\xc0\xaf", "\ufffd"),
            (b"\xed\xa0\x80", "\ufffd"),
            (b"\xfe" * 2048, "\ufffd"),
            (b"a\x80 \xff\xff\x81b\xe4\xbd", "a\ufffd \ufffdb\ufffd"),
            (b"\x80\xef\xbf\xbd\xef\xbf\xbd\x80", "\ufffd" * 4),
            (b"a\xffb", "a\ufffdb"),
            (b"\xff\xffb", "\ufffdb"),
            (b"a\xfe", "a\ufffd"),
        ],
        ids=[
            "Latin-1",
            "cut off",
            "stray",
            "overlong form",
            "surrogate",
            "2048",
            "some runs",
            "U+FFFD itself",
            "0xFF of nc",
            "IAC IAC",
            "0xFE",
        ],
    )
    def test_gets_the_replacement_character_for_invalid_bytes(self, data: bytes, text: str) -> None:
        assert frame(data + b"\n", b"next\n") == [text, "next"]


class TestTelnet:
    @pytest.mark.parametrize(
        "command",
        [
            IAC + NOP,
            IAC + b"\xf4",
            IAC + b"\xec",
            IAC + WILL + b"A",
            IAC + WONT + b"A",
            IAC + DO + b"A",
            IAC + DONT + b"A",
            IAC + DO + b"\xff",
            IAC + DONT + b"\n",
            DO_TIMING_MARK,
            IAC + SB + b"\x1f\x00\x50\x00\x18" + IAC + SE,
            IAC + SB + b"\x18\x00ab" + IAC + IAC + b"c" + IAC + SE,
            IAC + SB + IAC + SE,
        ],
        ids=[
            "NOP", "IP", "EOF", "WILL", "WONT", "DO", "DONT", "DO 255", "DONT 10",
            "DO TIMING-MARK", "SB NAWS", "SB with IAC IAC", "SB that is empty",
        ],
    )  # fmt: skip
    def test_command_is_removed_wherever_it_occurs_also_across_reads(self, command: bytes) -> None:
        text = "né\r\nxt\n".encode()
        for at in range(len(text) + 1):
            data = text[:at] + command + text[at:]
            assert frame(data) == frame(*single_bytes(data)) == ["né", "xt"]

    @pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r", b"\r\0"])
    def test_a_line_end_ends_a_subnegotiation(self, ending: bytes) -> None:
        for text in ("Что за \u042f\u044a\u0432!", "яъ"):  # cp1251 writes these letters as IAC SB
            data = text.encode("cp1251") + ending + b"one" + ending + b"two" + ending + b"three"
            assert frame(data)[-3:] == frame(*single_bytes(data))[-3:] == ["one", "two", "three"]

    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (b"abc" + IAC + EC, "ab"),
            (b"abc" + (IAC + EC) * 2 + b"d", "ad"),
            ("né".encode() + IAC + EC + b"e", "ne"),
            ("e\u0301x".encode() + (IAC + EC) * 2 + b"a", "a"),
            (IAC + EC + b"a", "a"),
            (b"\n" + IAC + EC + b"b", "b"),
            (b"abc" + IAC + b"\xfax" + IAC + b"\xf0" + IAC + EC, "ab"),
            (b"abc" + IAC + EL, None),
            (b"abc" + IAC + EL + b"de", "de"),
            (b"abc" + IAC + EL + b"de" + IAC + EL + IAC + EL + b"f", "f"),
            (b"x" * 2000 + IAC + EL + b"y" * 2000, "y" * 2000),
            (b"a\xc3" + IAC + EL + b"\xa9b", "\ufffdb"),
            (b"\x1b]0;x" + IAC + EL + b"text", "text"),
            (b"/msg Bob secret" + IAC + EL + b"hello", "hello"),
        ],
    )
    @pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r", b""])
    def test_ec_and_el_erase_a_character_and_the_line(
        self, data: bytes, text: str | None, ending: bytes
    ) -> None:
        for pieces in ([data + ending], single_bytes(data + ending), [data, ending]):
            assert [line for line in frame(*pieces) if line != "a" or text == "a"] == [text] * (
                text is not None
            )

    @pytest.mark.parametrize("split", [lambda data: [data], single_bytes], ids=["whole", "bytes"])
    def test_el_erases_what_made_a_line_too_long(self, split) -> None:
        assert frame(*split(b"x" * 3000 + IAC + EL + b"text\nnext\n")) == [TooLong(MAX_LINE), "text", "next"]

    def test_nothing_is_lost_when_a_command_is_never_finished(self) -> None:
        assert frame(b"text" + IAC + SB + b"\x18") == ["text"]

    def test_timing_marks_are_counted_whatever_the_split(self) -> None:
        for pieces in ([DO_TIMING_MARK * 2], single_bytes(DO_TIMING_MARK * 2)):
            marks = framer()
            for piece in pieces:
                marks.receive(piece)
            assert marks.timing_marks == 2

    @pytest.mark.parametrize("other", [IAC + DO + b"\x01", IAC + WILL + b"\x06", IAC + DONT + b"\x06"])
    def test_nothing_else_asks_for_a_timing_mark(self, other: bytes) -> None:
        marks = framer()
        marks.receive(other + b"\xfd\x06")
        assert marks.timing_marks == 0

    def test_the_answer_to_a_timing_mark_is_wont(self) -> None:
        assert WONT_TIMING_MARK == IAC + WONT + b"\x06"

    @pytest.mark.parametrize("split", [lambda data: [data], single_bytes], ids=["whole", "bytes"])
    def test_a_subnegotiation_is_bounded(self, split) -> None:
        longest = IAC + SB + b"x" * (MAX_SUBNEGOTIATION - 2) + IAC + SE
        assert frame(*split(longest + b"text\n")) == ["text"]
        endless = IAC + SB + b"x" * MAX_SUBNEGOTIATION
        assert frame(*split(endless + b"text\n")) == ["text"]

    @pytest.mark.parametrize("split", [lambda data: [data], single_bytes], ids=["whole", "bytes"])
    def test_a_subnegotiation_whose_end_was_forgotten_ends_with_the_next_command(self, split) -> None:
        assert frame(*split(IAC + SB + b"\x18\x00" + IAC + WILL + b"\x01text\n")) == ["text"]


@pytest.mark.parametrize(
    ("pieces", "crlf"),
    [
        ([b"a\n"], False),
        ([b"a\r"], False),
        ([b"\na\n"], False),
        ([b"a\r\0"], False),
        ([b"a\r", b"\0", b"\n"], False),
        ([b"a\r", b"\0"], False),
        ([b"a\r", b"b\n"], False),
        ([b"a\n\rb"], False),
        ([b"\xffa\n"], False),
        ([IAC + IAC], False),
        ([IAC], False),
        ([b"a\r\n"], True),
        ([b"a\r", b"\n"], True),
        ([b"a\r\nb\n"], True),
        ([b"a\r\n", b"b\n"], True),
        ([IAC + NOP], True),
        ([IAC, DO, b"\x06"], True),
        ([IAC + SB + b"\x18" + IAC + SE], True),
        ([IAC + EC], True),
        ([IAC, EL], True),
        ([IAC + SB + b"\x18a\n"], False),
    ],
)
def test_who_sends_cr_lf_or_a_telnet_command_wants_cr_lf(pieces: list[bytes], crlf: bool) -> None:
    wants = framer()
    for piece in pieces:
        wants.receive(piece)
    assert wants.crlf is crlf


TOKENS = [b"\n", b"\r", b"\0", b"\r\n", b" ", b"\t", b"\x7f", b"\x1b[m", b"x", b"xxx", b"xxxxxxxxx"]
TOKENS += [b"\xc3\xa9", b"\xff", IAC + IAC, IAC + NOP, IAC + WILL + b"x", DO_TIMING_MARK, IAC + SB, IAC + SE]
TOKENS += [IAC + EC, IAC + EL, b"\x07", b"\xc3", b"\xe9\xfe", b"\xe2\xa0\x80"]
STREAM = (
    st.lists(st.sampled_from(TOKENS) | st.binary(max_size=3), max_size=30)
    | st.lists(st.sampled_from([b"\r", b"\n", b"\0", b"x"]), max_size=12)
).map(b"".join)


@st.composite
def split_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    stream = draw(STREAM)
    cuts = sorted(draw(st.sets(st.integers(0, len(stream)))))
    return stream, [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@given(split_streams())
@example((b"\r\0xxxxxxxx", [b"\r", b"\0xxxxxxxx"]))
@example((b"a\rb\nc", [b"a\r", b"b", b"\nc"]))
@example((IAC + SB + IAC + SB, [IAC + SB, IAC + SB]))
@example((IAC + SB + b"12345" + IAC + IAC + b"x", [IAC + SB + b"12345" + IAC, IAC + b"x"]))
def test_any_split_of_the_bytes_gives_the_same_lines(case: tuple[bytes, list[bytes]]) -> None:
    stream, pieces = case
    whole, split = LineFramer(8, 6), LineFramer(8, 6)
    expected = whole.receive(stream) + whole.end()
    assert [line for piece in pieces for line in split.receive(piece)] + split.end() == expected
    assert split.crlf == whole.crlf
    assert split.timing_marks == whole.timing_marks


@given(STREAM.map(lambda stream: stream.replace(IAC, b"")))
def test_lines_are_what_stands_between_the_line_ends(stream: bytes) -> None:
    def line(raw: bytes) -> Line | None:
        text = re.sub("[\udc80-\udcff]+", "\ufffd", raw.decode(errors="surrogateescape"))
        cleaned = clean(text)
        if len(raw) > 8 or len(cleaned.encode()) > 8:
            return TooLong(8)
        if cleaned.strip():
            return cleaned
        return None if is_blank(text) else NOTHING

    raws = re.split(rb"\r\n|\r\0|\r|\n", stream)
    whole = LineFramer(8, 6)
    assert whole.receive(stream) + whole.end() == [made for raw in raws if (made := line(raw)) is not None]


@pytest.mark.parametrize(
    "unit",
    [
        *(
            b"\x1b\r",
            b"\x07\n",
            b"x\n",
            b"\r\0",
            b"\x80\n",
            b"x",
            b"\x7f",
            DO_TIMING_MARK,
            IAC + IAC,
            IAC + EC,
        ),
        *(b"x" + IAC + EL, b"x" + IAC + NOP, IAC + SB, IAC + SB + b"x" * 600, IAC + SB + IAC + IAC),
    ],
)
@pytest.mark.slow
def test_the_work_grows_no_faster_than_the_input(unit: bytes) -> None:
    def seconds(size: int) -> float:
        reader = framer()
        data = unit * (size // len(unit))
        start = time.process_time()
        reader.receive(data)
        return time.process_time() - start

    assert min(seconds(1 << 18) for _ in range(3)) < 64 * min(seconds(1 << 14) for _ in range(9))
