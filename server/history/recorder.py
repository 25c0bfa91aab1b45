"""The recorder: takes public events on the loop, and has them written by a thread of its own.

The loop and the thread share few variables, each written by one of them alone:

- `_queue`: the loop appends, the thread pops as many as it has counted.
- `_put`, `next` and `_lost` belong to the loop, `_done` and `_written` to the thread: what waits is the
  difference.
- the thread clears `_wake`, then `_awake`, and then pops; in any other order a wake-up could be lost.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ..room.events import Event, Recording, Said
from . import notices
from .place import HistoryError, Moved
from .records import MOST_LINES, SIZE_WITHOUT_TEXT, Kind, Record, content_of
from .setback import Setback, Trouble

GATHERED = 0.05
"""For how long lines are gathered before they are written, in seconds."""

MOST_WAITING = 64 << 20
"""How much may wait to be written, in bytes; further lines are counted, and their number is recorded."""

_BATCH = 4 << 20
"""How much is written at once, in bytes."""

_CLOSING_RETRY = 0.25
"""Seconds between two attempts to write what waits when the program ends."""

FLOOD = 1_000
"""How many lines in one batch leave no time for anything but writing."""


class Destination(Protocol):
    """A file that records are written to. All but the attributes is used by one thread alone."""

    what: str
    """What it is to the operator."""
    path: Path
    next: int
    """The serial number that the next record should have."""

    def write(self, records: Sequence[Record]) -> None:
        """Write `records`, all or none.

        Raises:
            Trouble: if that cannot be done now. They will be given again, and more with them.
            Moved: if the file is not where it was, and has to be opened anew.
        """
        ...

    def reopen(self) -> bool:
        """Open the file anew, and return whether it is another one, whose numbers go on from `next`.

        Raises:
            HistoryError: if that fails.
        """
        ...

    def tend(self, tell: Callable[[str], object], *, is_quiet: bool) -> float | None:
        """Do a little of what is due besides writing. What fails is tried again later.

        Args:
            tell: takes what the operator should know.
            is_quiet: whether there is time for what can wait.

        Returns:
            After how many seconds there is more to do; None = not until something is written.
        """
        ...

    def close(self, ended: float) -> None:
        """Close the file at this time, in seconds since the epoch.

        Raises:
            Trouble: if that fails.
        """
        ...


class Recorder:
    """Records public events in a file, behind the chat's back: it never waits for the disk.

    What was said more than 0.1 s before the process was killed is in the file. If the file cannot be written,
    lines wait in memory, up to `MOST_WAITING`; those beyond it are counted, and a record tells how many there
    were where they are missing.

    Args:
        destination: where to write.
        tell: is called on the loop with what the operator should know.
        private: whether what is said to and by the operator in private is recorded too.
        now: the wall clock, in seconds since the epoch.
    """

    def __init__(
        self,
        destination: Destination,
        tell: Callable[[Recording], object],
        *,
        private: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.next = destination.next
        """The serial number of the next line."""
        self._destination = destination
        self._tell_loop = tell
        self._private = private
        self._now = now
        self._queue: deque[Record] = deque()
        self._put = self._done = 0
        self._lost = self._gap = 0  # all that were not kept, and those that no record tells of yet
        self._first = self._written = destination.next
        self._ahead = 0  # by how much the numbers in the file are ahead of those given here
        self._awake = False
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._given_up = threading.Event()
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        # The thread's own:
        self._held: list[Record] = []
        self._shift = 0
        self._setback: Setback | None = None
        self._lost_told = 0
        threading.Thread(target=self._work, name=destination.what, daemon=True).start()

    # On the loop

    def take(self, event: Event) -> int:
        """Record `event`, and return the serial number of its last line; 0 if it is not recorded."""
        # Most events are these, and they come in floods.
        if type(event) is Said:
            kind, member_id, name, texts = Kind.SAID, event.member_id, event.name, event.texts
        else:
            content = content_of(event, private=self._private)
            if content is None:
                return 0
            kind, member_id, name, text = content
            texts = (text,)
        count = len(texts)
        if self._put - self._done > MOST_WAITING:
            self._lost += count
            self._gap += count
            return 0
        if self._gap:
            self._add_gap(event.time)
        serial = self.next
        for start in range(0, count, MOST_LINES):
            piece = texts[start : start + MOST_LINES]
            # Joined here: thousands of strings that are kept for 50 ms cost more than their joining.
            text = piece[0] if len(piece) == 1 else "\n".join(piece)
            self._put += len(text) + SIZE_WITHOUT_TEXT
            self._queue.append(Record(serial + start, event.time, kind, member_id, name, text, len(piece)))
        self.next = serial + count
        if not self._awake:
            self._awake = True
            self._wake.set()
        return self.next_in_file - 1

    @property
    def next_in_file(self) -> int:
        """The serial number that the next line will have in the file."""
        return self.next + self._ahead

    def _add_gap(self, at: float) -> None:
        """Record how many lines are missing at this place."""
        text = str(self._gap)
        self._put += len(text) + SIZE_WITHOUT_TEXT
        self._queue.append(Record(self.next, at, Kind.GAP, 0, "", text, 1))
        self.next += 1
        self._gap = 0

    async def close(self, patience: float = 5.0) -> str:
        """Write what waits, for at most `patience` seconds, and close the file.

        Returns:
            What the operator should know, if something could not be written; else "".
        """
        if self._gap:
            self._add_gap(self._now())
        self._closing.set()
        self._wake.set()
        try:
            async with asyncio.timeout(patience):
                await self._ended.wait()
        except TimeoutError:
            self.abort()
        missing = self.next - self._written
        return notices.not_finished(self._destination.what, missing) if missing else ""

    def abort(self) -> None:
        """Make `close` return without waiting any longer."""
        self._given_up.set()
        self._ended.set()

    # On the thread

    def _work(self) -> None:
        due: float | None = None
        while not self._given_up.is_set():
            if self._setback is None:
                self._wake.wait(due)
            elif self._closing.is_set():
                self._given_up.wait(_CLOSING_RETRY)
            else:
                self._closing.wait(due)
            try:
                due = self._turn()
            except Exception as error:  # a fault of ours must be told, and must not end the recording
                self._fail(Trouble(notices.has_failed(f"{type(error).__name__}: {error}")))
                due = self._retry_in()
            if self._closing.is_set() and not self._queue and not self._held:
                break
        try:
            self._destination.close(self._now())
        except Trouble as trouble:
            self._tell(ok=False, text=notices.not_written(self._destination.what, trouble.why, 0, 0))
        finally:
            self._on_loop(self._ended.set)

    def _turn(self) -> float | None:
        """Write what has come, and return after how many seconds there is more to do."""
        if self._setback is None:
            self._gather()
        self._wake.clear()
        self._awake = False
        for _ in range(len(self._queue)):
            record = self._queue.popleft()
            self._held.append(self._shifted(record, self._shift) if self._shift else record)
        lines = sum(record.lines for record in self._held)
        if not self._write():
            return self._retry_in()
        is_quiet = lines <= FLOOD and not self._wake.is_set() and not self._closing.is_set()
        return self._destination.tend(lambda text: self._tell(ok=True, text=text), is_quiet=is_quiet)

    def _gather(self) -> None:
        """Wait until the first line that came has waited for `GATHERED`."""
        if self._queue:
            # Clocks are set: never for longer than that.
            self._closing.wait(max(0.0, min(GATHERED, self._queue[0].time + GATHERED - self._now())))

    def _write(self) -> bool:
        """Write what is held, and return whether that is done."""
        try:
            if self._setback is not None and self._setback.trouble.reopen:
                self._reopen()
            while self._held:
                self._write_batch(self._next_batch())
        except Trouble as trouble:
            self._fail(trouble)
            return False
        except HistoryError as error:
            self._fail(Trouble(str(error)))
            return False
        if self._setback is not None:
            self._recover(self._setback)
        return True

    def _write_batch(self, batch: list[Record]) -> None:
        try:
            self._destination.write(batch)
        except Moved:
            self._reopen()
            self._tell(ok=True, text=notices.begun_anew(self._destination.path))
            try:
                self._destination.write(self._held[: len(batch)])  # they may have other numbers now
            except Moved:
                raise Trouble(notices.is_moved(self._destination.path)) from None
        del self._held[: len(batch)]
        self._done += sum(record.size for record in batch)
        lines = sum(record.lines for record in batch)
        self._written += lines
        if self._setback is not None:
            self._setback.written += lines

    def _reopen(self) -> None:
        """Open the file anew; if it is another one, which has these numbers already, go on with its own."""
        is_another = self._destination.reopen()
        ahead = self._destination.next - self._held[0].serial if self._held else 0
        # In the same file they may be there already, though writing them has failed.
        if is_another and ahead > 0:
            self._shift += ahead
            self._held = [self._shifted(record, ahead) for record in self._held]
            self._on_loop(lambda: self._move_ahead(ahead))

    @staticmethod
    def _shifted(record: Record, by: int) -> Record:
        return record._replace(serial=record.serial + by)

    def _move_ahead(self, by: int) -> None:
        self._ahead += by

    def _next_batch(self) -> list[Record]:
        size = 0
        for count, record in enumerate(self._held):
            size += record.size
            if size > _BATCH and count:
                return self._held[:count]
        return self._held[:]

    # Setbacks

    def _fail(self, trouble: Trouble) -> None:
        now = time.monotonic()
        if self._setback is None:
            self._setback = Setback(trouble, now)
        self._setback.again(trouble, now, lost=self._lost - self._lost_told)
        if self._setback.is_to_tell(now):
            waiting = sum(record.lines for record in self._held)
            lost = self._lost - self._lost_told
            self._tell(ok=False, text=notices.not_written(self._destination.what, trouble.why, waiting, lost))

    def _recover(self, setback: Setback) -> None:
        self._setback = None
        lost, self._lost_told = self._lost - self._lost_told, self._lost
        if setback.was_told:
            what, path = self._destination.what, self._destination.path
            self._tell(ok=True, text=notices.written_again(what, path, setback.written, lost))

    def _retry_in(self) -> float:
        return max(0.0, self._setback.retry_at - time.monotonic()) if self._setback else 0.0

    def _tell(self, *, ok: bool, text: str) -> None:
        event = Recording(self._now(), ok, text, self._destination.what)
        self._on_loop(lambda: self._tell_loop(event))

    def _on_loop(self, call: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(call)
