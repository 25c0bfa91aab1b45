"""Going on without the others while the log is silent, and being with them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..room.entries import Ban, Unban
from . import notices
from .entering import ANSWER
from .membership import Membership
from .news import Alone as IsAlone
from .news import Silent, Together, Works
from .operations import ELSEWHERE, Operation
from .outgoing import Input
from .site import Phase, Site
from .state import State

HOLD = 10.0
"""How many seconds lines wait for the log before a node goes on alone: an election may take 9."""

_LONGEST_TICK = 0.5  # seconds that count
_UNEASY = 1.0  # seconds of silence after which the operator is told


class Alone:
    """Notices that the log is silent, and lets the node go on with its own members.

    Args:
        site: the node.
        membership: asks for the state meanwhile.
        do: does an input at once, here only.
        put: lets something have its turn on all nodes.
        hold: how many seconds lines wait before that.
    """

    def __init__(
        self,
        site: Site,
        membership: Membership,
        do: Callable[[Input], None],
        put: Callable[[Operation], None],
        hold: float,
    ) -> None:
        self._site = site
        self._membership = membership
        self._do = do
        self._put = put
        self._hold = hold
        self._since: float | None = None  # since when what is on its way has been so, and for how long
        self._waited = 0.0
        self._ticked_at = site.loop.time()
        self._silent_since: float | None = None  # once the operator has been told
        self._is_returning = False  # in again, and the others are still coming
        self._has_been_in = False
        self._is_told = False  # to the users here that it is cut off
        self._bans: list[Ban | Unban] = []

    @property
    def takes_inputs(self) -> bool:
        """Whether an input is done at once and here only."""
        return self._site.is_alone and self._site.phase is Phase.ASKING

    def done(self, item: Input) -> None:
        """Note what was done here only, as far as the others must know of it later."""
        if isinstance(item.operation, Ban | Unban):
            self._bans.append(replace(item.operation, session_id=ELSEWHERE))

    def tick(self) -> None:
        """Do what is due."""
        site = self._site
        self._measure()
        if site.is_alone:
            since = self._membership.stated_since
            if site.phase is Phase.STATING and site.loop.time() - since > ANSWER:
                self._membership.start_over()
            if self.takes_inputs:
                self.do_all()
        elif self._may_be_cut_off and self._waited >= self._hold:
            self.cut_off()
        elif self._may_be_cut_off and self._waited >= _UNEASY and self._silent_since is None:
            self._silent_since = site.loop.time() - self._waited
            site.tell(Silent())
        if self._is_returning and not self._membership.is_awaiting:
            self._be_together()

    @property
    def _may_be_cut_off(self) -> bool:
        """Whether anybody waits for the log: not while the node has never been in, and has no users."""
        return self._has_been_in or bool(self._site.locals)

    def _measure(self) -> None:
        """Measure for how long the log has been silent, but for times when the loop itself stood still."""
        since, now = self._waits_since(), self._site.loop.time()
        if since is None or since != self._since:
            self._waited = 0.0
        else:
            self._waited += min(now - self._ticked_at, _LONGEST_TICK)
        self._since, self._ticked_at = since, now

    def _waits_since(self) -> float | None:
        """Since when what this node has put into the log has not come back."""
        if self._site.phase is not Phase.IN:
            return self._site.phase_since
        flight = self._site.outgoing.flight
        return flight.since if flight else None

    def moved(self) -> None:
        """What this node has put into the log has come back."""
        since, self._silent_since = self._silent_since, None
        if since is not None:
            self._site.tell(Works(self._site.loop.time() - since))

    def cut_off(self) -> None:
        """Go on with those who are here."""
        site, roster, now = self._site, self._site.room.roster, self._site.now()
        away = site.shown.believed(site.state.roster if site.state.is_told else roster)
        state = State()
        rows = site.own_rows
        site.is_alone, self._is_returning, self._silent_since = True, False, None
        site.shown.forget()
        site.shown.is_quiet = True
        self._membership.cut_off(state)
        site.seat(site.process, rows)
        self._is_told = bool(away)
        if away:
            site.room.fanout.to_all(notices.cut_off(len(away)))
        site.shown.left(list(away.items()), now)
        site.tell(IsAlone(len(away)))
        self.do_all()

    def do_all(self) -> None:
        """Do here only what was to be done on all nodes."""
        for item in self._site.outgoing.take_all():
            self._do(item)

    def entered(self) -> None:
        """The node is in."""
        site = self._site
        self._has_been_in = True
        self.moved()
        if site.is_alone:
            site.is_alone = False
            self._is_returning = True
            bans, self._bans = self._bans, []
            for ban in bans:
                self._put(ban)

    def _be_together(self) -> None:
        site = self._site
        self._is_returning = False
        site.shown.settle_all(site.state.roster, site.now())  # the line that follows is for all who are here
        site.shown.is_quiet = False
        if self._is_told or site.others:
            site.room.fanout.to_all(notices.link_is_back(site.others))
        site.tell(Together(site.others))
