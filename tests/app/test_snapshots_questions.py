"""Pictures of what is done to a question, at three sizes; `--snapshot-update` draws them anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.governance import asking, escalations
from tests.app.driving import SMALL, USUAL, WIDE, app_of, press, settle
from tests.app.seeding import MINUTE, SeededWorkspace

Compare = Callable[..., bool]

PASSKEYS, REVIEW = 2, 4
SIZES = {"wide": WIDE, "usual": USUAL, "small": SMALL}
STATES = {
    "thread": ["space"],
    "evidence": ["space", "space", "space", "v"],
    "hand_over": ["space", "o"],
    "ask": ["space", "space", "c"],
    "reply": ["space", "c"],
    "snooze": ["space", "s"],
    "fault": ["space", "space", "e", "f2"],
    "verified": ["space", "space", "space", "e"],
}


@pytest.fixture
def talked(busy_workspace: SeededWorkspace) -> SeededWorkspace:
    """One question was asked back about, and replied to, and asked back about again."""
    busy_workspace.at(
        40 * MINUTE, lambda tx: asking.ask_back(tx, PASSKEYS, "Which browsers would be left out?", by="ada")
    )
    busy_workspace.at(
        25 * MINUTE, lambda tx: asking.reply(tx, PASSKEYS, "Safari 13 and older: 0.4 % of sign-ins.", by="grace")
    )
    busy_workspace.at(31 * MINUTE, lambda tx: asking.ask_back(tx, PASSKEYS, "And of the paying ones?", by="linus"))
    return busy_workspace


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_question(talked: SeededWorkspace, snap_compare: Compare, state: str, size: str) -> None:
    assert snap_compare(
        app_of(talked), terminal_size=SIZES[size], run_before=lambda pilot: _reach(pilot, STATES[state])
    )


@pytest.mark.parametrize("size", SIZES)
def test_answered_elsewhere(busy_workspace: SeededWorkspace, snap_compare: Compare, size: str) -> None:
    async def reach(pilot: Any) -> None:
        await _reach(pilot, ["space"])
        await busy_workspace.store.write(
            lambda tx: escalations.resolve(tx, PASSKEYS, option="codes", reason="works everywhere", by="grace")
        )
        await settle(pilot)

    assert snap_compare(app_of(busy_workspace), terminal_size=SIZES[size], run_before=reach)


async def _reach(pilot: Any, keys: list[str]) -> None:
    await settle(pilot)
    await press(pilot, *keys)
