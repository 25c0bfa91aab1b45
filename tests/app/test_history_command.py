"""`chat-console history`: what is asked for is what is printed, and what cannot be is said in one line."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from support.records import NOW, Tape

from chat_console.app import cli, history_command
from chat_console.server.history.records import Kind
from chat_console.server.history.store import Store

DAY = 86_400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A history of two days."""
    path, tape = tmp_path / "chat.db", Tape()
    tape.add("192.0.2.1|4711", Kind.JOINED, 7, "192.0.2.1|4711", NOW)
    tape.add("hello everybody\nTCP is a stream", Kind.SAID, 7, "Ann", NOW + 1)
    tape.add("a STREAM of bytes", Kind.SAID, 8, "Bob", NOW + DAY)
    tape.add("good evening", Kind.OPERATOR_SAID, 0, "Operator", NOW + DAY + 1)
    tape.add("1\t600", Kind.MUTED, 8, "Bob", NOW + DAY + 2)
    tape.add("QUIT", Kind.LEFT, 7, "Ann", NOW + DAY + 3)
    store = Store(path, "1.0", {})
    store.append(tape.all)
    store.close(NOW)
    return path


@pytest.fixture(autouse=True)
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of the tests keeps its signals."""
    monkeypatch.setattr(history_command.signal, "signal", lambda *_: None)


ALL = [
    "+ 192.0.2.1|4711 joined",
    "  Ann: hello everybody",
    "  Ann: TCP is a stream",
    "  Bob: a STREAM of bytes",
    "> Operator: good evening",
    "* Bob is muted for 10m",
    "- Ann left",
]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], ALL),
        (["--newest-first"], ALL[::-1]),
        (["--last", "2"], ALL[-2:]),
        (["--last", "2", "--newest-first"], ALL[:-3:-1]),
        (["--last", "100"], ALL),
        (["--kind", "talk"], ALL[1:5]),
        (["--kind", "joins"], [ALL[0], ALL[6]]),
        (["--kind", "moderation"], [ALL[5]]),
        (["--grep", "stream"], ALL[2:4]),
        (["--grep", "stream", "--grep", "tcp"], [ALL[2]]),
        (["--grep", "a stream"], ALL[2:4]),
        (["--user", "ann"], [*ALL[1:3], ALL[6]]),
        (["--user", "ann", "--user", "BOB", "--kind", "talk"], ALL[1:4]),
        (["--user", "an"], []),
        (["--grep", "nobody said this"], []),
    ],
)
def test_what_is_asked_for_is_printed(
    path: Path, capfd: pytest.CaptureFixture[str], options: list[str], shown: list[str]
) -> None:
    assert cli.main(["history", str(path), *options]) == 0
    assert [line[20:] for line in capfd.readouterr().out.splitlines()] == shown


def test_times_bound_what_is_printed(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def shown(*options: str) -> list[str]:
        assert cli.main(["history", str(path), *options]) == 0
        return [line[20:] for line in capfd.readouterr().out.splitlines()]

    day = time.strftime("%Y-%m-%d", time.localtime(NOW))
    next_day = time.strftime("%Y-%m-%d", time.localtime(NOW + DAY))
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOW + 1))
    assert shown("--until", day) == ALL[:3]
    assert shown("--since", next_day) == ALL[3:]
    assert shown("--since", at, "--until", next_day) == ALL[1:]
    assert shown("--since", "1h") == []
    assert shown("--until", "1h") == ALL


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--since", "yesterday"], "'yesterday' is no time; write 2026-11-26, "),
        (["--since", "2026-02-30"], "'2026-02-30' is no time"),
        (["--since", "25:00"], "'25:00' is no time"),
        (["--since", "99999-01-01"], "is no time"),
        (["--since", "1h", "--until", "2h"], "--until is before --since"),
        (["--last", "0"], "0 is not a number from 1 to 1000000"),
        (["--last", "many"], "'many' is not a whole number"),
        (["--kind", "cats"], "invalid choice: 'cats'"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    path: Path, capfd: pytest.CaptureFixture[str], options: list[str], problem: str
) -> None:
    try:
        code = cli.main(["history", str(path), *options])
    except SystemExit as end:
        code = end.code
    assert code == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("chat-console: ")
    assert problem in line


def test_a_missing_file_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["history", str(tmp_path / "none.db")]) == 2
    assert capfd.readouterr().err == f"chat-console: there is no file {tmp_path}/none.db\n"


def test_a_damaged_file_is_said_after_what_could_be_read(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(path.read_bytes())
    for page in range(2, len(data) // 8192):
        data[8192 * page : 8192 * page + 100] = b"\xff" * 100
    path.write_bytes(data)
    assert cli.main(["history", str(path)]) == 2
    assert " is damaged (" in capfd.readouterr().err


def test_a_python_without_sqlite_says_so(
    path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    assert cli.main(["history", str(path)]) == 2
    assert capfd.readouterr().err == (
        "chat-console: this Python has no sqlite3 module, which a history needs\n"
    )


@pytest.mark.parametrize("options", [[], ["--format", "csv"]])
def test_what_cannot_be_printed_ends_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setattr(history_command, "show", lambda _: 2)
    assert cli.main(["history", str(path), *options]) == 2


def test_ctrl_c_ends_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(history_command, "show", interrupted)
    assert cli.main(["history", str(path)]) == 130
