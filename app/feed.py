"""From the server's events to the widgets, many at a time."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from ..server.chat import Snapshot
from ..server.chat_server import ChatServer
from ..server.room.events import Event, Joined, Left, Muted, Renamed, Replied
from ..server.room.told import told
from ..widgets.message_log import Entry, Kind, MessageLog
from ..widgets.status_bar import StatusBar
from ..widgets.user_list import UserList
from ..widgets.user_row import User

FRAME = 1 / 15
"""Seconds between two changes of the screen, at least."""

BUSY_FRAME = 1 / 10
"""The same while more is said than anybody could read: drawing takes its time from the chat."""

READABLE_RATE = 2_000
"""How many lines a second the log takes in the long run; what goes beyond is counted, not shown."""

READABLE_BURST = 5_000
"""How many lines it takes at once after a quiet time."""


_OF_USERS = (Joined, Renamed, Muted, Left)

_CROWD = ("chat", "join", "rename", "leave")
"""The kinds of entries that a flood is made of. All others are shown whatever else is going on."""


class Feed:
    """Gathers events and shows them with one change of each widget per frame.

    The server's side only ever appends to a deque (`take`). A frame is drawn when something has come, so an
    idle console does nothing.

    Args:
        log, users, status: the widgets, which need not be on screen before `start`.
        clock: monotonic, in seconds.
    """

    def __init__(
        self,
        log: MessageLog,
        users: UserList,
        status: StatusBar,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._users = users
        self._status = status
        self._clock = clock
        self._events: deque[Event] = deque()
        self._newcomers: dict[int, User] = {}  # who was here before the feed began, to be shown
        self._timer: asyncio.TimerHandle | None = None
        self._context: contextvars.Context | None = None  # the app's, while there is a screen to draw on
        self._drawn_at = self._ticked_at = self._started_at = clock()
        self._frame = FRAME
        self._allowance: float = READABLE_BURST
        self._said = 0  # lines since the last tick

    def start(self) -> None:
        """Draw from now on, starting with what was taken before. Call this where the app's context is set."""
        self._context = contextvars.copy_context()
        if self._events or self._newcomers:
            self._schedule()

    def begin(self, snapshot: Snapshot) -> None:
        """Show what has happened before the feed began to take events."""
        if snapshot.started is not None:
            self.take(snapshot.started)
        now = self._clock()
        for member in snapshot.members:
            self._newcomers[member.id] = User(member.id, member.name, str(member.address), now, member.muted)

    def take(self, event: Event) -> None:
        """Note `event`, to be shown with the next frame."""
        self._events.append(event)
        if self._timer is None:
            self._schedule()

    def tell(self, text: str) -> None:
        """Answer the operator, in the log."""
        self.take(Replied(time.time(), None, text))

    def _schedule(self) -> None:
        # Drawing must run in the app's context, whatever the context of the event.
        if self._context is not None:
            wait = max(0.0, self._drawn_at + self._frame - self._clock())
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(wait, self.draw, context=self._context)

    def draw(self) -> None:
        """Show all that has come since the last frame."""
        self._timer = None
        now = self._clock()
        passed, self._drawn_at = now - self._drawn_at, now
        self._allowance = min(READABLE_BURST, self._allowance + passed * READABLE_RATE)
        taken, self._events = self._events, deque()
        self._change_users(taken, now)
        skipped = self._write(taken)
        self._frame = BUSY_FRAME if skipped else FRAME

    def catch_up(self) -> None:
        """Show at once who is here, after an act of the operator: the next key is for them."""
        if self._timer is not None and any(isinstance(event, _OF_USERS) for event in self._events):
            self._timer.cancel()
            self.draw()

    def tick(self) -> None:
        """Show what changes with time alone; call this once a second."""
        now = self._clock()
        rate = self._said / max(now - self._ticked_at, FRAME)
        self._said = 0
        self._ticked_at = now
        self._status.show(rate=rate, uptime=now - self._started_at)
        self._users.tick()

    def close(self) -> None:
        """Draw no more."""
        self._context = None
        if self._timer is not None:
            self._timer.cancel()

    def _change_users(self, events: deque[Event], now: float) -> None:
        """Show who is here after `events`. Who came and went among them is never shown."""
        added, self._newcomers = self._newcomers, {}
        changed: dict[int, User] = {}
        removed: set[int] = set()
        for event in events:
            match event:
                case Joined(_, member_id, address):
                    added[member_id] = User(member_id, str(address), str(address), now)
                case Renamed(_, member_id) | Muted(_, member_id):
                    if user := added.get(member_id):
                        added[member_id] = _changed(user, event)
                    elif user := changed.get(member_id) or self._users.users.get(member_id):
                        changed[member_id] = _changed(user, event)
                case Left(_, member_id):
                    if not added.pop(member_id, None):
                        removed.add(member_id)
                case _:
                    pass
        if added or changed or removed:
            self._users.apply(added.values(), changed.values(), removed)
            self._users.border_title = f"Users ({self._users.count})"
            self._status.show(users=self._users.count)

    def _write(self, events: deque[Event]) -> int:
        """Append `events` to the log, the newest as far as allowed; return how many were skipped."""
        entries: list[Entry] = []  # newest first
        skipped = gap = 0
        at = 0.0
        for event in reversed(events):
            telling = told(event)
            kind, texts = telling.kind, telling.texts(event)
            if kind == "chat":
                self._said += len(texts)
            room = int(self._allowance)
            shown = texts[max(0, len(texts) - room) :] if kind in _CROWD else texts
            if missing := len(texts) - len(shown):
                if not skipped:
                    gap, at = len(entries) + len(shown), event.time
                skipped += missing
            if shown:
                author = telling.author(event)
                entries += [Entry(event.time, Kind(kind), author, text) for text in reversed(shown)]
            self._allowance -= len(shown)
        if skipped:
            text = f"{skipped:,} lines not shown: too many at once"
            entries.insert(gap, Entry(at, Kind.NOTICE, "", text))
        self._log.write_entries(entries[::-1])
        return skipped


def _changed(user: User, event: Renamed | Muted) -> User:
    return replace(user, name=event.new) if isinstance(event, Renamed) else replace(user, muted=event.muted)


def endpoints(server: ChatServer) -> str:
    """Where people connect to."""
    return " ".join(map(str, server.endpoints))


def alert(server: ChatServer) -> str:
    """What the operator must not forget of who can join; empty where only this machine can."""
    if not server.is_public:
        return ""
    return "public" if server.settings.encrypted else "public, not encrypted"
