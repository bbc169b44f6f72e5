"""An engine is not alone: other processes write, take over, and the store fails for a moment."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.contract import AgentRequest, AgentResponse, succeeded
from core.orchestration import engine as engines
from core.orchestration import lease, work_items
from core.phases import PHASE_BY_CODE
from core.projects import worktrees
from core.store import reads
from core.store.chain import StoredEvent
from core.store.database import StoreError
from core.store.schema import Lease
from core.store.transaction import Transaction
from core.workspace import Workspace
from tests.e2e.people import Office
from tests.unit.engine_run import Run
from tests.unit.scripted import OUTPUTS, Scripted


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, run: Run) -> Run:
    monkeypatch.setattr(engines, "REST_SECONDS", 0.01)
    return run


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 — what another process or task does sets no event of ours
            await asyncio.sleep(0.01)


def new_work(tx: Transaction) -> int:
    number = work_items.create(tx, title="from elsewhere")
    work_items.accept(tx, number, "bob")
    work_items.stop_after(tx, number, "D1")
    return number


def hand_over(tx: Transaction) -> None:
    tx.execute(Lease.update(fence=99, holder="elsewhere:1:0.00", heartbeat_at=tx.now))


def passed(run: Run, number: int) -> Callable[[], Awaitable[bool]]:
    async def has_passed() -> bool:
        return (await run.item(number)).cells[0].status == "passed"

    return has_passed


def stopped(engine: engines.Engine) -> Callable[[], Awaitable[bool]]:
    async def has_stopped() -> bool:
        return all(task.done() for task in engine._tasks)

    return has_stopped


async def test_another_process_is_heard_although_this_one_writes_right_after_it(run: Run) -> None:
    await run.start(Scripted())
    await run.settle()

    with Workspace.open(run.ws.folder) as other:
        number = other.store.write_now(new_work)
    await run.ws.store.write(lambda tx: tx.event("something.else"))

    await until(passed(run, number))


async def test_an_engine_without_its_lease_drives_nothing_more(run: Run) -> None:
    script = Scripted()
    await run.start(script)
    await run.settle()
    engine = run.engine
    assert engine is not None

    await run.ws.store.write(hand_over)
    with engine._live.delegation(1, "D1", "ac-writer", ""):
        await until(stopped(engine))

    assert not engine.is_driving
    assert not script.calls


async def test_a_lease_that_cannot_be_renewed_for_too_long_is_given_up(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise StoreError("the disk is full")

    await run.start(Scripted())
    await run.settle()
    engine = run.engine
    assert engine is not None
    monkeypatch.setattr(lease, "GIVE_UP_SECONDS", 0)
    monkeypatch.setattr(lease, "beat", full)

    with engine._live.delegation(1, "D1", "ac-writer", ""):
        await until(stopped(engine))

    assert not engine.is_driving


async def test_nothing_is_recorded_once_the_lease_has_changed_hands(run: Run) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: AgentRequest) -> AgentResponse:
        reached.set()
        await go_on.wait()
        return succeeded("ac-writer", OUTPUTS["ac-writer"])

    number = await run.add()
    await run.start(Scripted(ac_writer=slow))
    await reached.wait()
    await run.ws.store.write(hand_over)
    before = await run.ws.store.read(lambda r: reads.delegations(r, number))
    go_on.set()

    with pytest.raises(Exception, match="Another apm drives"):
        await run.settle()
    assert await run.ws.store.read(lambda r: reads.delegations(r, number)) == before


async def test_nothing_is_begun_once_the_lease_has_changed_hands(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its new holder may have recorded by now what this one would do next. It changes hands once a heartbeat is old."""
    monkeypatch.setattr(lease, "SURE_MS", -1)
    script = Scripted()
    path = run.ws.state / "apm.db"

    def lose(events: Sequence[StoredEvent]) -> None:
        if any(event.kind == "delegation.recorded" for event in events):
            with closing(sqlite3.connect(path, isolation_level=None)) as elsewhere:
                elsewhere.execute("UPDATE leases SET fence = 99, holder = 'elsewhere:1:0.00'")

    run.ws.store.subscribe(lose)
    await run.add()
    await run.start(script)

    with pytest.raises(Exception, match="Another apm drives"):
        await run.settle()

    assert set(script.calls) <= {step.agent for step in PHASE_BY_CODE["D1"].groups[0]}


async def test_readings_that_fail_for_a_moment_deafen_nobody(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    await run.start(Scripted())
    await run.settle()
    read, left = run.ws.store.read, [1, 1]

    async def fails_twice(work: Any) -> Any:
        if left:
            left.pop()
            raise StoreError("the database is locked")
        return await read(work)

    monkeypatch.setattr(run.ws.store, "read", fails_twice)

    async def has_failed() -> bool:
        return not left

    with Workspace.open(run.ws.folder) as other:
        first = other.store.write_now(new_work)
        await run.ws.store.write(lambda tx: tx.event("something.else", work_item=first))
        await until(has_failed)
        second = other.store.write_now(new_work)

    await until(passed(run, first))
    await until(passed(run, second))


async def test_a_worktree_that_cannot_be_removed_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError("it is root's")

    office = Office(tmp_path)
    number = await office.request()
    await office.engine.start()
    await office.settle()
    monkeypatch.setattr(worktrees, "remove", refuse)

    await office.ws.store.write(lambda tx: work_items.cancel(tx, number, "ada"))
    second = await office.request("Something else")
    await office.settle()

    assert [q.work_item for q in await office.questions()] == [second]
    await office.close()
