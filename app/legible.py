"""Text that stays readable on a terminal with 16 colours, whatever the theme."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color, ColorSystem, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as Shade
from textual.filter import LineFilter

MIN_CONTRAST = 3.0
"""The minimum contrast between a text and its background: that of WCAG 2 for large text."""

# What the 16 colours look like: on the Linux console (VGA), and in xterm.
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
    """Turns text black or white that would be unreadable in 16 colours.

    A theme's colours are mapped to the nearest of the 16, so a muted text and its background may end up the
    same.
    """

    def apply(self, segments: list[Segment], background: Shade) -> list[Segment]:
        """Return `segments` with readable text; frames stay as they are."""
        return [
            Segment(segment.text, legible(segment.style), segment.control)
            if segment.style is not None and any(map(str.isalnum, segment.text))
            else segment
            for segment in segments
        ]


@lru_cache(1024)
def legible(style: Style) -> Style:
    """Return `style`, with black or white text if nothing else would be readable."""
    text, behind = _among_16(style.color), _among_16(style.bgcolor)
    if text is None or behind is None:
        return style
    # Many terminals show bold text in the brighter colour: black as grey.
    shown = (text, text + 8) if style.bold and text < 8 else (text,)
    if all(contrast(colour, behind) >= MIN_CONTRAST for colour in shown):
        return style
    best = max((_BLACK, _WHITE), key=lambda colour: contrast(colour, behind))
    bold = False if style.bold and best == _BLACK else None
    return style + Style(color=Color(f"color({best})", ColorType.STANDARD, best), bold=bold)


def _among_16(colour: Color | None) -> int | None:
    """Return the number of the colour that such a terminal shows for `colour`; None for its default."""
    return colour.downgrade(ColorSystem.STANDARD).number if colour else None


def contrast(one: int, other: int) -> float:
    """Return the contrast between two of the 16 colours (1 to 21), on the terminal where it is lower."""
    pairs = (sorted((_luminance(palette[one]), _luminance(palette[other]))) for palette in _PALETTES)
    return min((lighter + 0.05) / (darker + 0.05) for darker, lighter in pairs)


def _luminance(shade: Shade) -> float:
    """Return the relative luminance of `shade` as defined by WCAG 2."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in shade.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
