"""A server that records what is said: what is in the file, and what people are told of it."""

# ruff: noqa: ASYNC240 - what the disk of a test holds up is the test alone

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path

import pytest
from support.chat_clients import open_chat
from support.recording import Scene
from support.records import is_sound, lines_in, rows_in
from support.waiting import BOUND, until

from chat_console.server.chat_server import ChatServer
from chat_console.server.history.place import HistoryError
from chat_console.server.room.events import Event, Recording, Stopped
from chat_console.server.settings import Settings
from chat_console.server.wire.listener import ListenError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


def texts(path: Path) -> list[str]:
    return [text for _, text in lines_in(path)]


async def test_what_is_public_is_recorded_and_what_is_private_is_not(path: Path) -> None:
    async with open_chat(history_file=path) as chat:
        server, operate = chat.server, chat.operator.operate
        ann, bob = await chat.gather("Ann", "Bob")
        ann.send("hello everybody", "/msg Operator a secret of Ann", "/msg Bob a secret of Ann")
        await bob.until("Ann(private): a secret of Ann ")
        operate("good evening")
        operate("/msg Ann a secret of the operator")
        operate("/mute Bob 10m insults")
        await ann.until("Operator (private): a secret of the operator ")
        bob.send("anybody?", "/quit")
        await bob.rest()
        operate("/kick Ann be polite")
        await ann.rest()
        server.stopping_because = "SIGTERM"
    assert [each.name for each in path.parent.iterdir()] == ["chat.db"]
    assert sorted(texts(path)[:5]) == sorted(
        [f"127.0.0.1|{server.port}", ann.address, bob.address, "Ann", "Bob"]
    )
    assert texts(path)[5:] == [
        "hello everybody",
        "good evening",
        "1\t600\tinsults",
        "QUIT",
        "KICKED\tbe polite",
        "SIGTERM",
    ]
    assert b"secret" not in path.read_bytes()
    assert is_sound(path)
    assert rows_in(path, "SELECT ended > started FROM run") == [(1,)]


async def test_private_lines_to_and_by_the_operator_are_recorded_if_that_is_asked_for(path: Path) -> None:
    async with open_chat(history_file=path, history_private=True) as chat:
        ann, bob = await chat.gather("Ann", "Bob")
        ann.send("/msg Operator to the operator", "/msg Bob between the two")
        await bob.until("Ann(private): between the two ")
        chat.operator.operate("/msg Ann by the operator")
        await ann.until("Operator (private): by the operator ")
    assert texts(path)[5:7] == ["to the operator", "Ann\tby the operator"]
    assert b"between the two" not in path.read_bytes()


NOTICES = [
    ({}, "What is said here is recorded."),
    ({"history_days": 1}, "What is said here is recorded and kept for 1 day."),
    ({"history_days": 30}, "What is said here is recorded and kept for 30 days."),
    (
        {"history_days": 30, "history_private": True},
        "What is said here is recorded and kept for 30 days, also what you say to the operator.",
    ),
]


@pytest.mark.parametrize(("settings", "notice"), NOTICES)
def test_whoever_joins_is_told_and_everybody_by_help(settings: dict[str, int], notice: str) -> None:
    scene = Scene(Settings(welcome="Be kind.", history_file=Path("chat.db"), **settings))  # type: ignore[arg-type]
    (ann,) = scene.gather("Ann")
    bob = scene.join()
    welcome = f"Welcome {bob.address} to the server!"
    assert scene.seen() == {ann: [welcome], bob: [welcome, "Be kind.", notice]}
    scene.send(bob, "/help")
    assert notice in scene.seen()[bob]


def test_without_a_history_nobody_is_told_anything() -> None:
    scene = Scene(Settings())
    bob = scene.join()
    scene.send(bob, "/help")
    assert not any("recorded" in line for line in scene.seen()[bob])


async def test_a_file_that_cannot_be_used_leaves_nothing_open(path: Path) -> None:
    path.write_text("a text")
    server = ChatServer(Settings(port=0, history_file=path))
    with pytest.raises(HistoryError, match=r"is no database$"):
        await server.start()
    path.unlink()
    async with server:
        assert server.port


async def test_a_port_that_is_in_use_leaves_the_file_free(path: Path) -> None:
    async with ChatServer(Settings(port=0)) as first:
        server = ChatServer(Settings(port=first.port, history_file=path))
        with pytest.raises(ListenError):
            await server.start()
    async with server:
        with pytest.raises(HistoryError, match=r"is in use by another chat-console"):
            await ChatServer(Settings(port=0, history_file=path)).start()


async def test_what_is_amiss_with_the_file_is_told_to_everybody(path: Path) -> None:
    told: list[Event] = []
    async with ChatServer(Settings(port=0, history_file=path)) as server:
        server.subscribe(told.append)
        operator = server.operator()
        path.unlink()
        operator.operate("hello")
        await until(lambda: any(isinstance(event, Recording) for event in told))
        await until(lambda: texts(path)[-1:] == ["hello"])
    assert server.not_recorded == ""


async def test_what_could_not_be_recorded_is_told_in_the_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ChatServer(Settings(port=0, history_file=path))
    await server.start()
    path.unlink()
    path.mkdir()
    server.operator().operate("hello")
    recorder = server._recorder  # pyright: ignore[reportPrivateUsage] - not to wait for 5 s
    assert recorder is not None
    monkeypatch.setattr(recorder, "close", partial(recorder.close, 0.05))
    await server.stop()
    assert server.not_recorded == "The history is not complete: 3 lines could not be written."


async def test_a_stop_that_waits_for_the_disk_ends_at_once_with_abort(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ChatServer(Settings(port=0, history_file=path))
    await server.start()
    path.unlink()
    path.mkdir()
    server.operator().operate("hello")
    recorder = server._recorder  # pyright: ignore[reportPrivateUsage] - to wait for longer than the test
    assert recorder is not None
    monkeypatch.setattr(recorder, "close", partial(recorder.close, 10 * BOUND))
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    server.abort()
    async with asyncio.timeout(BOUND):
        await stopping
    assert server.not_recorded == "The history is not complete: 3 lines could not be written."


async def test_what_is_said_before_the_start_reaches_nobody_and_is_not_recorded(path: Path) -> None:
    server = ChatServer(Settings(port=0, history_file=path))
    server.operator().say("is anybody here?")
    async with server:
        server.operator().say("hello")
    assert "hello" in texts(path)
    assert "is anybody here?" not in texts(path)


async def test_the_end_of_a_server_is_told() -> None:
    told: list[Event] = []
    async with ChatServer(Settings(port=0)) as server:
        server.subscribe(told.append)
    assert [event for event in told if isinstance(event, Stopped)] == [told[-1]]


async def test_a_python_without_sqlite_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*sys.modules]:
        if name.startswith("chat_console.server.history.") and not name.endswith(".place"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    with pytest.raises(HistoryError, match=r"^this Python has no sqlite3 module, which --history needs$"):
        await ChatServer(Settings(port=0, history_file=path)).start()


async def test_a_subscriber_learns_which_line_of_the_history_an_event_is(path: Path) -> None:
    server = ChatServer(Settings(port=0, history_file=path))
    numbers: list[tuple[str, int]] = []
    assert server.recorded == range(0)
    server.operator(lambda event: numbers.append((type(event).__name__, server.number_of(event))))
    async with server:
        assert server.recorded == range(1, 2)
        operator = server.operator()
        operator.say("hello")
        operator.operate("/list")
        operator.say("again")
        assert server.number_of(Stopped(0)) == 0
    assert numbers[:4] == [("Started", 1), ("OperatorSaid", 2), ("OperatorSaid", 3), ("Stopped", 4)]
    async with ChatServer(Settings(port=0, history_file=path)) as server:
        assert server.recorded == range(5, 6)
    async with ChatServer(Settings(port=0)) as server:
        assert not server.recorded
