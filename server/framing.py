"""From the bytes of one connection to its lines. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from .text import clean

# RFC 854 (telnet), RFC 860 (TIMING-MARK). Commands below SE are end-of-file and the like, RFC 1184.
_IAC, _SE, _SB, _WILL = 0xFF, 0xF0, 0xFA, 0xFB
_FIRST_COMMAND = 0xEC
_DO_TIMING_MARK = b"\xff\xfd\x06"

WONT_TIMING_MARK = b"\xff\xfc\x06"
"""Answers `IAC DO TIMING-MARK`. A telnet whose user pressed Ctrl-C discards all output until it comes."""

_ORDINARY = bytes(range(0x20, 0x7F)) + b"\n"


@dataclass(frozen=True, slots=True)
class TooLong:
    """Stands in the place of a line of more than `limit` bytes, which was dropped."""

    limit: int


class LineFramer:
    """Turns the bytes of one connection, in pieces of any size, into cleaned lines.

    LF, CR LF, CR NUL and a bare CR each end a line; empty and blank lines are left out. Telnet commands
    (RFC 854) are removed wherever they occur, and nothing is negotiated. Invalid UTF-8 becomes U+FFFD.
    How the bytes are split over calls makes no difference to the lines.
    """

    __slots__ = (
        "_after_cr",
        "_max_line",
        "_max_subnegotiation",
        "_overlong",
        "_pending",
        "_telnet",
        "crlf",
        "timing_marks",
    )

    def __init__(self, max_line: int, max_subnegotiation: int) -> None:
        self._max_line = max_line
        self._max_subnegotiation = max_subnegotiation
        self._pending = b""  # the line that has not ended yet
        self._overlong = False  # whether the rest of that line is to be dropped
        self._after_cr = False  # whether an LF or NUL that comes next belongs to the last ending
        self._telnet = b""  # a telnet command that has not ended yet, from its IAC on
        self.crlf = False
        """Whether the client ends its lines with CR LF or speaks telnet, and so wants CR LF back."""
        self.timing_marks = 0
        """How many `WONT_TIMING_MARK` are owed to the client."""

    def receive(self, data: bytes) -> list[str | TooLong]:
        """Take the next bytes and return the lines that they end, in order."""
        if self._telnet or self._after_cr or self._overlong or data.translate(None, _ORDINARY):
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
        ended: list[str | TooLong] = []
        if self._pending:
            ended = self._lines([self._pending + lines.pop(0).encode("ascii")])
        self._pending = tail.encode("ascii")
        ended += filter(str.strip, lines)
        return ended

    def end(self) -> list[str | TooLong]:
        """Take the end of the input: return the unfinished last line, if there is one."""
        pending, self._pending = self._pending, b""
        return self._lines([pending])

    def _receive_any(self, data: bytes) -> list[str | TooLong]:
        if self._telnet or b"\xff" in data:
            data = self._without_telnet(self._telnet + data)
        if not data:
            return []
        if self._after_cr and data[0] in b"\n\0":
            self.crlf |= data[0] == 0x0A
            data = data[1:]
            self._after_cr = False
            if not data:
                return []
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            self.crlf |= b"\r\n" in data
            data = data.replace(b"\r\n", b"\n").replace(b"\r\0", b"\n").replace(b"\r", b"\n")
        else:
            self._after_cr = False
        first, *rest = data.split(b"\n")
        if self._overlong:
            if not rest:
                return []
            self._overlong = False
            first, *rest = rest
        pieces = [self._pending + first, *rest]
        self._pending = pieces.pop()
        lines = self._lines(pieces)
        if len(self._pending) > self._max_line:
            self._pending = b""
            self._overlong = True
            lines.append(TooLong(self._max_line))
        return lines

    def _lines(self, pieces: list[bytes]) -> list[str | TooLong]:
        lines: list[str | TooLong] = []
        for piece in pieces:
            if len(piece) > self._max_line:
                lines.append(TooLong(self._max_line))
                continue
            line = clean(piece.decode("utf-8", "replace"))
            if line and not line.isspace():
                lines.append(line)
        return lines

    def _without_telnet(self, data: bytes) -> bytes:
        """Return `data` without its telnet commands; an unfinished last one is kept for the next call."""
        self._telnet = b""
        kept: list[bytes] = []
        at = 0
        while (start := data.find(_IAC, at)) >= 0:
            kept.append(data[at:start])
            end = self._command_end(data, start)
            if end is None:
                self._telnet = data[start:]
                return b"".join(kept)
            if data[start + 1] < _FIRST_COMMAND or data[start + 1] == _IAC:
                kept.append(b"\xff")  # not a command: a byte that is not UTF-8, which telnet would double
            else:
                self.crlf = True
                self.timing_marks += data[start:end] == _DO_TIMING_MARK
            at = end
        kept.append(data[at:])
        return b"".join(kept)

    def _command_end(self, data: bytes, start: int) -> int | None:
        """Where the telnet command that starts at `start` ends; None if it is not all there."""
        if len(data) < start + 2:
            return None
        command = data[start + 1]
        if command == _SB:
            return self._subnegotiation_end(data, start)
        size = 1 if command < _FIRST_COMMAND else 3 if _WILL <= command < _IAC else 2
        return start + size if len(data) >= start + size else None

    def _subnegotiation_end(self, data: bytes, start: int) -> int | None:
        limit = start + 2 + self._max_subnegotiation
        at = start + 2
        while (iac := data.find(_IAC, at, limit - 1)) >= 0 and iac + 1 < len(data):
            if data[iac + 1] == _SE:
                return iac + 2
            if data[iac + 1] != _IAC:
                return iac  # another command: the end of this one was forgotten
            at = iac + 2
        return limit if len(data) >= limit else None
