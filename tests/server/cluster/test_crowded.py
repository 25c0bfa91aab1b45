"""A crowd on several nodes: all of them decide alike who is told of, and count alike."""

from __future__ import annotations

import random

import pytest
from support.cluster import Bench, Node, SharedLog, World

from chat_console.server.settings import Settings

UP_TO = 3
MINUTE = 60.0


class Scene:
    """Nodes that are in, and room for more."""

    def __init__(self) -> None:
        self.world = World()
        self.log = SharedLog(self.world)
        self.nodes: list[Node] = []

    def start(self, process: int) -> Node:
        settings = Settings(notices_up_to=UP_TO)
        node = Node(self.log, f"n{process}", random.Random(process), settings, process=process)
        self.nodes.append(node)
        node.link.is_exact = True
        node.link.connect()
        self.world.run(3)
        assert node.is_in
        return node

    def join(self, node: Node, name: str) -> int:
        id_ = node.join()
        node.send(id_, f"/nick {name}")
        self.world.run(0.1)
        return id_

    def seen(self, node: Node, id_: int) -> list[str]:
        """What a client has got since one last looked."""
        lines = node.seen(id_)
        node.receivers[id_].data.clear()
        return lines


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    for process in (50, 60, 70):
        scene.start(process)
    return scene


def test_all_are_told_the_same_in_the_same_place(scene: Scene) -> None:
    watchers = [(node, scene.join(node, f"Watcher{node.process}")) for node in scene.nodes]
    speaker, chance = scene.join(scene.nodes[0], "Ann"), random.Random(1)
    scene.world.run(0.5)
    for watcher in watchers:
        scene.seen(*watcher)
    crowd: list[tuple[Node, int]] = []
    for number in range(300):
        scene.nodes[0].send(speaker, f"line {number}")
        if crowd and chance.random() < 0.5:
            node, id_ = crowd.pop()
            node.leave(id_)
        else:
            node = chance.choice(scene.nodes)
            crowd.append((node, node.join()))
        scene.world.run(chance.uniform(0.1, 1.1))
    lines, *others = [scene.seen(*watcher) for watcher in watchers]
    assert others == [lines, lines]
    minutes = [line for line in lines if not line.startswith("Ann: ")]
    assert len(minutes) in (3, 4)
    assert all(" users joined and " in line and line.endswith(" are here.") for line in minutes)


def test_the_minute_passes_in_silence_too_and_once(scene: Scene) -> None:
    watchers = [(node, scene.join(node, f"Watcher{node.process}")) for node in scene.nodes]
    scene.world.run(2 * MINUTE)
    for watcher in watchers:
        scene.seen(*watcher)
    scene.join(scene.nodes[1], "Ann")
    scene.world.run(2 * MINUTE)
    for watcher in watchers:
        assert scene.seen(*watcher) == ["1 users joined and 0 left; 4 are here."]
    assert all(node.chat.room.tally.is_empty for node in scene.nodes)
    assert not any(node.errors for node in scene.nodes)


@pytest.mark.parametrize("say", [True, False])
def test_a_node_that_comes_in_knows_who_has_spoken(scene: Scene, say: bool) -> None:
    first = scene.nodes[0]
    ann, _ = scene.join(first, "Ann"), scene.join(first, "Bob")
    scene.join(first, "Cid")
    if say:
        first.send(ann, "hello")
    newcomer = scene.start(80)
    watcher = scene.join(newcomer, "Dan")
    scene.seen(newcomer, watcher)
    first.leave(ann)
    scene.world.run(0.5)
    assert scene.seen(newcomer, watcher) == ["Ann has left the server."] * say


def test_those_who_were_counted_are_told_of_alone_too(scene: Scene) -> None:
    node = scene.nodes[0]
    watcher = scene.join(node, "Watcher")
    for other in scene.nodes:
        other.join()
    scene.world.run(0.5)
    scene.seen(node, watcher)
    node.link.is_blocked = True
    node.link.disconnect()
    node.send(watcher, "is anybody here?")
    scene.world.run(20 + MINUTE)
    told = scene.seen(node, watcher)
    assert told[-1].endswith(" users joined and 0 left; 2 are here.")


def test_what_is_answered_here_alone_ends_no_minute() -> None:
    bench = Bench(Settings(notices_up_to=1)).enter()
    ann, _ = bench.client(), bench.client()
    bench.new_lines(ann)
    bench.world.now += MINUTE
    bench.node.send(ann, "/list")
    (listed,) = bench.new_lines(ann)
    assert " as " in listed
    bench.back()
    assert bench.new_lines(ann) == ["1 users joined and 0 left; 2 are here."]


def test_in_a_crowd_those_of_a_node_that_comes_or_goes_are_one_line(scene: Scene) -> None:
    first, second, _ = scene.nodes
    watcher = scene.join(first, "Watcher")
    for _ in range(4):
        second.join()
    scene.world.run(0.5)
    scene.seen(first, watcher)
    second.replica.say_goodbye(lambda: None)
    scene.world.run(0.5)
    assert scene.seen(first, watcher) == ["4 users have left the server."]
