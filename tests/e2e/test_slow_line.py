"""How many bytes the console sends to its terminal, which a slow line would have to take.

`python -m tests.benchmarks.slow_line` measures more, and how soon what is typed shows.
"""

from __future__ import annotations

import pytest
from support.programs import PROGRAM
from support.terminals import Terminal

from chat_console.app.pacing import QUESTION

from .conftest import Connect, StartTerminal

WIDTH, HEIGHT = 120, 40
A_KEY, A_LINE = 200, 1000
NAMES = (
    *("stefan", "Max", "lukas", "quentin", "Lukas2", "yusuf", "lena", "karim", "anna", "bernd", "carla"),
    *("dmitri", "max_m", "elif", "fatima", "georg", "hannah", "ivan", "jonas", "mehmet", "nora", "oskar"),
    *("paula", "rosa", "tanja", "uwe", "vera", "wolfgang", "xenia", "zoe"),
)


def frame_with(terminal: Terminal, text: str, since: int) -> bytes:
    """The frame that shows `text` first, of all that has come behind `since`."""

    def found() -> list[bytes]:
        *frames, _ = bytes(terminal.data[since:]).split(QUESTION.encode())
        return [frame for frame in frames if text.encode() in frame]

    terminal.wait_until(found)
    return found()[0]


@pytest.mark.parametrize("users", [2, 30])
def test_a_key_and_a_line_of_chat_take_few_bytes(
    users: int, start_terminal: StartTerminal, connect: Connect
) -> None:
    terminal = start_terminal(
        *("env", "COLORTERM=truecolor", *PROGRAM, "--port", "0", "--rate", "0"), columns=WIDTH, rows=HEIGHT
    )
    port = int(terminal.wait_for_match(r"127\.0\.0\.1:(\d+) · 0 users")[1])
    clients = [connect(port) for _ in NAMES[:users]]
    for client, name in zip(clients, NAMES, strict=False):
        client.send(f"/nick {name}")
    for number in range(HEIGHT):
        words = " and ".join(NAMES[(number * 7 + word) % len(NAMES)] for word in range(2 + number % 5))
        clients[number % users].send(f"{number} of us: {words}")
        terminal.wait_for(f": {number} of us")
    terminal.type("@")
    terminal.wait_for("@")
    since = len(terminal.data)
    terminal.type("~")
    assert len(frame_with(terminal, "~", since)) <= A_KEY
    for number, text in enumerate(
        ("has anybody finished exercise 3?", "RECV() GIVES NO LINES", "0123456789" * 4)
    ):
        since = len(terminal.data)
        clients[-1 - number % users].send(text)
        assert len(frame_with(terminal, text, since)) <= A_LINE
