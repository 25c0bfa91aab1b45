"""Cleaning of untrusted text, and what a nickname may be. Pure functions.

Whatever a client sends is shown on other people's terminals, and no common client filters anything:
text is cleaned once, here, before it is stored or sent on.
"""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_LENGTH = 20
"""The longest nickname, in characters."""

MAX_COMBINING_MARKS = 3
"""How many combining marks may follow one character; more would paint over the neighbouring lines."""

_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"

# Code points that are letters, symbols or marks to Unicode, and nothing at all to the eye.
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800"

# ECMA-48, 5.4 and 5.6: a control sequence, and the control strings (APC, DCS, OSC, PM, SOS). CAN, SUB and
# ESC end either early, as they do in a terminal; a string that is never ended runs to the end of the line.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]?"
    r"|(?:\x1b\]|\x9d)[^\x07\x18\x1a\x1b\x9c]*(?:\x1b\\|[\x07\x18\x1a\x9c])?"
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x18\x1a\x1b\x9c]*(?:\x1b\\|[\x18\x1a\x9c])?"
)

_PLAIN, _MARK, _VARIATION, _JOINER, _TAB, _ERASE, _REMOVED = range(7)


def _kind(character: str) -> int:
    if character == "\t":
        return _TAB
    if character in "\b\x7f":
        return _ERASE
    if character in _JOINERS:
        return _JOINER
    if character in _FILLERS:
        return _REMOVED
    category = unicodedata.category(character)
    if category[0] == "M":
        return _VARIATION if "VARIATION SELECTOR" in unicodedata.name(character, "") else _MARK
    # Cc, Cf, Cs, Co, Cn; line and paragraph separators. The other separators are blanks of some width.
    return _REMOVED if category[0] == "C" or category in ("Zl", "Zp") else _PLAIN


class _Kinds(dict[str, int]):
    """The kind of each character met so far; as large as the repertoire in use, at most Unicode's."""

    def __missing__(self, character: str) -> int:
        kind = self[character] = _kind(character)
        if kind == _PLAIN:
            _plain.add(character)
        return kind


_plain = {chr(code) for code in range(0x20, 0x7F)}
_kinds = _Kinds()


def clean(text: str) -> str:
    """Return `text` as one line that is safe on any terminal, and otherwise as its author meant it.

    - Whole control sequences and control strings of ECMA-48 are removed, also in their 8-bit forms.
    - A tab becomes a blank; a backspace or DEL removes the character before it, marks included.
    - Every other control, format, surrogate, private-use or unassigned code point, every line or paragraph
      separator and every invisible filler is removed. The zero-width joiners and variation selectors, which
      emoji and several scripts need, stay where they follow a visible character.
    - At most `MAX_COMBINING_MARKS` combining marks follow one character.

    Cleaning twice changes nothing.
    """
    if _plain.issuperset(text):
        return text
    if "\x1b" in text or any("\x80" <= character <= "\x9f" for character in text):
        text = _SEQUENCE.sub("", text)
    kept: list[str] = []
    marks = 0
    for character in text:
        kind = _kinds[character]
        if kind == _PLAIN:
            marks = 0
        elif kind == _MARK:
            if marks == MAX_COMBINING_MARKS:
                continue
            marks += 1
        elif kind in (_VARIATION, _JOINER):
            # Invisible by itself, so one at most, and only behind what it can act upon.
            previous = kept[-1] if kept else " "
            if previous.isspace() or _kinds[previous] in (_JOINER, kind):
                continue
        elif kind == _TAB:
            character = " "
            marks = 0
        elif kind == _ERASE:
            _erase(kept)
            marks = _trailing_marks(kept)
            continue
        else:
            continue
        kept.append(character)
    return "".join(kept)


def _erase(kept: list[str]) -> None:
    """Remove the last visible character of `kept` with all that hangs on it."""
    while kept and _kinds[kept.pop()] != _PLAIN:
        pass


def _trailing_marks(kept: list[str]) -> int:
    count = 0
    for character in reversed(kept):
        kind = _kinds[character]
        if kind == _PLAIN:
            break
        count += kind == _MARK
    return count


_NAME = re.compile(rf"[A-Za-z0-9_.-]{{1,{MAX_NAME_LENGTH}}}", re.ASCII)

RESERVED_NAMES = ("Operator", "Server", "System", "Admin", "Root", "Moderator", "You", "Everyone")
"""Names that would let a client pass for the house."""

_LOOK_ALIKES = str.maketrans("01l", "oii")


def is_name(name: str) -> bool:
    """Whether `name` is 1 to `MAX_NAME_LENGTH` ASCII letters, digits, `_`, `-` or `.`."""
    return _NAME.fullmatch(name) is not None


def is_reserved(name: str) -> bool:
    """Whether `name` reads as one of `RESERVED_NAMES`, whatever the case, `0`/`o` and `1`/`l`/`i` alike."""
    return _skeleton(name) in _RESERVED_SKELETONS


def _skeleton(name: str) -> str:
    return name.lower().translate(_LOOK_ALIKES)


_RESERVED_SKELETONS = frozenset(map(_skeleton, RESERVED_NAMES))
