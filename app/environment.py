"""The environment, checked before anything goes wrong: the terminal's type and Textual's variables."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping

from .usage import UsageError

_DUMB = ("", "dumb", "unknown")
"""Terminal types of which nothing is known except that they print lines (terminfo(5))."""


class EnvironmentProblem(UsageError):
    """An environment variable has an invalid value; the message says what to do."""


def has_screen() -> bool:
    """Whether the standard streams are a terminal whose cursor can be moved, or a driver replaces it.

    Textual paints on stderr. textual-serve runs the console behind pipes and says so with `TEXTUAL_DRIVER`.
    """
    if "TEXTUAL_DRIVER" in os.environ:
        return True
    return not is_dumb() and all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def is_dumb() -> bool:
    """Whether the terminal may be one that only prints lines: nothing may be painted on it."""
    return os.environ.get("TERM", "") in _DUMB


def check(environ: Mapping[str, str] = os.environ) -> None:
    """Make sure that Textual can use every one of its variables that is set.

    Textual ignores some invalid values, fails with a traceback on others, and on some fails later.

    Raises:
        EnvironmentProblem: for the first value that it cannot use.
    """
    for name, (is_right, what) in VARIABLES.items():
        value = environ.get(name)
        if value is not None and not is_right(value):
            raise EnvironmentProblem(f"{name}={value} is invalid: set it to {what}, or unset it")


def _whole_number(least: int, most: int) -> tuple[Callable[[str], bool], str]:
    def is_right(value: str) -> bool:
        try:
            return least <= int(value) <= most
        except ValueError:
            return False

    return is_right, f"a whole number from {least} to {most}"


def _switch(value: str) -> bool:
    return value in ("", "0", "1")


def _animations(value: str) -> bool:
    return value.lower() in ("none", "basic", "full")


def _filters(value: str) -> bool:
    return all(name.strip().lower() in ("", "dim") for name in value.split(","))


def _theme(value: str) -> bool:
    from textual.theme import BUILTIN_THEMES

    return value in BUILTIN_THEMES


def _color_system(value: str) -> bool:
    from rich.console import COLOR_SYSTEMS

    return value == "auto" or value in COLOR_SYSTEMS


def _driver(value: str) -> bool:
    from textual.driver import Driver

    module, _, name = value.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception:  # its module may raise anything when imported
        return False
    return inspect.isclass(found) and issubclass(found, Driver) and not inspect.isabstract(found)


def _log_file(value: str) -> bool:
    try:
        with open(value, "a"):
            return True
    except (OSError, ValueError):
        return False


def _directory(value: str) -> bool:
    return os.path.isdir(value) and os.access(value, os.W_OK)


def _keys(value: str) -> bool:
    waits = [key.removeprefix("wait:") for key in value.split(",") if key.startswith("wait:")]
    return all(wait.isascii() and wait.isdigit() for wait in waits)


_SWITCH = _switch, "0 or 1"
_MANY = 1_000_000

VARIABLES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    # textual/constants.py of Textual 8.2.8, and geometry.py
    "TEXTUAL_DEBUG": _SWITCH,
    "TEXTUAL_DISABLE_KITTY_KEY": _SWITCH,
    "TEXTUAL_SHOW_RETURN": _SWITCH,
    "TEXTUAL_SMOOTH_SCROLL": _SWITCH,
    "TEXTUAL_SPEEDUPS": _SWITCH,
    "TEXTUAL_FPS": _whole_number(1, _MANY),
    "TEXTUAL_DIM_FACTOR": _whole_number(0, 100),
    "TEXTUAL_SLOW_THRESHOLD": _whole_number(100, _MANY),
    "TEXTUAL_DEVTOOLS_PORT": _whole_number(0, 65535),
    "TEXTUAL_SCREENSHOT": _whole_number(-1, _MANY),
    "TEXTUAL_SCREENSHOT_LOCATION": (_directory, "a writable directory"),
    "TEXTUAL_ANIMATIONS": (_animations, "none, basic or full"),
    "TEXTUAL_FILTERS": (_filters, "dim"),
    "TEXTUAL_COLOR_SYSTEM": (_color_system, "auto, standard, 256 or truecolor"),
    "TEXTUAL_THEME": (_theme, "the name of a theme, such as textual-light"),
    "TEXTUAL_DRIVER": (_driver, "MODULE:CLASS of a driver that can be imported"),
    "TEXTUAL_LOG": (_log_file, "a writable file"),
    "TEXTUAL_PRESS": (_keys, "keys separated by commas; wait: takes milliseconds"),
}
