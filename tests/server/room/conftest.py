"""What the tests of the room share."""

from __future__ import annotations

import pytest
from support.recording import Scene

from chat_console.server.settings import Settings


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def shared() -> Scene:
    """A room in which nicknames may be shared."""
    return Scene(Settings(shared_nicks=True))
