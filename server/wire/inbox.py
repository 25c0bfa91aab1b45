"""What of a client's input may be worked on, and when: foreign greetings, framing, flood control. No I/O."""

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
"""Worth waking up for: a client above its rate is not read for less."""

PATIENCE = 2.0
"""How many seconds a first line that may be foreign waits for what tells."""

_LINE_END = re.compile(rb"\r[\n\0]?|\n")


class Inbox:
    """Turns what one client sends into lines, no faster than its rate allows. All times are in seconds.

    Lines and bytes are metered, each by a token bucket. A line end counts as a line, whatever stands before
    it; a byte counts whatever it means. What is above the rate waits, most of it unread; nothing is lost.

    Args:
        settings: the limits.
        now: the time, by the monotonic clock that all the methods are handed.
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
        self._raw = b""  # received, and not framed yet: a line as an object takes 60 bytes more
        self._held: deque[Line] | None = None  # framed: more than has its turn
        self._ended = self._unfinished = False
        self._greeting: Greeting | None = Greeting()  # until it is known what the client speaks
        self.protocol = ""
        """Another protocol that the client speaks; empty where it speaks none, as far as is known."""

    @property
    def crlf(self) -> bool:
        """Whether the client ends its lines with CR LF or speaks telnet, and so wants CR LF back."""
        return self._framer.crlf

    def take_timing_marks(self) -> int:
        """How many `WONT_TIMING_MARK` are owed to the client since this was last asked."""
        marks, self._framer.timing_marks = self._framer.timing_marks, 0
        return marks

    @property
    def waits(self) -> bool:
        """Whether something was received that has not had its turn."""
        return bool(self._raw or self._held or self._unfinished)

    @property
    def is_done(self) -> bool:
        """Whether the input has ended and all of it has had its turn."""
        return self._ended and not self.waits

    def room(self, now: float) -> int:
        """How many bytes may be read at `now`."""
        if self._raw or self._held:
            return 0
        if self._bytes is None:
            return self._read_size
        allowed = int(self._bytes.available(now))
        return min(allowed, self._read_size) if allowed >= self._least else 0

    def charge(self, count: int, now: float) -> None:
        """Count `count` bytes that were read."""
        if self._bytes:
            self._bytes.take(count, now)

    def receive(self, data: bytes) -> None:
        """Take the next bytes, which were charged. They are of no use if they make the `protocol` known."""
        if self._greeting:
            data = self._greeting.receive(data)
            self._look_at(self._greeting)
        self._raw = self._raw + data if self._raw else data

    @property
    def is_in_doubt(self) -> bool:
        """Whether a whole first line is held back that may be foreign, until `end_doubt` is called."""
        return self._greeting is not None and self._greeting.holds_a_line

    def end_doubt(self) -> None:
        """Decide whether what was held back so far is foreign."""
        if self._greeting:
            self._raw += self._greeting.end()
            self._look_at(self._greeting)

    def end(self) -> None:
        """Take the end of the input: an unfinished last line has its turn like any other."""
        self.end_doubt()
        self._ended = self._unfinished = True

    def _look_at(self, greeting: Greeting) -> None:
        if greeting.is_over:
            self.protocol = greeting.protocol
            self._greeting = None

    def ready(self, now: float) -> list[Line]:
        """Take out the lines whose turn it is, in order: none behind one that has a lengthy answer."""
        ready: list[Line] = []
        if self._lines is None and not self._held and b"/" not in self._raw and self._raw.isascii():
            # Without a rate, and without a command but for one that has begun before: all at once.
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
        """How long nothing is to be done: until the next line has its turn, or something may be read."""
        if self._lines is None or self._bytes is None:
            return 0.0
        if self._held:
            command = _command(self._held[0])
            return self._lines.wait(command.cost if command else 1, now)
        if self._raw:
            return self._lines.wait(1, now)
        return self._bytes.wait(self._least, now)

    def drop(self) -> int:
        """Drop what has not had its turn, and count its lines."""
        count = len(self._held or ()) + sum(1 for _ in _LINE_END.finditer(self._raw))
        self._held, self._raw, self._unfinished = None, b"", False
        return count

    def _take_held(self, ready: list[Line], now: float) -> bool:
        """Move to `ready` the framed lines whose turn it is; whether there may be more of them."""
        held, bucket = self._held, self._lines
        while held:
            command = _command(held[0])
            if bucket and not bucket.take(command.cost if command else 1, now):
                return False
            ready.append(held.popleft())
            if command and command.is_lengthy:
                return False
        return True

    def _frame(self, now: float) -> bool:
        """Frame as many lines as may have their turn; none is left from before. Whether anything was done."""
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
        """Take out what was received as far as it holds at most `most` line ends."""
        raw = self._raw
        cut = len(raw)
        if raw.count(b"\n") + raw.count(b"\r") > most:  # which takes CR LF for two
            found = list(islice(_LINE_END.finditer(raw), most + 1))
            if len(found) > most:
                cut = found[most - 1].end() if most else 0
        self._raw = raw[cut:]
        return raw[:cut]


def _command(line: Line) -> commands.Command | None:
    return commands.named_in(line, Role.CLIENT) if isinstance(line, str) else None
