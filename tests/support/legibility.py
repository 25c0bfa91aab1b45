"""Which of the texts on a screen cannot be read, by the colours that are painted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from rich.color import Color, ColorSystem
from rich.style import Style
from textual.color import Color as Shade
from textual.strip import Strip

from chat_console.app.colours import READABLE, contrast
from chat_console.app.legible import contrast_among_16

_BLACK, _WHITE = 0, 15


def unreadable(strips: Iterable[Strip], least: float = READABLE) -> list[str]:
    """The texts with a contrast below `least`, or dim, each with what it looks like.

    Every colour must be one of 24 bits: only then is it known what a terminal shows.
    """
    return _faults(strips, least, lambda style: contrast(_shade(style.color), _shade(style.bgcolor)))


def unreadable_among_16(strips: Iterable[Strip], *, dark: bool, least: float = READABLE) -> list[str]:
    """The same where a terminal's own 16 colours are used, with its default ones light on dark or not."""
    text, ground = (_WHITE, _BLACK) if dark else (_BLACK, _WHITE)
    return _faults(
        strips,
        least,
        lambda style: contrast_among_16(_number(style.color, text), _number(style.bgcolor, ground)),
    )


def texts(strips: Iterable[Strip]) -> Iterator[tuple[str, Style]]:
    """All that is to be read, which leaves out lines and blanks, with its style."""
    for strip in strips:
        for text, style, _ in strip:
            if any(map(str.isalnum, text)):
                yield text, style or Style.null()


def _faults(strips: Iterable[Strip], least: float, ratio: Callable[[Style], float]) -> list[str]:
    looks = {style: ratio(style) for style in {style for _, style in texts(strips)}}
    return [
        f"{text.strip()!r} has {looks[style]:.2f}: {style}"
        for text, style in texts(strips)
        if style.dim or looks[style] < least
    ]


def _shade(colour: Color | None) -> Shade:
    assert colour is not None and colour.triplet is not None, f"{colour} may look like anything"
    return Shade(*colour.triplet)


def _number(colour: Color | None, default: int) -> int:
    number = colour.downgrade(ColorSystem.STANDARD).number if colour else None
    return default if number is None else number
