"""What the tests of history, activity and briefing add to the busy workspace."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from core.governance.briefing import briefing, keep
from core.store.schema import Evidence
from core.store.transaction import Transaction
from tests.app.driving import app_in, settle
from tests.app.seeding import HOUR, MINUTE, SeededWorkspace, seed_delegation
from tui.screens.pane_screen import PaneScreen


@contextmanager
def in_utc() -> Iterator[None]:
    """Times of day as they are in London in winter, wherever the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
        patch.undo()
        time.tzset()


async def go_to(pilot: Any, screen: PaneScreen) -> None:
    app_in(pilot).push_screen(screen)
    await settle(pilot)


OUTPUT = "\n".join(f"src/rowdown/rows.py:{n}: E501 line too long" for n in range(1, 13))


def seed_commands(made: SeededWorkspace) -> None:
    """Commands that ended in every way, and a call with a model's figures."""
    made.at(2 * HOUR, _commands)
    made.at(20 * MINUTE, _model_call)


def _commands(tx: Transaction) -> None:
    item = 6
    ran: list[dict[str, Any]] = [
        {"command": ["/venv/bin/python", "-m", "ruff", "check", "."], "exit_code": 1, "tool": "ruff", "output": OUTPUT},
        {"command": ["git", "worktree", "add", "state/worktrees/6"], "exit_code": 0, "tool": "git", "output": ""},
        {"command": ["make", "docs"], "exit_code": None, "note": "stopped at the time limit", "timed_out": True},
        {"command": ["cargo", "build"], "exit_code": None, "output": "The program 'cargo' was not found."},
        {"command": ["./run"], "exit_code": -9, "output": "Killed"},
    ]
    for found in ran:
        tx.insert(
            Evidence,
            work_item=item,
            delegation=None,
            agent="static-analyzer",
            command=_json(found["command"]),
            cwd="state/worktrees/ledger/6",
            exit_code=found["exit_code"],
            output_digest="5f" * 32,
            output_tail=found.get("output", ""),
            tool=found.get("tool", ""),
            tool_version="0.17.5" if found.get("tool") == "ruff" else "",
            note=found.get("note", ""),
            timed_out=found.get("timed_out", False),
            at=tx.now,
            milliseconds=840,
        )
    tx.event("project.prepared", work_item=item)


def _model_call(tx: Transaction) -> None:
    seed_delegation(
        tx,
        6,
        "R1",
        "code-reviewer",
        runtime="anthropic",
        milliseconds=41_000,
        subject="T2",
        response={
            "responding_agent": "code-reviewer",
            "output_artifact": {},
            "status": "FAILURE",
            "metadata": {"model": "some-model-4", "tokens": 12_345, "cost": 0.0042, "error": "the answer was cut"},
        },
        status="FAILURE",
    )


def _json(words: list[str]) -> str:
    from core.contract import canonical_json

    return canonical_json(words)


def seed_briefings(made: SeededWorkspace) -> list[int]:
    """Two that were kept on other days."""

    def work(tx: Transaction) -> int:
        return keep(tx, briefing(tx, tx.now), send=False)

    return [made.at(50 * HOUR, work), made.at(26 * HOUR, work)]
