"""The limits and the bans: what the help says of them, what is kept, and what cannot be had."""

from __future__ import annotations

import re
import socket
import stat
from pathlib import Path

import pytest
from support.programs import PROGRAM, Program
from support.waiting import BOUND

from .conftest import Connect, StartConsole, StartProgram

OTHER = "127.0.0.2"
"""Another address of this machine: loopback has 16 million of them, though not on every system."""


def turned_away(port: int, source: str) -> str:
    """What somebody from `source` is told before the connection ends."""
    with (
        socket.create_connection(("127.0.0.1", port), BOUND, (source, 0)) as sock,
        sock.makefile("rb") as answer,
    ):
        return answer.read().decode()


@pytest.fixture
def other() -> str:
    try:
        with socket.create_server((OTHER, 0)):
            return OTHER
    except OSError:
        pytest.skip(f"needs the address {OTHER}")


def quit_in_order(console: Program) -> None:
    console.type("/quit")
    assert console.wait() == 0


def test_bans_survive_a_restart_in_a_file_that_nobody_else_reads(
    start_console: StartConsole, connect: Connect, tmp_path: Path, other: str
) -> None:
    bans = tmp_path / "bans"
    console = start_console("--bans", str(bans))
    ann, bob = connect(console.port), connect(console.port, source=other)
    assert not bans.exists()
    console.type(f"/ban {other}")
    console.output.wait_for(f"{other} is this machine itself; to ban it anyway, type: /ban {other} --force\n")
    console.type(f"/ban {other} --force")
    console.output.wait_for(f"Banning {other} drops {bob.address}. Repeat the command to confirm.\n")
    console.type(f"/ban {other} --force")
    console.output.wait_for(f"{bob.address} has left the server.\nBanned {other} until unbanned.\n")
    assert bob.read_to_end().endswith("You have left the server\n")
    ann.wait_for(f"{bob.address} has left the server.\n")
    assert turned_away(console.port, other) == "You are banned from this server\n"
    console.type("/ban 192.0.2.0/24 1d")
    console.output.wait_for("Banned 192.0.2.0/24 for 1d.\n")
    quit_in_order(console)
    assert stat.S_IMODE(bans.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [bans]

    console = start_console("--bans", str(bans))
    assert turned_away(console.port, other) == "You are banned from this server\n"
    connect(console.port)
    console.type("/bans")
    listed = rf"^{re.escape(other)} until unbanned\n192\.0\.2\.0/24 for (1d|24h)\n"
    console.output.wait_until(lambda: re.search(listed, console.output.text, re.MULTILINE))
    console.type(f"/unban {other}")
    console.output.wait_for(f"Lifted the ban on {other}.\n")
    connect(console.port, source=other)
    quit_in_order(console)

    console = start_console("--bans", str(bans))
    connect(console.port, source=other)
    assert stat.S_IMODE(bans.stat().st_mode) == 0o600
    assert console.errors.text == ""


def test_a_server_that_is_full_says_so(start_console: StartConsole, connect: Connect) -> None:
    console = start_console("--max-clients", "1")
    ann = connect(console.port)
    assert turned_away(console.port, "127.0.0.1") == "Server is full\n"
    ann.send("still here")
    console.output.wait_for(f"{ann.address}: still here\n")
    assert console.output.text.count("Welcome") == 1


# What cannot be had: one line, and exit code 2


def refused(program: Program) -> str:
    """What `program`, which should not have started, says on stderr."""
    assert program.wait() == 2
    assert program.output.read_to_end() == ""
    problem = program.errors.read_to_end()
    assert problem.startswith("chat-console: ")
    assert problem.count("\n") == 1
    return problem


def test_a_bans_file_with_something_else_in_it_is_refused_and_left_as_it_is(
    start: StartProgram, tmp_path: Path
) -> None:
    bans = tmp_path / "bans"
    bans.write_text("192.0.2.7 -\nDear diary\n")
    assert refused(start(*PROGRAM, "--plain", "--port", "0", "--bans", str(bans))) == (
        f"chat-console: {bans}, line 2: 'Dear diary' is not a network and a time; "
        "fix it, or name another file with --bans\n"
    )
    assert bans.read_text() == "192.0.2.7 -\nDear diary\n"


def test_a_bans_file_that_cannot_be_read_is_refused(start: StartProgram, tmp_path: Path) -> None:
    assert refused(start(*PROGRAM, "--plain", "--port", "0", "--bans", str(tmp_path))) == (
        f"chat-console: {tmp_path}: is a directory; fix it, or name another file with --bans\n"
    )


def test_a_bans_file_that_another_server_uses_is_refused(
    start_console: StartConsole, start: StartProgram, tmp_path: Path
) -> None:
    bans = tmp_path / "bans"
    link = tmp_path / "link"
    link.symlink_to(bans)
    console = start_console("--bans", str(bans))
    assert console.port  # it runs
    assert refused(start(*PROGRAM, "--plain", "--port", "0", "--bans", str(link))) == (
        f"chat-console: {link} is in use by another server; stop it, or name another file with --bans\n"
    )
    quit_in_order(console)
    console = start_console("--bans", str(link))
    assert console.port
    quit_in_order(console)


def test_a_certificate_without_a_key_is_refused(start: StartProgram) -> None:
    assert refused(start(*PROGRAM, "--plain", "--port", "0", "--tls-cert", "cert.pem")) == (
        "chat-console: --tls-cert and --tls-key go together: give both or neither\n"
    )


def test_more_users_than_the_system_has_files_for_are_refused(start: StartProgram) -> None:
    limited = ("sh", "-c", 'ulimit -n 256; exec "$@"', "sh", *PROGRAM, "--plain", "--port", "0")
    assert refused(start(*limited, "--max-clients", "1000")) == (
        "chat-console: --max-clients 1000 needs 1064 open files and the system allows 256; "
        "raise the limit (ulimit -n), or ask for at most 192\n"
    )


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--rate=fast", "argument --rate: 'fast' is not a number; chat-console --help shows all options"),
        ("--burst=0", "--burst must be a whole number from 1 to 1000000, not 0"),
        ("--stall-timeout=0.5", "--stall-timeout must be a number from 1 to 86400, not 0.5"),
    ],
)
def test_a_limit_out_of_range_is_one_line_on_stderr(start: StartProgram, option: str, told: str) -> None:
    program = start(*PROGRAM, option)
    assert program.wait() == 2
    assert program.output.read_to_end() == ""
    assert program.errors.read_to_end() == f"chat-console: {told}\n"


def test_the_help_tells_the_unit_and_the_default_of_each_limit(start: StartProgram) -> None:
    program = start(*PROGRAM, "--help")
    assert program.wait() == 0
    shown = program.output.read_to_end()
    assert max(map(len, shown.splitlines())) <= 80
    words = " ".join(shown.split())
    for limit in (
        "--rate N lines per second from one user, 0.4 KiB each; the rest wait; 0 = no limit (default: 5)",
        "--burst N lines a user may send at once before --rate applies (default: 20)",
        "--max-clients N users connected at a time; 0 = no limit (default: the limit on open files less 64, "
        "at most 10000)",
        "--max-per-ip N users from one address, loopback excepted; 0 = no limit (default: 32)",
        "--connect-rate N new connections per minute from one address, loopback excepted; 0 = no limit "
        "(default: 30)",
        "--connect-burst N new connections at once before --connect-rate applies (default: 40)",
        "--trust NETWORK exempt a network such as 192.0.2.0/24 from the three limits above; may be repeated",
        "--max-backlog BYTES drop a user who reads too slowly once this much is waiting (default: 4194304)",
        "--stall-timeout SECONDS drop a user who reads nothing for this long while something is waiting "
        "(default: 20.0)",
        "--bans FILE keep the bans in this file (default: in memory only)",
    ):
        assert limit in words
    assert program.errors.read_to_end() == ""
