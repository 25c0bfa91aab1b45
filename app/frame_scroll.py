"""What has moved up or down between two frames, as a log does with each line: the terminal can move it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import is_not
from typing import NamedTuple

from .frame import UNKNOWN, Row

# A scroll moves what stands beside the log too, which flickers until that is repaired: it has to gain much.
_LEAST_GAIN = 1.5
_LEAST_ROWS = 2
_SAMPLES = 8
_PLACE = 10
"""What it takes to go to a row and take up the pen, in cells."""


class Scroll(NamedTuple):
    """What moves: all from row `top` to `bottom` and from column `left` on; by `rows`, down if negative."""

    top: int
    bottom: int
    left: int
    rows: int


def find_scroll(old: Sequence[Row], new: Sequence[Row], side_margins: bool) -> Scroll | None:
    """Return what to move on a screen that shows `old` and should show `new`; None if that is not worth it.

    Args:
        old: the rows that are shown.
        new: the rows to show, of the same size.
        side_margins: whether the terminal can move a part of its width.
    """
    changed = [y for y, (before, after) in enumerate(zip(old, new, strict=True)) if before != after]
    if len(changed) < _LEAST_ROWS:
        return None
    # The log is on the right, and its scroll bar, which stays, at the very right.
    width = len(new[0])
    part = slice(width * 2 // 5, width - 2)
    rows = _step(old, new, changed, part)
    targets = [y for y in changed if 0 <= y + rows < len(old) and new[y][part] == old[y + rows][part]]
    if not rows or len(targets) < _LEAST_ROWS:
        return None
    left = _left(old, new, targets, rows, part.start)
    top, bottom = _extent(old, new, targets, rows, slice(left, part.stop))
    if side_margins:
        while left < width and any(row[left].part > 1 for row in (*old, *new)):
            left += 1  # where no text is cut
    scroll = Scroll(top, bottom, left if side_margins else 0, rows)
    places = range(top, bottom + 1, 2)  # half of them will do
    gains = _cost(scrolled(old, scroll), new, places) * _LEAST_GAIN < _cost(old, new, places)
    return scroll if gains else None


def scrolled(rows: Sequence[Row], scroll: Scroll) -> list[Row]:
    """Return what `rows` are after `scroll`. What is new is unknown: terminals differ in its colour."""
    top, bottom, left, by = scroll
    found = list(rows)
    for y in range(top, bottom + 1):
        source = rows[y + by] if top <= y + by <= bottom else None
        if left:
            moved = source[left:] if source is not None else (UNKNOWN,) * (len(rows[y]) - left)
            found[y] = (*rows[y][:left], *moved)
        else:
            found[y] = source if source is not None else (UNKNOWN,) * len(rows[y])
    return found


def _step(old: Sequence[Row], new: Sequence[Row], changed: Sequence[int], part: slice) -> int:
    """Return by how many rows most of a few samples have moved up; negative for down, 0 for none."""
    texts = [(y, new[y][part]) for y in changed]
    votes: Counter[int] = Counter()
    for before in changed[:: max(1, len(changed) // _SAMPLES)]:
        sample = old[before][part]
        places = [after for after, text in texts if text == sample]
        if len(places) == 1:
            votes[before - places[0]] += 1
    return votes.most_common(1)[0][0] if votes else 0


def _left(old: Sequence[Row], new: Sequence[Row], targets: Sequence[int], rows: int, right: int) -> int:
    """Return the column, at most about `right`, from which on `targets` show what was `rows` below."""
    left = 0
    for y in targets:
        x = right
        while x > left and new[y][x - 1] == old[y + rows][x - 1]:
            x -= 1
        left = max(left, x)
    return left


def _extent(
    old: Sequence[Row], new: Sequence[Row], targets: Sequence[int], rows: int, part: slice
) -> tuple[int, int]:
    """Return the first and the last row of what has moved: `targets`, what was there, and its neighbours."""

    def moved(y: int) -> bool:
        return 0 <= y < len(new) and 0 <= y + rows < len(old) and new[y][part] == old[y + rows][part]

    first, last = min(targets), max(targets)
    while moved(first - 1):
        first -= 1
    while moved(last + 1):
        last += 1
    return min(first, first + rows), max(last, last + rows)


def _cost(old: Sequence[Row], new: Sequence[Row], places: range) -> int:
    """Return about how many bytes it takes to make these rows of `new` from `old`."""
    return sum(_PLACE + sum(map(is_not, old[y], new[y])) for y in places if old[y] != new[y])
