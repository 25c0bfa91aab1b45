"""What the parts of one node's replica share."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Protocol

from ..addresses import Network
from ..room.entries import Ban, Entry, Kick, Lines, Mute, Unmute
from ..room.events import Event, Left, Muted
from ..room.room import BanList, Room
from ..timing import Loop
from .log import Log
from .news import News
from .operations import number_of, process_of
from .outgoing import Outgoing
from .shown import Nowhere, Shown, Watch
from .state import State, members_of, row_of, seat_all
from .wire import BanRow, Row, digest_of

_ABOUT_OTHERS = (Kick, Mute, Unmute, Ban)
"""Entries that may be about members of any node."""


class Bans(BanList, Protocol):
    """The bans in force."""

    def all(self) -> Sequence[tuple[Network, float | None]]:
        """Each banned network with the seconds left; None = until lifted."""
        ...


class Phase(enum.Enum):
    """How far a node is in."""

    ASKING = enum.auto()
    """It does not know the state of the room, and asks for it."""
    STATING = enum.auto()
    """It knows the state, and has stated who its own members are; that has not come back yet."""
    IN = enum.auto()
    """All nodes that are in count it among them."""


class Local:
    """A client of this node."""

    __slots__ = ("has_joined", "is_leaving", "pending", "place", "position")

    def __init__(self) -> None:
        self.has_joined = False
        self.is_leaving = False
        """Whether nothing more is taken of it."""
        self.pending = 0
        """How many of its inputs wait for their turn."""
        self.position = self.place = 0
        """Where in the log it joined."""


class Site:
    """One node: who it is, and its copy of the room.

    Args:
        room: the room that clients and consoles of this node see.
        bans: the bans in force here.
        log: the log of all nodes.
        loop: provides timers and the monotonic clock.
        now: the wall clock, in seconds since the epoch.
        name: the node's name.
        process: tells this start of the node from all others; below `untrusted.PROCESSES`.
        tell: takes the news for the operator.
        failed: takes the error of an entry that could not be applied.
    """

    def __init__(
        self,
        *,
        room: Room,
        bans: Bans,
        log: Log,
        loop: Loop,
        now: Callable[[], float],
        name: str,
        process: int,
        tell: Callable[[News], object],
        failed: Callable[[Exception], object],
    ) -> None:
        self.room = room
        self.bans = bans
        self.log = log
        self.loop = loop
        self.now = now
        self.name = name
        self.process = process
        self.tell = tell
        self.failed = failed
        self.digest = digest_of(room.settings)
        self.shared_nicks = room.settings.shared_nicks
        self.phase = Phase.ASKING
        self.phase_since = loop.time()
        """Since when it has not been in, by the loop's clock."""
        self.is_open = False
        """Whether the log can be read and written."""
        self.is_alone = False
        """Whether it goes on without the others."""
        self.has_ended = False
        self.is_retired = False
        """Whether it is alone for good: another start of it has taken its place, or the others differ."""
        self.term = 1
        self.counter = 0
        """How many entries it has made in this term."""
        self.state = State(roster=room.roster, is_told=True)
        self.heard: dict[int, int] = {}
        """The last batch of each process that was done here."""
        self.locals: dict[int, Local] = {}
        self.outgoing = Outgoing()
        self.shown = Shown(process, room.is_crowd_with, room.fanout, room.sink, loop.time)
        self._unheard = Room(Nowhere(), Watch(None, self._was_not_told), bans, room.settings)
        room.sink = Watch(room.sink, self._was_told)
        self._heard = Room(room.fanout, room.sink, bans, room.settings)
        self._heard.replay = room.replay
        self._heard.tally = room.tally

    @property
    def is_out(self) -> bool:
        """Whether the log does not concern it any more."""
        return self.has_ended or self.is_retired

    @property
    def own_rows(self) -> Sequence[Row]:
        """This node's members, as it states them."""
        found = [
            (member, self.locals[number_of(member.id)])
            for member in members_of(self.room.roster, self.process)
        ]
        return [row_of(member, local.position, local.place) for member, local in found]

    @property
    def ban_rows(self) -> Sequence[BanRow]:
        """The bans in force here."""
        return [BanRow(network, seconds) for network, seconds in self.bans.all()]

    @property
    def others(self) -> int:
        """How many members of other nodes are here."""
        return len(self.state.roster) - len(self.state.members_of(self.process))

    def apply(self, entry: Entry, *, is_heard: bool = True) -> None:
        """Apply `entry` to the state; people here hear of it if `is_heard`, and if they do of the state."""
        is_told = is_heard and self.state.is_told
        if is_told and isinstance(entry, _ABOUT_OTHERS):
            for process in self.state.nodes:
                self.shown.settle(process, self.state.roster, entry.time)
        room = self._heard if is_told else self._unheard
        room.roster = self.state.roster
        try:
            room.apply(entry)
        except Exception as error:  # one that fails must not hold up the others
            self.failed(error)

    def answer(self, entry: Lines) -> None:
        """Apply `entry`, which changes nothing, to the room that people here see."""
        try:
            self.room.answer(entry)
        except Exception as error:
            self.failed(error)

    def seat(self, process: int, rows: Sequence[Row]) -> None:
        """Add the members of a node to the state."""
        seat_all(self.state.roster, process, rows, shared_nicks=self.shared_nicks)

    def show(self, state: State) -> None:
        """Let clients and consoles here see `state`."""
        self.state = state
        state.is_told = True
        self.room.roster = state.roster

    def _was_told(self, event: Event) -> None:
        if isinstance(event, Left):
            self._forget(event.member_id)

    def _was_not_told(self, event: Event) -> None:
        if self.state.is_told:
            self.shown.unheard(event)
        # Before this node is in, what is done to its members is undone by its statement.
        if isinstance(event, Left) and self.phase is Phase.IN:
            self._forget(event.member_id)
            self.room.fanout.close(event.member_id)
        elif isinstance(event, Muted) and process_of(event.member_id) == self.process:
            self.room.sink.emit(event)  # it runs for another time now, and the timer is here

    def _forget(self, member_id: int) -> None:
        if process_of(member_id) == self.process:
            self.locals.pop(number_of(member_id), None)
