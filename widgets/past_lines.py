"""The lines that were sent before: going back to them, and finding one of them. Pure: no widget."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

LIMIT = 500
"""How many lines are kept; the oldest are dropped first."""


class PastLines:
    """The lines that were sent or set aside, the draft that comes after them, and which of them is shown."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LIMIT)
        # Which line is shown, len(lines) being the draft; and lines that were shown, as edited.
        self._position = 0
        self._edited: dict[int, str] = {}

    @property
    def lines(self) -> Sequence[str]:
        """The lines, oldest first."""
        return tuple(self._lines)

    def add(self, line: str) -> bool:
        """Add a line as the newest, and return whether it is neither blank nor the same as the last."""
        is_new = bool(line.strip()) and (not self._lines or line != self._lines[-1])
        if is_new:
            self._lines.append(line)
        return is_new

    def add_older(self, lines: Iterable[str]) -> None:
        """Put `lines`, oldest first, before those that are there. What is shown stays."""
        before = len(self._lines)
        merged = PastLines()
        for line in (*lines, *self._lines):
            merged.add(line)
        self._lines = merged._lines
        # Also if the newest of `lines` is the same as the oldest here, and where there are too many.
        shift = len(self._lines) - before
        self._position += shift
        self._edited = {place + shift: text for place, text in self._edited.items()}

    def move(self, step: int, shown: str) -> str | None:
        """Go `step` lines further, leaving the line that is `shown`; None if there are no further lines.

        Edits to a line last until a line is sent, and do not change what is kept.
        """
        position = min(max(self._position + step, 0), len(self._lines))
        if position == self._position:
            return None
        self._edited[self._position] = shown
        self._position = position
        return self._edited[position] if position in self._edited else self._lines[position]

    def unsent(self, shown: str) -> list[str]:
        """The draft and the lines that were edited, the one `shown` among them, which nobody has sent."""
        edited = {**self._edited, self._position: shown}
        return [line for _, line in sorted(edited.items()) if line not in self._lines]

    def start_over(self) -> None:
        """Go to an empty draft, and forget edits."""
        self._edited.clear()
        self._position = len(self._lines)


class LineSearch:
    """A search for the newest of some lines that contain a text, whatever its case.

    Args:
        lines: the lines, oldest first.
        draft: what is shown while nothing has been searched for.
    """

    def __init__(self, lines: Sequence[str], draft: str) -> None:
        self.draft = draft
        self.query = ""
        """The text that is searched for."""
        self._lines = lines
        self._place = len(lines)

    @property
    def found(self) -> str | None:
        """The line found."""
        return self._lines[self._place] if self._place < len(self._lines) else None

    @property
    def failed(self) -> bool:
        """Whether no line contains the text."""
        return bool(self.query) and self.found is None

    @property
    def shown(self) -> str:
        """The line found, and the draft before anything is searched for."""
        return self.found or ("" if self.query else self.draft)

    def narrow(self, query: str) -> None:
        """Search for another text.

        If it continues the one before, older lines than the one found are tried first.
        """
        count = len(self._lines)
        start = self._place if self.query and query.startswith(self.query) else count
        self.query = query
        places = (*range(min(start, count - 1), -1, -1), *range(count - 1, start, -1)) if query else ()
        self._place = next(filter(self._matches, places), count)

    def move(self, step: int) -> bool:
        """Go to the next older (-1) or newer (1) line that contains the text; return whether there is one."""
        places = range(self._place + step, len(self._lines) if step > 0 else -1, step)
        further = next((place for place in places if self._matches(place) and self._differs(place)), None)
        if further is not None:
            self._place = further
        return further is not None

    def _matches(self, place: int) -> bool:
        return self.query.casefold() in self._lines[place].casefold()

    def _differs(self, place: int) -> bool:
        return self._lines[place] != self.found
