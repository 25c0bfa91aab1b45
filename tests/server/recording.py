"""A room whose surroundings keep what happens: who got which lines, and what the operator's side was told."""

from __future__ import annotations

from chat_console.server.events import Event
from chat_console.server.framing import TooLong
from chat_console.server.room import Member, Room
from chat_console.server.settings import Settings

NOW = 1_700_000_000.0
"""What the room's clock shows, always."""


class RecordingFanout:
    """Keeps the lines of each member, in order, until it is closed."""

    def __init__(self) -> None:
        self.received: dict[Member, list[str]] = {}
        self.closed: list[Member] = []

    def add(self, member: Member) -> None:
        self.received[member] = []

    def to(self, member: Member, line: str) -> None:
        if member not in self.closed:
            self.received[member] += line.split("\n")

    def to_all(self, line: str, but: Member | None = None) -> None:
        for member in self.received:
            if member is not but:
                self.to(member, line)

    def close(self, member: Member) -> None:
        self.closed.append(member)


class Scene:
    """A room, and what everybody in it has seen since one last looked."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.fanout = RecordingFanout()
        self._events: list[Event] = []
        self.room = Room(self.fanout, self._events.append, lambda: NOW, settings or Settings())
        self._ids = 0

    def join(self, address: str | None = None) -> Member:
        """One more client, at an address of its own where none is given."""
        self._ids += 1
        member = Member(self._ids, address or f"10.0.0.{self._ids}|{4000 + self._ids}")
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

    def send(self, member: Member, *lines: str | TooLong) -> None:
        """Let `lines` of `member` arrive together."""
        self.room.receive(member, lines)

    def operate(self, *lines: str | TooLong) -> None:
        for line in lines:
            self.room.operate(line)

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
