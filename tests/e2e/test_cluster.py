"""Nodes of a cluster as real programs, with a real engine between them and real `nc` on each."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.nats_engine import Engine
from support.programs import PROGRAM, Client, PlainConsole
from support.reference_session import hold_the_session
from support.waiting import BOUND

from .conftest import Connect, StartConsole, StartProgram

StartNode = Callable[..., PlainConsole]
StartTwo = Callable[[], tuple[PlainConsole, PlainConsole]]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A running engine of the test's own."""
    engine = Engine(tmp_path / "engine")
    asyncio.run(engine.start())
    yield engine
    engine.stop()


@pytest.fixture
def start_node(engine: Engine, start_console: StartConsole) -> StartNode:
    """Starts a node: `start_node("paris", "--room", "class")`."""

    def start_node(name: str, *options: str) -> PlainConsole:
        return start_console("--cluster", engine.url, "--node", name, *options)

    return start_node


@pytest.fixture
def start_two(start_node: StartNode) -> StartTwo:
    """Starts the nodes paris and rome, and waits until both are in."""

    def start_two() -> tuple[PlainConsole, PlainConsole]:
        paris, rome = start_node("paris"), start_node("rome")
        wait_for_nodes(paris, rome)
        return paris, rome

    return start_two


def wait_for_nodes(*nodes: PlainConsole) -> None:
    """Wait until each of them listens: then it is in."""
    for node in nodes:
        assert node.port


def listed(client: Client, name: str) -> list[str]:
    """What `/list` answers to `client`, whose user has taken `name`, which is told to end the list."""
    before = len(client.lines)
    client.send("/list")
    client.send(f"/nick {name}")
    client.wait_until(lambda: f"You are now {name}" in client.lines[before:])
    lines = client.lines[before:]
    return [line for line in lines if " as " in line or line == "No other users connected"]


def test_the_reference_transcripts_hold_with_each_user_on_a_node_of_its_own(
    start_node: StartNode, start: StartProgram
) -> None:
    nodes = [start_node(name) for name in ("paris", "rome", "lyon", "oslo")]
    wait_for_nodes(*nodes)
    hold_the_session(nodes[0], [node.port for node in nodes[1:]], start)


class TestTwoNodes:
    def test_give_a_name_that_two_claim_at_once_to_one_of_them(
        self, start_node: StartNode, connect: Connect
    ) -> None:
        paris, rome = start_node("paris", "--rate", "0"), start_node("rome", "--rate", "0")
        wait_for_nodes(paris, rome)
        ann, bob = connect(paris.port), connect(rome.port)
        ann.wait_for(f"Welcome {bob.address} ")
        for number in range(20):
            for client in (ann, bob):
                client.send(f"/nick name{number}")
            answers = (f"You are now name{number}\n", f"Nickname name{number} is already in use\n")
            for client in (ann, bob):
                client.wait_for_match("|".join(map(re.escape, answers)))
            assert sum(answers[0] in client.text for client in (ann, bob)) == 1

    def test_kick_mute_and_ban_users_of_each_other(self, start_two: StartTwo, connect: Connect) -> None:
        paris, rome = start_two()
        ann, bob = connect(paris.port), connect(rome.port, source="127.0.0.2")
        bob.send("/nick Bob")
        ann.wait_for("is now Bob\n")
        paris.type("/mute Bob")
        bob.wait_for("You are muted\n")
        paris.type("/unmute Bob")
        bob.wait_for("You are no longer muted\n")
        paris.type("/kick Bob")
        assert bob.read_to_end().endswith("You have left the server\n")
        ann.wait_for("Bob has left the server.\n")
        paris.output.wait_for("Kicked 1 people.\n")
        bob = connect(rome.port, source="127.0.0.2")
        paris.output.wait_for(f"Welcome {bob.address} ")
        paris.type("/ban 127.0.0.2 1h")
        command = paris.output.wait_for_match(r"to ban it anyway, type: (.*)\n")[1]
        paris.type(command)
        paris.output.wait_for("Repeat the command to confirm.\n")
        paris.type(command)
        assert bob.read_to_end().endswith("You have left the server\n")
        with socket.create_connection(("127.0.0.1", rome.port), BOUND, ("127.0.0.2", 0)) as refused:
            assert refused.makefile().read() == "You are banned from this server\n"
        rome.type("/bans")
        rome.output.wait_for("127.0.0.2 for ")

    def test_have_operators_who_hear_each_other(self, start_two: StartTwo, connect: Connect) -> None:
        paris, rome = start_two()
        ann = connect(paris.port)
        rome.output.wait_for(f"Welcome {ann.address} ")
        rome.type("good evening")
        ann.wait_for("Operator: good evening\n")
        paris.output.wait_for("Operator: good evening\n")
        ann.send("/msg Operator hello")
        for node in (paris, rome):
            node.output.wait_for(f"{ann.address}(private): hello \n")
        assert "Operator: good evening" not in rome.output.text

    def test_record_what_each_shows_and_replay_what_was_said_on_the_other(
        self, start_node: StartNode, connect: Connect, start: StartProgram, tmp_path: Path
    ) -> None:
        files = {name: str(tmp_path / f"{name}.db") for name in ("paris", "rome")}
        paris, rome = [start_node(name, "--history", file, "--replay", "5") for name, file in files.items()]
        wait_for_nodes(paris, rome)
        ann = connect(paris.port)
        rome.output.wait_for(f"Welcome {ann.address} ")
        ann.send("hello")
        rome.output.wait_for(f"{ann.address}: hello\n")
        bob = connect(rome.port)
        bob.wait_for(f"] {ann.address}: hello\n")
        for node in (paris, rome):
            node.signal(signal.SIGTERM)
        for node in (paris, rome):
            assert node.wait() == 0
        for file in files.values():
            exported = start(*PROGRAM, "history", file)
            assert f"  {ann.address}: hello\n" in exported.output.read_to_end()

    def test_of_two_rooms_hear_nothing_of_each_other(self, start_node: StartNode, connect: Connect) -> None:
        paris, rome = start_node("paris", "--room", "one"), start_node("rome", "--room", "two")
        ann, bob = connect(paris.port), connect(rome.port)
        assert listed(ann, "Ann") == ["No other users connected"]
        assert listed(bob, "Ann") == ["No other users connected"]


class TestTheEngine:
    def test_may_be_started_anew_in_the_middle_of_a_conversation(
        self, start_two: StartTwo, connect: Connect, engine: Engine
    ) -> None:
        paris, rome = start_two()
        ann, bob = connect(paris.port), connect(rome.port)
        ann.wait_for(f"Welcome {bob.address} ")
        bob.send("one")
        ann.wait_for(": one\n")
        engine.stop(signal.SIGKILL)
        bob.send("two")
        ann.send("three")
        asyncio.run(engine.start())
        ann.wait_for(": two\n")
        bob.wait_for(": three\n")
        bob.send("four")
        ann.wait_for(": four\n")
        told = f"{bob.address}: "
        said = [line.removeprefix(told) for line in ann.lines if line.startswith(told)]
        assert said == ["one", "two", "four"]
        assert not any("left" in line or "Cut off" in line for line in (*ann.lines, *bob.lines))
        assert listed(ann, "Ann") == [f"{bob.address} as {bob.address}"]
        paris.errors.wait_for("The log was lost (it is another log): all nodes state anew who is here.\n")

    def test_that_is_away_leaves_each_node_with_its_own_users_until_it_is_back(
        self, start_node: StartNode, connect: Connect, engine: Engine
    ) -> None:
        paris = start_node("paris", "--cluster-hold", "1")
        rome = start_node("rome", "--cluster-hold", "1")
        ann, bob = connect(paris.port), connect(rome.port)
        ann.wait_for(f"Welcome {bob.address} ")
        engine.pause()
        ann.send("is anybody there?")
        for client in (ann, bob):
            client.wait_for(
                "Cut off from 1 other user: only those on this server read you until the link is back.\n"
            )
        paris.errors.wait_for("Cut off from 1 other user")
        engine.resume()
        for client in (ann, bob):
            client.wait_for("The link is back: 1 other user is here.\n")
        ann.send("and now?")
        bob.wait_for(": and now?\n")
        assert "is anybody there?" not in bob.text
        assert listed(ann, "Ann") == [f"{bob.address} as {bob.address}"]


def test_a_node_that_is_killed_loses_its_users_on_the_others_and_they_return_with_it(
    start_node: StartNode, start_two: StartTwo, connect: Connect
) -> None:
    paris, rome = start_two()
    ann, bob = connect(paris.port), connect(rome.port)
    ann.wait_for(f"Welcome {bob.address} ")
    rome.signal(signal.SIGKILL)
    rome.wait()
    ann.wait_for(f"{bob.address} has left the server.\n")
    paris.errors.wait_for("Node rome is gone, with 1 user: nothing was heard of it.\n")
    rome = start_node("rome")
    bob = connect(rome.port)
    ann.wait_for(f"Welcome {bob.address} ")
    rome.signal(signal.SIGTERM)
    ann.wait_for(f"{bob.address} has left the server.\n")
    paris.errors.wait_for("Node rome is gone, with 1 user: it said goodbye.\n")
    assert rome.wait() == 0


class TestStart:
    """What keeps a node from starting is one line that says what to do, and exit code 2."""

    def refused(self, start: StartProgram, *options: str) -> str:
        """What it says."""
        begun = time.monotonic()
        node = start(*PROGRAM, "--plain", "--port", "0", *options)
        assert node.process.wait(2 * BOUND) == 2
        assert time.monotonic() - begun < BOUND
        assert node.output.read_to_end() == ""
        (line,) = node.errors.read_to_end().splitlines()
        return line.removeprefix("chat-console: ")

    def test_needs_an_engine_that_answers(self, start: StartProgram, engine: Engine) -> None:
        engine.pause()
        assert self.refused(start, "--cluster", engine.url) == (
            f"cannot reach the engine at {engine.address}: no answer; start nats-server -js there, "
            "or name another with --cluster"
        )

    def test_needs_jetstream(self, start: StartProgram, tmp_path: Path) -> None:
        engine = Engine(tmp_path / "plain", jetstream=None)
        asyncio.run(engine.start())
        try:
            assert self.refused(start, "--cluster", engine.url) == (
                "the engine has no JetStream for this login: start nats-server with -js, or enable it"
            )
        finally:
            engine.stop()

    def test_needs_the_right_login(self, start: StartProgram, tmp_path: Path) -> None:
        engine = Engine(tmp_path / "closed", "authorization { user: paris, password: secret }")
        asyncio.run(engine.start())
        try:
            url = f"nats://paris:guess@{engine.address}"
            assert self.refused(start, "--cluster", url, "--node", "paris") == (
                "the engine refuses the login of paris: check user and password, "
                "or the file of --cluster-creds"
            )
        finally:
            engine.stop()

    def test_needs_the_settings_of_the_others(
        self, start: StartProgram, start_node: StartNode, engine: Engine
    ) -> None:
        wait_for_nodes(start_node("paris"))
        assert self.refused(start, "--cluster", engine.url, "--node", "rome", "--shared-nicks") == (
            "The other nodes run another version, or have other settings: give all the same --shared-nicks."
        )


def test_two_nodes_of_one_name_are_told_and_the_first_goes_on_alone(
    start_node: StartNode, connect: Connect
) -> None:
    first = start_node("paris")
    ann = connect(first.port)
    second = start_node("paris")
    wait_for_nodes(second)
    first.errors.wait_for(
        "Another node named paris has taken this one's place: give each a --node of its own.\n"
    )
    ann.send("hello")
    first.output.wait_for(": hello\n")
