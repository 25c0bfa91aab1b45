"""TLS as real clients speak it, a certificate that is renewed, and one that cannot be used."""

from __future__ import annotations

import contextlib
import signal
import socket
from pathlib import Path

import pytest
from support.certificates import Authority, Pair
from support.programs import PROGRAM, Program, require
from support.waiting import BOUND

from .conftest import StartConsole, StartProgram

RELOADED = "Reloaded the TLS certificate: new connections use it.\n"


def options(pair: Pair) -> tuple[str, ...]:
    return "--tls-cert", str(pair.cert), "--tls-key", str(pair.key)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def pair(authority: Authority) -> Pair:
    return authority.self_signed("chat.example")


@pytest.fixture
def other_pair(authority: Authority) -> Pair:
    return authority.self_signed("other.example")


class TlsClients:
    """Starts clients that join over TLS and take one certificate for trusted."""

    def __init__(self, start: StartProgram) -> None:
        self._start = start

    def ncat(self, port: int, trusted: Path) -> Program:
        ncat = require("ncat", "--ssl")
        return self._start(ncat, "--ssl", "--ssl-trustfile", str(trusted), "127.0.0.1", str(port))

    def openssl(self, port: int, trusted: Path) -> Program:
        check = ("-CAfile", str(trusted), "-verify_return_error")
        return self._start(require("openssl"), "s_client", "-quiet", *check, "-connect", f"127.0.0.1:{port}")


@pytest.fixture
def clients(start: StartProgram) -> TlsClients:
    return TlsClients(start)


def take_name(client: Program, name: str) -> None:
    client.output.wait_for(" to the server!\n")
    client.type(f"/nick {name}")
    client.output.wait_for(f"You are now {name}\n")


def test_ncat_and_openssl_talk_to_each_other_and_to_the_operator(
    start_console: StartConsole, clients: TlsClients, pair: Pair, start: StartProgram
) -> None:
    console = start_console(*options(pair))
    ncat = start(require("ncat", "--ssl"), "--ssl", "127.0.0.1", str(console.port))
    take_name(ncat, "Ann")
    client = clients.openssl(console.port, pair.cert)
    take_name(client, "Bob")
    ncat.type("Grüße 👋")
    client.output.wait_for("Ann: Grüße 👋\n")
    console.output.wait_for("Ann: Grüße 👋\n")
    client.type("/msg Ann psst")
    ncat.output.wait_for("Bob(private): psst \n")
    console.type("hello")
    for program in (ncat, client):
        program.output.wait_for("Operator: hello\n")
    ncat.type("/quit")
    assert ncat.output.read_to_end().endswith("Operator: hello\nYou have left the server\n")
    client.output.wait_for("Ann has left the server.\n")
    console.type("/quit")
    assert console.wait() == 0
    assert client.output.read_to_end().endswith("Server is shutting down\nYou have left the server\n")
    assert console.errors.read_to_end() == "chat-console: Ann left: quit\n"


def test_who_speaks_plain_text_is_let_go_and_nobody_hears_of_it(
    start_console: StartConsole, clients: TlsClients, pair: Pair
) -> None:
    console = start_console(*options(pair))
    resident = clients.openssl(console.port, pair.cert)
    take_name(resident, "Ann")
    with socket.create_connection(("127.0.0.1", console.port), BOUND) as stranger:
        stranger.sendall(b"hello?\n")
        heard = b""
        with contextlib.suppress(ConnectionResetError):
            while data := stranger.recv(4096):
                heard += data
    assert b"Welcome" not in heard
    resident.type("still here?")
    console.output.wait_for("Ann: still here?\n")
    console.type("I am")
    resident.output.wait_for("Operator: I am\n")
    for output in (resident.output, console.output):
        assert output.text.count("Welcome") == 1
        assert "hello?" not in output.text


def test_a_public_address_is_warned_of_without_a_word_of_the_wire(
    start_console: StartConsole, pair: Pair
) -> None:
    console = start_console("--host", "0.0.0.0", *options(pair))
    assert console.port
    console.type("/quit")
    assert console.wait() == 0
    warning, *ways = console.errors.read_to_end().splitlines()
    assert warning == "chat-console: Anyone who can reach this port can join."
    assert all(way.startswith("chat-console: People join with: ncat --ssl ") for way in ways)


def test_sigusr1_reads_a_renewed_certificate_and_drops_nobody(
    start_console: StartConsole, clients: TlsClients, pair: Pair, other_pair: Pair, tmp_path: Path
) -> None:
    used = Pair(tmp_path / "used.pem", tmp_path / "used.key")
    pair.copy_to(used)
    console = start_console(*options(used))
    ann = clients.openssl(console.port, pair.cert)
    take_name(ann, "Ann")

    other_pair.copy_to(used)
    console.signal(signal.SIGUSR1)
    console.output.wait_for(RELOADED)
    bob = clients.openssl(console.port, other_pair.cert)
    take_name(bob, "Bob")
    ann.type("I was here before")
    bob.output.wait_for("Ann: I was here before\n")
    refusing = clients.openssl(console.port, pair.cert)
    assert refusing.wait() != 0
    assert refusing.output.read_to_end() == ""

    # One that cannot be used changes nothing.
    used.cert.write_text("rubbish")
    console.signal(signal.SIGUSR1)
    console.output.wait_for("The TLS certificate is unchanged: ")
    carol = clients.openssl(console.port, other_pair.cert)
    take_name(carol, "Carol")
    for output in (ann.output, bob.output, console.output):
        output.wait_for(" is now Carol\n")
    assert console.output.text.count("Welcome") == 3
    assert "has left" not in console.output.text


def test_sigusr1_without_tls_is_answered_and_changes_nothing(
    start_console: StartConsole, start: StartProgram
) -> None:
    console = start_console()
    client = start(require("nc"), "127.0.0.1", str(console.port))
    take_name(client, "Ann")
    console.signal(signal.SIGUSR1)
    console.output.wait_for("This server does not use TLS: there is no certificate to reload.\n")
    client.type("still here")
    console.output.wait_for("Ann: still here\n")


# Certificates that cannot be used: one line, and exit code 2


def refused(start: StartProgram, pair: Pair) -> str:
    """What is said of `pair`, after the program's name, once the program has ended as it should."""
    program = start(*PROGRAM, "--plain", "--port", "0", *options(pair))
    # What asks for a passphrase would wait for it.
    assert program.wait() == 2
    assert program.output.read_to_end() == ""
    problem = program.errors.read_to_end()
    assert problem.count("\n") == 1
    assert problem.endswith("; see --tls-cert and --tls-key\n")
    return problem.removeprefix("chat-console: ").removesuffix("; see --tls-cert and --tls-key\n")


def test_a_file_that_is_missing_is_named(start: StartProgram, pair: Pair, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    assert refused(start, Pair(missing, pair.key)) == f"cannot read {missing}: No such file or directory"
    assert refused(start, Pair(pair.cert, missing)) == f"cannot read {missing}: No such file or directory"


def test_a_key_of_another_certificate_is_refused(start: StartProgram, pair: Pair, other_pair: Pair) -> None:
    assert refused(start, Pair(pair.cert, other_pair.key)) == (
        f"the key in {other_pair.key} does not belong to {pair.cert}"
    )


def test_what_is_no_certificate_is_refused(start: StartProgram, pair: Pair) -> None:
    pair.cert.write_text("rubbish")
    assert refused(start, pair) == (
        f"{pair.cert} and {pair.key} are not a PEM certificate and its unencrypted key"
    )


def test_a_key_with_a_passphrase_is_refused_without_asking_for_it(
    start: StartProgram, authority: Authority, pair: Pair
) -> None:
    locked = authority.with_passphrase("locked", pair)
    assert refused(start, locked) == (
        f"{pair.cert} and {locked.key} are not a PEM certificate and its unencrypted key"
    )


def test_a_certificate_whose_time_is_over_is_refused(start: StartProgram, authority: Authority) -> None:
    expired = authority.expired("expired")
    assert refused(start, expired) == f"{expired.cert}: certificate has expired"
