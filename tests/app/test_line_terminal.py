"""A line typed below what is printed: what reaches the terminal, and that its modes are given back."""

from __future__ import annotations

import os
import pty
import select
import termios
from collections.abc import Iterator
from contextlib import closing

import pyte
import pyte.modes
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pipe_ends import Pipe
from support.waiting import BOUND, until

from chat_console.app.line_terminal import LineTerminal, TerminalPrinter
from chat_console.app.typed_line import TypedLine

ERASE = b"\r\x1b[K"


class Painted(TerminalPrinter):
    """A printer whose writes are taken one by one, where its thread would."""

    def __init__(self) -> None:
        super().__init__(-1, lambda problem: None)

    def written(self) -> bytes:
        """What is written next; nothing if there is nothing to write."""
        return self._next() if self._waiting or self._row != self._painted else b""


class TestTerminalPrinter:
    def test_without_a_row_it_writes_lines_as_they_are(self) -> None:
        printer = Painted()
        printer.print("one")
        printer.print("two\nthree")
        assert printer.written() == b"one\ntwo\nthree\n"

    def test_what_is_typed_at_the_end_is_written_alone_as_an_echo_would_be(self) -> None:
        printer = Painted()
        written: list[bytes] = []
        for row in ("h", "hi", "hi!"):
            printer.show(row)
            written.append(printer.written())
        printer.show("", "hi!")
        assert [*written, printer.written()] == [b"h", b"i", b"!", b"\n"]

    def test_lines_are_written_above_the_row(self) -> None:
        printer = Painted()
        printer.show("half")
        printer.written()
        printer.print("one\ntwo")
        assert printer.written() == ERASE + b"one\ntwo\nhalf"
        printer.show("hal")
        assert printer.written() == ERASE + b"hal"
        printer.show("")
        assert printer.written() == ERASE

    def test_a_row_that_is_gone_is_not_erased(self) -> None:
        printer = Painted()
        printer.show("half")
        printer.written()
        printer.leave()
        printer.print("one")
        assert printer.written() == b"one\n"

    def test_what_others_left_in_the_row_is_erased(self) -> None:
        printer = Painted()
        printer.overwrite()
        assert printer.written() == ERASE
        printer.overwrite()
        printer.print("one")
        printer.show("half")
        assert printer.written() == ERASE + b"one\nhalf"

    def test_what_waits_is_written_in_pieces_so_that_an_echo_follows_soon(self) -> None:
        printer = Painted()
        lines = [f"{number} {'x' * 500}" for number in range(100)]
        printer.show("half")
        for start in range(0, 100, 20):
            printer.print("\n".join(lines[start : start + 20]))
        printer.print("y" * 10_000)
        pieces: list[bytes] = []
        while piece := printer.written():
            assert piece.endswith(b"\nhalf")
            pieces.append(piece.removeprefix(ERASE).removesuffix(b"half"))
        assert max(map(len, pieces[:-1])) <= 4096
        assert b"".join(pieces).decode().splitlines() == [*lines, "y" * 10_000]

    @given(
        st.lists(
            st.tuples(
                st.lists(st.text("ab\N{CJK UNIFIED IDEOGRAPH-6F22}", max_size=15), max_size=3),
                st.sampled_from(["a", "ab", "b ", "漢", "\x7f", "\x1b[D", "\x1b[H", "\x15", "\r"]),
                st.booleans(),
            ),
            max_size=15,
        )
    )
    def test_the_row_stands_below_the_lines_whatever_comes_in_which_order(
        self, events: list[tuple[list[str], str, bool]]
    ) -> None:
        printer, line, screen = Painted(), TypedLine(100), pyte.Screen(16, 100)
        screen.set_mode(pyte.modes.LNM)  # the system makes CR LF of LF
        stream = pyte.ByteStream(screen)
        printed: list[str] = []
        for lines, keys, at_once in events:
            for text in lines:
                printer.print(text)
            sent = line.feed(keys.encode())
            printer.show(line.row(16), *sent)
            printed += [*lines, *sent]
            while not at_once and (data := printer.written()):
                stream.feed(data)
        while data := printer.written():
            stream.feed(data)
        expected = pyte.Screen(16, 100)
        expected.set_mode(pyte.modes.LNM)
        pyte.Stream(expected).feed("".join(f"{text}\n" for text in printed) + line.row(16))
        assert screen.display == expected.display
        assert (screen.cursor.x, screen.cursor.y) == (expected.cursor.x, expected.cursor.y)

    def test_a_closed_one_writes_all_and_counts_nothing_as_lost(self) -> None:
        complaints: list[str] = []
        pipe = Pipe()
        with closing(pipe):
            printer = TerminalPrinter(pipe.writer.fileno(), complaints.append)
            printer.show("half")
            printer.start()
            printer.print("one")
            printer.show("")
            assert printer.close(timeout=20)
            assert pipe.read(4).endswith(b"one\n")
        assert complaints == []
        assert printer._size == 0  # a row takes nothing from what may wait


@pytest.fixture
def tty() -> Iterator[tuple[int, int]]:
    """The ends of a terminal that is nobody's controlling one: ours, and the program's."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


class TestLineTerminal:
    async def test_it_takes_the_terminal_and_gives_it_back(self, tty: tuple[int, int]) -> None:
        master, slave = tty
        before = termios.tcgetattr(slave)
        printer = TerminalPrinter(slave, lambda problem: None)
        terminal = LineTerminal(slave, printer, TypedLine(100))
        assert terminal.feed(b"read before") is None
        terminal.start()
        assert not termios.tcgetattr(slave)[3] & (termios.ECHO | termios.ICANON)
        assert termios.tcgetattr(slave)[3] & termios.ISIG
        assert terminal.feed(b"one\rha") == ["one"]
        terminal.clear()
        assert terminal.feed(b"too late") is None
        printer.start()
        assert printer.close(timeout=20)
        assert os.read(master, 100) == b"one\r\n"
        terminal.close()
        assert termios.tcgetattr(slave) == before

    async def test_what_it_takes_again_it_gives_back_as_it_was_at_first(self, tty: tuple[int, int]) -> None:
        _, slave = tty
        before = termios.tcgetattr(slave)
        terminal = LineTerminal(slave, TerminalPrinter(slave, lambda problem: None), TypedLine(100))
        terminal.start()
        # As after SIGSTOP and `fg` under a shell that leaves the modes as they are.
        terminal.start()
        terminal.close()
        assert termios.tcgetattr(slave) == before

    async def test_it_leaves_modes_that_others_have_set(self, tty: tuple[int, int]) -> None:
        _, slave = tty
        terminal = LineTerminal(slave, TerminalPrinter(slave, lambda problem: None), TypedLine(100))
        terminal.start()
        others = termios.tcgetattr(slave)
        others[3] |= termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, others)
        terminal.close()
        assert termios.tcgetattr(slave) == others

    @pytest.mark.timeout(BOUND)
    async def test_it_does_not_wait_for_a_terminal_that_reads_nothing(self, tty: tuple[int, int]) -> None:
        master, slave = tty
        printer = TerminalPrinter(slave, lambda problem: None)
        printer.print("x" * 1_000_000)
        printer.start()
        await until(lambda: select.select([master], [], [], 0)[0])
        terminal = LineTerminal(slave, printer, TypedLine(100))
        terminal.start()
        terminal.close()
        assert not printer.close(timeout=0)
        while not printer.close(timeout=0.001):
            if select.select([master], [], [], 0)[0]:
                os.read(master, 1 << 16)

    async def test_a_terminal_without_a_size_has_80_columns(self, tty: tuple[int, int]) -> None:
        master, slave = tty
        printer = TerminalPrinter(slave, lambda problem: None)
        terminal = LineTerminal(slave, printer, TypedLine(100))
        printer.start()
        terminal.start()
        terminal.feed(b"x" * 79)
        data = b""

        def read() -> bool:
            nonlocal data
            data += os.read(master, 100)
            return data == b"x" * 79

        await until(read)
        terminal.close()
        printer.close(timeout=20)
