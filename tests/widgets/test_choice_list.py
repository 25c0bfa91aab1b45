"""The list of the palette: one choice is pointed at, and every row fits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult

from chat_console.widgets.choice_list import Choice, ChoiceList

CHOICES = [Choice(f"Title {number}", f"note {number}", f"F{number}", str(number)) for number in range(30)]


class ListApp(App[None]):
    def __init__(self, choices: Sequence[Choice]) -> None:
        super().__init__()
        self.list = ChoiceList("Nothing")
        self.shown = choices
        self.chosen: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.list

    def on_mount(self) -> None:
        self.list.show(self.shown)

    def on_choice_list_chosen(self, event: ChoiceList.Chosen) -> None:
        self.chosen.append(event.choice.value)

    @property
    def rows(self) -> list[str]:
        return [self.list.render_line(y).text for y in range(self.list.size.height)]


async def test_a_row_has_a_title_a_note_and_its_key_at_the_edge() -> None:
    app = ListApp([Choice("Kick Ann", "10.0.0.1|1", "F3"), Choice("Quit")])
    async with app.run_test(size=(40, 4)):
        assert app.rows[0] == f"▸ {'Kick Ann  10.0.0.1|1':<34}  F3"
        assert app.rows[1].rstrip() == "  Quit"


@pytest.mark.parametrize("width", [1, 2, 5, 10, 17, 18, 40])
async def test_a_row_is_as_wide_as_the_list_whatever_it_says(width: int) -> None:
    choices = [
        Choice("漢字" * 20, "漢" * 20, "F3"),
        Choice("Title", "a note"),
        Choice("[/x]\x1b[2J", "\x9b", "Ctrl+F"),
    ]
    app = ListApp(choices)
    async with app.run_test(size=(width, 6)):
        assert {cell_len(row) for row in app.rows} == {width}
        assert not any(letter in "".join(app.rows) for letter in "\x1b\x9b")


async def test_what_is_pointed_at_stays_in_view_and_among_the_choices() -> None:
    app = ListApp(CHOICES)
    async with app.run_test(size=(40, 5)):
        for by, number in ((1, 1), (10, 11), (-4, 7), (-100, 0), (100, 29)):
            app.list.move(by)
            assert app.list.highlighted is CHOICES[number]
            assert sum(row.startswith(f"▸ Title {number} ") for row in app.rows) == 1
        app.list.show(CHOICES[:3])
        assert app.list.highlighted is CHOICES[0]
        assert app.rows[0].startswith("▸ Title 0 ")


async def test_where_there_is_nothing_it_says_so() -> None:
    app = ListApp([])
    async with app.run_test(size=(40, 5)):
        app.list.move(1)
        assert app.list.highlighted is None
        assert [row.strip() for row in app.rows] == ["Nothing", "", "", "", ""]


async def test_a_click_chooses_a_row_and_no_other_place_does() -> None:
    app = ListApp(CHOICES[:2])
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.click(ChoiceList, offset=(3, 1))
        await pilot.click(ChoiceList, offset=(3, 3))
        assert app.chosen == ["1"]


async def test_the_wheel_scrolls() -> None:
    app = ListApp(CHOICES)
    async with app.run_test(size=(40, 5)) as pilot:
        app.list.scroll_to(0, 10, animate=False, immediate=True)
        await pilot.pause()
        await pilot.click(ChoiceList, offset=(3, 0))
        assert app.chosen == ["10"]
