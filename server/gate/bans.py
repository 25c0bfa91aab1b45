"""Who may not come in, and until when; kept in a file where there is one."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..addresses import Network, NetworkMap, address_of
from .bans_file import BansFile, BansFileError, Line

T = TypeVar("T")

_RENDERED_AT_ONCE = 500
_FORGOTTEN_AT_ONCE = 64  # bans that have ended, so that no one call pays for many


@dataclass(frozen=True, slots=True)
class Ban:
    """Nobody from `network` may join for another `seconds`; None means until it is lifted."""

    network: Network
    seconds: float | None


class Aside(Protocol):
    """Runs what may take long where it holds up nobody, in order, and tells of its result."""

    def __call__(self, work: Callable[[], T], done: Callable[[T], object], /) -> object:
        """Call `done` with the result of `work`, which does not raise."""
        ...


class _Entry:
    """A ban in force, and the comment that its line in the file bears."""

    __slots__ = ("comment", "end", "network")

    def __init__(self, network: Network, end: float | None, comment: str) -> None:
        self.network = network
        self.end = end  # by the monotonic clock
        self.comment = comment


class Bans:
    """The bans in force.

    Asking about an address costs the same however many there are. A duration is measured by a monotonic
    clock, so that setting the system's clock neither lifts nor lengthens a ban; the file holds times of
    the wall clock.

    Args:
        file: where they are kept, or None to keep them in memory alone.
        monotonic, wall: the two clocks, in seconds.
        failed: is told when the file could not be written; what was changed is in force all the same.
        aside: reads and writes the file.

    Raises:
        BansFileError: if the file cannot be read as bans.
    """

    def __init__(
        self,
        file: BansFile | None,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
        failed: Callable[[OSError], None],
        aside: Aside,
    ) -> None:
        self._file = file
        self._monotonic = monotonic
        self._wall = wall
        self._failed = failed
        self._aside = aside
        self._saving = self._again = False
        self._unsaved: set[Network] = set()  # what was changed and is not on its way to the file
        self._being_saved: set[Network] = set()
        self._start_anew()
        if file is not None:
            self._take(file.read())

    def _start_anew(self) -> None:
        self._entries: NetworkMap[_Entry] = NetworkMap()
        # The file's lines in order: the entries by network, comments and blank lines by number.
        self._lines: dict[Network | int, _Entry | str] = {}
        self._ends: list[tuple[float, Network]] = []  # a heap; an end that is no longer true is passed over

    @property
    def file(self) -> BansFile | None:
        """Where they are kept."""
        return self._file

    def all(self) -> Sequence[Ban]:
        """The bans in force, in order of their networks."""
        now = self._monotonic()
        entries = [entry for entry in self._lines.values() if isinstance(entry, _Entry)]
        entries.sort(key=lambda entry: entry.network)
        return [
            Ban(entry.network, None if entry.end is None else entry.end - now)
            for entry in entries
            if entry.end is None or entry.end > now
        ]

    def render(self, text: Callable[[Sequence[Ban]], str], done: Callable[[str], object]) -> None:
        """Call `done` with the `text` of all bans; that of many is made aside."""
        bans = self.all()
        if len(bans) > _RENDERED_AT_ONCE:
            self._aside(lambda: text(bans), done)
        else:
            done(text(bans))

    def covers(self, host: str | Network) -> bool:
        """Whether a ban is in force for the IP address `host`."""
        address = address_of(host) if isinstance(host, str) else host
        if not self._entries.covers(address):
            return False
        now = self._monotonic()
        return any(entry.end is None or entry.end > now for entry in self._entries.covering(address))

    def add(self, networks: Sequence[Network], seconds: float | None) -> None:
        """Ban `networks` for `seconds`, or until they are lifted. A ban of the same network is replaced."""
        end = None if seconds is None else self._monotonic() + seconds
        for network in networks:
            self._put(network, end)
        self._forget_ended()
        self._save(networks)

    def remove(self, network: Network) -> bool:
        """Lift the ban of exactly `network`; whether there was one."""
        entry = self._entries.get(network)
        if entry is None or (entry.end is not None and entry.end <= self._monotonic()):
            return False
        self._drop(network)
        self._save([network])
        return True

    def reload(self, done: Callable[[int | BansFileError], object]) -> None:
        """Have what the file says in force, and what could not be written to it.

        Then `done` gets the number of bans, or why the file cannot be read: then nothing has changed.
        """
        file = self._file
        assert file is not None

        def read() -> list[Line] | BansFileError:
            try:
                return file.read(missing_ok=False)
            except BansFileError as error:
                return error

        def take(lines: list[Line] | BansFileError) -> None:
            if isinstance(lines, BansFileError):
                done(lines)
                return
            changed = {network: self._entries.get(network) for network in self._being_saved | self._unsaved}
            self._start_anew()
            self._take(lines)
            for network, entry in changed.items():
                if entry is not None:
                    self._put(network, entry.end)
                elif self._entries.get(network) is not None:
                    self._drop(network)
            if changed:
                self._save(list(changed))
            done(len(self._entries))

        self._aside(read, take)

    def _put(self, network: Network, end: float | None, comment: str = "") -> None:
        old = self._entries.get(network)
        entry = _Entry(network, end, comment or (old.comment if old else ""))
        self._entries[network] = self._lines[network] = entry
        if end is not None:
            heapq.heappush(self._ends, (end, network))
            if len(self._ends) > 2 * len(self._entries) + _FORGOTTEN_AT_ONCE:
                entries = [entry for entry in self._lines.values() if isinstance(entry, _Entry)]
                self._ends = [(entry.end, entry.network) for entry in entries if entry.end is not None]
                heapq.heapify(self._ends)

    def _drop(self, network: Network) -> None:
        del self._entries[network]
        del self._lines[network]

    def _forget_ended(self) -> None:
        now = self._monotonic()
        for _ in range(_FORGOTTEN_AT_ONCE):
            if not self._ends or self._ends[0][0] > now:
                return
            end, network = heapq.heappop(self._ends)
            entry = self._entries.get(network)
            if entry is not None and entry.end == end:
                self._drop(network)

    # The file

    def _take(self, lines: Sequence[Line]) -> None:
        """Put in force what the file says."""
        to_monotonic = self._monotonic() - self._wall()
        now = self._monotonic()
        for number, line in enumerate(lines):
            if line.network is None:
                self._lines[number] = line.text
                continue
            end = None if line.end is None else line.end + to_monotonic
            if end is None or end > now:
                self._put(line.network, end, line.text)
            elif self._entries.get(line.network) is not None:
                self._drop(line.network)  # of two lines the last one counts

    def _save(self, changed: Sequence[Network]) -> None:
        """Have the file written anew, since `changed` have; once more when that is under way."""
        file = self._file
        if file is None:
            return
        self._unsaved.update(changed)
        if self._saving:
            self._again = True
            return
        self._saving = True
        self._being_saved, self._unsaved = self._unsaved, set()
        rows = list(self._lines.values())
        to_wall = self._wall() - self._monotonic()

        def write() -> OSError | None:
            try:
                file.write(map(line, rows))
            except OSError as error:
                return error
            return None

        def line(row: _Entry | str) -> Line:
            if isinstance(row, str):
                return Line(None, None, row)
            return Line(row.network, None if row.end is None else round(row.end + to_wall), row.comment)

        self._aside(write, self._saved)

    def _saved(self, error: OSError | None) -> None:
        self._saving = False
        if error is not None:
            self._unsaved |= self._being_saved
            self._failed(error)
        self._being_saved = set()
        if self._again:
            self._again = False
            self._save(())
