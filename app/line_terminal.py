"""A terminal on which a line is typed below what is printed: its modes, its last row, and job control.

The line is echoed here and not by the system, which would leave it in the middle of what arrives. All else
stays the system's work: Ctrl+C, Ctrl+Z and Ctrl+\\ send signals, Ctrl+S and Ctrl+Q stop and start the output.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import termios
from contextlib import suppress
from itertools import accumulate, takewhile
from typing import Any, Protocol

from .process import in_foreground, is_hung_up, is_ignored, on_signal
from .streams import Printer

_LOOK_INTERVAL = 0.5
"""How often to look whether the program is in the foreground again, in seconds: nothing tells it."""

_PIECE = 4096
"""How much of the output a key's echo may wait for, in bytes, but for a single line that is longer."""

_DEFAULT_COLUMNS = 80

# The control sequence EL (ECMA-48, 8.3.41) erases up to the row's end.
_ERASE_ROW = b"\r\x1b[K"

_UNKNOWN = b"\0"
"""No row begins like this, so that whatever it stands for is erased."""

_LOCAL_MODES, _CHARACTERS = 3, 6  # in what tcgetattr() returns


class Line(Protocol):
    """What is typed."""

    def feed(self, data: bytes) -> list[str]:
        """Take what the terminal sends; return the lines that this completes."""
        ...

    def row(self, columns: int) -> str:
        """Return what to paint for a terminal of so many columns; one row."""
        ...


class TerminalPrinter(Printer):
    """Prints lines above a row that stays the last one on the terminal.

    A line that is typed, sent and answered makes the same bytes as with the system's own echo: nothing is
    painted twice for those who read along, such as a screen reader.
    """

    _row = b""
    _painted = b""  # on the terminal now

    def show(self, row: str, *lines: str) -> None:
        """Print `lines`, and paint `row` below them in place of the last one. Never blocks."""
        with self._changed:
            for line in lines:
                self.print(line)
            self._row = row.encode()
            self._changed.notify()

    def leave(self) -> None:
        """Take the row for gone: the terminal is somebody else's now."""
        with self._changed:
            self._row = self._painted = b""

    def overwrite(self) -> None:
        """Erase what somebody else has left in the row, such as the system's echo."""
        with self._changed:
            self._painted = _UNKNOWN
            self._changed.notify()

    def _next(self) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._row != self._painted or self._closed)
            lines = self._piece()
            wanted = lines + self._row
            if wanted.startswith(self._painted):
                data = wanted[len(self._painted) :]
            else:
                data = _ERASE_ROW + wanted
            self._painted = self._row
            self._size += len(data) - len(lines)
            return data

    def _piece(self) -> bytes:
        """Take what is waiting; if a row is to be painted, only so much that the row can follow soon."""
        count = len(self._waiting)
        if count and (self._row or self._painted):
            self._waiting[:1] = _pieces(self._waiting[0])
            sizes = accumulate(map(len, self._waiting))
            count = max(sum(1 for _ in takewhile(lambda size: size <= _PIECE, sizes)), 1)
        lines = b"".join(self._waiting[:count])
        del self._waiting[:count]
        return lines


def _pieces(lines: bytes) -> list[bytes]:
    """Cut `lines` into pieces of whole lines."""
    found: list[bytes] = []
    start = 0
    while start < len(lines):
        end = (lines.rfind(b"\n", start, start + _PIECE) + 1) or (lines.find(b"\n", start) + 1)
        found.append(lines[start:end])
        start = end
    return found


class LineTerminal:
    """Keeps a line that is typed below all else, while the program has the terminal.

    In the background the terminal is left alone, and what is printed is printed as it is; so it is where the
    program is stopped. The modes are given back whenever the terminal is, and at the end.

    Args:
        terminal: the descriptor of the terminal, on which the line is typed and `printer` prints.
        printer: what prints on it.
        line: what is typed.
    """

    def __init__(self, terminal: int, printer: TerminalPrinter, line: Line) -> None:
        self._terminal = terminal
        self._printer = printer
        self._line = line
        self._modes = _Modes(terminal)
        self._has_it = False
        self._look: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Take the terminal, now or as soon as the program is in the foreground. The loop must be running."""
        on_signal(signal.SIGTSTP, self._stop)
        on_signal(signal.SIGCONT, self._resume)
        on_signal(signal.SIGWINCH, self._paint)
        if not is_ignored(signal.SIGQUIT):
            # Not on the loop: it is there for a program that hangs.
            signal.signal(signal.SIGQUIT, self._quit)
        self._resume()

    def feed(self, data: bytes) -> list[str] | None:
        """Take what has been read; return the lines that this completes, which are left on the screen.

        None if the terminal was not taken, so that `data` has been edited and echoed already.
        """
        if not self._has_it:
            return None
        lines = self._line.feed(data)
        self._paint(*lines)
        return lines

    def clear(self) -> None:
        """Paint no line any more, and leave the modes as they are until what was printed has been written."""
        self._look_no_more()
        if self._has_it:
            self._has_it = False
            self._printer.show("")

    def close(self) -> None:
        """Give the terminal's modes back."""
        self._look_no_more()
        self._has_it = False
        self._modes.give_back()

    def _paint(self, *lines: str) -> None:
        if self._has_it:
            self._printer.show(self._line.row(self._columns()), *lines)

    def _columns(self) -> int:
        with suppress(OSError):
            return os.get_terminal_size(self._terminal).columns or _DEFAULT_COLUMNS
        return _DEFAULT_COLUMNS

    def _stop(self) -> None:
        """Do what the signal does, which is nothing where there is no shell to continue the program."""
        self._leave()
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGTSTP)
        signal.raise_signal(signal.SIGTSTP)
        loop.add_signal_handler(signal.SIGTSTP, self._stop)
        self._resume()

    def _quit(self, *_: object) -> None:
        self._modes.give_back()
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGQUIT)

    def _resume(self) -> None:
        """Take the terminal back, however the program was stopped and whoever has used it since."""
        self._look_no_more()
        if is_hung_up(self._terminal):
            return
        if in_foreground(self._terminal):
            self._modes.take()
            self._has_it = True
            if select.select([self._terminal], [], [], 0)[0]:
                self._printer.overwrite()  # what was typed before has been echoed, and will be painted
            self._paint()
        else:
            # After `bg`; or it was stopped by SIGSTOP, and the shell got the terminal as it was.
            self._leave()
            self._look = asyncio.get_running_loop().call_later(_LOOK_INTERVAL, self._resume)

    def _leave(self) -> None:
        self._has_it = False
        self._printer.leave()
        self._modes.give_back()

    def _look_no_more(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None


class _Modes:
    """The modes of a terminal: each key at once and no echo, or what they were before."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._before: list[Any] | None = None
        self._ours: list[Any] | None = None

    def take(self) -> None:
        """Have each key sent at once, and echo none."""
        with suppress(termios.error):  # it has been closed
            before = termios.tcgetattr(self._terminal)
            if before == self._ours:
                return
            ours: list[Any] = [*before]
            ours[_LOCAL_MODES] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
            characters = ours[_CHARACTERS] = [*before[_CHARACTERS]]
            characters[termios.VMIN], characters[termios.VTIME] = 1, 0
            # At once: a terminal that was stopped by Ctrl+S takes what is written before, if ever.
            termios.tcsetattr(self._terminal, termios.TCSANOW, ours)
            self._before, self._ours = before, termios.tcgetattr(self._terminal)

    def give_back(self) -> None:
        """Restore what there was, unless somebody else has changed the modes since."""
        with suppress(termios.error):
            if self._before is not None and termios.tcgetattr(self._terminal) == self._ours:
                termios.tcsetattr(self._terminal, termios.TCSANOW, self._before)
