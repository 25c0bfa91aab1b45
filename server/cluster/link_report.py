"""What the operator is told of the other nodes and the link to them: news as events."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from ..repeats import Repeats
from ..room.events import Linked
from ..timing import Loop, Timer
from . import notices
from .news import (
    Alone,
    Behind,
    Differs,
    EngineRefuses,
    Entered,
    Lost,
    News,
    NodeGone,
    NodeIn,
    Reachable,
    Refused,
    Replaced,
    Silent,
    Together,
    Unreachable,
    Works,
)

_UNEASY = 1.0  # seconds for which the engine may be out of reach before the operator is told
_AGAIN = 60.0  # seconds until the operator is told once more


class LinkReport:
    """Makes events of news. What happens over and over is told once a minute.

    Args:
        node: this node's name.
        nodes: returns how many nodes are in.
        emit: takes the events.
        now: the wall clock, in seconds since the epoch.
        loop: provides the timers.
    """

    def __init__(
        self,
        node: str,
        nodes: Callable[[], int],
        emit: Callable[[Linked], object],
        now: Callable[[], float],
        loop: Loop,
    ) -> None:
        self._node = node
        self._nodes = nodes
        self._emit = emit
        self._now = now
        self._loop = loop
        self._trouble = ""
        self._why = ""  # the engine cannot be reached
        self._reminder: Timer | None = None
        self._seconds = 0.0  # by which this node is behind
        self._is_closed = False
        self._repeats: Repeats[Refused | EngineRefuses | type[Behind]] = Repeats(self._tell_repeated, loop)

    def take(self, news: News) -> None:
        """Tell the operator of `news`, unless it is closed."""
        if self._is_closed:
            return
        match news:
            case Entered(nodes, users):
                self._tell(notices.entered(nodes, users), trouble="")
            case NodeIn(node, users):
                self._tell(notices.node_is_in(node, users))
            case NodeGone(node, users, why):
                self._tell(notices.node_is_gone(node, users, why.value))
            case Silent():
                self._tell(notices.link_is_silent(), trouble=notices.silent())
            case Works(seconds):
                self._tell(notices.link_works(seconds), trouble="")
            case Alone(users):
                self._tell(notices.cut_off(users), trouble=notices.alone())
            case Together(users):
                self._tell(notices.link_is_back(users))
            case Lost(why):
                self._tell(notices.log_was_lost(why))
            case Replaced():
                self._tell(notices.was_replaced(self._node))
            case Differs():
                self._tell(notices.differs())
            case Refused() | EngineRefuses():
                self._repeats.add(news)
            case Behind(seconds):
                self._seconds = seconds
                self._repeats.add(Behind)
            case Unreachable(why):
                self._why = why
                if self._reminder is None:
                    self._reminder = self._loop.call_later(_UNEASY, self._remind)
            case Reachable():
                self._stop_reminding()
            case _:
                assert_never(news)

    def close(self) -> None:
        """Tell what has not been told, and nothing more."""
        self._is_closed = True
        self._stop_reminding()
        self._repeats.close()

    def _stop_reminding(self) -> None:
        if self._reminder is not None:
            self._reminder.cancel()
            self._reminder = None

    def _remind(self) -> None:
        self._reminder = self._loop.call_later(_AGAIN, self._remind)
        self._tell(notices.unreachable(self._why))

    def _tell_repeated(self, what: Refused | EngineRefuses | type[Behind], count: int) -> None:
        match what:
            case Refused(node, why):
                self._tell(notices.ignored(count, node, why))
            case EngineRefuses(why):
                self._tell(notices.engine_refuses(why))
            case _:
                self._tell(notices.is_behind(self._seconds))

    def _tell(self, text: str, *, trouble: str | None = None) -> None:
        self._trouble = self._trouble if trouble is None else trouble
        self._emit(Linked(self._now(), text, self._nodes(), self._trouble))
