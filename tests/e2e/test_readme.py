"""What the README tells people to type, typed."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest
from support.programs import require
from support.terminals import Terminal
from support.waiting import BOUND

from .conftest import Connect, StartConsole, StartTerminal

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
JOIN = README.partition("\n## Join\n")[2].partition("\n## ")[0]
CODE = [*re.findall(r"^    (.+)$", JOIN, re.MULTILINE), *re.findall(r"`([^`]+)`", JOIN)]
WAYS = [code for code in CODE if re.search(r"\b1234$", code) and "|" not in code]
"""The commands that join."""
(SCRIPT,) = [code for code in CODE if "| nc" in code]
"""The one that a script may use."""


def here(command: str, port: int) -> str:
    """`command` for a chat on this machine."""
    command = re.sub(r"127\.0\.0\.1|192\.0\.2\.7", "127.0.0.1", command)
    return re.sub(r"\b1234\b", str(port), command).replace("curl.exe", "curl")


def enter_until(terminal: Terminal, text: str) -> None:
    """Press Enter until `text` is on the screen: curl looks for new lines only between two typed ones."""
    deadline = time.monotonic() + BOUND
    while text not in terminal.text:
        assert time.monotonic() < deadline, terminal.text
        time.sleep(0.1)
        terminal.type("\r")


def test_these_are_the_ways_to_join() -> None:
    assert [re.split(r"\W", way)[0] for way in WAYS] == ["nc", "telnet", "nc", "ncat", "telnet", "curl"]


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_join_works(
    way: str, start_console: StartConsole, start_terminal: StartTerminal, connect: Connect
) -> None:
    console = start_console()
    program, *arguments = shlex.split(here(way, console.port))
    terminal = start_terminal(require(program), *arguments)
    enter_until(terminal, " to the server!")
    terminal.type("/nick Ann\r")
    console.output.wait_for(" is now Ann\n")
    bob = connect(console.port)
    bob.send("hello Ann")
    console.output.wait_for(": hello Ann\n")
    enter_until(terminal, f"{bob.address}: hello Ann")
    terminal.type("hello Bob\r")
    bob.wait_for("Ann: hello Bob\n")
    terminal.type("/quit\r")
    bob.wait_for("Ann has left the server.\n")
    enter_until(terminal, "You have left the server")
    assert bob.lines[-2:] == ["Ann: hello Bob", "Ann has left the server."]


@pytest.mark.parametrize("client", ["nc", "nc.openbsd", "nc.traditional", "ncat", "curl"])
def test_the_script_prints_who_is_here_with_any_client(
    client: str, start_console: StartConsole, connect: Connect
) -> None:
    require(client)
    console = start_console()
    bob = connect(console.port)
    url = f"curl -s telnet://127.0.0.1:{console.port}"
    script = here(SCRIPT, console.port)
    script = re.sub(r"\bnc .*", url, script) if client == "curl" else re.sub(r"\bnc\b", client, script)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=BOUND)
    welcome, *lines = done.stdout.splitlines()
    assert welcome.startswith("Welcome 127.0.0.1|")
    assert lines == [f"{bob.address} as {bob.address}", "You have left the server"]
    assert (done.returncode, done.stderr) == (0, "")
