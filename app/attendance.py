"""Who is here after some events: the net change of the list. Pure: the clock is handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from ..server.chat import Snapshot
from ..server.room.events import Event, Joined, Left, Muted, Renamed
from ..widgets.user_row import User


class Change(NamedTuple):
    """Who is to be added to the list, changed in it, and removed from it."""

    added: Mapping[int, User]
    changed: Mapping[int, User]
    removed: set[int]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


NodeOf = Callable[[int], str]
"""Returns the node of the cluster that a user is connected to, by its id; empty if it is this one."""


def here_alone(user_id: int) -> str:
    """Return that a user is connected to this node: the `NodeOf` of a server without a cluster."""
    return ""


def present(snapshot: Snapshot, now: float, node_of: NodeOf = here_alone) -> dict[int, User]:
    """Return who is here by `snapshot`, as having been here since `now`, in monotonic seconds."""
    return {
        member.id: User(
            member.id,
            member.name,
            str(member.address),
            now,
            member.muted,
            None if member.muted_until is None else now + member.muted_until - snapshot.time,
            node_of(member.id),
        )
        for member in snapshot.members
    }


def change(
    events: Iterable[Event],
    here: Mapping[int, User],
    added: dict[int, User],
    now: float,
    wall_time: float,
    node_of: NodeOf = here_alone,
) -> Change:
    """Return the net change by `events`. Who came and went among them is in none of it.

    Args:
        events: in order.
        here: who is in the list, by id.
        added: who is not yet, but was here before `events`; they are added too.
        now: monotonic, in seconds.
        wall_time: the same, in seconds since the epoch.
        node_of: is asked of each who comes.
    """
    changed: dict[int, User] = {}
    removed: set[int] = set()
    for event in events:
        match event:
            case Joined(_, member_id, address):
                # In a cluster one who left as a link was cut comes again with it, under the same id.
                removed.discard(member_id)
                changed.pop(member_id, None)
                added[member_id] = User(member_id, str(address), str(address), now, node=node_of(member_id))
            case Renamed(_, member_id) | Muted(_, member_id):
                if user := added.get(member_id):
                    added[member_id] = _changed(user, event, now, wall_time)
                elif user := changed.get(member_id) or here.get(member_id):
                    changed[member_id] = _changed(user, event, now, wall_time)
            case Left(_, member_id):
                if not added.pop(member_id, None) or member_id in here:
                    removed.add(member_id)
            case _:
                pass
    return Change(added, changed, removed)


def _changed(user: User, event: Renamed | Muted, now: float, wall_time: float) -> User:
    if isinstance(event, Renamed):
        return replace(user, name=event.new)
    until = None
    if event.muted and event.seconds is not None:
        # Somebody who comes with another node may have been muted long ago.
        until = now + event.seconds - max(0.0, wall_time - event.time)
    return replace(user, muted=event.muted, muted_until=until)
