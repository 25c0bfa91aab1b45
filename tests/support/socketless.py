"""Members of a running server who have no sockets: what they do, without the time that the network takes."""

from __future__ import annotations

import time

from chat_console.server.addresses import Address
from chat_console.server.chat_server import ChatServer
from chat_console.server.room.entries import Leave, Lines
from chat_console.server.room.events import LeaveReason
from chat_console.server.room.member import Member

from .recording import Receiver


def join(server: ChatServer, number: int, address: str, client: Receiver) -> Member:
    """Let somebody without a socket join, under an id of its own, from an address (`{ip}|{port}`)."""
    host, _, port = address.rpartition("|")
    server.chat.join(number, Address(host, int(port)), client)
    (member,) = [member for member in server.members if member.id == number]
    return member


def say(server: ChatServer, member: Member, *lines: str) -> None:
    """Let `lines` of `member` arrive together."""
    server.chat.submit(Lines(time.time(), member.id, lines))


def go(server: ChatServer, *members: Member) -> None:
    """Let `members` go, one after the other."""
    for member in members:
        server.chat.submit(Leave(time.time(), (member.id,), LeaveReason.QUIT))
