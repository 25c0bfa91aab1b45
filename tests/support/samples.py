"""Entries and events, of each kind one at least."""

from __future__ import annotations

from chat_console.server.addresses import Address, Endpoint, network_of
from chat_console.server.room.entries import (
    NOTHING,
    Ban,
    Entry,
    Join,
    Kick,
    Leave,
    Lines,
    Message,
    Mute,
    MuteExpired,
    Nick,
    Say,
    ShutDown,
    TooLong,
    Unban,
    Unmute,
)
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

ADDRESS = Address("192.0.2.7", 41050)
NETWORKS = (network_of("192.0.2.7"), network_of("2001:db8::/64"))

ENTRIES: tuple[Entry, ...] = (
    Join(1.0, 7, ADDRESS),
    Lines(2.0, 7, ("hello", TooLong(2048), NOTHING, "/list")),
    Nick(2.5, 7, "Ann"),
    Leave(3.0, (7, 8), LeaveReason.SLOW, "far too slow"),
    Say(4.0, 1, "Operator", "hello"),
    Message(5.0, 1, "Operator", "Bob", "psst"),
    Message(5.0, 1, "Operator", 7, "psst"),
    Kick(6.0, 1, "Bob", "too loud"),
    Kick(6.0, 1, 7),
    Mute(7.0, 1, "Bob"),
    Mute(7.0, 1, 7, 600.0),
    MuteExpired(8.0, 7, since=7.0),
    Unmute(9.0, 1, "Bob"),
    Ban(10.0, 1, NETWORKS),
    Ban(10.0, 1, NETWORKS, 7200.0),
    Unban(11.0, 1, NETWORKS[0]),
    ShutDown(12.0),
)

EVENTS: tuple[Event, ...] = (
    Started(1.0, (Endpoint("192.0.2.1", 1234), Endpoint("::1", 1234))),
    Joined(2.0, 7, ADDRESS),
    Renamed(3.0, 7, "192.0.2.7|41050", "Bob"),
    Said(4.0, 7, "Bob", ("one", "two")),
    OperatorSaid(5.0, "Operator", "hello"),
    *(Left(6.0, 7, "Bob", reason) for reason in LeaveReason),
    Left(6.0, 7, "Bob", LeaveReason.KICKED, "too loud"),
    Muted(7.0, 7, "Bob", True),
    Muted(7.0, 7, "Bob", True, 600.0),
    Muted(7.0, 7, "Bob", False),
    Banned(7.0, NETWORKS, 600.0, "spam"),
    Unbanned(7.0, NETWORKS[0]),
    Refused(8.0, 3, "Server is full", "192.0.2.9"),
    Failed(9.0, "Bob", "KeyError: 1"),
    Stopped(9.0, "SIGTERM"),
    Linked(9.0, "Node rome is in, with 2 users.", 3, "cut off"),
    Recording(9.0, False, "the disk is full"),
    Messaged(10.0, 7, "Bob", "psst"),
    Silenced(10.0, 7, "Bob", ("hey", "you")),
    OperatorMessaged(11.0, 1, "Operator", "Bob", "psst", (7,)),
    Replied(12.0, 1, "Kicked 1 people.", Outcome.DONE, "Bob was kicked"),
    Replied(12.0, None, "one\ntwo"),
)
