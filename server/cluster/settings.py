"""What a node of a cluster needs to know: the engine, the room, its own name, and how to log in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import SplitResult, unquote, urlsplit

from ..addresses import is_loopback
from ..settings import SettingsError

MAX_ENTRY = 512 << 10
"""The most bytes in one entry; the engine must take them in one message."""

LOG_AGE = 60.0
"""How long the engine keeps an entry, in seconds: who is further behind asks the others for the state."""

LOG_SIZE = 256 << 20
"""The most bytes that the engine keeps of a room."""

_PORT = 4222  # that of NATS
_NAME = re.compile(r"[a-z0-9-]{1,32}")
_LONGEST_NAME = 32
_STORAGES = ("memory", "file")
_REPLICAS = (1, 3)
_HOLD = (1, 3600)


class Server(NamedTuple):
    """One server of the engine, and how to log in to it; shown without that."""

    host: str
    port: int
    user: str | None
    password: str | None
    """With None, `user` is a token, if there is one."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    __repr__ = __str__

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, so that nothing crosses a network."""
        try:
            return is_loopback(self.host)
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """The settings of one node of a cluster.

    Raises:
        SettingsError: if one of them is invalid, or two do not go together. The message has no password.
    """

    urls: tuple[str, ...] = field(repr=False)
    """The servers of the engine, as `nats://HOST:PORT` or `tls://HOST:PORT`, all of the same kind.

    Before the host there may be `USER:PASSWORD@` or `TOKEN@`, percent-encoded (RFC 3986, 3.2.1).
    """

    node: str
    """This node's name, which no other node of the room has; see `default_node`."""

    room: str = "lobby"
    """The room; the nodes that name the same one have the same users."""

    hold: float = 10.0
    """After how many seconds of silence of the log a node goes on alone."""

    storage: str = "memory"
    """Where the engine keeps the log: in `memory`, or in a `file`."""

    replicas: int = 1
    """How many servers of the engine keep a copy of the log: 1 or 3."""

    ca: Path | None = None
    """A PEM file with the certificates that may have signed the engine's; None = those of the system."""

    cert: Path | None = None
    """A PEM file with this node's certificate and its chain, for an engine that asks for one."""

    key: Path | None = None
    """A PEM file with the certificate's private key."""

    creds: Path | None = None
    """A file with `USER:PASSWORD` in its first line, or a credentials file (`.creds`) of NATS."""

    def __post_init__(self) -> None:
        self._check_urls()
        for name in ("room", "node"):
            value: Any = getattr(self, name)
            fits = isinstance(value, str) and _NAME.fullmatch(value) is not None
            self._check(fits, name, "1 to 32 of the characters a-z, 0-9 and -")
        hold: Any = self.hold
        least, most = _HOLD
        # NaN fails every comparison.
        fits = isinstance(hold, int | float) and not isinstance(hold, bool) and least <= hold <= most
        self._check(fits, "hold", f"a number of seconds from {least} to {most}")
        self._check(self.storage in _STORAGES, "storage", "memory or file")
        replicas: Any = self.replicas
        self._check(type(replicas) is int and replicas in _REPLICAS, "replicas", "1 or 3")
        for name in ("ca", "cert", "key", "creds"):
            value = getattr(self, name)
            self._check(value is None or isinstance(value, Path), name, "a Path or None")
        if (self.cert is None) != (self.key is None):
            raise SettingsError("go together: give both or neither", "cert", "key")
        if self.creds is not None and any(server.user is not None for server in self.servers):
            raise SettingsError("both say how to log in: give one of them", "urls", "creds")

    def _check_urls(self) -> None:
        urls: Any = self.urls
        is_list = isinstance(urls, tuple) and all(isinstance(url, str) for url in cast("tuple[Any]", urls))
        if not is_list or not urls:
            raise SettingsError("must be a tuple of at least one URL", "urls")
        for url in self.urls:
            _server_of(url)
        if len({_split(url).scheme for url in self.urls}) > 1:
            raise SettingsError("must be all nats:// or all tls://", "urls")

    def _check(self, fits: bool, name: str, allowed: str) -> None:
        if not fits:
            raise SettingsError(f"must be {allowed}, not {str(getattr(self, name))[:60]!r}", name)

    @property
    def servers(self) -> tuple[Server, ...]:
        """The servers of the engine."""
        return tuple(_server_of(url) for url in self.urls)

    @property
    def is_encrypted(self) -> bool:
        """Whether nothing may pass without TLS: as the URLs say, or because of a file that is for TLS."""
        return _split(self.urls[0]).scheme == "tls" or self.ca is not None or self.cert is not None

    @property
    def is_exposed(self) -> bool:
        """Whether whoever is on the network's path may read and change what passes."""
        return not self.is_encrypted and not all(server.is_here for server in self.servers)


def _split(url: str) -> SplitResult:
    return urlsplit(url if "://" in url else f"nats://{url}")


def _server_of(url: str) -> Server:
    shown = re.sub(r"(?s)^([a-z]+:(?=//))?.*@", r"\1//…@", url)[:60]
    wrong = SettingsError(f"must be nats://HOST:PORT or tls://HOST:PORT, not {shown!r}", "urls")
    try:
        parts = _split(url)
        host, port = parts.hostname, _PORT if parts.port is None else parts.port
    except ValueError:
        raise wrong from None
    rest = parts.path.strip("/") + parts.query + parts.fragment
    is_clean = url.isprintable() and " " not in url and not rest
    if not host or not port or not is_clean or parts.scheme not in ("nats", "tls"):
        raise wrong
    user, password = parts.username or None, parts.password
    return Server(host, port, user and unquote(user), password and unquote(password))


def urls_in(text: str) -> tuple[str, ...]:
    """The URLs in `text`, with blanks or commas in between."""
    return tuple(re.split(r"[\s,]+", text.strip(" \t\r\n,"))) if text.strip(" \t\r\n,") else ()


def default_node(host_name: str) -> str:
    """A node name for the machine `host_name`: its first label, with only what a node name may have."""
    name = re.sub(r"[^a-z0-9-]+", "-", host_name.partition(".")[0].lower()).strip("-")
    return name[:_LONGEST_NAME].rstrip("-") or "node"
