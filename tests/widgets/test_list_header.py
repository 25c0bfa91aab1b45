"""The row above the list: how many there are, who is looked for, and the order; both ends can be clicked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import on
from textual.app import App, ComposeResult
from textual.content import Content
from textual.message import Message
from textual.pilot import Pilot

from chat_console.server.room.text import clean
from chat_console.widgets.cells import widest
from chat_console.widgets.list_header import ListHeader, Listing, header


@pytest.mark.parametrize(
    ("listing", "width", "text"),
    [
        (Listing(30, 30, "", "loud"), 23, "30 users         loud ▾"),
        (Listing(30, 30, "", "loud"), 35, "30 users               sort: loud ▾"),
        (Listing(1, 1, "", "joined"), 23, "1 user         joined ▾"),
        (Listing(10_000, 10_000, "", "loud"), 23, "10,000 users     loud ▾"),
        (Listing(30, 3, "qu", "loud"), 35, "3 of 30 users · qu     sort: loud ▾"),
        (Listing(30, 3, "qu", "loud"), 23, "3 of 30 users · qu     "),
        (Listing(30, 3, "q", "name"), 24, "3 of 30 users · q name ▾"),
        (Listing(10_000, 3, "quentin", "loud"), 23, "3 of 10,000 · quentin  "),
        (Listing(10_000, 3, "quentin-the-2nd", "loud"), 23, "3 of 10,000 · quentin-…"),
        (Listing(30, 30, "", "loud"), 8, "30 users"),
        (Listing(30, 30, "", "loud"), 5, "30 u…"),
        (Listing(30, 30, "", "loud"), 0, ""),
    ],
)
def test_the_order_gives_way_first(listing: Listing, width: int, text: str) -> None:
    assert "".join(header(listing, width)) == text


@given(st.integers(0, 99_999), st.text(max_size=30), st.integers(1, 60))
def test_it_fills_its_width_exactly(count: int, query: str, width: int) -> None:
    assert widest("".join(header(Listing(count, count, query, "joined"), width))) == width


class RecordingHeader(ListHeader):
    """A header that counts its renderings."""

    renders = 0

    def render(self) -> Content:
        self.renders += 1
        return super().render()


class HeaderApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.header = RecordingHeader()
        self.seen: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.header

    @on(ListHeader.OrderClicked)
    @on(ListHeader.QueryClicked)
    def see(self, message: Message) -> None:
        self.seen.append(message)


@asynccontextmanager
async def shown(listing: Listing) -> AsyncIterator[tuple[HeaderApp, Pilot[None]]]:
    app = HeaderApp()
    async with app.run_test(size=(37, 3)) as pilot:
        app.header.show(listing)
        await pilot.pause()
        yield app, pilot


async def test_what_reads_the_same_is_not_painted_again() -> None:
    async with shown(Listing(30, 30, "", "loud")) as (app, pilot):
        assert app.header.render_line(0).text == "30 users               sort: loud ▾"
        before = app.header.renders
        app.header.show(Listing(30, 30, "", "loud"))
        await pilot.pause()
        assert app.header.renders == before
        app.header.show(Listing(31, 31, "", "loud"))
        await pilot.pause()
        assert app.header.render_line(0).text == "31 users               sort: loud ▾"


async def test_a_click_on_the_order_asks_for_another() -> None:
    async with shown(Listing(30, 3, "qu", "loud")) as (app, pilot):
        for x in (24, 35):
            await pilot.click(app.header, offset=(x, 0))
        assert [type(message) for message in app.seen] == [ListHeader.OrderClicked] * 2


async def test_a_click_on_what_is_looked_for_ends_that() -> None:
    async with shown(Listing(30, 3, "qu", "loud")) as (app, pilot):
        await pilot.click(app.header, offset=(23, 0))
        assert [type(message) for message in app.seen] == [ListHeader.QueryClicked]
        app.header.show(Listing(30, 30, "", "loud"))
        await pilot.click(app.header, offset=(2, 0))
        assert len(app.seen) == 1


@pytest.mark.parametrize("query", ["[/x]", "[@click=app.quit]", "\u202eq\x1b[31m"])
async def test_what_is_looked_for_is_only_text(query: str) -> None:
    async with shown(Listing(3, 0, query, "loud")) as (app, _):
        text = app.header.render_line(0).text
        assert text.startswith(f"0 of 3 users · {clean(query)} ")
        assert not {"\x1b", "\u202e"} & set(text)
