"""The feed: what each event shows, one change a frame, and a flood that neither stalls nor hides anything."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from support.recording import Receiver
from support.socketless import join, say
from support.waiting import BOUND, until
from textual.app import App, ComposeResult
from textual.geometry import Region

from chat_console.app.away import IDLE
from chat_console.app.feed import AT_ONCE, BUSY_FRAME, FRAME, RATE_EVERY, Clocks, Feed, alert, endpoints
from chat_console.app.readable import READABLE_BURST
from chat_console.server.addresses import Address, Endpoint, network_of
from chat_console.server.chat_server import ChatServer
from chat_console.server.room.events import (
    Banned,
    Event,
    Failed,
    Joined,
    LeaveReason,
    Left,
    Linked,
    Messaged,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Outcome,
    Recording,
    Refused,
    Renamed,
    Replied,
    Said,
    Silenced,
    Started,
    Stopped,
    Unbanned,
)
from chat_console.server.settings import Settings
from chat_console.widgets.activity import Activity
from chat_console.widgets.message_log import Entry, Kind, MessageLog
from chat_console.widgets.status_bar import StatusBar
from chat_console.widgets.user_list import UserList
from chat_console.widgets.user_row import User

AT = 1_700_000_000.0
DRAWN_FOR: contextvars.ContextVar[App[Any]] = contextvars.ContextVar("drawn_for")
"""Stands for whatever Textual sets in the context of an app."""


class Log(MessageLog):
    """A log that remembers how many entries each change brought, and in which context the last came."""

    def __init__(self) -> None:
        super().__init__(id="log")
        self.frames: list[int] = []
        self.drawn_for: App[Any] | None = None

    @property
    def first(self) -> int:
        """The serial of the oldest entry."""
        return super().write_entries(()) - len(self.entries)

    def write_entries(self, entries: Sequence[Entry]) -> int:
        serial = super().write_entries(entries)
        if entries:
            self.drawn_for = DRAWN_FOR.get(None)
            self.frames.append(len(entries))
        return serial


class Users(UserList):
    """A list that counts its changes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock=clock)
        self.changes = 0

    def apply(
        self, added: Iterable[User] = (), changed: Iterable[User] = (), removed: Iterable[int] = ()
    ) -> None:
        super().apply(added, changed, removed)
        self.changes += 1


class Panes(App[None]):
    """The widgets on a screen, a feed in front of them, a clock that stands still, and the feed's alarm."""

    CSS = "Users {height: 8}"

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.activity = Activity()
        self.answers: list[tuple[str, bool]] = []
        self.callers: list[int] = []
        self.shown_log = Log()
        self.user_list = Users(self.clock)
        self.status_bar = StatusBar()
        self.alarms: list[float] = []

    def compose(self) -> ComposeResult:
        yield self.status_bar
        yield self.shown_log
        yield self.user_list

    def on_mount(self) -> None:
        self.feed = self.another_feed()
        self.feed.answered = lambda text, refused: self.answers.append((text, refused))
        self.feed.called = self.callers.append
        # The day's rule is in the log from the start, so that tests need not tell of it.
        self.show(OperatorSaid(AT, "Operator", "good evening"))
        self.now += 1
        self.shown_log.frames.clear()
        self.user_list.changes = 0
        self.feed.start()

    def another_feed(self) -> Feed:
        clocks = Clocks(self.clock, lambda: AT + self.now - 1000.0)
        return Feed(self.shown_log, self.user_list, self.status_bar, self.activity, clocks)

    def clock(self) -> float:
        return self.now

    def show(self, *events: Event, after: float = 0.0) -> list[Entry]:
        """Draw one frame of `events`, `after` seconds later; return what it added to the log."""
        self.now += after
        for event in events:
            self.feed.take(event)
        self.shown_log.frames.clear()
        self.feed.draw()
        added = sum(self.shown_log.frames)
        return list(self.shown_log.entries[-added:]) if added else []

    @property
    def names(self) -> list[str]:
        return [user.name for user in self.user_list.users.values()]

    @property
    def status(self) -> str:
        return self.status_bar.render_line(0).text


@pytest.fixture
async def panes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panes]:
    """Panes whose frames are drawn by the test; `alarms` has the waits that the feed asked for."""
    app = Panes()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause(0)
        loop = asyncio.get_running_loop()
        call_later = loop.call_later

        def note_alarm(delay: float, callback: Callable[..., object], *args: Any, **options: Any) -> Any:
            if callback != app.feed.draw:
                return call_later(delay, callback, *args, **options)
            app.alarms.append(delay)
            return call_later(3600, callback, *args, **options)

        monkeypatch.setattr(loop, "call_later", note_alarm)
        yield app
        app.feed.close()


def said(count: int, name: str = "Ann") -> Said:
    return Said(AT, 1, name, tuple(f"line {number}" for number in range(count)))


def texts(entries: Iterable[Entry]) -> list[str]:
    return [entry.text for entry in entries]


def notices(entries: Iterable[Entry]) -> list[str]:
    return [entry.text for entry in entries if entry.kind is Kind.NOTICE]


# What an event shows


SHOWN: list[tuple[Event, list[tuple[Kind, str, str]]]] = [
    (Started(AT, (Endpoint("127.0.0.1", 12345),)), [(Kind.NOTICE, "", "The server listens on port 12345")]),
    (Joined(AT, 1, Address("10.0.0.1", 4711)), [(Kind.JOIN, "", "10.0.0.1|4711 joined")]),
    (Renamed(AT, 2, "Ann", "Anna"), [(Kind.RENAME, "", "Ann is now Anna")]),
    (Said(AT, 1, "Ann", ("one", "two")), [(Kind.CHAT, "Ann", "one"), (Kind.CHAT, "Ann", "two")]),
    (Messaged(AT, 1, "Ann", "psst"), [(Kind.PRIVATE, "Ann", "psst")]),
    (Silenced(AT, 1, "Ann", ("one", "two")), [(Kind.SILENCED, "Ann", "one"), (Kind.SILENCED, "Ann", "two")]),
    (OperatorSaid(AT, "Operator", "hello"), [(Kind.OPERATOR, "Operator", "hello")]),
    (
        OperatorMessaged(AT, 1, "Operator", "Bob", "psst", (2,)),
        [(Kind.SENT, "to Bob", "psst")],
    ),
    (Replied(AT, None, "one\ntwo"), [(Kind.REPLY, "", "one"), (Kind.REPLY, "", "two")]),
    (Left(AT, 1, "Ann", LeaveReason.QUIT), [(Kind.LEAVE, "", "Ann left")]),
    (
        Left(AT, 2, "Ann", LeaveReason.KICKED, "flooding"),
        [(Kind.LEAVE, "", "Ann left (kicked: flooding)")],
    ),
    (Muted(AT, 1, "Ann", True), [(Kind.NOTICE, "", "Ann is muted")]),
    (
        Banned(AT, (network_of("192.0.2.7"),), 7200),
        [(Kind.NOTICE, "", "192.0.2.7 is banned for 2h")],
    ),
    (Unbanned(AT, network_of("192.0.2.7")), [(Kind.NOTICE, "", "192.0.2.7 is no longer banned")]),
    (
        Refused(AT, 3, "Server is full", "192.0.2.7"),
        [(Kind.NOTICE, "", "Refused 3 connections, the last from 192.0.2.7: Server is full")],
    ),
    (
        Failed(AT, "Ann", "ValueError: no"),
        [(Kind.ERROR, "", "Error while serving Ann: ValueError: no")],
    ),
    (Stopped(AT, "SIGTERM"), [(Kind.NOTICE, "", "The server has stopped (SIGTERM)")]),
    (Linked(AT, "Node rome is in, with 2 users.", 2), [(Kind.NOTICE, "", "Node rome is in, with 2 users.")]),
    (OperatorSaid(AT, "Operator", "hi", "rome"), [(Kind.OPERATOR, "Operator (rome)", "hi")]),
    (
        OperatorMessaged(AT, 0, "Operator", "Bob", "psst", (1,), "rome"),
        [(Kind.SENT, "rome to Bob", "psst")],
    ),
    (Recording(AT, True, "It goes on.", "log"), [(Kind.NOTICE, "", "It goes on.")]),
]


def test_there_is_something_to_say_of_every_event() -> None:
    assert {type(event) for event, _ in SHOWN} == set(get_args(Event))


async def test_an_event_is_shown_as_it_is_worded_and_marked_by_its_kind(panes: Panes) -> None:
    for event, entries in SHOWN:
        shown = panes.show(event)
        assert [(entry.kind, entry.sender, entry.text) for entry in shown] == entries
        assert {entry.time for entry in shown} == {AT}


HOSTILE = "[/x][@click=app.quit]\x1b[2J\x1b]0;title\x07\x9b31m\u202e\r\n"


async def test_hostile_text_is_shown_as_text_and_moves_nothing(panes: Panes) -> None:
    shown = panes.show(
        Joined(AT, 1, Address(HOSTILE, 1)),
        Renamed(AT, 1, "b", HOSTILE),
        Said(AT, 1, HOSTILE, (HOSTILE,)),
        Messaged(AT, 1, HOSTILE, HOSTILE),
        Muted(AT, 1, HOSTILE, True),
        Left(AT, 2, "c", LeaveReason.KICKED, HOSTILE),
        OperatorMessaged(AT, 1, "Operator", HOSTILE, HOSTILE, (1,)),
        Replied(AT, 1, f"Message sent to 1 users of name {HOSTILE.rstrip()}"),
        Failed(AT, HOSTILE, HOSTILE),
    )
    assert len(shown) == 8
    log = panes.shown_log
    rows = [strip.text for strip in log.render_lines(Region(0, 0, *log.outer_size))]
    assert all(row.isprintable() for row in rows)
    assert sum("[/x][@click=app.quit]" in row for row in rows) == 8
    assert panes.user_list.render_line(0).text.startswith(" [/x][@click=app.quit]")
    assert panes.is_running


# The user list


async def test_who_came_took_a_name_and_left_within_one_frame_never_enters_the_list(panes: Panes) -> None:
    shown = panes.show(
        Joined(AT, 1, Address("a", 1)), Renamed(AT, 1, "a|1", "Ann"), Left(AT, 1, "Ann", LeaveReason.QUIT)
    )
    assert texts(shown) == ["Ann joined", "Ann left"]
    assert panes.user_list.changes == 0


async def test_the_list_gets_the_net_change_of_a_frame_in_one_go(panes: Panes) -> None:
    panes.show(Joined(AT, 1, Address("a", 1)), Joined(AT, 2, Address("a", 2)))
    panes.show(
        Renamed(AT, 1, "a|1", "Ann"),
        Renamed(AT, 1, "Ann", "Anna"),
        Joined(AT, 3, Address("a", 3)),
        Renamed(AT, 3, "a|3", "Cleo"),
        Renamed(AT, 2, "a|2", "Bob"),
        Left(AT, 2, "Bob", LeaveReason.LOST),
        Joined(AT, 4, Address("a", 4)),
    )
    assert panes.names == ["Anna", "Cleo", "a|4"]
    assert panes.user_list.users[3] == User(3, "Cleo", "a|3", 1001.0)
    assert panes.user_list.changes == 2


async def test_who_is_muted_is_so_in_the_list_whatever_else_the_frame_brings(panes: Panes) -> None:
    panes.show(Joined(AT, 1, Address("a", 1)), Joined(AT, 2, Address("a", 2)), Muted(AT, 2, "a|2", True))
    assert [user.muted for user in panes.user_list.users.values()] == [False, True]
    panes.show(
        Renamed(AT, 1, "a|1", "Ann"),
        Muted(AT, 1, "Ann", True),
        Renamed(AT, 1, "Ann", "Anna"),
        Muted(AT, 2, "a|2", False),
        Renamed(AT, 2, "a|2", "Bob"),
        Muted(AT, 7, "nobody", True),
    )
    assert list(panes.user_list.users.values()) == [
        User(1, "Anna", "a|1", 1001.0, muted=True),
        User(2, "Bob", "a|2", 1001.0, muted=False),
    ]
    assert panes.user_list.changes == 2


async def test_the_status_tells_how_many_are_here(panes: Panes) -> None:
    panes.show(Joined(AT, 1, Address("a", 1)), Joined(AT, 2, Address("a", 2)))
    assert "2 users" in panes.status
    panes.show(Left(AT, 1, "a|1", LeaveReason.QUIT))
    assert "1 user" in panes.status


async def test_news_of_somebody_who_is_not_in_the_list_change_nothing_there(panes: Panes) -> None:
    panes.show(Joined(AT, 1, Address("a", 1)))
    panes.show(Renamed(AT, 7, "x", "y"), Left(AT, 8, "z", LeaveReason.QUIT), said(3))
    assert panes.names == ["a|1"]


async def test_time_here_counts_from_the_frame_that_showed_the_joining(panes: Panes) -> None:
    panes.show(Joined(AT, 1, Address("a", 1)), after=5.0)
    panes.now += 61
    assert panes.user_list.render_line(0).text.rstrip().endswith(" 1m")


# Frames


async def test_many_events_are_one_frame(panes: Panes) -> None:
    for number in range(AT_ONCE):
        panes.feed.take(Joined(AT, number, Address("a", number)))
        panes.feed.take(Said(AT, number, "somebody", ("one", "two")))
    assert len(panes.alarms) == 1
    panes.feed.draw()
    assert (panes.shown_log.frames, panes.user_list.changes) == ([3 * AT_ONCE], 1)


async def test_the_first_event_after_a_rest_is_shown_at_once(panes: Panes) -> None:
    panes.now += 1
    panes.feed.take(said(1))
    assert panes.alarms == [0.0]


async def test_the_next_event_waits_for_the_next_frame(panes: Panes) -> None:
    panes.show(said(1), after=1)
    panes.now += FRAME / 4
    panes.feed.take(said(1))
    assert panes.alarms[-1] == pytest.approx(FRAME * 3 / 4)
    assert pytest.approx(1 / 15) == FRAME


async def test_frames_are_fewer_while_lines_are_skipped_and_no_longer(panes: Panes) -> None:
    panes.show(said(READABLE_BURST + 1), after=1)
    panes.feed.take(said(1))
    assert panes.alarms[-1] == pytest.approx(BUSY_FRAME)
    panes.now += BUSY_FRAME
    panes.feed.draw()
    panes.feed.take(said(1))
    assert panes.alarms[-1] == pytest.approx(FRAME)


async def test_a_steady_stream_draws_at_most_15_times_a_second() -> None:
    app = Panes()
    async with app.run_test():
        loop = asyncio.get_running_loop()
        feed = Feed(app.shown_log, app.user_list, app.status_bar, app.activity, Clocks(loop.time))
        feed.start()
        began = loop.time()
        # For a while, however busy the machine is, and until something was drawn.
        while loop.time() < began + 0.4 or not app.shown_log.frames:
            assert loop.time() < began + BOUND
            feed.take(said(1))
            await asyncio.sleep(0.001)
        feed.close()
        assert 1 <= len(app.shown_log.frames) <= 1 + (loop.time() - began) * 15


async def test_an_event_may_come_from_anywhere() -> None:
    app = Panes()
    async with app.run_test() as pilot:
        feed = Feed(app.shown_log, app.user_list, app.status_bar, app.activity)
        DRAWN_FOR.set(app)
        feed.start()
        # As from a connection's callback, which knows of no app.
        contextvars.Context().run(feed.take, Joined(AT, 1, Address("a", 1)))
        for _ in range(200):
            await pilot.pause(0.005)
            if app.user_list.count:
                break
        assert texts(app.shown_log.entries)[-1] == "a|1 joined"
        assert app.shown_log.drawn_for is app
        feed.close()


async def test_nothing_is_drawn_once_it_is_closed(panes: Panes) -> None:
    busy, idle = (panes.another_feed() for _ in range(2))
    for feed in (busy, idle):
        feed.start()
    busy.take(said(1))
    for feed in (busy, idle):
        feed.close()
        feed.take(said(1))
    await asyncio.sleep(FRAME)  # a frame that was due would have come before
    assert panes.shown_log.frames == []


# More than anybody could read


def crowd(lines: int) -> list[Event]:
    """As many lines, in events of ten different users each."""
    return [Said(AT, 100 + number % 10, "somebody", (f"line {number}",)) for number in range(lines)]


async def test_what_is_too_much_is_counted_where_it_is_missing(panes: Panes) -> None:
    shown = panes.show(*crowd(READABLE_BURST + 1_207), after=10)
    assert shown[0] == Entry(AT, Kind.NOTICE, "", "1,207 lines not shown: too many at once")
    spoken = [entry for entry in shown if entry.kind is Kind.CHAT]
    assert texts(spoken) == [f"line {number}" for number in range(1_207, READABLE_BURST + 1_207)]


async def test_a_skipped_joining_is_in_the_list_all_the_same(panes: Panes) -> None:
    events = (Joined(AT, 1, Address("a", 1)), Renamed(AT, 1, "a|1", "Ann"))
    shown = panes.show(*events, *crowd(READABLE_BURST), after=10)
    assert notices(shown) == ["2 lines not shown: too many at once"]
    assert panes.names == ["Ann"]


async def test_tens_of_thousands_of_lines_leave_a_log_that_is_full_and_no_more(panes: Panes) -> None:
    for _ in range(9):
        panes.show(*crowd(5_000), after=BUSY_FRAME)
    missing = [int(text.split()[0].replace(",", "")) for text in notices(panes.shown_log.entries)]
    spoken = [entry for entry in panes.shown_log.entries if entry.kind is Kind.CHAT]
    assert sum(missing) + len(spoken) == 45_000
    for _ in range(10):
        panes.show(*crowd(READABLE_BURST), after=10)
    assert len(panes.shown_log.entries) == 10_000


# What belongs together


async def test_a_flood_is_one_row_which_grows_frame_by_frame(panes: Panes) -> None:
    panes.show(said(10))
    before = len(panes.shown_log.entries)
    assert panes.show(said(4), after=0.1) == []
    assert len(panes.shown_log.entries) == before
    assert panes.shown_log.entries[-1].text == "8 more like it in 1 s"
    panes.show(said(10), after=0.1)
    assert texts(panes.shown_log.entries)[-2:] == [
        "18 more like it in 1 s",
        "Ann floods: 24 lines a minute. F6 mutes it, F3 kicks it",
    ]
    assert [entry.text for entry in panes.shown_log.entries[-2].folded] == [
        *(f"line {number}" for number in (6, 7, 8, 9)),
        *(f"line {number}" for number in range(4)),
        *(f"line {number}" for number in range(10)),
    ]


async def test_the_newest_flooder_is_named_in_the_status_until_it_is_muted(panes: Panes) -> None:
    panes.show(
        Joined(AT, 1, Address("a", 1)),
        Joined(AT, 2, Address("a", 2)),
        Renamed(AT, 1, "a|1", "Ann"),
        Renamed(AT, 2, "a|2", "Bob"),
    )
    panes.show(said(30))
    assert (panes.feed.flooders, "! Ann" in panes.status) == ([1], True)
    panes.show(Said(AT, 2, "Bob", ("buy",) * 30))
    assert (panes.feed.flooders, "! Bob +1" in panes.status) == ([2, 1], True)
    panes.show(Muted(AT, 2, "Bob", True))
    assert (panes.feed.flooders, "! Ann" in panes.status) == ([1], True)
    panes.show(Left(AT, 1, "Ann", LeaveReason.KICKED))
    assert (panes.feed.flooders, "!" in panes.status) == ([], False)


async def test_a_flood_is_forgotten_a_minute_after_its_last_line(panes: Panes) -> None:
    panes.show(Joined(AT, 1, Address("a", 1)), said(30))
    panes.now += 59
    panes.feed.tick()
    assert "! a|1" in panes.status
    panes.now += 1
    panes.feed.tick()
    assert "!" not in panes.status


# What waits for the operator


async def test_private_lines_wait_until_they_are_answered(panes: Panes) -> None:
    panes.show(Joined(AT, 1, Address("a", 1)))
    (line,) = panes.show(Messaged(AT, 1, "a|1", "help"))
    member_id, serial = panes.feed.inbox.oldest() or (0, 0)
    assert (member_id, panes.shown_log.entries[serial - panes.shown_log.first]) == (1, line)
    assert panes.callers == [1]
    panes.show(Messaged(AT, 1, "a|1", "please"))
    assert (panes.feed.inbox.pending(1), "» 2 private" in panes.status) == (2, True)
    panes.show(OperatorMessaged(AT, 1, "Operator", "a|1", "coming", (1,)))
    assert (panes.feed.inbox.count, "»" in panes.status) == (0, False)


async def test_a_line_that_came_after_an_answer_waits_though_it_is_shown_with_it(panes: Panes) -> None:
    panes.show(Joined(AT, 1, Address("a", 1)), Messaged(AT, 1, "a|1", "help"))
    panes.show(OperatorMessaged(AT, 1, "Operator", "a|1", "how?", (1,)), Messaged(AT, 1, "a|1", "so"))
    assert panes.feed.inbox.oldest() == (1, panes.shown_log.first + len(panes.shown_log.entries) - 1)
    assert panes.feed.inbox.count == 1


async def test_how_much_somebody_said_is_forgotten_with_its_leaving(panes: Panes) -> None:
    panes.show(Joined(AT, 1, Address("a", 1)), said(3))
    assert panes.activity.rate(1, panes.now) == 3
    panes.show(Left(AT, 1, "Ann", LeaveReason.QUIT))
    assert (panes.activity.rate(1, panes.now), panes.activity.idle(1, panes.now)) == (0, None)


async def test_a_private_line_of_somebody_who_has_left_still_waits(panes: Panes) -> None:
    panes.show(
        Joined(AT, 1, Address("a", 1)), Messaged(AT, 1, "a|1", "bye"), Left(AT, 1, "a|1", LeaveReason.QUIT)
    )
    assert panes.feed.inbox.pending(1) == 1
    panes.feed.inbox.seen(1)
    assert panes.feed.inbox.count == 0


async def test_a_private_line_in_a_flood_is_found_where_it_is_folded(panes: Panes) -> None:
    panes.show(*[Messaged(AT, 1, "Ann", f"psst {number}") for number in range(10)])
    panes.feed.inbox.answered(1)
    panes.show(Messaged(AT, 1, "Ann", "psst"))
    _, serial = panes.feed.inbox.oldest() or (0, 0)
    assert panes.shown_log.entries[serial - panes.shown_log.first].text == "5 more like it in 1 s"


# Answers


async def test_a_crowd_comes_in_parts_and_each_leaves_its_turn_to_others(panes: Panes) -> None:
    for number in range(2 * AT_ONCE + 5):
        panes.feed.take(Joined(AT, number, Address("a", number)))
        panes.feed.take(said(number))
    panes.alarms.clear()
    for count in (AT_ONCE, 2 * AT_ONCE):
        panes.feed.draw()
        assert (panes.user_list.count, panes.alarms) == (count, [0.0])
        panes.alarms.clear()
    panes.feed.draw()
    assert (panes.user_list.count, panes.alarms) == (2 * AT_ONCE + 5, [])


async def test_an_answer_goes_to_whoever_shows_it_and_what_is_asked_for_to_the_log(panes: Panes) -> None:
    assert texts(panes.show(Replied(AT, 1, "Nobody is banned"))) == ["Nobody is banned"]
    assert texts(panes.show(Replied(AT, 1, "one\ntwo\nthree"))) == ["one", "two", "three"]
    assert panes.show(Replied(AT, 1, "Kicked 1 people.", Outcome.DONE, "Ann was kicked")) == []
    assert panes.show(Replied(AT, 1, "Kicked 0 people.", Outcome.REFUSED, "nobody here is called Ann")) == []
    assert panes.answers == [
        ("Nobody is banned", False),
        ("one\ntwo\nthree", False),
        ("Ann was kicked", False),
        ("nobody here is called Ann", True),
    ]


async def test_what_came_of_a_command_is_shown_at_once(panes: Panes) -> None:
    panes.feed.take(said(1))
    panes.feed.catch_up()
    assert panes.answers == []
    for event in (
        Replied(AT, 1, "done", Outcome.DONE),
        OperatorMessaged(AT, 1, "Operator", "Ann", "psst", (1,)),
        OperatorSaid(AT, "Operator", "hello"),
        Muted(AT, 1, "Ann", True),
    ):
        panes.show()
        panes.shown_log.frames.clear()
        panes.feed.take(event)
        panes.feed.catch_up()
        assert bool(panes.shown_log.frames) is not isinstance(event, Replied)
    assert panes.answers == [("done", False)]


# Absences


async def test_what_comes_in_an_absence_stands_below_a_rule_that_counts_it(panes: Panes) -> None:
    panes.feed.focus(False)
    shown = panes.show(said(3), Messaged(AT, 2, "Bob", "psst"), after=60)
    assert (shown[0].kind, shown[0].text[:11]) == (Kind.RULE, "away since ")
    panes.now += 60
    panes.feed.focus(True)
    rule = panes.shown_log.entries[-5]
    assert rule.kind is Kind.RULE
    assert rule.text.endswith("3 lines · 1 private · F9 next")
    places = [panes.feed.away.next_place(), panes.feed.away.next_place(), panes.feed.away.next_place()]
    assert places == [panes.shown_log.first + 2, panes.shown_log.first + 6, None]


async def test_five_minutes_without_a_key_are_an_absence(panes: Panes) -> None:
    panes.show(said(1), after=IDLE - 2)
    assert panes.show(said(1), after=2)[0].kind is Kind.RULE
    panes.feed.key()
    assert [entry.kind for entry in panes.show(said(1))] == [Kind.CHAT]


async def test_a_day_begins_with_its_date(panes: Panes) -> None:
    first = panes.shown_log.entries[0]
    assert (first.kind, first.text.split()[-1]) == (Kind.RULE, "November")
    later = panes.show(OperatorSaid(AT + 86_400, "Operator", "good morning"))
    assert [entry.kind for entry in later] == [Kind.RULE, Kind.OPERATOR]


async def test_that_nothing_is_recorded_is_told_as_long_as_it_lasts(panes: Panes) -> None:
    panes.show(Recording(AT, False, "The history is not written: the disk is full.", "history"))
    assert "history not written" in panes.status
    assert panes.shown_log.entries[-1].kind is Kind.ERROR
    panes.show(Recording(AT, False, "The log is not written: the disk is full.", "log"))
    assert "history and log not written" in panes.status
    panes.show(Recording(AT, True, "The history is written again.", "history"))
    assert " log not written" in panes.status
    panes.show(Recording(AT, True, "The log is written again.", "log"))
    assert "not written" not in panes.status


async def test_the_status_tells_how_many_nodes_there_are_and_what_is_wrong_with_the_link(
    panes: Panes,
) -> None:
    assert "node" not in panes.status
    panes.show(Linked(AT, "Node rome is in, with 2 users.", 2))
    assert "  2 nodes " in panes.status
    panes.show(Linked(AT, "The link is silent.", 2, "link silent"))
    assert " link silent " in panes.status
    assert panes.shown_log.entries[-1].kind is Kind.ERROR
    panes.show(Recording(AT, False, "The log is not written: the disk is full.", "log"))
    assert " link silent · log not written " in panes.status
    panes.show(Linked(AT, "Cut off from 2 other users.", 1, "cut off"))
    assert " cut off · log not written " in panes.status
    assert "  1 node " in panes.status
    panes.show(Linked(AT, "The link is back.", 2))
    assert panes.status.startswith(" log not written ")
    panes.show(Recording(AT, True, "The log is written again.", "log"))
    assert panes.status.startswith("chat-console ")


# What changes with time alone


async def test_a_tick_tells_how_much_was_said_within_a_minute(panes: Panes) -> None:
    panes.feed.tick()
    assert "0 lines/min" in panes.status
    panes.show(*crowd(READABLE_BURST + 1_000), OperatorSaid(AT, "Operator", "not a user's"), after=1)
    panes.now += RATE_EVERY - 2
    panes.feed.tick()
    assert "0 lines/min" in panes.status
    panes.now += 1
    panes.feed.tick()
    assert "6,000 lines/min" in panes.status
    panes.now += 66
    panes.feed.tick()
    assert "0 lines/min" in panes.status


async def test_a_tick_tells_the_uptime_and_how_long_everybody_is_here(panes: Panes) -> None:
    panes.show(Joined(AT, 1, Address("a", 1)))
    panes.now += 3723
    panes.feed.tick()
    assert "up 1:02" in panes.status
    assert panes.user_list.render_line(0).text.rstrip().endswith(" 1h02")


async def test_in_the_end_it_has_counted_everybody_and_every_line(panes: Panes) -> None:
    server_members = [Joined(AT, 1, Address("a", 1)), Joined(AT, 2, Address("a", 2))]
    panes.show(*server_members, said(3), Left(AT, 1, "a|1", LeaveReason.QUIT), after=59)
    panes.show(*crowd(READABLE_BURST + 1), Messaged(AT, 2, "a|2", "psst"))
    assert panes.feed.totals == (60.0, 2, READABLE_BURST + 4)


# What there is to show at first


async def test_who_is_here_already_is_shown_under_which_name_since_when_and_muted(panes: Panes) -> None:
    async with ChatServer(Settings(port=0)) as server:
        ann = join(server, 1, "192.0.2.7|1", Receiver())
        join(server, 2, "192.0.2.7|2", Receiver())
        say(server, ann, "/nick Ann", "hello")
        server.operator().mute(ann.id)
        panes.feed.begin(server.chat.snapshot())
        assert texts(panes.show(after=5))[-1] == f"The server listens on port {server.port}"
        assert list(panes.user_list.users.values()) == [
            User(1, "Ann", "192.0.2.7|1", panes.now - 5, muted=True),
            User(2, "192.0.2.7|2", "192.0.2.7|2", panes.now - 5),
        ]


async def test_of_who_was_here_already_the_list_gets_the_net_change_too(panes: Panes) -> None:
    async with ChatServer(Settings(port=0)) as server:
        for number in (1, 2, 3):
            join(server, number, f"192.0.2.7|{number}", Receiver())
        panes.feed.begin(server.chat.snapshot())
        shown = panes.show(
            Renamed(AT, 1, "192.0.2.7|1", "Ann"),
            Muted(AT, 2, "192.0.2.7|2", True),
            Left(AT, 3, "192.0.2.7|3", LeaveReason.LOST),
        )
        assert [entry.kind for entry in shown[-4:]] == [Kind.NOTICE, Kind.RENAME, Kind.NOTICE, Kind.LEAVE]
        assert [(user.name, user.muted) for user in panes.user_list.users.values()] == [
            ("Ann", False),
            ("192.0.2.7|2", True),
        ]
        assert panes.user_list.changes == 1


async def test_what_it_began_with_is_no_news_though_it_is_told_later(panes: Panes) -> None:
    async with ChatServer(Settings(port=0)) as server:
        address = join(server, 1, "192.0.2.7|1", Receiver()).address
        say(server, server.members[0], "/nick Ann")
        server.operator().mute(1)
        panes.feed.begin(server.chat.snapshot())
        panes.show()
        late = (
            Joined(AT, 1, address),
            Renamed(AT, 1, "192.0.2.7|1", "Ann"),
            Muted(AT, 1, "Ann", True, is_old=True),
        )
        assert panes.show(*late) == []
        assert (panes.names, panes.feed.totals[1]) == (["Ann"], 1)
        names = texts(panes.show(Renamed(AT, 1, "Ann", "Bob"), Renamed(AT, 1, "Bob", "Ann")))
        assert names == ["Ann is now Bob", "Bob is now Ann"]
        assert texts(panes.show(Left(AT, 1, "Ann", LeaveReason.LOST), late[0])) == [
            "Ann left (connection lost)",
            "192.0.2.7|1 joined",
        ]


async def test_a_server_that_has_not_started_has_nothing_to_show(panes: Panes) -> None:
    panes.feed.begin(ChatServer().chat.snapshot())
    assert (panes.show(), panes.names) == ([], [])


async def test_who_is_here_already_is_shown_once_there_is_a_screen(panes: Panes) -> None:
    async with ChatServer(Settings(port=0)) as server:
        join(server, 1, "192.0.2.7|1", Receiver())
        snapshot = server.chat.snapshot()._replace(started=None)
    feed = panes.another_feed()
    feed.begin(snapshot)
    await asyncio.sleep(FRAME)  # a frame that was due would have come before
    assert panes.names == []
    feed.start()
    await until(lambda: panes.names)
    feed.close()
    assert panes.names == ["192.0.2.7|1"]


class Listening(ChatServer):
    """Says that it listens on some addresses, which it does not."""

    def __init__(self, addresses: tuple[str, ...], *, encrypted: bool = False) -> None:
        super().__init__(Settings(tls_cert=Path("cert"), tls_key=Path("key")) if encrypted else Settings())
        self.endpoints = tuple(Endpoint(address, 4711) for address in addresses)


@pytest.mark.parametrize(
    ("addresses", "shown"),
    [
        (("127.0.0.1",), "127.0.0.1:4711"),
        (("0.0.0.0", "::"), "0.0.0.0:4711 [::]:4711"),
    ],
)
def test_an_endpoint_is_an_address_with_the_port(addresses: tuple[str, ...], shown: str) -> None:
    assert endpoints(Listening(addresses)) == shown


@pytest.mark.parametrize(
    ("addresses", "encrypted", "shown"),
    [
        (("127.0.0.1", "::1"), False, ""),
        (("127.0.0.1", "::1"), True, ""),
        (("127.0.0.1", "192.0.2.1"), False, "public, not encrypted"),
        (("::",), True, "public"),
    ],
)
def test_the_operator_is_reminded_of_a_public_server_and_of_a_wire_without_tls(
    addresses: tuple[str, ...], encrypted: bool, shown: str
) -> None:
    assert alert(Listening(addresses, encrypted=encrypted)) == shown


async def test_each_entry_knows_which_line_of_the_archive_it_is(
    panes: Panes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_console.app.feed.AT_ONCE", 1)
    panes.feed.take(OperatorSaid(AT, "Operator", "one"), 7)
    panes.feed.take(OperatorSaid(AT, "Operator", "two"), 8)
    panes.feed.take(Replied(AT, None, "three"))
    for _ in range(3):
        panes.feed.draw()
    assert [(entry.text, entry.number) for entry in panes.shown_log.entries[-3:]] == [
        ("one", 7),
        ("two", 8),
        ("three", 0),
    ]
