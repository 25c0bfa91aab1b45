"""TLS: the server's certificate, and the session of one connection."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

MAX_RECORD = 1 << 14
"""The most bytes of text in one record (RFC 8446, 5.1)."""

_HEADER = 5  # bytes; the last two are the length of what follows

_MOST_WITHOUT_TEXT = 32
"""How far a peer's records without text may outnumber those with text: a key update (RFC 8446, 4.6.3) costs
a thousand times as much to receive as to send, and nobody needs two in a row."""


class CertificateError(Exception):
    """A certificate or its key cannot be used; the message, one line, says which and why."""


class Certificate:
    """A certificate with its key, and the TLS context that uses them.

    The context has the standard library's defaults for servers: TLS 1.2 and newer.

    Args:
        chain: a PEM file with the certificate, followed by its chain.
        key: a PEM file with the certificate's private key, without a passphrase.

    Raises:
        CertificateError: if they cannot be read, do not match, or are not currently valid.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain = chain
        self._key = key
        self.context = self._load()

    def reload(self) -> None:
        """Reload the files for new connections; existing ones are not affected.

        Raises:
            CertificateError: as for the class; what was loaded before stays in use.
        """
        self._load()
        self.context.load_cert_chain(self._chain, self._key)

    def _load(self) -> ssl.SSLContext:
        for path in (self._chain, self._key):
            try:
                path.read_bytes()
            except OSError as error:
                raise CertificateError(f"cannot read {path}: {error.strerror}") from None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.options |= ssl.OP_NO_RENEGOTIATION  # a few bytes would cost a handshake, any number of times
        context.num_tickets = 0  # resuming a session saves little here, and each ticket costs memory
        try:
            # OpenSSL would prompt for a passphrase on the terminal; an empty one turns that into an error.
            context.load_cert_chain(self._chain, self._key, password="")
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise CertificateError(f"the key in {self._key} does not belong to {self._chain}") from None
            raise CertificateError(
                f"{self._chain} and {self._key} are not a PEM certificate and its unencrypted key"
            ) from None
        self._check_validity(context)
        return context

    def _check_validity(self, context: ssl.SSLContext) -> None:
        """Have an in-memory client that trusts the certificate verify it."""
        client_context = ssl.create_default_context(cafile=self._chain)
        client_context.check_hostname = False
        client_context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        # Python 3.13 sets this flag, and so would refuse what `openssl req -x509` makes as an issuer.
        client_context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(to_server, to_client, server_side=True)
        client = client_context.wrap_bio(to_client, to_server)
        for _ in range(3):
            for end in (client, server):
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLCertVerificationError as error:
                    raise CertificateError(f"{self._chain}: {error.verify_message}") from None


class TlsSession:
    """The server's side of TLS for one connection. No I/O: bytes from and for the wire go in and out.

    Unlike a TLS socket or asyncio's transport, it lets its caller see, and so meter, every byte of the peer,
    even those that carry no text, and it takes no memory before the peer has sent something.

    Args:
        context: the `Certificate.context`.
    """

    __slots__ = (
        "_context",
        "_excess",
        "_from_wire",
        "_record",
        "_tls",
        "_to_wire",
        "has_ended",
        "is_established",
    )

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._tls: ssl.SSLObject | None = None
        self._record = b""  # the start of an unfinished record
        self._excess = 0  # how far records without text outnumber those with text
        self.is_established = False
        """Whether the handshake is done."""
        self.has_ended = False
        """Whether the peer has announced that it sends no more (RFC 8446, 6.1)."""

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the wire and return the text in them. There may be an answer to `take`.

        Raises:
            ssl.SSLError: if this is not TLS, or breaks the protocol; there may be an alert to `take`.
        """
        if self._tls is None:
            self._from_wire, self._to_wire = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._tls = self._context.wrap_bio(self._from_wire, self._to_wire, server_side=True)
        if not self.is_established:
            self._from_wire.write(data)
            with suppress(ssl.SSLWantReadError):
                self._tls.do_handshake()
                self.is_established = True
                return self._read(self._tls)  # what came with the end of the handshake
            return b""
        texts: list[bytes] = []
        data = self._record + data
        at = 0
        while (end := _record_end(data, at)) <= len(data) and not self.has_ended:
            self._from_wire.write(data[at:end])
            texts.append(self._read(self._tls))
            self._excess = max(0, self._excess - 1) if texts[-1] else self._excess + 1
            if self._excess > _MOST_WITHOUT_TEXT:
                raise ssl.SSLError("too many records without text")
            at = end
        self._record = data[at:]
        return b"".join(texts)

    def _read(self, tls: ssl.SSLObject) -> bytes:
        texts: list[bytes] = []
        with suppress(ssl.SSLWantReadError):
            while text := tls.read(MAX_RECORD):
                texts.append(text)
            self.has_ended = True
        return b"".join(texts)

    def send(self, text: bytes | memoryview) -> None:
        """Encrypt `text`, for `take`. Call this only once the handshake is done."""
        assert self._tls is not None
        self._tls.write(text)

    def end(self) -> None:
        """Announce to the peer that nothing more comes; this too is for `take`."""
        if self._tls is not None and self.is_established:
            with suppress(ssl.SSLError):  # it waits for the peer to do the same, which nobody needs
                self._tls.unwrap()

    def take(self) -> bytes:
        """Return the bytes to put on the wire, and forget them."""
        return self._to_wire.read() if self._tls is not None else b""


def _record_end(data: bytes, start: int) -> int:
    """Where the record that starts at `start` ends, possibly past the end of `data`."""
    body = start + _HEADER
    return body + int.from_bytes(data[body - 2 : body], "big")
