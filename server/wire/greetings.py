"""Detects clients that speak another protocol by their first bytes, before anything is said. No I/O.

Scanners and web pages connect to every port, so a client's first bytes are held back until it is clear that
they are meant for this chat. Recognised before the first line is complete:

- TLS: a record header. SSH: `SSH-2.0-`. PROXY: `PROXY TCP4 ` and the like, or the signature of version 2.
- Binary: two NUL bytes or more, one along with controls that nobody types, or nothing else. ASCII as UTF-16
  and `CR NUL` do not count.

Recognised by the whole first line that is not empty:

- HTTP, RTSP, SIP: a verb in capitals, then a path, `*`, a URI or `host:port`, and the version at the end; a
  response with its status; `GET /path` alone; a verb and a path longer than any line.
- SMTP: `EHLO` or `LHLO`, alone or with one word; `HELO` with a domain or an address.
- IRC: `CAP LS` and the like; `USER` with a mode, then `*` or a colon; `NICK`, `PASS` or `USER` with one word
  (or `USER` with four) if the next line begins with such a word too. So `NICK is my name` and
  `PASS me the salt` are said.

A client that sends a telnet command speaks telnet, not one of these.
"""

from __future__ import annotations

import re

_LONGEST_LINE = 2048
"""A line of more bytes is never said, so there is no need to wait for its end."""

_LONGEST_SECOND_LINE = 512
"""RFC 2812, 2.3."""

_FEW = 16
"""After this many bytes everything is known that does not need the whole first line."""

_MOST_HELD = 4096
"""The most bytes of empty lines before the first line, and after it."""

_TELNET = re.compile(rb"\xff[\xec-\xfe]")
_DECISIVE = re.compile(rb"[\r\n\0\xff]")
_PROXY_2 = b"\r\n\r\n\0\r\nQUIT\n"  # HAProxy's PROXY protocol, 2.2
_LINE_ENDS = frozenset(b"\r\n")
_lines = re.compile(rb"([^\r\n]*)([\r\n]*)([^\r\n]*)([\r\n]?)").match

_PREFIXES = {
    "TLS": re.compile(rb"[\x14-\x17]\x03[\x00-\x04]").match,  # RFC 8446, 5.1
    "SSH": re.compile(rb"SSH-[0-9]\.[0-9]+-").match,  # RFC 4253, 4.2
    "PROXY": re.compile(rb"PROXY (?:TCP[46] |UNKNOWN[ \r\n])").match,
}

_FIRST_LINES = {
    # RFC 9112, 3 and 4; RFC 2326, 6.1; RFC 3261, 7.1
    "HTTP": re.compile(
        rb"[A-Z][A-Z_-]{2,19} +(?:[/*]|[A-Za-z][A-Za-z0-9+.-]*:|[^ :]+:[0-9]).*"
        rb" (?:HTTP|RTSP|SIP)/[0-9](?:\.[0-9])? *"
        rb"|(?:GET|HEAD|POST|PUT|OPTIONS) +[^ ]+ +HTTP/[0-9]\.[0-9] *"
        rb"|GET +/[^ ]* *"
        rb"|(?:HTTP|RTSP|SIP)/[0-9]\.[0-9] [1-6][0-9]{2}(?: .*)?"
    ).fullmatch,
    # RFC 5321, 4.1.1.1; RFC 2033
    "SMTP": re.compile(
        rb"(?:EHLO|LHLO)(?: +[^ ]+)? *|HELO +(?:\[[^ ]*\]|localhost|[^ ]*[A-Za-z0-9-]\.[A-Za-z0-9][^ ]*) *"
    ).fullmatch,
    # RFC 2812, 3.1, and IRCv3's capability negotiation
    "IRC": re.compile(
        rb"CAP (?:LS(?: [0-9]+)?|LIST|END|REQ .+) *"
        rb"|USER +[^ ]+ +(?:[0-9]+|\*|\"[^ ]*\") +(?:[^ ]+ +:|[*\"]).*"
    ).fullmatch,
}
_LONG_REQUEST = re.compile(
    rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH) +[/*h]|[A-Z][A-Z_-]{2,19} +(?:[/*]|[a-z]+:)[^ ]{1000}"
).match
_perhaps_irc = re.compile(rb"(?:NICK|PASS|USER) +[^ ]+ *|USER(?: +[^ ]+){3} +(?::.*|[^ ]+ *)").fullmatch
_surely_irc = re.compile(rb"(?:NICK|PASS|USER|CAP|JOIN|MODE|QUIT)(?: .*)?").fullmatch

_untyped = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]").search
_utf_16 = re.compile(
    rb"(?:[\t\r\n\x20-\x7e]\0)+[\t\r\n\x20-\x7e]?|(?:\xfe\xff)?(?:\0[\t\r\n\x20-\x7e])*\0?"
).fullmatch


class Greeting:
    """Reads the first bytes of one connection. How they are split over calls makes no difference."""

    __slots__ = ("_held", "is_over", "protocol")

    def __init__(self) -> None:
        self._held = bytearray()
        self.is_over = False
        """Whether it is decided what the client speaks, so that this is no longer needed."""
        self.protocol = ""
        """The other protocol that the client speaks; empty if none has been recognised."""

    @property
    def holds_a_line(self) -> bool:
        """Whether a complete line is held back because the next one may decide what it is."""
        return bool(_LINE_ENDS.intersection(self._held))

    def receive(self, data: bytes) -> bytes:
        """Take the next bytes and return those that may be framed as lines.

        That is everything held back, once it is decided that the client speaks no other protocol, and nothing
        until then.
        """
        self._held += data
        if _FEW + len(data) < len(self._held) <= _LONGEST_LINE and not _DECISIVE.search(data):
            return b""
        return self._decide(ended=False)

    def end(self) -> bytes:
        """Decide now, at the end of the input or of patience; return bytes as `receive` does."""
        return self._decide(ended=True)

    def _decide(self, *, ended: bool) -> bytes:
        held = bytes(self._held)
        protocol = _protocol(held, ended=ended)
        if protocol is None:
            return b""
        self.is_over = True
        self.protocol = protocol
        self._held.clear()
        return b"" if protocol else held


def _protocol(held: bytes, *, ended: bool) -> str | None:
    """The other protocol that the first bytes belong to; empty if none, None if more bytes are needed."""
    if held.startswith(_PROXY_2):
        return "PROXY"
    if _PROXY_2.startswith(held) and not ended:
        return None
    text = held.lstrip(b"\r\n")
    if len(held) - len(text) > _MOST_HELD:
        return ""
    for protocol, matches in _PREFIXES.items():
        if matches(text):
            return protocol
    found = _lines(text)
    assert found is not None  # every part may be empty
    first, ends, second, second_end = found.groups()
    first = first[: _LONGEST_LINE + 1]
    # A request may begin with a capital letter, and NUL bytes may follow controls that nobody types.
    if len(first) > _FEW and not first[:1].isupper() and not _untyped(first, 0, _FEW):
        return ""
    telnet = _TELNET.search(first)
    is_whole = not telnet and (bool(ends) or ended or len(first) > _LONGEST_LINE)
    text = first[: telnet.start()] if telnet else first
    if b"\0" in text and (protocol := _binary(text, is_whole=is_whole)):
        return protocol
    if not is_whole:
        return "" if telnet else None
    if len(first) > _LONGEST_LINE:
        return "HTTP" if _LONG_REQUEST(first) else ""
    for protocol, matches in _FIRST_LINES.items():
        if matches(first):
            return protocol
    if not _perhaps_irc(first) or _TELNET.search(second):
        return ""
    if second_end or ended or len(second) > _LONGEST_SECOND_LINE or len(ends) > _MOST_HELD:
        return "IRC" if _surely_irc(second) else ""
    return None


def _binary(line: bytes, *, is_whole: bool) -> str:
    """Return "binary" for binary input, and "" for a line with a stray NUL or ASCII as UTF-16."""
    if _utf_16(line) and line.strip(b"\0"):
        return ""
    zeros = line.count(b"\0")
    if zeros > 1 or _untyped(line.replace(b"\0", b"")) or (is_whole and zeros == len(line)):
        return "binary"
    return ""
