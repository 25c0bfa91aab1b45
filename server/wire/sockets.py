"""What the system can do for a connection and knows about it, and turning a connection away."""

from __future__ import annotations

import select
import socket
import struct
from contextlib import suppress

_IDLE, _INTERVAL, _PROBES = 60, 15, 4  # seconds, seconds, how many

# The offset of tcpi_bytes_acked in Linux's struct tcp_info (tcp(7), linux/tcp.h).
_ACKNOWLEDGED = struct.Struct("=120xQ")
_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None)

_GONE = getattr(select, "POLLRDHUP", 0)  # POLLHUP and POLLERR are always reported


def keep_alive(sock: socket.socket, patience: float) -> None:
    """Have the system detect that a peer is gone and give up on it, and send each write at once.

    A silent peer is probed after 60 s, 4 times, 15 s apart (RFC 9293, 3.8.4), and given up after 2 minutes;
    so is one that does not acknowledge what it was sent (RFC 5482), but never within `patience` seconds.
    The urgent byte is read in line, for RFC 854's Synch. Options that the system lacks are skipped.
    """
    # On Linux the user timeout ends the probing too, so it must leave time for all the probes.
    timeout = max(_IDLE + _INTERVAL * _PROBES, 2 * patience)
    for level, name, value in (
        (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
        (socket.SOL_SOCKET, "SO_OOBINLINE", 1),
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", _IDLE),
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", _INTERVAL),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", _PROBES),
        (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", int(timeout * 1000)),
        (socket.IPPROTO_TCP, "TCP_NODELAY", 1),
    ):
        if (option := getattr(socket, name, None)) is not None:
            with suppress(OSError):  # some systems refuse it if the peer is already gone
                sock.setsockopt(level, option, value)


def acknowledged(sock: socket.socket, sent: int) -> int:
    """How many bytes the peer's system has acknowledged; `sent` if this system does not report that.

    The local send buffer is large: a slow reader may drain it for minutes before another byte can be sent.
    """
    if _TCP_INFO is None:
        return sent
    count: int = _ACKNOWLEDGED.unpack(sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _ACKNOWLEDGED.size))[0]
    return count


def has_hung_up(sock: socket.socket) -> bool:
    """Whether the peer has closed the connection or is gone; what it sent before may still be unread."""
    poll = select.poll()
    poll.register(sock, _GONE)
    return bool(poll.poll(0))


def turn_away(sock: socket.socket, notice: str | None) -> None:
    """Close a connection that is not let in, with `notice` as its only line if there is one."""
    with sock, suppress(OSError):
        if notice is not None:
            sock.send(notice.encode() + b"\n")
        sock.shutdown(socket.SHUT_WR)
        # With unread input the kernel would send RST, and the client might not see the notice.
        sock.recv(1 << 16)
