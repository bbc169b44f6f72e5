"""What holds for every test: property tests draw the same examples everywhere, and none is judged by the clock."""

from __future__ import annotations

import gc

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "apm", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("apm")


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported and collected stays to the end: leave it out of every collection (a sixth of the time)."""
    del session
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
