"""A user, and the layout of its row in the list. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

MIN_NAME_WIDTH = 4
"""The cells that a name keeps at the expense of the time."""

MIN_ADDRESS_WIDTH = 16
"""The cells below which a truncated address is left out."""

NARROW = 34
"""The width of a row, without its mark, below which an address is shown in full or not at all."""

TIME_WIDTH = 5
GAP = 2


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


def truncate(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, with `…` in place of its end if it is longer."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def columns(name: str, address: str, time_text: str, width: int) -> tuple[str, str, str]:
    """Lay out one row: the name, the address and the time, which together fill `width` cells.

    The address is shortened first (it is blank if it equals the name), then the name, then the time.
    """
    narrow = width < NARROW
    if width < MIN_NAME_WIDTH + 1 + TIME_WIDTH:
        shown_name, time_text = truncate(name, width), ""
    else:
        shown_name = truncate(name, width - 1 - len(time_text))
        time_text = " " + time_text.rjust(min(TIME_WIDTH, width - 1 - cell_len(shown_name)))
    room = width - cell_len(shown_name) - len(time_text)
    if address == name:
        address = ""
    elif cell_len(address) > room - GAP:
        dropped = narrow or room - GAP < MIN_ADDRESS_WIDTH
        address = "" if dropped else truncate(address, room - GAP)
    return shown_name, " " * (room - cell_len(address)) + address, time_text
