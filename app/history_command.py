"""`chat-console history FILE`: searches a history, also while it is written, and exports it."""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Sequence
from itertools import islice

from ..server.history.place import HistoryError
from ..widgets.moments import moment
from .options import EXIT_USAGE, Parser, problem, show
from .usage import file_name, whole_number

_SHOWN_AT_ONCE = 1_000
_MOST_LAST = 1_000_000


def main(arguments: Sequence[str]) -> int:
    """Run it, and return the exit code: 0, or 2 if the user has to act."""
    options = parser().parse_args(arguments)
    if options.until is not None and options.since is not None and options.until <= options.since:
        problem("--until is before --since")
        return EXIT_USAGE
    # As of other programs in a pipe: whoever reads may stop at any time.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        return _run(options)
    except HistoryError as error:
        problem(str(error))
        return EXIT_USAGE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _run(options: argparse.Namespace) -> int:
    try:
        import sqlite3
    except ImportError:
        raise HistoryError("this Python has no sqlite3 module, which a history needs") from None
    from ..server.history.query import JOINS, MODERATION, TALK, Query
    from ..server.history.reader import Reader
    from .recorded import FORMATS, csv_header

    kinds = {"talk": TALK, "joins": JOINS, "moderation": MODERATION, "all": ()}[options.kind]
    query = Query(tuple(options.grep), tuple(options.user), kinds, options.since, options.until)
    reader = Reader(options.file)
    try:
        backwards = options.newest_first or options.last is not None
        lines = islice(reader.search(query, newest_first=backwards), options.last)
        if backwards and not options.newest_first:
            lines = reversed([*lines])
        if options.format == "csv" and (code := show(csv_header())):
            return code
        while part := [*islice(lines, _SHOWN_AT_ONCE)]:
            if code := show(FORMATS[options.format](part)):
                return code
    except sqlite3.DatabaseError as error:
        raise HistoryError(f"{options.file} is damaged ({error}); what could be read is shown") from None
    finally:
        reader.close()
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of its command line."""
    result = Parser(
        prog="chat-console history",
        description="Search a file made with --history, also while it is written, and export it.",
        epilog="A TIME is 2026-11-26, '2026-11-26 21:30', 21:30 (today), or how long ago: 90m, 2h, 3d.",
        allow_abbrev=False,
    )
    result.add_argument("file", metavar="FILE", type=file_name, help="the history")
    result.add_argument("--since", metavar="TIME", type=_since, help="only lines from this time on")
    result.add_argument(
        "--until", metavar="TIME", type=_until, help="only lines before this time; of a date, before its end"
    )
    result.add_argument(
        "--user",
        metavar="NAME",
        action="append",
        default=[],
        help="only lines by or about users of this name, in full; may be repeated, for any of them",
    )
    result.add_argument(
        "--grep",
        metavar="TEXT",
        action="append",
        default=[],
        help="only lines with this text or name, in upper or lower case; may be repeated, for all of them",
    )
    result.add_argument(
        "--kind",
        choices=("talk", "joins", "moderation", "all"),
        default="all",
        help="what was said, who came and went, or mutes and bans (default: %(default)s)",
    )
    result.add_argument("--last", metavar="N", type=_count, help="only the last N of these lines")
    result.add_argument(
        "--format",
        choices=("text", "json", "csv"),
        default="text",
        help="as in the console's log, one JSON object a line, or CSV (default: %(default)s)",
    )
    result.add_argument("--newest-first", action="store_true", help="begin with the newest line")
    return result


def _count(text: str) -> int:
    number = whole_number(text)
    if 0 < number <= _MOST_LAST:
        return number
    raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to {_MOST_LAST}")


def _since(text: str) -> float:
    return _moment(text)


def _until(text: str) -> float:
    return _moment(text, end=True)


def _moment(text: str, *, end: bool = False) -> float:
    at = moment(text, time.time(), end=end)
    if at is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 2026-11-26, '2026-11-26 21:30', 21:30, or how long ago: 90m, 2h, 3d"
        )
    return at
