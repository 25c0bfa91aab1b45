"""In each of Textual's themes the colours of texts can be read on all grounds; those of names differ."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.color import BLACK, WHITE, Color, rgb_to_lab
from textual.theme import BUILTIN_THEMES, Theme

from chat_console.app.colours import NAMES, READABLE, ROLES, contrast, least_contrast, legible_on, readable

THEMES = [theme for theme in BUILTIN_THEMES.values() if not theme.ansi]

GROUNDS = ("surface", "background", "panel", "row-selected", "row-pointed", "row-hit")
TEXTS = ("foreground", "text-muted", *(f"text-{role}" for role in ROLES))
NAME_COLOURS = tuple(f"name-{number}" for number in range(NAMES))
PAIRS = (
    *((f"on-{role}", f"fill-{role}") for role in ROLES),
    *((f"{pair}-foreground", f"{pair}-background") for pair in ("block-cursor", "input-cursor")),
    ("input-selection-foreground", "input-selection-background"),
    ("screen-selection-foreground", "screen-selection-background"),
    ("footer-key-foreground", "panel"),
)

colours = st.builds(Color, *[st.integers(0, 255)] * 3)


def shades(theme: Theme) -> dict[str, Color]:
    """The colours that the console has in `theme`."""
    own = readable({**theme.to_color_system().generate(), **theme.variables}, theme)
    names = {*GROUNDS, *TEXTS, *NAME_COLOURS, *(name for pair in PAIRS for name in pair)}
    return {name: Color.parse(own[name]) for name in names}


def by_name(theme: Theme) -> str:
    return theme.name


def distance(one: Color, other: Color) -> float:
    """How different two colours look; from about 2 on they do."""
    first, second = rgb_to_lab(one), rgb_to_lab(other)
    return math.dist((first.L, first.a, first.b), (second.L, second.a, second.b))


def test_the_contrast_is_that_of_wcag() -> None:
    assert contrast(BLACK, WHITE) == contrast(WHITE, BLACK) == pytest.approx(21)
    assert contrast(Color.parse("#767676"), WHITE) == pytest.approx(4.54, abs=0.01)
    assert contrast(Color.parse("#ff0000"), Color.parse("#ff0000")) == 1


@given(colours, st.lists(colours, min_size=1, max_size=3))
def test_a_colour_moves_only_if_it_must_and_then_can_be_read(colour: Color, grounds: list[Color]) -> None:
    moved = legible_on(grounds, colour)
    if least_contrast(colour, grounds) >= READABLE + 0.1:
        assert distance(moved, colour) < 2
    if least_contrast(moved, grounds) < READABLE:
        assert moved in (BLACK, WHITE)
        assert max(least_contrast(end, grounds) for end in (BLACK, WHITE)) < READABLE


@given(colours, colours)
def test_it_moves_no_further_than_it_must_and_keeps_its_hue(colour: Color, ground: Color) -> None:
    moved = legible_on([ground], colour)
    hue, saturation, lightness = colour.hsl
    way = moved.hsl.l - lightness
    if abs(way) > 0.02:
        before = Color.from_hsl(hue, saturation, moved.hsl.l - math.copysign(0.02, way))
        assert contrast(before, ground) < READABLE
    if moved.hsl.s > 0.1 and 0.1 < moved.hsl.l < 0.9:
        assert abs((moved.hsl.h - hue + 0.5) % 1 - 0.5) < 0.05


@pytest.mark.parametrize("theme", THEMES, ids=by_name)
def test_each_text_can_be_read_on_each_ground(theme: Theme) -> None:
    found = shades(theme)
    grounds = [found[name] for name in GROUNDS]
    for name in (*TEXTS, *NAME_COLOURS):
        assert least_contrast(found[name], grounds) >= READABLE, name
    for text, ground in PAIRS:
        assert contrast(found[text], found[ground]) >= READABLE, text


@pytest.mark.parametrize("theme", THEMES, ids=by_name)
def test_a_row_that_stands_out_differs_from_the_others(theme: Theme) -> None:
    found = shades(theme)
    for name in ("row-selected", "row-pointed", "row-hit"):
        assert distance(found[name], found["surface"]) > 2, name


@pytest.mark.parametrize("theme", THEMES, ids=by_name)
def test_names_differ_and_none_is_red(theme: Theme) -> None:
    found = shades(theme)
    names = [found[name] for name in NAME_COLOURS]
    assert min(distance(one, other) for one, other in combinations(names, 2)) > 10
    for name in names:
        assert 20 <= name.hsl.h * 360 <= 310


def test_what_is_muted_stands_back() -> None:
    for theme in THEMES:
        found = shades(theme)
        muted, text = (contrast(found[name], found["surface"]) for name in ("text-muted", "foreground"))
        assert muted < text + 0.2, theme.name
