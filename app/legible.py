"""Text that can be read where a terminal has 16 colours, whatever the theme."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color, ColorSystem, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as Shade
from textual.filter import LineFilter

MIN_CONTRAST = 3.0
"""The least contrast of a text with what is behind it, as WCAG 2 reckons it (its least for large text)."""

# What terminals make of the 16: the Linux console (VGA), and xterm.
_PALETTES = tuple(
    tuple(map(Shade.parse, colours.split()))
    for colours in (
        "#000 #a00 #0a0 #a50 #00a #a0a #0aa #aaa #555 #f55 #5f5 #ff5 #55f #f5f #5ff #fff",
        "#000 #cd0000 #00cd00 #cdcd00 #0000ee #cd00cd #00cdcd #e5e5e5 "
        "#7f7f7f #f00 #0f0 #ff0 #5c5cff #f0f #0ff #fff",
    )
)
_BLACK, _WHITE = 0, 15


class Legible(LineFilter):
    """Makes a text black or white that would be lost among the 16 colours.

    A theme's colours become the nearest of the 16, and those of a faded text and of what is behind it may
    become the same one.
    """

    def apply(self, segments: list[Segment], background: Shade) -> list[Segment]:
        """Return `segments` as they can be read; frames stay as they are."""
        return [
            Segment(segment.text, legible(segment.style), segment.control)
            if segment.style is not None and any(map(str.isalnum, segment.text))
            else segment
            for segment in segments
        ]


@lru_cache(1024)
def legible(style: Style) -> Style:
    """Return `style`, or the same with black or white text where that alone can be read."""
    text, behind = _among_16(style.color), _among_16(style.bgcolor)
    if text is None or behind is None:
        return style
    # Many a terminal shows what is bold in the brighter colour: black as a grey.
    shown = (text, text + 8) if style.bold and text < 8 else (text,)
    if all(contrast(colour, behind) >= MIN_CONTRAST for colour in shown):
        return style
    best = max((_BLACK, _WHITE), key=lambda colour: contrast(colour, behind))
    bold = False if style.bold and best == _BLACK else None
    return style + Style(color=Color(f"color({best})", ColorType.STANDARD, best), bold=bold)


def _among_16(colour: Color | None) -> int | None:
    """The number of the colour that a terminal of 16 shows for `colour`; None where its default is meant."""
    return colour.downgrade(ColorSystem.STANDARD).number if colour else None


def contrast(one: int, other: int) -> float:
    """Return the contrast of two of the 16 colours (1 to 21), on the terminal where it is less."""
    pairs = (sorted((_luminance(palette[one]), _luminance(palette[other]))) for palette in _PALETTES)
    return min((lighter + 0.05) / (darker + 0.05) for darker, lighter in pairs)


def _luminance(shade: Shade) -> float:
    """The relative luminance of `shade` by WCAG 2."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in shade.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
