"""Selecting text of the log with the mouse, and copying it."""

from __future__ import annotations

from itertools import product

import pytest
from support.log_reader import Reader, entry, numbered
from textual.geometry import Offset
from textual.selection import SELECT_ALL, Selection

# Selecting


async def test_selected_text_is_copied_with_wrapped_lines_in_one_piece(reader: Reader) -> None:
    reader.log.write_entries([entry("one two three four five six seven eight, nine ten eleven", "Bob")])
    await reader.drag((16, 0), (25, 1))
    assert reader.selected == "one two three four five six seven eight, nine ten eleven"
    assert reader.highlighted == ["one two three four five six seven eight,", "nine ten eleven"]
    await reader.pilot.press("ctrl+c")
    assert reader.app.clipboard == reader.selected


async def test_selecting_over_several_entries_copies_a_line_for_each(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 5))
    await reader.drag((11, 1), (14, 3))
    assert reader.selected == "line 1\n12:34:56   line 2\n12:34:56   line"


async def test_selecting_backwards_is_the_same(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 5))
    await reader.drag((14, 3), (11, 1))
    assert reader.selected == "line 1\n12:34:56   line 2\n12:34:56   line"


async def test_the_indent_of_a_row_stands_for_its_first_character(reader: Reader) -> None:
    reader.log.write_entries([entry("one two three four five six seven eight, nine ten eleven", "Bob")])
    await reader.drag((3, 1), (18, 1))
    assert reader.selected == "nine ten"


async def test_what_is_narrow_is_copied_in_full(reader: Reader) -> None:
    await reader.resize("narrow")
    reader.log.write_entries([entry("one two three four five six seven", "Bob")])
    assert reader.rows[0].startswith("12:34   Bob:")
    await reader.drag((0, 0), (6, 1))
    assert (
        reader.selected == "12:34:56   Bob: one two three four five six seven"[: len(reader.selected or "")]
    )
    assert "12:34:56   Bob: one two" in (reader.selected or "")


@pytest.mark.parametrize("max_lines", [20])
async def test_a_selection_stays_on_its_text_while_others_are_dropped_and_wrapped(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 20))
    await reader.drag((11, 2), (30, 4))
    chosen = "line 12\n12:34:56   line 13\n12:34:56   line 14"
    assert reader.selected == chosen
    reader.log.write_entries(numbered(20, 25))
    assert reader.selected == chosen
    assert [text.strip() for text in reader.highlighted] == []
    reader.log.scroll_home()
    assert reader.highlighted[0].startswith("line 12")
    await reader.resize("narrow")
    assert reader.selected == chosen
    reader.log.write_entries(numbered(25, 33))
    assert reader.selected == "12:34:56   line 13\n12:34:56   line 14"
    reader.log.write_entries(numbered(33, 60))
    assert reader.selected is None
    assert reader.app.screen.selections == {}


async def test_nothing_is_copied_where_nothing_is_selected(reader: Reader) -> None:
    reader.app.copy_to_clipboard("kept")
    reader.log.write_entries(numbered(0, 3))
    await reader.pilot.press("ctrl+c", "c")
    await reader.drag((11, 6), (30, 8))
    await reader.pilot.press("ctrl+c")
    await reader.drag((30, 1), (40, 1))
    await reader.pilot.press("ctrl+c")
    assert reader.app.clipboard == "kept"


async def test_a_selection_goes_with_what_is_cleared(reader: Reader) -> None:
    reader.app.copy_to_clipboard("kept")
    reader.log.write_entries(numbered(0, 5))
    await reader.drag((11, 1), (14, 3))
    reader.log.clear()
    await reader.pilot.press("ctrl+c")
    assert reader.app.clipboard == "kept"
    reader.log.write_entries(numbered(0, 5))
    assert reader.highlighted == []


async def test_dragging_onto_the_border_selects_to_the_start_of_the_row_there(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 500))
    await reader.drag((16, 4), (-1, 2))
    assert reader.selected == "12:34:56   line 492\n12:34:56   line 493\n12:34:56   line 4"
    await reader.drag((16, 2), (-1, 4))
    assert (reader.selected or "").endswith("92\n12:34:56   line 493")
    await reader.drag((16, 4), (5, -1))
    assert (reader.selected or "").startswith("12:34:56   line 490\n")


async def test_a_second_click_selects_the_entry(reader: Reader) -> None:
    reader.log.write_entries([entry("word " * 30, "Bob"), *numbered(0, 3)])
    await reader.pilot.click(reader.log, offset=(20, 3), times=2)
    await reader.until(lambda: reader.selected is not None)
    assert reader.selected == "12:34:56   Bob: " + "word " * 30


async def test_a_second_click_on_an_empty_log_selects_nothing(reader: Reader) -> None:
    await reader.pilot.click(reader.log, offset=(20, 3), times=2)
    await reader.pilot.pause()
    assert reader.selected is None


async def test_no_selection_can_raise(reader: Reader) -> None:
    selections = (
        SELECT_ALL,
        Selection(Offset(5, 0), None),
        Selection(None, Offset(5, 3)),
        Selection(Offset(0, 10**6), Offset(3, 10**6)),
        Selection(Offset(0, 0), Offset(3, 1 << 40)),
        Selection(Offset(99, 1 << 40), Offset(99, 1 << 41)),
    )
    for selection, batch in product(selections, ([], numbered(0, 3), numbered(3, 60))):
        reader.log.write_entries(batch)
        reader.log.get_selection(selection)
        reader.app.screen.selections = {reader.log: selection}
        await reader.pilot.pause()
        assert reader.rows
        assert reader.selected != "", (selection, len(batch))
        reader.log.clear()


async def test_a_selection_that_was_let_go_stays_so_whatever_is_written_then(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    await reader.drag((11, 1), (16, 1))
    reader.app.screen.clear_selection()
    reader.log.write_entries(numbered(50, 51))
    await reader.pilot.pause()
    assert reader.selected is None
    assert reader.highlighted == []


async def test_of_two_selections_in_a_row_the_last_one_stays(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    await reader.drag((11, 1), (16, 1))
    first = reader.app.screen.selections
    reader.app.screen.selections = {reader.log: SELECT_ALL}
    reader.app.screen.selections = first
    await reader.pilot.pause()
    assert reader.app.screen.selections == first
    assert reader.highlighted == [reader.selected]


async def test_selecting_all_copies_every_entry(reader: Reader) -> None:
    reader.log.write_entries(numbered(0, 50))
    reader.log.text_select_all()
    assert reader.selected == "\n".join(f"12:34:56   line {number}" for number in range(50))


async def test_a_selection_in_what_is_replaced_is_of_the_new_text_or_none(reader: Reader) -> None:
    first = reader.log.write_entries(numbered(0, 5))
    await reader.drag((11, 1), (16, 1))
    assert reader.selected == "line 1"
    reader.log.replace(first + 1, entry("LINE"))
    assert reader.selected == "LINE"
    reader.log.replace(first + 1, entry(""))
    assert reader.selected is None
