"""The line being typed: what each key does to it, what is painted of it, and the lines sent before."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.app.typed_line import TypedLine
from chat_console.widgets.past_lines import LIMIT

LEFT, RIGHT, UP, DOWN = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"
HOME, END, DELETE, BACKSPACE = "\x1b[H", "\x1b[F", "\x1b[3~", "\x7f"
CTRL_D, CTRL_K, CTRL_U, CTRL_W = "\x04", "\x0b", "\x15", "\x17"
KEYS = [
    *(LEFT, RIGHT, UP, DOWN, HOME, END, DELETE, BACKSPACE, CTRL_D, CTRL_K, CTRL_U, CTRL_W, "\t", "\r", "\n"),
    *("\x1bOD", "\x1bOH", "\x1b[1~", "\x1b[4~", "\x1b[1;5C", "\x1b", "\x1b[15~", "\x1b[[A", "\x1b[200~"),
]
TEXT = st.text(st.sampled_from("ab /é漢한\u0301\u0e33\u200d👩👍🏽🇩🇪\ufe0f☕"), max_size=6)
TYPED = st.lists(st.sampled_from(KEYS) | TEXT, max_size=20).map("".join)


def typed(keys: str, *, most: int = 1000) -> TypedLine:
    line = TypedLine(most)
    line.feed(keys.encode())
    return line


def text_of(line: TypedLine) -> str:
    (text,) = line.feed(b"\r")
    return text


def painted(row: str, columns: int) -> tuple[list[str], int]:
    """The rows of a screen on which `row` was painted, and the column of its cursor."""
    screen = pyte.Screen(columns, 3)
    pyte.Stream(screen).feed(row)
    assert screen.cursor.y == 0
    return [text.rstrip() for text in screen.display], screen.cursor.x


class TestKeys:
    @pytest.mark.parametrize(
        ("keys", "text"),
        [
            ("hello", "hello"),
            ("Grüße 漢字 👋", "Grüße 漢字 👋"),
            (f"helo{LEFT}l", "hello"),
            (f"ello{HOME}h{END}!", "hello!"),
            ("ello\x1bOHh\x1bOF!", "hello!"),
            ("ello\x1b[1~h\x1b[4~!", "hello!"),
            ("ello\x01h\x05!", "hello!"),
            (f"hxello{HOME}{RIGHT}{DELETE}", "hello"),
            (f"a{LEFT}{LEFT}{LEFT}b{RIGHT}{RIGHT}{RIGHT}c", "bac"),
            ("\x1b[1;5Da\x1b[1;2Db", "ba"),
            (f"hellp{BACKSPACE}o", "hello"),
            ("hellp\bo", "hello"),
            (f"a漢{BACKSPACE}b", "ab"),
            (f"ae\u0301{BACKSPACE}b", "ab"),
            (f"ab👩\u200d👩\u200d👧{LEFT}{BACKSPACE}", "a👩\u200d👩\u200d👧"),
            (f"👍🏽a{HOME}{DELETE}", "a"),
            (f"{BACKSPACE}{DELETE}a{DELETE}", "a"),
            (f"away{CTRL_U}here", "here"),
            (f"away here{LEFT * 4}{CTRL_U}", "here"),
            (f"here away{LEFT * 5}{CTRL_K}", "here"),
            (f"one two  {CTRL_W}three", "one three"),
            (f"one{CTRL_W}{CTRL_W}two", "two"),
            ("a\tb", "a b"),
            ("\x1b/list", "/list"),
            ("\x1b[/msg Bob secret", "/msg Bob secret"),
            ("a\x1b[15~\x1b[[A\x1b[?1;2cb", "ab"),
            ("a\x1b[200~b\x1b[201~c", "abc"),
            ("a\u202e\x9b31mb", "ab"),
            ("☕\ufe0f!", "☕\ufe0f!"),
            (f"{LEFT}{UP}{DOWN}a", "a"),
        ],
    )
    def test_each_does_to_the_line_what_it_does_in_a_shell(self, keys: str, text: str) -> None:
        assert text_of(typed(keys)) == text

    @given(TYPED.map(str.encode), st.lists(st.integers(0, 200)))
    def test_pieces_of_any_size_do_the_same(self, data: bytes, cuts: list[int]) -> None:
        whole, cut = TypedLine(1000), TypedLine(1000)
        pieces = [
            data[start:end] for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), None], strict=True)
        ]
        assert [line for piece in pieces for line in cut.feed(piece)] == whole.feed(data)
        assert cut.row(20) == whole.row(20)

    def test_bytes_that_are_no_utf_8_are_shown_as_such(self) -> None:
        line = TypedLine(100)
        assert line.feed(b"a\xffb\r") == ["a\ufffdb"]

    def test_several_lines_may_arrive_at_once(self) -> None:
        line = TypedLine(100)
        assert line.feed(b"one\rtwo\n\nthr") == ["one", "two", ""]
        assert line.row(80) == "thr"

    def test_ctrl_d_sends_a_line_if_it_is_pressed_twice(self) -> None:
        line = TypedLine(100)
        assert line.feed(b"\x04\x04one\x04") == []
        assert line.feed(b"\x04\x04\x04") == ["one"]
        assert line.feed(b"\x04two\x04!") == []
        assert line.row(80) == "two!"

    def test_it_takes_no_more_than_it_may(self) -> None:
        line = typed("x" * 90 + HOME, most=100)
        line.feed(b"y" * 1_000_000)
        assert text_of(line) == "y" * 10 + "x" * 90


class TestRow:
    def test_nothing_typed_is_nothing_painted(self) -> None:
        assert TypedLine(100).row(80) == ""

    def test_the_cursor_is_where_the_next_character_goes(self) -> None:
        rows, column = painted(typed(f"a漢b{LEFT}").row(80), 80)
        assert column == 3
        assert rows[0].replace(" ", "") == "a漢b"

    def test_a_long_line_is_scrolled_and_shows_that_there_is_more(self) -> None:
        line = typed("abcdefghijklmnopqrstuvwxyz")
        assert painted(line.row(11), 11) == (["<vwxyz", "", ""], 6)
        line.feed(HOME.encode())
        assert painted(line.row(11), 11) == (["abcdefghi>", "", ""], 0)
        line.feed(RIGHT.encode() * 12)
        assert painted(line.row(11), 11) == (["<hijklmno>", "", ""], 6)
        assert line.row(80).startswith("abcdefghijkl\x1b7")

    @given(TYPED, st.lists(st.tuples(st.integers(1, 40), TYPED), min_size=1, max_size=5))
    def test_it_never_takes_the_last_column(self, keys: str, more: list[tuple[int, str]]) -> None:
        line = typed(keys.replace("\r", "").replace("\n", "") * 3)
        for columns, others in more:
            line.feed(others.encode())
            rows, column = painted(line.row(columns), max(columns, 2))
            assert rows[1:] == ["", ""]
            assert column <= max(columns - 1, 1)

    @given(st.text("abc漢", max_size=60), st.integers(0, 60), st.integers(4, 30))
    def test_what_is_at_the_cursor_is_always_shown(self, text: str, steps: int, columns: int) -> None:
        line = typed(text + LEFT * steps)
        line.row(columns)  # as it was before the next key
        line.feed(b"!")
        rows, column = painted(line.row(columns), columns)
        assert rows[0].replace(" ", "").find("!") >= 0
        assert column >= 1


class TestSentLines:
    def test_up_and_down_go_through_them_and_back_to_the_draft(self) -> None:
        line = typed("one\rtwo\rthree\rdraft")
        rows: list[str] = []
        for key in (UP, UP, UP, UP, DOWN, DOWN, DOWN, DOWN):
            line.feed(key.encode())
            rows.append(line.row(80))
        assert rows == ["three", "two", "one", "one", "two", "three", "draft", "draft"]

    def test_an_edit_lasts_until_a_line_is_sent(self) -> None:
        line = typed(f"one\rtwo\r{UP}!{UP}")
        assert line.row(80) == "one"
        line.feed(DOWN.encode())
        assert line.row(80) == "two!"
        assert text_of(line) == "two!"
        line.feed(UP.encode() * 2)
        assert line.row(80) == "two"

    def test_blank_lines_and_repetitions_are_not_among_them(self) -> None:
        line = typed(f"one\r\r  \rone\r{UP}{UP}")
        assert line.row(80) == "one"

    def test_those_of_earlier_days_come_before_them_whenever_they_are_read(self) -> None:
        line = typed(f"new\rdraft{UP}!")
        line.remember(["old", "older but one"])
        rows: list[str] = []
        for key in (UP, UP, DOWN, DOWN, DOWN):
            line.feed(key.encode())
            rows.append(line.row(80))
        assert rows == ["older but one", "old", "older but one", "new!", "draft"]

    def test_the_oldest_are_dropped(self) -> None:
        line = TypedLine(100)
        line.remember(map(str, range(LIMIT)))
        line.feed(b"new\r" + UP.encode() * 2 * LIMIT)
        assert line.row(80) == "1"
