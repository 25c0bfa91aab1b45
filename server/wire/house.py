"""What a connection asks of the server, so that neither needs the whole of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..room.room import Room
from ..settings import Settings
from .outbox import Outbox
from .turns import Turns

if TYPE_CHECKING:
    from .connection import Connection


class House(Protocol):
    """What a connection needs of the server that it belongs to."""

    settings: Settings
    room: Room
    outbox: Outbox
    turns: Turns
    read_buffer: memoryview

    def opened(self, connection: Connection) -> int:
        """Count in `connection`; the answer is the id of its member."""
        ...

    def closed(self, connection: Connection) -> None:
        """Count out `connection`."""
        ...

    def is_banned(self, host: str) -> bool:
        """Whether nobody from the IP address `host` may join."""
        ...

    def refused(self, why: str, host: str) -> None:
        """Report a connection that did not become a member."""
        ...

    def failed(self, where: str, error: BaseException) -> None:
        """Report `error`, met while serving the member named `where`."""
        ...
