"""Pictures of every main state at three sizes; `--snapshot-update` draws them anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.app.driving import SMALL, USUAL, WIDE, app_of, press, settle
from tests.app.seeding import SeededWorkspace

Compare = Callable[..., bool]

BUSY = {
    "dashboard": [],
    "agents": ["1"],
    "questions": ["3"],
    "briefing": ["4"],
    "filter": ["slash", "t", "a", "x"],
    "question": ["space"],
    "gate": ["space", "space", "space"],
    "answer": ["space", "space", "e"],
    "reason": ["space", "3"],
    "snooze": ["3", "s"],
    "confirm": ["X"],
    "new": ["n"],
    "help": ["3", "question_mark"],
    "commands": ["colon"],
    "item": ["j", "enter"],
    "delegations": ["j", "enter", "3"],
    "delegation": ["j", "enter", "3", "j", "j", "j", "enter"],
}
SIZES = {"wide": WIDE, "usual": USUAL, "small": SMALL}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", BUSY)
def test_busy(busy_workspace: SeededWorkspace, snap_compare: Compare, state: str, size: str) -> None:
    assert snap_compare(
        app_of(busy_workspace), terminal_size=SIZES[size], run_before=lambda pilot: _reach(pilot, BUSY[state])
    )


@pytest.mark.parametrize("size", SIZES)
def test_empty(empty_workspace: SeededWorkspace, snap_compare: Compare, size: str) -> None:
    assert snap_compare(app_of(empty_workspace), terminal_size=SIZES[size], run_before=lambda pilot: _reach(pilot, []))


@pytest.mark.parametrize("state", ["dashboard", "gate", "item", "answer"])
def test_light(busy_workspace: SeededWorkspace, snap_compare: Compare, state: str) -> None:
    app = app_of(busy_workspace)
    app.theme = "apm-light"
    assert snap_compare(app, terminal_size=WIDE, run_before=lambda pilot: _reach(pilot, BUSY[state]))


@pytest.mark.parametrize("state", ["dashboard", "gate"])
def test_ascii(busy_workspace: SeededWorkspace, snap_compare: Compare, state: str) -> None:
    async def reach(pilot: Any) -> None:
        pilot.app.ascii_glyphs = True
        await _reach(pilot, BUSY[state])

    assert snap_compare(app_of(busy_workspace), terminal_size=WIDE, run_before=reach)


@pytest.mark.parametrize("state", ["dashboard", "question"])
def test_without_colour(
    busy_workspace: SeededWorkspace, snap_compare: Compare, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_of(busy_workspace)
    assert snap_compare(app, terminal_size=WIDE, run_before=lambda pilot: _reach(pilot, BUSY[state]))


async def _reach(pilot: Any, keys: list[str]) -> None:
    await settle(pilot)
    await press(pilot, *keys)
