"""A user, and the layout of its row in the list. Pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from ..server.room.text import clean
from .activity import MINUTES, sparkline
from .cells import fitting, widest

MIN_NAME_WIDTH = 4
"""The cells that a name keeps at the expense of all else."""

MIN_NODE_WIDTH = 4
"""The cells below which the start of a node's name is left out, with its `@`."""

MIN_ADDRESS_WIDTH = 6
"""The cells below which the end of an address is left out: it would not tell users apart."""

WIDE = 36
"""The width of a row, without its mark, from which it has a sparkline."""

IDLE_WIDTH = 4

RATE = "/min"
"""How a state ends that may give way to an address."""


@dataclass(frozen=True, slots=True)
class User:
    """One row: a user's id, current name and address, and when it joined (`since`, monotonic seconds)."""

    id: int
    name: str
    address: str
    since: float
    muted: bool = False
    muted_until: float | None = None
    """When the mute ends, in monotonic seconds; None = when it is lifted."""
    node: str = ""
    """The node of the cluster that it is connected to, if that is another one."""


def time_here(seconds: float) -> str:
    """Format a time span in at most five cells: `12s`, `3m`, `1h04`, `2d03`, and from 100 days on `100d`."""
    minutes, s = divmod(max(0, int(seconds)), 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days >= 100:
        return f"{days}d"
    if days:
        return f"{days}d{h:02}"
    if hours:
        return f"{hours}h{m:02}"
    return f"{minutes}m" if minutes else f"{s}s"


def time_idle(seconds: float) -> str:
    """Format a time span in at most four cells: `40s`, in steps of ten seconds, `3m`, `1h04`, `12h`, `2d`.

    It changes seldom, since each change is sent to a terminal.
    """
    if seconds < 60:
        return f"{max(0, int(seconds)) // 10 * 10}s"
    hours = int(seconds // 3600)
    if hours < 10:
        return time_here(seconds)
    return f"{hours}h" if hours < 24 else f"{min(hours // 24, 999)}d"


def time_left(seconds: float) -> str:
    """Format the rest of a time, rounded up: `20s`, `10m`, `1h30`."""
    step = 10 if seconds <= 50 else 60
    return time_here(math.ceil(max(1, seconds) / step) * step)


def truncate(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, with `…` in place of its end if it is longer."""
    if widest(text) <= width:
        return text
    return text[: fitting(text, width - 1)].rstrip() + "…" if width > 0 else ""


def ending(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, with `…` in place of its start if it is longer."""
    if widest(text) <= width:
        return text
    if width <= 0:
        return ""
    start = len(text)
    while start and widest(text[start - 1 :]) < width:
        start -= 1
    return "…" + text[start:]


def state_of(user: User, *, rate: int, pending: int, now: float) -> str:
    """Return what of a user matters most: `»2` unanswered private lines, `mute 9m`, or `62/min`.

    A mute that lasts until it is lifted is `muted`; empty if there is nothing to say.
    """
    if pending:
        return f"»{pending}"
    if user.muted:
        return "muted" if user.muted_until is None else f"mute {time_left(user.muted_until - now)}"
    if rate >= 10_000:
        return f"{rate // 1_000}k{RATE}"
    return f"{rate}{RATE}" if rate else ""


class Row(NamedTuple):
    """What a row shows, not laid out yet."""

    name: str
    address: str
    """Empty unless it is needed to tell the user from another."""
    state: str
    history: tuple[int, ...]
    """Lines in each of the last minutes, oldest first."""
    idle: str
    node: str = ""
    """Empty unless it is another one."""


class Parts(NamedTuple):
    """The parts of a row, which together fill its width."""

    name: str
    detail: str
    """The address and the node, as far as they are shown."""
    state: str
    bars: str
    idle: str


def lay_out_row(row: Row, width: int) -> Parts:
    """Lay out one row in `width` cells, its mark not counted.

    Where it does not fit, the node gives way first, then the sparkline, then the address (whose end remains,
    since users at one address differ in its end alone), the name's end, the state and last the time.
    """
    name, address, node = clean(row.name), clean(row.address), clean(row.node)
    idle = " " + row.idle.rjust(IDLE_WIDTH) if width > MIN_NAME_WIDTH + IDLE_WIDTH else ""
    bars = ""
    if width >= WIDE and not address:
        bars = " " + (sparkline(row.history) if any(row.history) else " " * MINUTES)
    room = width - len(idle) - len(bars)
    state = " " + row.state if row.state else ""
    crowded = address and widest(name) + 1 + widest(address) > room - len(state)
    if (crowded and state.endswith(RATE)) or room - len(state) < MIN_NAME_WIDTH:
        state = ""
    room -= len(state)
    if address:
        name = truncate(name, max(room - 1 - widest(address), room // 2))
        free = room - widest(name) - 1
        address = " " + ending(address, free) if free >= MIN_ADDRESS_WIDTH else ""
    elif name.partition("|")[2].isdecimal():
        name = ending(name, room)  # the address of somebody without a nickname
    else:
        name = truncate(name, room)
    room -= widest(name) + widest(address)
    if node:
        shown = truncate(f"@{node}", room - 1)
        if widest(shown) >= min(MIN_NODE_WIDTH, widest(node) + 1):
            address += f" {shown}"
            room -= 1 + widest(shown)
    return Parts(name, address, " " * room + state, bars, idle)
