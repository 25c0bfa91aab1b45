"""What of a client's input has its turn, and when: pure, with the clock handed in."""

from __future__ import annotations

import sys
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.server.room.entries import Line
from chat_console.server.settings import Settings
from chat_console.server.wire.inbox import Inbox

IDLE = 1000.0  # when it all begins


def inbox(**settings: Any) -> Inbox:
    return Inbox(Settings(**settings), IDLE)


def give(inbox: Inbox, data: bytes, now: float = IDLE) -> None:
    inbox.charge(len(data), now)
    inbox.receive(data)


class Sender:
    """A client that always has something to send, and a server that reads it as the inbox allows."""

    def __init__(self, inbox: Inbox, data: bytes) -> None:
        self.inbox = inbox
        self.left = data
        self.now = IDLE
        self.lines: list[tuple[float, Line]] = []
        self.reads: list[tuple[float, int]] = []

    def step(self) -> None:
        """Take what has its turn, read what may be read, or else let time pass."""
        self.lines += [(self.now, line) for line in self.inbox.ready(self.now)]
        if self.left and (room := self.inbox.room(self.now)):
            data, self.left = self.left[:room], self.left[room:]
            self.reads.append((self.now, len(data)))
            give(self.inbox, data, self.now)
            if not self.left:
                self.inbox.end()
        else:
            wait = self.inbox.wait(self.now)
            assert wait > 0 or self.inbox.waits or not self.left
            self.now += wait

    def run(self) -> None:
        while not self.inbox.is_done:
            self.step()

    def read_until(self, seconds: float) -> int:
        return sum(count for at, count in self.reads if at <= IDLE + seconds)

    def said_until(self, seconds: float) -> int:
        return sum(at <= IDLE + seconds for at, _ in self.lines)


class TestRate:
    def test_of_lines_is_a_burst_of_20_and_then_5_a_second(self) -> None:
        sender = Sender(inbox(), b"x\n" * 200)
        sender.run()
        assert [sender.said_until(at) for at in (0, 1, 10, 36)] == [20, 25, 70, 200]

    def test_of_bytes_is_a_burst_of_8_kib_and_then_2_kib_a_second(self) -> None:
        sender = Sender(inbox(), (b"x" * 2000 + b"\n") * 100)
        sender.run()
        assert sender.read_until(0) == 8192
        assert 8192 + 10 * 2048 - 512 <= sender.read_until(10) <= 8192 + 10 * 2048
        assert len(sender.lines) == 100

    @pytest.mark.parametrize(("rate", "burst"), [(1, 1), (100, 1000), (0.01, 3)])
    def test_of_bytes_follows_that_of_lines(self, rate: float, burst: int) -> None:
        sender = Sender(inbox(rate=rate, burst=burst), b"." * int(burst * 410 + rate * 4100))
        sender.run()
        assert sender.read_until(0) == min(int(burst * 409.6), 1 << 16) or burst * 409.6 > 1 << 16
        assert sender.read_until(10) <= burst * 409.6 + rate * 4096

    @pytest.mark.parametrize(
        "nothing", [b"\n", b"\r\n", b"\x1b\r", b"\x07\n", b"\xff\xf1\n", b"\r", b"\xe2\x80\x8b\n"]
    )
    def test_counts_a_line_whatever_is_left_of_it(self, nothing: bytes) -> None:
        sender = Sender(inbox(), nothing * 100 + b"hello\n")
        sender.run()
        assert sender.lines[-1] == (pytest.approx(IDLE + (101 - 20) / 5, abs=0.3), "hello")

    def test_counts_bytes_that_are_no_text(self) -> None:
        sender = Sender(inbox(), b"\xff\xf1" * 50_000 + b"hello\n")
        sender.run()
        assert sender.lines[-1][0] >= IDLE + (100_000 - 8192) / 2048

    def test_of_0_limits_nothing(self) -> None:
        sender = Sender(inbox(rate=0), b"x\n" * 100_000)
        sender.run()
        assert sender.lines == [(IDLE, "x")] * 100_000

    @given(
        st.lists(st.sampled_from([b"x", b"\n", b"\r\n", b"\r", b"/nick A\n", b"/list\n", b"\xff\xf1", b"/"])),
        st.sampled_from([0, 0.5, 5]),
        st.integers(1, 8),
    )
    def test_changes_nothing_of_the_lines_but_when_they_come(
        self, pieces: list[bytes], rate: float, burst: int
    ) -> None:
        data = b"".join(pieces) + b"."
        slow, free = Sender(inbox(rate=rate, burst=burst), data), Sender(inbox(rate=0), data)
        slow.run()
        free.run()
        assert [line for _, line in slow.lines] == [line for _, line in free.lines]


class TestHolding:
    def test_takes_little_memory_whatever_comes(self) -> None:
        held = inbox()
        give(held, b"x\n" * 10)
        held.ready(IDLE)
        tracemalloc.start()
        try:
            for data in (b"a\n" * 4096, "\N{GRINNING FACE}".encode() * 2048, b"/nick A\n" * 1024):
                held = inbox()
                give(held, data)
                held.ready(IDLE)
            assert tracemalloc.get_traced_memory()[1] < 128 << 10
        finally:
            tracemalloc.stop()
        assert sys.getsizeof(held) < 256

    def test_ends_with_the_unfinished_last_line(self) -> None:
        held = inbox(burst=1)
        give(held, b"one\ntwo\nunfinished")
        held.end()
        assert held.ready(IDLE) == ["one"]
        assert not held.is_done
        assert held.ready(IDLE + 0.2) == ["two"]
        assert not held.is_done
        assert held.ready(IDLE + 0.4) == ["unfinished"]
        assert held.is_done

    def test_that_is_given_up_is_counted(self) -> None:
        held = inbox(burst=2)
        give(held, b"1\n2\n/nick A\n4\r\n5\r")
        assert held.ready(IDLE) == ["1", "2"]
        assert held.drop() == 3
        held.end()
        held.ready(IDLE)
        assert held.is_done

    def test_of_a_line_that_is_framed_and_too_dear_for_now_is_counted(self) -> None:
        held = inbox(burst=2)
        give(held, b"1\n/nick A\n")
        assert held.ready(IDLE) == ["1"]
        assert held.drop() == 1


class TestLengthyAnswer:
    @pytest.mark.parametrize("rate", [0, 5])
    def test_is_waited_for_by_the_lines_behind(self, rate: float) -> None:
        asking = inbox(rate=rate)
        give(asking, b"one\n/list\n/LIST\nhttp://x/list\nlast\n")
        taken = [asking.ready(IDLE) for _ in range(3)]
        assert taken == [["one", "/list"], ["/LIST"], ["http://x/list", "last"]]
        assert not asking.waits

    def test_keeps_its_author_from_being_read(self) -> None:
        asking = inbox(rate=0)
        give(asking, b"/list\nbehind\n")
        asking.ready(IDLE)
        assert asking.room(IDLE) == 0
        assert asking.wait(IDLE) == 0
        assert asking.ready(IDLE) == ["behind"]
        assert asking.room(IDLE)

    def test_is_known_also_where_the_command_comes_in_pieces(self) -> None:
        asking = inbox(rate=0)
        give(asking, b"hello\n/li")
        assert asking.ready(IDLE) == ["hello"]
        give(asking, b"st\nbehind\n")
        assert asking.ready(IDLE) == ["/list"]
        assert asking.ready(IDLE) == ["behind"]
