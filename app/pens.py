"""The ways in which a terminal paints a character, and the shortest control sequence from one to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rich.color import Color, ColorSystem
from rich.style import Style

PLAIN = 0
"""The number of the pen that a reset terminal has."""

# SGR (ECMA-48, 8.3.117): what turns each on, and what turns it off.
_BOLD, _DIM, _ITALIC, _UNDERLINE, _BLINK, _REVERSE, _STRIKE = "1", "2", "3", "4", "5", "7", "9"
_OFF = {
    _BOLD: "22",
    _DIM: "22",
    _ITALIC: "23",
    _UNDERLINE: "24",
    _BLINK: "25",
    _REVERSE: "27",
    _STRIKE: "29",
}
_SEEN_ON_BLANKS = frozenset((_UNDERLINE, _REVERSE, _STRIKE))

_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
    "windows": ColorSystem.WINDOWS,
}
_DEFAULT_COLOUR, _DEFAULT_BEHIND = "39", "49"


class Pen(NamedTuple):
    """How a character is painted."""

    marks: frozenset[str] = frozenset()
    colour: str = _DEFAULT_COLOUR
    behind: str = _DEFAULT_BEHIND


class Pens:
    """Numbers pens, so that a frame's cells are quick to compare.

    Args:
        colour_system: the colours that the terminal has, by Rich's name for them; None for none.
    """

    def __init__(self, colour_system: str | None) -> None:
        self._system = _SYSTEMS[colour_system] if colour_system else None
        self._numbers: dict[Pen, int] = {}
        self._pens: list[Pen] = []
        self._blanks: list[int] = []
        self._of_style: dict[int, tuple[Style, int]] = {}  # by identity, which is quicker than a hash
        self._changes: dict[tuple[int, int], str] = {}
        self._convert: Callable[[Style], Style] = lambda style: style
        self._number(Pen())

    def convert_by(self, convert: Callable[[Style], Style]) -> None:
        """From now on, take what `convert` makes of a style for the style."""
        self._convert = convert
        self._of_style.clear()

    def of(self, style: Style | None) -> int:
        """Return the number of the pen for `style`, whose links and meta data do not count."""
        if style is None:
            return PLAIN
        known = self._of_style.get(id(style))
        if known is not None:
            return known[1]
        if len(self._of_style) >= 4096:  # meta data makes a style of its own
            self._of_style.clear()
        number = self._number(self._pen(self._convert(style)))
        self._of_style[id(style)] = style, number
        return number

    def for_blanks(self, number: int) -> int:
        """Return the number that stands for all pens that paint a blank as this one does."""
        return self._blanks[number]

    def is_bare(self, number: int) -> bool:
        """Whether this pen paints nothing but the colour behind a blank, as erasing does."""
        return not self._pens[number].marks & _SEEN_ON_BLANKS

    def change(self, old: int | None, new: int) -> str:
        """Return what changes the terminal's pen from `old`, None if that is unknown, to `new`."""
        if old is None:
            return _sgr(("0", *_codes(self._pens[new])))
        if old == new:
            return ""
        found = self._changes.get((old, new))
        if found is None:
            found = self._changes[old, new] = _change(self._pens[old], self._pens[new])
        return found

    def _number(self, pen: Pen) -> int:
        number = self._numbers.get(pen)
        if number is None:
            number = self._numbers[pen] = len(self._pens)
            self._pens.append(pen)
            self._blanks.append(number)
            if not pen.marks & _SEEN_ON_BLANKS:
                self._blanks[number] = self._number(Pen(behind=pen.behind))
        return number

    def _pen(self, style: Style) -> Pen:
        marks = {
            _BOLD: style.bold,
            _DIM: style.dim,
            _ITALIC: style.italic,
            _UNDERLINE: style.underline or style.underline2,
            _BLINK: style.blink or style.blink2,
            _REVERSE: style.reverse,
            _STRIKE: style.strike,
        }
        return Pen(
            frozenset(mark for mark, on in marks.items() if on),
            self._colour(style.color, foreground=True),
            self._colour(style.bgcolor, foreground=False),
        )

    def _colour(self, colour: Color | None, *, foreground: bool) -> str:
        if colour is None or self._system is None:
            return _DEFAULT_COLOUR if foreground else _DEFAULT_BEHIND
        return ";".join(colour.downgrade(self._system).get_ansi_codes(foreground))


def _sgr(codes: tuple[str, ...]) -> str:
    return f"\x1b[{';'.join(codes)}m"


def _codes(pen: Pen) -> tuple[str, ...]:
    """Return what makes `pen` of a plain one."""
    colours = (code for code in (pen.colour, pen.behind) if code not in (_DEFAULT_COLOUR, _DEFAULT_BEHIND))
    return *sorted(pen.marks), *colours


def _change(old: Pen, new: Pen) -> str:
    off = {_OFF[mark] for mark in old.marks - new.marks}
    # One code turns off both bold and dim.
    on = {mark for mark in new.marks if mark not in old.marks or _OFF[mark] in off}
    colours = (
        code for code, before in ((new.colour, old.colour), (new.behind, old.behind)) if code != before
    )
    step = _sgr((*sorted(off), *sorted(on), *colours))
    codes = _codes(new)
    anew = _sgr(("0", *codes)) if codes else "\x1b[m"
    return min(step, anew, key=len)
