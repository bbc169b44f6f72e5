"""Pictures of the scope review, the conflicts and the agents; `--snapshot-update` draws them anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.app.driving import SMALL, USUAL, WIDE, app_in, app_of, press, settle
from tests.app.seeding import SeededWorkspace
from tests.app.seeding_scope import scoped_with_files, team_only

Compare = Callable[..., bool]

SIZES = {"wide": WIDE, "usual": USUAL, "small": SMALL}
DOMAIN = ("slash", *"type:domain", "enter")
STATES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "scope": ("scope", (), ("wide", "usual", "small")),
    "proposal": ("scope", ("enter",), ("usual", "small")),
    "approve": ("scope", ("a",), ("wide", "small")),
    "reject": ("scope", ("r",), ("small",)),
    "marked": ("scope", ("j", "j", "x", "x", "a"), ("wide",)),
    "wish": ("scope", ("j",) * 5, ("wide",)),
    "kinds": ("scope", ("p",), ("wide", "small")),
    "conflicts": ("conflicts", (), ("wide", "usual", "small")),
    "agents": ("agents", (*DOMAIN,), ("wide", "usual", "small")),
    "authority": ("agents", (*DOMAIN, "2", "ctrl+d"), ("wide", "small")),
}
"""What is gone to, what is pressed there, and the sizes at which it is looked at."""
CASES = [(state, size) for state, (_, _, sizes) in STATES.items() for size in sizes]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = scoped_with_files(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(("state", "size"), CASES)
def test_seeded(place: SeededWorkspace, snap_compare: Compare, state: str, size: str) -> None:
    where, keys, _ = STATES[state]
    assert snap_compare(app_of(place), terminal_size=SIZES[size], run_before=lambda pilot: _reach(pilot, where, keys))


@pytest.mark.parametrize("where", ["scope", "conflicts"])
def test_empty(tmp_path: Path, snap_compare: Compare, where: str) -> None:
    made = team_only(tmp_path)
    try:
        assert snap_compare(app_of(made), terminal_size=USUAL, run_before=lambda pilot: _reach(pilot, where, ()))
    finally:
        made.close()


async def _reach(pilot: Any, where: str, keys: Sequence[str]) -> None:
    await settle(pilot)
    app_in(pilot).action_go(where)
    await settle(pilot)
    await press(pilot, *keys)
