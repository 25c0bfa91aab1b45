"""Nodes against a log that misbehaves, in simulated time: for each seed a minute of people and of faults.

To see some seeds again, from one to before another: `PYTHONPATH=tests python -m support.simulation 123 124`.
"""

from __future__ import annotations

import gc
import itertools
import random
import sys
from collections import Counter

from chat_console.server.cluster import donor, membership
from chat_console.server.cluster.news import Alone
from chat_console.server.room.events import LeaveReason
from chat_console.server.settings import Settings

from .cluster import Node, SharedLog, World

GENTLE = ("drop", "block", "freeze", "stop", "restart")
"""Faults that lose nothing of the log, and keep nobody from it for as long as it takes to go on alone."""

FAULTS = (*GENTLE, "drop", "block", "tail", "other", "trim", "crash", "goodbye")
NICKNAMES = ("Ann", "ann", "Bob", "Cid", "Dan", "Eve")


class Simulation:
    """Two to four nodes, what their people do, and what goes wrong."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.is_gentle = seed % 3 == 0
        self.hold = 20.0 if self.is_gentle else 5.0
        self.settings = Settings(shared_nicks=seed % 5 == 4)
        self.world = World()
        self.log = SharedLog(self.world)
        self.nodes: list[Node] = []
        self.crashed: list[Node] = []
        self.users: dict[Node, list[int]] = {}
        self.listeners: dict[Node, int] = {}
        self.said: dict[int, tuple[Node, float]] = {}
        self.texts = itertools.count()
        self.epoch = 0
        """How often the log has lost something."""
        self.seen: dict[object, tuple[str, list[tuple[int, str]]]] = {}
        self.trace: list[str] = []
        self.is_over = False
        for number in range(2 + seed % 3):
            self.add(f"n{number}")

    def add(self, name: str) -> None:
        node = Node(self.log, name, self.chance, self.settings, self.hold)
        node.link.read_to = lambda position: self.look(node, position)
        self.nodes.append(node)
        self.users[node] = []
        self.listeners[node] = node.join()
        self.world.after(self.chance.uniform(0, 1), node.link.connect)

    def look(self, node: Node, position: int) -> None:
        """Nodes that are in at one position with one basis have equal rosters."""
        site = node.site
        if node.is_in and not (site.is_alone or site.has_ended):
            key = (self.log.birth, self.epoch, site.state.basis, position, self.log.get(position))
            own = node.name, node.members
            name, members = self.seen.setdefault(key, own)
            assert members == own[1], f"at {position} {name} has {members}, {node.name} {own[1]}"

    # What goes on

    def run(self, seconds: float) -> None:
        self.keep()
        self.act()
        self.world.after(5, self.fail)
        self.world.run(seconds)
        self.is_over = True
        self.log.is_up = True
        for node in self.nodes:
            node.link.is_blocked = False
        self.world.run(12)
        for _ in range(60):
            if self.is_right():
                break
            self.world.run(1)

    def is_right(self) -> bool:
        return all(node.is_in and not node.site.is_alone for node in self.nodes)

    def keep(self) -> None:
        """Whoever is not connected tries again."""
        for node in self.nodes:
            node.link.connect()
        self.world.after(0.25, self.keep)

    def act(self) -> None:
        if self.is_over:
            return
        self.world.after(self.chance.expovariate(15), self.act)
        node = self.chance.choice(self.nodes)
        if node.loop.is_frozen:
            return
        users, what = self.users[node], self.chance.random()
        if what < 0.12 and len(users) < 6:
            users.append(node.join())
        elif what < 0.15:
            self.operate(node)
        elif users:
            user = self.chance.choice(users)
            if node.receivers[user].finished:
                users.remove(user)
            elif what < 0.2:
                node.send(user, f"/nick {self.chance.choice(NICKNAMES)}")
            elif what < 0.25:
                users.remove(user)
                node.send(user, "/quit", "never said")
            elif what < 0.28:
                users.remove(user)
                node.leave(user, self.chance.choice((LeaveReason.LOST, LeaveReason.END_OF_INPUT)))
            elif what < 0.33:
                node.send(user, f"/msg {self.chance.choice(NICKNAMES)} psst", "/list")
            elif what < 0.36:
                node.send(user, "/list", "/nick -", "/foo")
            else:
                text = next(self.texts)
                self.said[text] = node, self.world.now
                node.send(user, f"t{text}")

    def operate(self, node: Node) -> None:
        name = self.chance.choice(NICKNAMES)
        line = self.chance.choice(
            ("/msg {} psst", "/mute {} 2s", "/unmute {}", "/ban 192.0.2.1 9s", "hello", "/kick {}")
        )
        if not (self.is_gentle and "kick" in line):  # who is kicked may have said something before that
            node.operator.operate(line.format(name))

    def fail(self) -> None:
        if self.is_over:
            return
        chance, world = self.chance, self.world
        what, node = chance.choice(GENTLE if self.is_gentle else FAULTS), chance.choice(self.nodes)
        seconds = chance.choice((0.2, 1, 3) if self.is_gentle else (0.2, 1, 3, 6, 8))
        self.trace.append(f"{world.now - 1000:.2f} {what} {node.name} {seconds}")
        match what:
            case "drop":
                node.link.disconnect()
            case "block":
                node.link.disconnect()
                node.link.is_blocked = True
                world.after(seconds, lambda: setattr(node.link, "is_blocked", False))
            case "freeze" if not node.loop.is_frozen:
                node.loop.is_frozen = True
                world.after(seconds, node.loop.thaw)
            case "stop" | "restart" | "tail" | "other" if self.log.is_up:
                self.stop_log(what, seconds)
            case "trim":
                count = max(0, len(self.log.entries) - chance.choice((1, 5, 50)))
                self.log.offset += count
                del self.log.entries[:count]
            case "crash" | "goodbye" if len(self.nodes) > 2 and chance.random() < 0.4:
                if what == "goodbye":
                    node.replica.say_goodbye(lambda: None)
                    world.run(chance.uniform(0, 0.1))
                self.crash(node)
            case _:
                pass
        world.after(chance.uniform(0.5, 9), self.fail)

    def stop_log(self, what: str, seconds: float) -> None:
        self.log.is_up = False
        for node in self.nodes:
            node.link.disconnect()
        if what == "tail" and self.log.entries:
            del self.log.entries[-self.chance.choice((1, 3, 20)) :]
            self.epoch += 1
        if what == "other":
            self.log.entries.clear()
            self.log.offset = 0
            self.log.birth += 1
            self.epoch += 1
        self.world.after(seconds, lambda: setattr(self.log, "is_up", True))

    def crash(self, node: Node) -> None:
        node.loop.is_dead = True
        node.link.is_connected = False
        node.link.generation += 1
        self.nodes.remove(node)
        self.log.links.remove(node.link)
        self.crashed.append(node)
        self.add(node.name if self.chance.random() < 0.5 else f"{node.name}x")

    # What must hold in the end

    def check(self) -> None:
        for node in self.nodes:
            assert node.is_in and not node.site.is_alone, f"{node.name} is {node.site.phase}"
            assert not node.errors, node.errors
            assert not node.wrong, node.wrong
            assert node.members == self.nodes[0].members, "the lists differ"
            assert node.believed == dict(node.members), f"{node.name} shows others than are here"
        members = self.nodes[0].chat.room.roster.members
        here = {
            user
            for node in self.nodes
            for user in (self.listeners[node], *self.users[node])
            if not node.receivers[user].finished
        }
        assert {member.id for member in members} == here, "the list is not of those who are connected"
        names = Counter(member.nickname.lower() for member in members if member.nickname)
        if not self.settings.shared_nicks:
            assert not [name for name, count in names.items() if count > 1], "a name is borne twice"
        mutes = [[(one.muted_at, one.lines) for one in node.chat.room.roster.members] for node in self.nodes]
        assert all(each == mutes[0] for each in mutes), "mutes or counts differ"
        assert not [member.name for member in members if member.muted], "a mute of two seconds does not end"
        self.check_what_was_heard()

    def check_what_was_heard(self) -> None:
        heard = {node: self.heard_by(node) for node in [*self.nodes, *self.crashed]}
        for node, texts in heard.items():
            twice = [text for text, count in Counter(texts).items() if count > 1]
            assert not twice, f"{node.name} heard {twice} twice"
            own = [text for text in texts if self.said[text][0] is node]
            assert own == sorted(own), f"{node.name} heard its own lines out of order"
        if not self.epoch:
            for one, other in itertools.combinations(heard.values(), 2):
                place = {text: at for at, text in enumerate(one)}
                common = [place[text] for text in other if text in place]
                assert common == sorted(common), "two nodes heard lines in another order"
        if self.is_gentle:
            assert not [news for node in self.nodes for news in node.news if isinstance(news, Alone)]
            said = [text for text, (_, at) in self.said.items() if at > 1004.5]
            for node in self.nodes:
                lost = sorted({*said} - {*heard[node]} - self.unheard)
                assert not lost, f"{node.name} never heard {lost}"

    def heard_by(self, node: Node) -> list[int]:
        lines = node.seen(self.listeners[node])
        return [int(line.rpartition(": t")[2]) for line in lines if ": t" in line]

    @property
    def unheard(self) -> set[int]:
        """What was said by somebody who was muted or out of the room already."""
        return {
            int(text[1:])
            for node in self.nodes
            for event in node.events
            for text in getattr(event, "texts", ())
            if type(event).__name__ == "Silenced"
        }


def simulate(first: int, end: int, seconds: float = 60.0) -> None:
    """Run seeds and check what must hold; say how to see one again where something does not."""
    rows = donor.MAX_ROWS
    # Statements and states are to take several chunks, though there are few people.
    donor.MAX_ROWS = membership.MAX_ROWS = 3
    gc.disable()  # next to nothing becomes garbage before a seed is over, and then all of it
    try:
        for seed in range(first, end):
            _simulate(seed, seconds)
            gc.collect(0)
    finally:
        gc.enable()
        donor.MAX_ROWS = membership.MAX_ROWS = rows


def _simulate(seed: int, seconds: float) -> None:
    simulation = Simulation(seed)
    try:
        simulation.run(seconds)
        simulation.check()
    except Exception as error:
        again = f"PYTHONPATH=tests python -m support.simulation {seed} {seed + 1}"
        error.add_note("\n".join([again, *simulation.trace]))
        raise


if __name__ == "__main__":
    simulate(*map(int, sys.argv[1:]))
