"""What docs/ and deploy/ tell people to run, run. systemd's part, and certbot's, is played by the tests."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.network import free_port
from support.programs import environment, require
from support.waiting import BOUND, wait_until

from .conftest import Connect, StartConsole, StartProgram

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PATH = f"{BIN}:{os.environ['PATH']}"


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def unit(name: str, key: str) -> str:
    """The only value of `key` in a unit, its lines joined."""
    text = (ROOT / "deploy" / name).read_text("utf-8").replace("\\\n", " ")
    (value,) = re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)
    return value


# docs/tls.md


def test_the_certificate_of_ones_own_making_serves(
    start_console: StartConsole, start: StartProgram, tmp_path: Path
) -> None:
    text = re.sub(r"\b(\w+\.pem)\b", rf"{tmp_path}/\1", page("tls.md"))
    openssl, chat_console = re.findall(r"^    (openssl req .*|chat-console .*)$", text, re.MULTILINE)
    require("openssl")
    subprocess.run(shlex.split(openssl), check=True, capture_output=True)
    _, *options = shlex.split(chat_console)
    assert options[:2] == ["--port", "12345"]
    console = start_console(*options[2:])
    ways = re.findall(r"^    ((?:ncat|openssl s_client) .*)$", text, re.MULTILINE)
    assert len(ways) == 3
    for way in ways:
        client, *words = shlex.split(way.replace("12345", str(console.port)))
        joined = start(require(client), *words)
        joined.type("/quit")
        assert joined.output.read_to_end().endswith("You have left the server\n"), way


# docs/history.md


def test_a_history_is_searched_exported_and_backed_up_as_the_page_says(
    start_console: StartConsole, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = re.findall(r"^    (chat-console .*|sqlite3 .*)$", page("history.md"), re.MULTILINE)
    record, replay, *searches, log = commands
    assert len(searches) == 6
    require("sqlite3")
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    for command in (log, record, replay):
        console = start_console(*shlex.split(command)[1:])
        max_ = connect(console.port)
        max_.send("/nick Max\nTCP is a stream\n/quit")
        told += max_.read_to_end().splitlines()
        if command is not replay:
            console.type("/quit")
            assert console.wait() == 0
    assert told[1] in page("history.md")
    assert any(re.fullmatch(r"\[[-0-9: ]{16}\] Max: TCP is a stream", line) for line in told)
    console.type("/mute nobody")
    console.output.wait_for("Muted 0")
    for search in searches:
        done = subprocess.run(
            ["sh", "-c", search], env={**environment(), "PATH": PATH}, capture_output=True, timeout=BOUND
        )
        assert (done.returncode, done.stderr) == (0, b""), search
        if "stream" in search or "Max" in search:
            assert b"TCP is a stream" in done.stdout
    assert b"TCP is a stream" in Path("chat.csv").read_bytes()
    assert b"TCP is a stream" in Path("copy.db").read_bytes()
    (file,) = tmp_path.glob("chat-????-??-??.log")
    assert "   Max: TCP is a stream\n" in file.read_text()
    console.type("/quit")
    assert console.wait() == 0


# docs/console.md


def test_the_plain_console_takes_the_operators_lines_from_stdin(start: StartProgram) -> None:
    (command,) = re.findall(r"^    (chat-console --plain .*)$", page("console.md"), re.MULTILINE)
    program, *options = shlex.split(command.replace("--port 12345", "--port 0"))
    console = start(str(BIN / program), *options)
    console.output.wait_for("Server started on port ")
    console.type("/list")
    console.output.wait_for("No users connected\n")
    console.type("/quit")
    assert console.wait() == 0


def test_a_fifo_is_written_to_again_and_again(tmp_path: Path) -> None:
    (block,) = re.findall(r"^      (mkfifo .*\n(?:      .+\n)+)", page("console.md"), re.MULTILINE)
    script = (
        block.replace("--port 12345", "--port 0") + "echo /list > fifo\necho /quit > fifo\nwait\ncat log\n"
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment() | {"PATH": PATH},
        capture_output=True,
        text=True,
        timeout=BOUND,
    )
    _, *lines = done.stdout.splitlines()
    assert lines == ["Kicked 0 people.", "No users connected"], done.stderr


# docs/cluster.md


def commands_of(section: str) -> list[str]:
    """The commands of a section of the page about clusters, a line each."""
    text = re.split(rf"^## {section}$", page("cluster.md"), flags=re.MULTILINE)[1].partition("\n## ")[0]
    return re.findall(r"^    ((?:openssl|export|nats-server|chat-console) .*)$", text, re.MULTILINE)


def blocks_of(section: str) -> list[str]:
    """What stands in the blocks of a section, one text each."""
    text = re.split(rf"^## {section}$", page("cluster.md"), flags=re.MULTILINE)[1].partition("\n## ")[0]
    found = re.findall(r"(?:^    .*\n|(?<=\n)\n(?=    ))+", text, re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


def listens(port: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port))):
        return True
    return False


def test_two_nodes_are_one_room_in_five_minutes(
    start: StartProgram, start_console: StartConsole, connect: Connect, tmp_path: Path
) -> None:
    engine, *nodes = commands_of("Two nodes in five minutes")
    port = str(free_port())
    program, *options = shlex.split(engine)
    start(shutil.which(program, path=PATH) or program, *options, "-p", port, "-sd", str(tmp_path))
    wait_until(lambda: listens(port))
    consoles = [
        start_console(*shlex.split(re.sub(r"--port \d+", "", node.replace("4222", port)))[1:])
        for node in nodes
    ]
    clients = [connect(console.port) for console in consoles]
    clients[0].wait_for(f"Welcome {clients[1].address} ")
    clients[1].send("hello")
    clients[0].wait_for(f"{clients[1].address}: hello\n")


def test_the_engine_with_users_and_tls_lets_the_nodes_of_the_page_in(
    start: StartProgram, start_console: StartConsole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    section = "With users and TLS"
    room, configuration, *_ = blocks_of(section)
    openssl, passwords, check, run, url, node = commands_of(section)
    port = str(free_port())
    Path("room.conf").write_text(room, "utf-8")
    Path("nats.conf").write_text(configuration.replace("0.0.0.0:4222", f"127.0.0.1:{port}"), "utf-8")
    require("openssl")
    subprocess.run(shlex.split(openssl), check=True, capture_output=True)
    url = url.replace("nats1:4222", f"localhost:{port}")
    script = f"{passwords}; {url}; printf '%s\\n' $PARIS $ROME $CHAT_CONSOLE_CLUSTER"
    values = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout.split()
    for name, value in zip(("PARIS", "ROME", "CHAT_CONSOLE_CLUSTER"), values, strict=True):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", PATH)
    subprocess.run(shlex.split(check), check=True, capture_output=True, timeout=BOUND)
    start(shutil.which("nats-server", path=PATH) or "", *shlex.split(run)[1:])
    wait_until(lambda: listens(port))
    console = start_console(*shlex.split(node)[1:])
    assert console.port
    console.errors.wait_for("This node is in")


# deploy/


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[int]:
    """A FIFO as systemd opens it: for reading and writing, and without blocking."""
    path = tmp_path / "operator"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


def test_the_service_takes_the_operators_lines_from_its_fifo(
    start: StartProgram, fifo: int, tmp_path: Path
) -> None:
    assert unit("chat-console.socket", "ListenFIFO") == "/run/chat-console/operator"
    assert unit("chat-console.service", "StandardInput") == "socket"
    command = unit("chat-console.service", "ExecStart").replace("$OPTIONS", "--port 0")
    command = command.replace("/opt/chat-console/bin", str(BIN)).replace(
        "/var/lib/chat-console", str(tmp_path)
    )
    console = start(*shlex.split(command), stdin=fifo)
    console.output.wait_for("Server started on port ")
    for line in ("/list", "/ban 192.0.2.7"):
        (tmp_path / "operator").write_text(line + "\n")
    console.output.wait_for("No users connected\nBanned 192.0.2.7 until unbanned.\n")
    assert unit("chat-console.service", "ExecReload") == "/bin/kill -HUP $MAINPID"
    console.signal(signal.SIGHUP)
    console.output.wait_for("Reloaded the bans file: 1 bans in force.\n")
    console.signal(signal.SIGTERM)
    assert console.wait() == 0


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[str]:
    """The name of a tmux server of the test's own."""
    path = require("tmux")
    name = f"test-{os.getpid()}"
    yield name
    subprocess.run([path, "-L", name, "kill-server"], capture_output=True)


def test_the_service_in_tmux_says_goodbye_when_it_is_stopped(
    tmux: str, connect: Connect, tmp_path: Path
) -> None:
    def run(key: str) -> None:
        command = unit("chat-console-tmux.service", key).removeprefix("-")
        command = command.replace("-L chat-console", f"-L {tmux}").replace("${OPTIONS}", "--port 0")
        command = command.replace("/opt/chat-console/bin", str(BIN)).replace("/usr/bin/", "")
        words = shlex.split(command.replace("/var/lib/chat-console", str(tmp_path)))
        subprocess.run(words, check=True, timeout=BOUND, env=environment(), cwd=tmp_path)

    def wait_for(pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + BOUND
        while True:
            shown = subprocess.run(
                ["tmux", "-L", tmux, "capture-pane", "-p"], capture_output=True, text=True, timeout=BOUND
            )
            if found := re.search(pattern, shown.stdout):
                return found
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)

    run("ExecStart")
    port = int(wait_for(r"The server listens on port (\d+)")[1])
    client = connect(port)
    run("ExecReload")
    wait_for("This server does not use TLS: there is no certificate to reload.")
    run("ExecStop")
    assert client.read_to_end().endswith("Server is shutting down\nYou have left the server\n")


def test_the_hook_hands_over_a_certificate_that_the_group_can_read(tmp_path: Path) -> None:
    hook = (ROOT / "deploy" / "renew-certificate").read_text("utf-8")
    group = subprocess.run(["id", "-gn"], capture_output=True, text=True, check=True).stdout.strip()
    script = hook.replace("/etc/chat-console", str(tmp_path / "etc")).replace(
        "-g chat-console", f"-g {group}"
    )
    for name in ("fullchain", "privkey"):
        (tmp_path / f"{name}.pem").write_text(name)
    # Both units are active, and told.
    (tmp_path / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    (tmp_path / "systemctl").chmod(0o755)
    environ = os.environ | {"RENEWED_LINEAGE": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", script], check=True, env=environ, timeout=BOUND)
    files = {
        file.name: (file.read_text(), file.stat().st_mode & 0o777) for file in (tmp_path / "etc").iterdir()
    }
    assert files == {"cert.pem": ("fullchain", 0o644), "key.pem": ("privkey", 0o640)}
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call for call in calls if call.startswith("kill")] == [
        "kill --signal=SIGUSR1 chat-console",
        "kill --signal=SIGUSR1 chat-console-tmux",
    ]


def test_the_containers_health_check_is_seen_by_nobody(start_console: StartConsole, connect: Connect) -> None:
    containerfile = (ROOT / "deploy" / "Containerfile").read_text("utf-8").replace("\\\n", " ")
    (check,) = re.findall(r"^HEALTHCHECK .* CMD (.*)$", containerfile, re.MULTILINE)
    assert f":{1234:04X} " in check
    console = start_console()
    client = connect(console.port)
    check = check.replace(f"{1234:04X}", f"{console.port:04X}")
    assert subprocess.run(["sh", "-c", check], timeout=BOUND).returncode == 0
    client.send("/quit")
    client.read_to_end()
    console.type("/quit")
    assert console.wait() == 0
    assert console.output.text.count("Welcome") == 1
    assert subprocess.run(["sh", "-c", check], timeout=BOUND).returncode == 1


def test_the_containers_command_starts_a_chat(start: StartProgram, tmp_path: Path) -> None:
    containerfile = (ROOT / "deploy" / "Containerfile").read_text("utf-8")
    (words,) = re.findall(r"^ENTRYPOINT \[(.*)\]$", containerfile, re.MULTILINE)
    program, *options = re.findall(r'"([^"]*)"', words)
    options = [option.replace("/data", str(tmp_path)).replace("0.0.0.0", "127.0.0.1") for option in options]
    with contextlib.ExitStack() as stack:
        null = os.open(os.devnull, os.O_RDONLY)
        stack.callback(os.close, null)
        console = start(str(BIN / program), *options, "--port", "0", stdin=null)
        console.output.wait_for("Server started on port ")
        console.signal(signal.SIGTERM)
        assert console.wait() == 0
