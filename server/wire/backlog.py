"""What waits for one client to read. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

_MOST_PIECES = 64  # in one call of the system, which takes 1,024 (IOV_MAX)


class Backlog:
    """Bytes in the order in which they go out, by reference: what many clients wait for is there once."""

    __slots__ = ("_pieces", "size")

    def __init__(self) -> None:
        self._pieces: deque[bytes | memoryview] = deque()
        self.size = 0
        """How many bytes wait."""

    def append(self, piece: bytes | memoryview) -> None:
        """Let `piece`, which is not empty, wait behind the others."""
        self._pieces.append(piece)
        self.size += len(piece)

    def extend(self, pieces: Iterable[bytes]) -> None:
        """Let `pieces`, none of which is empty, wait behind the others."""
        for piece in pieces:
            self.append(piece)

    def first(self, most: int) -> list[bytes | memoryview]:
        """The first pieces, as they are to be sent: `most` bytes, or all where there are fewer."""
        found: list[bytes | memoryview] = []
        for piece in self._pieces:
            if len(piece) >= most or len(found) == _MOST_PIECES:
                found.append(memoryview(piece)[:most])
                break
            found.append(piece)
            most -= len(piece)
        return found

    def sent(self, count: int) -> None:
        """Let go of the first `count` bytes."""
        self.size -= count
        while count:
            piece = self._pieces[0]
            if count < len(piece):
                self._pieces[0] = memoryview(piece)[count:]
                return
            count -= len(piece)
            self._pieces.popleft()
