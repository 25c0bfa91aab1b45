"""Certificates for the tests, made by `openssl` as they run: no key is kept anywhere."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .programs import require

SECONDS = 60
"""How long one call of `openssl` may take on a busy machine."""


@dataclass(frozen=True)
class Pair:
    """A certificate with its key."""

    cert: Path
    key: Path

    def client_context(self) -> ssl.SSLContext:
        """The context of a client that trusts this certificate, and no other."""
        context = ssl.create_default_context(cafile=self.cert)
        context.check_hostname = False
        # Python 3.13 sets it, and refuses what `openssl req -x509` makes as an issuer.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context

    def copy_to(self, other: Pair) -> None:
        """Write this pair over another."""
        shutil.copy(self.cert, other.cert)
        shutil.copy(self.key, other.key)


class Authority:
    """Makes certificates in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def self_signed(self, name: str, *alternatives: str) -> Pair:
        """One that is valid, issued by itself; `alternatives` such as IP:127.0.0.1 are what it is for."""
        pair = self._pair(name)
        known_as = ("-addext", f"subjectAltName={','.join(alternatives)}") if alternatives else ()
        self._request(pair, pair.cert, "-x509", "-days", "2", *known_as)
        return pair

    def expired(self, name: str) -> Pair:
        """One whose time is over."""
        pair = self._pair(name)
        request = self._directory / f"{name}.csr"
        self._request(pair, request)
        openssl("x509", "-req", "-in", request, "-signkey", pair.key, "-out", pair.cert, "-days", "-1")
        return pair

    def issued(self, name: str, issuer: Pair) -> Pair:
        """One that `issuer` has signed, with the issuer's behind it in the file."""
        pair = self._pair(name)
        request = self._directory / f"{name}.csr"
        self._request(pair, request)
        signer = ("-CA", issuer.cert, "-CAkey", issuer.key, "-CAcreateserial")
        openssl("x509", "-req", "-in", request, *signer, "-out", pair.cert, "-days", "2")
        pair.cert.write_bytes(pair.cert.read_bytes() + issuer.cert.read_bytes())
        return pair

    def with_passphrase(self, name: str, pair: Pair) -> Pair:
        """`pair` with its key behind a passphrase."""
        locked = Pair(pair.cert, self._pair(name).key)
        openssl("ec", "-in", pair.key, "-out", locked.key, "-aes256", "-passout", "pass:secret")
        return locked

    def _request(self, pair: Pair, out: Path, *options: str) -> None:
        openssl("req", *options, *_NEW_KEY, "-subj", f"/CN={pair.key.stem}", "-keyout", pair.key, "-out", out)

    def _pair(self, name: str) -> Pair:
        return Pair(self._directory / f"{name}.pem", self._directory / f"{name}.key")


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(*arguments: str | Path) -> None:
    """Run `openssl`; where there is none, skip the test, or fail it if CHAT_CONSOLE_REQUIRE_CLIENTS is 1."""
    command = [require("openssl"), *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
