"""The marks that decide which tests run when."""

from __future__ import annotations

import pytest


def test_what_is_marked_quick_runs_among_the_quick_ones(request: pytest.FixtureRequest) -> None:
    quick = [item for item in request.session.items if item.get_closest_marker("quick")]
    assert not [item.nodeid for item in quick if item.get_closest_marker("slow")]
