"""The coalesced fan-out: what everybody gets, in one write for each member and turn of the event loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from ..room.listing import Page
from ..room.room import Member

_ENDED_AT_ONCE = 64  # connections


class Receiver(Protocol):
    """The sending end of one member's connection."""

    @property
    def crlf(self) -> bool:
        """Whether this member gets CR LF for LF."""
        ...

    def write(self, data: bytes) -> None:
        """Send `data`, or buffer what cannot be sent at once. Never blocks."""
        ...

    def write_all(self, pieces: Sequence[bytes]) -> None:
        """Send `pieces`, or keep those that cannot be sent at once, without a copy."""
        ...

    def finish(self) -> None:
        """End the connection once everything written has been sent."""
        ...


_Edit = tuple[int, bytes | Sequence[Page] | None]
"""By position: lines of its own to go before that shared line, or None to leave that line out."""


class _Lane:
    """What one member still has to get: the shared lines from `position` on, and what differs for it."""

    __slots__ = ("edits", "position", "receiver")

    def __init__(self, receiver: Receiver, position: int) -> None:
        self.receiver = receiver
        self.position = position
        self.edits: list[_Edit] | None = None


class Outbox:
    """Gathers the lines of one turn of the event loop and hands each member its own in one write.

    The lines for everybody are kept once, encoded, in one list that all members share; of a member only its
    position in that list and what differs for it are kept. At the end of the turn those at the same position
    get the same joined bytes. A flush that takes longer than `flush_slice` lets the loop run in between;
    what is said meanwhile comes behind, in the same order for everybody.

    Args:
        call_soon: schedules a call for the end of the turn, as `loop.call_soon` does.
        clock: a monotonic clock, in seconds.
        flush_slice: how long a flush may hold the loop at a time, in seconds.
    """

    def __init__(
        self,
        call_soon: Callable[[Callable[[], None]], object],
        clock: Callable[[], float],
        flush_slice: float,
    ) -> None:
        self._call_soon = call_soon
        self._clock = clock
        self._flush_slice = flush_slice
        self._lanes: dict[Member, _Lane] = {}
        self._edited: set[_Lane] = set()
        self._lines: list[bytes] = []  # the shared lines that somebody has not got yet
        self._first = 0  # the position of the first of them
        self._scheduled = False
        self._waiting: Iterator[_Lane] | None = None  # who is still to get the lines of the running flush
        self._end = 0  # up to which position the running flush goes
        self._shared = self._shared_crlf = b""  # what it brings to those for whom nothing differs
        # Whose connections are still to be ended, what they get, from which position, with which edits.
        self._dismissed: deque[tuple[_Farewell, Receiver, int, list[_Edit] | None]] = deque()

    def add(self, member: Member, receiver: Receiver) -> None:
        """Send to `member` through `receiver` from now on; what was said before is not for it."""
        self._lanes[member] = _Lane(receiver, self._next)

    def to(self, member: Member, line: str | Sequence[Page]) -> None:
        """Send `line`, or pages that others may get too, to `member` alone. Nothing if it is closed."""
        if lane := self._lanes.get(member):
            self._edit(lane, _encode(line) if isinstance(line, str) else line)
            self._schedule()

    def to_all(self, line: str, but: Member | None = None) -> None:
        """Send `line` to all members except `but`."""
        if but is not None and (lane := self._lanes.get(but)):
            self._edit(lane, None)
        self._lines.append(_encode(line))
        self._schedule()

    def close(self, member: Member) -> None:
        """Send what is queued for `member`, then end its connection. Nothing if it is closed."""
        if lane := self._lanes.pop(member, None):
            _send(lane.receiver, self._compose(lane, self._next))
            lane.receiver.finish()

    def dismiss(self, members: Sequence[Member], line: str) -> None:
        """Send what is queued for each of `members` and `line`, then end its connection, in slices of time.

        They get nothing more from now on. Nothing for those that are closed.
        """
        farewell = _Farewell(tuple(self._lines), self._first, _encode(line))
        idle, end = not self._dismissed, self._next
        for member in members:
            if lane := self._lanes.pop(member, None):
                self._dismissed.append((farewell, lane.receiver, lane.position, lane.edits))
                lane.position = end  # a flush that is under way has nothing for it
                if lane.edits:
                    lane.edits = None
                    self._edited.discard(lane)
        if idle and len(self._dismissed) > _ENDED_AT_ONCE:
            self._call_soon(self._finish)  # making this many ready has used up this turn's slice
        elif idle:
            self._finish()

    def _finish(self) -> None:
        """End connections; let the loop run when the slice of time is used up."""
        deadline = self._clock() + self._flush_slice
        while self._dismissed:
            farewell, receiver, position, edits = self._dismissed.popleft()
            _send(receiver, farewell.compose(position, edits, crlf=receiver.crlf))
            receiver.finish()
            if self._dismissed and self._clock() > deadline:
                self._call_soon(self._finish)
                return

    def _edit(self, lane: _Lane, line: bytes | Sequence[Page] | None) -> None:
        if lane.edits is None:
            lane.edits = []
            self._edited.add(lane)
        lane.edits.append((self._next, line))

    @property
    def _next(self) -> int:
        """The position of the next shared line."""
        return self._first + len(self._lines)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self._flush)

    def _flush(self) -> None:
        """Begin a flush or go on with it; let the loop run when the slice of time is used up."""
        if self._waiting is None:
            self._end = self._next
            self._waiting = iter(list(self._lanes.values() if self._lines else self._edited))
            self._shared = b"".join(self._lines)
            self._shared_crlf = _with_crlf(self._shared)
        first, end, clock = self._first, self._end, self._clock
        deadline = clock() + self._flush_slice
        for lane in self._waiting:
            receiver = lane.receiver
            if lane.edits or lane.position > first or not self._shared:
                _send(receiver, self._compose(lane, end))
            else:
                lane.position = end
                receiver.write(self._shared_crlf if receiver.crlf else self._shared)
            if clock() > deadline:
                self._call_soon(self._flush)
                return
        self._waiting = None
        del self._lines[: end - first]
        self._first = end
        self._shared = self._shared_crlf = b""
        self._scheduled = False
        if self._lines or self._edited:
            self._schedule()

    def _compose(self, lane: _Lane, end: int) -> list[bytes]:
        """The bytes for one lane up to position `end`, its edits worked in; the lane moves on behind them."""
        pieces, lane.position, lane.edits = _work_in(
            self._lines, self._first, lane.position, lane.edits or [], end, crlf=lane.receiver.crlf
        )
        if lane.edits is None:
            self._edited.discard(lane)
        return pieces


class _Farewell:
    """What some members get as their last: the shared `lines`, the first at position `first`, then `last`."""

    def __init__(self, lines: Sequence[bytes], first: int, last: bytes) -> None:
        self._lines = [*lines, last]
        self._first = first
        self._shared: dict[tuple[int, bool], list[bytes]] = {}  # by position and line ending, without edits

    def compose(self, position: int, edits: list[_Edit] | None, *, crlf: bool) -> list[bytes]:
        """The bytes for a member at `position` for whom `edits` differ."""
        pieces = None if edits else self._shared.get((position, crlf))
        if pieces is None:
            end = self._first + len(self._lines)
            pieces = _work_in(self._lines, self._first, position, edits or [], end, crlf=crlf)[0]
            if not edits:
                # Those at one position most often stand together; to keep all would be to keep each of many.
                self._shared = {(position, crlf): pieces}
        return pieces


def _work_in(
    lines: Sequence[bytes], first: int, at: int, edits: list[_Edit], end: int, *, crlf: bool
) -> tuple[list[bytes], int, list[_Edit] | None]:
    """The lines from position `at` to `end` with `edits` worked in; where that ends, and later edits.

    What is shared with others is a piece by itself, and what stands between is one piece. The first of
    `lines` is at position `first`.
    """
    pieces: list[bytes] = []
    own: list[bytes] = []
    later: list[_Edit] | None = None
    for done, (position, line) in enumerate(edits):
        if position > end or (position == end and line is None):
            later = edits[done:]
            break
        own += lines[at - first : position - first]
        at = position
        if line is None:
            at += 1
        elif isinstance(line, bytes):
            own.append(line)
        else:
            pieces += _joined(own, crlf=crlf)
            pieces += (page.encoded(crlf=crlf) for page in line)
            own = []
    if at < end:
        own += lines[at - first : end - first]
        at = end
    pieces += _joined(own, crlf=crlf)
    return pieces, at, later


def _joined(lines: Sequence[bytes], *, crlf: bool) -> Sequence[bytes]:
    """One piece of all `lines`, or no piece where there are none."""
    if not lines:
        return ()
    data = b"".join(lines)
    return (_with_crlf(data) if crlf else data,)


def _send(receiver: Receiver, pieces: Sequence[bytes]) -> None:
    """Send `pieces`, of which there may be none."""
    if len(pieces) == 1:
        receiver.write(pieces[0])
    elif pieces:
        receiver.write_all(pieces)


def _with_crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


def _encode(line: str) -> bytes:
    return line.encode() + b"\n"
