"""What people here believe of the members of other nodes, where that may differ from the roster.

A node that comes in anew states who its members are, and most often they are the same as before. So what
changes meanwhile is told later, once it is settled, and only if there is still a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from ..room.events import Event, Joined, LeaveReason, Left, Muted, Renamed
from ..room.member import Member
from ..room.room import Fanout, Sink
from ..room.roster import Roster
from . import notices
from .operations import process_of

PATIENCE = 3.0
"""How many seconds a node may take to come back before its members are said to have left."""

BULK = 20
"""More members than this that come or go at once are told in one line."""


class Watch:
    """Passes the room's events on, and has each of them seen first."""

    def __init__(self, sink: Sink | None, see: Callable[[Event], object]) -> None:
        self._sink = sink
        self._see = see

    def emit(self, event: Event) -> None:
        self._see(event)
        if self._sink is not None:
            self._sink.emit(event)

    def emit_all(self, events: Sequence[Event]) -> None:
        for event in events:
            self._see(event)
        if self._sink is not None:
            self._sink.emit_all(events)


class Nowhere:
    """A fan-out that reaches nobody."""

    def add(self, member_id: int) -> None: ...

    def to(self, member_id: int, item: object) -> None: ...

    def to_all(self, item: object, but: Collection[int] = ()) -> None: ...

    def close(self, member_id: int) -> None: ...

    def dismiss(self, member_ids: Sequence[int], item: object) -> None: ...


class Shown:
    """Tells people here of members of other nodes that come and go without an operation of their own.

    Args:
        own: the process of this node, whose members are never in doubt.
        is_crowded: whether so many are here, with so many more, that few are told of by name.
        fanout, sink: take what is told.
        clock: monotonic, in seconds.
    """

    def __init__(
        self,
        own: int,
        is_crowded: Callable[[int], bool],
        fanout: Fanout,
        sink: Sink,
        clock: Callable[[], float],
    ) -> None:
        self._own = own
        self._is_crowded = is_crowded
        self._fanout = fanout
        self._sink = sink
        self._clock = clock
        # The name under which each is believed to be here, None for one who is not, by process and id.
        self._unsettled: dict[int, dict[int, str | None]] = {}
        self._until: dict[int, float] = {}
        self.is_quiet = False
        """Whether members are told nothing, since one line for all is to come; consoles are told anyway."""
        self.is_early = False
        """Whether nobody is here yet who could be told: who comes finds the others in the roster."""

    # What is believed

    def hide(self, members: Iterable[Member]) -> None:
        """Note that `members`, who are believed to be here, are not in the roster any more."""
        for member in members:
            self._note(member.id, member.name)

    def expect(self, members: Iterable[Member]) -> None:
        """Note that `members` are in the roster, and that nobody has been told of them."""
        for member in members:
            self._note(member.id, None)

    def _note(self, member_id: int, believed: str | None) -> None:
        process = process_of(member_id)
        if process == self._own or self.is_early:
            return
        self._unsettled.setdefault(process, {}).setdefault(member_id, believed)
        self._until[process] = self._clock() + PATIENCE

    def unheard(self, event: Event) -> None:
        """Note what nobody here is told of `event`."""
        match event:
            case Joined(member_id=id_):
                self._note(id_, None)
            case Renamed(member_id=id_, old=name) | Left(member_id=id_, name=name):
                self._note(id_, name)
            case _:
                pass

    def believed(self, roster: Roster) -> dict[int, str]:
        """The names of all members of other nodes who are believed to be here, by id."""
        names: dict[int, str | None] = {
            member.id: member.name for member in roster.members if process_of(member.id) != self._own
        }
        for unsettled in self._unsettled.values():
            names.update(unsettled)
        return {id_: name for id_, name in names.items() if name is not None}

    def forget(self) -> None:
        """Forget all differences."""
        self._unsettled.clear()
        self._until.clear()

    # Telling

    def settle_due(self, roster: Roster, time: float) -> None:
        """Settle the members of those nodes that have had their time."""
        if self._until:
            now = self._clock()
            for process in [process for process, until in self._until.items() if until <= now]:
                self.settle(process, roster, time)

    def settle_all(self, roster: Roster, time: float) -> None:
        """Settle the members of all nodes."""
        for process in list(self._unsettled):
            self.settle(process, roster, time)

    def settle(self, process: int, roster: Roster, time: float) -> None:
        """Tell what people here do not know yet of the members of a node; they are as `roster` has them."""
        self._until.pop(process, None)
        unsettled = self._unsettled.pop(process, None)
        if not unsettled:
            return
        joined: list[Member] = []
        left: list[tuple[int, str]] = []
        for id_, believed in unsettled.items():
            member = roster.get(id_)
            if member is None:
                left += [(id_, believed)] if believed is not None else []
            elif believed is None:
                joined.append(member)
            elif believed != member.name:
                self._tell([Renamed(time, id_, believed, member.name)])
        self.joined(joined, time)
        self.left(left, time)

    def joined(self, members: Sequence[Member], time: float) -> None:
        """Tell that `members` have joined, by one line if they are many, or in a crowd."""
        events: list[Joined | Renamed] = []
        for member in members:
            events.append(Joined(time, member.id, member.address))
            if member.nickname is not None:
                events.append(Renamed(time, member.id, str(member.address), member.nickname))
        self._tell(events, notices.users_joined(len(members)) if self._is_many(len(members)) else "")
        muted = [
            Muted(member.muted_at, member.id, member.name, True, _seconds(member), is_old=True)
            for member in members
            if member.muted_at is not None
        ]
        for event in muted:
            self._sink.emit(event)

    def left(self, gone: Sequence[tuple[int, str]], time: float) -> None:
        """Tell that members, given by id and name, have left, by one line if they are many, or in a crowd."""
        events = [Left(time, id_, name, LeaveReason.LOST) for id_, name in gone]
        self._tell(events, notices.users_left(len(gone)) if self._is_many(len(gone), len(gone)) else "")

    def _is_many(self, count: int, more: int = 0) -> bool:
        return count > BULK or self._is_crowded(more)

    def _tell(self, events: Sequence[Joined | Renamed | Left], line: str = "") -> None:
        if not events:
            return
        if not self.is_quiet:
            for item in (line,) if line else events:
                self._fanout.to_all(item)
        self._sink.emit_all(events)


def _seconds(member: Member) -> float | None:
    if member.muted_at is None or member.muted_until is None:
        return None
    return member.muted_until - member.muted_at
