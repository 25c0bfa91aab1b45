"""What of a client's input may be worked on, and when: its framer and its flood control. No I/O, no clock."""

from __future__ import annotations

import re
from collections import deque
from itertools import islice

from . import commands
from .commands import Role
from .framing import LineFramer, TooLong
from .rate import TokenBucket
from .settings import Settings

Line = str | TooLong

BYTES_A_LINE = 409.6
"""How many bytes of input the flood control allows for each line: 20 lines are 8 KiB, 5 are 2 KiB."""

_LEAST_READ = 512
"""Worth waking up for: a client above its rate is not read for less."""

_LINE_END = re.compile(rb"\r[\n\0]?|\n")


class Inbox:
    """Turns what one client sends into lines, no faster than its rate allows. All times are in seconds.

    Lines and bytes are metered, each by a token bucket. A line end counts as a line, whatever stands before it; a
    byte counts whatever it means. What is above the rate waits, most of it unread, and nothing is lost.

    Args:
        settings: the limits.
        now: the time, by the monotonic clock that all the methods are handed.
    """

    __slots__ = (
        "_bytes",
        "_ended",
        "_framer",
        "_held",
        "_least",
        "_lines",
        "_raw",
        "_read_size",
        "_unfinished",
        "started",
    )

    def __init__(self, settings: Settings, now: float) -> None:
        rate, burst = settings.rate, settings.burst
        self._framer = LineFramer(settings.max_line, settings.max_subnegotiation)
        self._lines = TokenBucket(rate, burst, now) if rate else None
        self._bytes = TokenBucket(rate * BYTES_A_LINE, burst * BYTES_A_LINE, now) if rate else None
        self._least = min(_LEAST_READ, int(burst * BYTES_A_LINE))
        self._read_size = settings.read_size
        self._raw = (
            b""  # received, and not framed yet: a line is an object, of some 60 bytes more than its own
        )
        self._held: deque[Line] | None = None  # framed, and dearer than what the bucket holds
        self._ended = self._unfinished = False
        self.started = False
        """Whether a line has come."""

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
        if self._bytes is None:
            return self._read_size
        if self._raw or self._held:
            return 0
        allowed = int(self._bytes.available(now))
        return min(allowed, self._read_size) if allowed >= self._least else 0

    def charge(self, count: int, now: float) -> None:
        """Count `count` bytes that were read."""
        if self._bytes:
            self._bytes.take(count, now)

    def receive(self, data: bytes) -> None:
        """Take the next bytes, which were charged."""
        self._raw = self._raw + data if self._raw else data

    def end(self) -> None:
        """Take the end of the input: an unfinished last line has its turn like any other."""
        self._ended = self._unfinished = True

    def ready(self, now: float) -> list[Line]:
        """Take out the lines whose turn it is, in order."""
        if self._lines is None:
            data, self._raw = self._raw, b""
            ready = self._framer.receive(data) if data else []
            if self._unfinished:
                self._unfinished = False
                ready += self._framer.end()
        else:
            ready = self._take_held(self._lines, now)
            while not self._held and self._frame(self._lines, now):
                ready += self._take_held(self._lines, now)
        if ready:
            self.started = True
        return ready

    def wait(self, now: float) -> float:
        """How long nothing is to be done: until the next line has its turn, or something may be read."""
        if self._lines is None or self._bytes is None:
            return 0.0
        if self._held:
            return self._lines.wait(_cost(self._held[0]), now)
        if self._raw:
            return self._lines.wait(1, now)
        return self._bytes.wait(self._least, now)

    def drop(self) -> int:
        """Drop what has not had its turn, and count its lines."""
        count = len(self._held or ()) + sum(1 for _ in _LINE_END.finditer(self._raw))
        self._held, self._raw, self._unfinished = None, b"", False
        return count

    def _take_held(self, bucket: TokenBucket, now: float) -> list[Line]:
        ready: list[Line] = []
        held = self._held
        while held and bucket.take(_cost(held[0]), now):
            ready.append(held.popleft())
        if not held:
            self._held = None
        return ready

    def _frame(self, bucket: TokenBucket, now: float) -> bool:
        """Frame as many lines as the bucket may allow, none of which is held; whether there was anything to do."""
        if not self._raw:
            if not self._unfinished:
                return False
            self._unfinished = False
            self._held = deque(self._framer.end())
            return True
        piece, ends = self._cut(int(bucket.available(now)))
        if not piece:
            return False
        lines = self._framer.receive(piece)
        if ends > len(lines):
            bucket.take(ends - len(lines), now)  # the lines of which nothing is left
        if lines:
            self._held = deque(lines)
        return True

    def _cut(self, most: int) -> tuple[bytes, int]:
        """Take out what was received as far as it holds at most `most` line ends; also say how many it does."""
        raw = self._raw
        if raw.count(b"\n") + raw.count(b"\r") <= most:  # which takes CR LF for two
            ends, cut = len(_LINE_END.findall(raw)), len(raw)
        else:
            found = list(islice(_LINE_END.finditer(raw), most + 1))
            ends = min(len(found), most)
            cut = len(raw) if len(found) <= most else found[most - 1].end() if most else 0
        self._raw = raw[cut:]
        return raw[:cut], ends


def _cost(line: Line) -> int:
    """What `line` takes from its author's bucket."""
    return commands.cost(line, Role.CLIENT) if isinstance(line, str) else 1
