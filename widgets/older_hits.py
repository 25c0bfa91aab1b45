"""A search of the log that goes on in its archive."""

from __future__ import annotations

from collections.abc import Callable

from .past import Archive, Found
from .search import Search

MOST_HITS = 10_000
"""How many lines of the archive are found at most."""


class OlderHits:
    """Adds to a search what its query finds in the archive, the newest first.

    Args:
        archive: what is searched, once `begin` is called.
        search: looks through the log's entries.
        changed: is called when something was found, or there is no more.
    """

    def __init__(self, archive: Archive, search: Search, changed: Callable[[], object]) -> None:
        self.is_done = False
        """Whether there is no more to come."""
        self.is_cut_short = False
        """Whether there would have been more than `MOST_HITS`."""
        self.unindexed = 0
        """How many lines have still to be indexed."""
        self._archive = archive
        self._search = search
        self._changed = changed
        self._count = 0
        self._end: Callable[[], object] | None = None

    def begin(self, before: int) -> None:
        """Find lines with numbers below `before`, unless that has begun already."""
        if self._end is None:
            self._end = self._archive.search(self._search.query, before, self._found)

    def _found(self, found: Found) -> None:
        lines = found.entries[: MOST_HITS - self._count]
        self._search.add(lines)
        self._count += len(lines)
        self.unindexed = found.unindexed
        self.is_cut_short = len(lines) < len(found.entries)
        self.is_done = found.ended or self.is_cut_short
        if self.is_cut_short:
            self.end()
        self._changed()

    def end(self) -> None:
        """Find no more."""
        if self._end is not None:
            self._end()
