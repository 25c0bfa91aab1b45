"""The room and its operator against a small model, whatever happens in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import settings
from support.room_model import Model

pytestmark = pytest.mark.uncounted

TestModel = Model.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
