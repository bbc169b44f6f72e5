"""A workspace, the app on it in a terminal, and what a second process does to it meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.governance.escalations import Option, Question, raise_question
from core.orchestration.work_items import pause
from core.store.transaction import Transaction
from tests.app.seeding import seed_project, seed_work_item
from tests.fresh import fresh_store
from tests.terminal.tty import ROOT, Tty, open_app, terminal

WORK = "Export reports as CSV"
ASKED = "Which encoding shall the export have?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with one work item, paused so that nothing runs by itself, and one question."""
    made = tmp_path / "workspace"
    made.mkdir()
    shutil.copy(ROOT / "agents.yaml", made / "agents.yaml")
    with fresh_store(made / "state", synchronous="off") as store:
        store.write_now(_seed)
    return made


def _seed(tx: Transaction) -> None:
    pause(tx, seed_work_item(tx, WORK, project=seed_project(tx, "ledger")), by="ada")
    raise_question(
        tx,
        Question(
            kind="decision",
            subject={"about": "encoding"},
            question=ASKED,
            urgency="WEEKLY",
            options=(
                Option("utf-8", "UTF-8", "Old spreadsheets ask on opening."),
                Option("utf-16", "UTF-16", "Twice the size."),
                Option("other", "Another one", "The export has it.", asks={"name": "text", "lines": "lines"}),
            ),
            recommended="utf-8",
            chain=("master-orchestrator", "technical"),
        ),
    )


@pytest.fixture
def pid_file(tmp_path: Path) -> Path:
    return tmp_path / "pid"


@pytest.fixture
def app(folder: Path, pid_file: Path, tmp_path: Path) -> Iterator[Tty]:
    with terminal(tmp_path, open_app(folder, pid_file)) as tty:
        tty.wait_for(WORK, ASKED[:12], "? help")
        yield tty


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """Where another terminal has its socket."""
    made = tmp_path / "second"
    made.mkdir()
    return made
