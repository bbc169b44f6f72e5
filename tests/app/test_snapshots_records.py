"""Pictures of history, activity and briefing at three sizes; `--snapshot-update` draws them anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.store.chain import KEY_BYTES
from tests.app.busy import busy
from tests.app.driving import SMALL, USUAL, WIDE, app_of, press, settle
from tests.app.records import in_utc, seed_briefings, seed_commands
from tests.app.seeding import SeededWorkspace

Compare = Callable[..., bool]
SIZES = {"wide": WIDE, "usual": USUAL, "small": SMALL}
STATES: dict[str, tuple[str, list[str]]] = {
    "history": ("history", ["j", "j"]),
    "history-verified": ("history", ["V", "f", "2", "2"]),
    "history-search": ("history", ["2", "slash", *"brief", "enter"]),
    "activity": ("activity", ["j", "j", "j", "j"]),
    "calls": ("activity", ["f", "2"]),
    "briefing": ("briefing", ["right_square_bracket", "right_square_bracket"]),
    "kept": ("briefing", ["2", "j"]),
}


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    with in_utc():
        yield


@pytest.fixture
def busy_workspace(tmp_path: Path) -> Iterator[SeededWorkspace]:
    """With a key that is always the same, so that the events' hashes are."""
    state = tmp_path / "state"
    state.mkdir()
    key = state / "journal.key"
    key.write_bytes(bytes(range(KEY_BYTES)))
    key.chmod(0o600)
    made = busy(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_busy(busy_workspace: SeededWorkspace, snap_compare: Compare, state: str, size: str) -> None:
    seed_commands(busy_workspace)
    seed_briefings(busy_workspace)
    screen, keys = STATES[state]

    async def reach(pilot: Any) -> None:
        await _reach(pilot, screen, keys)

    assert snap_compare(app_of(busy_workspace), terminal_size=SIZES[size], run_before=reach)


@pytest.mark.parametrize("screen", ["history", "activity", "briefing"])
def test_empty(empty_workspace: SeededWorkspace, snap_compare: Compare, screen: str) -> None:
    async def reach(pilot: Any) -> None:
        await _reach(pilot, screen, [])

    assert snap_compare(app_of(empty_workspace), terminal_size=USUAL, run_before=reach)


async def _reach(pilot: Any, screen: str, keys: list[str]) -> None:
    await settle(pilot)
    pilot.app.action_go(screen)
    await settle(pilot)
    await press(pilot, *keys)
    pilot.app.clear_notifications()
    await settle(pilot)
