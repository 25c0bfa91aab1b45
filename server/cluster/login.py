"""How a node shows the engine who it is, and that nothing of it leaves without TLS where TLS is wanted."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .engine import EngineError
from .settings import ClusterSettings, Server

CONNECT = 2
"""Until a server has to be connected, in seconds."""

_PENDING = 64 << 20  # bytes that may wait for the socket
_JWT = b"BEGIN NATS USER JWT"
_LONGEST_FILE = 1 << 16

# nats-py reads TLS by a protocol that does not know of it: at the end of a connection asyncio warns, which
# would be on stderr, in the console.
_END_OF_TLS = "returning true from eof_received() has no effect"
logging.getLogger("asyncio").addFilter(lambda record: not record.getMessage().startswith(_END_OF_TLS))


class Login(NamedTuple):
    """What is sent to the engine: a user with a password, a token, or nothing; or a file that has a key."""

    user: str | None = None
    password: str | None = None
    token: str | None = None
    file: Path | None = None
    """A credentials file of NATS: a token that is signed, and the key to prove that it is one's own."""


def nats_options(
    settings: ClusterSettings, server: Server, add: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    """The options with which a client of NATS connects to `server`, once; `tls` is a `TlsContext`.

    Args:
        add: adds options to those of the client; called with the login when all that follows is encrypted.

    Raises:
        EngineError: if one of the files of `settings` cannot be used.
    """
    known = login(settings, server)
    secrets = {"user": known.user, "password": known.password, "token": known.token}
    scheme = "tls" if settings.is_encrypted else "nats"
    options: dict[str, Any] = {
        "servers": [f"{scheme}://{server}"],
        "name": f"chat-console {settings.node}",
        "user_credentials": known.file and str(known.file),
        "allow_reconnect": False,
        "max_reconnect_attempts": 1,  # with 0 it would try for ever
        "reconnect_time_wait": 0,
        "connect_timeout": CONNECT,
        "pending_size": _PENDING,
    }
    if settings.is_encrypted:
        return options | {"tls": tls_context(settings, lambda: add(secrets))}
    return options | secrets


def login(settings: ClusterSettings, server: Server) -> Login:
    """How to log in to `server`. A server whose URL does not say it has the login of the first that does.

    Raises:
        EngineError: if the file with the credentials cannot be read, or says nothing.
    """
    if settings.creds is not None:
        return _login_in(settings.creds)
    known = [each for each in (server, *settings.servers) if each.user is not None]
    if not known:
        return Login()
    user, password = known[0].user, known[0].password
    return Login(token=user) if password is None else Login(user, password)


def _login_in(path: Path) -> Login:
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST_FILE)
        if _JWT in data:
            return Login(file=path)
        user, colon, password = data.decode().partition("\n")[0].strip().partition(":")
    except OSError as error:
        raise EngineError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        user = colon = password = ""
    if not (user and colon and password):
        raise EngineError(f"{path} has neither USER:PASSWORD in its first line nor credentials of NATS")
    return Login(user, password)


class TlsContext(ssl.SSLContext):
    """The TLS of one connection to the engine; it tells when the handshake is about to begin.

    nats-py encrypts where the server says so, and otherwise sends the password in the clear, even with a
    URL of `tls://`. So it gets the password only then.
    """

    on_handshake: Callable[[], object]
    """Called before the first byte of TLS; from then on nothing is sent without it."""

    has_begun = False
    """Whether there was one."""

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Begin TLS on a connection, as asyncio asks for."""
        wrapped = super().wrap_bio(*arguments, **options)
        self.has_begun = True
        self.on_handshake()
        return wrapped


def tls_context(settings: ClusterSettings, on_handshake: Callable[[], object]) -> TlsContext:
    """The TLS that `settings` ask for: TLS 1.2 or newer, and the certificate and its host name are checked.

    Raises:
        EngineError: if one of the files cannot be used.
    """
    context = TlsContext(ssl.PROTOCOL_TLS_CLIENT)
    context.on_handshake = on_handshake
    try:
        if settings.ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(_readable(settings.ca))
    except ssl.SSLError:
        raise EngineError(f"{settings.ca} has no certificate in PEM") from None
    if settings.cert is not None and settings.key is not None:
        try:
            # OpenSSL would prompt for a passphrase on the terminal; an empty one turns that into an error.
            context.load_cert_chain(_readable(settings.cert), _readable(settings.key), password="")
        except ssl.SSLError:
            raise EngineError(
                f"{settings.cert} and {settings.key} are not a PEM certificate and its unencrypted key"
            ) from None
    return context


def _readable(path: Path) -> Path:
    """`path`, of a file that can be read: the errors of `ssl` do not say which one cannot."""
    try:
        path.read_bytes()
    except OSError as error:
        raise EngineError(f"cannot read {path}: {error.strerror}") from None
    return path
