from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from core.orchestration import inbox, lease
from core.orchestration.lease import HeldStore
from core.store.store import Store
from core.workspace import Workspace
from tests.fresh import fresh_workspace
from tests.unit.command_line import CommandLine
from tests.unit.engine_run import Run
from tests.unit.inbox_tray import Tray


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


@pytest.fixture
async def tray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tray]:
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 0.1)
    fresh_workspace(tmp_path / "ws")
    state = tmp_path / "ws" / "state"
    with Store.open(state) as store:
        held = await store.write(lease.take)
        tray = Tray(store, state, HeldStore(store, lambda: held))
        yield tray
        await tray.stop()
