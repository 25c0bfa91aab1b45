"""TLS: the server's certificate, and the session of one connection."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

MAX_RECORD = 1 << 14
"""The most bytes of text in one record (RFC 8446, 5.1)."""

_HEADER = 5  # bytes; the last two are the length of what follows

_MOST_WITHOUT_TEXT = 32
"""How many records more than with text a peer may send without any: a key update (RFC 8446, 4.6.3) costs a
thousand times as much to take as to send, and nobody needs two in a row."""


class CertificateError(Exception):
    """A certificate or its key cannot be used; the message says which and why, in one line."""


class Certificate:
    """A certificate with its key, and the TLS context that uses them.

    The context has the standard library's defaults for servers: TLS 1.2 and newer.

    Args:
        chain: a PEM file, the certificate first and then those that lead to its issuer.
        key: a PEM file with the certificate's private key, without a passphrase.

    Raises:
        CertificateError: if they cannot be read, do not match, or are not valid today.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain = chain
        self._key = key
        self.context = self._load()

    def reload(self) -> None:
        """Read the files again: new connections get what they hold now, the others are not touched.

        Raises:
            CertificateError: as at first; what was loaded before stays in use.
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
        context.options |= ssl.OP_NO_RENEGOTIATION  # a handshake for a few bytes, as often as a client likes
        context.num_tickets = 0  # to resume a session saves nothing that matters here, and each costs memory
        try:
            # A passphrase would be asked for on the terminal; an empty one makes such a key an error.
            context.load_cert_chain(self._chain, self._key, password="")
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise CertificateError(f"the key in {self._key} does not belong to {self._chain}") from None
            raise CertificateError(
                f"{self._chain} and {self._key} are not a PEM certificate and its key without a passphrase"
            ) from None
        self._check_validity(context)
        return context

    def _check_validity(self, context: ssl.SSLContext) -> None:
        """Have a client in memory verify the certificate, which it takes for trusted."""
        client_context = ssl.create_default_context(cafile=self._chain)
        client_context.check_hostname = False
        client_context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        # Python 3.13 sets it, and refuses what `openssl req -x509` makes as an issuer.
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
    """The TLS of one connection, as its server. No I/O: bytes of the wire go in and out.

    Unlike a TLS socket or asyncio's transport it lets its caller see, and so meter, every byte of the peer's,
    also those that carry no text, and it takes no memory before the peer has sent something.

    Args:
        context: what `Certificate.context` is.
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
        self._record = b""  # the beginning of the next record
        self._excess = 0  # how many more records came without text than with it
        self.is_established = False
        """Whether the handshake is done."""
        self.has_ended = False
        """Whether the peer has said that it sends no more (RFC 8446, 6.1)."""

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the wire; return the text in them. There may be an answer to `take`.

        Raises:
            ssl.SSLError: if this is not TLS, or not as agreed; an alert that says so may be there to `take`.
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
        """Encrypt `text`, for `take`. Only once the handshake is done."""
        assert self._tls is not None
        self._tls.write(text)

    def end(self) -> None:
        """Tell the peer that nothing more comes; that too is for `take`."""
        if self._tls is not None and self.is_established:
            with suppress(ssl.SSLError):  # it waits for the peer to say the same, which nobody needs
                self._tls.unwrap()

    def take(self) -> bytes:
        """Take out what is to go on the wire."""
        return self._to_wire.read() if self._tls is not None else b""


def _record_end(data: bytes, start: int) -> int:
    """Where the record that starts at `start` ends, which may be past what is there."""
    body = start + _HEADER
    return body + int.from_bytes(data[body - 2 : body], "big")
