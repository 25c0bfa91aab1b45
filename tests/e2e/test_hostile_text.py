# ruff: noqa: RUF001
"""Text that terminals paint wider or narrower than it is counted, in such terminals: it stays in the log."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pyte
import pyte.screens
import pytest
from support.programs import PROGRAM, Client, require
from support.terminals import Terminal
from support.waiting import BOUND
from wcwidth import wcwidth

from .conftest import Connect, StartTerminal

LIST = 25
"""The columns of the user list."""

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
HOSTILE = {
    "families": FAMILY * 12,
    "joined letters": "\u200d".join("127.0.0.1|4711 Operator kicked " * 8),
    "joined emoji": "\u200d".join("\U0001f525" * 60),
    "skin tones": "\U0001f44d\U0001f3fd" * 40,
    "tones alone": "\U0001f3fd" * 80,
    "enclosed": "㉈" * 100,
    "circled": "①⑩⓿❿" * 30,
    "spacing marks": "\u0915\u093e" * 80,
    "variation selectors": "\u2764\ufe0f\u2620\ufe0f" * 40,
    "keycaps": "1\ufe0f\u20e3" * 50,
    "flags": "\U0001f1e9\U0001f1ea" * 40,
    "half flags": "\U0001f1e9 " * 60,
    "jamo": "\u1100\u1161\u11a8" * 40,
    "loose jamo": "\u1161\u11a8" * 60,
    "hexagrams": "\u4dc0\u4dff" * 50,
    "symbols": "★☎☺♠⌚⏰▲●" * 20,
    "dashes": "⸺⸻" * 30,
    "new emoji": "\U0001faf8\U0001fae8\U0001f6dc" * 30,
    "pictures of text": "\U0001f321\U0001f5a5\U0001f549" * 30,
    "wide": "漢字" * 60,
    "halfwidth": "ｶﾞｷﾞ" * 40,
    "marks": "e\u0301\u0302\u0303" * 60,
    "Arabic": "\u0645\u200c\u0646 \ufdfd " * 20,
    "Thai": "สวัสดีชาวโลก" * 8,
    "Tibetan": "བོད་སྐད་" * 12,
    "English": "a perfectly harmless line that is wrapped " * 5,
}


class Shown(Protocol):
    """A terminal with the console in it."""

    def type(self, keys: str) -> None: ...
    def resize(self, columns: int, rows: int) -> None: ...
    def rows(self) -> list[str]:
        """The screen, row by row."""
        ...


class Tmux:
    """A tmux of its own, with its own tables of widths."""

    def __init__(self, program: str, socket: Path) -> None:
        self._command = (program, "-S", str(socket), "-f", "/dev/null", "-u")
        environment = "env -u COLUMNS -u LINES TERM=tmux-256color LC_ALL=C.UTF-8"
        program = f"{environment} {shlex.join(PROGRAM)} --port 0 --rate 0"
        self._run("new-session", "-d", "-x", "80", "-y", "24", program)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([*self._command, *arguments], capture_output=True, timeout=BOUND, check=True)
        return done.stdout.decode()

    def type(self, keys: str) -> None:
        self._run("send-keys", "-l", keys)

    def resize(self, columns: int, rows: int) -> None:
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def rows(self) -> list[str]:
        return self._run("capture-pane", "-p", "-N").split("\n")

    def close(self) -> None:
        subprocess.run([*self._command, "kill-server"], capture_output=True, timeout=BOUND, check=False)


class Pyte:
    """The terminal of the other tests, which counts as Python's wcwidth does."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.type = terminal.type
        self.resize = terminal.resize

    def rows(self) -> list[str]:
        # Not its `display`, which fails where half of a wide character was painted over.
        screen = self._terminal.screen
        return ["".join(screen.buffer[y][x].data for x in range(screen.columns)) for y in range(screen.lines)]


def greedy(character: str) -> int:
    """How wide a character is to a terminal that knows of no joining, and takes every picture for wide."""
    category = unicodedata.category(character)
    if character == "\N{ZERO WIDTH JOINER}" or "\ufe00" <= character <= "\ufe0f" or category in ("Mc", "Cf"):
        return 1
    if category in ("No", "Cn", "Sk") or (category == "So" and not "\u2500" <= character <= "\u25ff"):
        return 2
    return max(wcwidth(character), 0 if category in ("Mn", "Me") else 1)


@pytest.fixture(params=["tmux", "pyte", "greedy"])
def shown(
    request: pytest.FixtureRequest,
    start_terminal: StartTerminal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Shown]:
    if request.param == "greedy":
        monkeypatch.setattr(pyte.screens, "wcwidth", greedy)
    if request.param != "tmux":
        yield Pyte(start_terminal(*PROGRAM, "--port", "0", "--rate", "0"))
        return
    tmux = Tmux(require("tmux"), tmp_path / "tmux")
    yield tmux
    tmux.close()


def until(shown: Shown, condition: Callable[[list[str]], object], what: str = "") -> list[str]:
    """Wait until `condition` holds for the rows that `shown` shows, and return these."""
    give_up_at = time.monotonic() + BOUND
    while not condition(rows := shown.rows()):
        assert time.monotonic() < give_up_at, "\n".join([f"{what}:", *rows])
        time.sleep(0.05)
    return rows


def shows(rows: list[str], text: str) -> bool:
    return any(text in row for row in rows)


def beside_the_log(rows: list[str]) -> list[str]:
    """What stands between the list and the log in each row that both have a part of."""
    first = next((number for number, row in enumerate(rows) if "users" in row and "▾" in row), 0)
    last = next((number for number, row in enumerate(rows) if "everybody ›" in row and number > first), 1)
    return [row[LIST - 1 : LIST] for row in rows[first : last - 1]]


def take_turns(speaker: Client, other: Client, name: str, text: str) -> None:
    """Let the `other`, of that name, say `text` after the speaker: lines of one alone would be folded."""
    speaker.send(f"/msg {name} before {text}")
    other.wait_for(f"before {text}")
    other.send(text)


def question_is_whole(rows: list[str]) -> bool:
    """Whether nothing of the log stands in the box with the question, or over its frame."""
    top = next((y for y, row in enumerate(rows) if row.startswith("╭───")), len(rows))
    box = [row.rstrip() for row in rows[top : top + 6]]
    return len(box) == 6 and all(
        row[:1] in ("╭", "│", "╰") and row[-1:] in ("╮", "│", "╯") and "│" not in row[1:-1] for row in box
    )


def test_whatever_is_said_the_list_and_the_frame_of_the_log_stay_as_they_are(
    shown: Shown, connect: Connect
) -> None:
    rows = until(shown, lambda rows: shows(rows, "0 users") and shows(rows, "F1 help"))
    found = re.search(r"127\.0\.0\.1:(\d+) ", "\n".join(rows))
    assert found
    ann, bob = (connect(int(found[1])) for _ in range(2))
    ann.send("/nick Ann")
    bob.send("/nick Bob")
    ours = [["Ann"], ["Bob"]]
    rows = until(
        shown,
        lambda rows: (
            [row[:LIST].split()[:1] for row in rows[2:4]] == ours and set(beside_the_log(rows)) == {"│"}
        ),
    )
    before = beside_the_log(rows)
    for number, (name, text) in enumerate(HOSTILE.items()):
        ann.send(text)
        end = f"end of {number}"
        take_turns(ann, bob, "Bob", end)
        until(shown, lambda rows, end=end: shows(rows, end) and beside_the_log(rows) == before, name)
    # Painted as a whole, and with a question over it.
    for columns in (90, 80):
        shown.resize(columns, 24)
        until(
            shown,
            lambda rows, width=columns: len(rows[0].rstrip()) <= width and beside_the_log(rows) == before,
        )
    shown.type("\x1bOS\x1b[B")
    if shows(until(shown, lambda rows: shows(rows, "▸Ann") or shows(rows, "▸Bob")), "▸Bob"):
        shown.type("\x1b[B")  # both say as much, and either may stand first
    until(shown, lambda rows: shows(rows, "▸Ann"))
    shown.type("\x1bOR")
    until(shown, lambda rows: shows(rows, "Kick Ann ("))
    for number, (name, text) in enumerate(HOSTILE.items()):
        bob.send(text)
        end = f"behind it {number}"
        take_turns(bob, ann, "Ann", end)
        until(shown, lambda rows, end=end: shows(rows, end) and question_is_whole(rows), name)


def test_the_terminal_is_told_not_to_wrap(start_terminal: StartTerminal) -> None:
    terminal = start_terminal(*PROGRAM, "--port", "0")
    terminal.wait_for("F1 help")
    assert b"\x1b[?7l" in terminal.data
    assert b"\x1b[?7h" not in terminal.data
