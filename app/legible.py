"""Text that stays readable where its looks are up to the terminal: with few colours, and where it is dim."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color, ColorSystem, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as Shade
from textual.filter import LineFilter

from .colours import READABLE, contrast, legible_on

MIN_CONTRAST = 3.0
"""The minimum contrast between a text and its background: that of WCAG 2 for large text.

More cannot be had on each of the 16: on bright black even white has no more than 4.
"""

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
    """Gives text that would be unreadable in 16 colours another of them.

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


class LegibleAmong256(LineFilter):
    """Makes up for the contrast that text loses where a theme's colours become the nearest of 256."""

    def apply(self, segments: list[Segment], background: Shade) -> list[Segment]:
        """Return `segments` with readable text; frames stay as they are."""
        return [
            Segment(segment.text, legible_among_256(segment.style), segment.control)
            if segment.style is not None and any(map(str.isalnum, segment.text))
            else segment
            for segment in segments
        ]


@lru_cache(1024)
def legible_among_256(style: Style) -> Style:
    """Return `style` with a text that is readable, made lighter or darker if need be."""
    if style.color is None or style.bgcolor is None or not (style.color.triplet and style.bgcolor.triplet):
        return style
    text, behind = Shade.from_rich_color(style.color), among_256(Shade.from_rich_color(style.bgcolor))
    if contrast(among_256(text), behind) >= READABLE:
        return style
    return style + Style(color=legible_on([behind], text, among_256).rich_color)


def among_256(colour: Shade) -> Shade:
    """Return what a terminal of 256 colours shows for `colour`."""
    return Shade(*colour.rich_color.downgrade(ColorSystem.EIGHT_BIT).get_truecolor())


class Undimmed(LineFilter):
    """Paints dim text as any other: whether it could still be read is up to the terminal."""

    def apply(self, segments: list[Segment], background: Shade) -> list[Segment]:
        """Return `segments`, none of them dim."""
        return [
            Segment(segment.text, segment.style + _NOT_DIM, segment.control)
            if segment.style is not None and segment.style.dim
            else segment
            for segment in segments
        ]


_NOT_DIM = Style(dim=False)


@lru_cache(1024)
def legible(style: Style) -> Style:
    """Return `style` with a text that is readable: in its own hue, brighter or darker, or black or white."""
    text, behind = _among_16(style.color), _among_16(style.bgcolor)
    if text is None or behind is None:
        return style
    for colour in (text, text ^ 8):
        # Many terminals show bold text in the brighter colour: black as grey.
        shown = (colour, colour + 8) if style.bold and colour < 8 else (colour,)
        if all(contrast_among_16(looks, behind) >= MIN_CONTRAST for looks in shown):
            return style if colour == text else style + _coloured(colour)
    best = max((_BLACK, _WHITE), key=lambda colour: contrast_among_16(colour, behind))
    return style + _coloured(best) + Style(bold=False if style.bold and best == _BLACK else None)


def _coloured(number: int) -> Style:
    return Style(color=Color(f"color({number})", ColorType.STANDARD, number))


def _among_16(colour: Color | None) -> int | None:
    """Return the number of the colour that such a terminal shows for `colour`; None for its default."""
    return colour.downgrade(ColorSystem.STANDARD).number if colour else None


def contrast_among_16(one: int, other: int) -> float:
    """Return the contrast between two of the 16 colours (1 to 21), on the terminal where it is lower."""
    return min(contrast(palette[one], palette[other]) for palette in _PALETTES)
