"""Finding lines of the log: what is looked for is typed here, and the log shows what is found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Label

from ..server.room.text import clean
from .counts import count_text
from .find_line import FindLine
from .find_rule import FindRule
from .message_log import SLICE, MessageLog
from .moments import clock as clock_text
from .older_hits import OlderHits
from .query import Query
from .search import Search

PAUSE = 0.002
"""Seconds for everything else on the loop between two slices of a search."""

TYPING = 0.08
"""Seconds without a key after which the archive is searched."""


class FindBar(Vertical):
    """Two rows: how many lines are found, and a line to type in what is looked for.

    It is hidden until `open` is called. While it is open, the log's hits are those of what is typed, and the
    keys go from one to the next. It closes when the focus goes elsewhere.

    Args:
        log: where lines are found.
        clock: the time in seconds since the epoch.
    """

    DEFAULT_CSS = """
    FindBar {
        height: 2;
        display: none;
        & Horizontal { height: 1; }
        & Label { width: auto; }
    }
    """

    @dataclass
    class Closed(Message):
        """Nothing is looked for any more."""

        find_bar: FindBar
        escaped: bool
        """Whether that was by Escape, so that the focus is still to go somewhere."""

        @property
        def control(self) -> FindBar:
            """The bar that was closed."""
            return self.find_bar

    def __init__(
        self,
        log: MessageLog,
        *,
        clock: Callable[[], float] = time.time,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._log = log
        self._clock = clock
        self._rule = FindRule()
        self._line = FindLine(self)
        self._query = Query()
        self._search: Search | None = None
        self._older: OlderHits | None = None
        self._current: int | None = None
        self._origin = 0  # the entry from which on older ones are looked for
        self._is_looking = False  # whether the first hit is still to be found
        self._timer: Timer | None = None
        self._pause: Timer | None = None  # until the archive is searched
        self._is_idle = asyncio.Event()  # is set while no search goes on
        self._is_idle.set()
        self._behind = False  # whether it is going to look at what has come to the log
        self._next_act: Callable[[], None] | None = None  # what a key does once there is a hit, or none

    def compose(self) -> ComposeResult:
        """Lay out the two rows."""
        yield self._rule
        with Horizontal():
            yield Label("find › ", markup=False)  # noqa: RUF001
            yield self._line

    def on_mount(self) -> None:
        """Keep up with the log."""
        self.watch(self._log, "revision", self._on_revision, init=False)

    # Opening and closing

    @property
    def is_open(self) -> bool:
        """Whether it is on the screen."""
        return self._search is not None

    @property
    def is_searching(self) -> bool:
        """Whether some lines have not been looked at yet."""
        return self._search is not None and not self._is_done(self._search)

    def _is_done(self, search: Search) -> bool:
        return search.is_done and (self._older is None or self._older.is_done)

    async def searched(self) -> None:
        """Wait until all lines have been looked at, or nothing is looked for any more."""
        await self._is_idle.wait()

    def open(self, query: Query | str = "") -> None:
        """Take the focus and look for `query`, or for what was looked for last if it is empty."""
        self._origin = self._log.last_in_view
        self.display = True
        if isinstance(query, Query):
            self._line.show("", clean(query.text))
            self._look_for(query)
        else:
            self._line.show(query or self._line.value, "")
            self._look_for(self._parse())
        self.screen.set_focus(self._line)

    def _parse(self) -> Query:
        return Query.parse(self._line.value, self._clock())

    def close(self, *, escaped: bool = False) -> None:
        """Leave the log where it is, with all of its lines."""
        if self.is_open:
            self._search = None
            self._stop()
            self._leave_archive()
            self._is_idle.set()
            self._log.show_hits(None)
            self.display = False
            self.post_message(self.Closed(self, escaped))

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Close when another pane gets the focus, unless the whole app loses it or a dialog opens."""
        self.call_after_refresh(self._close_if_left)

    def _close_if_left(self) -> None:
        focused = self.screen.focused
        if focused is not None and self not in focused.ancestors_with_self:
            self.close()

    # Searching

    @on(Input.Changed)
    def _change(self, event: Input.Changed) -> None:
        event.stop()
        self._read()

    def _read(self) -> None:
        """Look for what is typed now; until something is, the query that was opened stays."""
        if self.is_open and self._line.value != self._query.text and not self._line.placeholder:
            self._look_for(self._parse())

    def _look_for(self, query: Query) -> None:
        """Begin to look for `query`, and go to the newest hit at or above the place where it all began."""
        self._query, self._current, self._next_act = query, None, None
        self._is_looking = query.time is None
        if query.time is not None:
            self._log.only = False
        self._leave_archive()
        search = self._search = self._log.find(query)
        if self._log.archive is not None and query:
            self._older = OlderHits(self._log.archive, search, self._found_older)
            self._pause = self.set_timer(TYPING, self._search_archive)
        self._log.show_hits(search)
        if query.time is not None:
            self._log.find_time(query.time, partial(self._arrive, search))
        self._go_on()

    def _arrive(self, search: Search, serial: int | None) -> None:
        if search is self._search:
            self._current = serial
            self._show_count()

    def _search_archive(self) -> None:
        """Go on in the archive, once all entries have been looked at: until then some may be dropped."""
        if self._older is not None and self._search is not None:
            if self._search.is_done:
                self._older.begin(self._log.scrollback.past.end)
            else:
                self._pause = self.set_timer(PAUSE, self._search_archive)

    def _found_older(self) -> None:
        self._log.refresh_hits()
        self._go_on()

    def _leave_archive(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        if self._older is not None:
            self._older.end()
        self._pause = self._older = None
        self._log.scrollback.past.kept.clear()

    def _go_on(self) -> None:
        """Search for a while, and show what is found."""
        self._stop()
        search = self._search
        if search is None:
            return
        if not search.is_done:
            if not search.step(SLICE):
                self._timer = self.set_timer(PAUSE, self._go_on)
            self._log.refresh_hits()
        done = self._is_done(search)
        (self._is_idle.set if done else self._is_idle.clear)()
        self._settle(search, done=done)
        self._show_count()
        if self._next_act and not self._is_looking:
            act, self._next_act = self._next_act, None
            act()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _settle(self, search: Search, *, done: bool) -> None:
        """Go to the first hit once it is found. What comes later, or goes, moves nothing."""
        settle = self._log.scrollback.settle
        self._origin = settle(self._origin)
        current = self._current = None if self._current is None else settle(self._current)
        if current is not None and current not in search and self._query.time is None:
            self._origin, self._current = current, None
        if self._is_looking:
            # The newest are found first: none that is found later is nearer.
            current = search.older(self._origin + 1)
            if current is None and done:
                current = search.newer(self._origin)
            self._is_looking = current is None and not done
            if current is not None:
                self._go_to(current)

    def _go_to(self, hit: int) -> None:
        self._current = hit
        self._log.show_hits(self._search, hit)
        self._log.hold(hit)

    def _on_revision(self) -> None:
        """Count what is written to the log, once it has been written."""
        if self.is_open and not self._behind:
            self._behind = True
            self.call_later(self._keep_up)

    def _keep_up(self) -> None:
        self._behind = False
        if self._timer is None:
            self._go_on()

    # What the keys do

    def act(self, act: Callable[[], None]) -> None:
        """Do what a key does, once it is known whether there is a hit."""
        self._read()
        if self._is_looking:
            self._next_act = act
        else:
            act()

    def move(self, step: int) -> None:
        """Go to the next older (-1) or newer (1) hit; the bell rings if there is none."""
        search = self._search
        if search is None:
            return
        place = self._current
        if place is None:  # The hit that is next before or after the place where it all began may be there.
            place = self._origin + (1 if step < 0 else -1)
        hit = search.older(place) if step < 0 else search.newer(place)
        if hit is None and step < 0 and not self._is_done(search):
            self._next_act = partial(self.move, step)  # it may be found yet
        elif hit is None or self._query.time is not None:
            self.app.bell()  # pyright: ignore[reportUnknownMemberType]
        else:
            self._go_to(hit)
            self._show_count()

    def toggle_only(self) -> None:
        """Show only the hits, or all lines again."""
        if self._log.only or (self._search and self._search.hits):
            self._log.only = not self._log.only
            self._show_count()
            self.refresh_bindings()
        else:
            self.app.bell()  # pyright: ignore[reportUnknownMemberType]

    def choose(self) -> None:
        """Point at the current line and go to the log."""
        current = self._current
        if current is None or self._log.entry(current) is None:
            self.app.bell()  # pyright: ignore[reportUnknownMemberType]
            return
        self.close()
        self._log.pointer = current
        self.screen.set_focus(self._log)

    @property
    def shows_only_hits(self) -> bool:
        """Whether the log shows the hits alone."""
        return self._log.only

    def scroll_log(self, way: str) -> None:
        """Scroll the log: `page_up`, `page_down`, `home` or `end`."""
        getattr(self._log, f"scroll_{way}")()

    # What is shown

    def _show_count(self) -> None:
        log = self._log
        new = log.new_below if not log.following else 0
        right = [f"{new:,} new below · End", f"{new:,} new"] if new else []
        self._rule.show(self._count(), ["following"] if log.following else right)

    def _count(self) -> str:
        """Return what the rule says of the hits."""
        search, current = self._search, self._current
        entry = None if current is None else self._log.entry(current)
        at = f" · {clock_text(entry.time, self._clock())}" if entry else ""
        if self._query.time is not None:
            return f"find{at}" if current is not None else "find: nothing"
        if search is None or not self._query:
            return "find: words, @name, » for private, 22:40 or -20m"
        count = len(search.hits)
        is_done, only = self._is_done(search), " only" if self._log.only else ""
        if not count:
            return f"find: nothing · {self._log.reach:,} lines" if is_done else f"find: …{self._indexing()}"
        if current is None:
            return f"find:{only} {count:,} found" if is_done else f"find:{only} {count:,}…{self._indexing()}"
        more = "+" if not is_done or (self._older is not None and self._older.is_cut_short) else ""
        number = count - search.number(current) + 1  # the newest, which is found first, is number 1
        return f"find:{only} {number:,} of {count:,}{more}{at}{'' if is_done else self._indexing()}"

    def _indexing(self) -> str:
        lines = 0 if self._older is None else self._older.unindexed
        return f" · indexing, {count_text(lines, 'line')} to go" if lines else ""
