from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.busy import busy
from tests.app.seeding import SeededWorkspace


@pytest.fixture
def busy_workspace(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = busy(tmp_path)
    yield made
    made.close()


@pytest.fixture
def empty_workspace(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = SeededWorkspace(tmp_path)
    yield made
    made.close()
