"""Every limit and switch of the server, its unit and its default, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one `ChatServer`. Sizes are in bytes, times in seconds."""

    hosts: tuple[str, ...] = ("127.0.0.1",)
    """The addresses or host names to listen on, IPv4 and IPv6."""

    port: int = 1234
    """The TCP port; 0 takes a free one, the same for all hosts."""

    shared_nicks: bool = False
    """Whether several clients may bear one nickname."""

    max_line: int = 2048
    """The longest line, without its ending; a longer one is dropped and its sender told."""

    max_subnegotiation: int = 512
    """The longest telnet subnegotiation. What follows is text again: a stray `IAC SB` silences nobody."""

    max_backlog: int = 1 << 20
    """How much may wait for a client that reads too slowly before it is dropped."""

    read_size: int = 1 << 16
    """How much is read from one client at a time; every client gets its turn between two reads."""

    flush_slice: float = 0.005
    """How long one flush may hold the event loop before others get their turn."""

    close_grace: float = 1.0
    """How long a connection that the server ends may take to read what is left for it."""

    stop_grace: float = 2.0
    """How long `ChatServer.stop` waits for all connections to end before it cuts them."""

    listen_queue: int = 128
    """How many connections may wait to be accepted; the system may cap it."""
