"""From the server's events to the widgets, many at a time."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ..server.chat import Snapshot
from ..server.chat_server import ChatServer
from ..server.room.events import (
    Event,
    Joined,
    Left,
    Linked,
    Messaged,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Outcome,
    Recording,
    Renamed,
    Replied,
    Said,
)
from ..server.settings import Settings
from ..widgets.activity import Activity
from ..widgets.message_log import MessageLog
from ..widgets.status_bar import StatusBar
from ..widgets.user_list import UserList
from ..widgets.user_row import User
from .attendance import NodeOf, change, here_alone, present
from .away import Away
from .inbox import Inbox
from .log_writer import LogWriter

FRAME = 1 / 15
"""Seconds between two changes of the screen, at least."""

BUSY_FRAME = 1 / 4
"""The same while more is said than anybody could read: drawing takes its time from the chat."""

AT_ONCE = 256
"""How many events are shown in one turn of the loop, not counting what is said to everybody: 10 ms' worth."""

RATE_EVERY = 5.0
"""Seconds between two changes of the rate in the status, at least."""

_BY_OPERATOR = (Joined, Renamed, Muted, Left, Replied, OperatorSaid, OperatorMessaged)
"""What an operator's command brings about."""


class Clocks(NamedTuple):
    """How a feed knows the time."""

    monotonic: Callable[[], float] = time.monotonic
    """In seconds."""
    wall: Callable[[], float] = time.time
    """In seconds since the epoch."""


_CLOCKS = Clocks()


class Feed:
    """Gathers events and shows them with one change of each widget per frame.

    The server's side only ever appends to a deque (`take`). A frame is drawn when something has come, so an
    idle console does nothing.

    Args:
        log, users, status: the widgets, which need not be on screen before `start`.
        activity: counts who says how much.
        clocks: for others than the real ones.
        node_of: tells which users are connected to other nodes of a cluster.
    """

    def __init__(
        self,
        log: MessageLog,
        users: UserList,
        status: StatusBar,
        activity: Activity,
        clocks: Clocks = _CLOCKS,
        node_of: NodeOf = here_alone,
    ) -> None:
        self._log = log
        self._users = users
        self._status = status
        self._activity = activity
        self._clock, self._wall_clock = clocks
        self._node_of = node_of
        self.inbox = Inbox()
        """The private lines that wait for an answer."""
        self.away = Away(self._wall_clock())
        """Where to go after an absence."""
        self.noted: Callable[[Sequence[Event]], object] = lambda events: None
        """Is called in each frame with the events that it has shown."""
        self.answered: Callable[[str, bool], object] = lambda text, refused: None
        """Is called with each answer to the operator, and whether nothing was done."""
        self.called: Callable[[int], object] = lambda member_id: None
        """Is called in each frame that brings private lines, with the member that wrote the last one."""
        self._writer = LogWriter(log, self._activity.rate, self.away)
        self._events: deque[Event] = deque()
        self._numbers: deque[int] = deque()  # which line of the archive each of them is
        self._newcomers: dict[int, User] = {}  # who was here before the feed began, to be shown
        self._timer: asyncio.TimerHandle | None = None
        self._context: contextvars.Context | None = None  # the app's, while there is a screen to draw on
        self._drawn_at = self._started_at = self._clock()
        self._rated_at = self._started_at - RATE_EVERY
        self._frame = FRAME
        self._first_names: dict[int, str] = {}  # of those, until each is told of otherwise
        self._joined = self._lines = 0
        self._not_written: set[str] = set()
        self._link_trouble = ""

    def start(self) -> None:
        """Draw from now on, starting with what was taken before. Call this where the app's context is set."""
        self._context = contextvars.copy_context()
        if self._events or self._newcomers:
            self._schedule()

    def begin(self, snapshot: Snapshot, *, archived: bool = False) -> None:
        """Show what has happened before the feed began to take events.

        Args:
            archived: whether the log's archive already has the start.
        """
        if snapshot.started is not None and not archived:
            self.take(snapshot.started)
        self._newcomers = present(snapshot, self._clock(), self._node_of)
        self._joined = len(self._newcomers)
        self._first_names = {user.id: user.name for user in self._newcomers.values()}

    def take(self, event: Event, number: int = 0) -> None:
        """Note `event`, to be shown with the next frame.

        Args:
            number: which line of the archive the last one of the event is; 0 if it has none.
        """
        if self._first_names and self._is_known(event):
            return
        self._events.append(event)
        self._numbers.append(number)
        if self._timer is None:
            self._schedule()

    def _is_known(self, event: Event) -> bool:
        """Whether the feed began with what `event` tells: in a cluster many are told of slice by slice."""
        names = self._first_names
        match event:
            case Joined(_, member_id) | Muted(_, member_id, is_old=True):
                return member_id in names
            case Renamed(_, member_id, old, name) if old != name == names.get(member_id):
                return True
            case Renamed(_, member_id) | Left(_, member_id):
                names.pop(member_id, None)
            case _:
                pass
        return False

    def tell(self, text: str) -> None:
        """Answer the operator, in the log too."""
        self.take(Replied(self._wall_clock(), None, text))

    def focus(self, has: bool) -> None:
        """Note that the terminal got or lost the focus."""
        if rule := self.away.focus(has, self._wall_clock()):
            self._log.replace(*rule)

    def key(self) -> None:
        """Note that the operator is there: a key was pressed, or a button of the mouse."""
        if rule := self.away.key(self._wall_clock()):
            self._log.replace(*rule)

    @property
    def flooders(self) -> list[int]:
        """Who has flooded within the last minute, the latest to begin first: ids of users."""
        return self._writer.floods.flooders(self._clock())

    @property
    def totals(self) -> tuple[float, int, int]:
        """For how many seconds the feed has run, how many users there were, and how many lines they said."""
        return self._clock() - self._started_at, self._joined, self._lines

    def _schedule(self, *, at_once: bool = False) -> None:
        # Drawing must run in the app's context, whatever the context of the event.
        if self._context is not None:
            if self._timer is not None:
                self._timer.cancel()
            wait = 0.0 if at_once else max(0.0, self._drawn_at + self._frame - self._clock())
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(wait, self.draw, context=self._context)

    def draw(self) -> None:
        """Show all that has come since the last frame, or of a crowd that comes or goes a part."""
        self._timer = None
        now = self._clock()
        passed, self._drawn_at = now - self._drawn_at, now
        taken, numbers, left = self._take_part()
        rare = self._count(taken, now)
        added, self._newcomers = self._newcomers, {}
        wall_time = self._wall_clock()
        if changes := change(rare, self._users.users, added, now, wall_time, self._node_of):
            self._users.apply(changes.added.values(), changes.changed.values(), changes.removed)
            self._status.show(users=self._users.count)
        written = self._writer.write(taken, passed, now, wall_time, numbers)
        self._frame = BUSY_FRAME if written.skipped else FRAME
        self._settle(taken, rare, written.private)
        self.show_chips()
        if written.private:
            self.called(written.private[-1][0])
        if left:
            self._schedule(at_once=True)

    def _take_part(self) -> tuple[Sequence[Event], Sequence[int], bool]:
        """Take the events of this turn, and return them, their numbers, and whether there are others."""
        rare = 0
        for place, event in enumerate(self._events):
            rare += not isinstance(event, Said)
            if rare > AT_ONCE:
                taken = [self._events.popleft() for _ in range(place)]
                return taken, [self._numbers.popleft() for _ in range(place)], True
        taken, self._events = self._events, deque()
        numbers, self._numbers = self._numbers, deque()
        return taken, numbers, False

    def catch_up(self) -> None:
        """Show at once what came of an act of the operator: the next key is for that."""
        if self._timer is not None and any(isinstance(event, _BY_OPERATOR) for event in self._events):
            self._timer.cancel()
            self.draw()

    def tick(self) -> None:
        """Show what changes with time alone; call this once a second."""
        now = self._clock()
        self._status.show(uptime=now - self._started_at)
        if now - self._rated_at >= RATE_EVERY:
            self._rated_at = now
            self._status.show(rate=self._activity.room_rate(now), history=self._activity.room_history(now))
        self._writer.floods.flooders(now)  # forgets those that are over
        self.show_chips()
        self._users.tick()

    def show_chips(self) -> None:
        """Show in the status what waits for the operator: unanswered private lines, and floods."""
        floods = self._writer.floods
        newest = floods.newest()
        user = None if newest is None else self._users.users.get(newest)
        self._status.show(private=self.inbox.count, flood=user.name if user else "", floods=floods.count)

    def close(self) -> None:
        """Draw no more."""
        self._context = None
        if self._timer is not None:
            self._timer.cancel()

    def _count(self, events: Iterable[Event], now: float) -> list[Event]:
        """Count who says how much in `events`, and return those that say nothing to everybody."""
        rare: list[Event] = []
        lines: dict[int, int] = {}
        for event in events:
            if isinstance(event, Said):
                lines[event.member_id] = lines.get(event.member_id, 0) + len(event.texts)
            else:
                rare.append(event)
        self._lines += sum(lines.values())
        for event in rare:
            if isinstance(event, Messaged):
                lines[event.member_id] = lines.get(event.member_id, 0) + 1
            elif isinstance(event, Joined):
                self._joined += 1
        for member_id, count in lines.items():
            self._activity.said(member_id, count, now)
        return rare

    def _settle(
        self, events: Sequence[Event], rare: Iterable[Event], private: Iterable[tuple[int, int]]
    ) -> None:
        """Note what is over by `events`, and tell the operator what came of its commands.

        `rare` are those of them that say nothing to everybody; `private` has a member and a serial for each
        private line.
        """
        arrivals = iter(private)
        for event in rare:
            match event:
                case Messaged():
                    # In turn: what comes after an answer waits for the next one.
                    self.inbox.arrived(*next(arrivals))
                case Left(_, member_id):
                    self._activity.left(member_id)
                    self.inbox.left(member_id)
                    self._writer.forget(member_id)
                case Muted(_, member_id, _, True):
                    self._writer.floods.forget(member_id)
                case Recording():
                    (self._not_written.discard if event.ok else self._not_written.add)(event.what)
                    self._show_trouble()
                case Linked(nodes=nodes, trouble=trouble):
                    self._link_trouble = trouble
                    self._status.show(nodes=nodes)
                    self._show_trouble()
                case OperatorMessaged():
                    for member_id in event.member_ids:
                        self.inbox.answered(member_id)
                case _:
                    pass
        self.noted(events)
        for event in rare:
            if isinstance(event, Replied):
                self.answered(event.brief or event.text, event.outcome is Outcome.REFUSED)

    def _show_trouble(self) -> None:
        files = " and ".join(sorted(self._not_written))
        troubles = (self._link_trouble, f"{files} not written" if files else "")
        self._status.show(trouble=" · ".join(filter(None, troubles)))


def elsewhere(server: ChatServer) -> NodeOf:
    """What tells which users are connected to other nodes than `server`."""

    def node_of(user_id: int) -> str:
        node = server.node_of(user_id)
        return "" if node == server.node else node

    return node_of


def endpoints(server: ChatServer) -> str:
    """Where people connect to."""
    return " ".join(map(str, server.endpoints))


def alert(server: ChatServer) -> str:
    """What the operator must not forget of who can join; empty where only this machine can."""
    if not server.is_public:
        return ""
    return "public" if server.settings.encrypted else "public, not encrypted"


def recorded_in(settings: Settings) -> str:
    """What the operator is told of where the chat is recorded; empty if it is not."""
    if settings.history_file is not None:
        return settings.history_file.name
    return "log" if settings.recorded else ""
