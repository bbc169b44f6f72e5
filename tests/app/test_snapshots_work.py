"""Pictures of work items, delegations, artifacts and diffs, of panes that were changed, and of a stopped engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.contract import ApmError
from tests.app.diff_place import changed
from tests.app.driving import SMALL, USUAL, WIDE, Driving, app_of, press, settle
from tests.app.seeding import SeededWorkspace

Compare = Callable[..., bool]
SIZES = {"wide": WIDE, "usual": USUAL, "small": SMALL}
ITEM = ["2", "j", "enter"]
RUNNER = [*ITEM, "3", "j", "j", "j", "enter"]

STATES = {
    "gate": [*ITEM, "2"],
    "artifacts": [*ITEM, "4"],
    "summary": RUNNER,
    "evidence": [*RUNNER, "4"],
    "log": [*RUNNER, "5"],
    "artifact": [*ITEM, "4", "j", "enter"],
    "running": ["2", "enter", "3", "enter"],
}
PANES = {
    "folded": ["1", "z", "3", "z"],
    "resized": ["1", *["greater_than_sign"] * 3, "3", *["less_than_sign"] * 3],
    "enlarged": ["1", "plus"],
}
DIFF = ["2", "j", "d"]
DIFFS = {"files": DIFF, "patch": [*DIFF, "j", "enter"], "all": [*DIFF, "g", "enter"]}


@pytest.fixture(autouse=True)
def _the_same_commits_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the settings of whoever runs the tests nor the day makes another commit of the same change."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_DATE", "2026-03-02T09:00:00+00:00")


@pytest.mark.parametrize("size", ["wide", "small"])
@pytest.mark.parametrize("state", STATES)
def test_work_item(busy_workspace: SeededWorkspace, snap_compare: Compare, state: str, size: str) -> None:
    assert snap_compare(app_of(busy_workspace), terminal_size=SIZES[size], run_before=_pressing(STATES[state]))


@pytest.mark.parametrize("state", PANES)
def test_panes(busy_workspace: SeededWorkspace, snap_compare: Compare, state: str) -> None:
    assert snap_compare(app_of(busy_workspace), terminal_size=WIDE, run_before=_pressing(PANES[state]))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", DIFFS)
def test_diff(busy_workspace: SeededWorkspace, snap_compare: Compare, state: str, size: str) -> None:
    changed(busy_workspace)
    assert snap_compare(app_of(busy_workspace), terminal_size=SIZES[size], run_before=_pressing(DIFFS[state]))


@pytest.mark.parametrize("theme", ["apm-light", "apm-ansi-dark"])
def test_diff_in_other_colours(busy_workspace: SeededWorkspace, snap_compare: Compare, theme: str) -> None:
    changed(busy_workspace)
    app = app_of(busy_workspace)
    app.theme = theme
    assert snap_compare(app, terminal_size=WIDE, run_before=_pressing(DIFFS["patch"]))


@pytest.mark.parametrize("size", SIZES)
def test_engine_fault(busy_workspace: SeededWorkspace, snap_compare: Compare, size: str) -> None:
    engine = Driving(may_drive=False)
    engine.fault = ApmError("The lease could not be renewed: the disk is full.")  # type: ignore[attr-defined]
    assert snap_compare(app_of(busy_workspace, engine), terminal_size=SIZES[size], run_before=_pressing([]))


def _pressing(keys: list[str]) -> Callable[[Any], Any]:
    async def reach(pilot: Any) -> None:
        await settle(pilot)
        await press(pilot, *keys)

    return reach
