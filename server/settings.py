"""Every limit and switch of the server, with its unit and default, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .addresses import network_of

_WHOLE = {
    "port": (0, 65_535),
    "max_clients": (0, 1_000_000),
    "max_per_ip": (0, 1_000_000),
    "connect_burst": (1, 1_000_000),
    "burst": (1, 1_000_000),
    "max_line": (1, 1 << 20),
    "max_subnegotiation": (0, 1 << 20),
    "max_backlog": (1024, 1 << 30),
    "read_size": (1, 1 << 24),
    "listen_queue": (1, 1 << 20),
    "history_days": (0, 36_500),
    "replay": (0, 1_000),
    "notices_up_to": (0, 1_000_000),
}
_RATES = ("connect_rate", "rate")
_SECONDS = {
    "stall_timeout": (1, 86_400),
    "held_grace": (0, 86_400),
    "read_slice": (0, 1),
    "flush_slice": (0, 1),
    "close_grace": (0, 86_400),
    "stop_grace": (0, 86_400),
    "tls_handshake_timeout": (0.001, 86_400),
}
MAX_WELCOME = 4096
"""The longest `Settings.welcome`, in bytes: every client gets it on joining, even one that never reads."""

_LONGEST_QUOTE = 60  # characters of an invalid value that are shown

_TEXTS = ("hosts", "trusted")
_PATHS = ("bans_file", "tls_cert", "tls_key", "history_file")
_SWITCHES = ("shared_nicks", "history_private", "recorded")


class SettingsError(ValueError):
    """A setting has an invalid value; the message says what is allowed.

    Args:
        problem: what is wrong, as the rest of a sentence that starts with the names in `fields`.
        fields: the settings concerned.
    """

    def __init__(self, problem: str, *fields: str) -> None:
        super().__init__(f"{' and '.join(fields)} {problem}")
        self.problem = problem
        self.fields = fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one `ChatServer`. Sizes are in bytes, times in seconds.

    Raises:
        SettingsError: if one of them is invalid, or two do not go together.
    """

    hosts: tuple[str, ...] = ("127.0.0.1",)
    """The addresses or host names to listen on, IPv4 and IPv6."""

    port: int = 1234
    """The TCP port; 0 picks a free one, the same for all hosts."""

    shared_nicks: bool = False
    """Whether several members may have the same nickname."""

    welcome: str = ""
    """One or more lines shown to each new member alone. They are cleaned like all text."""

    notices_up_to: int = 0
    """With more members than this, clients are told who joins, leaves or takes a nickname only of those who
    have said something, and of the others in one line a minute. Events tell of all. With
    any limit `/list` shows 200 where others are more than 1,000. 0 = no limit."""

    max_clients: int = 0
    """The most clients at a time; 0 = no limit."""

    max_per_ip: int = 32
    """The most clients at a time from one address other than loopback; 0 = no limit."""

    connect_rate: float = 30
    """Connections per minute from one address other than loopback, in the long run; 0 = no limit."""

    connect_burst: int = 40
    """How many connections such an address may open at once after a quiet period."""

    trusted: tuple[str, ...] = ()
    """Networks, such as a school's, that are exempt from the three limits above."""

    rate: float = 5
    """Lines per second that a client may send in the long run; what comes faster waits. 0 = no limit."""

    burst: int = 20
    """Lines it may send at once after a quiet period. Bytes are limited too, to 0.4 KiB for each line."""

    held_grace: float = 60.0
    """How long lines held back by `rate` are still processed once their client has closed the connection."""

    max_line: int = 2048
    """The longest line, without its ending; a longer one is dropped and its sender told."""

    max_subnegotiation: int = 512
    """The longest telnet subnegotiation. Anything after that is text, so a stray `IAC SB` silences nobody."""

    max_backlog: int = 4 << 20
    """How much may wait for a client that reads too slowly before it is dropped."""

    stall_timeout: float = 20.0
    """How long a client may read nothing of what waits for it before it is dropped."""

    read_size: int = 1 << 16
    """How much is read from one client at a time; the others get their turn between two reads."""

    read_slice: float = 0.005
    """How long handling the clients' input may hold the event loop before other work gets its turn."""

    flush_slice: float = 0.005
    """How long one flush may hold the event loop before other work gets its turn."""

    close_grace: float = 1.0
    """How long a client may take to read its last lines when the server closes the connection."""

    stop_grace: float = 2.0
    """How long `ChatServer.stop` waits for all connections to end before it cuts them."""

    listen_queue: int = 4096
    """How many connections may wait to be accepted; the system may cap it."""

    bans_file: Path | None = None
    """Where the bans are kept; with None they last only as long as the server runs."""

    history_file: Path | None = None
    """Where what is said in public is recorded, and who comes and goes; with None it is not."""

    history_days: int = 0
    """After how many days what is recorded is deleted; 0 = never."""

    history_private: bool = False
    """Whether what members and operators say to each other in private is recorded too."""

    recorded: bool = False
    """Whether what is said is recorded anywhere else, as in a log file: new members are told."""

    replay: int = 0
    """How many of the last public lines a new member is sent, with their times; 0 = none."""

    tls_cert: Path | None = None
    """A PEM file with the certificate and its chain; None = no TLS."""

    tls_key: Path | None = None
    """A PEM file with the certificate's private key."""

    tls_handshake_timeout: float = 10.0
    """How long a client may take for the TLS handshake."""

    def __post_init__(self) -> None:
        for name, (least, most) in _WHOLE.items():
            value: Any = getattr(self, name)
            fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
            self._check(name, fits, f"a whole number from {least} to {most}")
        for name in _RATES:
            fits = self._is_number(name, 0, 0) or self._is_number(name, 0.001, 1_000_000)
            self._check(name, fits, "0 or a number from 0.001 to 1000000")
        for name, (least, most) in _SECONDS.items():
            self._check(name, self._is_number(name, least, most), f"a number from {least} to {most}")
        for name in _SWITCHES:
            self._check(name, isinstance(getattr(self, name), bool), "True or False")
        for name in _PATHS:
            value = getattr(self, name)
            self._check(name, value is None or isinstance(value, Path), "a Path or None")
        for name in _TEXTS:
            self._check_texts(name)
        welcome: Any = self.welcome
        is_short = isinstance(welcome, str) and len(welcome.encode(errors="replace")) <= MAX_WELCOME
        self._check("welcome", is_short, f"text of at most {MAX_WELCOME} bytes")
        self._check("hosts", bool(self.hosts), "a tuple of at least one host")
        for text in self.trusted:
            try:
                network_of(text)
            except ValueError:
                self._check("trusted", False, "networks such as 192.0.2.0/24", text)
        if (self.tls_cert is None) != (self.tls_key is None):
            raise SettingsError("go together: give both or neither", "tls_cert", "tls_key")

    def _is_number(self, name: str, least: float, most: float) -> bool:
        value: Any = getattr(self, name)
        # NaN fails every comparison.
        return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most

    def _check_texts(self, name: str) -> None:
        values: Any = getattr(self, name)
        self._check(name, isinstance(values, tuple), "a tuple of strings")
        for value in values:
            fits = isinstance(value, str) and value.isprintable() and value.strip() == value != ""
            self._check(name, fits, "printable text without surrounding blanks", value)

    def _check(self, name: str, fits: bool, allowed: str, *values: object) -> None:
        """Raise unless the value `fits`; `values` holds the offending one where the field has several."""
        if not fits:
            (value,) = values or (getattr(self, name),)
            try:
                shown = repr(value)[:_LONGEST_QUOTE]
            except ValueError:  # Python refuses to show an integer of more than 4,300 digits
                shown = "that"
            raise SettingsError(f"must be {allowed}, not {shown}", name)

    @property
    def encrypted(self) -> bool:
        """Whether the server uses TLS."""
        return self.tls_cert is not None
