"""The certificate: what is taken, what is refused in one clear line, and reading it again."""

from __future__ import annotations

import shutil
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
from support.certificates import Authority, Pair

from chat_console.server.wire.tls import Certificate, CertificateError, TlsSession


def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Let two contexts greet each other in memory; the answer is the client's end."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)]
    for _ in range(3):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
    return ends[0]


def refusal(cert: Path, key: Path) -> str:
    with pytest.raises(CertificateError) as raised:
        Certificate(cert, key)
    message = str(raised.value)
    assert "\n" not in message
    return message


@pytest.fixture
def installed(pair: Pair, tmp_path: Path) -> Pair:
    """A copy of the valid certificate, which the test may overwrite."""
    copy = Pair(tmp_path / "cert.pem", tmp_path / "key.pem")
    pair.copy_to(copy)
    return copy


class TestContext:
    def test_proves_who_the_server_is_to_those_who_trust_it(self, pair: Pair, other_pair: Pair) -> None:
        certificate = Certificate(pair.cert, pair.key)
        assert handshake(certificate.context, pair.client_context()).version() == "TLSv1.3"
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(certificate.context, other_pair.client_context())

    def test_speaks_tls_1_2(self, pair: Pair) -> None:
        client = pair.client_context()
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        assert handshake(Certificate(pair.cert, pair.key).context, client).version() == "TLSv1.2"

    def test_does_not_renegotiate(self, pair: Pair) -> None:
        assert Certificate(pair.cert, pair.key).context.options & ssl.OP_NO_RENEGOTIATION

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
    def test_speaks_nothing_older(self, pair: Pair) -> None:
        client = pair.client_context()
        client.set_ciphers("DEFAULT@SECLEVEL=0")  # without it the client would refuse by itself
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
        certificate = Certificate(pair.cert, pair.key)
        assert certificate.context.minimum_version >= ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL"):
            handshake(certificate.context, client)

    def test_takes_a_chain_of_certificates(self, authority: Authority, pair: Pair) -> None:
        issued = authority.issued("issued", pair)
        certificate = Certificate(issued.cert, issued.key)
        assert handshake(certificate.context, pair.client_context()).version()

    def test_asks_clients_for_no_certificate(self, pair: Pair) -> None:
        assert Certificate(pair.cert, pair.key).context.verify_mode is ssl.CERT_NONE


class TestRefusal:
    def test_names_the_file_that_is_missing(self, pair: Pair, tmp_path: Path) -> None:
        missing = tmp_path / "missing.pem"
        why = f"cannot read {missing}: No such file or directory"
        assert refusal(missing, pair.key) == why
        assert refusal(pair.cert, missing) == why

    def test_names_the_file_that_cannot_be_read(self, pair: Pair, tmp_path: Path) -> None:
        assert refusal(pair.cert, tmp_path) == f"cannot read {tmp_path}: Is a directory"

    def test_tells_of_a_key_that_belongs_to_another_certificate(self, pair: Pair, other_pair: Pair) -> None:
        assert refusal(pair.cert, other_pair.key) == (
            f"the key in {other_pair.key} does not belong to {pair.cert}"
        )

    def test_tells_of_a_certificate_that_has_expired(self, authority: Authority) -> None:
        expired = authority.expired("expired")
        assert refusal(expired.cert, expired.key) == f"{expired.cert}: certificate has expired"

    def test_tells_of_a_key_behind_a_passphrase_without_asking_for_it(
        self, authority: Authority, pair: Pair
    ) -> None:
        locked = authority.with_passphrase("locked", pair)
        assert refusal(locked.cert, locked.key).endswith("its unencrypted key")

    @pytest.mark.parametrize("content", [b"", b"hello\n", b"\xff\xfe\x00"])
    def test_tells_of_files_that_are_something_else(self, pair: Pair, tmp_path: Path, content: bytes) -> None:
        other = tmp_path / "other.pem"
        other.write_bytes(content)
        for cert, key in ((other, pair.key), (pair.cert, other)):
            assert refusal(cert, key) == (
                f"{cert} and {key} are not a PEM certificate and its unencrypted key"
            )

    def test_tells_of_files_given_the_wrong_way_round(self, pair: Pair) -> None:
        assert "are not a PEM certificate and its unencrypted key" in refusal(pair.key, pair.cert)


class TestReload:
    def test_gives_new_connections_what_the_files_hold_now(self, installed: Pair, other_pair: Pair) -> None:
        certificate = Certificate(installed.cert, installed.key)
        context = certificate.context
        other_pair.copy_to(installed)
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(context, other_pair.client_context())
        certificate.reload()
        assert certificate.context is context
        assert handshake(context, other_pair.client_context()).version()

    def test_that_fails_leaves_the_old_one_in_use(
        self, authority: Authority, installed: Pair, pair: Pair, other_pair: Pair
    ) -> None:
        certificate = Certificate(installed.cert, installed.key)
        shutil.copy(other_pair.cert, installed.cert)
        with pytest.raises(CertificateError, match="does not belong"):
            certificate.reload()
        authority.expired("expired too").copy_to(installed)
        with pytest.raises(CertificateError, match="expired"):
            certificate.reload()
        assert handshake(certificate.context, pair.client_context()).version()


class Peer:
    """A client of TLS in memory, and the session at the other end."""

    def __init__(self, pair: Pair) -> None:
        self.session = TlsSession(Certificate(pair.cert, pair.key).context)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = pair.client_context().wrap_bio(self._incoming, self._outgoing)

    def greet(self) -> None:
        while True:
            with suppress(ssl.SSLWantReadError):
                self.client.do_handshake()
            if self.session.is_established:
                return
            self.exchange()

    def exchange(self, size: int = 1 << 20) -> bytes:
        """Hand over what either end has for the other, the client's in pieces; return the text that came."""
        text = b""
        while data := self._outgoing.read(size):
            text += self.session.receive(data)
        self._incoming.write(self.session.take())
        return text


class TestSession:
    @pytest.mark.parametrize("size", [1, 7, 1 << 20])
    def test_takes_bytes_in_pieces_of_any_size(self, pair: Pair, size: int) -> None:
        peer = Peer(pair)
        peer.greet()
        peer.client.write(b"hello\n")
        peer.client.write(b"x" * 50_000)
        assert peer.exchange(size) == b"hello\n" + b"x" * 50_000
        peer.session.send(b"hi\n")
        peer.exchange()
        assert peer.client.read() == b"hi\n"

    def test_may_go_on_when_the_peer_sends_no_more(self, pair: Pair) -> None:
        peer = Peer(pair)
        peer.greet()
        peer.client.write(b"last words")
        with pytest.raises(ssl.SSLWantReadError):
            peer.client.unwrap()
        assert not peer.session.has_ended
        assert peer.exchange() == b"last words"
        assert peer.session.has_ended
        peer.session.send(b"and yours")
        assert len(peer.session.take()) > len(b"and yours")
        peer.session.end()
        assert peer.session.take()
        peer.session.end()
        assert not peer.session.take()

    def test_takes_nothing_that_is_not_tls(self, pair: Pair) -> None:
        session = TlsSession(Certificate(pair.cert, pair.key).context)
        with pytest.raises(ssl.SSLError):
            session.receive(b"GET / HTTP/1.1\r\n\r\n")

    def test_bounds_the_records_that_carry_no_text(self) -> None:
        """A key update is such a record, of which no client of Python's can send any."""

        class Tls:
            """Shakes hands with anybody, and finds text in records of one byte, none in others."""

            def __init__(self, incoming: ssl.MemoryBIO, *_: object, **__: object) -> None:
                self.incoming = incoming

            def do_handshake(self) -> None:
                self.incoming.read()

            def read(self, size: int) -> bytes:
                record = self.incoming.read(size)
                if len(record) != 6:
                    raise ssl.SSLWantReadError
                return record[-1:]

        def record(size: int) -> bytes:
            return bytes((23, 3, 3, 0, size)) + b"x" * size

        context = Tls(ssl.MemoryBIO())
        context.wrap_bio = Tls  # type: ignore[attr-defined]
        session = TlsSession(context)  # type: ignore[arg-type]
        assert session.receive(b"hello") == b""
        assert session.is_established
        for _ in range(3):
            assert session.receive(record(2) * 32 + record(1) * 32) == b"x" * 32
        session.receive(record(2) * 32)
        with pytest.raises(ssl.SSLError, match="without text"):
            session.receive(record(2))

    def test_that_has_not_begun_has_nothing_to_say(self, pair: Pair) -> None:
        session = TlsSession(Certificate(pair.cert, pair.key).context)
        session.end()
        assert session.take() == b""
