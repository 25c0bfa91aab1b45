"""Lines of a history as the operator reads them: entries of the log, text, JSON and CSV. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache

from ..server.history.records import Kind as Recorded
from ..server.history.records import Line, Record, event_of
from ..server.room.text import clean
from ..server.room.told import told
from ..widgets.counts import count_text
from ..widgets.entry import MARKS, Entry, Kind
from .saving import saved_lines

_NAMES = {
    Recorded.SAID: "said",
    Recorded.OPERATOR_SAID: "operator",
    Recorded.JOINED: "joined",
    Recorded.LEFT: "left",
    Recorded.RENAMED: "renamed",
    Recorded.MUTED: "muted",
    Recorded.BANNED: "banned",
    Recorded.UNBANNED: "unbanned",
    Recorded.STARTED: "started",
    Recorded.STOPPED: "stopped",
    Recorded.GAP: "gap",
    Recorded.PRIVATE: "private",
    Recorded.SENT: "sent",
}
"""What the kinds are called in JSON and CSV."""

_COLUMNS = ("serial", "time", "kind", "user", "address", "text")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def entry_of(line: Line) -> Entry:
    """Return `line` as the log shows it. Its author is nobody who is here: that may have been in another run.

    It is cleaned where it is shown: the file may be anybody's.
    """
    event = event_of(line)
    if event is None:
        return Entry(line.time, Kind.NOTICE, "", _unknown(line))
    telling = told(event)
    return Entry(line.time, Kind(telling.kind), telling.author(event), "\n".join(telling.texts(event)))


def _unknown(line: Line) -> str:
    """Return what to show of a line that is no event, or none that this version knows."""
    if line.kind == Recorded.GAP and line.text.isdecimal():
        return f"{count_text(int(line.text[:18]), 'line')} not kept: the disk could not be written"
    return line.text


def text_of(lines: Iterable[Line]) -> str:
    """Return `lines` as the log has them, with date and time: one line each."""
    return "".join(f"{each}\n" for each in saved_lines(map(entry_of, lines)))


def json_of(lines: Iterable[Line]) -> str:
    """Return `lines` as one JSON object a line (jsonlines.org)."""
    return "".join(json.dumps(_fields(line), ensure_ascii=False) + "\n" for line in lines)


def csv_of(lines: Iterable[Line]) -> str:
    """Return `lines` as CSV (RFC 4180), without the header.

    A cell that a spreadsheet would take for a formula begins with an apostrophe (CWE-1236).
    """
    output = io.StringIO()
    writer = csv.writer(output)
    for line in lines:
        writer.writerow([_harmless(value) for value in _fields(line).values()])
    return output.getvalue()


def csv_header() -> str:
    """Return the header of a CSV file."""
    return ",".join(_COLUMNS) + "\r\n"


def logged_text(record: Record, address: str) -> str:
    """Return the lines of `record` as `text_of` does, but with a time that tells its zone (ISO 8601)."""
    if record.kind is Recorded.SAID:
        # In a flood there are hundreds of thousands of these in a second; the room has cleaned them.
        before = f"{_iso_seconds(int(record.time))} {MARKS[Kind.CHAT]} {record.name}: "
        return before + record.text.replace("\n", f"\n{before}") + "\n"
    lines = saved_lines(map(entry_of, record.split(address)), _iso_seconds)
    return "".join(f"{each}\n" for each in lines)


def logged_json(record: Record, address: str) -> str:
    """Return the lines of `record` as `json_of` does, but without numbers, which a log does not keep."""
    first, *others = record.split(address)
    fields = _fields(first)
    del fields["serial"]
    shown = json.dumps(fields, ensure_ascii=False) + "\n"
    # Of several lines only the text differs, and it comes last.
    before = shown[: shown.rindex(', "text": ')]
    texts = "".join(f'{before}, "text": {json.dumps(line.text, ensure_ascii=False)}}}\n' for line in others)
    return shown + texts


@lru_cache(64)
def _iso_seconds(at: float) -> str:
    return _iso(at, "seconds")


def _iso(at: float, precision: str) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec=precision)


LOG_FORMATS: dict[str, Callable[[Record, str], str]] = {"text": logged_text, "json": logged_json}
FORMATS: dict[str, Callable[[Iterable[Line]], str]] = {"text": text_of, "json": json_of, "csv": csv_of}


def _fields(line: Line) -> dict[str, int | str]:
    kind = _NAMES.get(Recorded(line.kind)) if line.kind in _NAMES else str(line.kind)
    if line.kind == Recorded.MUTED and line.text.startswith("0"):
        kind = "unmuted"
    entry = entry_of(line)
    text = line.text if line.kind in (Recorded.SAID, Recorded.OPERATOR_SAID, Recorded.PRIVATE) else entry.text
    values = (
        line.serial,
        _iso(line.time, "milliseconds"),
        kind or "",
        clean(line.name),
        clean(line.address),
        clean(text),
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _harmless(value: int | str) -> int | str:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value
