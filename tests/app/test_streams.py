"""The standard streams' threads: what ends and fails for now, and what for good."""

from __future__ import annotations

import errno
import os
import pty
import queue
import re
import select
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.pipe_ends import Pipe
from support.waiting import BOUND, wait_until

from chat_console.app import streams
from chat_console.app.streams import Printer, read


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    with closing(Pipe()) as pipe:
        yield pipe


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_RETRY", 0.005)


class Reading:
    """A thread that reads, and the pieces that it has handed over."""

    def __init__(self, descriptor: int) -> None:
        self._pieces: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._read, args=(os.dup(descriptor),), daemon=True)
        self.thread.start()

    def _read(self, descriptor: int) -> None:
        read(descriptor, self._pieces.put)
        os.close(descriptor)

    def next(self) -> bytes:
        return self._pieces.get(timeout=BOUND)

    @property
    def is_empty(self) -> bool:
        return self._pieces.empty()

    def has_ended(self) -> bool:
        self.thread.join(BOUND)
        return not self.thread.is_alive()


class TestRead:
    def test_a_pipe_ends_for_good(self, pipe: Pipe) -> None:
        reading = Reading(pipe.reader.fileno())
        pipe.writer.write(b"one\n")
        assert reading.next() == b"one\n"
        pipe.writer.close()
        assert reading.next() == b""
        assert reading.has_ended()

    def test_a_file_ends_for_good(self, tmp_path: Path) -> None:
        path = tmp_path / "script"
        path.write_bytes(b"one\ntwo")
        with path.open("rb") as file:
            reading = Reading(file.fileno())
            assert [reading.next(), reading.next()] == [b"one\ntwo", b""]
            assert reading.has_ended()

    @pytest.mark.parametrize("blocking", [True, False])
    def test_a_fifo_is_read_on_whoever_writes_to_it_next(self, blocking: bool, tmp_path: Path) -> None:
        path = tmp_path / "fifo"
        os.mkfifo(path)
        fifo = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(fifo, blocking)
        reading = Reading(fifo)
        for number in range(20):
            path.write_bytes(b"line %d" % number)
            while not (piece := reading.next()):
                pass  # an end, before or behind it
            assert piece == b"line %d" % number
        assert reading.next() == b""
        assert reading.thread.is_alive()
        os.unlink(path)

    def test_between_two_writers_of_a_fifo_it_sleeps(self, tmp_path: Path) -> None:
        path = tmp_path / "fifo"
        os.mkfifo(path)
        fifo = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        reading = Reading(fifo)
        path.write_bytes(b"x")
        pieces = [reading.next()]
        while pieces[-2:] != [b"x", b""]:
            pieces.append(reading.next())
        # It waits for what it would have to write itself: the end that would wake it is not there.
        wait_until(lambda: not select.select([fifo], [], [], 0)[0])
        assert reading.is_empty

    def test_a_fifo_that_only_others_may_write_to_is_asked_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "fifo"
        os.mkfifo(path)
        fifo = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        real = os.open

        def refuse(path: str, flags: int) -> int:
            if path.startswith("/proc/self/fd/"):
                raise PermissionError(errno.EACCES, "Permission denied")
            return real(path, flags)

        monkeypatch.setattr(streams.os, "open", refuse)
        reading = Reading(fifo)
        for word in (b"one", b"two"):
            writer = real(path, os.O_WRONLY)
            os.write(writer, word)
            os.close(writer)
            while not (piece := reading.next()):
                pass
            assert piece == word

    def test_ctrl_d_on_a_terminal_ends_nothing_and_its_hangup_does(self) -> None:
        master, tty = pty.openpty()
        reading = Reading(tty)
        os.write(master, b"one\n\x04two\n\x04\x04")
        assert [reading.next() for _ in range(5)] == [b"one\n", b"", b"two\n", b"", b""]
        os.write(master, b"unfinished\x04")
        assert reading.next() == b"unfinished"
        os.close(master)
        assert reading.has_ended()
        os.close(tty)

    def test_what_another_reader_took_is_waited_for_anew(
        self, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refusals = iter([BlockingIOError(errno.EAGAIN, "Try again")] * 3)
        real = os.read

        def take(descriptor: int, size: int) -> bytes:
            for refusal in refusals:
                raise refusal
            return real(descriptor, size)

        monkeypatch.setattr(streams.os, "read", take)
        pipe.writer.write(b"one\n")
        assert Reading(pipe.reader.fileno()).next() == b"one\n"

    @pytest.mark.parametrize("code", [errno.EIO, errno.EISDIR, errno.EBADF])
    def test_what_cannot_be_read_ends_for_good(
        self, code: int, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(descriptor: int, size: int) -> bytes:
            raise OSError(code, "x")

        monkeypatch.setattr(streams.os, "read", fail)
        pipe.writer.write(b"one\n")
        read(pipe.reader.fileno(), lambda data: None)


@pytest.fixture
def complaints() -> list[str]:
    return []


class TestPrinter:
    """The thread that prints."""

    def test_what_is_printed_before_the_start_waits_for_it(self, pipe: Pipe, complaints: list[str]) -> None:
        printer = Printer(pipe.writer.fileno(), complaints.append)
        printer.print("one")
        assert not select.select([pipe.reader], [], [], 0)[0]
        printer.start()
        printer.close(BOUND)
        assert pipe.read(4) == b"one\n"

    def test_it_prints_in_order(self, pipe: Pipe, complaints: list[str]) -> None:
        printer = Printer(pipe.writer.fileno(), complaints.append)
        printer.start()
        printed = b"".join(b"%d\n" % number for number in range(1000))
        for number in range(1000):
            printer.print(str(number))
        printer.close(BOUND)
        assert pipe.read(len(printed)) == printed

    def test_what_nobody_reads_is_dropped_beyond_a_bound_and_counted(
        self, pipe: Pipe, complaints: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streams, "_MAX_UNPRINTED", 1 << 20)
        printer = Printer(pipe.writer.fileno(), complaints.append)
        printer.start()
        for _ in range(2000):
            printer.print("x" * 999)
        printer.print("two\nlines")
        printer.close(timeout=0.01)
        (complaint,) = complaints
        told = re.fullmatch(r"(\d+) lines were not printed: nobody read them", complaint)
        assert told
        kept = 2002 - int(told[1])
        assert 1 << 20 <= kept * 1000 < 2_000_000
        assert pipe.read(kept * 1000) == (b"x" * 999 + b"\n") * kept
        assert printer.close(BOUND)

    def test_when_nobody_can_read_any_more_it_says_so_once(self, pipe: Pipe, complaints: list[str]) -> None:
        pipe.reader.close()
        printer = Printer(pipe.writer.fileno(), complaints.append)
        printer.start()
        printer.print("one")
        wait_until(lambda: complaints)
        printer.print("two")
        printer.print("three")
        printer.close(BOUND)
        assert complaints == [
            "cannot print any more: Broken pipe",
            "3 lines were not printed: Broken pipe",
        ]

    def test_what_is_no_character_is_printed_as_its_number(self, pipe: Pipe, complaints: list[str]) -> None:
        printer = Printer(pipe.writer.fileno(), complaints.append)
        printer.start()
        printer.print("\udcff")
        assert pipe.read(7) == b"\\udcff\n"
        printer.close(BOUND)

    def test_a_reader_that_is_slow_gets_all_also_where_writing_does_not_block(
        self, pipe: Pipe, complaints: list[str]
    ) -> None:
        os.set_blocking(pipe.writer.fileno(), False)
        printer = Printer(pipe.writer.fileno(), complaints.append)
        printer.start()
        lines = [f"{number} {'x' * 1000}" for number in range(500)]
        for line in lines:
            printer.print(line)
        expected = "".join(line + "\n" for line in lines).encode()
        assert pipe.read(len(expected)) == expected
        printer.close(BOUND)
        assert complaints == []

    def test_a_hung_up_terminal_is_lost_for_good(self, complaints: list[str]) -> None:
        master, tty = pty.openpty()
        os.close(master)
        printer = Printer(tty, complaints.append)
        printer.start()
        printer.print("one")
        wait_until(lambda: complaints)
        assert complaints == ["cannot print any more: Input/output error"]
        assert printer.close(BOUND)
        os.close(tty)


class Disk:
    """A file on a disk that has room for so many bytes."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, *, append: bool) -> None:
        self.path = path
        self.room = 1 << 30
        self.refusals = 0
        self._write = os.write
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else 0)
        self.descriptor = os.open(path, flags, 0o600)
        monkeypatch.setattr(streams.os, "write", self.write)

    def write(self, descriptor: int, data: memoryview) -> int:
        if descriptor != self.descriptor:
            return self._write(descriptor, data)
        room = self.room - os.fstat(descriptor).st_size
        if room <= 0:
            self.refusals += 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._write(descriptor, data[:room])

    @property
    def lines(self) -> list[str]:
        return self.path.read_text().splitlines(keepends=True)


class TestFullDisk:
    @pytest.fixture(params=[True, False], ids=["append", "overwrite"])
    def disk(
        self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Disk]:
        disk = Disk(tmp_path / "log", monkeypatch, append=request.param)
        yield disk
        os.close(disk.descriptor)

    @pytest.fixture
    def printer(self, disk: Disk, complaints: list[str]) -> Iterator[Printer]:
        printer = Printer(disk.descriptor, complaints.append)
        printer.start()
        yield printer
        printer.close(BOUND)

    def test_is_told_once_and_all_is_printed_when_there_is_room(
        self, disk: Disk, printer: Printer, complaints: list[str]
    ) -> None:
        disk.room = 14
        for line in ("one", "two", "three", "four"):
            printer.print(line)
        wait_until(lambda: disk.refusals > 5)
        assert complaints == ["cannot print for now: No space left on device"]
        printer.print("five")
        disk.room = 1 << 30
        wait_until(lambda: disk.lines == ["one\n", "two\n", "three\n", "four\n", "five\n"])
        assert complaints == ["cannot print for now: No space left on device"]

    def test_holds_no_half_line(self, disk: Disk, printer: Printer) -> None:
        disk.room = len("one\nI will not")
        printer.print("one\nI will not come")
        wait_until(lambda: disk.refusals > 5)
        assert disk.lines == ["one\n"]
        disk.room = 1 << 30
        wait_until(lambda: disk.lines == ["one\n", "I will not come\n"])

    def test_is_left_as_it_is_where_somebody_else_has_written_to_it(
        self, disk: Disk, printer: Printer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streams.os, "lseek", lambda *_: 0)  # not at its end any more
        disk.room = len("one\nI will")
        printer.print("one\nI will not come")
        wait_until(lambda: disk.refusals > 5)
        assert disk.lines == ["one\n", "I will"]
        disk.room = 1 << 30
        wait_until(lambda: disk.lines == ["one\n", "I will not come\n"])

    def test_costs_the_lines_beyond_a_bound_which_are_counted(
        self, disk: Disk, printer: Printer, complaints: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streams, "_MAX_UNPRINTED", 1 << 10)
        disk.room = 0
        for number in range(200):
            printer.print(f"{number:03} {'x' * 95}")
        wait_until(lambda: disk.refusals > 2)
        disk.room = 1 << 30
        wait_until(lambda: len(complaints) == 2)
        told = re.fullmatch(r"(\d+) lines were not printed: No space left on device", complaints[1])
        assert told
        printed = 200 - int(told[1])
        assert 10 <= printed <= 12
        assert [line[:3] for line in disk.lines] == [f"{number:03}" for number in range(printed)]
        printer.print("and on")
        wait_until(lambda: disk.lines[-1] == "and on\n")

    def test_keeps_nobody_from_ending_and_what_it_lacks_is_counted(
        self, disk: Disk, complaints: list[str]
    ) -> None:
        printer = Printer(disk.descriptor, complaints.append)
        printer.start()
        disk.room = len("one\ntw")
        printer.print("one\ntwo\nthree")
        wait_until(lambda: disk.refusals > 2)
        printer.print("four")
        assert printer.close(BOUND)
        assert complaints[1:] == ["3 lines were not printed: No space left on device"]
        assert disk.lines == ["one\n"]

    def test_gets_what_waits_when_there_is_room_just_before_the_end(
        self, disk: Disk, complaints: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(streams, "_RETRY", BOUND)
        printer = Printer(disk.descriptor, complaints.append)
        printer.start()
        disk.room = 0
        printer.print("one")
        wait_until(lambda: disk.refusals)
        disk.room = 1 << 30
        printer.close(BOUND)
        assert disk.lines == ["one\n"]

    def test_that_comes_and_goes_is_told_once_a_minute_at_most(
        self, disk: Disk, printer: Printer, complaints: list[str]
    ) -> None:
        for number in range(1, 6):
            disk.room, before = 0, disk.refusals
            printer.print(str(number))
            wait_until(lambda before=before: disk.refusals > before)
            disk.room = 1 << 30
            wait_until(lambda number=number: disk.lines[-1:] == [f"{number}\n"])
        assert complaints == ["cannot print for now: No space left on device"]
