"""Pictures of what models bring: a budget's question, leave to run a command, a delegation's log while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.contract import Json, canonical_json
from core.store.schema import Lease
from core.store.transaction import Transaction
from tests.app import money
from tests.app.driving import SMALL, USUAL, WIDE, app_in, app_of, press, settle
from tests.app.seeding import MINUTE, MORNING, SECOND, SeededWorkspace

Compare = Callable[..., bool]
SIZES = {"wide": WIDE, "usual": USUAL, "small": SMALL}
ASKED = 8


@pytest.fixture
def spent(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = money.spending(tmp_path)
    yield made
    made.close()


def at_work(tx: Transaction) -> None:
    """Another process drives: two agents of work item 7 are at work on models."""
    told: list[Json] = [
        {"agent": "code-implementer", "since": 12, "doing": "edits src/rowdown/export.py", "dollars": 0.0432},
        {"agent": "test-implementer", "since": 3, "doing": "asks qwen2.5-1.5b", "dollars": None},
    ]
    place = {"work_item": money.EXPORT, "phase": "I1", "subject": "T2"}
    running = [
        {**place, **one, "tokens": used, "since": MORNING - one["since"] * SECOND}
        for one, used in zip(told, (12_345, 812), strict=True)
    ]
    live = canonical_json({"work_items": [money.EXPORT], "delegations": running})
    tx.execute(Lease.update(live=live, heartbeat_at=tx.now))


@pytest.mark.parametrize("size", SIZES)
def test_budget(spent: SeededWorkspace, snap_compare: Compare, size: str) -> None:
    spent.at(2 * MINUTE, money.over)
    assert snap_compare(app_of(spent), terminal_size=SIZES[size], run_before=_question)


@pytest.mark.parametrize("size", ["wide", "small"])
def test_permission(spent: SeededWorkspace, snap_compare: Compare, size: str) -> None:
    spent.at(2 * MINUTE, money.permission)
    assert snap_compare(app_of(spent), terminal_size=SIZES[size], run_before=_question)


STATES: dict[str, tuple[tuple[int, int], list[str | int]]] = {
    "form": (USUAL, [ASKED, "2"]),
    "team": (WIDE, ["1"]),
    "item": (WIDE, ["2", "enter"]),
    "log": (WIDE, ["2", "enter", "3", "enter", "5"]),
}


@pytest.mark.parametrize("state", STATES)
def test_at_work(spent: SeededWorkspace, snap_compare: Compare, state: str) -> None:
    spent.at(2 * MINUTE, money.over)
    spent.at(9 * SECOND, lambda tx: money.take_turns(tx, money.TURNS))
    spent.at(0, at_work)
    size, keys = STATES[state]

    async def reach(pilot: Any) -> None:
        await settle(pilot)
        for key in keys:
            if isinstance(key, int):
                app_in(pilot).open_question(key)
                await settle(pilot)
            else:
                await press(pilot, str(key))

    assert snap_compare(app_of(spent), terminal_size=size, run_before=reach)


async def _question(pilot: Any) -> None:
    await settle(pilot)
    app_in(pilot).open_question(ASKED)
    await settle(pilot)
