"""The help page: every word of it can be read, at any size, and it closes at once."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App
from textual.containers import Grid, VerticalScroll
from textual.geometry import Region
from textual.widgets import Label

from chat_console.widgets.help_screen import HelpScreen, in_two

SECTIONS = [
    (
        "Keys",
        [("F1", "This page"), ("Tab, Shift+Tab", "To the next or the previous pane, or complete a word")],
    ),
    ("Commands", [("/msg <recipient> <message>", "Say it to one user alone"), ("/quit", "Stop the server")]),
    ("List of [/users]", [("[/x]", "[red]not[/] markup"), ("[@click=app.quit]", "漢字")]),
]


class HelpApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.help = HelpScreen(SECTIONS)
        self.closed: list[None] = []

    def on_mount(self) -> None:
        self.push_screen(self.help, self.closed.append)


def words(label: Label) -> list[str]:
    return "".join(label.render_line(y).text for y in range(label.size.height)).split()


@pytest.mark.parametrize(("width", "has_two"), [(100, True), (99, False)])
async def test_its_first_layout_has_as_many_columns_as_all_others(width: int, has_two: bool) -> None:
    columns: list[bool] = []

    class Watched(HelpScreen):
        def on_mount(self) -> None:
            columns.append(self.has_class("-two"))

    app = HelpApp()
    app.help = Watched(SECTIONS)
    async with app.run_test(size=(width, 40)):
        columns.append(app.help.has_class("-two"))
    assert columns == [has_two, has_two]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_every_word_is_laid_out_at_any_size(size: tuple[int, int]) -> None:
    app = HelpApp()
    async with app.run_test(size=size):
        labels = list(app.help.query(Label))
        texts = [
            text for heading, rows in SECTIONS for text in (heading, *(cell for row in rows for cell in row))
        ]
        assert ["".join(words(label)) for label in labels] == [text.replace(" ", "") for text in texts]
        page = app.help.query_one(VerticalScroll)
        assert page.region in Region(0, 0, *size)
        for label in labels:
            assert page.region.x <= label.region.x
            assert label.region.right <= page.region.right


async def test_the_meanings_of_a_section_stand_in_one_column() -> None:
    app = HelpApp()
    async with app.run_test(size=(80, 24)):
        grids = list(app.help.query(Grid))
        assert len(grids) == 1 + len(SECTIONS)
        for grid in grids[1:]:
            keys, meanings = list(grid.query(".key")), list(grid.query(".meaning"))
            assert len({key.region.x for key in keys}) == 1
            assert len({meaning.region.x for meaning in meanings}) == 1
            assert [key.region.y for key in keys] == [meaning.region.y for meaning in meanings]
            assert all(key.region.right < meanings[0].region.x for key in keys)


@pytest.mark.parametrize(("width", "columns"), [(120, 2), (100, 2), (99, 1), (40, 1)])
async def test_from_100_columns_on_there_are_two_of_them(width: int, columns: int) -> None:
    app = HelpApp()
    async with app.run_test(size=(width, 24)):
        headings = list(app.help.query(".heading"))
        assert [str(heading.render()) for heading in headings] == [heading for heading, _ in SECTIONS]
        assert len({heading.region.x for heading in headings}) == columns


def test_the_two_are_as_equally_long_as_their_order_permits() -> None:
    short, long = ("Short", [("a", "b")]), ("Long", [("a", "b")] * 3)
    assert in_two([long, short, short]) == ([long], [short, short])
    assert in_two([short, short, long]) == ([short, short], [long])
    wrapped = ("Wrapped", [("a", "long " * 100)])
    assert in_two([wrapped, long, long]) == ([wrapped], [long, long])
    assert in_two([]) == ([], [])
    assert in_two([("Empty", [])]) in (([("Empty", [])], []), ([], [("Empty", [])]))


async def test_a_page_that_does_not_fit_scrolls_with_the_keys() -> None:
    app = HelpApp()
    async with app.run_test(size=(40, 12)) as pilot:
        page = app.help.query_one(VerticalScroll)
        assert page.max_scroll_y > 0
        await pilot.press("down", "pagedown")
        await pilot.wait_for_animation()
        assert page.scroll_offset.y > 1


async def test_a_key_closes_the_page() -> None:
    app = HelpApp()
    async with app.run_test(size=(80, 24)) as pilot:
        for count, key in enumerate(("escape", "f1", "q"), start=1):
            await pilot.press(key)
            assert app.closed == [None] * count
            assert app.screen is not app.help
            app.help = HelpScreen(SECTIONS)
            app.on_mount()
            await pilot.pause()


async def test_a_key_that_comes_twice_closes_the_page_once() -> None:
    app = HelpApp()
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(3):
            app.post_message(events.Key("q", "q"))
        await pilot.pause()
        assert app.closed == [None]
        assert len(app.screen_stack) == 1
