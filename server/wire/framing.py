"""From the bytes of one connection to its lines. No I/O."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from ..room.text import clean, is_blank

# RFC 854 (telnet), RFC 860 (TIMING-MARK). Commands below SE are end-of-file and the like, RFC 1184.
_IAC, _SE, _SB, _WILL = 0xFF, 0xF0, 0xFA, 0xFB
_FIRST_COMMAND = 0xEC
_DO_TIMING_MARK = b"\xff\xfd\x06"

# What leaves nothing behind, also a subnegotiation that another command ends at once; EC; EL; no command.
_commands = re.compile(
    rb"((?:\xff(?:[\xfb-\xfe][\x00-\xff]|[\xec-\xf6\xf9]|\xfa(?=\xff[\xec-\xfe])))+)"
    rb"|((?:\xff\xf7)+)|((?:\xff\xf8)+)|((?:\xff\xff)+)"
).match
_ERASING_CHARACTERS, _ERASING_LINE, _NOT_A_COMMAND = 2, 3, 4  # the groups
# EC where it is nothing else: no option of a command, nor the half of a doubled byte.
_erase_characters = re.compile(rb"(?<![\xfb-\xff])\xff\xf7").subn
_subnegotiated = re.compile(rb"[^\xff\r\n]*+(?:\xff\xff[^\xff\r\n]*+)*+").match

WONT_TIMING_MARK = b"\xff\xfc\x06"
"""Answers `IAC DO TIMING-MARK`. A telnet whose user pressed Ctrl-C discards all output until it comes."""

# What stands for telnet's bytes once its commands are taken out. Neither is ever UTF-8.
_INVALID = b"\xfe"
_ERASE_LINE = b"\xff"
_ERASE_CHARACTER = b"\x7f"

_ORDINARY = bytes(range(0x20, 0x7F)) + b"\n"

# How "surrogateescape" shows bytes that are not UTF-8. Nothing else decodes to a surrogate.
_invalid_bytes = re.compile("[\udc80-\udcff][\udc80-\udcff]*")


@dataclass(frozen=True, slots=True)
class TooLong:
    """Stands in the place of a line of more than `limit` bytes, which was dropped."""

    limit: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """Stands in the place of a line of which cleaning has left nothing, though it was not blank."""


Line = str | TooLong | Nothing
"""What one line of a client has become."""

NOTHING = Nothing()


class LineFramer:
    """Turns the bytes of one connection, in pieces of any size, into cleaned lines.

    LF, CR LF, CR NUL and a bare CR each end a line; empty and blank lines are left out. Telnet commands
    (RFC 854) are removed wherever they occur, and nothing is negotiated; `IAC EC` and `IAC EL` erase a
    character and the line. A run of bytes that are not UTF-8 becomes one U+FFFD. How the bytes are split over
    calls makes no difference to the lines.
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
        self._pending = b""  # the line that has not ended yet
        self._overlong = False  # whether the rest of that line is to be dropped
        self._after_cr = False  # whether an LF or NUL that comes next belongs to the last ending
        self._telnet = b""  # the beginning of a telnet command
        self._subnegotiation: int = 0  # how many bytes of an open one may still come
        self.crlf = False
        """Whether the client ends its lines with CR LF or speaks telnet, and so wants CR LF back."""
        self.timing_marks = 0
        """How many `WONT_TIMING_MARK` are owed to the client."""
        self.blank_lines = 0
        """How many lines were left out because they were empty or blank."""

    def receive(self, data: bytes) -> list[Line]:
        """Take the next bytes and return the lines that they end, in order."""
        if self._after_cr or self._overlong or self._telnet or data.translate(None, _ORDINARY):
            return self._receive_any(data)
        if self._subnegotiation:
            return self._receive_any(data)
        # Printable ASCII and LF with nothing special before: worked on as a whole, not line by line.
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
        """Take the end of the input: return the unfinished last line, if there is one."""
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
        """Take bytes without telnet commands, and add to `lines` those that they end."""
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
        """Add to `lines` what `raw`, a whole line, has become; nothing if it is blank."""
        if len(raw) > self._max_line:
            lines.append(TooLong(self._max_line))
            return
        line = _short_line(raw) if len(raw) <= _SHORT else _line(raw)
        if line is None:
            self.blank_lines += 1
        elif len(line) > self._max_line // 3 and len(line.encode()) > self._max_line:
            lines.append(TooLong(self._max_line))  # U+FFFD is longer than what it stands for
        else:
            lines.append(line or NOTHING)

    def _without_telnet(self, data: bytes) -> bytes:
        """Return `data` without its telnet commands; an unfinished last one is kept for the next call."""
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
        """Do what a run of commands of one kind asks for."""
        run = commands[0]
        if commands.lastindex == _NOT_A_COMMAND:  # a byte that is not UTF-8, which telnet doubles
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
        """Where the subnegotiation that goes on at `at` ends; a line end or another command ends it too."""
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
    """The line that `raw` has become, which may be nothing; None if it is blank."""
    text = raw.decode(errors="surrogateescape")
    if not text.isascii():
        text = _invalid_bytes.sub("\ufffd", text)
    line = clean(text)
    if line and not line.isspace():
        return line
    return None if is_blank(text) else ""


_SHORT = 8
_short_line = functools.lru_cache(maxsize=1024)(_line)
"""Floods are made of such lines, most often of the same."""
