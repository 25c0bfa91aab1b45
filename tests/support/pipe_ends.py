"""A pipe in the place of a standard stream."""

from __future__ import annotations

import os
import select
from typing import BinaryIO

from .waiting import BOUND


class Pipe:
    """A pipe with an end for each side."""

    def __init__(self) -> None:
        read, write = os.pipe()
        self.reader: BinaryIO = os.fdopen(read, "rb", buffering=0)
        self.writer: BinaryIO = os.fdopen(write, "wb", buffering=0)

    def read(self, size: int) -> bytes:
        """Wait for `size` bytes or more, and return them."""
        data = b""
        while len(data) < size:
            assert select.select([self.reader], [], [], BOUND)[0], data
            data += os.read(self.reader.fileno(), 1 << 16)
        return data

    def close(self) -> None:
        self.writer.close()
        self.reader.close()
