"""What the tests of the history share: a file, and records to write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.records import NOW, Tape

from chat_console.server.history.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path, "1.0", {})
    yield store
    store.close(NOW)
