"""What holds for every test: property tests draw the same examples everywhere, and none is judged by the clock."""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

from core.interpreter import tune

for _name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "OPENAI_", "CLAUDE"))]:
    # Nobody's key: a test that asks a model names its own server on this machine.
    del os.environ[_name]

settings.register_profile(
    "apm", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("apm")

LONGEST_NAME = 80


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported and collected stays to the end: leave it out of every collection (a sixth of the time)."""
    del session
    gc.collect()
    tune()


def pytest_make_parametrize_id(val: object) -> str | None:
    """A long text names its test by its beginning: pytest carries names about, and some of these have 20 MB."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_NAME:
        return f"{val[:LONGEST_NAME]!a} and so on, {len(val)}"
    return None
