"""Pictures of the settings screen, of help, and of the themes; `--snapshot-update` draws them anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.registry.importing import MEMORY
from core.store.settings import keep_setting
from core.store.transaction import Transaction
from tests.app.driving import SMALL, USUAL, WIDE, app_of, press, settle
from tests.app.seeding import SeededWorkspace
from tui.settings.themes import ANSI_DARK, ANSI_LIGHT, CONTRAST

SECTIONS = {
    "defaults": {
        "runtimes": {"orchestrator": "tool", "sub-agent": "offline", "specialist": "offline", "domain": "offline"},
        "limits": {"parallel_work_items": 4, "revision_rounds": 3, "delegation_seconds": 600},
        "model": None,
    }
}
"""What the team's files say beside the agents, as far as these pictures show it."""

Compare = Callable[..., bool]

SIZES = {"wide": WIDE, "usual": USUAL, "small": SMALL}
STATES = {
    "look": ("0", "8"),
    "keys": ("0", "8", "2"),
    "taken": ("0", "8", "2", "enter", "q"),
    "help-found": ("question_mark", "slash", "r", "o", "w", "enter"),
}
CHANGED = "keys:\n  next: f5\n  queue.accept: f8\n"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_settings(busy_workspace: SeededWorkspace, snap_compare: Compare, state: str, size: str) -> None:
    _with_team(busy_workspace)
    (busy_workspace.state / "settings.yaml").write_text(CHANGED)
    app = app_of(busy_workspace)
    app.follow_settings(busy_workspace.state)
    assert snap_compare(app, terminal_size=SIZES[size], run_before=lambda pilot: _reach(pilot, STATES[state]))


@pytest.mark.parametrize("theme", [CONTRAST.name, ANSI_DARK.name, ANSI_LIGHT.name, "nord"])
def test_theme(busy_workspace: SeededWorkspace, snap_compare: Compare, theme: str) -> None:
    app = app_of(busy_workspace)
    app.theme = theme
    assert snap_compare(app, terminal_size=WIDE, run_before=lambda pilot: _reach(pilot, ("3",)))


def test_ascii_settings(busy_workspace: SeededWorkspace, snap_compare: Compare) -> None:
    _with_team(busy_workspace)
    (busy_workspace.state / "settings.yaml").write_text("ascii: true\n")
    app = app_of(busy_workspace)
    app.follow_settings(busy_workspace.state)
    assert snap_compare(app, terminal_size=WIDE, run_before=lambda pilot: _reach(pilot, ("0", "8", "question_mark")))


def _with_team(made: SeededWorkspace) -> None:
    def remember(tx: Transaction) -> None:
        keep_setting(tx, MEMORY, {"sections": SECTIONS})
        tx.event("agents.imported")

    made.at(0, remember)


async def _reach(pilot: Any, keys: tuple[str, ...]) -> None:
    await settle(pilot)
    await press(pilot, *keys)
