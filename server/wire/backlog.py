"""The bytes that wait for one client to read them. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

_MOST_PIECES = 64  # per system call, which takes up to 1,024 (IOV_MAX)


class Backlog:
    """Bytes in sending order, held by reference: bytes that wait for many clients exist only once."""

    __slots__ = ("_pieces", "size")

    def __init__(self) -> None:
        self._pieces: deque[bytes | memoryview] = deque()
        self.size = 0
        """How many bytes wait."""

    def append(self, piece: bytes | memoryview) -> None:
        """Add `piece`, which must not be empty."""
        self._pieces.append(piece)
        self.size += len(piece)

    def extend(self, pieces: Iterable[bytes]) -> None:
        """Add `pieces`, none of which may be empty."""
        for piece in pieces:
            self.append(piece)

    def first(self, most: int) -> list[bytes | memoryview]:
        """The first pieces to send, at most `most` bytes in all."""
        found: list[bytes | memoryview] = []
        for piece in self._pieces:
            if len(piece) >= most or len(found) == _MOST_PIECES:
                found.append(memoryview(piece)[:most])
                break
            found.append(piece)
            most -= len(piece)
        return found

    def sent(self, count: int) -> None:
        """Drop the first `count` bytes, which were sent."""
        self.size -= count
        while count:
            piece = self._pieces[0]
            if count < len(piece):
                self._pieces[0] = memoryview(piece)[count:]
                return
            count -= len(piece)
            self._pieces.popleft()
