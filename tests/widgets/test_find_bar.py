"""Finding lines of the log: as one types, from hit to hit, and back."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.log_finder import Finder, finder
from support.log_reader import NOON, entry, numbered

from chat_console.server.room.text import clean
from chat_console.widgets.cells import widest
from chat_console.widgets.find_rule import rule
from chat_console.widgets.message_log import Entry, Kind
from chat_console.widgets.query import Query

__all__ = ["finder"]


@pytest.fixture
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a search stop as soon as it may."""
    monkeypatch.setattr("chat_console.widgets.find_bar.SLICE", 0)


def clock(at: float) -> str:
    return time.strftime("%H:%M", time.localtime(at))


async def test_it_shows_itself_and_says_what_can_be_looked_for(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 5))
    assert not finder.bar.display
    await finder.find()
    assert finder.bar.display
    assert finder.bar.is_open
    assert finder.app.focused is finder.line
    assert finder.said == "find: words, @name, » for private, 22:40 or -20m | following"


async def test_the_newest_hit_at_or_above_the_view_is_found_while_typing(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    finder.log.go_to(finder.log.scrollback.first + 50)
    await finder.find()
    await finder.pilot.press("7")
    assert finder.said == f"find: 15 of 19 · {clock(NOON)}"
    assert finder.texts[1] == "line 47"
    await finder.pilot.press("0")
    assert finder.said == f"find: 1 of 1 · {clock(NOON)}"
    assert "line 70" in finder.texts
    await finder.pilot.press("backspace")
    assert "line 47" in finder.texts
    await finder.pilot.press("x")
    assert finder.said == "find: nothing · 100 lines"
    assert "line 47" in finder.texts
    assert not finder.log.following


async def test_a_hit_in_view_moves_nothing(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("97")
    assert finder.texts[-1] == "line 99"
    assert finder.said == f"find: 1 of 1 · {clock(NOON)} | following"


async def test_end_goes_to_the_end_of_the_line_and_only_then_to_that_of_the_log(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("20")
    await finder.pilot.press("home", "end")
    assert not finder.log.following
    assert finder.line.cursor_position == len("20")
    await finder.pilot.press("end")
    assert finder.log.following


async def test_a_line_that_was_gone_to_by_time_and_is_dropped_is_not_pointed_at(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 5))
    await finder.find(clock(NOON))
    finder.log.clear()
    await finder.pilot.press("enter")
    assert finder.bar.is_open
    assert finder.log.pointer is None


async def test_up_and_down_go_from_hit_to_hit(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("7")
    assert finder.said.startswith("find: 1 of 19 ")
    await finder.pilot.press("up")
    assert finder.said.startswith("find: 2 of 19 ")
    await finder.pilot.press(*["up"] * 9)
    assert finder.said.startswith("find: 11 of 19 ")
    assert "line 72" in finder.texts
    await finder.pilot.press(*["up"] * 12)
    assert finder.said.startswith("find: 19 of 19 ")
    assert "line 7" in finder.texts
    await finder.pilot.press("down")
    assert finder.said.startswith("find: 18 of 19 ")


async def test_counts_keep_up_with_what_comes(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("7")
    await finder.pilot.press(*["up"] * 10)
    finder.log.write_entries(numbered(100, 180))
    await finder.pilot.pause()
    assert finder.said == f"find: 28 of 36 · {clock(NOON)} | 80 new below · End"
    await finder.pilot.press("end")
    assert finder.log.following
    assert finder.said == f"find: 28 of 36 · {clock(NOON)} | following"


@pytest.mark.parametrize("max_lines", [100])
async def test_when_the_current_hit_is_dropped_nothing_moves_until_a_key_does(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("7")
    await finder.pilot.press(*["up"] * 18)
    assert finder.said.startswith("find: 19 of 19 ")
    finder.log.write_entries(numbered(100, 150))
    await finder.pilot.pause()
    assert finder.said == "find: 19 found | 50 new below · End"
    assert finder.texts[0] == "line 50"
    await finder.pilot.press("down")
    assert finder.said.startswith("find: 19 of 19 ")
    assert "line 57" in finder.texts
    finder.log.clear()
    await finder.pilot.pause()
    assert finder.said == "find: nothing · 0 lines | following"


async def test_a_hit_that_comes_where_there_was_none_moves_nothing(finder: Finder) -> None:
    first = finder.log.write_entries(numbered(0, 100))
    finder.log.go_to(first + 20)
    await finder.find("hit")
    shown = finder.texts
    finder.log.write_entries([entry("hit")])
    await finder.pilot.pause()
    assert finder.said == "find: 1 found | 1 new below · End"
    assert finder.texts == shown
    await finder.pilot.press("down")
    assert finder.said.startswith("find: 1 of 1 ")
    assert finder.texts[-1] == "hit"


async def test_a_hit_that_is_replaced_by_another_text_is_none_any_more(finder: Finder) -> None:
    first = finder.log.write_entries([entry("hit 1"), entry("hit 2"), entry("none")])
    await finder.find("hit")
    finder.log.replace(first + 1, entry("none"))
    await finder.pilot.pause()
    assert finder.said.startswith("find: 1 found")
    await finder.pilot.press("up")
    assert finder.said.startswith("find: 1 of 1 ")
    finder.log.replace(first, entry("none"))
    await finder.pilot.pause()
    assert finder.said.startswith("find: nothing")


async def test_tab_shows_the_hits_alone_and_all_lines_again(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("7")
    await finder.pilot.press("tab")
    assert finder.texts[-1] == "line 97"
    assert finder.texts[-2] == "line 87"
    assert finder.said == f"find: only 1 of 19 · {clock(NOON)} | following"
    finder.log.write_entries(numbered(170, 172))
    assert finder.texts[-2:] == ["line 170", "line 171"]
    await finder.pilot.press("up", "tab")
    assert not finder.log.only
    assert "line 87" in finder.texts
    assert "line 88" in finder.texts
    assert finder.app.focused is finder.line


async def test_tab_does_nothing_where_nothing_is_found(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("x")
    await finder.pilot.press("tab")
    assert not finder.log.only
    assert finder.app.focused is finder.line


async def test_enter_points_at_the_line_and_goes_to_the_log(finder: Finder) -> None:
    first = finder.log.write_entries(numbered(0, 100))
    await finder.find("23")
    await finder.pilot.press("enter")
    assert finder.log.pointer == first + 23
    assert finder.texts[4] == "line 23"
    assert finder.app.focused is finder.log
    assert not finder.bar.display
    assert finder.closed == [False]


async def test_enter_on_nothing_stays(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 5))
    await finder.find("x")
    await finder.pilot.press("enter")
    assert finder.bar.is_open
    assert finder.log.pointer is None


async def test_keys_that_come_before_the_search_is_done_wait_for_it(
    finder: Finder, short_slices: None
) -> None:
    first = finder.log.write_entries([entry("needle"), *numbered(0, 500)])
    finder.bar.open("needle")
    finder.bar.act(finder.bar.choose)
    await finder.until(lambda: finder.log.pointer == first)
    assert not finder.bar.is_open


async def test_escape_closes_and_stays(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("23")
    shown = finder.texts
    await finder.pilot.press("escape")
    assert finder.texts == shown
    assert not finder.bar.display
    assert finder.closed == [True]
    assert finder.log.pointer is None
    finder.log.write_entries(numbered(100, 200))
    assert finder.texts == shown


async def test_after_escape_a_log_that_follows_goes_on_following(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("97")
    await finder.pilot.press("escape")
    finder.log.write_entries(numbered(100, 200))
    assert finder.texts[-1] == "line 199"


async def test_while_it_is_open_the_current_hit_is_not_pushed_out(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("97")
    finder.log.write_entries(numbered(100, 300))
    assert finder.texts[0] == "line 97"


async def test_it_closes_when_another_pane_gets_the_focus(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("97")
    await finder.pilot.click(finder.log, offset=(20, 1))
    await finder.pilot.pause()
    assert not finder.bar.display
    assert finder.closed == [False]
    assert finder.app.focused is finder.log
    assert finder.log.pointer is not None


async def test_what_was_looked_for_last_is_there_to_be_typed_over(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("23")
    await finder.pilot.press("escape")
    await finder.find()
    assert finder.line.value == "23"
    assert finder.said.startswith("find: 1 of 1 ")
    await finder.pilot.press("4")
    assert finder.line.value == "4"
    assert finder.said.startswith("find: 17 of 19 ")


async def test_all_lines_of_a_user_are_found_until_something_is_typed(finder: Finder) -> None:
    log = finder.log
    log.write_entries([Entry(NOON, Kind.CHAT, "Ann", f"hello {number}", number % 3) for number in range(9)])
    await finder.find(Query.of_user(2, "lines of \x1b[31mAnn"))
    assert finder.said.startswith("find: 1 of 3 ")
    assert finder.line.placeholder == "lines of Ann"
    await finder.pilot.press("up")
    assert finder.said.startswith("find: 2 of 3 ")
    await finder.pilot.press("h")
    assert finder.line.placeholder == ""
    assert finder.said.startswith("find: 1 of 9 ")


async def test_a_time_is_gone_to(finder: Finder) -> None:
    entries = [Entry(NOON + 60 * minute, Kind.CHAT, "", f"minute {minute}") for minute in range(100)]
    first = finder.log.write_entries(entries)
    await finder.find(clock(NOON + 60 * 30))
    assert finder.texts[0] == "minute 30"
    assert finder.said == f"find · {clock(NOON + 60 * 30)}"
    await finder.pilot.press("up", "tab")
    assert finder.texts[0] == "minute 30"
    await finder.pilot.press("enter")
    assert finder.log.pointer == first + 30


async def test_page_keys_scroll_the_log(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100))
    await finder.find("97")
    await finder.pilot.press("pageup")
    assert finder.texts[0] == "line 81"
    await finder.pilot.press("ctrl+home")
    assert finder.texts[0] == "line 0"
    await finder.pilot.press("ctrl+end", "pageup", "pagedown")
    assert finder.log.following


async def test_hits_survive_another_width(finder: Finder) -> None:
    finder.log.write_entries(numbered(0, 100, "line {} " + "and so on " * 12))
    await finder.find("40")
    await finder.resize("narrow", "tall")
    assert finder.said.startswith("find: 1 of 1 ")
    assert any("line 40" in row for row in finder.rows)


async def test_what_is_typed_or_pasted_is_one_clean_line_in_any_script(finder: Finder) -> None:
    await finder.find()
    finder.app.copy_to_clipboard("one\ntwo\x1b[31m")
    await finder.pilot.press("ctrl+v", "é", "你")
    assert finder.line.value == "one twoé你"


async def test_its_keys_are_offered_in_their_order(finder: Finder) -> None:
    def offered() -> list[tuple[str, str]]:
        active = finder.app.screen.active_bindings.values()
        shown = [each.binding for each in active if each.binding.show and each.node is finder.line]
        return [(binding.key, binding.description) for binding in shown]

    finder.log.write_entries(numbered(0, 3))
    await finder.find("1")
    assert offered() == [
        ("up", "older"),
        ("down", "newer"),
        ("tab", "only these"),
        ("enter", "go to the line"),
        ("escape", "close"),
    ]
    await finder.pilot.press("tab")
    assert ("tab", "all lines") in offered()


async def test_a_large_log_is_searched_in_slices(finder: Finder, short_slices: None) -> None:
    finder.log.write_entries([entry("needle"), *numbered(0, 500)])
    finder.bar.open("needle")
    assert finder.bar.is_searching
    await finder.until(lambda: finder.said.startswith("find: 1 of 1 "))
    assert "needle" in finder.texts


TEXTS = st.text(max_size=40).map(clean)


@given(TEXTS, st.lists(TEXTS, max_size=3), st.integers(4, 90))
def test_the_rule_takes_all_of_the_width_and_shows_what_fits(left: str, right: list[str], width: int) -> None:
    parts = rule(left, right, width)
    assert widest("".join(text for text, _ in parts)) <= width
    texts = [text.strip() for text, is_line in parts if not is_line]
    shown = texts[0].removesuffix("…")
    assert left.startswith(shown) or left.strip().startswith(shown)
    if texts[1:]:
        assert texts[1] in [text.strip() for text in right]


@pytest.mark.parametrize(
    ("width", "drawn"),
    [
        (48, "── find: 3 of 7 · 22:41 ─ 112 new below · End ──"),
        (40, "── find: 3 of 7 · 22:41 ───── 112 new ──"),
        (33, "── find: 3 of 7 · 22:41 ─────────"),
        (20, "── find: 3 of 7 ·… ─"),
        (10, "── find:…"),
    ],
)
def test_a_rule_shows_less_where_it_is_narrow(width: int, drawn: str) -> None:
    parts = rule("find: 3 of 7 · 22:41", ["112 new below · End", "112 new"], width)
    assert "".join(text for text, _ in parts).rstrip() == drawn
