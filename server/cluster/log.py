"""The shared log as a node sees it: what writes to it, and what reads from it."""

from __future__ import annotations

from typing import Protocol


class Log(Protocol):
    """One order of entries for all nodes."""

    def append(self, data: bytes) -> None:
        """Put an entry at the end of the log; never blocks. It may get lost, and may come twice."""
        ...

    def send(self, node: str, process: int, data: bytes) -> None:
        """Send `data` to one process of a node, past the log. It may get lost."""
        ...


class Reader(Protocol):
    """Takes what the log says, in its order."""

    def opened(self) -> None:
        """The log can be read and written, and nothing of it is missing so far."""
        ...

    def closed(self, why: str) -> None:
        """The log can be neither read nor written for now."""
        ...

    def lost(self, why: str) -> None:
        """What comes next does not continue what came before."""
        ...

    def entry(self, position: int, time: float, node: str, data: bytes) -> None:
        """An entry of `node` is in the log at `position`, since `time`: wall-clock seconds of the engine."""
        ...

    def received(self, data: bytes) -> None:
        """Another node has sent `data` to this process alone."""
        ...
