"""A TCP chat room that people join with `nc` or telnet: the server, its settings and its events.

What is named here is the library; the consoles and their widgets are the program's own.
"""

from .server.chat_server import ChatServer, Details
from .server.gate.bans import BansFileError
from .server.room.events import (
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
from .server.room.room import Member
from .server.settings import Settings, SettingsError
from .server.subscribers import Subscriber
from .server.wire.listener import ListenError
from .server.wire.tls import CertificateError

__version__ = "0.1.0"

__all__ = [
    "BansFileError",
    "CertificateError",
    "ChatServer",
    "Details",
    "Event",
    "Failed",
    "Joined",
    "LeaveReason",
    "Left",
    "ListenError",
    "Member",
    "MessagedOperator",
    "Muted",
    "OperatorMessaged",
    "OperatorSaid",
    "QuitRequested",
    "Refused",
    "Renamed",
    "Replied",
    "Said",
    "Settings",
    "SettingsError",
    "Started",
    "Subscriber",
    "__version__",
]
