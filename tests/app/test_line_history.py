"""What was typed, kept in a file: for its owner alone, shared by consoles, and never in the chat's way."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import BOUND, until

from chat_console.app import line_history
from chat_console.app.line_history import LineHistory
from chat_console.widgets.past_lines import LIMIT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "chat-console" / "line-history"


class Kept:
    """A history in a file, and what it complains of."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.complaints: list[str] = []
        self.history = LineHistory(self.complaints.append, file)

    @property
    def text(self) -> str:
        """What is in the file."""
        return self.file.read_text("utf-8")

    @property
    def mode(self) -> int:
        return stat.S_IMODE(self.file.stat().st_mode)

    def write(self, text: str | bytes) -> None:
        """Write the file as something else would."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(text.encode() if isinstance(text, str) else text)

    async def keep(self, *lines: str) -> None:
        for line in lines:
            self.history.append(line)
        await self.history.close()


@pytest.fixture
def kept(file: Path) -> Kept:
    return Kept(file)


class TestKeeping:
    async def test_what_was_typed_is_there_the_next_time(self, kept: Kept, file: Path) -> None:
        assert kept.history.load() == []
        await kept.keep("hello", "/msg Ann psst", "Grüße 漢字")
        assert Kept(file).history.load() == ["hello", "/msg Ann psst", "Grüße 漢字"]
        assert kept.text == "hello\n/msg Ann psst\nGrüße 漢字\n"

    async def test_the_lines_come_on_the_loop_when_they_have_been_read(self, kept: Kept, file: Path) -> None:
        await kept.keep("hello")
        lines: list[list[str]] = []
        Kept(file).history.recall(lines.append)
        assert lines == []
        await until(lambda: lines)
        assert lines == [["hello"]]

    async def test_they_are_for_their_owner_alone(self, kept: Kept, file: Path) -> None:
        await kept.keep("secret")
        assert kept.mode == 0o600
        assert stat.S_IMODE(os.stat(file.parent).st_mode) == 0o700
        os.chmod(file, 0o644)
        await kept.keep("another")
        assert kept.mode == 0o600

    async def test_blank_lines_are_not_kept_and_each_line_stays_one(self, kept: Kept) -> None:
        await kept.keep("", "   ", "one\ntwo\x1b[31m", " three ")
        assert kept.history.load() == ["onetwo", "three"]

    async def test_only_the_newest_are_given_and_the_file_does_not_grow_for_ever(
        self, kept: Kept, file: Path
    ) -> None:
        for start in range(0, 2 * LIMIT, 100):
            assert len(kept.history.load()) == min(start, LIMIT)
            await kept.keep(*map(str, range(start, start + 100)))
        assert kept.text.splitlines() == [str(number) for number in range(LIMIT, 2 * LIMIT)]
        assert kept.mode == 0o600
        assert os.listdir(file.parent) == ["line-history"]

    async def test_a_line_is_whole_however_little_the_disk_takes_at_once(
        self, kept: Kept, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = os.write
        monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))
        await kept.keep("hello, everybody")
        assert kept.text == "hello, everybody\n"

    async def test_of_a_huge_file_only_the_end_is_read(
        self, kept: Kept, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(line_history, "_MOST_READ", 20)
        kept.write("cut here: secret\nwhole\nlast\n")
        assert kept.history.load() == ["whole", "last"]

    async def test_what_somebody_has_written_into_the_file_is_cleaned(self, kept: Kept, file: Path) -> None:
        kept.write(b"\x1b]0;title\x07one\r\n\n\xff\nthree")
        assert kept.history.load() == ["one", "\ufffd", "three"]
        await kept.keep("four")  # not `threefour`: a full disk may have cut the last line
        assert kept.history.load() == ["one", "\ufffd", "three", "four"]

    async def test_a_symbolic_link_stays_one(self, kept: Kept, file: Path, tmp_path: Path) -> None:
        kept.write("")
        os.replace(file, tmp_path / "elsewhere")
        os.symlink(tmp_path / "elsewhere", file)
        kept.write("old\n" * 2 * LIMIT)
        kept.history.load()
        await kept.keep("last")
        assert os.readlink(file) == str(tmp_path / "elsewhere")
        assert len(kept.text.splitlines()) == LIMIT
        assert kept.text.endswith("\nlast\n")

    async def test_it_is_in_the_folder_for_the_state_of_programs(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        history = LineHistory(print)
        history.append("hello")
        await history.close()
        assert Kept(tmp_path / "chat-console" / "line-history").text == "hello\n"


TYPE_MANY = """
import asyncio, sys
from pathlib import Path
from chat_console.app.line_history import LineHistory

async def type_many(file, name):
    history = LineHistory(sys.exit, Path(file))
    history.load()
    for number in range(50):
        history.append(f"{name} {number}")
        await history.close()

asyncio.run(type_many(*sys.argv[1:]))
"""


def test_consoles_that_type_and_shorten_the_file_at_once_lose_no_line(kept: Kept, file: Path) -> None:
    kept.write("old\n" * (2 * LIMIT - 10))
    names = ["ann", "bob", "cid"]
    consoles = [subprocess.Popen([sys.executable, "-c", TYPE_MANY, str(file), name]) for name in names]
    assert [console.wait(BOUND) for console in consoles] == [0] * len(consoles)
    lines = kept.text.splitlines()
    assert len(lines) < 2 * LIMIT
    for name in names:
        assert [line for line in lines if line.startswith(name)] == [f"{name} {n}" for n in range(50)]


async def test_a_line_waits_while_another_console_has_the_file(
    kept: Kept, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.write("old\n")
    monkeypatch.setattr(line_history, "CLOSE_GRACE", 0.05)
    other = os.open(file, os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
    await kept.keep("mine")
    assert kept.text == "old\n"
    os.close(other)
    await until(lambda: kept.text == "old\nmine\n")
    await kept.history.close()


async def test_a_line_that_is_added_while_another_console_shortens_the_file_is_not_lost(
    kept: Kept, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is replaced between opening and locking it."""
    await kept.keep("old")
    flock = line_history.fcntl.flock
    late: list[str] = ["late"]

    def flock_late(*args: int) -> None:
        if late:
            Path(f"{file}.new").write_text(f"{late.pop()}\n")
            os.replace(f"{file}.new", file)
        flock(*args)

    monkeypatch.setattr(line_history.fcntl, "flock", flock_late)
    await kept.keep("mine")
    assert kept.text == "late\nmine\n"


class TestTrouble:
    @pytest.fixture(params=["no folder", "a FIFO", "a folder", "a full disk"])
    def trouble(
        self, request: pytest.FixtureRequest, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[str]:
        match request.param:
            case "no folder":
                file.parent.parent.write_text("a file in the place of a folder")
                yield "Not a directory"
            case "a FIFO":
                file.parent.mkdir(parents=True)
                os.mkfifo(file)
                yield "is no regular file"
            case "a folder":
                file.mkdir(parents=True)
                yield "Is a directory"
            case _:

                def full(*_: object) -> int:
                    raise OSError(errno.ENOSPC, "No space left on device")

                monkeypatch.setattr(line_history.os, "write", full)
                yield "No space left on device"

    async def test_is_told_once_and_stops_nothing(self, trouble: str, kept: Kept, file: Path) -> None:
        assert kept.history.load() == []
        for _ in range(3):
            await kept.keep("hello")
        assert kept.complaints == [
            f"What you type is not kept for the next time: {file}: {trouble} "
            "(--no-line-history never keeps it)"
        ]

    async def test_a_full_disk_costs_no_line_that_was_kept(
        self, kept: Kept, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept.write(before := "old\n" * (2 * LIMIT - 1))
        kept.history.load()

        def full(*_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(line_history.os, "replace", full)
        await kept.keep("last")
        assert kept.text == f"{before}last\n"
        assert os.listdir(file.parent) == ["line-history"]
        assert len(kept.complaints) == 1

    async def test_who_has_no_home_is_left_no_folder_in_the_current_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        kept = Kept(Path("~/.local/state/line-history"))
        assert kept.history.load() == []
        await kept.keep("hello")
        assert len(kept.complaints) == 1
        assert os.listdir(tmp_path) == []

    async def test_a_disk_that_hangs_delays_nothing_but_the_end_a_little(
        self, kept: Kept, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept.write("")
        hanging = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hang(*_: object) -> None:
            asyncio.run_coroutine_threadsafe(hanging.wait(), loop).result()

        monkeypatch.setattr(line_history.fcntl, "flock", hang)
        monkeypatch.setattr(line_history, "CLOSE_GRACE", 0.01)
        await kept.keep(*map(str, range(10 * LIMIT)))
        assert kept.text == ""
        hanging.set()
        await until(lambda: kept.text.endswith(f"\n{10 * LIMIT - 1}\n"))
        # The first was on its way; of those that had to wait no more than will ever be shown are there.
        await kept.keep("last")
        assert len(kept.text.splitlines()) == LIMIT + 2
        assert kept.complaints == []
