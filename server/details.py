"""What is known about a member beside what all are told."""

from __future__ import annotations

from dataclasses import dataclass

from .addresses import Address


@dataclass(frozen=True, slots=True)
class Details:
    """What is known about one member. Times are in seconds, `waiting` is in bytes; None = not known here."""

    address: Address
    here: float | None
    """How long it has been in the room."""
    idle: float | None
    """How long ago it sent its last line."""
    lines: int
    """How many lines it has said."""
    waiting: int | None
    """How much is waiting for it to read."""
    node: str = ""
    """The node of the cluster that it is connected to, if that is another one."""
