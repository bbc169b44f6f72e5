"""Driving without a screen: who waits is told, who stops stops at once, and `run` ends with what became of it."""

from __future__ import annotations

import asyncio
import json

import pytest

from core.orchestration import engine as engines
from core.orchestration import inbox, work_items
from core.orchestration.engine import Engine
from core.orchestration.inbox import Inbox
from core.store import reads, reads_escalations
from core.store.schema import WorkItem
from core.store.transaction import Transaction
from core.workspace import Workspace
from tui.cli.driving import drive
from tui.cli.running import DONE, FAILED, WAITS, report_on


def vague(workspace: Workspace) -> int:
    def write(tx: Transaction) -> int:
        number = work_items.create(tx, title="Make it better")
        work_items.accept(tx, number, by="ada")
        return number

    return workspace.store.write_now(write)


def note(tx: Transaction, work_item: int, **facts: int) -> None:
    tx.update(WorkItem, work_item, **facts)
    tx.event("work_item.changed", work_item=work_item)


async def test_driving_ends_when_everything_waits_for_a_human(workspace: Workspace) -> None:
    numbers = [vague(workspace), vague(workspace)]
    await drive(workspace, numbers)
    items = await workspace.store.read(reads.work_items)
    assert [i.state for i in items] == ["waiting", "waiting"]
    assert not (await workspace.store.read(reads.read_live)).is_driven


async def test_what_is_answered_goes_on_and_what_is_not_ends_it(workspace: Workspace) -> None:
    number = vague(workspace)
    asked = []

    async def answer() -> bool:
        found = await workspace.store.read(reads_escalations.escalations)
        asked.append(len(found))
        if len(asked) > 1:
            return False
        await workspace.store.write(lambda tx: work_items.cancel(tx, number, by="ada"))
        return True

    await drive(workspace, [number], answer)
    assert asked == [1, 0]


@pytest.mark.parametrize("turns", range(4))
async def test_an_engine_stops_at_once_whatever_has_just_begun(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    monkeypatch.setattr(engines, "POLL_SECONDS", 0)
    engine = Engine(workspace)
    await engine.start()
    for _ in range(10):
        # Each is one commit later than the heartbeat's, which then waits for something to happen.
        await workspace.store.write(lambda tx: None)
    with engine._live.delegation(1, "D1", "ac-writer", ""):
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(30):
            await engine.stop()
    assert not engine.is_driving


@pytest.mark.parametrize(
    ("facts", "code"),
    [({"closed_at": 1}, DONE), ({"failed_at": 1}, FAILED), ({"paused_at": 1}, DONE), ({}, DONE)],
)
def test_the_exit_code_says_what_became_of_it(workspace: Workspace, facts: dict[str, int], code: int) -> None:
    number = vague(workspace)

    if facts:
        workspace.store.write_now(lambda tx: note(tx, number, **facts))
    assert workspace.store.read_now(lambda r: report_on(r, [number], 0.0))[1] == code


async def test_waiting_comes_before_failed_because_a_human_can_act_on_it(workspace: Workspace) -> None:
    waiting, failed = vague(workspace), vague(workspace)
    await drive(workspace, [waiting, failed])
    await workspace.store.write(lambda tx: note(tx, failed, failed_at=1))
    assert (await workspace.store.read(lambda r: report_on(r, [waiting, failed], 0.0)))[1] == WAITS


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends before anybody who follows the inbox has looked."""

    async def follow(self: Inbox) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Inbox, "follow", follow)
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 0.05)


@pytest.mark.usefixtures("unwatched")
@pytest.mark.parametrize("content", ["not json\n", '{"decided_by": "ada", "decis'])
async def test_a_short_run_refuses_a_broken_file_before_it_ends(workspace: Workspace, content: str) -> None:
    folder = workspace.state / "inbox"
    folder.mkdir(exist_ok=True)
    (folder / "broken.json").write_text(content, encoding="utf-8")
    await drive(workspace, [])
    assert not (folder / "broken.json").exists()
    assert "not JSON" in (folder / "rejected" / "broken.json.reasons.txt").read_text(encoding="utf-8")


@pytest.mark.usefixtures("unwatched")
async def test_what_a_file_answers_while_a_run_ends_goes_on_in_it(workspace: Workspace) -> None:
    number, folder = vague(workspace), workspace.state / "inbox"
    answer = {"escalation": 1, "option": "retry", "reason": "look again"}
    folder.mkdir(exist_ok=True)
    (folder / "again.json").write_text(json.dumps({"decided_by": "ada", "decisions": [answer]}), encoding="utf-8")
    await drive(workspace, [number])
    runs = await workspace.store.read(lambda r: reads.phase_runs(r, number))
    assert (folder / "applied" / "again.json").exists()
    assert [run.round for run in runs] == [1, 2]
