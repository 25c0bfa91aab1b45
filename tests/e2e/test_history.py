"""The history of the real program: killed, stopped, on a disk that is full, and in the way of another."""

from __future__ import annotations

import resource
import signal
import sqlite3
from pathlib import Path

import pytest
from support.kills import kill
from support.programs import PROGRAM
from support.records import NOW, Tape, is_sound, lines_in
from support.waiting import wait_until

from chat_console.server.history.store import Store

from .conftest import Connect, StartConsole, StartProgram, StartTerminal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest.mark.parametrize("rate", [50, 5_000, 60_000])
def test_a_kill_loses_nothing_that_was_said_a_moment_before(
    start_console: StartConsole, path: Path, rate: int
) -> None:
    for round_ in range(3):
        console = start_console("--history", str(path), "--rate", "0")
        killed = kill(console.process.pid, console.port, path, rate=rate, seconds=0.2 + 0.15 * round_)
        assert console.wait() == -signal.SIGKILL
        assert killed.in_order
        assert killed.sound
        # A busy machine may keep the thread waiting too; the benchmark has the figure.
        assert killed.missing < 2.0


def test_the_log_goes_back_to_the_first_line_and_begins_where_it_ended_after_a_kill(
    start_terminal: StartTerminal, connect: Connect, path: Path
) -> None:
    tape = Tape()
    tape.say("the xylophone was first", *[f"line {number}" for number in range(2, 20_001)])
    store = Store(path, "1.0", {})
    store.append(tape.all)
    store.close(NOW)
    console = start_terminal(*PROGRAM, "--port", "0", "--history", str(path), columns=100, rows=24)
    port = int(console.wait_for_match(r"The server listens on port (\d+)")[1])
    console.wait_for_match(r"Ann: line 20000\b")
    console.type("\x06xylophone")
    console.wait_for("find: 1 of 1 · 14 Nov 2023 ")
    console.wait_for_match(r"Ann: the xylophone was first\b")
    console.wait_for_match(r"Ann: line 5\b")
    console.type("\x1b")
    console.wait_for("everybody › ")  # noqa: RUF001
    console.type("\x1b[F")
    console.wait_for(" following ")
    console.wait_for_match(r"Ann: line 20000\b")
    connect(port).send("said at last")
    console.wait_for_match(r": said at last\b")
    wait_until(lambda: lines_in(path)[-1][1] == "said at last")
    console.type("\x1b[15~\x1b[H")
    console.wait_for_match(r"Ann: the xylophone was first.*\n.*Ann: line 2\n")
    console.wait_for(" paused 14 Nov 2023 ")
    console.signal(signal.SIGKILL)
    assert console.wait() == -signal.SIGKILL
    again = start_terminal(*PROGRAM, "--port", "0", "--history", str(path), columns=100, rows=24)
    again.wait_for_match(r": said at last.*\n.*The server listens on port ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_when_everything_is_written(
    start_console: StartConsole, connect: Connect, path: Path, number: signal.Signals
) -> None:
    console = start_console("--history", str(path), "--rate", "0")
    ann, bob = connect(console.port), connect(console.port)
    ann.send("\n".join(f"line {each}" for each in range(5000)))
    bob.wait_for(": line 4999\n")
    console.signal(number)
    assert console.wait() == 0
    texts = [text for _, text in lines_in(path)]
    assert [text for text in texts if text.startswith("line ")] == [f"line {each}" for each in range(5000)]
    assert texts[-1] == number.name


def test_on_a_full_disk_every_line_is_kept_or_counted(
    start_console: StartConsole, connect: Connect, path: Path
) -> None:
    console = start_console("--history", str(path), "--rate", "0")
    ann = connect(console.port)
    ann.send("before")
    wait_until(lambda: path.exists() and "before" in [text for _, text in lines_in(path)])
    pid = console.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (200_000, before[1]))
    ann.send("\n".join(f"line {each} {'x' * 100}" for each in range(20_000)))
    console.errors.wait_for("The history is not written: ")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    console.errors.wait_for("The history is written again: ")
    ann.send("after")
    console.signal(signal.SIGTERM)
    assert console.wait() == 0
    found = lines_in(path)
    assert [number for number, _ in found] == [*range(1, len(found) + 1)]
    said = [text.split()[1] for _, text in found if text.startswith("line ")]
    assert said == [str(each) for each in range(20_000)]
    assert is_sound(path)


def test_what_could_not_be_written_is_told_and_is_an_exit_code(
    start_console: StartConsole, connect: Connect, path: Path
) -> None:
    console = start_console("--history", str(path))
    ann = connect(console.port)
    path.unlink()
    path.mkdir()
    ann.send("after")
    console.errors.wait_for(f"The history is not written: {path} is not a regular file. ")
    console.signal(signal.SIGTERM)
    console.errors.wait_for("The history is not complete: ")
    assert console.wait() == 1


def test_signals_end_it_while_another_program_has_locked_the_file(
    start_console: StartConsole, connect: Connect, path: Path
) -> None:
    console = start_console("--history", str(path))
    ann = connect(console.port)
    ann.send("before")
    wait_until(lambda: path.exists() and "before" in [text for _, text in lines_in(path)])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ann.send("after")
    console.errors.wait_for("The history is not written: another program has locked ")
    console.signal(signal.SIGTERM)
    ann.wait_for("Server is shutting down\n")
    console.signal(signal.SIGTERM)
    assert console.wait() == 1
    other.close()
    assert "could not be written." in console.errors.text


def test_a_moved_file_is_complete_and_another_is_begun(
    start_console: StartConsole, connect: Connect, path: Path
) -> None:
    console = start_console("--history", str(path))
    ann, bob = connect(console.port), connect(console.port)
    ann.send("before")
    bob.wait_for("before")
    wait_until(lambda: "before" in [text for _, text in lines_in(path)])
    path.rename(path.with_name("chat.db.1"))
    ann.send("after")
    console.errors.wait_for(f"{path} was moved or deleted: a new one was begun.\n")
    console.type("/quit")
    assert console.wait() == 0
    assert [text for _, text in lines_in(path.with_name("chat.db.1"))][-1] == "before"
    assert "after" in [text for _, text in lines_in(path)]


def test_a_log_has_everything_in_lines_of_text(
    start_console: StartConsole, connect: Connect, tmp_path: Path
) -> None:
    log = tmp_path / "chat.log"
    console = start_console("--log", str(log), "--rate", "0")
    ann, bob = connect(console.port), connect(console.port)
    ann.send("/nick Ann\n" + "\n".join(f"line {each}" for each in range(1000)))
    bob.wait_for(": line 999\n")
    assert "What is said here is recorded.\n" in bob.text
    pid = console.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    wait_until(lambda: "line 999" in log.read_text())
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 10, before[1]))
    console.type("/kick Ann be polite")
    console.errors.wait_for("The log is not written: ")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    console.errors.wait_for("The log is written again: ")
    log.rename(tmp_path / "chat.log.1")
    console.signal(signal.SIGTERM)
    assert console.wait() == 0
    lines = [line[26:] for line in (tmp_path / "chat.log.1").read_text().splitlines()]
    assert [line for line in lines if " line " in line] == [f"  Ann: line {each}" for each in range(1000)]
    assert lines[-1] == "- Ann left (kicked: be polite)"
    assert log.read_text()[26:].splitlines()[-1].endswith("* The server has stopped (SIGTERM)")


def test_a_kill_takes_no_line_from_the_log_that_was_said_before(
    start_console: StartConsole, connect: Connect, tmp_path: Path
) -> None:
    log = tmp_path / "chat-{date}.log"
    console = start_console("--log", str(log))
    ann = connect(console.port)
    ann.send("before the end")
    wait_until(lambda: any("before the end" in each.read_text() for each in tmp_path.iterdir()))
    console.signal(signal.SIGKILL)
    assert console.wait() == -signal.SIGKILL


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--history-days", "3"], "--history-days needs --history FILE, the file to record in"),
        (["--history-private"], "--history-private needs --history FILE, the file to record in"),
        (["--history", ""], "a file needs a name"),
        (["--history", "none/chat.db"], "cannot open none/chat.db: No such file or directory"),
        (["--history", "text"], "text is no database"),
        (["--history", "link"], "link is a symbolic link; name the file itself"),
        (["--log", "none/chat.log"], "cannot open none/chat.log: No such file or directory"),
        (["--log", "."], "is not a regular file"),
        (["--replay", "1001"], "--replay must be a whole number from 0 to 1000, not 1001"),
        (["--history", "chat.db", "--history-days", "-1"], "must be a whole number from 0 to 36500"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    start: StartProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("a text")
    Path("link").symlink_to("chat.db")
    program = start(*PROGRAM, "--plain", "--port", "0", *options)
    assert program.wait() == 2
    (line,) = program.errors.lines
    assert line.startswith("chat-console: ")
    assert problem in line


def test_a_file_is_for_one_server(start_console: StartConsole, start: StartProgram, path: Path) -> None:
    console = start_console("--history", str(path))
    assert console.port
    second = start(*PROGRAM, "--plain", "--port", "0", "--history", str(path))
    assert second.wait() == 2
    assert second.errors.text == (
        f"chat-console: {path} is in use by another chat-console; end that one, or name another file with "
        "--history\n"
    )


def test_what_records_is_not_imported_where_nothing_is_recorded(start: StartProgram) -> None:
    # Not sqlite3 itself: what measures the coverage of the tests has it.
    code = (
        "import sys, chat_console.app.cli as cli; cli.main(['--plain', '--port', '0']); "
        "sys.stderr.write(str('chat_console.server.history.database' in sys.modules))"
    )
    program = start(PROGRAM[0], "-c", code)
    program.type("/quit")
    assert program.wait() == 0
    assert program.errors.read_to_end() == "False"
