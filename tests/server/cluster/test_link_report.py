"""What the operator is told of the other nodes, and how often."""

from __future__ import annotations

import pytest
from support.recording import NOW, Loop

from chat_console.server.cluster.link_report import LinkReport
from chat_console.server.cluster.news import (
    Alone,
    Behind,
    Differs,
    EngineRefuses,
    Entered,
    Gone,
    Lost,
    News,
    NodeGone,
    NodeIn,
    Reachable,
    Refused,
    Replaced,
    Silent,
    Together,
    Unreachable,
    Works,
)
from chat_console.server.room.events import Linked


class Scene:
    def __init__(self) -> None:
        self.loop = Loop()
        self.events: list[Linked] = []
        self.report = LinkReport("paris", lambda: 3, self.events.append, lambda: NOW, self.loop)

    def told(self) -> list[str]:
        """What is new."""
        told = [event.text for event in self.events]
        assert all((event.time, event.nodes) == (NOW, 3) for event in self.events)
        self.events.clear()
        return told


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize(
    ("news", "text"),
    [
        (Entered(3, 214), "This node is in: 3 nodes, 214 users."),
        (Entered(1, 1), "This node is in: 1 node, 1 user."),
        (NodeIn("rome", 1214), "Node rome is in, with 1,214 users."),
        (
            NodeGone("rome", 1, Gone.SILENT),
            "Node rome is gone, with 1 user: nothing was heard of it.",
        ),
        (NodeGone("rome", 2, Gone.GOODBYE), "Node rome is gone, with 2 users: it said goodbye."),
        (NodeGone("rome", 0, Gone.REPLACED), "Node rome is gone, with 0 users: it was started anew."),
        (Silent(), "The link to the other nodes is silent: lines wait."),
        (Works(2.04), "The link works again after 2s."),
        (
            Alone(214),
            "Cut off from 214 other users: only those on this server read you until the link is back.",
        ),
        (Together(1), "The link is back: 1 other user is here."),
        (Lost("another stream"), "The log was lost (another stream): all nodes state anew who is here."),
        (
            Replaced(),
            "Another node named paris has taken this one's place: give each a --node of its own.",
        ),
        (
            Differs(),
            "The other nodes run another version, or have other settings: give all the same --shared-nicks.",
        ),
        (Refused("rome", "it is too long"), "Ignored 1 entry of node rome: it is too long."),
        (Refused("", "it ends too early"), "Ignored 1 entry sent to this node: it ends too early."),
        (EngineRefuses("maximum bytes exceeded"), "The engine refuses: maximum bytes exceeded."),
        (Behind(3.3), "This node is 3s behind the others."),
    ],
)
def test_each_news_has_its_sentence(scene: Scene, news: News, text: str) -> None:
    scene.report.take(news)
    assert scene.told() == [text]


def test_what_happens_over_and_over_is_told_once_a_minute(scene: Scene) -> None:
    for number in range(20):
        scene.report.take(Refused("rome", "it is too long"))
        scene.report.take(Behind(2.0 + number))
        scene.report.take(EngineRefuses("full"))
    assert len(scene.told()) == 3
    scene.loop.advance(60)
    assert scene.told() == [
        "Ignored 19 entries of node rome: it is too long.",
        "This node is 21s behind the others.",
        "The engine refuses: full.",
    ]


def test_trouble_lasts_until_the_link_works(scene: Scene) -> None:
    scene.report.take(NodeIn("rome", 1))
    scene.report.take(Silent())
    scene.report.take(NodeIn("lyon", 1))
    scene.report.take(Works(3))
    scene.report.take(Silent())
    scene.report.take(Alone(1))
    scene.report.take(Entered(3, 2))
    assert [event.trouble for event in scene.events] == [
        *("", "link silent", "link silent", ""),
        *("link silent", "cut off", ""),
    ]


class TestAnEngineOutOfReach:
    def test_is_told_once_a_second_has_passed(self, scene: Scene) -> None:
        scene.report.take(Unreachable("the connection was lost"))
        scene.loop.advance(0.5)
        scene.report.take(Unreachable("connection refused"))
        assert scene.told() == []
        scene.loop.advance(0.5)
        assert scene.told() == ["The engine cannot be reached: connection refused."]

    def test_is_not_told_if_it_is_back_before(self, scene: Scene) -> None:
        scene.report.take(Unreachable("the connection was lost"))
        scene.report.take(Reachable())
        scene.loop.advance(120)
        assert scene.told() == []

    def test_is_told_each_minute(self, scene: Scene) -> None:
        scene.report.take(Unreachable("connection refused"))
        scene.loop.advance(1)
        scene.report.take(Unreachable("no answer"))
        scene.told()
        scene.loop.advance(59)
        assert scene.told() == []
        scene.loop.advance(1)
        assert scene.told() == ["The engine cannot be reached: no answer."]
        scene.report.take(Reachable())
        scene.loop.advance(600)
        assert scene.told() == []


def test_the_end_tells_the_rest_and_reminds_of_nothing(scene: Scene) -> None:
    scene.report.take(Unreachable("no answer"))
    scene.report.take(EngineRefuses("full"))
    scene.report.take(EngineRefuses("full"))
    scene.report.close()
    assert scene.told() == ["The engine refuses: full."] * 2
    scene.report.take(NodeIn("rome", 1))
    scene.report.take(Unreachable("no answer"))
    scene.loop.advance(600)
    assert scene.told() == []
