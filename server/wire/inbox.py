"""A client's input on its way to the room: foreign greetings, framing, flood control. No I/O."""

from __future__ import annotations

import re
import sys
from collections import deque
from itertools import islice

from ..rate import TokenBucket
from ..room import commands
from ..room.commands import Role
from ..settings import Settings
from .framing import Line, LineFramer
from .greetings import Greeting

BYTES_A_LINE = 409.6
"""How many bytes of input the flood control allows for each line: 20 lines are 8 KiB, 5 are 2 KiB."""

_LEAST_READ = 512
"""The fewest bytes worth waking up for: a client above its rate is not read until it may send as many."""

PATIENCE = 2.0
"""How many seconds a first line that may be foreign is held back."""

_LINE_END = re.compile(rb"\r[\n\0]?|\n")


class Inbox:
    """Turns what one client sends into lines, no faster than its rate allows. All times are in seconds.

    Lines and bytes are metered, each by a token bucket. Each line end counts as a line, whatever comes before
    it, and each byte counts, whatever it means. Input above the rate waits, mostly unread; nothing is lost.

    Args:
        settings: the limits.
        now: the current time, on the monotonic clock that all methods take times from.
    """

    __slots__ = (
        "_bytes",
        "_ended",
        "_framer",
        "_greeting",
        "_held",
        "_least",
        "_lines",
        "_raw",
        "_read_size",
        "_unfinished",
        "protocol",
    )

    def __init__(self, settings: Settings, now: float) -> None:
        rate, burst = settings.rate, settings.burst
        self._framer = LineFramer(settings.max_line, settings.max_subnegotiation)
        self._lines = TokenBucket(rate, burst, now) if rate else None
        self._bytes = TokenBucket(rate * BYTES_A_LINE, burst * BYTES_A_LINE, now) if rate else None
        self._least = min(_LEAST_READ, int(burst * BYTES_A_LINE))
        self._read_size = settings.read_size
        self._raw = b""  # received, not framed yet: a line as an object takes 60 bytes more
        self._held: deque[Line] | None = None  # framed, not due yet
        self._ended = self._unfinished = False
        self._greeting: Greeting | None = Greeting()  # until it is decided what the client speaks
        self.protocol = ""
        """The other protocol that the client speaks; empty if none has been recognised."""

    @property
    def crlf(self) -> bool:
        """Whether the client has sent CR LF or a telnet command, and so gets CR LF back."""
        return self._framer.crlf

    def take_timing_marks(self) -> int:
        """How many `WONT_TIMING_MARK` answers the client is owed since the last call."""
        marks, self._framer.timing_marks = self._framer.timing_marks, 0
        return marks

    @property
    def waits(self) -> bool:
        """Whether any received input has not been returned by `ready` yet."""
        return bool(self._raw or self._held or self._unfinished)

    @property
    def is_done(self) -> bool:
        """Whether the input has ended and none of it waits."""
        return self._ended and not self.waits

    def room(self, now: float) -> int:
        """How many bytes may be read now."""
        if self._raw or self._held:
            return 0
        if self._bytes is None:
            return self._read_size
        allowed = int(self._bytes.available(now))
        return min(allowed, self._read_size) if allowed >= self._least else 0

    def charge(self, count: int, now: float) -> None:
        """Charge `count` bytes that were read to the rate."""
        if self._bytes:
            self._bytes.take(count, now)

    def receive(self, data: bytes) -> None:
        """Take the next bytes, already charged. They are discarded if they reveal another `protocol`."""
        if self._greeting:
            data = self._greeting.receive(data)
            self._look_at(self._greeting)
        self._raw = self._raw + data if self._raw else data

    @property
    def is_in_doubt(self) -> bool:
        """Whether a complete first line is held back because it may be foreign, until `end_doubt`."""
        return self._greeting is not None and self._greeting.holds_a_line

    def end_doubt(self) -> None:
        """Decide now whether what is held back is foreign."""
        if self._greeting:
            self._raw += self._greeting.end()
            self._look_at(self._greeting)

    def end(self) -> None:
        """Take the end of the input: an unfinished last line is treated like any other."""
        self.end_doubt()
        self._ended = self._unfinished = True

    def _look_at(self, greeting: Greeting) -> None:
        if greeting.is_over:
            self.protocol = greeting.protocol
            self._greeting = None

    def ready(self, now: float) -> list[Line]:
        """Take out the lines that are due, in order, but none after a command with a lengthy answer."""
        ready: list[Line] = []
        if self._lines is None and not self._held and b"/" not in self._raw and self._raw.isascii():
            # No rate, and no command, except perhaps one that began in an earlier read: all at once.
            data, self._raw = self._raw, b""
            lines = self._framer.receive(data)
            if lines and _command(lines[0]):
                self._held = deque(lines)
            else:
                ready = lines
        while (self._held or self._frame(now)) and self._take_held(ready, now):
            pass
        return ready

    def wait(self, now: float) -> float:
        """How long until there is something to do: a line is due, or input may be read."""
        if self._lines is None or self._bytes is None:
            return 0.0
        if self._held:
            return self._lines.wait(_cost(self._held[0]), now)
        if self._raw:
            return self._lines.wait(1, now)
        return self._bytes.wait(self._least, now)

    def drop(self) -> int:
        """Drop the input that waits, and return the number of its lines."""
        count = len(self._held or ()) + sum(1 for _ in _LINE_END.finditer(self._raw))
        self._held, self._raw, self._unfinished = None, b"", False
        return count

    def _take_held(self, ready: list[Line], now: float) -> bool:
        """Move the framed lines that are due to `ready`; return whether there may be more."""
        held, bucket = self._held, self._lines
        while held:
            if bucket and not bucket.take(_cost(held[0]), now):
                return False
            command = _command(held[0])
            ready.append(held.popleft())
            if command and command.is_lengthy:
                return False
        return True

    def _frame(self, now: float) -> bool:
        """Frame as many lines as are due, with none held; return whether anything was framed."""
        if self._raw:
            piece = self._cut(int(self._lines.available(now)) if self._lines else sys.maxsize)
            if not piece:
                return False
            lines = self._framer.receive(piece)
            if self._lines and self._framer.blank_lines:
                self._lines.take(self._framer.blank_lines, now)
            self._framer.blank_lines = 0
        elif self._unfinished:
            self._unfinished = False
            lines = self._framer.end()
        else:
            return False
        self._held = deque(lines) if lines else None
        return True

    def _cut(self, most: int) -> bytes:
        """Take out as much received input as has at most `most` line ends."""
        raw = self._raw
        cut = len(raw)
        if raw.count(b"\n") + raw.count(b"\r") > most:  # counts CR LF twice
            found = list(islice(_LINE_END.finditer(raw), most + 1))
            if len(found) > most:
                cut = found[most - 1].end() if most else 0
        self._raw = raw[cut:]
        return raw[:cut]


def _cost(line: Line) -> int:
    return commands.cost_of(line) if isinstance(line, str) else 1


def _command(line: Line) -> commands.Command | None:
    return commands.named_in(line, Role.CLIENT) if isinstance(line, str) else None
