"""What a drive knows of its work item is what the journal says, at every step, without reading it again each time."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, fields
from typing import Any

import pytest

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse
from core.orchestration import work_items
from core.orchestration.drive import Drive
from core.orchestration.position import Position, read_position
from core.orchestration.standing import News, Parked, Roster, Standing
from core.store import reads
from core.store.rows import AgentRow
from core.store.schema import Agent
from core.store.transaction import Transaction
from core.workspace import Workspace
from tests.unit.engine_run import Run
from tests.unit.scripted import Scripted


@pytest.fixture
async def run(workspace: Workspace) -> AsyncIterator[Run]:
    made = Run(workspace)
    yield made
    await made.stop()


async def test_at_each_phase_it_is_what_would_be_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Position] = []
    advance = Drive._advance

    async def checked(drive: Drive) -> bool:
        known = await drive._standing.position()
        read = await run.ws.store.read(lambda r: read_position(r, known.facts.id))
        assert parts(known) == parts(read)
        compared.append(known)
        return await advance(drive)

    monkeypatch.setattr(Drive, "_advance", checked)
    await run.add(until="R1")
    await run.start(Scripted())

    await run.settle()

    assert [known.run.phase for known in compared if known.run is not None] == ["P1", "I1", "R1", "R1"]


def parts(position: Position) -> dict[str, Any]:
    """As JSON: a row that was read has lists where the one in memory may have tuples."""
    entries = sorted(position.journal.all(), key=lambda entry: entry.number)
    shown = {field.name: getattr(position, field.name) for field in fields(Position)} | {"journal": entries}
    found: dict[str, Any] = json.loads(json.dumps(shown, default=asdict))
    return found


async def test_a_whole_way_through_a_phase_reads_the_position_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[int] = Counter()
    position = Standing.position

    async def counted(standing: Standing) -> Position:
        before = standing._position
        found = await position(standing)
        read[found.facts.id] += found is not before
        return found

    monkeypatch.setattr(Standing, "position", counted)
    number = await run.add(until="P1")
    await run.start(Scripted())

    await run.settle()

    assert await run.outcomes(number) == [("D1", 1, "passed"), ("P1", 1, "passed")]
    assert read[number] == 1


@pytest.mark.parametrize("stop", [work_items.pause, work_items.cancel])
async def test_whoever_stops_it_stops_it_before_the_next_agent(run: Run, stop: Callable[..., None]) -> None:
    script = Stopping(lambda: run.ws.store.write_now(lambda tx: stop(tx, number, "ada")))
    number = await run.add()
    await run.start(script)

    await run.settle()

    assert set(script.calls) == {"intent-triage"}
    assert await run.outcomes(number) == [("D1", 1, None)]


@pytest.mark.parametrize("stop", [work_items.pause, work_items.cancel])
async def test_a_position_that_is_read_after_a_stop_lets_nothing_go_on(run: Run, stop: Callable[..., None]) -> None:
    number = await run.add()
    news = News()
    standing = Standing(run.ws.store, news, number)  # type: ignore[arg-type]
    with news.followed(number):
        await standing.check_goes_on()
        await run.ws.store.write(lambda tx: stop(tx, number, "ada"))
        news.take_in([(number, "work_item.stopped")])
        await standing.position()

        with pytest.raises(Parked):
            await standing.check_goes_on()


class Stopping(Scripted):
    """Somebody stops the work item while its first agent works."""

    def __init__(self, stop: Callable[[], object]) -> None:
        super().__init__()
        self._stop = stop

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        if agent.role == "intent-triage":
            self._stop()
        return await super().execute(request, agent, bench)


def test_news_are_of_those_that_are_followed_and_not_what_drives_account_for() -> None:
    news = News()
    with news.followed(1):
        before = news.count(1)
        news.take_in(
            [(1, "phase.passed"), (1, "delegation.recorded"), (2, "work_item.paused"), (None, "engine.started")]
        )
        assert news.count(1) == before

        news.take_in([(1, "work_item.paused")])
        news.take_in([(None, "agents.imported")])
        assert news.count(1) == before + 2


async def test_an_agent_is_read_again_once_something_has_changed(workspace: Workspace) -> None:
    news = News()
    roster = Roster(workspace.store, news)  # type: ignore[arg-type]
    first = await roster.agent("ac-writer")
    assert await roster.agent("ac-writer") is first

    def rename(tx: Transaction) -> None:
        found = reads.agent(tx, "ac-writer")
        assert found is not None
        tx.update(Agent, found.id, display_name="Another")
        tx.event("agents.imported")

    await workspace.store.write(rename)
    news.take_in([(None, "agents.imported")])

    assert (await roster.agent("ac-writer")).display_name == "Another"


class Holding(Scripted):
    """The writer stands still from the moment at which the gate has judged, until it is let go."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run, self._begun, self.judged, self.let_go = run, threading.Event(), asyncio.Event(), threading.Event()

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        answer = await super().execute(request, agent, bench)
        if agent.role == "definition-gate-check":
            threading.Thread(target=self._run.ws.store.write_now, args=(self._wait,), daemon=True).start()
            await asyncio.to_thread(self._begun.wait)
            self.judged.set()
        return answer

    def _wait(self, _: Transaction) -> None:
        self._begun.set()
        self.let_go.wait(20)


async def test_a_verdict_that_is_on_its_way_to_the_journal_when_the_engine_stops_is_kept(run: Run) -> None:
    script = Holding(run)
    number = await run.add(until="P1")
    await run.start(script)
    await script.judged.wait()
    for _ in range(20):
        await asyncio.sleep(0)

    stopping = asyncio.create_task(run.stop())
    for _ in range(20):
        await asyncio.sleep(0)
    script.let_go.set()
    await stopping

    recorded = await run.ws.store.read(lambda r: reads.delegations(r, number))
    assert [d.agent for d in recorded if d.agent == "definition-gate-check"] == ["definition-gate-check"]
    assert await run.outcomes(number) == [("D1", 1, "passed")]
