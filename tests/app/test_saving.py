"""Saving the log: whole or not at all, for its owner alone, over nothing, and not on the loop."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chat_console.app.saving import CannotSave, Saved, Saver, farewell, saved_lines
from chat_console.widgets.entry import Entry, Kind

NOW = 1_795_820_640.0
"""2026-11-27 23:04:00 UTC."""

SAID = Entry(NOW, Kind.CHAT, "Ann", "hello", 1)
JOINS = tuple(Entry(NOW - 60, Kind.JOIN, "", f"{name} joined", 1) for name in ("uwe", "vera"))
ENTRIES = (
    Entry(NOW, Kind.JOIN, "", "2 joined: uwe, vera", None, JOINS),
    SAID,
    Entry(NOW, Kind.FOLD, "", "2 more like it in 1 s", 1, (SAID, SAID)),
)
LINES = [
    "2026-11-27 23:03:00 + uwe joined",
    "2026-11-27 23:03:00 + vera joined",
    *["2026-11-27 23:04:00   Ann: hello"] * 3,
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory, in UTC."""
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield tmp_path
    time.tzset()


async def save(file: str = "", entries: tuple[Entry, ...] = ENTRIES) -> Saved:
    return await Saver().save(entries, file, now=NOW)


async def refusal(file: str = "") -> str:
    with pytest.raises(CannotSave) as caught:
        await save(file)
    return str(caught.value)


def failing(number: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# What is written


async def test_the_log_is_saved_with_dates_in_full_and_all_that_is_folded(folder: Path) -> None:
    saved = await save("class.log")
    assert saved == Saved(folder / "class.log", 5)
    assert saved.path.read_text("utf-8").splitlines() == LINES
    assert saved.told == f"5 lines saved in {folder}/class.log"


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (Entry(NOW, Kind.PRIVATE, "Ann", "psst"), "2026-11-27 23:04:00 » Ann: psst"),
        (Entry(NOW, Kind.SILENCED, "Ann", "hey"), "2026-11-27 23:04:00 ⊘ Ann: hey"),
        (Entry(NOW, Kind.RULE, "", "Friday 27 November"), "2026-11-27 23:04:00 ─ Friday 27 November"),
        (Entry(NOW, Kind.CHAT, "A\x1b[2J", "x\ny\u202e\x9b1m"), "2026-11-27 23:04:00   A: xy"),
        (Entry(NOW, Kind.CHAT, "Ann", "你好 ✓"), "2026-11-27 23:04:00   Ann: 你好 ✓"),
    ],
)
async def test_a_line_has_the_mark_and_the_sender_and_nothing_that_moves_a_terminal(
    entry: Entry, line: str
) -> None:
    assert (await save("x", (entry,))).path.read_text("utf-8") == f"{line}\n"


async def test_what_cannot_be_encoded_is_replaced(folder: Path) -> None:
    (line,) = saved_lines([Entry(NOW, Kind.CHAT, "Ann", "a\udcffb")])
    await save("x", (Entry(NOW, Kind.CHAT, "Ann", "a\udcffb"),))
    assert (folder / "x").read_bytes() == f"{line}\n".encode("utf-8", "replace")


async def test_ten_thousand_lines_are_all_there() -> None:
    saved = await save("x", (SAID,) * 10_000)
    assert (saved.lines, saved.path.read_text("utf-8").count("\n")) == (10_000, 10_000)


async def test_an_empty_log_is_an_empty_file() -> None:
    saved = await save("x", ())
    assert (saved.told.split()[:2], saved.path.read_bytes()) == (["0", "lines"], b"")


async def test_only_its_owner_can_read_it(folder: Path) -> None:
    old = os.umask(0)
    try:
        await save("x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((folder / "x").stat().st_mode) == 0o600


# Under which name


async def test_without_a_name_it_gets_one_with_the_date_and_then_a_number(folder: Path) -> None:
    assert [(await save()).path for _ in range(3)] == [
        folder / "chat-2026-11-27-2304.log",
        folder / "chat-2026-11-27-2304-2.log",
        folder / "chat-2026-11-27-2304-3.log",
    ]


async def test_a_directory_gets_such_a_file_too(folder: Path) -> None:
    (folder / "logs").mkdir()
    assert (await save("logs")).path == folder / "logs" / "chat-2026-11-27-2304.log"


async def test_the_home_directory_may_be_written_as_a_tilde(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert (await save("~/x")).path == folder / "x"
    assert (await save("~nobody-of-that-name")).path == folder / "~nobody-of-that-name"


async def test_two_at_once_get_two_files() -> None:
    saver = Saver()
    saved = await asyncio.gather(*(saver.save(ENTRIES, now=NOW) for _ in range(2)))
    assert len({each.path for each in saved}) == 2


# What goes wrong


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("nowhere")])
async def test_nothing_is_overwritten(folder: Path, make: Callable[[Path], object]) -> None:
    make(folder / "class.log")
    assert await refusal("class.log") == f"{folder}/class.log is there already: nothing was saved"
    assert names(folder) == ["class.log"]


async def test_not_even_what_appears_while_it_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: (folder / "class.log").write_text("somebody else's"))
    assert "is there already" in await refusal("class.log")
    assert (folder / "class.log").read_text() == "somebody else's"
    assert names(folder) == ["class.log"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
async def test_a_full_disk_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "fsync", failing(number))
    why = os.strerror(number)
    assert await refusal("x") == f"cannot save in {folder}/x: {why[0].lower()}{why[1:]}"
    assert names(folder) == []


async def test_without_hard_links_the_same_holds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    for name in ("chat-2026-11-27-2304.log", "chat-2026-11-27-2304-2.log"):
        assert (await save()).path.name == name
        assert (folder / name).read_text("utf-8").splitlines() == LINES
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    monkeypatch.setattr(os, "replace", failing(errno.EIO))
    assert "nput/output error" in await refusal("x")
    assert names(folder) == ["chat-2026-11-27-2304-2.log", "chat-2026-11-27-2304.log"]


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("no/such/x", "cannot save in {}/no/such/x: no such file or directory"),
        ("a\0b", "that cannot be the name of a file"),
        ("x" * 300, "cannot save in {}/" + "x" * 300 + ": file name too long"),
    ],
)
async def test_why_it_cannot_be_saved_is_told_in_plain_words(folder: Path, file: str, why: str) -> None:
    assert await refusal(file) == why.format(folder)
    assert names(folder) == []


async def test_somebody_else_s_bug_is_told_and_hangs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(os, "fsync", fail)
    assert "KeyError" in await refusal("x")


# Beside the chat


async def test_it_is_written_by_another_thread() -> None:
    writers: list[threading.Thread] = []

    class Watched(tuple[Entry, ...]):
        def __iter__(self) -> Iterator[Entry]:
            writers.append(threading.current_thread())
            return super().__iter__()

    await save("x", Watched(ENTRIES))
    assert writers
    assert threading.current_thread() not in writers


async def test_who_gives_up_waiting_harms_nothing(folder: Path) -> None:
    saver = Saver()
    waiting = asyncio.ensure_future(saver.save(ENTRIES, "x", now=NOW))
    await asyncio.sleep(0)
    waiting.cancel()
    assert (await saver.save(ENTRIES, "y", now=NOW)).path == folder / "y"
    assert names(folder) == ["x", "y"]


# The end


@pytest.mark.parametrize(
    ("seconds", "users", "lines", "text"),
    [
        (22 * 60 + 5, 31, 412, "22 min, 31 users, 412 lines"),
        (3.9, 1, 1, "3 s, 1 user, 1 line"),
        (3 * 3600 + 125, 0, 12_345, "3 h 2 min, 0 users, 12,345 lines"),
    ],
)
def test_what_remains_on_the_terminal(seconds: float, users: int, lines: int, text: str) -> None:
    assert farewell(seconds, users, lines) == text
