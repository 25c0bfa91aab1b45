"""The plain console as scripts and pipes use it: its streams, its signals and its exit codes."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support.programs import PROGRAM, Program
from support.waiting import BOUND, wait_until

from .conftest import Connect, StartConsole, StartProgram, StartTerminal

WARNING = "chat-console: Anyone who can reach this port can join, and nothing on the wire is encrypted.\n"
GOODBYE = "Server is shutting down\nYou have left the server\n"
SIGNALS = [signal.SIGINT, signal.SIGTERM]

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
        (None, "hello", ""),
        (None, "/foo", "Unknown command /foo. Type /help.\n"),
        (None, "/list", f"{ann.address} as Ann\n{bob.address} as {bob.address}\n"),
        (None, "/kick Ann", "Ann has left the server.\nKicked 1 people.\n"),
        (bob, "/quit", f"{bob.address} has left the server.\n"),
        (None, "/list", "No users connected\n"),
    ):
        (console.type if client is None else client.send)(line)
        expected += printed
        console.output.wait_for(expected)
    console.type("/quit")
    assert console.wait() == 0
    assert console.output.read_to_end() == expected


def test_stderr_has_what_the_transcript_leaves_out(start_console: StartConsole, connect: Connect) -> None:
    console = start_console()
    ann, bob, cid = (connect(console.port) for _ in range(3))
    for client, name in (ann, "Ann"), (bob, "Bob"), (cid, "Cid"):
        client.send(f"/nick {name}")
        console.output.wait_for(f" is now {name}\n")
    told = ""
    for client, line, aside in (
        (None, "/mute Ann 10m", "Ann is muted for 10m"),
        (None, "/unmute Ann", "Ann is no longer muted"),
        (None, "/mute Ann", "Ann is muted"),
        (None, "/kick Ann too loud", "Ann left: kicked (too loud)"),
        (None, "/kick Bob", "Bob left: kicked"),
        (cid, "/quit", "Cid left: quit"),
    ):
        (console.type if client is None else client.send)(line)
        told += f"chat-console: {aside}\n"
        console.errors.wait_for(told)
    quit_in_order(console)
    assert console.errors.read_to_end() == told
    assert console.output.read_to_end().splitlines()[-8:] == [
        "Muted 1 people.",
        "Unmuted 1 people.",
        "Muted 1 people.",
        "Ann has left the server.",
        "Kicked 1 people.",
        "Bob has left the server.",
        "Kicked 1 people.",
        "Cid has left the server.",
    ]


def test_each_line_is_whole_where_stdout_and_stderr_are_one_file(
    start: StartProgram, connect: Connect, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.touch()
    console = start("sh", "-c", 'exec "$@" >"$0" 2>&1', str(log), *PROGRAM, "--plain", "--port", "0")
    wait_until(lambda: "\n" in log.read_text())
    port = int(log.read_text().split()[-1])
    for number in range(50):
        connect(port).send("/quit")
        wait_until(lambda number=number: log.read_text().count("left: quit\n") == number + 1)
    quit_in_order(console)
    assert re.fullmatch(
        r"Server started on port \d+\n"
        r"(Welcome \S+ to the server!\n(\S+) has left the server\.\nchat-console: \2 left: quit\n){50}",
        log.read_text(),
    )


def test_a_newcomer_alone_gets_the_welcome_file(
    start_console: StartConsole, connect: Connect, tmp_path: Path
) -> None:
    file = tmp_path / "welcome"
    file.write_text("Be kind.\n\n\x1b[31mType /help.\n")
    console = start_console("--welcome", str(file))
    ann, bob = connect(console.port), connect(console.port)
    ann.send("/quit")
    assert ann.read_to_end() == (
        f"Welcome {ann.address} to the server!\nBe kind.\n\nType /help.\n"
        f"Welcome {bob.address} to the server!\nYou have left the server\n"
    )
    bob.wait_for("Type /help.\n")
    assert "Be kind" not in console.output.text


def test_it_is_plain_where_stdin_or_stdout_is_no_terminal(start: StartProgram) -> None:
    console = start(*PROGRAM, "--port", "0")
    console.output.wait_for("Server started on port ")
    quit_in_order(console)
    assert "\x1b" not in console.output.read_to_end()


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


def test_a_stdout_that_takes_no_more_is_told_once_and_printed_to_again_when_it_does(
    start: StartProgram, connect: Connect, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    command = 'ulimit -S -f 8 && exec "$@" >>"$0"'  # 4 or 8 KiB, as the shell counts
    console = start("sh", "-c", command, str(log), *PROGRAM, "--plain", "--port", "0", "--rate", "0")
    wait_until(lambda: log.exists() and log.read_text().endswith("\n"))
    port = int(log.read_text().split()[-1])
    ann, bob = connect(port), connect(port)
    for number in range(100):
        ann.send(f"{number} {'x' * 100}")
    bob.wait_for(f"{ann.address}: 99 ")
    console.errors.wait_for("chat-console: cannot print for now: File too large\n")
    wait_until(lambda: log.read_text().endswith("xxx\n"))
    resource.prlimit(
        console.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    wait_until(lambda: log.read_text().count("\n") == 103)
    said = [line.split()[1] for line in log.read_text().splitlines()[3:]]
    assert said == [str(number) for number in range(100)]
    quit_in_order(console)
    assert console.errors.text.count("cannot print") == 1


def test_the_end_waits_for_no_full_disk_and_tells_what_is_lost(start: StartProgram) -> None:
    with open("/dev/full", "wb") as full:
        console = start(*PROGRAM, "--plain", "--port", "0", stdout=full.fileno())
    console.errors.wait_for("chat-console: cannot print for now: No space left on device\n")
    console.type("/list")
    console.type("/quit")
    assert console.wait() == 0
    assert console.errors.read_to_end().endswith(
        "chat-console: 2 lines were not printed: No space left on device\n"
    )


def test_a_stderr_that_takes_nothing_harms_nothing(start: StartProgram) -> None:
    console = start("sh", "-c", 'exec "$@" 2>/dev/full', "sh", *PROGRAM, "--port", "0", "--host", "0.0.0.0")
    console.output.wait_for("Server started")
    console.type("/kick Ann")
    console.output.wait_for("Kicked 0 people.\n")
    quit_in_order(console)
    failing = start("sh", "-c", 'exec "$@" 2>/dev/full', "sh", *PROGRAM, "--bogus")
    assert failing.wait() == 2


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_what_is_asked_for_may_find_no_reader_and_no_room(option: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    for output, ending in (
        (writer, (0, b"")),
        (os.open("/dev/full", os.O_WRONLY), (2, b"chat-console: cannot print: No space left on device\n")),
    ):
        done = subprocess.run([*PROGRAM, option], stdout=output, stderr=subprocess.PIPE, timeout=BOUND)
        os.close(output)
        assert (done.returncode, done.stderr) == ending


def test_streams_may_be_non_blocking(start: StartProgram, connect: Connect) -> None:
    streams = socket.socketpair(), socket.socketpair()
    (stdin, keyboard), (stdout, screen) = streams
    with stdin, keyboard, stdout, screen:
        for stream in stdin, stdout:
            stream.setblocking(False)
        stdout.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        console = start(
            "sh", "-c", 'exec "$@" 2>&1', "sh", *PROGRAM, "--port", "0", "--rate", "0",
            stdin=stdin.fileno(), stdout=stdout.fileno(),
        )  # fmt: skip
        stdin.close()
        stdout.close()
        printed = screen.makefile("rb")
        port = int(printed.readline().split()[-1])
        ann, bob = connect(port), connect(port)
        for number in range(500):
            ann.send(f"{number} {'x' * 1000}")
        bob.wait_for(f"{ann.address}: 499 ")
        keyboard.sendall(b"hello\n")
        ann.wait_for("Operator: hello\n")
        assert [printed.readline().split()[0] for _ in range(2)] == [b"Welcome"] * 2
        assert [int(printed.readline().split()[1]) for _ in range(500)] == list(range(500))
        quit_in_order(console)


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


def test_stdin_may_be_a_fifo_whose_writers_come_and_go(
    start: StartProgram, connect: Connect, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    console = start("sh", "-c", 'exec "$@" <"$0"', str(fifo), *PROGRAM, "--port", "0")
    answers = ""
    for line, answer in (
        ("/list\n", "No users connected\n"),
        ("/msg Zoe unfinished", "Message sent to 0 users of name Zoe\n"),
        ("/kick Zoe\n", "Kicked 0 people.\n"),
        ("/kick Zoe\n", "Kicked 0 people.\n"),
    ):
        subprocess.run(["sh", "-c", 'printf %s "$1" >"$0"', str(fifo), line], check=True, timeout=BOUND)
        answers += answer
        console.output.wait_for(answers)
    quit_in_order(console)


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


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_can_only_print_lines_gets_the_plain_console(
    term: str, start_terminal: StartTerminal
) -> None:
    terminal = start_terminal("env", f"TERM={term}", *PROGRAM, "--port", "0")
    terminal.wait_for("Server started on port ")
    terminal.type("/list\r")
    terminal.wait_for("No users connected")
    assert b"\x1b" not in terminal.data
    terminal.type("/quit\r")
    assert terminal.wait() == 0


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
    terminal.type("hello\r\x04again\x04\x04")
    client.wait_for("Operator: hello\nOperator: again\n")
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
        dropped = f"chat-console: {name} was dropped: read too slowly\n"
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
    warning, *ways = console.errors.read_to_end().splitlines(keepends=True)
    assert warning == WARNING
    for way in ways:
        assert re.fullmatch(rf"chat-console: People join with: nc [0-9.]+ {console.port}\n", way)
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
        "stop the program that is using it, or choose another with --port\n"
    )
    connect(console.port)


@pytest.mark.parametrize("option", ["--prot", "--po", "--plai"])
def test_a_wrong_option_is_one_line_on_stderr_and_exit_code_2(option: str, start: StartProgram) -> None:
    program = start(*PROGRAM, option)
    assert program.wait() == 2
    assert program.output.read_to_end() == ""
    assert program.errors.read_to_end() == (
        f"chat-console: unrecognized arguments: {option}; chat-console --help shows all options\n"
    )


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


def test_a_hangup_makes_it_read_its_files_again(start_console: StartConsole) -> None:
    console = start_console()
    console.output.wait_for("\n")
    for count in 1, 2:
        console.signal(signal.SIGHUP)
        console.output.wait_for("Nothing to reload: no TLS certificate and no bans file.\n" * count)
    quit_in_order(console)


@pytest.mark.parametrize(
    "command",
    [("nohup",), ("sh", "-c", 'trap "" INT HUP; exec "$@"', "sh")],
    ids=["nohup", "as a background job of sh"],
)
def test_a_signal_that_was_ignored_at_the_start_stays_ignored(
    command: tuple[str, ...], start_console: StartConsole
) -> None:
    console = start_console(program=(*command, *PROGRAM))
    console.output.wait_for("\n")
    console.signal(signal.SIGHUP)
    if command[0] == "sh":
        console.signal(signal.SIGINT)
    for count in 1, 2:  # the signal has been met at the second, at the latest
        console.type("/list")
        console.output.wait_for("No users connected\n" * count)
    quit_in_order(console)
    assert console.output.read_to_end().splitlines()[1:] == ["No users connected"] * 2


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
