"""How a node that is not in gets to know the state of the room: by asking, or because there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from heapq import merge
from itertools import chain

from .log import Log
from .site import Site
from .state import Node, State, seat
from .untrusted import MOST_NODES, forget_oldest
from .wire import Ask, Batch, Found, Next, Roster, Row, encode, encode_sent
from .wire import State as Chunk

ANSWER = 2.0
"""How many seconds an answer may take."""

QUIET = 4.0
"""After how many seconds without an entry, by the log's clock, nobody is in."""

_ASKED_FOR = 4  # chunks at a time
_MOST_EARLY = 1000  # chunks that come before the question does
_SEATED_AT_ONCE = 500  # rows, in one turn of the loop

Kept = tuple[int, float, str, Batch | Ask | Roster]
"""An entry that came while the state was being asked for: its position, time, node and meaning."""


class _Parts:
    """What one node has sent of the state."""

    def __init__(self) -> None:
        self.chunks: dict[int, Chunk] = {}
        self.asked_for = 0

    @property
    def is_whole(self) -> bool:
        return any(chunk.is_last and len(self.chunks) == index + 1 for index, chunk in self.chunks.items())

    @property
    def in_order(self) -> Sequence[Chunk]:
        return [self.chunks[index] for index in sorted(self.chunks)]


class Entering:
    """Asks for the state, and says so once it is known.

    Args:
        site: the node.
        known: called with the state, and the entries that have come since then.
        differs: called if the others' rooms would differ from this node's.
    """

    def __init__(
        self, site: Site, known: Callable[[State, Sequence[Kept]], None], differs: Callable[[], None]
    ) -> None:
        self._site = site
        self._known = known
        self._differs = differs
        self._attempt = 0
        self._moved_at = 0.0  # when it asked, or got a part of the answer
        self._position: int | None = None  # where it asked
        self._is_founding = False
        self._is_loading = False
        self._parts: dict[int, _Parts] = {}
        self._early: list[Chunk] = []
        self._kept: list[Kept] = []
        self.forget_log()

    def forget_log(self) -> None:
        """Forget what was read of the log: what comes next does not continue it."""
        self._first: int | None = None  # from where on it was read without a gap
        self._last_in = 0  # the last entry of somebody who was in, or thought so
        self._strangers: dict[int, None] = {}  # processes whose rooms would differ
        self._others: dict[int, tuple[float, bool]] = {}  # when each wrote last, and whether as one who is in

    # What the log tells even those who are not asking

    def note(self, position: int, time: float, entry: Batch | Ask | Found | Roster | None) -> None:
        """Note that there is an entry, which may be one that is not understood."""
        if self._first is None:
            self._first = position
        if isinstance(entry, Found):
            return
        is_in = not isinstance(entry, Ask)
        if is_in:
            self._last_in = position
        elif entry.digest != self._site.digest:
            self._strangers[entry.process] = None
            forget_oldest(self._strangers)
        process = entry.process if entry else -1
        if process != self._site.process:
            self._others.pop(process, None)
            self._others[process] = time, is_in
            forget_oldest(self._others)

    def is_valid(self, position: int, found: Found) -> bool:
        """Judge whether the room begins with `found`. All who can judge that judge alike."""
        assert self._first is not None
        if found.process in self._strangers:
            return False
        if self._first <= found.since and self._last_in < found.since:
            self._last_in = position
            return True
        if self._first > found.since:
            self._last_in = position  # not for this node to judge: somebody may be in
        return False

    # Asking

    def begin(self) -> None:
        """Ask for the state in a new term, as soon as the log is open."""
        self._attempt = 0
        self.ask()

    def stop(self) -> None:
        """Ask no more, and forget all answers."""
        self._position = None
        self._is_founding = self._is_loading = False
        self._parts = {}
        self._early = []
        self._kept = []

    def ask(self) -> None:
        """Ask once more: parts of the state as of two positions do not fit together."""
        self.stop()
        if not self._site.is_open:
            return
        self._attempt += 1
        self._moved_at = self._site.loop.time()
        site = self._site
        self._log.append(encode(Ask(site.process, site.term, self._attempt, site.digest, site.name)))

    @property
    def _log(self) -> Log:
        return self._site.log

    def take(self, position: int, time: float, node: str, entry: Batch | Ask | Roster) -> None:
        """Take an entry of the log while the state is not known."""
        site = self._site
        own = Ask(site.process, site.term, self._attempt, site.digest, site.name)
        if (node, entry) == (site.name, own):
            if self._position is None:  # it may come twice
                self._position = position
                early, self._early = self._early, []
                for chunk in early:
                    self.received(chunk)
        elif self._position is not None:
            self._kept.append((position, time, node, entry))
        if self._position is not None and not (self._parts or self._is_founding):
            recent = {each: is_in for each, (at, is_in) in self._others.items() if time - at < QUIET}
            if not any(recent.values()) and all(site.process < each for each in recent):
                self._found()

    def _found(self) -> None:
        assert self._position is not None
        self._is_founding = True
        self._moved_at = self._site.loop.time()
        self._log.append(encode(Found(self._site.process, self._position)))

    def tick(self) -> None:
        """Do what is due while the state is not known."""
        site = self._site
        if not site.is_open or self._is_loading:
            return
        if site.loop.time() - self._moved_at > ANSWER:
            if self._position is None or self._parts or self._is_founding:
                self.ask()
            else:
                self._found()

    # The answer

    def received(self, chunk: Chunk) -> None:
        """Take a chunk of the state from one of the nodes that are in."""
        if self._position is None and len(self._early) < _MOST_EARLY:
            self._early.append(chunk)  # others may have read the question first
        if chunk.position != self._position or self._is_loading:
            return
        if chunk.digest != self._site.digest:
            self._differs()
            return
        if chunk.process not in self._parts and len(self._parts) >= MOST_NODES:
            return
        parts = self._parts.setdefault(chunk.process, _Parts())
        parts.chunks[chunk.index] = chunk
        self._moved_at = self._site.loop.time()
        nodes = next((found.chunks[0].nodes for found in self._parts.values() if 0 in found.chunks), ())
        if nodes and all(
            node.process in self._parts and self._parts[node.process].is_whole for node in nodes
        ):
            self._load(State(chunk.basis), [Node(node) for node in nodes])
        elif not parts.is_whole:
            self._ask_for_more(parts, [node.name for node in nodes if node.process == chunk.process], chunk)

    def _ask_for_more(self, parts: _Parts, names: Sequence[str], chunk: Chunk) -> None:
        for name in names:
            while parts.asked_for < len(parts.chunks) + _ASKED_FOR - 1:
                parts.asked_for += 1
                self._log.send(name, chunk.process, encode_sent(Next(chunk.position, parts.asked_for)))

    def _load(self, state: State, nodes: Sequence[Node]) -> None:
        self._is_loading = True
        state.nodes = {node.process: node for node in nodes}
        parts = [self._parts[process].in_order for process in state.nodes]
        for chunk in chain.from_iterable(parts):
            self._add_bans(chunk)
        # Each node's come in the order in which they joined.
        rows = merge(*map(_rows_of, parts), key=lambda found: (found[1].position, found[1].place))
        self._seat(state, iter(rows))

    def _add_bans(self, chunk: Chunk) -> None:
        bans = self._site.bans
        known = {network for network, _ in bans.all()} if chunk.bans else ()
        for network, seconds in chunk.bans:
            if network not in known:
                bans.add((network,), seconds)

    def _seat(self, state: State, rows: Iterator[tuple[int, Row]]) -> None:
        """Seat those of `rows` that one turn of the loop has time for, and go on in the next one."""
        parts = self._parts
        for count, (process, row) in enumerate(rows, 1):
            seat(state.roster, process, row, shared_nicks=self._site.shared_nicks)
            if count == _SEATED_AT_ONCE:
                self._site.loop.call_soon(partial(self._go_on, parts, state, rows))
                return
        kept = self._kept
        self.stop()
        self._known(state, kept)

    def _go_on(self, parts: dict[int, _Parts], state: State, rows: Iterator[tuple[int, Row]]) -> None:
        if self._parts is parts:  # it has not begun to ask anew
            self._seat(state, rows)


def _rows_of(chunks: Sequence[Chunk]) -> Iterator[tuple[int, Row]]:
    for chunk in chunks:
        for row in chunk.rows:
            yield chunk.process, row
