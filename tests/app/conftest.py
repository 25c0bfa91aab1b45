"""What all tests of the program have: consoles, and an operator before one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.console_operator import Operate, Operator, operate_console
from support.prompt_pilot import prompt_pilot

__all__ = ["operate", "operator", "prompt_pilot"]


@pytest.fixture
def operate() -> Operate:
    """Opens a console around a server of its own."""
    return operate_console


@pytest.fixture
async def operator(operate: Operate) -> AsyncIterator[Operator]:
    """The operator of a console with 80 columns and 24 rows."""
    async with operate() as operator:
        yield operator
