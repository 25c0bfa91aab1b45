"""Codecs turn the room's items into bytes, once for all the members that share a codec."""

from __future__ import annotations

from typing import Protocol

from ..room import notices
from ..room.listing import Page
from ..room.room import Item
from ..room.told import told


class Codec(Protocol):
    """A form of the room's items on the wire."""

    def encode(self, item: Item) -> bytes:
        """Return the bytes of `item`; empty if it says nothing to members."""
        ...


class TextCodec:
    """Lines of UTF-8 text, for `nc` and telnet.

    Args:
        end: the line ending.
    """

    def __init__(self, end: bytes) -> None:
        self._end = end

    def encode(self, item: Item) -> bytes:
        """Return the lines of `item`, each with its ending."""
        if isinstance(item, str):
            return self._lines(item)
        if not isinstance(item, Page):
            line = told(item).line
            return b"" if line is None else self._lines(line(item))
        data = item.encoded.get(self)
        if data is None:
            data = item.encoded[self] = self._lines(notices.listed(item.users))
        return data

    def _lines(self, text: str) -> bytes:
        data = text.encode() + b"\n"
        return data if self._end == b"\n" else data.replace(b"\n", self._end)


LF = TextCodec(b"\n")
"""What every client gets at first."""

CRLF = TextCodec(b"\r\n")
"""What a client gets once it has sent CR LF or a telnet command itself (RFC 854)."""
