"""What the operator does in the log: find, point, go to what calls for attention, and save."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from ..widgets.entry import Entry, Kind
from ..widgets.find_bar import FindBar
from ..widgets.moments import clock
from ..widgets.search import Query
from .feed import Feed
from .panes import Panes
from .saving import CannotSave, Saver

GONE = "this user"
"""Stands for the name of one who has left, where the log does not have it."""


class Reading:
    """Leads through the log, and from a line to its author.

    Args:
        panes: the log, who is here, and where to tell what came of it.
        find_bar: where one types what to find in the log.
        feed: knows what calls for attention.
    """

    def __init__(self, panes: Panes, find_bar: FindBar, feed: Feed) -> None:
        self._log = panes.messages
        self._find_bar = find_bar
        self._users = panes.users
        self._feed = feed
        self._say = panes.answers.say
        self._saver = Saver()

    def find(self) -> None:
        """Look for something in the log."""
        self._find_bar.open()

    def find_all_of(self, user_id: int) -> None:
        """Show all lines from and about one user."""
        user = self._users.users.get(user_id)
        # Also of one who has left in the meantime: the lines are still there.
        name = user.name if user is not None else name_in(self._log.entries, user_id) or GONE
        self._find_bar.open(Query.of_user(user_id, name))

    def point(self, entry: Entry | None) -> None:
        """Select the author of the entry that is pointed at; if it is gone, tell when it left, and how."""
        if entry is None or entry.who is None:
            return
        self._users.selected = entry.who if entry.who in self._users.users else None
        if self._users.selected is None and (left := self._departure(entry.who)):
            self._say(left, error=True)

    def tell_unselected(self, last: int | None) -> None:
        """Tell that nobody is selected, and of the `last` who was, if it is gone, when it left, and how."""
        gone = None if last is None or last in self._users.users else self._departure(last)
        self._say(f"{gone}; nobody is selected" if gone else "nobody is selected", error=True)

    def _departure(self, user_id: int) -> str:
        """Return when a user left, and how; empty if the log does not have it."""
        left = departure(self._log.entries, user_id)
        return f"{left.text} at {clock(left.time, time.time())}" if left else ""

    def next(self) -> None:
        """Select who floods the chat; then go through what came while the operator was away."""
        flooder = next((who for who in self._feed.flooders if who in self._users.users), None)
        if flooder is not None and flooder != self._users.selected:
            self._users.selected = flooder
            return
        while (serial := self._feed.away.next_place()) is not None:
            if self._log.entry(serial) is not None:
                self._log.go_to(serial)
                self._log.pointer = serial
                return
        floods = "nobody floods, and" if flooder is None else "who floods is selected;"
        self._say(f"{floods} nothing more came while you were away", error=True)

    async def save(self, file: str = "") -> None:
        """Write what the log shows to a new file: all that is kept, or the hits alone, once all are found."""
        if self._log.only:
            await self._find_bar.searched()
        try:
            saved = await self._saver.save(list(self._log.shown_entries), file, now=time.time())
        except CannotSave as error:
            self._say(str(error), error=True)
        else:
            self._say(saved.told)


def departure(entries: Sequence[Entry], user_id: int) -> Entry | None:
    """Return the entry that tells of a user's leaving, if it is among `entries`."""
    for entry in _each(reversed(entries)):
        if entry.kind is Kind.LEAVE and entry.who == user_id:
            return entry
    return None


def name_in(entries: Sequence[Entry], user_id: int) -> str:
    """Return the name in front of the last line of a user among `entries`; empty if there is none."""
    for entry in _each(reversed(entries)):
        if entry.who == user_id and entry.sender and entry.kind is not Kind.SENT:
            return entry.sender
    return ""


def _each(entries: Iterable[Entry]) -> Iterable[Entry]:
    """Yield `entries`, the newest first, and instead of those that stand for others the others."""
    for entry in entries:
        yield from reversed(entry.folded) if entry.folded else (entry,)
