"""A node's copy of the room, made of the entries of one log: what is done here is done on all nodes alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from ..order import LocalOrder
from ..room.entries import Ban, Entry, Join, Lines, Message, Mute, Say, ShutDown
from .alone import Alone
from .entering import Kept
from .intake import Intake
from .lateness import Lateness
from .membership import BEAT, RESEND, Membership
from .news import Behind, Reachable, Refused, Unreachable
from .operations import Beat, Dead, Goodbye, Operation, decode
from .outgoing import Flight, Input, Then
from .settings import LOG_AGE
from .site import Phase, Site
from .state import Node
from .untrusted import Malformed, shown_node
from .wire import Ask, Batch, Found, Roster
from .wire import decode as decode_entry
from .wire import encode as encode_entry

PACE = 1500.0
"""How many entries a second all nodes together make at most."""

MAX_MEMBERS = 1 << 20
"""How many members the room may have for each node that is in."""

_TICK = 0.1  # seconds
_LATE = 2.0  # seconds from which on the operator is told that entries come late


class Replica:
    """The order of the room's entries on all nodes, as one node sees it: an `Order`, and the log's `Reader`.

    Args:
        site: the node.
        hold: how many seconds lines wait for the log before the node goes on alone.
    """

    def __init__(self, site: Site, hold: float) -> None:
        self._site = site
        self._intake = Intake(site, self._wait)
        self._membership = Membership(site, self._apply, self._entered, self._retired)
        self._alone = Alone(site, self._membership, self._do_here, self._intake.put, hold)
        self._here = LocalOrder(self._apply_here, site.failed)
        self._lateness = Lateness()
        self._is_scheduled = False
        self._is_doing = False  # others of the same batch may come
        self._sent_at = 0.0
        self._beat_at = 0.0
        self._beats = 0  # on their way
        self._said_goodbye: Callable[[], object] | None = None
        site.loop.call_later(_TICK, self._tick)

    # The order

    @property
    def is_full(self) -> bool:
        """Whether so many entries wait for their turn that clients should send no more for now."""
        return self._site.outgoing.is_full

    def when_free(self, call: Callable[[], object]) -> None:
        """Call `call`, once, when the order is full no more."""
        self._site.outgoing.when_free(call)

    def when_done(self, call: Callable[[], object]) -> None:
        """Call `call` as soon as all that has been submitted so far is applied, which may be at once."""
        if self._site.outgoing.is_idle and not self._is_doing:
            call()
        else:
            self._wait(Input(Then(call)))

    def submit(self, entry: Entry) -> None:
        """Have `entry` applied on all nodes when its turn comes, or here if it concerns its author alone.

        Raises:
            ValueError: if it cannot be sent to others.
        """
        if isinstance(entry, ShutDown):
            self._site.has_ended = True
            self._site.room.apply(entry)
            self._site.locals.clear()
        elif not self._site.has_ended:
            self._intake.take(entry)

    def _wait(self, item: Input) -> None:
        self._site.outgoing.add(item)
        if self._alone.takes_inputs:
            self._alone.do_all()
        else:
            self._schedule()

    # Out

    def _schedule(self, seconds: float = 0.0) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            if seconds:
                self._site.loop.call_later(seconds, self._flush)
            else:
                self._site.loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Send the next batch, unless one is on its way, or it is too early."""
        self._is_scheduled = False
        site = self._site
        while site.phase is Phase.IN and site.outgoing.flight is None and not self._membership.is_awaiting:
            wait = self._sent_at + len(site.state.nodes) / PACE - site.loop.time()
            if wait > 0:
                self._schedule(wait)
                return
            taken = site.outgoing.take()
            if isinstance(taken, Flight):
                self._launch(taken)
            elif taken is None:
                return
            else:
                for item in taken:
                    self._do(item, 0, 0, site.now())

    def _launch(self, flight: Flight) -> None:
        site = self._site
        site.counter += 1
        site.outgoing.flight = flight
        flight.data = encode_entry(
            Batch(site.process, site.term, site.counter, flight.number, flight.operations)
        )
        flight.since = self._sent_at = site.loop.time()
        self._send(flight)

    def _send(self, flight: Flight) -> None:
        flight.sent_at = self._site.loop.time()
        if self._site.is_open:
            self._site.log.append(flight.data)

    def _tick(self) -> None:
        site = self._site
        if site.has_ended:
            return
        site.loop.call_later(_TICK, self._tick)
        now = site.loop.time()
        flight = site.outgoing.flight
        if flight is not None and now - flight.sent_at > RESEND:
            self._send(flight)
        if site.phase is Phase.IN and now - self._beat_at >= BEAT and not self._beats:
            self._beat()
        self._membership.tick()
        self._alone.tick()
        if site.outgoing.waits:
            self._schedule()

    def _beat(self) -> None:
        self._beat_at = self._site.loop.time()
        self._beats += 1
        self._intake.put(Beat())

    # The log's side

    def opened(self) -> None:
        """The log can be read and written, and nothing of it is missing so far."""
        site = self._site
        if site.is_out:
            return
        site.is_open = True
        site.tell(Reachable())
        self._membership.opened()
        if site.outgoing.flight is not None:
            self._send(site.outgoing.flight)

    def closed(self, why: str) -> None:
        """The log can be neither read nor written for now."""
        if not self._site.is_out:
            self._site.is_open = False
            self._site.tell(Unreachable(why))

    def lost(self, why: str) -> None:
        """What comes next does not continue what came before."""
        if not self._site.is_out:
            self._membership.lost(why)

    def received(self, data: bytes) -> None:
        """Another node has sent `data` to this process alone."""
        if self._site.is_out:
            return
        try:
            self._membership.received(data)
        except Malformed as error:
            self._site.tell(Refused("", str(error)))

    def entry(self, position: int, time: float, node: str, data: bytes) -> None:
        """An entry of `node` is in the log at `position`, since `time`: wall-clock seconds of the engine."""
        site, membership = self._site, self._membership
        if site.is_out:
            return
        late = self._lateness.of(time, site.loop.time())
        if _LATE <= late <= LOG_AGE and site.phase is Phase.IN:  # an older one the engine does not have
            site.tell(Behind(late))
        try:
            entry = decode_entry(data)
        except Malformed as error:
            membership.entering.note(position, time, None)
            site.tell(Refused(shown_node(node), str(error)))
            return
        membership.entering.note(position, time, entry)
        if isinstance(entry, Found):
            membership.found(position, entry)
        elif site.phase is Phase.ASKING:
            membership.entering.take(position, time, node, entry)
        else:
            self._apply((position, time, node, entry))

    def _apply(self, kept: Kept) -> None:
        position, time, node, entry = kept
        match entry:
            case Ask():
                self._membership.asked(position, entry, node)
            case Roster():
                self._membership.stated(position, time, entry, node)
            case Batch():
                self._take_batch(position, time, node, entry)
            case _:
                assert_never(entry)

    def _take_batch(self, position: int, time: float, node: str, batch: Batch) -> None:
        site = self._site
        known = site.state.nodes.get(batch.process)
        if known is None or (known.name, known.term, known.counter + 1) != (node, batch.term, batch.counter):
            return
        if batch.process == site.process and site.phase is Phase.IN:
            known.counter = batch.counter
            self._take_own(position, time, batch)
            return
        try:
            operations = decode(batch.operations, batch.process, time, site.room.settings.max_line)
        except Malformed as error:
            site.tell(Refused(node, str(error)))
            return
        known.counter = batch.counter
        known.missed = 0
        # One of this node that comes late has been done here, or will be.
        is_new = batch.process != site.process and batch.number > site.heard.get(batch.process, 0)
        if is_new:
            site.heard[batch.process] = batch.number
            if site.state.is_told:
                site.shown.settle(batch.process, site.state.roster, time)
            elif any(isinstance(each, Lines | Message | Say) for each in operations):
                self._membership.missed()
        for operation in operations:
            self._take_operation(operation, known, time, is_new=is_new)

    def _take_operation(self, operation: Operation, node: Node, time: float, *, is_new: bool) -> None:
        match operation:
            case Beat():
                pass
            case Goodbye():
                self._membership.left(node.process, time)
            case Dead():
                self._membership.died(operation, time)
            case Join(member_id=id_):
                roster, nodes = self._site.state.roster, self._site.state.nodes
                if roster.get(id_) is None and len(roster) < MAX_MEMBERS * len(nodes):
                    self._site.apply(operation, is_heard=is_new)
            case Say() | Message() | Mute() | Ban():
                self._site.apply(replace(operation, node=node.name), is_heard=is_new)
            case _:
                self._site.apply(operation, is_heard=is_new)

    def _take_own(self, position: int, time: float, batch: Batch) -> None:
        """What this node has sent has come back: here too it is done now."""
        flight = self._site.outgoing.flight
        if flight is None or flight.operations != batch.operations:
            self.lost("it has an entry that this node did not write")
            return
        self._site.outgoing.flight = None
        self._alone.moved()
        for place, item in enumerate(flight.inputs):
            self._do(item, position, place, time)
        self._flush()

    def _do(self, item: Input, position: int, place: int, time: float) -> None:
        """Do an input of this node at its place in the log."""
        site, operation = self._site, item.operation
        self._is_doing = True
        match operation:
            case Then():
                self._go_on(operation)
            case Beat():
                self._beats -= 1
                for dead in self._membership.beat():
                    self._intake.put(dead)
            case Dead():
                self._membership.died(operation, time)
            case Goodbye():
                self._end()
            case _:
                self._intake.done(operation, position, place)
                site.apply(replace(operation, time=time))
        self._is_doing = False

    def _go_on(self, then: Then) -> None:
        try:
            then.call()
        except Exception as error:  # one that fails must not hold up the others
            self._site.failed(error)

    # Alone, and the end

    def _do_here(self, item: Input) -> None:
        """Do an input of this node here only."""
        if isinstance(item.operation, Then):
            self._go_on(item.operation)
            return
        if isinstance(item.operation, Beat | Dead | Goodbye):
            self._beats -= isinstance(item.operation, Beat)
            return
        self._intake.done(item.operation, 0, 0)
        self._alone.done(item)
        self._here.submit(replace(item.operation, time=self._site.now()))

    def _apply_here(self, entry: Entry) -> None:
        self._site.room.apply(entry)

    def _entered(self) -> None:
        self._alone.entered()
        self._beat_at = 0.0
        self._schedule()

    def _retired(self) -> None:
        self._site.is_retired = True
        self._site.is_open = False
        self._alone.cut_off()

    def say_goodbye(self, done: Callable[[], object]) -> None:
        """Let the members of this node leave on the others, and call `done` when that is in the log.

        If that never comes to be, the others notice after a while that this node is gone.
        """
        self._said_goodbye = done
        self._intake.put(Goodbye())

    def _end(self) -> None:
        self._site.has_ended = True
        assert self._said_goodbye is not None
        self._said_goodbye()
