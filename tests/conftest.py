"""What holds for all tests: which are slow, which need the machine to themselves, and that SIGINT arrives."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is slow now and then; that is not what the properties are about.
settings.register_profile("full", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("full"), max_examples=20)
settings.load_profile("full")

TESTS = Path(__file__).parent

SLOW = (
    *("benchmarks", "e2e", "hostile", "test_package.py", "test_pictures.py"),
    *("app/test_terminal.py", "app/test_console.py", "app/test_legible.py", "app/test_palette.py"),
    *("app/test_typeahead.py", "app/test_painted_colours.py", "app/test_chat_screen.py"),
    *("app/test_conversation.py", "app/test_moderation.py"),
)
"""Where tests start programs, open terminals, make a load or run the whole console; some are marked quick."""

ALONE = ("benchmarks", "hostile")
"""Where tests measure time and memory, which whatever runs beside them would spoil."""

NOT_ALONE = "hostile/test_cluster_soak.py"
"""What measures nothing that depends on what runs beside it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        place = item.path.relative_to(TESTS)
        if any(place.is_relative_to(folder) for folder in SLOW) and not item.get_closest_marker("quick"):
            item.add_marker(pytest.mark.slow)
        if any(place.is_relative_to(folder) for folder in ALONE) and place != Path(NOT_ALONE):
            item.add_marker(pytest.mark.alone)
        if item.get_closest_marker("slow") or item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.uncounted)


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let SIGINT reach the tests and their programs: a shell that starts the tests by `&` has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
