from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from core import workspace as workspaces
from core.workspace import Workspace
from tests.unit.engine_run import Run


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(workspaces.create(tmp_path / "ws")) as opened:
        yield opened


@pytest.fixture
async def run(workspace: Workspace) -> AsyncIterator[Run]:
    made = Run(workspace)
    yield made
    await made.stop()
