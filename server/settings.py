"""Every limit and switch of the server, its unit and its default, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one `ChatServer`. Sizes are in bytes, times in seconds."""

    hosts: tuple[str, ...] = ("127.0.0.1",)
    """The addresses or host names to listen on, IPv4 and IPv6."""

    port: int = 1234
    """The TCP port; 0 takes a free one, the same for all hosts."""

    shared_nicks: bool = False
    """Whether several clients may bear one nickname."""

    welcome: str = ""
    """What each newcomer is shown, to it alone: a line or several. It is cleaned like all text."""

    max_clients: int = 0
    """The most clients at a time; 0 sets no limit."""

    max_per_ip: int = 32
    """The most clients at a time from one address other than loopback; 0 sets no limit."""

    connect_rate: float = 30
    """How many connections one address other than loopback may open a minute in the long run; 0: no limit."""

    connect_burst: int = 10
    """How many of them it may open at once after a quiet time."""

    rate: float = 5
    """How many lines a second a client may send in the long run, before the next ones wait; 0: no limit."""

    burst: int = 20
    """How many lines it may send at once after a quiet time. Bytes are limited too: 0.4 KiB for each line."""

    held_grace: float = 60.0
    """How long lines that wait for their turn still have it once their client has closed its end."""

    max_line: int = 2048
    """The longest line, without its ending; a longer one is dropped and its sender told."""

    max_subnegotiation: int = 512
    """The longest telnet subnegotiation. What follows is text again: a stray `IAC SB` silences nobody."""

    max_backlog: int = 4 << 20
    """How much may wait for a client that reads too slowly before it is dropped."""

    stall_timeout: float = 20.0
    """How long a client may take nothing of what waits for it before it is dropped."""

    read_size: int = 1 << 16
    """How much is read from one client at a time; every client gets its turn between two reads."""

    read_slice: float = 0.005
    """How long the input of all clients may hold the event loop before others get their turn."""

    flush_slice: float = 0.005
    """How long one flush may hold the event loop before others get their turn."""

    close_grace: float = 1.0
    """How long a connection that the server ends may take to read what is left for it."""

    stop_grace: float = 2.0
    """How long `ChatServer.stop` waits for all connections to end before it cuts them."""

    listen_queue: int = 4096
    """How many connections may wait to be accepted; the system may cap it."""

    bans_file: Path | None = None
    """Where the bans are kept; None keeps them as long as the server runs."""

    tls_cert: Path | None = None
    """A PEM file with the certificate, and those that lead to its issuer; None speaks plain text."""

    tls_key: Path | None = None
    """A PEM file with the certificate's private key."""

    tls_handshake_timeout: float = 10.0
    """How long a client may take for the TLS handshake."""

    @property
    def encrypted(self) -> bool:
        """Whether the server speaks TLS."""
        return self.tls_cert is not None and self.tls_key is not None
