"""A room and its operator whose surroundings keep what happens: who got which lines, what the events were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from chat_console.server.gate.bans import Bans
from chat_console.server.gate.bans_file import BansFile
from chat_console.server.room.events import Event
from chat_console.server.room.listing import Page
from chat_console.server.room.operator import Operator
from chat_console.server.room.room import Member, Room
from chat_console.server.settings import Settings
from chat_console.server.wire.framing import Line

NOW = 1_700_000_000.0
"""What the room's wall clock shows, always."""


T = TypeVar("T")


def at_once(work: Callable[[], T], done: Callable[[T], object]) -> None:
    """What a server does aside, done on the spot."""
    done(work())


class Alarm:
    """A call that comes when the clock has reached `due`."""

    def __init__(self, due: float, call: Callable[[], object]) -> None:
        self.due = due
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """A monotonic clock that only the test moves, and the calls that wait for it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._alarms: list[Alarm] = []

    def __call__(self) -> float:
        return self.now

    @property
    def waiting(self) -> int:
        """How many calls are still to come."""
        return sum(not alarm.cancelled for alarm in self._alarms)

    def later(self, seconds: float, call: Callable[[], object]) -> Alarm:
        alarm = Alarm(self.now + seconds, call)
        self._alarms.append(alarm)
        return alarm

    def advance(self, seconds: float) -> None:
        """Let time pass, and make the calls that are due, the first first."""
        self.now += seconds
        due = [alarm for alarm in self._alarms if alarm.due <= self.now]
        self._alarms = [alarm for alarm in self._alarms if alarm.due > self.now]
        for alarm in sorted(due, key=lambda alarm: alarm.due):
            if not alarm.cancelled:
                alarm.call()


class RecordingFanout:
    """Keeps the lines of each member, in order, until it is closed."""

    def __init__(self) -> None:
        self.received: dict[Member, list[str]] = {}
        self.closed: list[Member] = []

    def add(self, member: Member) -> None:
        self.received[member] = []

    def to(self, member: Member, line: str | Sequence[Page]) -> None:
        if not isinstance(line, str):
            line = b"".join(page.encoded(crlf=False) for page in line).decode().removesuffix("\n")
        if member not in self.closed:
            self.received[member] += line.split("\n")

    def to_all(self, line: str, but: Member | None = None) -> None:
        for member in self.received:
            if member is not but:
                self.to(member, line)

    def close(self, member: Member) -> None:
        self.closed.append(member)

    def dismiss(self, members: Sequence[Member], line: str) -> None:
        for member in members:
            self.to(member, line)
            self.close(member)


class Scene:
    """A room with its operator, and what everybody in it has seen since one last looked."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        reload: Callable[[], None] | None = None,
        bans_file: Path | None = None,
    ) -> None:
        self.fanout = RecordingFanout()
        self.clock = Clock()
        self._events: list[Event] = []
        settings = settings or Settings()
        emit = self._events.append
        self.room = Room(self.fanout, emit, self._events.extend, lambda: NOW, self.clock.later, settings)
        file = bans_file and BansFile(bans_file)
        self.bans = Bans(file, self.clock, lambda: NOW, self._not_written, at_once)
        self.operator = Operator(self.room, self.fanout, self.bans, emit, lambda: NOW, reload, settings)
        self._ids = 0

    def _not_written(self, error: OSError) -> None:
        raise error

    def join(self, address: str | None = None) -> Member:
        """One more client, at an address of its own where none is given."""
        self._ids += 1
        host = f"10.0.{self._ids >> 8}.{self._ids & 255}"
        member = Member(self._ids, address or f"{host}|{4000 + self._ids}")
        self.fanout.add(member)
        self.room.join(member)
        return member

    def gather(self, *names: str) -> list[Member]:
        """One client for each name, which it bears; what was said meanwhile is forgotten."""
        members = [self.join() for _ in names]
        for member, name in zip(members, names, strict=True):
            self.send(member, f"/nick {name}")
        self.forget()
        return members

    def send(self, member: Member, *lines: Line) -> None:
        """Let `lines` of `member` arrive together."""
        self.room.receive(member, lines)

    def operate(self, *lines: Line) -> None:
        for line in lines:
            self.operator.operate(line)

    def seen(self) -> dict[Member, list[str]]:
        """The new lines of each member that got any."""
        seen = {member: lines for member, lines in self.fanout.received.items() if lines}
        self.fanout.received.update((member, []) for member in seen)
        return seen

    def told(self) -> list[Event]:
        """The new events."""
        told = self._events.copy()
        self._events.clear()
        return told

    def forget(self) -> None:
        """Look at nothing that has happened so far."""
        self.seen()
        self.told()
