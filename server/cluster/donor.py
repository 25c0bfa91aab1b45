"""The state for those who ask: a node's own members and what it knows of all, in chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .log import Log
from .untrusted import forget_oldest
from .wire import MAX_ROWS, Ask, BanRow, Next, NodeRow, Row, State, encode_sent

_KEPT = 30.0  # seconds
_MOST = 100  # snapshots: as many nodes may ask at a time


@dataclass(frozen=True, slots=True)
class _Snapshot:
    ask: Ask
    state: State
    """What all chunks have in common."""
    nodes: Sequence[NodeRow]
    bans: Sequence[BanRow]
    rows: Sequence[Row]
    until: float

    @property
    def last(self) -> int:
        """The index of the last chunk."""
        return (max(len(self.bans), len(self.rows), 1) - 1) // MAX_ROWS

    def chunk(self, index: int) -> State:
        part = slice(index * MAX_ROWS, (index + 1) * MAX_ROWS)
        return State(
            *(self.state.position, self.state.process, self.state.basis, self.state.digest),
            *(index, index == self.last),
            nodes=() if index else self.nodes,
            bans=self.bans[part],
            rows=self.rows[part],
        )


class Donor:
    """Keeps the state as of each `Ask` for a while, and sends what is asked for of it.

    Args:
        log: sends it.
        clock: monotonic, in seconds.
    """

    def __init__(self, log: Log, clock: Callable[[], float]) -> None:
        self._log = log
        self._clock = clock
        self._snapshots: dict[int, _Snapshot] = {}

    def give(
        self,
        ask: Ask,
        state: State,
        nodes: Sequence[NodeRow],
        bans: Sequence[BanRow],
        rows: Sequence[Row],
    ) -> None:
        """Send the first chunk to whoever asked; `state` has what all chunks have in common."""
        now = self._clock()
        # Who asks anew needs nothing of what it asked for before.
        is_over = [
            at for at, each in self._snapshots.items() if each.until <= now or each.ask.name == ask.name
        ]
        for position in is_over:
            del self._snapshots[position]
        self._snapshots[state.position] = _Snapshot(ask, state, nodes, bans, rows, now + _KEPT)
        forget_oldest(self._snapshots, _MOST)
        self.give_next(Next(state.position, 0))

    def give_next(self, asked: Next) -> None:
        """Send one more chunk to whoever asked for the state, if there is one."""
        snapshot = self._snapshots.get(asked.position)
        if snapshot is not None and asked.index <= snapshot.last:
            data = encode_sent(snapshot.chunk(asked.index))
            self._log.send(snapshot.ask.name, snapshot.ask.process, data)
