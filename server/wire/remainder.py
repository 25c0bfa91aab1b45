"""What a client that is gone has left: sent above its rate, and not to be heard any more."""

from __future__ import annotations

import socket
from contextlib import suppress

from .inbox import Inbox
from .tls import TlsSession

_AT_ONCE = 1 << 14  # bytes, which may be hundreds of records


class Remainder:
    """Drops it a part at a time, and counts its lines.

    Args:
        sock: where the rest of it is read; None if all was read.
        tls: what it is encrypted with, if anything.
        inbox: where that waits which was read.
    """

    def __init__(self, sock: socket.socket | None, tls: TlsSession | None, inbox: Inbox) -> None:
        self._sock = sock
        self._tls = tls
        self._inbox = inbox
        self.lines = 0
        """How many were dropped so far."""

    def drop(self) -> bool:
        """Drop the next part; whether there may be more."""
        self.lines += self._inbox.drop()
        with suppress(OSError):
            if self._sock and (data := self._sock.recv(_AT_ONCE)):
                self._inbox.receive(self._tls.receive(data) if self._tls else data)
                return True
        return False
