"""The sending end of one client's connection: its backlog, and whether the client reads it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable

from ..room.events import LeaveReason
from ..settings import Settings
from .backlog import Backlog
from .sockets import acknowledged
from .tls import MAX_RECORD, TlsSession

_MOST_SENT = 1 << 16  # bytes of a backlog, before other clients get their turn
_QUIET_CHECKS = 4  # in a row; counted, because a clock runs on while the process is stopped


class Sender:
    """Sends one client what its socket takes at once, and keeps the rest in a backlog.

    A client is too slow if more than `Settings.max_backlog` waits for it, or if it has read nothing for
    `Settings.stall_timeout`.

    Args:
        sock: the client's non-blocking socket.
        tls: the TLS session; None without TLS.
        settings: the limits.
        slow: called with the reason, once, if the client is too slow.
        moved: called when some of the backlog or the end was sent, and when the client takes no more.
    """

    __slots__ = (
        "_acknowledged",
        "_backlog",
        "_direct",
        "_is_watching",
        "_loop",
        "_moved",
        "_quiet",
        "_sent",
        "_settings",
        "_slow",
        "_sock",
        "_stall",
        "_tls",
        "_wire",
        "has_ended",
        "is_ending",
        "is_lost",
    )

    def __init__(
        self,
        sock: socket.socket,
        tls: TlsSession | None,
        settings: Settings,
        slow: Callable[[LeaveReason], None],
        moved: Callable[[], None],
    ) -> None:
        self._sock = sock
        self._tls = tls
        self._settings = settings
        self._slow = slow
        self._moved = moved
        self._loop = asyncio.get_running_loop()
        self._direct = None if tls else sock  # where to send while nothing waits
        self._backlog: Backlog | None = None  # while something waits
        self._wire = memoryview(b"")  # the part of it that is already encrypted
        self._is_watching = False  # whether the loop calls when the socket takes more
        self._stall: asyncio.TimerHandle | None = None  # the next check for progress
        self._sent = self._acknowledged = 0  # bytes: of all backlogs; by the last check
        self._quiet = 0  # how many checks in a row found no progress
        self.is_lost = False
        """Whether the client takes no more."""
        self.is_ending = False
        """Whether nothing more comes after the backlog."""
        self.has_ended = False
        """Whether everything has been sent, including the end."""

    @property
    def waiting(self) -> int:
        """How many bytes are waiting for the client to read."""
        return self._backlog.size + len(self._wire) if self._backlog else 0

    def write(self, data: bytes) -> None:
        """Send `data`, and keep what cannot be sent at once."""
        if not self._direct:
            self.write_all((data,))
            return
        try:
            sent = self._direct.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lose()
            return
        if sent < len(data):
            self._let_wait().append(memoryview(data)[sent:])
            self._watch()
            self._judge()

    def write_all(self, pieces: Iterable[bytes]) -> None:
        """Send `pieces` and whatever the TLS session has to send; keep the rest, without copying."""
        if self.is_lost or self.is_ending:
            return
        is_first = self._backlog is None
        self._let_wait().extend(pieces)
        if is_first:
            self._drain()
        self._judge()

    def end(self) -> None:
        """Send the end after the backlog. From now on the client is never reported as too slow."""
        self.is_ending = True
        self._end_stall()
        if self._backlog is None:
            self._let_wait()
            self._drain()

    def close(self) -> None:
        """Send nothing more. Call this before closing the socket."""
        self.is_lost = True
        self._direct = self._backlog = None
        self._wire = memoryview(b"")
        self._stop_watching()

    def _let_wait(self) -> Backlog:
        """Return the backlog, for adding to it."""
        if self._backlog is None:
            self._backlog = Backlog()
            self._direct = None
        return self._backlog

    def _drain(self) -> None:
        """Send as much of the backlog as the system takes, up to a limit, and watch the rest."""
        assert self._backlog
        budget = _MOST_SENT
        try:
            while budget > 0 and (pieces := self._next_pieces(self._backlog)):
                count = self._sock.sendmsg(pieces)
                if self._tls:
                    self._wire = self._wire[count:]
                else:
                    self._backlog.sent(count)
                self._sent += count
                budget -= count
        except BlockingIOError:
            pass
        except OSError:
            self._lose()
            return
        if self.waiting or budget <= 0:  # with TLS the end may not be encrypted yet
            self._watch()
        else:
            self._all_sent()
        if budget < _MOST_SENT or self.has_ended:
            self._moved()

    def _next_pieces(self, backlog: Backlog) -> list[bytes | memoryview]:
        """What to send next: with TLS a single record, because encrypted bytes cannot be shared."""
        tls = self._tls
        if tls is None:
            return backlog.first(_MOST_SENT)
        if not self._wire:
            if backlog.size:
                text = b"".join(backlog.first(MAX_RECORD))
                tls.send(text)
                backlog.sent(len(text))
            elif self.is_ending:
                tls.end()
            self._wire = memoryview(tls.take())
        return [self._wire] if self._wire else []

    def _all_sent(self) -> None:
        self._backlog = None
        self._stop_watching()
        if self.is_ending:
            self.has_ended = True
            with contextlib.suppress(OSError):  # a client that is gone answered with RST
                self._sock.shutdown(socket.SHUT_WR)
        elif self._tls is None:
            self._direct = self._sock

    def _lose(self) -> None:
        self.close()
        self._moved()

    # Whether the client reads

    def _judge(self) -> None:
        if self.waiting > self._settings.max_backlog and not self.is_ending:
            self._slow(LeaveReason.SLOW)

    def _watch(self) -> None:
        """Wait for the socket to take more, and check from time to time whether there is progress."""
        if not self._is_watching:
            self._is_watching = True
            self._loop.add_writer(self._sock, self._drain)
            self._quiet = 0
            self._acknowledged = acknowledged(self._sock, self._sent)
        if self._stall is None and not self.is_ending:
            self._stall = self._loop.call_later(self._settings.stall_timeout / _QUIET_CHECKS, self._look)

    def _stop_watching(self) -> None:
        if self._is_watching:
            self._is_watching = False
            self._loop.remove_writer(self._sock)
        self._end_stall()

    def _end_stall(self) -> None:
        if self._stall:
            self._stall.cancel()
            self._stall = None

    def _look(self) -> None:
        self._stall = None
        count = acknowledged(self._sock, self._sent)
        self._quiet = 0 if count > self._acknowledged else self._quiet + 1
        self._acknowledged = count
        if self._quiet < _QUIET_CHECKS:
            self._watch()
        else:
            self._slow(LeaveReason.STALLED)
