"""One who looks for something in a log."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from textual.widgets import Input

from chat_console.widgets.find_bar import FindBar
from chat_console.widgets.find_line import FindLine
from chat_console.widgets.find_rule import FindRule
from chat_console.widgets.query import Query

from .log_reader import Console, Reader


class Finder(Reader):
    """One who looks for something."""

    @property
    def bar(self) -> FindBar:
        return self.app.query_one(FindBar)

    @property
    def line(self) -> FindLine:
        return self.app.query_one(FindLine)

    @property
    def said(self) -> str:
        """What the rule says, without its lines."""
        return " | ".join(part.strip() for part in self.rule.split("─") if part.strip())

    @property
    def rule(self) -> str:
        return self.app.query_one(FindRule).render().plain

    async def find(self, query: Query | str = "") -> None:
        self.bar.open(query)
        await self.pilot.pause()
        await self.until(lambda: "…" not in self.rule)

    @property
    def closed(self) -> list[bool]:
        return [message.escaped for message in self.app.posted if isinstance(message, FindBar.Closed)]


@pytest.fixture
async def finder(max_lines: int) -> AsyncIterator[Finder]:
    app = Console(max_lines)
    async with app.run_test(size=(100, 30)) as pilot:
        app.query_one(Input).focus()
        await pilot.pause()
        yield Finder(app, pilot)
