"""The recorder: the chat never waits for it, and nothing is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from support.records import numbered
from support.waiting import until

from chat_console.server.history import recorder as module
from chat_console.server.history.place import HistoryError, Moved
from chat_console.server.history.recorder import Recorder
from chat_console.server.history.records import Kind, Record
from chat_console.server.history.setback import Trouble
from chat_console.server.room.events import Event, Messaged, OperatorSaid, Recording, Replied, Said


class File:
    """A destination in memory, which fails as long as `problem` is set."""

    what = "history"
    path = Path("chat.db")

    def __init__(self, next: int = 1) -> None:  # noqa: A002
        self.next = next
        self.written: list[Record] = []
        self.problem: Exception | None = None
        self.stuck = threading.Event()
        self.stuck.set()
        self.batches: list[int] = []
        self.tended: list[bool] = []
        self.told: list[str] = []
        self.ended: float | None = None
        self.attempts = self.reopened = 0
        self.due: float | None = None
        self.after_reopening = 0
        self.always_moved = False

    def write(self, records: Sequence[Record]) -> None:
        self.stuck.wait()
        self.attempts += 1
        if self.problem is not None:
            raise self.problem
        self.written += records
        self.batches.append(len(records))
        self.next = records[-1].serial + records[-1].lines

    def reopen(self) -> bool:
        self.reopened += 1
        if isinstance(self.problem, HistoryError):
            raise self.problem
        if isinstance(self.problem, Moved) and not self.always_moved:
            self.problem = None
        self.next = max(self.next, self.after_reopening)
        return bool(self.after_reopening)

    def tend(self, tell: Callable[[str], object], *, is_quiet: bool) -> float | None:
        self.tended.append(is_quiet)
        for text in self.told:
            tell(text)
        self.told.clear()
        return self.due

    def close(self, ended: float) -> None:
        self.ended = ended
        if isinstance(self.problem, Trouble):
            raise self.problem


class Desk:
    """A recorder, its file, and what the operator is told."""

    def __init__(self, file: File, *, private: bool = False) -> None:
        self.file = file
        self.told: list[Recording] = []
        self.recorder = Recorder(file, self.told.append, private=private)
        self.said: list[str] = []

    def say(self, *texts: str, at: float | None = None) -> int:
        self.said += texts
        return self.recorder.take(Said(time.time() if at is None else at, 1, "Ann", texts))

    @property
    def lines(self) -> list[str]:
        return [line for _, line in numbered(self.file.written)]

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.told]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk(File())
    yield desk
    desk.file.stuck.set()
    desk.file.problem = None
    await desk.recorder.close()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for a second."""
    monkeypatch.setattr("chat_console.server.history.setback._FIRST_RETRY", 0.01)
    monkeypatch.setattr("chat_console.server.history.setback._LAST_RETRY", 0.02)
    monkeypatch.setattr("chat_console.server.history.setback._PATIENT_RETRY", 0.01)


async def test_lines_are_numbered_and_written_in_their_order(desk: Desk) -> None:
    assert [desk.say("one"), desk.say("two", "three"), desk.say("four")] == [1, 3, 4]
    await until(lambda: desk.lines == ["one", "two", "three", "four"])
    assert numbered(desk.file.written) == [(1, "one"), (2, "two"), (3, "three"), (4, "four")]


async def test_numbers_go_on_where_the_file_ends() -> None:
    desk = Desk(File(next=1000))
    assert desk.say("one") == 1000
    await desk.recorder.close()
    assert desk.file.written[0].serial == 1000


async def test_lines_are_gathered_before_they_are_written(desk: Desk) -> None:
    for number in range(100):
        desk.say(str(number))
    await until(lambda: len(desk.file.written) == 100)
    assert len(desk.file.batches) == 1


@pytest.mark.parametrize("at", [0.0, 1e12])
async def test_a_clock_that_is_wrong_delays_nothing_for_long(desk: Desk, at: float) -> None:
    desk.say("one", at=at)
    await until(lambda: desk.lines == ["one"])


async def test_an_event_of_many_lines_becomes_several_records(desk: Desk) -> None:
    texts = [str(number) for number in range(600)]
    assert desk.say(*texts) == 600
    await until(lambda: desk.lines == texts)
    assert [record.lines for record in desk.file.written] == [256, 256, 88]
    assert [record.serial for record in desk.file.written] == [1, 257, 513]


async def test_a_batch_is_no_larger_than_it_should_be(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 1000)
    for number in range(10):
        desk.say("x" * 200 + str(number))
    desk.say("y" * 5000)
    desk.say("z")
    await until(lambda: len(desk.file.written) == 12)
    assert desk.file.batches == [2, 2, 2, 2, 2, 1, 1]


async def test_what_is_for_one_console_alone_is_not_recorded(desk: Desk) -> None:
    events: list[Event] = [Messaged(1, 1, "Ann", "psst"), Replied(1, 1, "no users")]
    assert [desk.recorder.take(event) for event in events] == [0, 0]
    desk.say("aloud")
    await until(lambda: desk.lines == ["aloud"])


async def test_private_lines_are_recorded_if_that_is_asked_for() -> None:
    desk = Desk(File(), private=True)
    desk.recorder.take(Messaged(1, 1, "Ann", "psst"))
    await desk.recorder.close()
    assert desk.lines == ["psst"]


async def test_the_loop_never_waits_for_the_disk(desk: Desk) -> None:
    desk.file.stuck.clear()
    desk.say("one")
    await until(lambda: not desk.recorder._queue)  # pyright: ignore[reportPrivateUsage] - the thread is stuck
    for number in range(1000):
        desk.say(str(number))
    desk.file.stuck.set()
    await until(lambda: desk.lines == desk.said)


class TestWhenTheFileCannotBeWritten:
    async def test_lines_wait_and_are_written_later(self, desk: Desk) -> None:
        desk.file.problem = Trouble("the disk is full", reopen=False)
        desk.say("one", "two")
        await until(lambda: desk.told)
        desk.say("three")
        desk.file.problem = None
        await until(lambda: len(desk.told) == 2)
        assert desk.lines == desk.said
        assert desk.texts == [
            "The history is not written: the disk is full. 2 lines wait in memory.",
            "The history is written again: 3 lines that waited went to chat.db.",
        ]
        assert [event.ok for event in desk.told] == [False, True]
        assert desk.file.reopened == 0

    async def test_the_file_is_opened_anew_if_that_may_help(self, desk: Desk) -> None:
        desk.file.problem = Trouble("it is damaged")
        desk.say("one")
        await until(lambda: desk.file.reopened > 1)
        desk.file.problem = None
        await until(lambda: desk.lines == ["one"])

    async def test_a_file_that_cannot_be_opened_anew_is_tried_again(self, desk: Desk) -> None:
        desk.file.problem = Trouble("it is damaged")
        desk.say("one")
        await until(lambda: desk.told)
        desk.file.problem = HistoryError("chat.db is no database")
        await until(lambda: desk.file.reopened > 2)
        desk.file.problem = None
        await until(lambda: desk.lines == ["one"])

    async def test_what_does_not_fit_into_memory_leaves_a_gap_of_its_size(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MOST_WAITING", 5_000)
        desk.file.problem = Trouble("the disk is full", reopen=False)
        numbers = [desk.say("x" * 800 + str(number)) for number in range(10)]
        kept = sum(map(bool, numbers))
        assert numbers == [*range(1, kept + 1), *[0] * (10 - kept)]
        desk.say("and", "two more")
        await until(lambda: any(f"{12 - kept} lines are not kept" in text for text in desk.texts))
        desk.file.problem = None
        await until(lambda: len(desk.file.written) == kept)
        assert desk.say("again") == kept + 2
        await until(lambda: desk.lines[-1] == "again")
        gap = desk.file.written[kept]
        assert (gap.kind, gap.text, gap.serial, gap.lines) == (Kind.GAP, str(12 - kept), kept + 1, 1)
        assert desk.lines == [*desk.said[:kept], str(12 - kept), "again"]
        assert desk.texts[-1].endswith(f"{12 - kept} lines were not kept.")

    async def test_a_gap_at_the_end_is_recorded_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST_WAITING", 0)
        desk = Desk(File())
        desk.file.problem = Trouble("the disk is full", reopen=False)
        desk.say("one")
        desk.say("two")
        desk.file.problem = None
        await desk.recorder.close()
        assert desk.lines == ["one", "1"]

    async def test_another_programs_lock_is_told_only_if_it_stays(self, desk: Desk) -> None:
        desk.file.problem = Trouble("another program has locked it", is_passing=True, reopen=False)
        desk.say("one")
        await until(lambda: desk.file.attempts > 3)
        desk.file.problem = None
        await until(lambda: desk.lines == ["one"])
        assert desk.told == []

    async def test_a_fault_of_its_own_is_told_and_ends_nothing(self, desk: Desk) -> None:
        desk.file.problem = ZeroDivisionError("division by zero")
        desk.say("one")
        await until(lambda: desk.told)
        assert "an internal error (ZeroDivisionError: division by zero)" in desk.texts[0]
        desk.file.problem = None
        await until(lambda: desk.lines == ["one"])


class TestWhenTheFileIsTakenAway:
    async def test_another_is_begun_and_nothing_is_missing(self, desk: Desk) -> None:
        desk.say("one")
        await until(lambda: desk.lines == ["one"])
        desk.file.problem = Moved()
        desk.say("two")
        await until(lambda: desk.lines == ["one", "two"])
        assert desk.texts == ["chat.db was moved or deleted: a new one was begun."]
        assert [record.serial for record in desk.file.written] == [1, 2]

    async def test_the_numbers_go_on_after_those_of_the_one_that_is_there(self, desk: Desk) -> None:
        desk.say("one")
        await until(lambda: desk.lines == ["one"])
        desk.file.after_reopening = 500
        desk.file.problem = Moved()
        desk.say("two", "three")
        desk.say("four")
        await until(lambda: desk.lines == ["one", "two", "three", "four"])
        assert [record.serial for record in desk.file.written] == [1, 500, 502]
        await until(lambda: desk.told)
        assert desk.say("five") == 503
        await until(lambda: desk.lines[-1] == "five")
        assert desk.file.written[-1].serial == 503

    async def test_again_and_again_that_is_a_trouble_like_others(self, desk: Desk) -> None:
        desk.file.always_moved = True
        desk.file.problem = Moved()
        desk.say("one")
        await until(lambda: len(desk.told) > 1)
        assert (
            desk.texts[1]
            == "The history is not written: chat.db was moved or deleted. 1 line waits in memory."
        )
        desk.file.problem = None
        await until(lambda: desk.lines == ["one"])

    async def test_what_is_in_the_file_already_keeps_its_numbers(self, desk: Desk) -> None:
        """A commit may fail after it was written, and the same file is opened anew."""
        desk.file.problem = Trouble("it cannot be opened")
        desk.say("one", "two")
        await until(lambda: desk.file.reopened > 1)
        desk.file.next = 3
        desk.file.problem = None
        await until(lambda: desk.lines == ["one", "two"])
        assert desk.file.written[0].serial == 1


class TestWhatIsDueFromTimeToTime:
    async def test_is_done_after_each_batch_and_when_it_asks_for_it(self, desk: Desk) -> None:
        desk.file.due = 0.001
        desk.say("one")
        await until(lambda: len(desk.file.tended) > 5)
        assert all(desk.file.tended)
        desk.file.due = None

    async def test_is_told_when_there_is_no_time(self, desk: Desk) -> None:
        for _ in range(5):
            desk.say(*["hello"] * 300)
        await until(lambda: desk.file.tended)
        assert desk.file.tended[0] is False

    async def test_may_have_something_to_tell(self, desk: Desk) -> None:
        desk.file.told.append("a part of the index was damaged")
        desk.say("one")
        await until(lambda: desk.told)
        assert (desk.told[0].ok, desk.texts) == (True, ["a part of the index was damaged"])


class TestTheEnd:
    async def test_comes_when_everything_is_written(self) -> None:
        desk = Desk(File())
        for number in range(2000):
            desk.say(str(number))
        began_at = time.time()
        assert await desk.recorder.close() == ""
        assert desk.lines == desk.said
        assert desk.file.ended is not None and desk.file.ended >= began_at

    async def test_is_not_kept_waiting_by_a_disk_that_hangs(self) -> None:
        desk = Desk(File())
        desk.file.stuck.clear()
        desk.say("one", "two")
        text = await desk.recorder.close(patience=0.05)
        assert text == "The history is not complete: 2 lines could not be written."
        desk.file.stuck.set()
        await until(lambda: desk.file.ended)

    async def test_is_not_kept_waiting_by_a_disk_that_is_full(self) -> None:
        desk = Desk(File())
        desk.file.problem = Trouble("the disk is full", reopen=False)
        desk.say("one")
        assert await desk.recorder.close(patience=0.05) == (
            "The history is not complete: 1 line could not be written."
        )
        await until(lambda: desk.file.ended)

    async def test_comes_at_once_if_nobody_waits(self) -> None:
        desk = Desk(File())
        desk.file.stuck.clear()
        desk.say("one")
        closing = asyncio.create_task(desk.recorder.close())
        await asyncio.sleep(0)
        desk.recorder.abort()
        assert "1 line could not be written" in await closing
        desk.file.stuck.set()
        await until(lambda: desk.file.ended)

    async def test_writes_what_could_not_be_written_until_then(self) -> None:
        desk = Desk(File())
        desk.file.problem = Trouble("the disk is full", reopen=False)
        desk.say("one")
        await until(lambda: desk.told)
        desk.file.problem = None
        assert await desk.recorder.close() == ""
        assert desk.lines == ["one"]

    async def test_of_the_loop_does_not_matter_to_the_thread(self) -> None:
        desk = Desk(File())
        await desk.recorder.close()
        assert await desk.recorder.close() == ""

    async def test_with_a_file_that_cannot_be_closed_is_told(self) -> None:
        desk = Desk(File())
        desk.say("one")
        await until(lambda: desk.lines == ["one"])
        desk.file.problem = Trouble("the disk is full", reopen=False)
        await desk.recorder.close()
        await until(lambda: desk.texts == ["The history is not written: the disk is full."])


async def test_what_an_operator_says_is_one_line(desk: Desk) -> None:
    assert desk.recorder.take(OperatorSaid(time.time(), "Operator", "good evening")) == 1
    await until(lambda: desk.lines == ["good evening"])
    assert desk.file.written[0].kind is Kind.OPERATOR_SAID
