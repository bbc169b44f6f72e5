from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from core.workspace import Workspace
from tests.fresh import fresh_workspace
from tests.unit.command_line import CommandLine
from tests.unit.engine_run import Run


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(fresh_workspace(tmp_path / "ws")) as opened:
        yield opened


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(fresh_workspace(tmp_path / "ws"), capsys, monkeypatch)


@pytest.fixture
async def run(workspace: Workspace) -> AsyncIterator[Run]:
    made = Run(workspace)
    yield made
    await made.stop()
