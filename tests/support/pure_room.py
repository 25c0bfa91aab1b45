"""A room alone: its surroundings keep the items, the events and the bans as they come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from chat_console.server.addresses import Network
from chat_console.server.room.entries import Entry
from chat_console.server.room.events import Event
from chat_console.server.room.room import Item, Room
from chat_console.server.room.search import Search
from chat_console.server.settings import Settings


class PureRoom:
    """A room, and what it has made of the entries that were applied to it."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.items: dict[int, list[Item]] = {}
        """What each member got that was ever here, by id, until its connection was ended."""
        self.ended: list[int] = []
        """Whose connections have been ended."""
        self.events: list[Event] = []
        self.bans = Bans()
        self.room = Room(self, self, self.bans, settings or Settings())
        self.apply = self.room.apply

    def apply_all(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.apply(entry)

    # Where its items go

    def add(self, member_id: int) -> None:
        assert member_id not in self.items, "an id is never used again"
        self.items[member_id] = []

    def to(self, member_id: int, item: Item | Search) -> None:
        if isinstance(item, Search):
            for _ in item.steps():
                pass
            item = item.answer
        if member_id not in self.ended:
            self.items[member_id].append(item)

    def to_all(self, item: Item, but: Collection[int] = ()) -> None:
        for member_id in self.items:
            if member_id not in but:
                self.to(member_id, item)

    def close(self, member_id: int) -> None:
        self.ended.append(member_id)

    def dismiss(self, member_ids: Sequence[int], item: Item) -> None:
        for member_id in member_ids:
            self.to(member_id, item)
            self.close(member_id)

    # Where its events go

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def emit_all(self, events: Iterable[Event]) -> None:
        self.events += events


class Bans:
    """The bans that the room has made, all of them in force."""

    def __init__(self) -> None:
        self.seconds: dict[Network, float | None] = {}

    def add(self, networks: Sequence[Network], seconds: float | None) -> Sequence[Network]:
        replaced = [network for network in networks if network in self.seconds]
        self.seconds.update(dict.fromkeys(networks, seconds))
        return replaced

    def remove(self, network: Network) -> bool:
        if network not in self.seconds:
            return False
        del self.seconds[network]
        return True
