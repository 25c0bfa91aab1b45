"""The log file: every line once, whatever becomes of the file and the disk."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.records import NOW, Tape

from chat_console.app import log_file as module
from chat_console.app.log_file import LogFile
from chat_console.app.recorded import logged_json, logged_text
from chat_console.server.history.place import HistoryError, Moved
from chat_console.server.history.records import Kind, Record
from chat_console.server.history.setback import Trouble

DAY = 86_400.0


def plain(record: Record, address: str) -> str:
    return "".join(f"{line}\n" for line in record.text.split("\n"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.log"


@pytest.fixture
def log(path: Path) -> Iterator[LogFile]:
    log = LogFile(path, plain, clock=lambda: 0.0)
    yield log
    log.close(NOW)


@pytest.fixture
def tape() -> Tape:
    return Tape()


def test_lines_are_added_to_what_is_there(path: Path, tape: Tape) -> None:
    for word in ("one", "two"):
        log = LogFile(path, plain)
        log.write(tape.say(f"{word}\nmore", "last"))
        log.close(NOW)
    assert path.read_text() == "one\nmore\nlast\ntwo\nmore\nlast\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_in_the_file_already_is_not_written_again(path: Path, log: LogFile, tape: Tape) -> None:
    log.write(tape.say("one"))
    tape.say("two")
    log.write(tape.all)
    assert path.read_text() == "one\ntwo\n"


def test_a_file_that_was_moved_is_complete_and_another_is_begun(path: Path, log: LogFile, tape: Tape) -> None:
    log.write(tape.say("one"))
    path.rename(path.with_name("chat.log.1"))
    with pytest.raises(Moved):
        log.write(tape.say("two"))
    log.reopen()
    log.write(tape.all)
    assert path.with_name("chat.log.1").read_text() == "one\n"
    assert path.read_text() == "two\n"


def test_a_file_that_was_emptied_is_written_from_its_start(path: Path, log: LogFile, tape: Tape) -> None:
    log.write(tape.say("one"))
    os.truncate(path, 0)
    log.write(tape.say("two"))
    assert path.read_text() == "two\n"


def test_a_link_is_followed(path: Path, tape: Tape) -> None:
    path.symlink_to("target.log")
    log = LogFile(path, plain)
    log.write(tape.say("one"))
    log.close(NOW)
    assert path.with_name("target.log").read_text() == "one\n"


def test_a_file_for_each_day(tmp_path: Path, tape: Tape) -> None:
    log = LogFile(tmp_path / "chat-{date}.log", plain)
    for day in (0, 0, 1, 1, 2):
        tape.add(f"day {day}", time=NOW + day * DAY)
    log.write(tape.all[:3])
    log.write(tape.all[3:])
    log.close(NOW)
    found = {each.name: each.read_text() for each in tmp_path.iterdir() if each.stat().st_size}
    names = [time.strftime("chat-%Y-%m-%d.log", time.localtime(NOW + day * DAY)) for day in range(3)]
    assert found == dict(zip(names, ("day 0\nday 0\n", "day 1\nday 1\n", "day 2\n"), strict=True))


def test_of_several_days_each_is_written_once_whatever_fails(
    tmp_path: Path, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LogFile(tmp_path / "chat-{date}.log", plain)
    for day in (0, 1):
        tape.add(f"day {day}", time=NOW + day * DAY)
    second = tmp_path / time.strftime("chat-%Y-%m-%d.log", time.localtime(NOW + DAY))
    second.mkdir()
    for _ in range(2):
        with pytest.raises(Trouble):
            log.write(tape.all)
        with pytest.raises(HistoryError, match=r"is not a regular file$"):
            log.reopen()
    second.rmdir()
    log.reopen()
    log.write(tape.all)
    log.close(NOW)
    assert sorted(each.read_text() for each in tmp_path.iterdir() if each.stat().st_size) == [
        "day 0\n",
        "day 1\n",
    ]


@pytest.mark.parametrize("room", [0, 4, 9])
def test_a_full_disk_leaves_no_half_of_a_line(
    path: Path, log: LogFile, tape: Tape, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    log.write(tape.say("before"))
    write = os.write

    def full(file: int, data: bytes) -> int:
        if path.stat().st_size >= len("before\n") + room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[:3])

    with monkeypatch.context() as context:
        context.setattr(os, "write", full)
        with pytest.raises(Trouble, match=r"^the disk is full$") as caught:
            log.write(tape.say("one", "two", "three"))
    assert not caught.value.reopen
    assert path.read_text() == "before\n"
    log.write(tape.all)
    assert path.read_text() == "before\none\ntwo\nthree\n"


def test_another_trouble_is_told_in_the_systems_words(
    log: LogFile, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "write", failing)
    with pytest.raises(Trouble, match=r"chat\.log cannot be written \(Input/output error\)$") as caught:
        log.write(tape.say("one"))
    assert caught.value.reopen


def a_folder(path: Path) -> None:
    path.mkdir()


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [a_folder, a_fifo])
def test_what_is_no_file_is_refused(path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    with pytest.raises(HistoryError, match=r"chat\.log is not a regular file$"):
        LogFile(path, plain)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"^cannot open .*chat\.log: No such file or directory$"):
        LogFile(tmp_path / "none" / "chat.log", plain)


def test_a_file_is_for_one_server(path: Path, log: LogFile) -> None:
    with pytest.raises(HistoryError, match=r"is in use by another chat-console; .* with --log$"):
        LogFile(path, plain)


def test_what_is_written_is_made_safe_after_a_second(
    path: Path, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, synced = [10.0], list[int]()
    log = LogFile(path, plain, clock=lambda: clock[0])
    told: list[str] = []
    assert log.tend(told.append, is_quiet=True) is None
    log.write(tape.say("one"))

    def failing(file: int) -> None:
        synced.append(file)
        if len(synced) == 1:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module.os, "fsync", failing)
    assert log.tend(told.append, is_quiet=True) == 1.0
    clock[0] += 1
    assert log.tend(told.append, is_quiet=True) == 1.0
    clock[0] += 1
    assert log.tend(told.append, is_quiet=True) is None
    assert len(synced) == 2
    log.close(NOW)


def test_text_has_a_time_with_its_zone() -> None:
    tape = Tape()
    tape.add("hello\nagain", name="Ann")
    tape.add("KICKED\tbe polite", Kind.LEFT)
    lines = "".join(logged_text(record, "192.0.2.1|4711") for record in tape.all).splitlines()
    stamp = lines[0][:25]
    assert time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(NOW)) == stamp[:19]
    assert stamp[19] in "+-"
    assert [line[25:] for line in lines] == [
        "   Ann: hello",
        "   Ann: again",
        " - Ann left (kicked: be polite)",
    ]


@pytest.mark.parametrize("text", ['a "text": b', "漢字", ', "text": "'])
def test_json_has_an_object_for_each_line(text: str) -> None:
    tape = Tape()
    tape.add(f"{text}\nsecond {text}", name="Ann")
    first, second = map(json.loads, logged_json(tape.all[0], "192.0.2.1|4711").splitlines())
    assert {**first, "time": ""} == {
        "time": "",
        "kind": "said",
        "user": "Ann",
        "address": "192.0.2.1|4711",
        "text": text,
    }
    assert second == {**first, "text": f"second {text}"}


def test_json_knows_the_address_of_everybody_who_is_here(path: Path, tape: Tape) -> None:
    log = LogFile(path, logged_json)
    tape.add("192.0.2.1|4711", Kind.JOINED, 7, "192.0.2.1|4711")
    tape.add("hello", who=7)
    tape.add("QUIT", Kind.LEFT, 7)
    log.write(tape.all)
    log.close(NOW)
    assert [json.loads(line)["address"] for line in path.read_text().splitlines()] == ["192.0.2.1|4711"] * 3
