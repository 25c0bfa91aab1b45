"""The server's certificate: loading it, checking it, and loading it anew."""

from __future__ import annotations

import ssl
from pathlib import Path


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
