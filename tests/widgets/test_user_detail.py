"""The detail of one user: a few words that wrap where they must, and no place taken by nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Label

from chat_console.widgets.user_detail import UserDetail, size_text

BOB: dict[str, Any] = {
    "address": "192.0.2.7|41050",
    "here": 3840.0,
    "idle": 12.9,
    "lines": 34,
    "waiting": 340_000,
}


def bob(**changed: Any) -> dict[str, Any]:
    return {**BOB, **changed}


class RecordingDetail(UserDetail):
    """A detail that counts its renderings."""

    def __init__(self) -> None:
        super().__init__(id="detail")
        self.renders = 0

    def render(self) -> Content:
        self.renders += 1
        return super().render()


class DetailApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.detail = RecordingDetail()
        self.below = Label("below")

    def compose(self) -> ComposeResult:
        yield self.detail
        yield self.below


@asynccontextmanager
async def shown(width: int = 80) -> AsyncIterator[tuple[DetailApp, Pilot[None]]]:
    app = DetailApp()
    async with app.run_test(size=(width, 10)) as pilot:
        yield app, pilot


def rows(detail: UserDetail) -> list[str]:
    return [detail.render_line(y).text.strip() for y in range(detail.size.height)]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (340_400, "340 kB"),
        (999_400, "999 kB"),
        (1_000_000, "1 MB"),
        (12_300_000, "12 MB"),
        (5_000_000_000, "5000 MB"),
    ],
)
def test_a_size_is_told_in_its_largest_unit(size: int, text: str) -> None:
    assert size_text(size) == text


async def test_at_first_it_takes_no_place() -> None:
    async with shown() as (app, _):
        assert not app.detail.display
        assert app.below.region.y == 0


async def test_it_tells_what_is_known_in_one_row_where_there_is_room() -> None:
    async with shown() as (app, pilot):
        app.detail.show(**BOB)
        await pilot.pause()
        assert rows(app.detail) == ["192.0.2.7|41050 · here 1h04 · idle 12s · 34 lines · 340 kB waiting"]
        assert app.below.region.y == 1


async def test_it_takes_as_many_rows_as_it_needs() -> None:
    async with shown(width=30) as (app, pilot):
        app.detail.show(**BOB)
        await pilot.pause()
        assert " ".join(rows(app.detail)) == (
            "192.0.2.7|41050 · here 1h04 · idle 12s · 34 lines · 340 kB waiting"
        )
        assert app.detail.region.height == app.below.region.y == 3


async def test_nobody_leaves_no_row_behind() -> None:
    async with shown() as (app, pilot):
        app.detail.show(**BOB)
        await pilot.pause()
        app.detail.hide()
        await pilot.pause()
        assert not app.detail.display
        assert app.below.region.y == 0


@pytest.mark.parametrize(
    ("lines", "text"), [(0, "0 lines"), (1, "1 line"), (2, "2 lines"), (4711, "4,711 lines")]
)
async def test_lines_are_counted_as_one_speaks(lines: int, text: str) -> None:
    async with shown() as (app, pilot):
        app.detail.show(**bob(lines=lines))
        await pilot.pause()
        assert f" · {text} · " in rows(app.detail)[0]


async def test_what_reads_the_same_is_not_painted_again() -> None:
    async with shown() as (app, pilot):
        app.detail.show(**BOB)
        await pilot.pause()
        before = app.detail.renders
        app.detail.show(**bob(idle=12.1, here=3845.0, waiting=340_100))
        await pilot.pause()
        assert app.detail.renders == before
        app.detail.show(**bob(idle=13.1))
        await pilot.pause()
        assert app.detail.renders > before
        assert " · idle 13s · " in rows(app.detail)[0]


@pytest.mark.parametrize(
    ("address", "painted"),
    [
        ("[/x]", "[/x]"),
        ("[@click=app.quit]eve", "[@click=app.quit]eve"),
        ("a\x1b[31mb\x1b]0;title\x07c\u202e", "abc"),
    ],
)
async def test_a_hostile_address_is_only_text(address: str, painted: str) -> None:
    async with shown() as (app, pilot):
        app.detail.show(**bob(address=address))
        await pilot.pause()
        assert rows(app.detail)[0].startswith(f"{painted} · here ")
