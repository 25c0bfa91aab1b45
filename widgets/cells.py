"""How many cells a text takes on real terminals. These disagree; here the widest counts.

Rich, and with it Textual, follows the newest Unicode: several emoji joined into one picture are two cells
wide. Many terminals paint each of them. Somebody who knows that could write beyond the log.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

# One cell wide in Unicode, but two as emoji or in older or newer tables: enclosed letters and numbers,
# symbols, dingbats, the numbers that are ambiguous in Unicode and wide in glibc, hexagrams, and all planes of
# pictures.
_WIDE = (
    (0x2460, 0x24FF),
    (0x2600, 0x27BF),
    (0x2B00, 0x2BFF),
    (0x3248, 0x324F),
    (0x4DC0, 0x4DFF),
    (0x1D300, 0x1D37F),
    (0x1F000, 0x1FAFF),
    (0x20000, 0x3FFFF),
)
_DASHES = {"\N{TWO-EM DASH}": 2, "\N{THREE-EM DASH}": 3}

# One cell everywhere: the characters of most texts, and of all frames and marks.
_NARROW = (
    "\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0377\u037b-\u0482\u048a-\u052f\u2010-\u2027"
    "\u2298\u22ee\u2500-\u259f\u25b8-\u25bb\u25be\u25bf\u25c2-\u25c5"
)
_all_narrow = re.compile(f"[{_NARROW}]*").fullmatch
_some_not_narrow = re.compile(f"[^\x00-\x1f\x7f{_NARROW}]").search

# A control sequence, a control string or another escape sequence (ECMA-48, ECMA-35); a text in between.
_PAINTED = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
)


def all_narrow(text: str) -> bool:
    """Whether each character of `text` takes one cell on any terminal."""
    return _all_narrow(text) is not None


def widest(text: str) -> int:
    """Return the most cells that a clean `text` takes on any terminal."""
    if _all_narrow(text):
        return len(text)
    return sum(map(_widest_character, text))


@lru_cache(4096)
def _widest_character(character: str) -> int:
    if character in _DASHES:
        return _DASHES[character]
    code = ord(character)
    category = unicodedata.category(character)
    if any(first <= code <= last for first, last in _WIDE):
        return 2
    if category == "Cn" or unicodedata.east_asian_width(character) in "WF":
        return 2  # unassigned in this Python's Unicode; it may turn out to be a picture
    # Only marks that every terminal has known for twenty years take no cell. A variation selector takes one,
    # since it may make the character before it wide.
    known = category in ("Mn", "Me") and category == unicodedata.ucd_3_2_0.category(character)
    least = 0 if known and not "\ufe00" <= character <= "\ufe0f" else 1
    return max(least, get_character_cell_size(character))


def fitting(text: str, cells: int, *, anywhere: bool = False) -> int:
    """Return how many characters of a clean `text` fit into `cells` cells.

    Characters that are shown as one stay together, unless they may be cut `anywhere`: then they are cut if
    they do not fit, and one character always fits.
    """
    used = whole = flags = 0
    previous = ""
    for end, character in enumerate(text):
        flags = flags + 1 if "\U0001f1e6" <= character <= "\U0001f1ff" else 0
        if not joined(previous, character) and (flags % 2 or not flags):
            whole = end
        previous = character
        used += _widest_character(character)
        if used > cells:
            return whole or (max(end, 1) if anywhere else 0)
    return len(text)


def pieces(text: str, cells: int) -> list[str]:
    """Cut a clean `text` into one or more pieces of at most `cells` cells or one character."""
    found: list[str] = []
    while (end := fitting(text, cells, anywhere=True)) < len(text):
        found.append(text[:end])
        text = text[end:]
    return [*found, text]


def joined(previous: str, character: str) -> bool:
    """Whether `character` changes how the one before it is shown."""
    return (
        previous == "\N{ZERO WIDTH JOINER}"
        or unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf")
        or "\N{EMOJI MODIFIER FITZPATRICK TYPE-1-2}" <= character <= "\N{EMOJI MODIFIER FITZPATRICK TYPE-6}"
    )


def pinned(painted: str) -> str:
    """Return terminal output changed so that each text begins where Textual expects it to begin.

    A text on whose width terminals disagree is painted over as many blanks as Textual expects it to take, and
    then the cursor moves to where it is expected to end. So the text neither shifts what comes after it nor
    leaves anything old behind. This uses DECSC, DECRC and CUF, which all terminals have.
    """
    return _PAINTED.sub(_pin, painted) if _some_not_narrow(painted) else painted


def _pin(painted: re.Match[str]) -> str:
    text = painted["text"]
    if not text or _all_narrow(text) or not (cells := cell_len(text)):
        return painted[0]
    return f"\x1b7{' ' * cells}\x1b8\x1b7{text.rstrip(' ')}\x1b8\x1b[{cells}C"
