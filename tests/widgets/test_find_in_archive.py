"""Finding goes on in the archive, once all entries of the log have been looked through."""

from __future__ import annotations

import pytest
from support.archives import Archive
from support.log_finder import Finder, finder
from support.log_reader import NOON, entry, numbered

from chat_console.widgets.message_log import Entry, Kind
from chat_console.widgets.scrollback import PAST_SERIAL
from chat_console.widgets.search import Search

__all__ = ["finder"]


@pytest.fixture
def max_lines() -> int:
    return 50


@pytest.fixture(autouse=True)
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_console.widgets.find_bar.TYPING", 0.001)


async def archived(finder: Finder, *old: Entry) -> Archive:
    """Give the log an archive with these lines at its beginning, and a thousand after them."""
    archive = Archive([*old, *numbered(0, 1000, "nothing to see in {}")])
    finder.log.continue_into(archive, archive.next)
    await settle(finder, archive)
    return archive


async def settle(finder: Finder, archive: Archive) -> None:
    """Answer until nothing is asked for any more, and the search has ended."""

    def is_settled() -> bool:
        archive.answer()
        return not finder.bar.is_searching and not archive.asked

    await finder.until(is_settled)
    await finder.pilot.pause()


async def sees(finder: Finder, archive: Archive, said: str) -> None:
    """Answer until the rule says this."""

    def says() -> bool:
        archive.answer()
        return finder.said.startswith(said)

    await finder.until(says)


async def find(finder: Finder, archive: Archive, text: str) -> None:
    finder.bar.open(text)
    await settle(finder, archive)


async def test_what_was_said_first_is_found_and_shown_in_its_context(finder: Finder) -> None:
    archive = await archived(finder, entry("one"), entry("the needle"), entry("three"))
    await find(finder, archive, "needle")
    assert finder.said.startswith("find: 1 of 1 · ")
    assert finder.texts[:3] == ["one", "the needle", "three"]


async def test_hits_among_the_entries_come_first_and_those_of_the_archive_after_them(finder: Finder) -> None:
    archive = await archived(finder, entry("needle 1"), entry("needle 2"))
    finder.log.write_entries(archive.add([entry("needle 3"), *numbered(0, 20), entry("needle 4")]))
    await find(finder, archive, "needle")
    assert finder.said.startswith("find: 1 of 4 · ")
    for number, text in ((2, "needle 3"), (3, "needle 2"), (4, "needle 1")):
        await finder.pilot.press("up")
        await settle(finder, archive)
        assert finder.said.startswith(f"find: {number} of 4 · ")
        assert text in finder.texts
    await finder.pilot.press("down", "down")
    assert finder.said.startswith("find: 2 of 4 · ")


async def test_while_it_searches_it_says_that_there_may_be_more(finder: Finder) -> None:
    archive = await archived(finder, *[entry(f"needle {number}") for number in range(450)])
    archive.unindexed = 120_000
    finder.bar.open("needle")
    await finder.until(lambda: bool(archive.searched) and finder.said.startswith("find: …"))
    archive.answer(1)
    assert finder.said.startswith("find: 1 of 200+ · 12:34 · indexing, 120,000 lines to go")
    archive.answer(2)
    archive.unindexed = 0
    await settle(finder, archive)
    assert finder.said.startswith("find: 1 of 450 · 12:34")


async def test_a_key_for_the_next_hit_waits_until_it_is_found(finder: Finder) -> None:
    archive = await archived(finder, entry("needle 1"))
    finder.log.write_entries(archive.add([entry("needle 2")]))
    finder.bar.open("needle")
    await finder.until(lambda: bool(archive.searched))
    await finder.pilot.press("up")
    assert finder.said.startswith("find: 1 of 1+ · ")
    await settle(finder, archive)
    assert finder.said.startswith("find: 2 of 2 · ")


async def test_each_key_ends_the_search_before_it(finder: Finder) -> None:
    archive = await archived(finder, entry("needle 1"), entry("net"))
    finder.bar.open("ne")
    await finder.until(lambda: len(archive.searched) == 1)
    await finder.pilot.press("right", "e")
    await finder.until(lambda: len(archive.searched) == 2)
    assert archive.ended == 1
    assert [query.text for query, _ in archive.searched] == ["ne", "nee"]
    await settle(finder, archive)
    assert finder.said.startswith("find: 1 of 1 · ")
    await finder.pilot.press("escape")
    assert archive.ended == 2
    assert "needle 1" in finder.texts
    assert not finder.log.following


async def test_a_pause_is_waited_for_before_the_archive_is_searched(
    finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_console.widgets.find_bar.TYPING", 3600)
    archive = await archived(finder, entry("needle"))
    finder.bar.open("needle")
    await finder.pilot.pause()
    assert archive.searched == []


async def test_of_very_many_the_newest_are_found(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_console.widgets.older_hits.MOST_HITS", 250)
    archive = await archived(finder, *[entry(f"needle {number}") for number in range(450)])
    await find(finder, archive, "needle")
    assert finder.said.startswith("find: 1 of 250+ · ")
    assert archive.ended == 1
    assert len(finder.log.scrollback.past.kept) == 250


async def test_only_the_hits_are_shown_though_none_of_their_pages_is_read(finder: Finder) -> None:
    archive = await archived(finder, *[entry(f"needle {number}") for number in range(30)])
    await find(finder, archive, "needle")
    await finder.pilot.press("tab")
    assert finder.texts == [f"needle {number}" for number in range(20, 30)]
    assert [each.text for each in finder.log.shown_entries] == [f"needle {number}" for number in range(30)]
    await finder.pilot.press("tab")
    await settle(finder, archive)
    assert "nothing to see in 0" in finder.texts or "needle 29" in finder.texts


async def test_a_hit_that_is_dropped_meanwhile_stays_one(finder: Finder) -> None:
    archive = await archived(finder)
    folded = tuple(archive.add([entry("hay"), entry("needle 1"), entry("needle 2")]))
    finder.log.write_entries([Entry(NOON, Kind.FOLD, "", "3 more like it", folded=folded)])
    finder.log.write_entries(archive.add([entry("needle 3")]))
    await find(finder, archive, "needle")
    await finder.pilot.press("up")
    assert finder.said.startswith("find: 2 of 2 · ")
    finder.log.write_entries(archive.add(numbered(0, 50)))
    await settle(finder, archive)
    assert finder.said.startswith("find: ")
    await finder.pilot.press("tab")
    assert [serial - PAST_SERIAL for serial in finder.log.scrollback.serials] == [1002, 1003, 1004]


async def test_one_goes_to_a_time_long_ago(finder: Finder) -> None:
    old = [Entry(NOON - 86_400 * 3 + number, Kind.CHAT, "", f"old {number}") for number in range(40)]
    archive = await archived(finder, *old)
    await find(finder, archive, "2026-02-26 12:35")
    assert finder.texts[0] == "old 4"
    assert finder.said == "find · 26 Feb 12:35"


async def test_what_is_nowhere_is_told_with_how_far_was_looked(finder: Finder) -> None:
    archive = await archived(finder)
    finder.log.write_entries(archive.add(numbered(0, 5)))
    await find(finder, archive, "needle")
    assert finder.said.startswith("find: nothing · 1,005 lines")


async def test_a_time_that_is_found_late_moves_no_other_search(finder: Finder) -> None:
    old = Entry(NOON - 86_400 * 3, Kind.CHAT, "", "old")
    archive = await archived(finder, old, entry("needle"))
    finder.bar.open("2026-02-26 12:00")
    await finder.pilot.pause()
    finder.line.value = "needle"
    await finder.pilot.pause()
    await sees(finder, archive, "find: 1 of 1 · 12:34")


async def test_hits_that_the_archive_deletes_are_none_any_more(finder: Finder) -> None:
    archive = await archived(finder, entry("needle 1"), *numbered(0, 500), entry("needle 2"))
    await find(finder, archive, "needle")
    assert finder.said.startswith("find: 1 of 2 · ")
    archive.oldest = 300
    await finder.pilot.press("ctrl+home")
    await settle(finder, archive)
    finder.log.write_entries(archive.add([entry("hay")]))
    await settle(finder, archive)
    assert finder.said.startswith("find: 1 of 1 · ")


async def test_nothing_is_kept_of_a_search_that_is_over(finder: Finder) -> None:
    archive = await archived(finder, entry("needle"))
    await find(finder, archive, "needle")
    assert len(finder.log.scrollback.past.kept) == 1
    await finder.pilot.press("escape")
    assert not finder.log.scrollback.past.kept


async def test_the_archive_is_not_searched_before_all_entries_have_been(
    finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Search.step
    monkeypatch.setattr(Search, "step", lambda search, seconds: False)
    archive = await archived(finder, entry("needle"))
    finder.log.write_entries(archive.add(numbered(0, 50)))
    finder.bar.open("needle")
    await finder.pilot.pause(0.05)  # many times as long as the pause after a key
    assert archive.searched == []
    monkeypatch.setattr(Search, "step", step)
    await settle(finder, archive)
    assert finder.said.startswith("find: 1 of 1 · ")


async def test_the_place_where_it_began_is_the_same_when_its_entry_is_dropped(finder: Finder) -> None:
    archive = await archived(finder)
    finder.log.write_entries(
        archive.add([entry("needle before"), *numbered(0, 16), entry("needle after"), *numbered(16, 30)])
    )
    finder.log.go_to_top(finder.log.scrollback.first)
    await find(finder, archive, "zzz")
    finder.log.write_entries(archive.add(numbered(30, 80)))
    await settle(finder, archive)
    finder.line.value = "needle"
    await sees(finder, archive, "find: 2 of 2 · ")
