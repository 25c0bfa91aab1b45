"""How much memory the server keeps, whatever else in the process takes some meanwhile."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = str(Path(__file__).parents[2] / "server" / "*")


class Kept:
    """What is kept of what was taken inside `keeping`, in bytes, once that is over."""

    bytes = 0


@contextmanager
def keeping() -> Iterator[Kept]:
    """Measure how much the lines of the server take inside, and still have at the end."""
    kept = Kept()
    tracemalloc.start()
    try:
        yield kept
        gc.collect()
        snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, SERVER)])
        kept.bytes = sum(line.size for line in snapshot.statistics("filename"))
    finally:
        tracemalloc.stop()
