"""What the command line's options have in common: how values are read, and the error of a wrong one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Protocol


class UsageError(ValueError):
    """The program cannot run as asked; the message tells the user what to fix."""


class Group(Protocol):
    """A group of options of the parser: argparse has no public name for its type."""

    def add_argument(self, *names: str, **options: Any) -> argparse.Action: ...


def whole_number(text: str) -> int:
    """Read a whole number in decimal digits."""
    # Python refuses numbers of more than 4,300 digits, and no setting has more than 10.
    if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")


def file_name(text: str) -> Path:
    """Read the name of a file."""
    if text:
        return Path(text)
    raise argparse.ArgumentTypeError("a file needs a name")  # "" would mean the current folder


def number(text: str) -> float:
    """Read a number, which may have a fraction."""
    try:
        if text.isascii() and "_" not in text:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a number")
