"""A TCP chat room that people join with `nc` or telnet: the server, its settings and its events.

What is named here is the library; the consoles and their widgets are the program's own.
"""

from .server.addresses import Address, Endpoint
from .server.chat_server import ChatServer
from .server.details import Details
from .server.gate.bans_file import BansFileError
from .server.history.place import HistoryError
from .server.room.events import (
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
    PublicEvent,
    Recording,
    Refused,
    Renamed,
    Replied,
    RoomEvent,
    Said,
    ServerEvent,
    Silenced,
    Started,
    Stopped,
    Unbanned,
)
from .server.room.member import Member
from .server.room.operator import OperatorSession
from .server.settings import Settings, SettingsError
from .server.subscribers import Subscriber
from .server.wire.listener import ListenError
from .server.wire.tls import CertificateError

__version__ = "0.1.0"

__all__ = [
    "Address",
    "Banned",
    "BansFileError",
    "CertificateError",
    "ChatServer",
    "Details",
    "Endpoint",
    "Event",
    "Failed",
    "HistoryError",
    "Joined",
    "LeaveReason",
    "Left",
    "Linked",
    "ListenError",
    "Member",
    "Messaged",
    "Muted",
    "OperatorMessaged",
    "OperatorSaid",
    "OperatorSession",
    "Outcome",
    "PublicEvent",
    "Recording",
    "Refused",
    "Renamed",
    "Replied",
    "RoomEvent",
    "Said",
    "ServerEvent",
    "Settings",
    "SettingsError",
    "Silenced",
    "Started",
    "Stopped",
    "Subscriber",
    "Unbanned",
    "__version__",
]
