"""Cleaning of untrusted text. Pure functions.

Whatever a client sends is shown on other people's terminals, and no common client filters anything, so text
is cleaned once, here, before it is stored or passed on.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable

from . import unicode_ranges as ranges
from .commands import COMMANDS, spoken

MAX_MARKS = 8
"""How many combining marks one character may have."""

MAX_STACKED_MARKS = 3
"""How many of them may be of the kind that stacks up, over neighbouring lines."""

_STACKED = range(200, 241)  # their canonical combining classes

# ECMA-48, 5.4 and 5.6, and ECMA-35, 13.2. In this order: control sequences, including Linux function keys
# (`ESC [ [ A`) and mouse reports (`CSI M`); control strings, which CAN, SUB, ESC and C1 controls end early,
# as in a terminal, and which lose only their introducer if nothing ends them; single shifts with their
# character, before which some terminals put a modifier number; any other escape sequence.
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)(?:\[[\x20-\x7e]?|M[ -#`a][!-~]{2}|[\x30-\x3f]*+[\x20-\x2f]*+[\x40-\x7e]?)"
    r"|(?:\x1b\]|\x9d)(?:[^\x07\x18\x1a\x1b\x80-\x9f]*+(?:\x1b\\|[\x07\x18\x1a\x9c]|(?=[\x1b\x80-\x9f])))?"
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])"
    r"(?:[^\x18\x1a\x1b\x80-\x9f]*+(?:\x1b\\|[\x18\x1a\x9c]|(?=[\x1b\x80-\x9f])))?"
    r"|(?:\x1bO|\x8f)(?:1;)?[0-9]{1,2}[A-Sj-y]"
    r"|(?:\x1b[NO]|[\x8e\x8f])[^\x00-\x1f\x7f-\x9f]?"
    r"|\x1b(?:[\x20-\x2f]++[\x30-\x7e]?|[\x30-\x7e])?"
)

# A slash can be part of a sequence, which would turn Escape and `/msg Bob secret` into `sg Bob secret`, for
# everybody to read. Where a command may begin, a sequence ends before the slash.
_unfinished_before_command = re.compile(
    r"(?:(?:\x1b\[|\x9b)(?:\[|M ?|[\x30-\x3f]*+[\x20-\x2e]*+)|\x1b[NO]|[\x8e\x8f]|\x1b[\x20-\x2e]*+)"
    rf"(?=[/\uff0f]{{1,2}}(?i:{'|'.join(command.word for command in COMMANDS)})(?![A-Za-z]))"
).search

_BLANKS = "\t\v\f\x85\u2028\u2029\u2800"
_CONTROLS = "\x00-\x07\n\r\x0e-\x1f\x80-\x84\x86-\x9f"
_ERASERS = "\b\x7f"
_UNSAFE = _CONTROLS + ranges.IGNORABLE + "\ud800-\uf8ff\ufdd0-\ufdef\ufffe-\uffff"  # surrogates, private use
_UNSAFE_BEYOND = ranges.IGNORABLE_BEYOND + ranges.TAGS + ranges.NONCHARACTERS_BEYOND + "\U000f0000-\U0010ffff"
_ACTING = ranges.JOINERS + ranges.SELECTORS  # invisible, and of use only after what they act on

# Beyond the Basic Multilingual Plane re tests a class's members one by one, so these use whole blocks there.
_SUSPECT = (
    _BLANKS
    + _ERASERS
    + _UNSAFE
    + "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001fffe-\U0001ffff"
    + "\U0002fffe-\U0002ffff\U0003fffe-\U000e00ff\U000e01f0-\U0010ffff"
)
_HANGING = _ACTING + ranges.MARKS + "\U00010000-\U0001d3ff\U0001d800-\U0001efff\U000e0000-\U000e0fff"


def _spans(members: str) -> list[tuple[int, int]]:
    """The first and last code point of each range in a class, sorted."""
    spans = re.findall(r"(.)(?:-(.))?", members, re.DOTALL)
    return sorted((ord(first), ord(last or first)) for first, last in spans)


def _all_but(members: str) -> str:
    """The part of the Basic Multilingual Plane that is not in `members`, as the inside of a class."""
    others: list[str] = []
    free = 0
    for first, last in _spans(members):
        if free < first <= 0xFFFF:
            others.append(f"\\u{free:04x}-\\u{first - 1:04x}")
        free = max(free, last + 1)
    return "".join(others)


def _among(members: str) -> Callable[[str], int]:
    """Make a test for membership in a class whose ranges do not overlap."""
    bounds = [bound for first, last in _spans(members) for bound in (first, last + 1)]
    return lambda character: bisect_right(bounds, ord(character)) & 1


# A class is fast if it names the characters that occur most.
_PLAIN = (
    _all_but(_SUSPECT + _HANGING)
    + "\U0001f000-\U0001fffd\U0001d400-\U0001d7ff\U00020000-\U0002fffd\U00030000-\U0003fffd"
)

_not_plain = re.compile(f"[^{_PLAIN}]").search
_suspect = re.compile(f"[{_SUSPECT}]").search
_introducer = re.compile("[\x1b\x80-\x9f]").search
_sequence = re.compile(_SEQUENCE)
_blank = re.compile(f"[{_BLANKS}]")
_ascii = {**dict.fromkeys([*range(8), *range(0xA, 0x20)]), **dict.fromkeys(b"\t\v\f", " ")}
_flag = re.compile(f"({ranges.FLAGS})")
_unsafe = re.compile(f"[{_UNSAFE}{_UNSAFE_BEYOND}]")
_eraser = re.compile(f"[{_ERASERS}]")
_acting = re.compile(f"[{_ACTING}]").search
_crowd = re.compile(f"[{_HANGING}][{_HANGING}]{{{MAX_STACKED_MARKS}}}").search
_hanging = re.compile(f"[{_HANGING}]+")
_every_blank = _BLANKS + " \r\n\xa0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))

_is_mark = _among(ranges.MARKS + ranges.MARKS_BEYOND)
_acts = {
    "\u200c": _among(ranges.CURSIVE),
    "\u200d": _among(ranges.CURSIVE + ranges.EMOJI),
    **dict.fromkeys("\u180b\u180c\u180d\u180f", _among(ranges.MONGOLIAN)),
    **dict.fromkeys(map(chr, range(0xFE00, 0xFE0E)), _among(ranges.STYLED)),
    **dict.fromkeys("\ufe0e\ufe0f", _among("0-9#*" + ranges.EMOJI)),
    **dict.fromkeys(map(chr, range(0xE0100, 0xE01F0)), _among(ranges.IDEOGRAPHS)),
}


def clean(text: str) -> str:
    """Return `text` as one line that is safe on any terminal, and otherwise as its author meant it.

    - Whole escape sequences of ECMA-35 and ECMA-48 are removed, including their 8-bit forms; of a control
      string that nothing ends, only the introducer.
    - A tab, VT, FF, NEL, line or paragraph separator or Braille blank becomes a blank; a backspace or DEL
      removes the character before it, with its marks.
    - Every other control, surrogate, private-use code point and noncharacter is removed, and everything that
      is Default_Ignorable, except joiners and variation selectors after a character that they can act on,
      and the flags of England, Scotland and Wales. Unassigned code points stay: Unicode may assign them yet.
    - A character keeps at most `MAX_MARKS` marks, and at most `MAX_STACKED_MARKS` of the kind that stacks up.

    Cleaning twice changes nothing.
    """
    if text.isascii():
        return text if text.isprintable() else _without_controls(text)
    if not _not_plain(text):
        return text
    if _suspect(text):
        text = _safe(text)
    if _acting(text) or _crowd(text):
        text = _hanging.sub(_thinned, text)
    return text


def is_blank(text: str) -> bool:
    """Whether `text`, which need not be clean, is empty or only blanks, so that nothing was meant by it."""
    return not text.strip(_every_blank)


def _without_sequences(text: str) -> str:
    if "/" in text or "\uff0f" in text:
        found = _unfinished_before_command(text)
        # Its introducer ends any control string before it.
        if found and spoken((before := clean(text[: found.start() + 1])) + "//") == "/":
            text = before + text[found.end() :]
    return _sequence.sub("", text)


def _without_controls(text: str) -> str:
    """Clean ASCII."""
    if "\x1b" in text:
        text = _without_sequences(text)
    text = text.translate(_ascii)
    return _erased(text) if "\b" in text or "\x7f" in text else text


def _safe(text: str) -> str:
    """Clean any text, except for the marks and selectors on its characters."""
    if _introducer(text):
        text = _without_sequences(text)
    text = _blank.sub(" ", text)
    if "\U000e007f" in text:
        parts = _flag.split(text)
        parts[::2] = [_unsafe.sub("", part) for part in parts[::2]]
        text = "".join(parts)
    else:
        text = _unsafe.sub("", text)
    return _erased(text) if "\b" in text or "\x7f" in text else text


def _erased(text: str) -> str:
    """Let each backspace or DEL remove the character before it, with its marks and selectors."""
    first, *others = _eraser.split(text)
    kept = [*first]
    for piece in others:
        while kept and _is_hanging(kept.pop()):
            pass
        kept += piece
    return "".join(kept)


def _is_hanging(character: str) -> bool:
    return _is_mark(character) == 1 or character in _acts or "\U000e0020" <= character <= "\U000e007f"


def _thinned(found: re.Match[str]) -> str:
    """What may stay of a run of marks and selectors."""
    base = last = found.string[found.start() - 1] if found.start() else " "
    kept: list[str] = []
    marks = stacked = 0
    for character in found[0]:
        if act := _acts.get(character):
            # Alone it does nothing: one at most, and a selector directly after its character.
            if not act(base) or (last in ranges.JOINERS if character in ranges.JOINERS else last != base):
                continue
        elif _is_mark(character):
            piles_up = _piles_up(character)
            if marks == MAX_MARKS or (piles_up and stacked == MAX_STACKED_MARKS):
                continue
            marks += 1
            stacked += piles_up
        elif not "\U000e0020" <= character <= "\U000e007f":  # otherwise part of a flag, which is complete
            base = character
            marks = stacked = 0
        last = character
        kept.append(character)
    return "".join(kept)


def _piles_up(mark: str) -> bool:
    """Whether `mark` stacks up above or below; one that Python's Unicode does not know is assumed to."""
    return unicodedata.combining(mark) in _STACKED or unicodedata.category(mark) == "Cn"
