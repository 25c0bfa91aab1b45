"""From the server's events to the widgets, many at a time."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from ..server.chat_server import ChatServer
from ..server.room import notices
from ..server.room.events import (
    Event,
    Failed,
    Joined,
    LeaveReason,
    Left,
    MessagedOperator,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    QuitRequested,
    Refused,
    Renamed,
    Replied,
    Said,
    Started,
)
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
        self._timer: asyncio.TimerHandle | None = None
        self._context: contextvars.Context | None = None  # the app's, while there is a screen to draw on
        self._drawn_at = self._ticked_at = self._started_at = clock()
        self._frame = FRAME
        self._allowance: float = READABLE_BURST
        self._said = 0  # lines since the last tick

    def start(self) -> None:
        """Draw from now on, first what was taken before. To be called where the app's context is set."""
        self._context = contextvars.copy_context()
        if self._events:
            self._schedule()

    def take(self, event: Event) -> None:
        """Note `event`, to be shown with the next frame."""
        self._events.append(event)
        if self._timer is None:
            self._schedule()

    def tell(self, text: str) -> None:
        """Answer the operator, in the log."""
        self.take(Replied(time.time(), text))

    def _schedule(self) -> None:
        # What draws must run in the app's context, whoever it was that took the event.
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
        """Show what changes with time alone; to be called once a second."""
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
        added: dict[int, User] = {}
        changed: dict[int, User] = {}
        removed: set[int] = set()
        for event in events:
            match event:
                case Joined(_, member_id, address):
                    added[member_id] = User(member_id, address, address, now)
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
            if isinstance(event, Said):
                self._said += len(event.texts)
            room = int(self._allowance)
            shown = _entries(event, room) if room > 0 or _is_operators(event) else []
            if missing := _size(event) - len(shown):
                if not skipped:
                    gap, at = len(entries) + len(shown), event.time
                skipped += missing
            entries += reversed(shown)
            self._allowance -= len(shown)
        if skipped:
            text = f"{skipped:,} lines not shown: too many at once"
            entries.insert(gap, Entry(at, Kind.NOTICE, "", text))
        self._log.write_entries(entries[::-1])
        return skipped


def _changed(user: User, event: Renamed | Muted) -> User:
    return replace(user, name=event.new) if isinstance(event, Renamed) else replace(user, muted=event.muted)


def history(server: ChatServer) -> list[Event]:
    """What has happened on `server` so far, as far as it still matters."""
    now = time.time()
    events: list[Event] = [Started(now, server.addresses, server.port)]
    for member in server.members:
        events.append(Joined(now, member.id, member.address))
        if member.nickname:
            events.append(Renamed(now, member.id, member.address, member.nickname))
        if member.muted:
            events.append(Muted(now, member.id, member.name, True))
    return events


def endpoints(server: ChatServer) -> str:
    """Where people connect to."""
    hosts = (f"[{address}]" if ":" in address else address for address in server.addresses)
    return " ".join(f"{host}:{server.port}" for host in hosts)


def alert(server: ChatServer) -> str:
    """What the operator must not forget of who can join; empty where only this machine can."""
    if not server.is_public:
        return ""
    return "public" if server.settings.encrypted else "public, not encrypted"


def _is_operators(event: Event) -> bool:
    """Whether `event` is shown whatever else is going on."""
    return not isinstance(event, Said | Joined | Left | Renamed)


def _size(event: Event) -> int:
    """How many entries `event` makes."""
    match event:
        case Said():
            return len(event.texts)
        case _:
            return len(_entries(event))


def _entries(event: Event, most: int | None = None) -> list[Entry]:
    """The entries that `event` makes in the log; of a `Said` only the last `most`."""
    match event:
        case Said(at, _, name, texts):
            return [Entry(at, Kind.CHAT, name, text) for text in texts[-most if most else 0 :]]
        case Joined(at, _, address):
            return [Entry(at, Kind.JOIN, "", notices.welcome(address))]
        case Renamed(at, _, old, new):
            return [Entry(at, Kind.RENAME, "", notices.is_now(old, new))]
        case Left(at, _, name, reason, remark):
            why = reason.value + (f": {remark}" if remark else "")
            text = notices.has_left(name) + ("" if reason is LeaveReason.QUIT else f" ({why})")
            return [Entry(at, Kind.LEAVE, "", text)]
        case MessagedOperator(at, _, name, text):
            return [Entry(at, Kind.PRIVATE, f"{name}(private)", text)]
        case OperatorSaid(at, text):
            return [Entry(at, Kind.OPERATOR, notices.OPERATOR, text)]
        case OperatorMessaged(at, recipient, text, count):
            sent = Entry(at, Kind.REPLY, "", notices.message_sent(count, recipient))
            return [Entry(at, Kind.PRIVATE, f"{notices.OPERATOR} (private to {recipient})", text), sent]
        case Replied(at, text):
            return [Entry(at, Kind.REPLY, "", line) for line in text.split("\n")]
        case Muted(at, _, name, muted, seconds):
            text = notices.is_muted(name, seconds) if muted else notices.is_heard(name)
            return [Entry(at, Kind.NOTICE, "", text)]
        case Refused(at, count, why, host):
            return [Entry(at, Kind.NOTICE, "", notices.refused(count, why, host))]
        case Failed(at, where, error):
            return [Entry(at, Kind.ERROR, "", notices.failed(where, error))]
        case Started(at, _, port):
            return [Entry(at, Kind.NOTICE, "", notices.server_started(port))]
        case QuitRequested():
            return []
