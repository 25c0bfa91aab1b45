"""Every text can be read on a terminal of 16 colours, in every theme."""

from __future__ import annotations

from itertools import product

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from support.console_operator import Operate, Operator
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from chat_console.app.colours import NAMES, READABLE, ROLES, contrast, readable
from chat_console.app.legible import (
    MIN_CONTRAST,
    Legible,
    LegibleAmong256,
    Undimmed,
    among_256,
    contrast_among_16,
    legible,
    legible_among_256,
)


@pytest.mark.parametrize(
    ("style", "same"),
    [
        (Style.parse("#ffffff on #000000"), True),
        (Style.parse("#586e75 on #073642"), False),  # both become bright black
        (Style.parse("white on bright_white"), False),
        (Style.parse("default on default"), True),
        (Style.parse("bold"), True),
    ],
)
def test_a_text_that_would_be_lost_gets_another_colour(style: Style, same: bool) -> None:
    text, frame = Legible().apply([Segment("Kick", style), Segment("│", style)], Color(0, 0, 0))
    assert frame.style == style
    assert (text.style == style) == same
    assert text.style and text.style.bgcolor == style.bgcolor


def shown(operator: Operator) -> list[tuple[str, Style]]:
    segments = [segment for strip in operator.strips for segment in strip]
    return [(text, style) for text, style, _ in segments if style and any(map(str.isalnum, text))]


async def test_in_16_colours_everything_can_be_read_in_every_theme(
    operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "linux")
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    async with operate(size=(100, 24)) as operator:
        (ann,) = await operator.gather("Ann")
        operator.say(ann, "hello", "/msg operator psst")
        await operator.submit("hi")
        await operator.until(lambda: "Operator: hi" in operator.text)
        for theme, selected in product(sorted(BUILTIN_THEMES), (None, ann.id)):
            operator.console.theme = theme
            operator.user_list.selected = selected
            await operator.settle()
            await operator.painted()
            texts = shown(operator)
            assert selected is None or any("[Kick]" in text for text, _ in texts)
            for text, style in texts:
                assert style.color is not None and style.bgcolor is not None
                numbers = [
                    colour.downgrade(ColorSystem.STANDARD).number for colour in (style.color, style.bgcolor)
                ]
                one, other = numbers
                # The ansi themes leave one or both to the terminal.
                assert one is None or other is None or contrast_among_16(one, other) >= MIN_CONTRAST, (
                    theme,
                    text,
                )


async def test_where_there_are_more_colours_a_theme_keeps_its_own(
    operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    async with operate(theme="solarized-dark") as operator:
        filters = operator.console.get_line_filters()
        assert not any(isinstance(found, Legible) for found in filters)


def test_what_is_bold_can_be_read_where_a_terminal_brightens_it() -> None:
    on_cyan = Style.parse("bold color(0) on color(6)")
    assert legible(on_cyan) == Style.parse("not bold color(0) on color(6)")
    on_black = Style.parse("bold color(7) on color(0)")
    assert legible(on_black) == on_black


def test_another_brightness_goes_before_black_and_white() -> None:
    assert legible(Style.parse("color(1) on color(0)")) == Style.parse("color(9) on color(0)")
    assert legible(Style.parse("color(10) on color(15)")) == Style.parse("color(0) on color(15)")


def test_nothing_is_dim_where_the_terminal_decides_how_dim_that_is() -> None:
    dim, bold = Style.parse("dim red"), Style.parse("bold red")
    (one, other) = Undimmed().apply([Segment("a", dim), Segment("b", bold)], Color(0, 0, 0))
    assert one.style == Style.parse("not dim red")
    assert other.style == bold


@pytest.mark.parametrize("name", [name for name, theme in BUILTIN_THEMES.items() if not theme.ansi])
def test_among_256_colours_every_text_can_be_read_on_every_ground(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    found = readable({**theme.to_color_system().generate(), **theme.variables}, theme)
    texts = ["foreground", "text-muted", *(f"text-{role}" for role in ROLES)]
    texts += [f"name-{number}" for number in range(NAMES)]
    for text, ground in product(texts, ("surface", "background", "panel", "row-selected", "row-hit")):
        one, other = Color.parse(found[text]).rich_color, Color.parse(found[ground]).rich_color
        style = legible_among_256(Style(color=one, bgcolor=other))
        assert style.color and style.bgcolor == other
        shown = [among_256(Color.from_rich_color(colour)) for colour in (style.color, other)]
        assert contrast(*shown) >= READABLE, (text, ground)


def test_among_256_colours_what_can_be_read_stays_as_it_is() -> None:
    text, frame = Style.parse("#ffffff on #000000"), Style.parse("#101010 on #000000")
    one, other = LegibleAmong256().apply([Segment("a", text), Segment("│", frame)], Color(0, 0, 0))
    assert (one.style, other.style) == (text, frame)
    assert legible_among_256(Style.parse("default on default")) == Style.parse("default on default")


async def test_with_256_colours_the_console_makes_up_for_them(
    operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("COLORTERM", raising=False)
    async with operate(theme="nord") as operator:
        filters = operator.console.get_line_filters()
        assert any(isinstance(found, LegibleAmong256) for found in filters)
