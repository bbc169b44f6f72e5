"""The place that end-to-end tests of people's work share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.people import Office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A workspace with a project, whose engine runs."""
    made = Office(tmp_path)
    await made.engine.start()
    yield made
    await made.close()
