"""From what a terminal sends to events: the same in whichever pieces it arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import AppBlur, AppFocus, Key, MouseDown, Paste
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from chat_console.app.keyboard import ANSWER_DELAY, PASTE_DELAY, PASTE_LIMIT, Keyboard

ESCAPE_DELAY = 0.1


def name(event: Message) -> str:
    match event:
        case Key(key=key):
            return key
        case Paste(text=text):
            return f"paste {text!r}"
        case _:
            return type(event).__name__


def keys(*pieces: bytes | str, encoding: str = "utf-8") -> list[str]:
    """What is read of `pieces` when nothing more comes."""
    keyboard = Keyboard(encoding, ESCAPE_DELAY)
    events = [
        event
        for piece in pieces
        for event in keyboard.feed(piece.encode(encoding) if isinstance(piece, str) else piece)
    ]
    return [name(event) for event in (*events, *keyboard.give_up())]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("hé ", "h é space"),
        ("one\ntwo\r\nthree\r\r\n\n", "o n e enter t w o enter t h r e e enter enter enter"),
        ("\r\t\x7f\x01\x10\x11", "enter tab backspace ctrl+a ctrl+p ctrl+q"),
        ("\x1b[A\x1b[1;5C\x1b[3~\x1b[Z\x1bOR\x1b[15~", "up ctrl+right delete shift+tab f3 f5"),
        ("\x1b[[A\x1b[3$", "f1 shift+delete"),
        ("\x1b[I\x1b[O\x1b[<0;3;4M", "AppFocus AppBlur MouseDown"),
        ("\x1b[?2026;2$y", "TerminalSupportsSynchronizedOutput"),
        ("\x1b[Mabc\x1b[Aq", "up q"),
        ("\x1b[<32;-3;5Mq\x1b[<0;-12;-7m", "MouseMove q MouseUp"),
    ],
)
def test_keys_the_mouse_and_reports(typed: str, expected: str) -> None:
    assert keys(typed) == expected.split()
    assert {AppBlur, AppFocus, MouseDown, TerminalSupportsSynchronizedOutput}  # the names above


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("\x1b", "escape"),
        ("\x1bhi\r", "escape h i enter"),
        ("\x1b/\x1b[A", "escape slash up"),
        ("\x1b\x1b[A", "escape up"),
        ("\x1b\r\x1b\t\x1b\x7f\x1bb\x1bf", "escape enter escape tab escape backspace escape b escape f"),
        ("\x1b\x1b\x1b", "escape escape escape"),
        ("\x1bPlease", "escape P l e a s e"),
        ("\x1b]x", "escape right_square_bracket x"),
        ("\x1bOh", "escape O h"),
        ("\x1b[12\rx", "escape left_square_bracket 1 2 enter x"),
        ("\x1b[", "escape left_square_bracket"),
        ("\x1bO", "escape O"),
        ("\x1b[27u", "escape"),
    ],
)
def test_escape_and_what_is_typed_after_it_are_keys_of_their_own(typed: str, expected: str) -> None:
    assert keys(typed) == expected.split()


@pytest.mark.parametrize(
    "report",
    [
        "\x1b[99;99z",
        "\x1b[?1;2c",
        "\x1b[>0;276;0c",
        "\x1b]11;rgb:ffff/0/0\x1b\\",
        "\x1b]52;c;?\x07",
        "\x1bP1$r0m\x1b\\",
    ],
)
def test_a_report_that_nobody_asked_for_is_not_typed(report: str) -> None:
    assert keys(f"a{report}b\r") == ["a", "b", "enter"]


@pytest.mark.parametrize(
    "broken",
    [
        "\x1b[99999999999;5u",
        "\x1b[97;1;99999999999u",
        "\x1b[97;1;55296u",
        "\x1b[1;999999999999999999999999A",
        "\x1b[;;;;;;u",
    ],
)
def test_no_sequence_ends_the_reading(broken: str) -> None:
    assert keys(broken, "\x1b[Aq")[-2:] == ["up", "q"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("\x1b[1081::113;5u", "ctrl+q", id="Russian, which tells the key"),
        pytest.param("\x1b[1081;5u", "ctrl+q", id="Russian"),
        pytest.param("\x1b[1110;5u", "ctrl+s", id="Ukrainian"),
        pytest.param("\x1b[960;5u", "ctrl+p", id="Greek"),
        pytest.param("\x1b[1511;5u", "ctrl+e", id="Hebrew"),
        pytest.param("\x1b[1590;5u", "ctrl+q", id="Arabic"),
        pytest.param("\x1b[1118;5u", "ctrl+o", id="Belarusian"),
        pytest.param("\x1b[1113;5u", "ctrl+q", id="Serbian"),
        pytest.param("\x1b[4325;5u", "ctrl+q", id="Georgian"),
        pytest.param("\x1b[1395;5u", "ctrl+q", id="Armenian"),
        pytest.param("\x1b[3654;5u", "ctrl+q", id="Thai"),
        pytest.param("\x1b[1740;5u", "ctrl+d", id="Persian"),
        pytest.param("\x1b[1049;69u\x1b[81;69u", "ctrl+q ctrl+q", id="with Caps Lock"),
        pytest.param("\x1b[27;5;113~\x1b[27;5;1081~", "ctrl+q ctrl+q", id="as xterm has it"),
        pytest.param("\x1b[13;2u\x1b[13;5u\x1b[106;5u\x1b[109;5u\x1b[27;2;13~", "enter " * 5, id="Enter"),
        pytest.param("\x1b[127;2u\x1b[127;130u\x1b[104;5u", "backspace " * 3, id="Backspace"),
        pytest.param("\x1b[105;5u\x1b[91;5u", "tab escape", id="Tab and Escape"),
        pytest.param("\x1b[47::113;5u", "ctrl+q", id="Hebrew, whose q is a slash"),
        pytest.param("\x1b[97::113;5u", "ctrl+a", id="French, whose q is an a"),
        pytest.param("\x1b[113;133u", "ctrl+q", id="with Num Lock"),
        pytest.param("\x1b[1081;1;1081u", "й", id="without Ctrl it is the letter"),
        pytest.param("\x1b[1081:1049:113;2;1049u", "Й", id="with Shift too"),
        pytest.param("\x1b[9001;5u", "ctrl+left_pointing_angle_bracket", id="on no key that is known"),
        pytest.param(
            "\x1b[13u\x1b[127u\x1b[9;2u\x1b[32;1;32u", "enter backspace shift+tab space", id="named"
        ),
        pytest.param("\x1b[97;1:1;97u\x1b[97;1:3u\x1b[1;1:3A", "a", id="pressed and released"),
    ],
)
def test_the_keyboard_protocol(typed: str, expected: str) -> None:
    assert keys(typed) == expected.split()


def test_a_key_with_ctrl_types_nothing() -> None:
    (semicolon, capital) = Keyboard().feed(b"\x1b[27;5;59~\x1b[27;2;65~")
    assert isinstance(semicolon, Key) and semicolon.character is None
    assert isinstance(capital, Key) and capital.character == "A"


def test_a_paste_is_one_event_whatever_is_in_it() -> None:
    assert keys("a\x1b[200~one\r\n\x1b[A\x1b[20\0~two\x1b[201~b") == [
        "a",
        "paste 'one\\r\\n\\x1b[A\\x1b[20~two'",
        "b",
    ]
    assert keys("\x1b[200~\x1b[201~") == ["paste ''"]


def test_a_paste_whose_end_is_lost_ends_after_a_while_and_is_bounded() -> None:
    keyboard = Keyboard()
    assert keyboard.patience is None
    for _ in range(3):
        assert keyboard.feed(b"\x1b[200~" + b"x" * PASTE_LIMIT) == []
        assert keyboard.patience == PASTE_DELAY
    (paste,) = keyboard.give_up()
    assert isinstance(paste, Paste)
    assert len(paste.text) <= PASTE_LIMIT + 10
    assert keyboard.patience is None
    assert [name(event) for event in keyboard.feed(b"q")] == ["q"]


def test_only_what_has_begun_is_waited_for() -> None:
    keyboard = Keyboard(escape_delay=ESCAPE_DELAY)
    for begun in (b"\x1b", b"[", b"1", b";5"):
        assert keyboard.feed(begun) == []
        assert keyboard.patience == ESCAPE_DELAY
    assert [name(event) for event in keyboard.feed(b"C")] == ["ctrl+right"]
    assert keyboard.patience is None
    assert keyboard.give_up() == []


@pytest.mark.parametrize(
    ("typed", "encoding", "expected"),
    [
        ([b"\xc3", b"\xa9"], "utf-8", ["é"]),
        ([b"\xffx"], "utf-8", ["replacement_character", "x"]),
        ([b"\xe9"], "iso-8859-1", ["é"]),
        ([b"\xca"], "koi8-r", ["й"]),
    ],
)
def test_text_is_decoded_as_the_terminal_encodes_it(
    typed: list[bytes], encoding: str, expected: list[str]
) -> None:
    assert keys(*typed, encoding=encoding) == expected


KEYS = st.lists(
    st.sampled_from(
        [
            *"abO[y /é\r\n\t\x7f\x1b",
            *("\x1b[A", "\x1b[3~", "\x1bOR", "\x1b[18~", "\x1b[1081;5u", "\x1b[<0;-3;4M", "\x1b[I"),
            *("\x1b[200~two\nlines\x1b[201~", "\x1b[99;99z", "\x1b]11;?\x07"),
        ]
    ),
    max_size=20,
).map("".join)


@given(KEYS, st.lists(st.integers(1, 9), min_size=1))
def test_the_pieces_make_no_difference(typed: str, lengths: list[int]) -> None:
    data = typed.encode()
    pieces = list[bytes]()
    while data:
        for length in lengths:
            pieces.append(data[:length])
            data = data[length:]
    assert keys(*pieces) == keys(typed)


# Answers of the terminal


def pieces_of(*pieces: str, due: bool = True) -> list[str]:
    """What is read of `pieces` of which each takes so long that the one before is given up."""
    keyboard = Keyboard("utf-8", ESCAPE_DELAY, lambda: due)
    events: list[Message] = []
    for piece in pieces:
        events += keyboard.feed(piece.encode())
        if keyboard.patience == ESCAPE_DELAY:
            events += keyboard.give_up()
    return [name(event) for event in (*events, *keyboard.give_up())]


@pytest.mark.parametrize(
    ("answer", "event"),
    [
        ("\x1b[0n", "Answered"),
        ("\x1b[3n", "Answered"),
        ("\x1b[?69;2$y", "HasSideMargins"),
        ("\x1b[?69;1$y", "HasSideMargins"),
    ],
)
def test_an_answer_is_never_typed(answer: str, event: str) -> None:
    for cut in range(len(answer)):
        assert keys(f"a{answer[:cut]}", f"{answer[cut:]}b") == ["a", event, "b"]


@pytest.mark.parametrize("answer", ["\x1b[?69;0$y", "\x1b[?69;4$y"])
def test_without_side_margins_nothing_is_said_of_them(answer: str) -> None:
    assert keys(answer) == []


@pytest.mark.parametrize("cut", [2, 3])
def test_an_answer_that_is_due_may_take_long(cut: int) -> None:
    answer = "\x1b[0n"
    assert pieces_of(answer[:cut], answer[cut:] + "x") == ["Answered", "x"]
    keyboard = Keyboard("utf-8", ESCAPE_DELAY, lambda: True)
    keyboard.feed(answer[:cut].encode())
    assert keyboard.patience == ANSWER_DELAY
    assert [name(event) for event in keyboard.give_up()] == [
        "escape",
        *("left_square_bracket", "0")[: cut - 1],
    ]


def test_of_an_answer_cut_behind_escape_nothing_else_is_typed() -> None:
    # Nothing tells it from the key, for which nobody waits that long.
    assert pieces_of("\x1b", "[0nx") == ["escape", "Answered", "x"]
    assert pieces_of("\x1b", "[", "0", "nx") == ["escape", "Answered", "x"]
    assert pieces_of("\x1b", "[", "q") == ["escape", "left_square_bracket", "q"]
    assert pieces_of("\x1b", "[0n\x1b[A") == ["escape", "Answered", "up"]
    assert pieces_of("\x1b", "[0nx", "[0n") == ["escape", "Answered", "x", *typed("[0n")]
    assert pieces_of("\x1b", "[0n", due=False) == ["escape", *typed("[0n")]


def typed(text: str) -> list[str]:
    return keys(text)
