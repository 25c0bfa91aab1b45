"""What holds for all tests: which are slow, which need the machine to themselves, and that SIGINT arrives."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

SLOW = ("benchmarks", "e2e", "hostile", "app/test_terminal.py", "test_package.py")
"""Where tests start programs, open terminals or make a load."""

ALONE = ("benchmarks", "hostile")
"""Where tests measure time and memory, which whatever runs beside them would spoil."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        place = item.path.relative_to(TESTS)
        for folders, mark in ((SLOW, pytest.mark.slow), (ALONE, pytest.mark.alone)):
            if any(place.is_relative_to(folder) for folder in folders):
                item.add_marker(mark)


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let SIGINT reach the tests and their programs: a shell that starts the tests by `&` has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
