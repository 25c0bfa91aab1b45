"""When the terminal may be sent the next frame.

Between this program and what is seen there are buffers: a pseudo-terminal alone takes 64 KB before a write
has to wait, eight seconds of a slow line. So each frame ends with a question, which every terminal answers
once it has read that far, and while too many questions are unanswered no frame is sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

QUESTION = "\x1b[5n"
"""Asks how the terminal is: DSR (ECMA-48, 8.3.35)."""

ANSWER = "\x1b[0n"
"""It is well."""

SMALL = 1000
"""The size, in bytes, up to which a frame on its way leaves room for a second one."""

PATIENCE = 2.0
"""How long after the usual an answer may take, in seconds. After that it counts as lost."""

LONGEST_PATIENCE = 30.0


class _Sent(NamedTuple):
    size: int
    at: float


class Pacing:
    """Knows which frames are on their way.

    A terminal that never answers is paced by what is waiting to be written. One that stops to answer, but
    from which keys come, counts as such a terminal until it answers again.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._sent: deque[_Sent] = deque()
        self._answers = False
        self._usual = 0.0
        self._patience = PATIENCE

    def has_room(self, queued: int) -> bool:
        """Whether a frame may be sent while `queued` writes are waiting on this side of the terminal."""
        if not self._answers:
            return queued == 0
        return not self._sent or (len(self._sent) == 1 and self._sent[0].size <= SMALL)

    def sent(self, size: int) -> None:
        """Note that a frame of `size` bytes, with the question, was sent."""
        if self._answers:
            self._sent.append(_Sent(size, self._clock()))
        else:
            self._sent = deque([_Sent(size, self._clock())])  # what came before may never be answered

    def answered(self) -> None:
        """Note that the terminal has answered."""
        self._answers = True
        self._patience = PATIENCE
        if self._sent:
            self._usual = self._clock() - self._sent.popleft().at

    def typed(self) -> None:
        """Note that keys came from the terminal: if there are no answers, none are to be waited for."""
        if self._patience > PATIENCE:
            self._answers = False

    @property
    def patience(self) -> float | None:
        """How long to wait for an answer before calling `give_up`, in seconds; None if none is due."""
        if not self._answers or not self._sent:
            return None
        return max(0.0, self._sent[-1].at + self._usual + self._patience - self._clock())

    def give_up(self) -> None:
        """Take all answers for lost. The next time the patience is twice as long: the line may be down."""
        self._sent.clear()
        self._patience = min(2 * self._patience, LONGEST_PATIENCE)
