"""Who is in: nodes that ask, state their members, say nothing any more, or are replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ..room import notices as room_notices
from ..room.events import Renamed
from . import notices
from .donor import Donor
from .entering import Entering, Kept
from .log import Log
from .news import Differs, Entered, Gone, Lost, NodeGone, NodeIn, Replaced
from .operations import Dead, member_id
from .shown import PATIENCE
from .site import Phase, Site
from .state import Node, State
from .untrusted import MOST_NODES, forget_oldest
from .wire import LEVEL, MAX_ROWS, Ask, Found, Next, NodeRow, Roster, Row, decode_sent, encode
from .wire import State as Chunk

BEAT = 0.75
"""How many seconds lie between two beats of a node."""

MISSED = 6
"""How many beats of this node may pass without a word from another before that one is dead."""

RESEND = 1.5
"""After how many seconds an entry that has not come back is sent again."""


_MOST_STATEMENTS = 100  # that are not complete, at a time


class Membership:
    """Brings its node in, keeps it in, and keeps the state of who else is.

    Args:
        site: the node.
        apply: applies an entry that came while the state was being asked for.
        entered: called whenever the node is in again.
        retired: called if the node is never to be with the others again.
    """

    def __init__(
        self,
        site: Site,
        apply: Callable[[Kept], None],
        entered: Callable[[], None],
        retired: Callable[[], None],
    ) -> None:
        self._site = site
        self._apply = apply
        self._entered = entered
        self._retired = retired
        self.entering = Entering(site, self._known, self._differs)
        self._donor = Donor(site.log, site.loop.time)
        self._statement: list[bytes] = []
        self._stated_at = 0.0
        self.stated_since = 0.0
        """Since when the statement is on its way, by the loop's clock."""
        self._rosters: dict[tuple[int, int], list[Roster]] = {}  # chunks, by process and term
        self._witnessed: dict[int, None] = {}  # whose statements cannot have begun before the state was known
        self._is_founded = False  # whether the state began with a `Found`, and so all are witnessed
        self._awaited: set[int] = set()  # nodes that were in before the room began anew
        self._await_until = 0.0
        self._missing = False  # whether lines of others were missed

    @property
    def is_awaiting(self) -> bool:
        """Whether nodes are on their way back, for whom too what is said now is meant."""
        if self._site.phase is Phase.IN and self._site.loop.time() >= self._await_until:
            self._awaited.clear()
        return bool(self._awaited)

    # Out and in again

    def start_over(self, *, missing: bool = False) -> None:
        """Ask for the state, since it is not known or not right any more."""
        site = self._site
        self._leave_term()
        site.phase = Phase.ASKING
        self._missing = self._missing or missing
        self.entering.begin()

    def cut_off(self, state: State) -> None:
        """Go on with `state`, in which there are only members of this node, and ask for the others'."""
        self._await_others()
        self._site.show(state)
        self.start_over()
        self._missing = False

    def _await_others(self) -> None:
        """What is said when this node is in again is also for those who were, and may need longer."""
        self._awaited |= self._site.state.nodes.keys() - {self._site.process}

    def _leave_term(self) -> None:
        site = self._site
        self._show_what_is_told()
        if site.phase is Phase.IN:
            site.phase_since = site.loop.time()
        site.term += 1
        site.counter = 0
        site.outgoing.hold()
        self._statement = []

    def _show_what_is_told(self) -> None:
        """Let the members of this node be among those of whom they hear."""
        site, state = self._site, self._site.state
        if state.is_told and state.roster is not site.room.roster:
            rows = site.own_rows
            site.seat(site.process, rows)
            site.show(state)
            self._tell_losers(rows, site.now())

    def _known(self, state: State, kept: Sequence[Kept]) -> None:
        if state.basis != self._site.state.basis and state.is_silent:
            self._missing = False  # the room began anew, and they wait for this node too
        self._take_up(state, is_founded=False)
        for one in kept:
            self._apply(one)

    def missed(self) -> None:
        """Note that people here do not hear of something that was said."""
        self._missing = True

    def _take_up(self, state: State, *, is_founded: bool) -> None:
        self._site.state = state
        self._rosters = {}
        self._witnessed = {}
        self._is_founded = is_founded
        self._state_members()

    def _state_members(self) -> None:
        """Say who the members of this node are; with that it is in."""
        site = self._site
        site.phase = Phase.STATING
        self._statement = []
        self.stated_since = self._stated_at = site.loop.time()
        self._state_more(site.own_rows, site.term)

    def _state_more(self, rows: Sequence[Row], term: int) -> None:
        """State as many more as one turn of the loop has time for, and go on in the next one."""
        site, index = self._site, len(self._statement)
        if (site.term, site.phase) != (term, Phase.STATING):
            return
        first, after = index * MAX_ROWS, (index + 1) * MAX_ROWS
        is_last = after >= len(rows)
        about = site.process, site.term, site.state.basis, site.digest, LEVEL, index, is_last, site.name
        self._statement.append(encode(Roster(*about, rows[first:after])))
        if site.is_open:
            self._log.append(self._statement[-1])
        if not is_last:
            site.loop.call_soon(partial(self._state_more, rows, term))

    def _send_statement(self) -> None:
        self._stated_at = self._site.loop.time()
        if self._site.is_open:
            done = len(self._rosters.get((self._site.process, self._site.term), ()))
            for data in self._statement[done:]:
                self._log.append(data)

    @property
    def _log(self) -> Log:
        return self._site.log

    def opened(self) -> None:
        """The log can be read and written again."""
        if self._site.phase is Phase.ASKING:
            self.entering.ask()
        elif self._site.phase is Phase.STATING:
            self._send_statement()

    def lost(self, why: str) -> None:
        """What comes next from the log does not continue what came before."""
        self._site.tell(Lost(why))
        self._await_others()
        self.entering.forget_log()
        self.start_over(missing=True)

    def received(self, data: bytes) -> None:
        """Take what another node has sent past the log.

        Raises:
            Malformed: if it is not understood.
        """
        message = decode_sent(data)
        if isinstance(message, Next):
            self._donor.give_next(message)
        elif self._site.phase is Phase.ASKING:
            self.entering.received(message)

    def tick(self) -> None:
        """Do what is due."""
        site = self._site
        now = site.loop.time()
        if site.phase is Phase.ASKING:
            self.entering.tick()
            return
        if site.phase is Phase.STATING and now - self._stated_at > RESEND:
            self._send_statement()
        if site.state.is_told:
            site.shown.settle_due(site.state.roster, site.now())

    def _differs(self) -> None:
        self._site.tell(Differs())
        self._retired()

    # What others write, at its place in the log

    def found(self, position: int, found: Found) -> None:
        """The room begins here, empty, if that is so; every node states anew who its members are."""
        site = self._site
        if not self.entering.is_valid(position, found):
            if site.phase is Phase.ASKING:
                self.entering.ask()
            return
        self._await_others()
        if site.phase is not Phase.ASKING:
            self._leave_term()
        self.entering.stop()
        self._missing = False
        self._take_up(State(position), is_founded=True)

    def asked(self, position: int, ask: Ask, node: str) -> None:
        """A node asks: it is not in any more, if it was, and gets the state from those who are."""
        site, state = self._site, self._site.state
        known = state.nodes.get(ask.process)
        if ask.name != node or (known is not None and (known.name != node or known.term >= ask.term)):
            return  # it comes late
        self._witness(ask.process)
        for key in [key for key in self._rosters if key[0] == ask.process and key[1] < ask.term]:
            del self._rosters[key]
        if known is not None:
            del state.nodes[ask.process]
            self._hide(ask.process)
        if site.phase is Phase.IN:
            common = Chunk(position, site.process, state.basis, site.digest, 0, False)
            nodes = [each.row for each in state.nodes.values()]
            self._donor.give(ask, common, nodes, site.ban_rows, site.own_rows)

    def _witness(self, process: int) -> None:
        self._witnessed[process] = None
        forget_oldest(self._witnessed)

    def _hide(self, process: int) -> None:
        """Take out a node's members; most often they are back at once, and nobody here needs to know."""
        members = self._site.state.take_out(process)
        if self._site.state.is_told:
            self._site.shown.hide(members)

    def stated(self, position: int, time: float, roster: Roster, node: str) -> None:
        """A node states who its members are; when that is complete it is in."""
        site, state = self._site, self._site.state
        known = state.nodes.get(roster.process)
        if (roster.basis, roster.name, roster.digest) != (state.basis, node, site.digest):
            return
        if known is not None and (known.name != node or known.term >= roster.term):
            return
        chunks = self._rosters.setdefault((roster.process, roster.term), [])
        forget_oldest(self._rosters, _MOST_STATEMENTS)
        if roster.index == len(chunks):
            chunks.append(roster)
            if roster.is_last:
                del self._rosters[roster.process, roster.term]
                self._come_in(position, time, roster, [row for chunk in chunks for row in chunk.rows])
        elif roster.index > len(chunks) and not (self._is_founded or roster.process in self._witnessed):
            self.start_over(missing=True)  # the first chunks may have come before the state was known

    def _come_in(self, position: int, time: float, roster: Roster, rows: Sequence[Row]) -> None:
        site, state = self._site, self._site.state
        if roster.process in state.nodes:
            del state.nodes[roster.process]
            self._hide(roster.process)
        for other in [each for each in state.nodes.values() if each.name == roster.name]:
            if other.process == site.process:
                site.tell(Replaced())
                self._retired()
                return
            self._remove(other, Gone.REPLACED, time)
        if len(site.heard) > MOST_NODES:  # of those that are not in nothing comes any more
            site.heard = {process: number for process, number in site.heard.items() if process in state.nodes}
        site.seat(roster.process, rows)
        row = NodeRow(roster.process, roster.term, roster.counter, roster.level, roster.name)
        state.nodes[roster.process] = Node(row)
        self._awaited.discard(roster.process)
        if roster.process == site.process:
            # Not one of before, that comes late, nor one that is not its own.
            if (roster.name, roster.term, site.phase) == (site.name, site.term, Phase.STATING):
                self._is_in(position, time, roster, rows)
        elif state.is_told:
            site.shown.expect(state.members_of(roster.process))
            if roster.process not in site.heard:  # nothing of it can be on its way that was done here before
                site.shown.settle(roster.process, state.roster, time)
            site.tell(NodeIn(roster.name, len(rows)))

    def _is_in(self, position: int, time: float, roster: Roster, rows: Sequence[Row]) -> None:
        """The statement of this node is in the log: from here on it is in."""
        site, state = self._site, self._site.state
        site.counter = roster.counter
        self._statement = []
        for place, row in enumerate(rows):
            local = site.locals[row.number]
            local.position, local.place = position, place
        if not state.is_told:
            self._believe(state)
        site.show(state)
        if not self._is_founded:
            for process in state.nodes:
                site.shown.settle(process, state.roster, time)
        self._tell_losers(rows, time)
        if self._missing and not site.is_alone:
            site.room.fanout.to_all(notices.lines_are_missing())
        self._missing = False
        site.phase = Phase.IN
        self._awaited.difference_update(state.nodes)
        self._await_until = site.loop.time() + PATIENCE
        site.tell(Entered(len(state.nodes), len(state.roster)))
        self._entered()

    def _believe(self, state: State) -> None:
        """Note what people here do not know of `state`, which they are about to see."""
        site = self._site
        site.shown.hide(site.room.roster.members)
        site.shown.expect(state.roster.members)

    def _tell_losers(self, rows: Sequence[Row], time: float) -> None:
        """Tell those whose nickname has been taken meanwhile."""
        site = self._site
        for row in rows:
            member = site.state.roster.get(member_id(site.process, row.number))
            if member is not None and row.nickname is not None and member.nickname is None:
                site.room.fanout.to(member.id, room_notices.nickname_in_use(row.nickname))
                event = Renamed(time, member.id, row.nickname, member.name)
                site.room.fanout.to_all(event, but=(member.id,))
                site.room.sink.emit(event)

    # Beats and the dead

    def beat(self) -> Sequence[Dead]:
        """A beat of this node has come back. Return those who said nothing for too many of them."""
        dead: list[Dead] = []
        for node in self._site.state.nodes.values():
            if node.process != self._site.process:
                node.missed += 1
                if node.missed >= MISSED and not node.missed % 2:
                    dead.append(Dead(node.process, node.term, node.counter))
        return dead

    def died(self, dead: Dead, time: float) -> None:
        """A node is dead, if it has written nothing meanwhile."""
        node = self._site.state.nodes.get(dead.process)
        if node is None or (node.term, node.counter) != (dead.term, dead.counter):
            return
        self._witness(dead.process)
        if dead.process == self._site.process and self._site.phase is Phase.IN:
            self._leave_term()
            self._site.state = self._site.state.without(dead.process)
            self._state_members()
        else:
            self._remove(node, Gone.SILENT, time)

    def left(self, process: int, time: float) -> None:
        """A node has said goodbye."""
        self._remove(self._site.state.nodes[process], Gone.GOODBYE, time)

    def _remove(self, node: Node, why: Gone, time: float) -> None:
        site, state = self._site, self._site.state
        del state.nodes[node.process]
        is_told = state.is_told and node.process != site.process
        if is_told:
            site.shown.settle(node.process, state.roster, time)
        members = state.take_out(node.process)
        if is_told:
            site.shown.left([(member.id, member.name) for member in members], time)
            site.tell(NodeGone(node.name, len(members), why))
