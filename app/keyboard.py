"""Turns what a terminal sends into Textual's events: keys, pastes, the mouse, and reports.

Textual's parser mistakes Escape and the keys typed after it for one sequence if they arrive together, and
types sequences it does not know, such as an unsolicited report. So input is split into sequences here, and
the parser gets one at a time. Input means the same in whatever pieces it arrives, except for what no terminal
can tell apart: Escape followed by `[` or `O` and more that would be a key.
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Callable, Iterable, Iterator

# Private, so Textual is pinned: it knows what terminals' sequences mean.
from textual._xterm_parser import XTermParser
from textual.events import Key, Paste
from textual.message import Message

from .pacing import ANSWER

PASTE_LIMIT = 1 << 20
"""How many characters of one paste are taken."""

PASTE_DELAY = 5.0
"""How long a paste may pause, in seconds, before its end is taken to be lost."""

ANSWER_DELAY = 2.0
"""How long an answer of the terminal may pause within, in seconds, while one is due."""

# A control sequence (ECMA-48, 5.4), a key of the Linux console, a mouse report (X10's, or one with a minus
# for a place outside the window), a key as SS3, or a reply as a control string (ECMA-48, 5.6; xterm also ends
# it with BEL): OSC, DCS, or kitty's APC.
_STRING = r"(?:\]\d{1,4};|P\d*[$+>!]|_G)[^\x00-\x1f\x7f]{0,4096}"
_SEQUENCE = re.compile(
    r"\x1b(?:\[(?:\[[A-E]|M[^\x1b]{3}|<[\d;-]{1,64}[Mm]"
    r"|\?[0-?]{0,63}[ -/]*[@-~]|(?!\?)[0-?]{1,64}[ -/]*[@-~$]|[ -/]*[@-LN-Z\\^-~])"
    r"|O[2-8]?[A-DFHMP-Sa-dj-y]"
    rf"|{_STRING}(?:\x1b\\|\x07))"
)
_BEGUN = re.compile(
    r"\x1b(?:\[(?:\[|M[^\x1b]{0,2}|<[\d;-]{0,64}|[0-?]{0,64}[ -/]*)?|O[2-8]?"
    rf"|\]\d{{0,4}}|P\d*|_|{_STRING}\x1b?)?"
)

_BEYOND = re.compile(r"-\d*")
"""A place left of the first column or above the first row."""

_PASTE, _PASTE_END = "\x1b[200~", "\x1b[201~"

# https://sw.kovidgoyal.net/kitty/keyboard-protocol/#an-overview: code:shifted:base ; modifiers:event ; text
_KEY = re.compile(r"\x1b\[(\d+)(?::\d*)?(?::(\d+))?(?:;(\d*)(?::(\d+))?(?:;([\d:]*))?)?([u~A-S])")
_RELEASED = "3"
_SHIFT, _CTRL, _LOCKS = 1, 4, 64 | 128

# The same without that protocol: https://invisible-island.net/xterm/modified-keys.html
_OTHER_KEY = re.compile(r"\x1b\[27;(\d+);(\d+)~")

_PLAIN = {
    (13, _SHIFT): 13,
    (13, _CTRL): 13,
    (127, _SHIFT): 127,
    (ord("h"), _CTRL): 127,
    (ord("i"), _CTRL): 9,
    (ord("j"), _CTRL): 13,
    (ord("m"), _CTRL): 13,
    (ord("["), _CTRL): 27,
}
"""Keys that are Enter, Backspace, Tab or Escape on a terminal that sends only characters, and so on any."""

_RESET = "\x1b[I"

# The terminal's answers to DSR, which may also be that it is not well, and to DECRQM for its side margins.
_ANSWER = re.compile(r"\x1b\[[03]n")
_SIDE_MARGINS = re.compile(r"\x1b\[\?69;[1-3]\$y")

_BY_POSITION = {
    "ru, ua": ("йцукенгшщзфыівапролдячсмить", "qwertyuiopassdfghjklzxcvbnm"),
    "by": ("ў", "o"),
    "rs, mk": ("љњјџѕ", "qwjxy"),
    "ge": ("ქწერტყუიოპასდფგჰჯკლზხცვბნმ", "qwertyuiopasdfghjklzxcvbnm"),
    "am": ("ճփբսմուկըթջվգեանիտհժդչյզլք", "qwertyuiopasdfghjklzxcvbnm"),
    "th": (
        "\u0e46\u0e44\u0e33\u0e1e\u0e30\u0e31\u0e35\u0e23\u0e19\u0e22\u0e1f\u0e2b\u0e01\u0e14\u0e40\u0e49\u0e48\u0e32\u0e2a\u0e1c\u0e1b\u0e41\u0e2d\u0e34\u0e37\u0e17",
        "qwertyuiopasdfghjklzxcvbnm",
    ),
    "ir": ("یظطزذد", "dzxcbn"),
    "gr": ("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm"),
    "il": ("קראטוןםפשדגכעיחלךזסבהנמצ", "ertyuiopasdfghjklzxcvbnm"),
    "ara": ("ضصثقفغعهخحشسيبلاتنمئءؤرىة", "qwertyuiopasdfghjklzxcvnm"),
}
_LATIN = {
    ord(letter): ord(key)
    for letters, keys in _BY_POSITION.values()
    for letter, key in zip(letters, keys, strict=True)
}
"""The Latin letter on the same key, for the letters of the xkeyboard-config layouts named above."""


class Answered(Message):
    """The terminal has read everything up to a question (`pacing.QUESTION`)."""


class HasSideMargins(Message):
    """The terminal can scroll a part of its width."""


class Keyboard:
    """Reads what a terminal sends, in whatever pieces it arrives.

    Args:
        encoding: the encoding of the terminal's text; invalid bytes become U+FFFD.
        escape_delay: how long an unfinished sequence may take to continue, in seconds.
        is_answer_due: says whether the terminal still owes an answer.
    """

    def __init__(
        self,
        encoding: str = "utf-8",
        escape_delay: float = 0.1,
        is_answer_due: Callable[[], bool] = lambda: False,
    ) -> None:
        self._decode = codecs.getincrementaldecoder(encoding)("replace").decode
        self._escape_delay = escape_delay
        self._is_answer_due = is_answer_due
        self._escaped = False  # whether an Escape that may begin an answer was taken for the key
        self._parser = XTermParser()
        self._rest = ""
        self._pasted: str | None = None
        self._returned = False

    @property
    def patience(self) -> float | None:
        """How long to wait for input before calling `give_up`, in seconds; None for as long as it takes."""
        if self._pasted is not None:
            return PASTE_DELAY
        if len(self._rest) > 1 and ANSWER.startswith(self._rest) and self._is_answer_due():
            return ANSWER_DELAY
        return self._escape_delay if self._rest else None

    def feed(self, data: bytes) -> list[Message]:
        """Return the events that `data` completes."""
        text = self._decode(data)
        if not self._rest:
            # Escape has been taken for a key; what comes now may be the rest of an answer.
            self._escaped = self._escaped and text.startswith(ANSWER[1])
            text = ANSWER[0] + text if self._escaped else text
        self._rest += text
        return list(self._events())

    def give_up(self) -> list[Message]:
        """Return the events of an unfinished sequence as if its characters had been typed: no more came."""
        rest, self._rest = self._rest, ""
        if self._pasted is not None:
            text, self._pasted = self._pasted + rest, None
            return [_paste(text)]
        if not rest:
            return []
        before: list[Message] = [] if self._escaped else [_escape()]
        self._escaped = rest == ANSWER[0] and self._is_answer_due()
        return [*before, *self._parse(rest[1:])]

    def _events(self) -> Iterator[Message]:
        while self._rest:
            if self._pasted is not None:
                yield from (pasted := list(self._paste()))
                if not pasted:
                    return
            elif not self._rest.startswith("\x1b"):
                text, escape, rest = self._rest.partition("\x1b")
                self._rest = escape + rest
                yield from self._parse(self._entered(text))
            elif sequence := _SEQUENCE.match(self._rest):
                self._rest = self._rest[sequence.end() :]
                escaped, self._escaped = self._escaped, False
                if escaped and not _ANSWER.fullmatch(sequence[0]):
                    yield from self._parse(sequence[0][1:])
                elif sequence[0] == _PASTE:
                    self._pasted = ""
                elif sequence[0][1] in "[O":  # otherwise a reply
                    yield from self._key(sequence[0])
            elif _BEGUN.fullmatch(self._rest):
                return
            else:
                self._rest = self._rest[1:]
                yield _escape()

    def _entered(self, text: str) -> str:
        """Return `text` with each line ending as Enter sends it.

        Text typed before the console took the terminal ends in LF, and with some settings Enter sends CR LF.
        """
        if self._returned:
            text = text.removeprefix("\n")
        self._returned = text.endswith("\r")
        return text.replace("\r\n", "\r").replace("\n", "\r")

    def _paste(self) -> Iterator[Message]:
        assert self._pasted is not None
        text, end, rest = self._rest.partition(_PASTE_END)
        if end:
            self._rest = rest
            yield _paste(self._pasted + text)
            self._pasted = None
            return
        # A part of the end may be there already.
        kept = next(n for n in range(len(_PASTE_END) - 1, -1, -1) if text.endswith(_PASTE_END[:n]))
        self._rest = text[len(text) - kept :]
        self._pasted = (self._pasted + text[: len(text) - kept])[:PASTE_LIMIT]

    def _key(self, sequence: str) -> Iterable[Message]:
        """Return the events of a whole sequence; a key that types no Latin letter is taken by its place."""
        if _ANSWER.fullmatch(sequence):
            return (Answered(),)
        if _SIDE_MARGINS.fullmatch(sequence):
            return (HasSideMargins(),)
        if sequence.startswith("\x1b[<"):
            sequence = _BEYOND.sub("1", sequence)
        if other := _OTHER_KEY.fullmatch(sequence):
            modifiers, code = other.groups()
            text = f";{code}" if int(modifiers) == 1 + _SHIFT else ""
            sequence = f"\x1b[{code};{modifiers}{text}u"
        if found := _KEY.fullmatch(sequence):
            code, base, modifiers, event, text, end = found.groups()
            if event == _RELEASED:
                return ()
            held = (int(modifiers or 1) - 1) & ~_LOCKS
            if end == "u" and held:
                code = int(code) if held == _SHIFT else _latin(int(code), int(base or 0))
                if plain := _PLAIN.get((code, held)):
                    return self._parse(f"\x1b[{plain}u")
            given = [part for part in (code, modifiers, text) if part is not None]
            sequence = f"\x1b[{';'.join(map(str, given))}{end}"
        return self._parse(sequence)

    def _parse(self, text: str) -> Iterable[Message]:
        try:
            events = list(self._parser.feed(text)) if text else []
        except (ValueError, OverflowError):  # not the number of a character
            self._parser = XTermParser()
            return ()
        if text.startswith("\x1b") and not events:
            # It takes an unknown sequence for an unfinished one.
            for _ in self._parser.feed(_RESET):
                pass
        return [event for event in events if not (isinstance(event, Key) and _is_surrogate(event.character))]


def _is_surrogate(character: str | None) -> bool:
    return character is not None and "\ud800" <= character <= "\udfff"


def _latin(code: int, base: int) -> int:
    """Return the code of a key's Latin letter, by what it types or else by its place, whatever Caps Lock."""
    if code <= sys.maxunicode and len(small := chr(code).lower()) == 1:
        code = ord(small)
    if _is_latin(code):
        return code
    return base if _is_latin(base) else _LATIN.get(code, code)


def _is_latin(code: int) -> bool:
    return ord("a") <= code <= ord("z")


def _escape() -> Key:
    return Key("escape", "\x1b")


def _paste(text: str) -> Paste:
    return Paste(text.replace("\0", ""))
