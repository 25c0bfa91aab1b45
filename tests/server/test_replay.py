"""What was said last, for those who join: each line once, with its time, and nothing said in private."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from support.chat_clients import open_chat
from support.recording import NOW, Scene

from chat_console.server.replay import Replay
from chat_console.server.room.events import LeaveReason, Left, OperatorSaid, Said
from chat_console.server.room.names import is_name
from chat_console.server.settings import Settings

WHEN = time.strftime("[%Y-%m-%d %H:%M]", time.localtime(NOW))


def newcomer(scene: Scene) -> list[str]:
    """What somebody sees who joins now, behind its welcome."""
    scene.forget()
    member = scene.join()
    return scene.seen()[member][1:]


def test_a_newcomer_gets_the_last_lines_with_their_times() -> None:
    scene = Scene(Settings(replay=3, welcome="Be kind."))
    ann, bob = scene.gather("Ann", "Bob")
    assert newcomer(scene) == ["Be kind."]
    scene.send(ann, "one", "two", "/msg Bob psst", "/nick Anna")
    scene.send(bob, "three")
    scene.operator.operate("four")
    scene.leave(bob)
    assert newcomer(scene) == ["Be kind.", f"{WHEN} Ann: two", f"{WHEN} Bob: three", f"{WHEN} Operator: four"]


def test_what_a_muted_user_says_is_not_replayed() -> None:
    scene = Scene(Settings(replay=3))
    (ann,) = scene.gather("Ann")
    scene.operator.operate("/mute Ann")
    scene.send(ann, "can anybody hear me?")
    assert newcomer(scene) == []


def test_a_line_is_replayed_or_heard_and_never_both() -> None:
    scene = Scene(Settings(replay=10))
    (ann,) = scene.gather("Ann")
    # Many leavings are told in parts; what is said meanwhile must not be missing.
    scene.chat.emit_all([Left(NOW, 100 + number, "x", LeaveReason.LOST) for number in range(1000)])
    scene.send(ann, "before")
    bob = scene.join()
    scene.send(ann, "after")
    lines = [line for line in scene.seen()[bob] if "Ann: " in line]
    assert lines == [f"{WHEN} Ann: before", "Ann: after"]


def test_without_it_nothing_is_kept() -> None:
    scene = Scene()
    (ann,) = scene.gather("Ann")
    scene.send(ann, "one")
    assert newcomer(scene) == []
    assert scene.chat.replay is None


def test_the_text_is_bounded_and_the_newest_lines_stay() -> None:
    replay = Replay(1000, 500)
    for number in range(100):
        replay.watch(Said(NOW, 1, "Ann", (f"{number} {'漢' * 20}",)))
    lines = replay.text().split("\n")
    assert len(replay.text().encode()) <= 500
    assert [line.split()[3] for line in lines] == [str(number) for number in range(100 - len(lines), 100)]
    assert len(lines) > 3


def test_one_line_that_is_too_long_is_left_out() -> None:
    replay = Replay(10, 100)
    replay.watch(OperatorSaid(NOW, "Operator", "x" * 1000))
    assert replay.text() == ""


def test_the_text_is_made_once_for_all_who_join() -> None:
    replay = Replay(10, 1000)
    replay.watch(Said(NOW, 1, "Ann", ("one",)))
    assert replay.text() is replay.text()
    replay.watch(Said(NOW, 1, "Ann", ("two",)))
    assert replay.text().endswith("two")


@pytest.mark.parametrize("name", ["[2026-11-26", "[Ann]", "["])
def test_nobody_can_be_called_so_that_a_line_looks_like_one_of_these(name: str) -> None:
    assert not is_name(name)


async def test_a_restart_does_not_end_it(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    for word in ("one", "two"):
        async with open_chat(history_file=path, replay=3) as chat:
            (ann,) = await chat.gather("Ann")
            ann.send(f"{word} said")
            await chat.event(Said)
    async with open_chat(history_file=path, replay=3) as chat:
        bob = await chat.connect()
        chat.operator.operate("now")
        lines = await bob.until("Operator: now")
    shown = [re.sub(r"^\[[-0-9: ]{16}\]", "[when]", line) for line in lines]
    assert shown[1:] == [
        "What is said here is recorded.",
        "[when] Ann: one said",
        "[when] Ann: two said",
        "Operator: now",
    ]
