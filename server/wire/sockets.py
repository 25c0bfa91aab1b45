"""What the system does for a connection, what it knows of one, and how one ends that is not let in."""

from __future__ import annotations

import select
import socket
import struct
from contextlib import suppress

_IDLE, _INTERVAL, _PROBES = 60, 15, 4  # seconds, seconds, how many

# Linux' struct tcp_info (tcp(7), linux/tcp.h): where tcpi_bytes_acked stands in it.
_ACKNOWLEDGED = struct.Struct("=120xQ")
_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None)

_GONE = getattr(select, "POLLRDHUP", 0)  # POLLHUP and POLLERR are always told


def keep_alive(sock: socket.socket, patience: float) -> None:
    """Have the system find out that a peer is gone, and give up on it; send each write at once.

    A silent peer is probed after 60 s, 4 times, 15 s apart (RFC 9293, 3.8.4), and given up after 2 minutes;
    so is one that does not acknowledge what was sent to it (RFC 5482), but never within `patience` seconds.
    The urgent byte is read in its place, for RFC 854's Synch. What the system does not have is left out.
    """
    # Linux lets the user timeout end the probing too: it must leave time for all the probes.
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
            with suppress(OSError):  # some systems refuse it for a peer that is gone already
                sock.setsockopt(level, option, value)


def acknowledged(sock: socket.socket, sent: int) -> int:
    """How many bytes the peer's system has taken; of a system that does not tell, the `sent` ones.

    The system's own buffer is large: a slow reader may empty it for minutes before the next byte can be sent.
    """
    if _TCP_INFO is None:
        return sent
    count: int = _ACKNOWLEDGED.unpack(sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _ACKNOWLEDGED.size))[0]
    return count


def has_hung_up(sock: socket.socket) -> bool:
    """Whether the peer has closed its end or is gone; what it sent before may be unread yet."""
    poll = select.poll()
    poll.register(sock, _GONE)
    return bool(poll.poll(0))


def turn_away(sock: socket.socket, notice: str | None) -> None:
    """Close a connection of which nobody has been told, with `notice` as its last line if there is one."""
    with sock, suppress(OSError):
        if notice is not None:
            sock.send(notice.encode() + b"\n")
        sock.shutdown(socket.SHUT_WR)
        # With unread input the kernel would send RST, and the client might not see the notice.
        sock.recv(1 << 16)
