"""In each of Textual's themes every text of every screen can be read, as it is painted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import pytest
from support.console_operator import Operate, Operator
from support.legibility import texts, unreadable, unreadable_among_16
from textual.theme import BUILTIN_THEMES, Theme

from chat_console.server.room.events import Linked, Recording
from chat_console.widgets.entry import Entry, Kind

THEMES = [theme for theme in BUILTIN_THEMES.values() if not theme.ansi]
ANSI_THEMES = [theme for theme in BUILTIN_THEMES.values() if theme.ansi]

Show = Callable[[Operator], Awaitable[None]]
"""Opens a screen, or puts one in a state."""


async def fill(operator: Operator) -> None:
    """Have one of everything on the screen."""
    ann, bob, *_ = await operator.gather("Ann", "Bob", "carla", "dmitri", "elif", "fatima", "georg", "hannah")
    operator.other.mute(bob.id)
    entries = [
        Entry(0, kind, "Ann" if kind in (Kind.CHAT, Kind.PRIVATE, Kind.SENT) else "", f"of {kind}", ann.id)
        for kind in Kind
    ]
    await operator.until(lambda: operator.user_list.users[bob.id].muted)
    operator.log.write_entries(entries)
    operator.user_list.selected = ann.id


async def show_line(operator: Operator) -> None:
    await operator.press("escape", *"half a line")


async def show_nobody_selected(operator: Operator) -> None:
    await operator.press("escape")
    operator.user_list.selected = None


async def show_users(operator: Operator) -> None:
    await operator.press("f4")


async def show_log(operator: Operator) -> None:
    operator.log.write_entries([Entry(0, Kind.CHAT, "Bob", "more") for _ in range(100)])
    await operator.press("f5", "pageup")
    operator.log.write_entries([Entry(0, Kind.CHAT, "Bob", "and more")])


async def show_help(operator: Operator) -> None:
    await operator.press("f1")


async def show_palette(operator: Operator) -> None:
    await operator.press("ctrl+p", *"an")
    await operator.until(lambda: "Write to Ann" in operator.text)


async def show_question(operator: Operator) -> None:
    await operator.press("f3")
    await operator.until(lambda: not operator.at_home)


async def show_time_for_mute(operator: Operator) -> None:
    await operator.press("f6")
    await operator.until(lambda: not operator.at_home)


async def show_found(operator: Operator) -> None:
    await operator.press("ctrl+f", *"of")
    await operator.until(lambda: "find: " in operator.text)


async def show_pointer(operator: Operator) -> None:
    await operator.press("f5", "up", "up")


async def show_private_lines_and_errors(operator: Operator) -> None:
    ann = next(member for member in operator.server.members if member.name == "Ann")
    operator.say(ann, *["flood"] * 100, "/msg operator psst")
    await operator.until(lambda: "» 1" in operator.text)
    await operator.submit("/kick nobody")
    await operator.press("f8")


async def show_trouble(operator: Operator) -> None:
    operator.happen(
        Linked(0, "Cut off from 2 other users", 1, "cut off"), Recording(0, False, "Disk full", "log")
    )
    await operator.until(lambda: "cut off · log not written" in operator.text)


SCREENS = [
    show_line,
    show_nobody_selected,
    show_users,
    show_log,
    show_help,
    show_palette,
    show_question,
    show_time_for_mute,
    show_found,
    show_pointer,
    show_private_lines_and_errors,
    show_trouble,
]


async def in_each(
    operator: Operator, themes: Iterable[Theme], faults: Callable[[Theme], list[str]]
) -> list[str]:
    """What is wrong with a screen in each of `themes`."""
    found: list[str] = []
    for theme in themes:
        operator.console.theme = theme.name
        await operator.settle()
        await operator.painted()
        found += [f"{theme.name}: {fault}" for fault in dict.fromkeys(faults(theme))]
    return found


@pytest.mark.parametrize("show", SCREENS)
async def test_each_text_that_is_painted_can_be_read(
    operate: Operate, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    async with operate(size=(120, 40)) as operator:
        await fill(operator)
        await show(operator)
        assert await in_each(operator, THEMES, lambda _: unreadable(operator.strips)) == []


@pytest.mark.parametrize("show", SCREENS)
async def test_with_the_terminals_own_palette_no_text_is_dim_or_hard_to_read(
    operate: Operate, show: Show
) -> None:
    async with operate(size=(120, 40), theme="ansi-dark") as operator:
        await fill(operator)
        await show(operator)
        faults = await in_each(
            operator, ANSI_THEMES, lambda theme: unreadable_among_16(operator.strips, dark=theme.dark)
        )
        assert faults == []


@pytest.mark.parametrize("show", SCREENS)
async def test_without_colours_no_text_is_coloured_or_dim(
    operate: Operate, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with operate(size=(120, 40)) as operator:
        await fill(operator)
        await show(operator)
        await operator.painted()
        for text, style in texts(operator.strips):
            colours = [colour for colour in (style.color, style.bgcolor) if colour]
            assert all(colour.is_default for colour in colours), (text, style)
            assert not style.dim, (text, style)
