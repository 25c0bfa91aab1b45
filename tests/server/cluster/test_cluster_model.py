"""Three nodes and one log against the small model of a room: nobody can tell on which node anybody is."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import settings
from hypothesis.stateful import invariant
from support.cluster import Node, SharedLog, World
from support.room_model import Model, User

from chat_console.server.room.events import LeaveReason
from chat_console.server.room.member import Member
from chat_console.server.settings import Settings

SETTLED = 0.05
"""Seconds in which whatever is done at one node is done at all."""


class ThreeNodes:
    """A room on three nodes, seen as one: clients are at each in turn, the operator at the second."""

    def __init__(self, settings: Settings) -> None:
        self.loop = World()
        self.log = SharedLog(self.loop)
        chance = random.Random(1)
        self.nodes = [
            Node(self.log, f"n{process}", chance, settings, process=process) for process in (50, 70, 60)
        ]
        for node in self.nodes:
            node.link.is_exact = True
            node.link.connect()
            self.loop.run(3)
            assert node.is_in
        self.chat = self.nodes[0].chat
        self.room, self.bans = self.chat.room, self.chat.bans
        self.members: dict[int, Member] = {}

    def settle(self) -> None:
        self.loop.run(SETTLED)

    def home(self, member: Member) -> Node:
        return next(node for node in self.nodes if node.process == member.id >> 32)

    def join(self, address: str) -> Member:
        id_ = self.nodes[len(self.members) % 3].join(address)
        self.settle()
        member = self.room.roster.get(id_)
        assert member is not None
        self.members[id_] = member
        return member

    def send(self, member: Member, *lines: str) -> None:
        self.home(member).send(member.id, *lines)
        self.settle()

    def leave(self, member: Member, reason: LeaveReason) -> None:
        self.home(member).leave(member.id, LeaveReason.END_OF_INPUT)
        self.settle()

    def operate(self, *lines: str) -> None:
        for line in lines:
            self.nodes[1].operator.operate(line)
            self.settle()

    @property
    def present(self) -> list[Member]:
        return list(self.room.roster.members)

    def seen(self) -> dict[Member, list[str]]:
        self.settle()
        seen: dict[Member, list[str]] = {}
        for member in self.members.values():
            receiver = self.home(member).receivers[member.id]
            if receiver.data:
                lines = receiver.data.decode().removesuffix("\n").split("\n")
                # In the model no minute ever ends.
                seen[member] = [line for line in lines if not line.endswith(" are here.")]
                receiver.data.clear()
        return seen

    @property
    def closed(self) -> list[Member]:
        return [one for one in self.members.values() if self.home(one).receivers[one.id].finished]


class ClusteredModel(Model):
    def make(self, settings: Settings) -> Any:
        return ThreeNodes(settings)

    def find(self, target: str) -> list[User]:
        return sorted(super().find(target), key=lambda user: user.member.id)

    @invariant()
    def all_nodes_have_the_same_room(self) -> None:
        nodes: list[Node] = self.scene.nodes  # type: ignore[attr-defined]
        for node in nodes:
            assert (node.errors, node.wrong) == ([], [])
            assert node.believed == dict(node.members)
            assert [known(one) for one in node.chat.room.roster.members] == [
                known(one) for one in nodes[0].chat.room.roster.members
            ]
            assert [ban.network for ban in node.chat.bans.all()] == [
                ban.network for ban in nodes[0].chat.bans.all()
            ]

    def who_is_not_told_of_is_counted(self) -> None:
        """Here minutes end."""

    def only_mutes_that_will_end_and_the_minute_in_a_crowd_have_a_timer(self) -> None:
        """There are other timers here."""

    def teardown(self) -> None:
        """The log is that of the nodes."""


def known(member: Member) -> object:
    muted = member.muted_at, member.muted_until
    return member.id, member.address, member.nickname, muted, member.lines, member.has_spoken


TestClusteredModel = ClusteredModel.TestCase
TestClusteredModel.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
