"""Colours that can be read, whatever the theme: its own, made as much lighter or darker as it takes.

A theme says what its colours are, not on what they will stand. `readable` takes the theme's variables and
returns them with every colour of a text changed so that it can be read on every ground that text stands on.
The hue stays. It also adds variables of the console's own:

- `$name-0` to `$name-7`: the colours of nicknames, none of them red.
- `$row-selected`, `$row-pointed`, `$row-hit`: grounds of rows that stand out; all texts can be read on them.
- `$rule`: lines without text.
- `$fill-primary` and so on, `$on-primary` and so on: a ground in a theme's colour, and the text on it.

Where the terminal's own palette is used, as with the `ansi` themes, there are no shades to choose from, so
each colour is one of the 16 that can be read on such terminals. Nothing there may be dim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from statistics import median

from textual.color import BLACK, WHITE, Color
from textual.theme import Theme

READABLE = 4.5
"""The least contrast between a text and its ground: that of WCAG 2, level AA."""

NAMES = 8
"""How many colours there are for nicknames."""

ROLES = ("primary", "secondary", "success", "warning", "error", "accent")
"""What a theme's colours are for."""

_HUES = (28, 52, 88, 146, 182, 212, 258, 300)  # in degrees; what is left out is red, and takes error's place
_STAND_OUT = 1.25  # at most, between a ground that stands out and the others: all texts must suit both
_STEP = 1 / 128

_TINTS = {
    "row-selected": ("primary", 0.3),
    "row-pointed": ("secondary", 0.3),
    "row-hit": ("warning", 0.3),
    "block-cursor-blurred-background": ("primary", 0.3),
    "input-selection-background": ("primary", 0.4),
    "screen-selection-background": ("primary", 0.5),
    **{f"{role}-muted": (role, 0.3) for role in ROLES},
}
"""Grounds that are a mixture, with what is mixed into `$surface`, and how much at most."""

_SAME_AS = {
    "text-disabled": "text-muted",
    "foreground-muted": "text-muted",
    "foreground-disabled": "text-muted",
    "input-selection-foreground": "foreground",
    "block-cursor-blurred-foreground": "foreground",
    "footer-foreground": "foreground",
    "footer-description-foreground": "foreground",
    "footer-key-foreground": "text-accent",
    "button-foreground": "foreground",
    "link-color": "foreground",
    "text": "foreground",
    "button-color-foreground": "foreground",
    "screen-selection-foreground": "foreground",
    "footer-background": "panel",
    "footer-description-background": "panel",
    "footer-item-background": "panel",
    "footer-key-background": "panel",
}
"""Colours that are the same as another."""

_ON_DARK = {
    "primary": "cyan",
    "secondary": "bright_cyan",
    "success": "green",
    "warning": "bright_yellow",
    "error": "bright_red",
    "accent": "bright_magenta",
}
_ON_LIGHT = {
    "primary": "blue",
    "secondary": "bright_blue",
    "success": "blue",
    "warning": "magenta",
    "error": "red",
    "accent": "magenta",
}
_DEFAULTS = ("foreground", "text-muted", "panel", "row-selected", "row-pointed", "row-hit")
_NAMES_ON_DARK = "green cyan bright_yellow bright_magenta bright_cyan bright_green white bright_white".split()
_NAMES_ON_LIGHT = "blue magenta bright_blue default".split() * 2  # no more of them can be read on white


def contrast(one: Color, other: Color) -> float:
    """Return the contrast between two opaque colours, from 1 to 21, as defined by WCAG 2."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(1024)
def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def least_contrast(colour: Color, grounds: Iterable[Color]) -> float:
    """Return the contrast between `colour` and that of `grounds` on which it is hardest to read."""
    return min(contrast(colour, ground) for ground in grounds)


def legible_on(
    grounds: Iterable[Color], colour: Color, shown: Callable[[Color], Color] = lambda colour: colour
) -> Color:
    """Return `colour`, made as much lighter or darker as it takes to be read on all of `grounds`.

    The hue and the saturation stay. If no lightness will do, return black or white, whichever is better.

    Args:
        shown: Returns what a terminal shows for a colour; `grounds` are as it shows them.
    """
    grounds = tuple(grounds)
    hue, saturation, lightness = colour.hsl
    for step in range(int(1 / _STEP) + 1):
        for moved in (lightness + step * _STEP, lightness - step * _STEP):
            if 0 <= moved <= 1:
                candidate = Color.from_hsl(hue, saturation, moved)
                if least_contrast(shown(candidate), grounds) >= READABLE:
                    return candidate
    return _black_or_white(*grounds)


def _black_or_white(*grounds: Color) -> Color:
    return max(BLACK, WHITE, key=lambda end: least_contrast(end, grounds))


def readable(variables: Mapping[str, str], theme: Theme) -> dict[str, str]:
    """Return the CSS variables of `theme`, with colours for texts that can be read, and the console's own."""
    own = _among_16(theme.dark) if theme.ansi else _shades(variables)
    return {**variables, **own}


def _shades(variables: Mapping[str, str]) -> dict[str, str]:
    parse = Color.parse
    base = {role: parse(variables[role]) for role in ROLES}
    rough, surface, background, panel = (
        parse(variables[name]) for name in ("foreground", "surface", "background", "panel")
    )
    found = {name: _tint(surface, base[role], most) for name, (role, most) in _TINTS.items()}
    found["panel"] = _tint(surface, panel, 1)
    # Under the focus, Textual mixes some of the foreground into a ground.
    grounds = [surface, background, surface.blend(rough, 0.05), *found.values()]
    hovered = [parse(variables[f"surface-{shade}-1"]) for shade in ("lighten", "darken")]
    foreground = found["foreground"] = legible_on([*grounds, *hovered], rough)
    found["text-muted"] = legible_on(grounds, foreground.blend(surface, 0.4))
    found["rule"] = surface.blend(foreground, 0.3)
    for role in ROLES:
        found[f"text-{role}"] = legible_on(grounds, parse(variables[f"text-{role}"]))
        found[f"on-{role}"] = _black_or_white(base[role])
        found[f"fill-{role}"] = legible_on([found[f"on-{role}"]], base[role])
    for number, colour in enumerate(_names(base.values(), foreground)):
        found[f"name-{number}"] = legible_on(grounds, colour)
    for pair in ("block-cursor", "input-cursor"):
        ground = found[f"{pair}-background"] = surface + parse(variables[f"{pair}-background"])
        text = variables[f"{pair}-foreground"]
        rough = _black_or_white(ground) if text.startswith("auto") else parse(text)
        found[f"{pair}-foreground"] = legible_on([ground], rough)
    found |= {name: found[same] for name, same in _SAME_AS.items()}
    return {name: colour.hex6 for name, colour in found.items()}


def _tint(surface: Color, colour: Color, share: float) -> Color:
    """Mix `colour` into `surface`, but so little of it that the texts of `surface` can be read there too."""
    while True:
        mixed = surface.blend(colour, share, 1.0)
        if contrast(mixed, surface) <= _STAND_OUT:
            return mixed
        share -= _STEP


def _names(colours: Iterable[Color], foreground: Color) -> list[Color]:
    """Return the colours of nicknames: as vivid as the theme's own `colours`, and as light as its text."""
    vivid = min(max(median(colour.hsl.s for colour in colours), 0.5), 0.9)
    lightness = min(max(foreground.hsl.l, 0.3), 0.7)
    return [Color.from_hsl(hue / 360, vivid, lightness) for hue in _HUES]


def _among_16(dark: bool) -> dict[str, str]:
    colours, text = (_ON_DARK, "black") if dark else (_ON_LIGHT, "bright_white")
    names = _NAMES_ON_DARK if dark else _NAMES_ON_LIGHT
    found = {
        **dict.fromkeys(_DEFAULTS, "default"),
        **{f"{use}{role}": colour for role, colour in colours.items() for use in ("", "text-", "fill-")},
        **{f"on-{role}": text for role in ROLES},
        **{f"name-{number}": colour for number, colour in enumerate(names)},
        "rule": "bright_black",
    }
    found |= {name: found[same] for name, same in _SAME_AS.items()}
    found |= {"input-selection-background": "cyan", "input-selection-foreground": "black"}
    return {name: f"ansi_{colour}" for name, colour in found.items()}
