"""Why the engine cannot be used: what heals by itself, what does not, and how it is said."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Protocol

from .settings import LOG_SIZE, MAX_ENTRY, ClusterSettings, Server

STREAM_NOT_FOUND = 10059
"""The engine's `err_code` for a stream that does not exist (nats-server, errors.json; so are the others)."""

NAME_IN_USE = 10058
"""Its `err_code` where a stream of that name, but with other settings, exists already."""

_NOT_ENABLED = (10039, 10076)
_NO_MEMORY = (10023, 10028)
_NO_DISK = (10047,)
_NO_PEERS = 10005  # as long as the other servers are starting
_REPLICAS_WITHOUT_CLUSTER = 10074
_OVERLAP = 10065

_OLDEST = (2, 9)

PAGE = "docs/cluster.md"


class EngineError(Exception):
    """The engine cannot be used until somebody does what the message, one line, says."""


class LinkError(Exception):
    """The engine cannot be used for now; the message says why, as the rest of a sentence."""


class Version(Protocol):
    """The version of a server, as a client of NATS has it."""

    @property
    def major(self) -> int: ...

    @property
    def minor(self) -> int: ...


def check(version: Version, max_payload: int) -> None:
    """Raise unless the engine can do what a room needs.

    Raises:
        EngineError: if it is too old, or does not take entries of the greatest size.
    """
    if (version.major, version.minor) < _OLDEST:
        number = f"{version.major}.{version.minor}"
        raise EngineError(f"nats-server {number} is too old: use 2.9 or newer, best 2.11 or newer")
    if max_payload < MAX_ENTRY:
        allowed = f"the engine takes at most {max_payload} bytes in a message"
        raise EngineError(f"{allowed}: set its max_payload to 1MB, which is the default")


def without_jetstream() -> EngineError:
    """The engine has no streams, at least not for this login."""
    return EngineError("the engine has no JetStream for this login: start nats-server with -js, or enable it")


def refused(error: Mapping[str, Any], stream: str) -> EngineError | LinkError:
    """What it means that the engine refuses to make or to read `stream`; `error` is that of its answer."""
    code, number = error.get("code"), error.get("err_code")
    text = shown(error.get("description"))
    if number in _NOT_ENABLED:
        return without_jetstream()
    if number in (*_NO_MEMORY, *_NO_DISK):
        what = "max_file" if number in _NO_DISK else "max_mem"
        size = f"{LOG_SIZE >> 20} MiB"
        return EngineError(f"the engine has no {size} left for the stream {stream}: raise its {what}")
    if number == _REPLICAS_WITHOUT_CLUSTER:
        return EngineError("the engine is one server and keeps one copy: use --cluster-replicas 1")
    if number == _OVERLAP:
        return EngineError(f"another stream has the entries of {stream}: name another --room, or delete it")
    if number == _NO_PEERS:
        return LinkError(f"the engine has too few servers for the stream {stream}")
    if code in (400, 500):
        return EngineError(f"the engine cannot make the stream {stream}: {text}")
    return LinkError(f"the engine answers: {text}")


def differs(config: Mapping[str, Any], settings: ClusterSettings) -> str:
    """What is said of a stream that has not the copies, or not the storage, of the settings; else empty."""
    copies, storage = config.get("num_replicas"), config.get("storage")
    if copies != settings.replicas and isinstance(copies, int):
        return f"its log has {copies} of {settings.replicas} copies, as it was made: see {PAGE}"
    if storage != settings.storage and isinstance(storage, str):
        return f"its log is kept in {shown(storage)}, not in {settings.storage}, as it was made: see {PAGE}"
    return ""


def denied(text: str, node: str) -> str:
    """What it means that the engine denies something; `text` is what it sends (`permissions violation …`)."""
    found = re.search(r'(publish|subscription) to "?([^"\s]*)', text)
    what = f"{'write to' if found[1] == 'publish' else 'read'} {found[2]}" if found else text
    return f"the engine does not let this login {shown(what)}: give {node} the permissions of {PAGE}"


def reason(error: BaseException, server: Server, node: str) -> EngineError | LinkError:
    """Why there is no connection to `server`, where `error` was raised or is what the engine said."""
    text = str(error)
    match error:
        case ssl.SSLCertVerificationError():
            why = f"the certificate of {server} is refused ({error.verify_message})"
            return EngineError(f"{why}: give its authority's by --cluster-ca, and the name that it has")
        case ssl.SSLError() if "CERTIFICATE_REQUIRED" in text or "BAD_CERTIFICATE" in text:
            return EngineError(
                f"{server} wants a certificate of {node}: give --cluster-cert and --cluster-key"
            )
        case ImportError() if error.name == "nkeys":
            return EngineError("a credentials file of NATS needs one more package: pip install nkeys")
        case socket.gaierror():
            return LinkError(f"the name {server.host} cannot be resolved")
        case TimeoutError():
            return LinkError("no answer")
        # asyncio puts its own words for the system's, and of several addresses a list without a number.
        case OSError() if number := error.errno or int((re.findall(r"\[Errno (\d+)]", text) or "0")[0]):
            return LinkError(os.strerror(number).lower())
        case _ if "authorization violation" in text.lower():
            login = "check user and password, or the file of --cluster-creds"
            return EngineError(f"the engine refuses the login of {node}: {login}")
        case _:
            return LinkError(shown(text or type(error).__name__))


def shown(text: object) -> str:
    """`text`, which comes from the engine, as one line of bounded length."""
    line = " ".join(str(text).removeprefix("nats: ").split())
    return "".join(character if character.isprintable() else "?" for character in line)[:200]
