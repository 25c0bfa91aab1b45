"""Times as people type and read them, in local time. Pure: the time is handed in."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from datetime import time as clock_time

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_CLOCK = re.compile(r"\d\d?:\d\d(?::\d\d)?")
_DATE = re.compile(rf"(\d{{4}}-\d\d-\d\d)(?:[T ]({_CLOCK.pattern}))?")


def moment(text: str, now: float, *, end: bool = False) -> float | None:
    """Read `2026-11-26`, `2026-11-26 21:30`, `21:30` for today, or how long ago: `90m`, `2h`, `3d`.

    Args:
        now: the time, in seconds since the epoch.
        end: whether a date means the end of that day, and not its beginning.

    Returns:
        That time likewise, or None if `text` is none.
    """
    if match := _AGO.fullmatch(text):
        return now - int(match[1]) * _SECONDS[match[2]]
    try:
        if _CLOCK.fullmatch(text):
            found = datetime.combine(datetime.fromtimestamp(now), _clock(text))
        elif match := _DATE.fullmatch(text):
            found = datetime.combine(datetime.fromisoformat(match[1]), _clock(match[2] or "0:00"))
            if end and match[2] is None:
                found += timedelta(days=1)
        else:
            return None
        return found.timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def past_moment(text: str, now: float, *, end: bool = False) -> float | None:
    """Read a time as `moment` does, but of a time of day that is still to come take yesterday's."""
    at = moment(text, now, end=end)
    if at is not None and at > now and _CLOCK.fullmatch(text):
        yesterday = datetime.fromtimestamp(at) - timedelta(days=1)
        return yesterday.timestamp()
    return at


def _clock(text: str) -> clock_time:
    hour, minute, *second = map(int, text.split(":"))
    return clock_time(hour, minute, second[0] if second else 0)


def clock(at: float, now: float) -> str:
    """Return hour and minute of a time in seconds since the epoch, and its date unless it is of today."""
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M", then)
    year = f" {then.tm_year}" if then.tm_year != today.tm_year else ""
    return time.strftime(f"{then.tm_mday} %b{year} %H:%M", then)
