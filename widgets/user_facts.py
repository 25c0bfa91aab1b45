"""What is known of one user, in a few rows: the text of the card. Pure functions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..server.room.text import clean
from .cells import widest
from .counts import count_text
from .entry import MARKS, Entry
from .user_row import ending, time_here, time_left, truncate

WIDE = 30
"""The width from which there is room for the last lines."""

LAST_LINES = 3
"""How many of a user's last lines are shown where there is room: one less where the rest takes a row more."""

_BETWEEN = " · "

_LEAST_ADDRESS = 7  # cells, which have the port


@dataclass(frozen=True, slots=True)
class Details:
    """What the card shows of one user. Times are spans, in seconds; None = not known."""

    user_id: int
    name: str
    address: str
    here: float | None
    """Since it joined."""
    idle: float | None
    """Since its last line."""
    lines: int
    """How many lines it has said."""
    waiting: int | None
    """How many bytes wait for it to read them."""
    old_names: Sequence[str] = ()
    """The names it had before, the latest first."""
    muted: bool = False
    mute_left: float | None = None
    """Until it may speak again; None = when the mute is lifted."""
    mutes: int = 0
    """How often it has been muted, now included."""
    others: int = 0
    """How many others have the same IP address."""
    last: Sequence[Entry] = ()
    """What it said last, the latest first."""
    node: str = ""
    """The node of the cluster that it is connected to, if that is another one."""


def size_text(size: int) -> str:
    """Format a number of bytes in the largest fitting unit: `0 B`, `340 kB`, `12 MB`."""
    if size < 1_000:
        return f"{size} B"
    return f"{size / 1_000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.0f} MB"


def title(name: str, width: int) -> tuple[str, str, str]:
    """Lay out `── name ──────` in `width` cells: the rule before the name, the name, the rule after it."""
    name = truncate(clean(name), max(0, width - 6))
    if not name:
        return "", "", "─" * width
    return "── ", name, " " + "─" * (width - 4 - widest(name))


def facts(details: Details, width: int) -> list[str]:
    """Return what is known, in rows of at most `width` cells; how many depends on the width alone."""
    lines = count_text(details.lines, "line")
    address, old, mute = clean(details.address), _old_names(details), _mute(details)
    where = f"on node {clean(details.node)}" if details.node else f"here {_minutes(details.here)}"
    if width < WIDE:
        about = [mute, old] if details.muted else [old, mute]
        return [ending(address, width), truncate(f"{where} · {lines}", width), _joined(about, width)]
    idle = "" if details.idle is None else f"idle {_minutes(details.idle)}"
    waiting = "rest unknown" if details.waiting is None else f"{size_text(details.waiting)} waiting"
    others = f"same address: {count_text(details.others, 'other')}" if details.others else ""
    parts = [mute, old, others] if details.muted else [old, others, mute if details.mutes else ""]
    about = _in_one_or_two(parts, width)
    # Of an address the end counts, of a node's name the start.
    where = truncate(where, width - _LEAST_ADDRESS - len(_BETWEEN))
    return [
        f"{ending(address, width - widest(where) - len(_BETWEEN))}{_BETWEEN}{where}",
        _joined((lines, idle, waiting), width),
        *about,
        *_last(details, width, LAST_LINES + 1 - len(about)),
    ]


def _last(details: Details, width: int, count: int) -> list[str]:
    rows = [
        truncate(f"{_clock(entry.time)} {MARKS[entry.kind]} {clean(entry.text)}", width)
        for entry in details.last[:count]
    ]
    return rows + [""] * (count - len(rows))


def _clock(at: float) -> str:
    return time.strftime("%H:%M", time.localtime(at))


def _minutes(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    # Seconds would change the card every second.
    return time_here(seconds) if seconds >= 60 else "<1m"


def _old_names(details: Details) -> str:
    return f"was {', '.join(map(clean, details.old_names))}" if details.old_names else ""


def _mute(details: Details) -> str:
    if details.muted:
        left = details.mute_left
        return "muted until lifted" if left is None else f"muted for {time_left(left)} more"
    times = {0: "never", 1: "once", 2: "twice"}.get(details.mutes, f"{details.mutes} times")
    return f"muted {times}"


def _in_one_or_two(parts: Sequence[str], width: int) -> list[str]:
    """Return `parts` in one row, or in two where they do not fit."""
    whole = _BETWEEN.join(filter(None, parts))
    if widest(whole) <= width:
        return [whole]
    first, *others = filter(None, parts)
    while len(others) > 1 and widest(f"{first}{_BETWEEN}{others[0]}") <= width:
        first += _BETWEEN + others.pop(0)
    return [truncate(first, width), *([_joined(others, width)] if others else [])]


def _joined(parts: Sequence[str], width: int) -> str:
    return truncate(_BETWEEN.join(filter(None, parts)), width)
