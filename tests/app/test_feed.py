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

from chat_console.app.feed import (
    BUSY_FRAME,
    FRAME,
    READABLE_BURST,
    READABLE_RATE,
    Feed,
    alert,
    endpoints,
)
from chat_console.server.addresses import Address, Endpoint, network_of
from chat_console.server.chat_server import ChatServer
from chat_console.server.room.events import (
    Banned,
    Event,
    Failed,
    Joined,
    LeaveReason,
    Left,
    Messaged,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Refused,
    Renamed,
    Replied,
    Said,
    Silenced,
    Started,
    Unbanned,
)
from chat_console.server.settings import Settings
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

    def write_entries(self, entries: Sequence[Entry]) -> None:
        super().write_entries(entries)
        self.drawn_for = DRAWN_FOR.get(None)
        self.frames.append(len(entries))


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
        self.shown_log = Log()
        self.user_list = Users(self.clock)
        self.status_bar = StatusBar()
        self.alarms: list[float] = []

    def compose(self) -> ComposeResult:
        yield self.status_bar
        yield self.shown_log
        yield self.user_list

    def on_mount(self) -> None:
        self.feed = Feed(self.shown_log, self.user_list, self.status_bar, clock=self.clock)
        self.feed.start()

    def clock(self) -> float:
        return self.now

    def show(self, *events: Event, after: float = 0.0) -> list[Entry]:
        """Draw one frame of `events`, `after` seconds later; return what it added to the log."""
        self.now += after
        for event in events:
            self.feed.take(event)
        self.feed.draw()
        added = self.shown_log.frames[-1]
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
    (Started(AT, (Endpoint("127.0.0.1", 12345),)), [(Kind.NOTICE, "", "Server started on port 12345")]),
    (Joined(AT, 1, Address("10.0.0.1", 4711)), [(Kind.JOIN, "", "Welcome 10.0.0.1|4711 to the server!")]),
    (Renamed(AT, 1, "10.0.0.1|4711", "Ann"), [(Kind.RENAME, "", "10.0.0.1|4711 is now Ann")]),
    (Said(AT, 1, "Ann", ("one", "two")), [(Kind.CHAT, "Ann", "one"), (Kind.CHAT, "Ann", "two")]),
    (Messaged(AT, 1, "Ann", "psst"), [(Kind.PRIVATE, "Ann", "psst")]),
    (Silenced(AT, 1, "Ann", ("one", "two")), [(Kind.SILENCED, "Ann", "one"), (Kind.SILENCED, "Ann", "two")]),
    (OperatorSaid(AT, "Operator", "hello"), [(Kind.OPERATOR, "Operator", "hello")]),
    (
        OperatorMessaged(AT, 1, "Operator", "Bob", "psst", (2,)),
        [(Kind.SENT, "to Bob", "psst")],
    ),
    (Replied(AT, None, "one\ntwo"), [(Kind.REPLY, "", "one"), (Kind.REPLY, "", "two")]),
    (Left(AT, 1, "Ann", LeaveReason.QUIT), [(Kind.LEAVE, "", "Ann has left the server.")]),
    (
        Left(AT, 1, "Ann", LeaveReason.KICKED, "flooding"),
        [(Kind.LEAVE, "", "Ann has left the server. (kicked: flooding)")],
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
]


def test_there_is_something_to_say_of_every_event() -> None:
    assert {type(event) for event, _ in SHOWN} == set(get_args(Event))


async def test_an_event_is_shown_as_it_is_worded_and_marked_by_its_kind(panes: Panes) -> None:
    for event, entries in SHOWN:
        assert panes.show(event) == [Entry(AT, *entry) for entry in entries]


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
    assert len(shown) == 9
    log = panes.shown_log
    rows = [strip.text for strip in log.render_lines(Region(0, 0, *log.outer_size))]
    assert all(row.isprintable() for row in rows)
    assert sum("[/x][@click=app.quit]" in row for row in rows) == 9
    assert panes.user_list.render_line(0).text.startswith(" [/x][@click=app.quit]")
    assert panes.is_running


# The user list


async def test_who_came_took_a_name_and_left_within_one_frame_never_enters_the_list(panes: Panes) -> None:
    shown = panes.show(
        Joined(AT, 1, Address("a", 1)), Renamed(AT, 1, "a|1", "Ann"), Left(AT, 1, "Ann", LeaveReason.QUIT)
    )
    assert [entry.kind for entry in shown] == [Kind.JOIN, Kind.RENAME, Kind.LEAVE]
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
    assert panes.user_list.users[3] == User(3, "Cleo", "a|3", 1000.0)
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
        User(1, "Anna", "a|1", 1000.0, muted=True),
        User(2, "Bob", "a|2", 1000.0, muted=False),
    ]
    assert panes.user_list.changes == 2


async def test_the_title_and_the_status_tell_how_many_are_here(panes: Panes) -> None:
    panes.show(Joined(AT, 1, Address("a", 1)), Joined(AT, 2, Address("a", 2)))
    assert (panes.user_list.border_title, "2 users" in panes.status) == ("Users (2)", True)
    panes.show(Left(AT, 1, "a|1", LeaveReason.QUIT))
    assert (panes.user_list.border_title, "1 user" in panes.status) == ("Users (1)", True)


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
    for number in range(500):
        panes.feed.take(Joined(AT, number, Address("a", number)))
        panes.feed.take(said(2))
    assert len(panes.alarms) == 1
    panes.feed.draw()
    assert (panes.shown_log.frames, panes.user_list.changes) == ([1500], 1)


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
        feed = Feed(app.shown_log, app.user_list, app.status_bar, clock=loop.time)
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
        feed = Feed(app.shown_log, app.user_list, app.status_bar)
        DRAWN_FOR.set(app)
        feed.start()
        # As from a connection's callback, which knows of no app.
        contextvars.Context().run(feed.take, Joined(AT, 1, Address("a", 1)))
        for _ in range(200):
            await pilot.pause(0.005)
            if app.user_list.count:
                break
        assert texts(app.shown_log.entries) == ["Welcome a|1 to the server!"]
        assert app.shown_log.drawn_for is app
        feed.close()


async def test_nothing_is_drawn_once_it_is_closed(panes: Panes) -> None:
    busy, idle = (Feed(panes.shown_log, panes.user_list, panes.status_bar) for _ in range(2))
    for feed in (busy, idle):
        feed.start()
    busy.take(said(1))
    for feed in (busy, idle):
        feed.close()
        feed.take(said(1))
    await asyncio.sleep(FRAME)  # a frame that was due would have come before
    assert panes.shown_log.frames == []


# Floods


async def test_a_burst_is_shown_whole(panes: Panes) -> None:
    shown = panes.show(said(READABLE_BURST))
    assert (len(shown), notices(shown)) == (READABLE_BURST, [])


async def test_of_more_than_that_the_newest_are_shown_and_the_rest_is_counted(panes: Panes) -> None:
    shown = panes.show(said(7, "Bob"), said(READABLE_BURST + 1_200))
    assert shown[0] == Entry(AT, Kind.NOTICE, "", "1,207 lines not shown: too many at once")
    assert texts(shown[1:]) == [f"line {number}" for number in range(1_200, READABLE_BURST + 1_200)]


async def test_a_flood_is_shown_at_a_rate_and_none_of_it_is_unaccounted_for(panes: Panes) -> None:
    panes.show(said(READABLE_BURST))
    for _ in range(10):
        shown = panes.show(*[said(500) for _ in range(4)], after=BUSY_FRAME)
        assert len(shown) == 1 + READABLE_RATE * BUSY_FRAME
        assert notices(shown) == ["1,800 lines not shown: too many at once"]
        assert shown[0].kind is Kind.NOTICE


async def test_after_a_quiet_time_a_burst_is_shown_whole_again(panes: Panes) -> None:
    panes.show(said(READABLE_BURST + 1))
    assert notices(panes.show(said(READABLE_BURST), after=READABLE_BURST / READABLE_RATE)) == []
    assert notices(panes.show(said(READABLE_BURST + 1), after=3600)) != []


async def test_the_notice_stands_where_the_lines_are_missing(panes: Panes) -> None:
    shown = panes.show(
        OperatorSaid(AT, "Operator", "before"),
        Joined(AT + 1, 1, Address("a", 1)),
        said(10),
        Replied(AT + 2, None, "between"),
        Messaged(AT + 3, 1, "Ann", "psst"),
        OperatorSaid(AT + 4, "Operator", "behind"),
        said(READABLE_BURST),
    )
    assert texts(shown[:6]) == [
        "before",
        "11 lines not shown: too many at once",
        "between",
        "psst",
        "behind",
        "line 0",
    ]
    assert [entry.time - AT for entry in shown[:5]] == [0, 0, 2, 3, 4]


async def test_a_skipped_joining_is_in_the_list_all_the_same(panes: Panes) -> None:
    shown = panes.show(Joined(AT, 1, Address("a", 1)), Renamed(AT, 1, "a|1", "Ann"), said(READABLE_BURST))
    assert notices(shown) == ["2 lines not shown: too many at once"]
    assert panes.names == ["Ann"]


async def test_what_is_for_the_operator_is_never_skipped(panes: Panes) -> None:
    for event in (
        OperatorSaid(AT, "Operator", "mine"),
        Replied(AT, None, "mine"),
        OperatorMessaged(AT, 1, "Operator", "Ann", "mine", (1,)),
        Muted(AT, 1, "Ann", True),
        Refused(AT, 1, "Server is full", "192.0.2.7"),
        Failed(AT, "Ann", "mine"),
        Started(AT, (Endpoint("::1", 1),)),
    ):
        alone = panes.show(event, after=10)
        shown = panes.show(event, said(READABLE_BURST + 10), after=10)
        assert shown[: len(alone)] == alone
        assert notices(shown[len(alone) :]) == ["10 lines not shown: too many at once"]


async def test_a_long_answer_is_shown_whole_and_paid_for_by_what_follows(panes: Panes) -> None:
    answer = "\n".join(f"10.0.0.1|{number} as user{number}" for number in range(READABLE_BURST + 400))
    assert len(panes.show(Replied(AT, None, answer))) == READABLE_BURST + 400
    assert notices(panes.show(said(5), after=0.1)) == ["5 lines not shown: too many at once"]
    assert texts(panes.show(said(5), after=0.2)) == [f"line {number}" for number in range(5)]


async def test_a_hundred_thousand_lines_leave_a_log_that_is_full_and_no_more(panes: Panes) -> None:
    for _ in range(20):
        panes.show(*[said(50) for _ in range(100)], after=BUSY_FRAME)
    entries = panes.shown_log.entries
    assert len(entries) < 10_000
    missing = [int(text.split()[0].replace(",", "")) for text in notices(entries)]
    assert sum(missing) + len(entries) - len(missing) == 100_000
    for _ in range(10):
        panes.show(said(READABLE_BURST), after=10)
    assert len(panes.shown_log.entries) == 10_000


# What changes with time alone


async def test_a_tick_tells_the_rate_since_the_last_one_skipped_lines_included(panes: Panes) -> None:
    panes.feed.tick()
    panes.show(said(READABLE_BURST), said(1_000), OperatorSaid(AT, "Operator", "not a user's"), after=1)
    panes.now += 1
    panes.feed.tick()
    assert "3,000 msg/s" in panes.status
    panes.now += 1
    panes.feed.tick()
    assert "0 msg/s" in panes.status


async def test_a_tick_tells_the_uptime_and_how_long_everybody_is_here(panes: Panes) -> None:
    panes.show(Joined(AT, 1, Address("a", 1)))
    panes.now += 3723
    panes.feed.tick()
    assert "up 1:02:03" in panes.status
    assert panes.user_list.render_line(0).text.rstrip().endswith(" 1h02")


async def test_two_ticks_at_once_divide_by_no_zero(panes: Panes) -> None:
    panes.feed.tick()
    panes.show(said(1))
    panes.feed.tick()
    assert "15 msg/s" in panes.status


# What there is to show at first


async def test_who_is_here_already_is_shown_under_which_name_since_when_and_muted(panes: Panes) -> None:
    async with ChatServer(Settings(port=0)) as server:
        ann = join(server, 1, "192.0.2.7|1", Receiver())
        join(server, 2, "192.0.2.7|2", Receiver())
        say(server, ann, "/nick Ann", "hello")
        server.operator().mute(ann.id)
        panes.feed.begin(server.chat.snapshot())
        assert texts(panes.show(after=5)) == [f"Server started on port {server.port}"]
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
        assert [entry.kind for entry in shown] == [Kind.NOTICE, Kind.RENAME, Kind.NOTICE, Kind.LEAVE]
        assert [(user.name, user.muted) for user in panes.user_list.users.values()] == [
            ("Ann", False),
            ("192.0.2.7|2", True),
        ]
        assert panes.user_list.changes == 1


async def test_a_server_that_has_not_started_has_nothing_to_show(panes: Panes) -> None:
    panes.feed.begin(ChatServer().chat.snapshot())
    assert (panes.show(), panes.names) == ([], [])


async def test_who_is_here_already_is_shown_once_there_is_a_screen(panes: Panes) -> None:
    async with ChatServer(Settings(port=0)) as server:
        join(server, 1, "192.0.2.7|1", Receiver())
        snapshot = server.chat.snapshot()._replace(started=None)
    feed = Feed(panes.shown_log, panes.user_list, panes.status_bar, clock=panes.clock)
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
