"""The coalesced fan-out: one write per member and turn of the event loop, whatever was said in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from itertools import takewhile
from typing import Protocol

from ..room.listing import Page
from ..room.room import Item
from ..room.search import Search
from ..timing import Loop
from .codec import Codec
from .searches import Searches

_ENDED_AT_ONCE = 64  # connections


class Receiver(Protocol):
    """The sending end of one member's connection."""

    @property
    def codec(self) -> Codec:
        """Encodes what this member gets."""
        ...

    def write(self, data: bytes) -> None:
        """Send `data`, and buffer what cannot be sent at once. Never blocks."""
        ...

    def write_all(self, pieces: Sequence[bytes]) -> None:
        """Send `pieces`, and buffer those that cannot be sent at once, without copying. Never blocks."""
        ...

    def finish(self) -> None:
        """End the connection once everything written has been sent."""
        ...

    def answered(self) -> None:
        """Take note that the answer to a search of this member has been queued."""
        ...


_Edit = tuple[int, Item | None]
"""The position of a shared item, and an item for this member to insert before it, or None to skip it."""


class _Lane:
    """What one member still has to be sent: the shared items from `position` on, with its `edits`."""

    __slots__ = ("edits", "position", "receiver")

    def __init__(self, receiver: Receiver, position: int) -> None:
        self.receiver = receiver
        self.position = position
        self.edits: list[_Edit] | None = None


class _Shared:
    """The shared items, the first at position `first`, and their bytes by codec, made on demand."""

    __slots__ = ("_encoded", "first", "items")

    def __init__(self, items: Sequence[Item] = (), first: int = 0) -> None:
        self.items: list[Item] = list(items)
        self.first = first
        self._encoded: dict[Codec, list[bytes]] = {}

    @property
    def end(self) -> int:
        """The position after the last item."""
        return self.first + len(self.items)

    def encoded(self, codec: Codec) -> list[bytes]:
        """Return the bytes of each item."""
        made = self._encoded.get(codec)
        if made is None:
            made = self._encoded[codec] = []
        if len(made) < len(self.items):
            made += map(codec.encode, self.items[len(made) :])
        return made

    def drop(self, end: int) -> None:
        """Drop the items before position `end`."""
        count = end - self.first
        del self.items[:count]
        self.first = end
        for made in self._encoded.values():
            del made[:count]


class Outbox:
    """Collects the items of one turn of the event loop and sends each member all of its own in one write.

    Items for everybody are stored once, in a list that all members share, and encoded once for each codec in
    use; a member has only a position in that list and its edits. At the end of the turn, members at the same
    position get the same joined bytes. A flush that takes longer than `flush_slice` lets the loop run in
    between; items that arrive in the meantime come after it, in the same order for everybody.

    Args:
        loop: the event loop; a flush runs at the start of its next turn.
        flush_slice: how long a flush may hold the loop at a time, in seconds.
        searches: carries out what members search for.
    """

    def __init__(self, loop: Loop, flush_slice: float, searches: Searches) -> None:
        self._loop = loop
        self._searches = searches
        self._flush_slice = flush_slice
        self._expected: dict[int, Receiver] = {}
        self._lanes: dict[int, _Lane] = {}
        self._edited: set[_Lane] = set()
        self._shared = _Shared()  # the shared items that some member has not been sent
        self._scheduled = False
        self._waiting: Iterator[_Lane] | None = None  # those that the running flush has not reached
        self._end = 0  # the position where the running flush ends
        self._joined: dict[Codec, bytes] = {}  # what it sends to members without edits
        # Connections still to be ended: what they get, from which position, with which edits.
        self._dismissed: deque[tuple[_Farewell, Receiver, int, list[_Edit] | None]] = deque()

    def expect(self, member_id: int, receiver: Receiver) -> None:
        """Set the receiver for the member with that id, which is about to join."""
        self._expected[member_id] = receiver

    def add(self, member_id: int) -> None:
        """Send to that member, if it is expected, from now on; it gets nothing that was sent earlier."""
        if receiver := self._expected.pop(member_id, None):
            self._lanes[member_id] = _Lane(receiver, self._shared.end)

    def to(self, member_id: int, item: Item | Search) -> None:
        """Send `item` to that member alone; do nothing if it is closed.

        The answer to a search comes once it is carried out, and then the receiver is told.
        """
        if lane := self._lanes.get(member_id):
            if isinstance(item, Search):
                self._search(member_id, lane, item)
            else:
                self._edit(lane, item)
                self._schedule()

    def _search(self, member_id: int, lane: _Lane, search: Search) -> None:
        def is_open(_: object = None) -> bool:
            return self._lanes.get(member_id) is lane

        def done() -> None:
            if is_open():
                self.to(member_id, search.answer)
                lane.receiver.answered()

        self._searches.run(takewhile(is_open, search.steps()), done)

    def to_all(self, item: Item, but: Collection[int] = ()) -> None:
        """Send `item` to all members except those in `but`."""
        for member_id in but:
            if lane := self._lanes.get(member_id):
                self._edit(lane, None)
        self._shared.items.append(item)
        self._schedule()

    def close(self, member_id: int) -> None:
        """Send what is queued for that member, then end its connection; do nothing if it is closed.

        If it is expected, its connection is ended, and it is sent nothing should it still join.
        """
        if receiver := self._expected.pop(member_id, None):
            receiver.finish()
        if lane := self._lanes.pop(member_id, None):
            _send(lane.receiver, self._compose(lane, self._shared.end))
            lane.receiver.finish()

    def dismiss(self, member_ids: Sequence[int], item: Item) -> None:
        """Send each of those members what is queued for it and `item`, then end its connection, in slices.

        They get nothing that is sent from now on. Members that are closed are skipped.
        """
        farewell = _Farewell(self._shared, item)
        idle, end = not self._dismissed, self._shared.end
        for member_id in member_ids:
            if lane := self._lanes.pop(member_id, None):
                self._dismissed.append((farewell, lane.receiver, lane.position, lane.edits))
                lane.position = end  # a running flush has nothing for it
                if lane.edits:
                    lane.edits = None
                    self._edited.discard(lane)
        if idle and len(self._dismissed) > _ENDED_AT_ONCE:
            self._loop.call_soon(self._finish)  # queueing this many has used up the turn's slice
        elif idle:
            self._finish()

    def _finish(self) -> None:
        """End connections, letting the loop run whenever the time slice is used up."""
        deadline = self._loop.time() + self._flush_slice
        while self._dismissed:
            farewell, receiver, position, edits = self._dismissed.popleft()
            _send(receiver, farewell.compose(position, edits, receiver.codec))
            receiver.finish()
            if self._dismissed and self._loop.time() > deadline:
                self._loop.call_soon(self._finish)
                return

    def _edit(self, lane: _Lane, item: Item | None) -> None:
        if lane.edits is None:
            lane.edits = []
            self._edited.add(lane)
        lane.edits.append((self._shared.end, item))

    def _schedule(self) -> None:
        if not self._scheduled:
            self._loop.call_soon(self._flush)
            self._scheduled = True

    def _flush(self) -> None:
        """Start or continue a flush, letting the loop run whenever the time slice is used up."""
        shared, joined, clock = self._shared, self._joined, self._loop.time
        if self._waiting is None:
            self._end = shared.end
            self._waiting = iter(list(self._lanes.values() if shared.items else self._edited))
        first, end = shared.first, self._end
        deadline = clock() + self._flush_slice
        for lane in self._waiting:
            receiver = lane.receiver
            if lane.edits or lane.position > first or first == end:
                _send(receiver, self._compose(lane, end))
            else:
                lane.position = end
                codec = receiver.codec
                data = joined.get(codec)
                if data is None:
                    data = joined[codec] = b"".join(shared.encoded(codec)[: end - first])
                if data:
                    receiver.write(data)
            if clock() > deadline:
                self._loop.call_soon(self._flush)
                return
        self._waiting = None
        shared.drop(end)
        joined.clear()
        self._scheduled = False
        if shared.items or self._edited:
            self._schedule()

    def _compose(self, lane: _Lane, end: int) -> list[bytes]:
        """Return the bytes for one lane up to position `end`, edits applied, and advance the lane."""
        pieces, lane.position, lane.edits = _work_in(
            self._shared, lane.position, lane.edits or [], end, lane.receiver.codec
        )
        if lane.edits is None:
            self._edited.discard(lane)
        return pieces


class _Farewell:
    """The last that some members get: the items shared at this moment, then `last`."""

    def __init__(self, shared: _Shared, last: Item) -> None:
        self._shared = _Shared([*shared.items, last], shared.first)
        self._composed: dict[tuple[int, Codec], list[bytes]] = {}  # by position, without edits

    def compose(self, position: int, edits: list[_Edit] | None, codec: Codec) -> list[bytes]:
        """Return the bytes for a member at `position` with `edits`."""
        pieces = None if edits else self._composed.get((position, codec))
        if pieces is None:
            pieces = _work_in(self._shared, position, edits or [], self._shared.end, codec)[0]
            if not edits:
                # Members at one position mostly come in a row; keeping all positions could keep very many.
                self._composed = {(position, codec): pieces}
        return pieces


def _work_in(
    shared: _Shared, at: int, edits: list[_Edit], end: int, codec: Codec
) -> tuple[list[bytes], int, list[_Edit] | None]:
    """Return the bytes from position `at` to `end` with `edits` applied, the new position, and later edits.

    A page, which others may get too, is a piece of its own; everything between two pages is one piece.
    """
    shared_bytes, first = shared.encoded(codec), shared.first
    pieces: list[bytes] = []
    own: list[bytes] = []
    later: list[_Edit] | None = None
    for done, (position, item) in enumerate(edits):
        if position > end or (position == end and item is None):
            later = edits[done:]
            break
        own += shared_bytes[at - first : position - first]
        at = position
        if item is None:
            at += 1
        elif isinstance(item, Page):
            pieces += (b"".join(own), codec.encode(item))
            own = []
        else:
            own.append(codec.encode(item))
    if at < end:
        own += shared_bytes[at - first : end - first]
        at = end
    pieces.append(b"".join(own))
    return [piece for piece in pieces if piece], at, later


def _send(receiver: Receiver, pieces: Sequence[bytes]) -> None:
    """Send `pieces`, which may be empty."""
    if len(pieces) == 1:
        receiver.write(pieces[0])
    elif pieces:
        receiver.write_all(pieces)
