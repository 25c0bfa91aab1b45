"""What the tests of the server share."""

from __future__ import annotations

import asyncio

import pytest
from support.certificates import Authority, Pair
from support.chat_clients import Clock


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def pair(authority: Authority) -> Pair:
    """A certificate that is valid."""
    return authority.self_signed("valid")


@pytest.fixture(scope="session")
def other_pair(authority: Authority) -> Pair:
    """Another one."""
    return authority.self_signed("other")


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the running loop, which can be put forward."""
    loop = asyncio.get_running_loop()
    clock = Clock(loop.time)
    monkeypatch.setattr(loop, "time", clock)
    return clock
