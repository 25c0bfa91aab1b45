"""A user with all that a card shows, and what can be done to one."""

from __future__ import annotations

import time

from chat_console.widgets.entry import Entry, Kind
from chat_console.widgets.user_buttons import Act
from chat_console.widgets.user_facts import Details

V4 = "127.0.0.1|47144"

ACTS = (
    Act("Message", "F2", "app.do('message')"),
    Act("Kick", "F3", "app.do('kick')"),
    Act("Mute", "F6", "app.do('mute')", undo="Unmute"),
    Act("Ban", "F7", "app.do('ban')"),
)


def at(clock: str) -> float:
    """Some day at that local time."""
    return time.mktime(time.strptime(f"2025-11-27 {clock}", "%Y-%m-%d %H:%M"))


QUENTIN = Details(
    7,
    "quentin",
    V4,
    here=3720,
    idle=125,
    lines=14,
    waiting=0,
    old_names=["q"],
    others=29,
    last=[
        Entry(at("23:03"), Kind.PRIVATE, "", "Karim is insulting me in private, can you do something?"),
        Entry(at("22:55"), Kind.CHAT, "", "is there a solution for 2?"),
        Entry(at("22:40"), Kind.SILENCED, "", "I use recv(1024)"),
    ],
)
