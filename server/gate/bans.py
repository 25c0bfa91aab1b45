"""The bans in force and when they end; kept in a file, if there is one."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from ..addresses import Network, NetworkMap, address_of
from .bans_file import BansFile, BansFileError, Line

T = TypeVar("T")

_RENDERED_AT_ONCE = 500
_FORGOTTEN_AT_ONCE = 64  # expired bans, so that no single call pays for many


class Ban(NamedTuple):
    """Nobody from `network` may join for another `seconds`; None = until the ban is lifted."""

    network: Network
    seconds: float | None


class Aside(Protocol):
    """Runs slow work where it blocks nobody, in order, and passes on its result."""

    def __call__(self, work: Callable[[], T], done: Callable[[T], object], /) -> object:
        """Call `done` with the result of `work`, which must not raise."""
        ...


class _Entry:
    """A ban in force, and the comment on its line in the file."""

    __slots__ = ("comment", "end", "network")

    def __init__(self, network: Network, end: float | None, comment: str) -> None:
        self.network = network
        self.end = end  # on the monotonic clock
        self.comment = comment


class Bans:
    """The bans in force.

    A look-up takes the same time however many bans there are. Durations run on a monotonic clock, so that
    setting the system clock neither lifts nor lengthens a ban; the file holds wall-clock times.

    Args:
        monotonic, wall: the two clocks, in seconds.
        failed: called when the file could not be written; the change is in force anyway.
        aside: runs the reading and writing of the file.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
        failed: Callable[[OSError], None],
        aside: Aside,
    ) -> None:
        self._file: BansFile | None = None
        self._monotonic = monotonic
        self._wall = wall
        self._failed = failed
        self._aside = aside
        self._saving = self._again = False
        self._unsaved: set[Network] = set()  # changed, and not on its way to the file
        self._being_saved: set[Network] = set()
        self._start_anew()

    def keep_in(self, file: BansFile | None) -> None:
        """Load the bans from `file` and keep them there from now on; with None, keep them in memory only.

        Bans that were kept only in memory stay in force, and are written to the file.

        Raises:
            BansFileError: if the file cannot be read as bans; then nothing has changed.
        """
        lines = file.read() if file else []
        entries = [] if self._file else [one for one in self._lines.values() if isinstance(one, _Entry)]
        self._file = file
        self._start_anew()
        self._take(lines)
        for entry in entries:
            self._put(entry.network, entry.end)
        if entries:
            self._save([entry.network for entry in entries])

    def _start_anew(self) -> None:
        self._entries: NetworkMap[_Entry] = NetworkMap()
        # The file's lines in order: the entries by network, comments and blank lines by number.
        self._lines: dict[Network | int, _Entry | str] = {}
        self._ends: list[tuple[float, Network]] = []  # a heap; outdated ends are skipped

    @property
    def file(self) -> BansFile | None:
        """The file that keeps the bans."""
        return self._file

    def all(self) -> Sequence[Ban]:
        """The bans in force, sorted by network."""
        now = self._monotonic()
        entries = [entry for entry in self._lines.values() if isinstance(entry, _Entry)]
        entries.sort(key=lambda entry: entry.network)
        return [
            Ban(entry.network, None if entry.end is None else entry.end - now)
            for entry in entries
            if entry.end is None or entry.end > now
        ]

    def render(self, text: Callable[[Sequence[Ban]], str], done: Callable[[str], object]) -> None:
        """Call `done` with the `text` of all bans; for many bans it is made aside."""
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

    def add(self, networks: Sequence[Network], seconds: float | None) -> Sequence[Network]:
        """Ban `networks` for `seconds`, or until lifted if None.

        Returns:
            Those that were banned before: it replaces their ban.
        """
        replaced = [network for network in networks if self._is_banned(network)]
        end = None if seconds is None else self._monotonic() + seconds
        for network in networks:
            self._put(network, end)
        self._forget_ended()
        self._save(networks)
        return replaced

    def remove(self, network: Network) -> bool:
        """Lift the ban of exactly `network`; return whether there was one."""
        if not self._is_banned(network):
            return False
        self._drop(network)
        self._save([network])
        return True

    def reload(self, done: Callable[[int | BansFileError], object]) -> None:
        """Load the file again, and keep the changes that could not be written to it.

        Then `done` gets the number of bans, or the error if the file cannot be read and nothing has changed.
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

    def _is_banned(self, network: Network) -> bool:
        """Whether a ban of exactly `network` is in force."""
        entry = self._entries.get(network)
        return entry is not None and (entry.end is None or entry.end > self._monotonic())

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
        """Put the bans of the file in force."""
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
                self._drop(line.network)  # if a network has two lines, the last one counts

    def _save(self, changed: Sequence[Network]) -> None:
        """Have the file rewritten because of `changed`; if a write is under way, once more after it."""
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
