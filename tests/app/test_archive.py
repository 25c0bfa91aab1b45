"""A history's file as the log reads it: pages, times and searches, by threads of their own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.records import NOW, Tape
from support.waiting import until

from chat_console.app.archive import HistoryArchive
from chat_console.server.history import query as history
from chat_console.server.history.history_file import HistoryFile
from chat_console.server.history.reader import Reader
from chat_console.server.history.records import Kind, Line, Record
from chat_console.widgets.entry import Kind as Shown
from chat_console.widgets.past import Found, Lines
from chat_console.widgets.query import Query


def write(path: Path, records: list[Record]) -> None:
    file = HistoryFile(path, "1.0", 0)
    file.write(records)
    file.close(NOW)


class Console:
    """What a console hears from its archive."""

    def __init__(self, path: Path, own: int = 1 << 40) -> None:
        self.told: list[str] = []
        self.thread = threading.get_ident()
        self.archive = HistoryArchive(path, own, self.told.append)

    async def answer(self, ask: Callable[[Callable[[object], object]], object]) -> object:
        answers: list[object] = []

        def take(answer: object) -> None:
            assert threading.get_ident() == self.thread
            answers.append(answer)

        ask(take)
        await until(lambda: bool(answers))
        return answers[0]

    async def read(self, first: int, after: int) -> Lines:
        answer = await self.answer(lambda done: self.archive.read(range(first, after), done))
        assert isinstance(answer, Lines)
        return answer

    async def find(self, text: str, before: int = 1 << 40) -> list[str]:
        return await self.find_all(Query.parse(text, NOW), before)

    async def find_all(self, query: Query, before: int = 1 << 40) -> list[str]:
        news: list[Found] = []
        self.archive.search(query, before, news.append)
        await until(lambda: bool(news) and news[-1].ended)
        return [entry.text for each in news for entry in each.entries]


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
async def console(tmp_path: Path, tape: Tape) -> AsyncIterator[Console]:
    """One with a history of 300 lines, of which the last is of this run."""
    tape.say(*[f"line {number}" for number in range(1, 300)])
    tape.add("new", who=7, name="Eve", time=NOW + 100)
    write(tmp_path / "history", tape.all)
    console = Console(tmp_path / "history", own=300)
    yield console
    console.archive.close()


async def test_a_page_has_its_lines_with_their_numbers(console: Console) -> None:
    lines = await console.read(200, 400)
    assert (lines.oldest, lines.next) == (1, 301)
    assert [entry.number for entry in lines.entries] == [*range(200, 301)]
    assert (lines.entries[0].sender, lines.entries[0].text) == ("Ann", "line 200")
    assert (await console.read(900, 901)).entries == []


async def test_only_of_this_run_the_author_is_known(console: Console) -> None:
    lines = await console.read(299, 301)
    assert [entry.who for entry in lines.entries] == [None, 7]


async def test_lines_of_one_record_are_cut_where_the_page_ends(tmp_path: Path, tape: Tape) -> None:
    tape.add("\n".join(f"line {number}" for number in range(1, 11)))
    write(tmp_path / "history", tape.all)
    console = Console(tmp_path / "history")
    assert [entry.text for entry in (await console.read(3, 6)).entries] == ["line 3", "line 4", "line 5"]
    console.archive.close()


async def test_a_time_is_found(console: Console) -> None:
    assert await console.answer(lambda done: console.archive.at(NOW + 1, done)) == 300
    assert await console.answer(lambda done: console.archive.at(NOW + 1000, done)) is None


async def test_hits_come_newest_first_and_only_those_before(console: Console) -> None:
    assert await console.find("line 29") == [
        *[f"line {each}" for each in range(299, 289, -1)],
        "line 229",
        "line 129",
        "line 29",
    ]
    assert await console.find("line 29", before=129) == ["line 29"]
    assert await console.find("nowhere") == []


async def test_it_finds_what_the_log_would_find(tmp_path: Path, tape: Tape) -> None:
    tape.say("hello Ann", "The stream")
    tape.add("hush", Kind.PRIVATE, 2, "Bob")
    tape.add("Bob\thush yourself", Kind.SENT, 0, "Operator")
    tape.add("127.0.0.1|4711", Kind.JOINED, 3, "127.0.0.1|4711", NOW + 60)
    tape.add("Straße 5", name="Bobby", time=NOW + 120)
    write(tmp_path / "history", tape.all)
    console = Console(tmp_path / "history", own=1)
    for text, found in {
        "stream": ["The stream"],
        "STRASSE": ["Straße 5"],
        '"the stream"': ["The stream"],
        '"stream the"': [],
        "@bob": ["Straße 5", "hush yourself", "hush"],
        "@b 5": ["Straße 5"],
        "» @BOB": ["hush yourself", "hush"],
        ">>": ["hush yourself", "hush"],
        "is:join": ["127.0.0.1|4711 joined"],
        "until:1m": [],
    }.items():
        assert await console.find(text) == found, text
    query = Query(since=NOW + 30, until=NOW + 90)
    assert await console.find_all(query) == ["127.0.0.1|4711 joined"]
    assert await console.find_all(Query.of_user(2)) == ["hush"]
    console.archive.close()


async def test_of_very_many_words_all_must_be_there(tmp_path: Path, tape: Tape) -> None:
    words = [f"word{number}" for number in range(400)]
    tape.say(" ".join(words), " ".join(words[:-1]))
    write(tmp_path / "history", tape.all)
    console = Console(tmp_path / "history")
    assert await console.find(" ".join(words * 10)) == [" ".join(words)]
    assert console.told == []
    console.archive.close()


async def test_of_a_user_only_what_is_of_this_run(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Console(tmp_path / "history", own=301)
    assert await console.find_all(Query.of_user(7)) == ["new"]
    assert await later.find_all(Query.of_user(7)) == []
    later.archive.close()
    firsts: list[object] = []
    search = Reader.search

    def note(self: Reader, query: history.Query, **options: Any) -> Iterator[Line]:
        firsts.append(options["first"])
        return search(self, query, **options)

    monkeypatch.setattr(Reader, "search", note)
    await console.find_all(Query.of_user(7))
    await console.find("line")
    assert firsts == [300, 1]


async def test_what_only_the_file_has_of_an_event_is_not_found(tmp_path: Path, tape: Tape) -> None:
    tape.add("QUIT", Kind.LEFT)
    write(tmp_path / "history", tape.all)
    console = Console(tmp_path / "history")
    assert await console.find("quit") == []
    assert await console.find("is:join") == ["Ann left"]
    console.archive.close()


async def test_the_first_hit_is_told_at_once_and_the_others_some_at_a_time(console: Console) -> None:
    news: list[Found] = []
    console.archive.search(Query.parse("line", NOW), 1 << 40, news.append)
    await until(lambda: bool(news) and news[-1].ended)
    sizes = [len(each.entries) for each in news]
    assert sizes[0] == 1
    assert max(sizes) <= 200
    assert sum(sizes) == 299
    assert [each.ended for each in news] == [False] * (len(news) - 1) + [True]


async def test_what_is_not_indexed_is_told(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reader, "unindexed", 4711)
    news: list[Found] = []
    console.archive.search(Query.parse("line", NOW), 1 << 40, news.append)
    await until(lambda: bool(news) and news[-1].ended)
    assert (news[0].unindexed, news[-1].unindexed) == (4711, 0)


async def test_a_search_that_was_ended_says_nothing_more_and_lets_the_next_begin(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    search = Reader.search

    def slow(self: Reader, query: object, **options: object) -> object:
        begun.set()
        go_on.wait(10)
        # What SQLite does by itself for ever, but for its looking at whether the search was ended.
        endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t"
        self.db.execute(endless).fetchall()
        return iter(())

    monkeypatch.setattr(Reader, "search", slow)
    news: list[Found] = []
    end = console.archive.search(Query.parse("line", NOW), 1 << 40, news.append)
    await until(begun.is_set)
    monkeypatch.setattr(Reader, "search", search)
    end()
    go_on.set()
    assert await console.find("new") == ["new"]
    assert news == []
    assert console.told == []


async def test_a_search_that_was_ended_before_it_began_does_not_begin(console: Console) -> None:
    news: list[Found] = []
    for _ in range(3):
        console.archive.search(Query.parse("line", NOW), 1 << 40, news.append)()
    assert await console.find("new") == ["new"]
    assert news == []


async def test_pages_do_not_wait_for_a_search(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(Reader, "unindexed", property(lambda reader: go_on.wait(10) and 0))
    news: list[Found] = []
    console.archive.search(Query.parse("line", NOW), 1 << 40, news.append)
    assert len((await console.read(1, 11)).entries) == 10
    assert news == []
    go_on.set()
    await until(lambda: bool(news) and news[-1].ended)


async def test_another_file_in_its_place_is_read_from_then_on(
    console: Console, tmp_path: Path, tape: Tape
) -> None:
    assert (await console.read(1, 2)).entries[0].text == "line 1"
    for name in ("history", "history-wal", "history-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    tape.next = 301
    write(tmp_path / "other", [tape.add("another file")])
    os.rename(tmp_path / "other", tmp_path / "history")
    lines = await console.read(200, 400)
    assert (lines.oldest, [entry.text for entry in lines.entries]) == (301, ["another file"])


async def test_what_cannot_be_read_is_shown_and_told_once(tmp_path: Path) -> None:
    console = Console(tmp_path / "missing")
    lines = await console.read(200, 400)
    assert [(entry.number, entry.kind, entry.text) for entry in lines.entries] == [
        (200, Shown.ERROR, f"there is no file {tmp_path / 'missing'}")
    ]
    assert (lines.oldest, lines.next) == (1, 201)
    assert await console.find("x") == []
    assert await console.answer(lambda done: console.archive.at(0, done)) is None
    assert console.told == [f"there is no file {tmp_path / 'missing'}"]
    console.archive.close()


async def test_what_the_file_had_last_it_has_while_it_cannot_be_read(tmp_path: Path, tape: Tape) -> None:
    tape.next = 150
    tape.say(*[f"line {number}" for number in range(150, 301)])
    write(tmp_path / "history", tape.all)
    console = Console(tmp_path / "history")
    await console.read(200, 400)
    (tmp_path / "history").rename(tmp_path / "away")
    lines = await console.read(0, 200)
    assert (lines.oldest, lines.next, lines.entries[0].number) == (150, 151, 150)
    (tmp_path / "away").rename(tmp_path / "history")
    await console.read(200, 400)
    (tmp_path / "history").unlink()
    await console.read(200, 400)
    assert console.told == [f"there is no file {tmp_path / 'history'}"] * 2
    console.archive.close()


async def test_a_damaged_file_is_told_and_may_be_mended(console: Console, tmp_path: Path) -> None:
    good = (tmp_path / "history").read_bytes()
    (tmp_path / "history").write_bytes(b"not a database, but a text as long as one" * 99)
    assert (await console.read(1, 2)).entries[0].kind is Shown.ERROR
    assert len(console.told) == 1
    (tmp_path / "history").write_bytes(good)
    assert (await console.read(1, 2)).entries[0].text == "line 1"
    (tmp_path / "history").write_bytes(b"not a database, but a text as long as one" * 99)
    assert (await console.read(1, 2)).entries[0].kind is Shown.ERROR
    assert len(console.told) == 2


async def test_a_loop_that_is_closed_is_left_alone(tmp_path: Path, tape: Tape) -> None:
    tape.say("one")
    write(tmp_path / "history", tape.all)
    archives: list[HistoryArchive] = []

    def run() -> None:
        async def make() -> None:
            archives.append(HistoryArchive(tmp_path / "history", 1, lambda text: None))

        asyncio.run(make())

    await asyncio.to_thread(run)
    archives[0].read(range(1, 2), lambda lines: None)
    archives[0].close()
    names = ("history pages", "history searches")
    await until(lambda: not any(thread.name in names for thread in threading.enumerate()))
