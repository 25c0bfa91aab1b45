"""Framing: turns the bytes of one connection into lines. No I/O."""

from __future__ import annotations

import functools
import re

from ..room.entries import NOTHING, Line, TooLong
from ..room.text import clean, is_blank

# RFC 854 (telnet), RFC 860 (TIMING-MARK). Commands below SE, such as end-of-file, are from RFC 1184.
_IAC, _SE, _SB, _WILL = 0xFF, 0xF0, 0xFA, 0xFB
_FIRST_COMMAND = 0xEC
_DO_TIMING_MARK = b"\xff\xfd\x06"

# Commands that are just removed, including a subnegotiation cut off by another command; EC; EL; a data byte.
_commands = re.compile(
    rb"((?:\xff(?:[\xfb-\xfe][\x00-\xff]|[\xec-\xf6\xf9]|\xfa(?=\xff[\xec-\xfe])))+)"
    rb"|((?:\xff\xf7)+)|((?:\xff\xf8)+)|((?:\xff\xff)+)"
).match
_ERASING_CHARACTERS, _ERASING_LINE, _NOT_A_COMMAND = 2, 3, 4  # the groups
# EC, unless its bytes are the option of a command or half of a doubled byte.
_erase_characters = re.compile(rb"(?<![\xfb-\xff])\xff\xf7").subn
_subnegotiated = re.compile(rb"[^\xff\r\n]*+(?:\xff\xff[^\xff\r\n]*+)*+").match

WONT_TIMING_MARK = b"\xff\xfc\x06"
"""Answers `IAC DO TIMING-MARK`. A telnet whose user pressed Ctrl-C discards all output until it arrives."""

# Placeholders for what telnet commands leave in the text. The first two never occur in UTF-8.
_INVALID = b"\xfe"
_ERASE_LINE = b"\xff"
_ERASE_CHARACTER = b"\x7f"

_ORDINARY = bytes(range(0x20, 0x7F)) + b"\n"

# What "surrogateescape" turns invalid bytes into. Nothing else decodes to a surrogate.
_invalid_bytes = re.compile("[\udc80-\udcff][\udc80-\udcff]*")


class LineFramer:
    """Turns the bytes of one connection, in pieces of any size, into cleaned lines.

    LF, CR LF, CR NUL and a bare CR each end a line; empty and blank lines are left out. Telnet commands
    (RFC 854) are removed wherever they occur, and nothing is negotiated; `IAC EC` and `IAC EL` erase a
    character and the line. A run of invalid UTF-8 becomes one U+FFFD. How the bytes are split over calls
    makes no difference.
    """

    __slots__ = (
        "_after_cr",
        "_max_line",
        "_max_subnegotiation",
        "_overlong",
        "_pending",
        "_subnegotiation",
        "_telnet",
        "blank_lines",
        "crlf",
        "timing_marks",
    )

    def __init__(self, max_line: int, max_subnegotiation: int) -> None:
        self._max_line = max_line
        self._max_subnegotiation = max_subnegotiation
        self._pending = b""  # the unfinished line
        self._overlong = False  # the rest of that line is dropped
        self._after_cr = False  # an LF or NUL that comes next belongs to the CR
        self._telnet = b""  # the start of an unfinished telnet command
        self._subnegotiation: int = 0  # bytes that an open one may still have
        self.crlf = False
        """Whether the client has sent CR LF or a telnet command, and so gets CR LF back."""
        self.timing_marks = 0
        """How many `WONT_TIMING_MARK` answers the client is owed."""
        self.blank_lines = 0
        """How many lines were left out because they were empty or blank."""

    def receive(self, data: bytes) -> list[Line]:
        """Take the next bytes and return the lines that they complete, in order."""
        if self._after_cr or self._overlong or self._telnet or data.translate(None, _ORDINARY):
            return self._receive_any(data)
        if self._subnegotiation:
            return self._receive_any(data)
        # Fast path: printable ASCII and LF, with no special state, handled as a whole.
        *lines, tail = data.decode("ascii").split("\n")
        if len(data) + len(self._pending) > self._max_line:
            longest = max(map(len, lines), default=0)
            if max(longest, len(tail) + len(self._pending)) > self._max_line:
                return self._receive_any(data)
        if not lines:
            self._pending += data
            return []
        ended: list[Line] = []
        if self._pending:
            self._end_line(self._pending + lines.pop(0).encode("ascii"), ended)
        self._pending = tail.encode("ascii")
        before = len(ended)
        ended += filter(str.strip, lines)
        self.blank_lines += len(lines) - (len(ended) - before)
        return ended

    def end(self) -> list[Line]:
        """Take the end of the input and return the unfinished last line, if there is one."""
        lines: list[Line] = []
        if self._pending:
            self._end_line(self._pending, lines)
            self._pending = b""
        return lines

    def _receive_any(self, data: bytes) -> list[Line]:
        lines: list[Line] = []
        if self._telnet or self._subnegotiation or b"\xff" in data:
            data, *others = self._without_telnet(self._telnet + data).split(_ERASE_LINE)
            self._receive_text(data, lines)
            for data in others:
                self._pending = b""
                self._overlong = False
                self._receive_text(data, lines)
        else:
            self._receive_text(data, lines)
        return lines

    def _receive_text(self, data: bytes, lines: list[Line]) -> None:
        """Take bytes without telnet commands, and add the lines that they complete to `lines`."""
        if self._after_cr and data[:1] in (b"\n", b"\0"):
            self.crlf |= data[0] == 0x0A
            self._after_cr = False
            data = data[1:]
        if not data:
            return
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            self.crlf |= b"\r\n" in data
            data = data.replace(b"\r\n", b"\n").replace(b"\r\0", b"\n").replace(b"\r", b"\n")
        else:
            self._after_cr = False
        first, *rest = data.split(b"\n")
        if self._overlong:
            if not rest:
                return
            self._overlong = False
            first, *rest = rest
        pieces = [self._pending + first, *rest]
        self._pending = pieces.pop()
        for piece in pieces:
            self._end_line(piece, lines)
        if len(self._pending) > self._max_line:
            self._pending = b""
            self._overlong = True
            lines.append(TooLong(self._max_line))

    def _end_line(self, raw: bytes, lines: list[Line]) -> None:
        """Add the complete line `raw` to `lines`, cleaned, unless it is blank."""
        if len(raw) > self._max_line:
            lines.append(TooLong(self._max_line))
            return
        line = _short_line(raw) if len(raw) <= _SHORT else _line(raw)
        if line is None:
            self.blank_lines += 1
        elif len(line) > self._max_line // 3 and len(line.encode()) > self._max_line:
            lines.append(TooLong(self._max_line))  # U+FFFD is longer than what it replaces
        else:
            lines.append(line or NOTHING)

    def _without_telnet(self, data: bytes) -> bytes:
        """Return `data` without telnet commands; an unfinished one at the end is kept for the next call."""
        self._telnet = b""
        if not self._subnegotiation and b"\xff\xfa" not in data:
            data, count = _erase_characters(_ERASE_CHARACTER, data)  # all at once: there may be thousands
            self.crlf |= count > 0
        kept: list[bytes] = []
        at = 0
        while True:
            if self._subnegotiation:
                at = self._skip_subnegotiation(data, at)
            start = data.find(_IAC, at)
            if start < 0 or self._telnet:
                break
            kept.append(data[at:start])
            if found := _commands(data, start):
                self._obey(found, kept)
                at = found.end()
            elif start + 1 == len(data) or _WILL <= data[start + 1] < _IAC:
                self._telnet = data[start:]
                return b"".join(kept)
            elif data[start + 1] == _SB:
                self._subnegotiation = self._max_subnegotiation
                at = start + 2
            else:
                kept.append(_INVALID)
                at = start + 1
        if not self._telnet:
            kept.append(data[at:])
        return b"".join(kept)

    def _obey(self, commands: re.Match[bytes], kept: list[bytes]) -> None:
        """Carry out a run of commands of the same kind."""
        run = commands[0]
        if commands.lastindex == _NOT_A_COMMAND:  # 0xFF as data, which telnet doubles; not UTF-8
            kept.append(_INVALID * (len(run) // 2))
            return
        self.crlf = True
        if commands.lastindex == _ERASING_LINE:
            kept.append(_ERASE_LINE)
        elif commands.lastindex == _ERASING_CHARACTERS:
            kept.append(_ERASE_CHARACTER * (len(run) // 2))
        else:
            self.timing_marks += run.count(_DO_TIMING_MARK)

    def _skip_subnegotiation(self, data: bytes, at: int) -> int:
        """Return where the subnegotiation at `at` ends; a line end or another command ends it too."""
        while self._subnegotiation and at < len(data):
            found = _subnegotiated(data, at, at + self._subnegotiation)
            assert found is not None  # it may be empty
            self._subnegotiation -= found.end() - at
            at = found.end()
            if not self._subnegotiation or at == len(data):
                break
            if data[at] != _IAC:
                self._subnegotiation = 0
            elif at + 1 == len(data):
                self._telnet = data[at:]
                break
            else:
                self._subnegotiation = 0
                self.crlf |= _FIRST_COMMAND <= data[at + 1] < _IAC
                if data[at + 1] == _SE:
                    at += 2
        return at


def _line(raw: bytes) -> str | None:
    """The cleaned line of `raw`, empty if cleaning left nothing; None if it was blank."""
    text = raw.decode(errors="surrogateescape")
    if not text.isascii():
        text = _invalid_bytes.sub("\ufffd", text)
    line = clean(text)
    if line and not line.isspace():
        return line
    return None if is_blank(text) else ""


_SHORT = 8
_short_line = functools.lru_cache(maxsize=1024)(_line)
"""Floods consist of short lines, and mostly of the same ones."""
