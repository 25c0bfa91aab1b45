# ruff: noqa: RUF001
"""The first five minutes of an operator who has read nothing: the screen says at each step what to press.

The test presses the keys that it reads from the screen, each next to the word for what it does.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from support.programs import PROGRAM, Program, require
from support.terminals import Terminal

from .conftest import StartProgram, StartTerminal

KEYS = {
    **{f"F{number}": f"\x1bO{letter}" for number, letter in zip(range(1, 5), "PQRS", strict=True)},
    **{f"^{letter}": chr(ord(letter) - 64) for letter in "FPQSZ"},
    **{"Enter": "\r", "Esc": "\x1b", "↑": "\x1b[A", "↓": "\x1b[B", "y": "y", "n": "n"},
}
"""What the terminal sends for a key, by its name on the screen."""


class Newcomer:
    """An operator who does what the screen in `terminal` says."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.sees = terminal.wait_for_match

    def presses(self, hint: str) -> None:
        """Wait for a hint, in which a group is the name of a key, and press that key."""
        self.terminal.type(KEYS[self.sees(hint)[1]])

    def presses_for(self, label: str) -> None:
        """Press the key to which the bottom row gives this label."""
        self.presses(rf" (\S+) {label}(?: [^\n]*)?\Z")

    def types(self, text: str) -> None:
        """Type text as it is, with no key that would need a hint."""
        self.terminal.type(text)


def test_each_step_of_the_first_five_minutes_is_on_the_screen(
    start_terminal: StartTerminal, start: StartProgram, tmp_path: Path
) -> None:
    require("nc")
    there = ("sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path))
    terminal = start_terminal(*there, *PROGRAM, "--port", "0", columns=80, rows=24)
    operator = Newcomer(terminal)
    sees, presses, presses_for, types = operator.sees, operator.presses, operator.presses_for, operator.types

    # Join, with the command that the empty log shows, and take a name as it says.
    command = sees(r"People join with: *\n.*│ *(nc \S+ \d+) *\n")[1]
    naming = sees(r"name themselves with: *\n.*│ *(/\w+) NAME *\n")[1]
    people: dict[str, Program] = {}
    for name in ("Ann", "Bob"):
        people[name] = start(*shlex.split(command))
        people[name].type(f"{naming} {name}")
        sees(rf"\n {name} ")
    ann, bob = people.values()
    sees(r"· 2 users ·")
    ann.type("has anybody finished exercise 3?")
    sees(r"Ann: has anybody finished exercise 3\?")

    # Say something: the line says that this is what it is for.
    sees(r"everybody › Say something to everybody")
    types("Good evening")
    presses_for_enter(operator)
    ann.output.wait_for("Operator: Good evening\n")
    sees(r"> Operator: Good evening")

    # Write to one of them.
    presses_for("users")
    while "▸Bob" not in terminal.text:
        marked = marked_user(terminal)
        presses_for("select")
        terminal.wait_until(lambda before=marked: marked_user(terminal) != before)
    presses(r"\[Message (F\d)\]")
    sees(r"to Bob › Private")
    types("please stop that")
    presses_for_enter(operator)
    bob.output.wait_for("Operator (private): please stop that \n")
    sees(r"── = sent to Bob ─")
    assert "please stop that" not in ann.output.text

    # Kick, with a reason.
    presses(r"\[Kick (F\d)\]")
    sees(r"Kick Bob \(127\.0\.0\.1\|\d+\)")
    sees(r"reason › optional")
    types("too loud")
    sees(r"reason › too loud")
    presses(r"(\w+) kicks · Esc cancels ─")
    sees(r"── = Bob was kicked ─")
    sees(r"- Bob left \(kicked: too loud\)")
    bob.output.wait_for("You have left the server\n")
    sees(r"\nBob has left ›")
    presses_for("everybody")
    sees(r"\neverybody › ")

    # Find.
    presses_for("find")
    sees(r"── find: words, @name, ")
    types("exercise")
    sees(r"── find: 1 of 1 · \d\d:\d\d ─")
    sees(r" ↑ older  ↓ newer ")
    presses_for("close")
    sees(r"\neverybody › ")

    # Save.
    presses_for("save")
    count = int(sees(r"── = (\d+) lines saved in ")[1])
    (saved,) = tmp_path.iterdir()
    lines = saved.read_text("utf-8").splitlines()
    assert len(lines) == count
    assert any(line.endswith("  Ann: has anybody finished exercise 3?") for line in lines)

    # Quit: Ann is connected yet, so there is a question.
    presses_for("quit")
    sees(r"1 user is connected\. Stop the server\?")
    presses(r"(\w) stop · Esc cancel ─")
    assert terminal.wait() == 0
    ann.output.wait_for("Server is shutting down\nYou have left the server\n")
    assert terminal.is_restored
    _, left, remains = terminal.read_rest().rpartition(b"\x1b[?1049l")
    assert left
    assert re.search(r"(?:\A|[\n\rhl])\d+ s, 2 users, 1 line\r\n\Z", remains.decode())


def marked_user(terminal: Terminal) -> str:
    """Who is selected in the list, or nothing."""
    found = re.search(r"▸\w+", terminal.text)
    return found[0] if found else ""


def presses_for_enter(operator: Newcomer) -> None:
    """Press Enter, the one key for which the line needs no hint."""
    operator.types(KEYS["Enter"])
