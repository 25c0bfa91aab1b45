"""The plain console as scripts and pipes use it: its streams, its signals and its exit codes."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from .conftest import BOUND, PROGRAM, Connect, Program, StartConsole, StartProgram, StartTerminal

WARNING = "chat-console: Anyone who can reach this port can join, and nothing on the wire is encrypted.\n"
GOODBYE = "Server is shutting down\nYou have left the server\n"
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

# Nobody is cut off within the bound of a test.
PATIENT_PROGRAM = (
    sys.executable,
    "-c",
    """
import functools, sys
from chat_console.app import cli, options
options.Settings = functools.partial(options.Settings, close_grace=600.0, stop_grace=600.0)
sys.exit(cli.main())
""",
)


def quit_in_order(console: Program) -> None:
    console.signal(signal.SIGTERM)
    assert console.wait() == 0


# The transcript on stdout


def test_stdout_has_the_transcript_alone_and_each_line_at_once(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console()
    expected = f"Server started on port {console.port}\n"
    ann, bob = connect(console.port), connect(console.port)
    for client, line, printed in (
        (ann, "", f"Welcome {ann.address} to the server!\nWelcome {bob.address} to the server!\n"),
        (ann, "/nick Ann", f"{ann.address} is now Ann\n"),
        (bob, "Grüße 👋", f"{bob.address}: Grüße 👋\n"),
        (ann, f"/msg {bob.address} between us", ""),
        (ann, "/foo", ""),
        (ann, "/msg Operator psst", "Ann(private): psst \n"),
        (console, "hello", ""),
        (console, "/foo", "Unknown command /foo. Type /help.\n"),
        (console, "/list", f"{ann.address} as Ann\n{bob.address} as {bob.address}\n"),
        (console, "/kick Ann", "Ann has left the server.\nKicked 1 people.\n"),
        (bob, "/quit", f"{bob.address} has left the server.\n"),
        (console, "/list", "No users connected\n"),
    ):
        if client is console:
            console.type(line)
        else:
            client.send(line)
        expected += printed
        console.output.wait_for(expected)
    console.type("/quit")
    assert console.wait() == 0
    assert console.output.read_to_end() == expected
    assert console.errors.read_to_end() == ""


def test_it_is_plain_where_stdin_or_stdout_is_no_terminal(start: StartProgram) -> None:
    console = start(*PROGRAM, "--port", "0")
    console.output.wait_for("Server started on port ")
    quit_in_order(console)
    assert "\x1b" not in console.output.text


def test_a_stdout_that_nobody_reads_does_not_stall_the_chat(
    start_console: StartConsole, connect: Connect
) -> None:
    unread, stdout = os.pipe()
    with os.fdopen(unread, "rb", buffering=0):
        with os.fdopen(stdout, "wb"):
            console = start_console("--rate", "0", stdout=stdout)
        port = int(os.read(unread, 100).split()[-1])
        ann, bob = connect(port), connect(port)
        # Some 500 kB, where a pipe holds 64.
        for number in range(500):
            ann.send(f"{number} {'x' * 1000}")
        bob.wait_for(f"{ann.address}: 499 ")
        console.type("still here?")
        ann.wait_for("Operator: still here?\n")
        bob.send("yes")
        ann.wait_for(f"{bob.address}: yes\n")
        quit_in_order(console)


def test_a_closed_stdout_does_not_end_the_chat(start_console: StartConsole, connect: Connect) -> None:
    unread, stdout = os.pipe()
    with os.fdopen(unread, "rb", buffering=0), os.fdopen(stdout, "wb"):
        console = start_console(stdout=stdout)
        port = int(os.read(unread, 100).split()[-1])
    ann, bob = connect(port), connect(port)
    ann.send("anybody?")
    bob.wait_for(f"{ann.address}: anybody?\n")
    console.type("yes")
    bob.wait_for("Operator: yes\n")
    console.errors.wait_for("chat-console: cannot print any more: Broken pipe\n")
    console.type("/quit")
    assert console.wait() == 0


# The operator's lines on stdin


def test_the_end_of_stdin_ends_nothing(start_console: StartConsole, connect: Connect) -> None:
    console = start_console()
    console.output.wait_for("\n")
    console.write(b"/list\n/msg nobody unfinished")
    console.end_input()
    console.output.wait_for("No users connected\nMessage sent to 0 users of name nobody\n")
    ann, bob = connect(console.port), connect(console.port)
    ann.send("anybody?")
    bob.wait_for(f"{ann.address}: anybody?\n")
    quit_in_order(console)


def test_stdin_may_be_closed(start_console: StartConsole, connect: Connect) -> None:
    console = start_console(program=("sh", "-c", 'exec "$@" <&-', "sh", *PROGRAM))
    ann, bob = connect(console.port), connect(console.port)
    ann.send("anybody?")
    bob.wait_for(f"{ann.address}: anybody?\n")
    quit_in_order(console)
    assert console.errors.read_to_end() == ""


def test_stdin_may_be_a_file(start_console: StartConsole, connect: Connect, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("/msg Ann hello\n" * 10_000 + "/list")
    with script.open("rb") as file:
        console = start_console(stdin=file.fileno())
    console.output.wait_for("No users connected\n")
    replies = ["Message sent to 0 users of name Ann"] * 10_000 + ["No users connected"]
    assert console.output.lines[1:] == replies
    connect(console.port)


def test_a_thousand_pasted_lines_arrive_in_order(start_console: StartConsole, connect: Connect) -> None:
    console = start_console()
    ann = connect(console.port)
    console.write(b"".join(b"line %d\r\n" % number for number in range(1000)))
    ann.wait_for("Operator: line 999\n")
    assert ann.lines[1:] == [f"Operator: line {number}" for number in range(1000)]


def test_an_overlong_line_is_refused_as_a_whole(start_console: StartConsole, connect: Connect) -> None:
    console = start_console()
    ann = connect(console.port)
    console.type("x" * 2048)
    for length in (2049, 60_000, 200_000):
        console.type("y" * length)
    console.type("after")
    ann.wait_for("Operator: after\n")
    assert ann.lines[1:] == ["Operator: " + "x" * 2048, "Operator: after"]
    console.output.wait_for("Message too long (max 2048 bytes)\n" * 3)


def test_in_a_terminal_ctrl_d_ends_nothing_and_ctrl_c_says_goodbye(
    start_terminal: StartTerminal, connect: Connect
) -> None:
    terminal = start_terminal(*PROGRAM, "--plain", "--port", "0")
    terminal.wait_for("Server started on port ")
    port = int(terminal.text.split()[4])
    terminal.type("/list\r\x04")
    terminal.wait_for("No users connected")
    client = connect(port)
    terminal.wait_for(f"Welcome {client.address} to the server!")
    terminal.type("\x03")
    assert terminal.wait() == 0
    assert client.read_to_end().endswith(GOODBYE)


# Clients


def test_a_client_that_does_not_read_is_dropped_and_the_reason_told_on_stderr(
    start_console: StartConsole, connect: Connect
) -> None:
    console = start_console("--max-backlog", "65536")
    ann = connect(console.port)
    with socket.socket() as mute:
        mute.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        mute.connect(("127.0.0.1", console.port))
        name = f"127.0.0.1|{mute.getsockname()[1]}"
        ann.wait_for(f"Welcome {name} to the server!\n")
        dropped = f"chat-console: {name} was dropped: too slow reading\n"
        # More than the system's buffers hold, and ann has read each part before the next.
        for part in range(500):
            if dropped in console.errors.text:
                break
            console.write((b"x" * 1000 + b"\n") * 20 + b"part %d\n" % part)
            ann.wait_for(f"Operator: part {part}\n")
        console.errors.wait_for(dropped)
        assert console.errors.text == dropped
    ann.wait_for(f"{name} has left the server.\n")
    console.type("Are you there?")
    ann.wait_for("Operator: Are you there?\n")


def test_shared_nicks_reach_all_who_bear_them(start_console: StartConsole, connect: Connect) -> None:
    console = start_console("--shared-nicks")
    for client in connect(console.port), connect(console.port):
        client.send("/nick Ann")
        client.wait_for("You are now Ann\n")
    console.type("/kick Ann")
    console.output.wait_for("Ann has left the server.\nAnn has left the server.\nKicked 2 people.\n")


# Where it listens


def test_a_public_address_is_warned_of_on_stderr(start_console: StartConsole, connect: Connect) -> None:
    console = start_console("--host", "0.0.0.0")
    connect(console.port)
    quit_in_order(console)
    assert console.errors.read_to_end() == WARNING
    assert WARNING not in console.output.read_to_end()


def test_several_hosts_share_one_port(start_console: StartConsole, connect: Connect) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("needs IPv6")
    console = start_console("--host", "127.0.0.1", "--host", "::1")
    ann, bob = connect(console.port), connect(console.port, "::1")
    bob.send("from six to four")
    ann.wait_for(f"::1|{bob.socket.getsockname()[1]}: from six to four\n")


def test_a_port_in_use_is_one_line_on_stderr_and_exit_code_2(
    start_console: StartConsole, start: StartProgram, connect: Connect
) -> None:
    console = start_console()
    second = start(*PROGRAM, "--plain", "--port", str(console.port))
    assert second.wait() == 2
    assert second.output.read_to_end() == ""
    assert second.errors.read_to_end() == (
        f"chat-console: port {console.port} on 127.0.0.1 is in use; "
        "end the program that has it, or choose another with --port\n"
    )
    connect(console.port)


def test_a_wrong_option_is_told_with_the_usage_and_exit_code_2(start: StartProgram) -> None:
    program = start(*PROGRAM, "--prot", "1234")
    assert program.wait() == 2
    assert program.output.read_to_end() == ""
    errors = program.errors.read_to_end()
    assert errors.startswith("usage: chat-console ")
    assert errors.endswith("chat-console: error: unrecognized arguments: --prot 1234\n")


# The end


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_says_goodbye_to_everybody(
    number: signal.Signals, start_console: StartConsole, connect: Connect
) -> None:
    console = start_console()
    ann, bob = connect(console.port), connect(console.port)
    console.output.wait_for(f"Welcome {bob.address} to the server!\n")
    console.signal(number)
    assert console.wait() == 0
    assert ann.read_to_end().endswith(f"Welcome {bob.address} to the server!\n{GOODBYE}")
    assert bob.read_to_end().endswith(GOODBYE)
    assert console.output.read_to_end().endswith(f"Welcome {bob.address} to the server!\n")
    assert console.errors.read_to_end() == ""


def test_quit_says_goodbye_to_everybody(start_console: StartConsole, connect: Connect) -> None:
    console = start_console()
    ann = connect(console.port)
    console.type("/quit")
    assert console.wait() == 0
    assert ann.read_to_end().endswith(GOODBYE)


def test_a_client_that_neither_reads_nor_closes_does_not_hold_up_the_end(
    start_console: StartConsole,
) -> None:
    console = start_console()
    with socket.create_connection(("127.0.0.1", console.port), BOUND) as mute:
        console.output.wait_for(f"|{mute.getsockname()[1]} to the server!\n")
        quit_in_order(console)


def test_a_second_signal_ends_at_once(start_console: StartConsole, connect: Connect) -> None:
    console = start_console(program=PATIENT_PROGRAM)
    ann = connect(console.port)
    with socket.create_connection(("127.0.0.1", console.port), BOUND) as mute:
        console.output.wait_for(f"|{mute.getsockname()[1]} to the server!\n")
        console.signal(signal.SIGTERM)
        assert ann.read_to_end().endswith(GOODBYE)
        assert console.process.poll() is None
        console.signal(signal.SIGINT)
        assert console.wait() == 0
