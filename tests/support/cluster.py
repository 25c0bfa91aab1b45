"""Nodes of a cluster in simulated time: real rooms and outboxes, and a log that misbehaves."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from operator import attrgetter
from typing import Self

from chat_console.server.addresses import Address, pack
from chat_console.server.chat import Chat
from chat_console.server.cluster import wire
from chat_console.server.cluster.news import News
from chat_console.server.cluster.operations import Operation, encode
from chat_console.server.cluster.replica import Replica
from chat_console.server.cluster.site import Phase, Site
from chat_console.server.cluster.untrusted import PROCESSES
from chat_console.server.room.entries import Leave, Lines
from chat_console.server.room.events import Event, Joined, LeaveReason, Left, Renamed
from chat_console.server.settings import Settings
from chat_console.server.timing import Timer

from .recording import Receiver, at_once

Call = Callable[[], object]

_ID_AND_NAME = attrgetter("id", "name")


class World:
    """Time, and what happens in it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._alarms: list[tuple[float, int, Call]] = []
        self._soon: deque[Call] = deque()
        self._numbers = itertools.count()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.run(seconds)

    def soon(self, call: Call) -> None:
        """Make `call` as soon as what is happening is over."""
        self._soon.append(call)

    def at(self, time: float, call: Call) -> None:
        heapq.heappush(self._alarms, (time, next(self._numbers), call))

    def after(self, seconds: float, call: Call) -> None:
        heapq.heappush(self._alarms, (self.now + seconds, next(self._numbers), call))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        alarms, soon = self._alarms, self._soon
        while True:
            while soon:
                soon.popleft()()
            if not alarms or alarms[0][0] > until:
                break
            time, _, call = heapq.heappop(alarms)
            if time > self.now:
                self.now = time
            call()
        self.now = until


class Alarm:
    """A call that is still to come, and waits while its loop is frozen."""

    __slots__ = ("_loop", "call")

    def __init__(self, loop: NodeLoop, call: Call) -> None:
        self._loop = loop
        self.call: Call | None = call

    def cancel(self) -> None:
        self.call = None

    def ring(self) -> None:
        if self.call is None or self._loop.is_dead:
            return
        if self._loop.is_frozen:
            self._loop.waiting.append(self)
        else:
            self.call()


class NodeLoop:
    """The event loop of one node, which may be frozen or dead."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.is_frozen = False
        self.is_dead = False
        self.waiting: list[Alarm] = []

    def time(self) -> float:
        return self.world.now

    def call_soon(self, call: Call) -> None:
        self.world.soon(Alarm(self, call).ring)

    def call_later(self, seconds: float, call: Call) -> Timer:
        alarm = Alarm(self, call)
        self.world.after(seconds, alarm.ring)
        return alarm

    def thaw(self) -> None:
        self.is_frozen = False
        waiting, self.waiting = self.waiting, []
        for alarm in waiting:
            alarm.ring()


class SharedLog:
    """The log of all nodes. It may be down, lose its end or its beginning, or be another one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.entries: list[tuple[float, str, bytes]] = []
        self.offset = 0
        """How many entries have been trimmed."""
        self.birth = 1
        self.is_up = True
        self.links: list[Link] = []

    @property
    def last(self) -> int:
        return self.offset + len(self.entries)

    def put(self, node: str, data: bytes) -> None:
        if self.is_up:
            self.entries.append((self.world.now, node, data))
            for link in self.links:
                link.wake()

    def get(self, position: int) -> tuple[float, str, bytes] | None:
        return self.entries[position - self.offset - 1] if self.offset < position <= self.last else None


class Link:
    """A node's connection to the log: a `Log`, and what feeds the `Reader`."""

    def __init__(self, log: SharedLog, name: str, loop: NodeLoop, chance: random.Random) -> None:
        self.log = log
        self.name = name
        self.loop = loop
        self.world = log.world
        self.chance = chance
        self.is_exact = False
        """Whether nothing comes late, twice or not at all while it is connected."""
        self.is_connected = self.is_blocked = self.is_attached = self._is_reading = False
        self.generation = 0
        self.cursor = 0
        self.last: tuple[int, bytes] | None = None
        self._birth = 0
        self._sendable_at = 0.0
        self.replica: Replica | None = None
        self.process = 0
        self.read_to: Callable[[int], object] = lambda position: None
        log.links.append(self)

    # What the replica calls

    def append(self, data: bytes) -> None:
        if self.is_connected:
            generation = self.generation
            self._sendable_at = max(self._sendable_at, self.world.now + self.chance.uniform(0.0002, 0.004))
            self.world.at(self._sendable_at, lambda: self._arrive(data, generation))

    def _arrive(self, data: bytes, generation: int) -> None:
        if generation != self.generation:  # sent over a connection that is gone
            if self.chance.random() < 0.5:
                self._put_after(3, data)
            return
        self.log.put(self.name, data)
        if not self.is_exact and self.chance.random() < 0.01:
            self._put_after(2, data)

    def _put_after(self, most: float, data: bytes) -> None:
        self.world.after(self.chance.uniform(0, most), lambda: self.log.put(self.name, data))

    def send(self, node: str, process: int, data: bytes) -> None:
        for link in self.log.links:
            if (link.name, link.process) == (node, process) and link.is_connected and self.is_connected:
                if self.is_exact or self.chance.random() > 0.03:
                    self.world.after(self.chance.uniform(0.001, 0.05), lambda link=link: link.receive(data))

    def receive(self, data: bytes) -> None:
        assert self.replica is not None
        replica = self.replica
        self.loop.call_soon(lambda: replica.received(data))

    # What the network does

    def connect(self) -> None:
        if not (self.is_connected or self.is_blocked or self.loop.is_dead) and self.log.is_up:
            self.is_connected, self.is_attached = True, False
            self.generation += 1
            generation = self.generation
            self.loop.call_later(self.chance.uniform(0.001, 0.3), lambda: self._attach(generation))

    def _attach(self, generation: int) -> None:
        if generation != self.generation or not self.is_connected:
            return
        assert self.replica is not None
        if self.last is not None:
            found = self.log.get(self.last[0])
            if self._birth != self.log.birth or found is None or found[2] != self.last[1]:
                self.last = None
                self.replica.lost("it is another log")
        self._birth = self.log.birth
        self.cursor = max(self.log.offset, self.log.last - 1) if self.last is None else self.last[0]
        self.is_attached = True
        self.replica.opened()
        self.wake()

    def disconnect(self) -> None:
        if self.is_connected:
            self.is_connected = False
            self.generation += 1
            assert self.replica is not None
            replica = self.replica
            self.loop.call_soon(lambda: replica.closed("the connection is gone"))

    def wake(self) -> None:
        if not self._is_reading and self.is_connected and self.is_attached and self._birth == self.log.birth:
            self._is_reading = True
            generation = self.generation
            self.loop.call_later(self.chance.uniform(0.0002, 0.004), lambda: self._read(generation))

    def _read(self, generation: int) -> None:
        self._is_reading = False
        assert self.replica is not None
        if generation != self.generation or not self.is_connected or self._birth != self.log.birth:
            return
        log = self.log
        for _ in range(self.chance.choice((1, 3, 50))):
            index = self.cursor - log.offset
            if index >= len(log.entries):
                return
            if index < 0:  # trimmed under its feet
                self.last = None
                self.replica.lost("it has been trimmed")
                self.cursor = max(log.offset, log.last - 1)
                continue
            self.cursor += 1
            time, node, data = log.entries[index]
            self.last = self.cursor, data
            self.replica.entry(self.cursor, time, node, data)
            self.read_to(self.cursor)
        if self.cursor < log.last:
            self.wake()


class Node:
    """A node: its chat, its copy of the room, and its clients."""

    def __init__(
        self,
        log: SharedLog,
        name: str,
        chance: random.Random,
        settings: Settings | None = None,
        hold: float = 10.0,
        process: int = 0,
    ) -> None:
        self.name = name
        self.loop = NodeLoop(log.world)
        self.link = Link(log, name, self.loop, chance)
        self.process = self.link.process = process or chance.randrange(1, PROCESSES)
        self.news: list[News] = []
        self.errors: list[Exception] = []
        self.chat = Chat(
            settings or Settings(),
            self.loop,
            at_once,
            order=lambda chat: self._replica(chat, hold),
            now=lambda: log.world.now + 1e9,
            ids_from=self.process << 32,
        )
        self.link.replica = self.replica
        self.numbers = itertools.count(1)
        self.receivers: dict[int, Receiver] = {}
        self.events: list[Event] = []
        self.wrong: list[str] = []
        """What it has told that cannot be."""
        self.believed: dict[int, str] = {}
        """The names of all who are here, as a console knows them."""
        self.operator = self.chat.operator(self._told, lambda: None)

    def _replica(self, chat: Chat, hold: float) -> Replica:
        self.site = Site(
            room=chat.room,
            bans=chat.bans,
            log=self.link,
            loop=self.loop,
            now=chat.now,
            name=self.name,
            process=self.process,
            tell=self.news.append,
            failed=self.errors.append,
        )
        self.replica = Replica(self.site, hold)
        return self.replica

    def _told(self, event: Event) -> None:
        self.events.append(event)
        match event:
            case Joined(member_id=id_, address=address):
                self._expect(id_, None, event)
                self.believed[id_] = str(address)
            case Renamed(member_id=id_, old=old, new=new):
                self._expect(id_, old, event)
                self.believed[id_] = new
            case Left(member_id=id_, name=name):
                self._expect(id_, name, event)
                self.believed.pop(id_, None)
            case _:
                pass

    def _expect(self, id_: int, name: str | None, event: Event) -> None:
        """Who tells of a member what does not follow from what was told before is wrong."""
        if self.believed.get(id_) != name:
            self.wrong.append(f"{self.name} tells {event}, where {self.believed.get(id_)} was believed")

    # Its clients

    def join(self, address: str | None = None) -> int:
        """One more client; return its id."""
        number = next(self.numbers)
        id_ = (self.process << 32) + number
        host, _, port = (address or f"10.0.{number >> 8}.{number & 255}|{4000 + number}").rpartition("|")
        self.receivers[id_] = Receiver()
        self.chat.join(id_, Address(host, int(port)), self.receivers[id_])
        return id_

    def send(self, id_: int, *lines: str) -> None:
        self.chat.submit(Lines(self.chat.now(), id_, lines))

    def leave(self, id_: int, reason: LeaveReason = LeaveReason.LOST) -> None:
        self.chat.submit(Leave(self.chat.now(), (id_,), reason))

    def seen(self, id_: int) -> list[str]:
        """The lines that a client has got so far."""
        return self.receivers[id_].data.decode().split("\n")[:-1]

    # Its room

    @property
    def is_in(self) -> bool:
        return self.site.phase is Phase.IN

    @property
    def members(self) -> list[tuple[int, str]]:
        return [*map(_ID_AND_NAME, self.chat.room.roster.members)]

    @property
    def names(self) -> list[str]:
        return [name for _, name in self.members]


class Bench:
    """One node, Paris, and a log in the hands of the test."""

    def __init__(self, settings: Settings | None = None, hold: float = 10.0) -> None:
        self.world = World()
        self.node = Node(SharedLog(self.world), "paris", random.Random(1), settings, hold, process=50)
        self.replica, self.site = self.node.replica, self.node.site
        self.sent: list[bytes] = []
        """What it has put into the log that has not come back yet."""
        self.posted: list[tuple[str, int, wire.State | wire.Next]] = []
        """What it has sent to others past the log."""
        self.position = 100
        self.node.link.append = self.sent.append  # type: ignore[method-assign]
        self.node.link.send = self._post  # type: ignore[method-assign]

    def _post(self, node: str, process: int, data: bytes) -> None:
        self.posted.append((node, process, wire.decode_sent(data)))

    @property
    def time(self) -> float:
        """The log's clock."""
        return self.world.now + 1e9

    @property
    def news(self) -> list[News]:
        """What its operator is told of the cluster, and has not been looked at."""
        news, self.node.news[:] = self.node.news.copy(), []
        return news

    def pending(self) -> list[wire.Batch | wire.Ask | wire.Found | wire.Roster]:
        """What it has put into the log that has not come back."""
        return [wire.decode(data) for data in self.sent]

    def put(self, node: str, entry: wire.Batch | wire.Ask | wire.Found | wire.Roster | bytes) -> int:
        """An entry comes to be in the log; return where."""
        self.position += 1
        data = entry if isinstance(entry, bytes) else wire.encode(entry)
        self.replica.entry(self.position, self.time, node, data)
        self.turn()
        return self.position

    def turn(self, seconds: float = 0.0) -> None:
        """Let what is due happen, or time pass."""
        self.world.run(seconds)

    def back(self) -> None:
        """All that the node has put into the log comes back, and what it puts there meanwhile."""
        self.turn()
        for _ in range(100):
            if not self.sent:
                return
            self.put("paris", self.sent.pop(0))
            self.turn(0.003)
        raise AssertionError("it never comes to rest")

    def enter(self) -> Self:
        """Let the node be the first that is in."""
        self.replica.opened()
        self.back()
        assert self.node.is_in
        return self

    def client(self, name: str = "") -> int:
        """One more client, of this name, who is in the room; return its id."""
        id_ = self.node.join()
        if name:
            self.node.send(id_, f"/nick {name}")
        self.back()
        return id_

    def new_lines(self, id_: int) -> list[str]:
        """What a client has got since one last looked."""
        self.turn()
        lines = self.node.seen(id_)
        self.node.receivers[id_].data.clear()
        return lines


class Other:
    """Another node, as its entries in the log of a `Bench` let it appear."""

    def __init__(self, bench: Bench, name: str = "rome", process: int = 60) -> None:
        self.bench = bench
        self.name = name
        self.process = process
        self.term = 1
        self.counter = 0
        self.batches = 0

    def id(self, number: int) -> int:
        """The id of its member with that number."""
        return (self.process << 32) + number

    def row(self, number: int, nickname: str | None = None) -> wire.Row:
        """One of its members, as it states it."""
        address = pack(Address("192.0.2.1", 4000 + number))
        return wire.Row(number, 0, 0, 0, address, nickname, None, None)

    def ask(self, attempt: int = 1) -> int:
        """Ask for the state; return where."""
        ask = wire.Ask(self.process, self.term, attempt, self.bench.site.digest, self.name)
        return self.bench.put(self.name, ask)

    def roster(self, *rows: wire.Row, index: int = 0, is_last: bool = True) -> wire.Roster:
        """State who its members are."""
        site = self.bench.site
        return wire.Roster(
            *(self.process, self.term, site.state.basis, site.digest, 1, index, is_last, self.name, rows)
        )

    def state(self, *rows: wire.Row) -> int:
        """State who its members are, in one chunk; return where."""
        self.counter = 1
        return self.bench.put(self.name, self.roster(*rows))

    def enter(self, *names: str) -> Self:
        """Come in, with members of these names."""
        self.ask()
        self.state(*(self.row(number, name) for number, name in enumerate(names, 1)))
        return self

    def batch(self, *operations: Operation, number: int = 0) -> wire.Batch:
        """The next batch, with the next number if none is given."""
        self.counter += 1
        self.batches = number or self.batches + 1
        return wire.Batch(
            self.process, self.term, self.counter, self.batches, b"".join(map(encode, operations))
        )

    def do(self, *operations: Operation, number: int = 0) -> int:
        """Do `operations` on all nodes; return where."""
        return self.bench.put(self.name, self.batch(*operations, number=number))

    def say(self, number: int, *lines: str) -> int:
        """Let one of its members say something."""
        return self.do(Lines(0.0, self.id(number), lines))
