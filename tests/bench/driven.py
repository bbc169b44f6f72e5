"""An engine that drives work items for the benchmark, and the moments at which something happened to them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from core import workspace as workspaces
from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json
from core.demo import sample
from core.orchestration import work_items
from core.orchestration.engine import Engine
from core.projects import registering
from core.runtimes.base import Runtime
from core.store import reads_escalations
from core.store.chain import StoredEvent
from core.store.rows import AgentRow
from core.store.transaction import Transaction
from core.workspace import Workspace
from tests.unit.scripted import Scripted

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Execution:
    """One call of `runtime.execute`: who asked whom, and when it began and ended on `perf_counter`, in seconds."""

    orchestrator: str
    role: str
    began: float
    ended: float


class NoOp:
    """Agents that answer at once with what their gates ask for; what is left of the time is apm's own."""

    name = "no-op"

    def __init__(self) -> None:
        self._script = Scripted()
        self.executions: dict[int, list[Execution]] = {}

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        began = perf_counter()
        response = await self._script.execute(request, agent, bench)
        made = Execution(request.requesting_agent, agent.role, began, perf_counter())
        self.executions.setdefault(request.context["work_item"]["id"], []).append(made)
        return response

    def as_runtimes(self) -> dict[str, Runtime]:
        return dict.fromkeys(("tool", "offline", "human"), self)


class Driven:
    """A running engine. `drive` takes one work item through its phases, alone on the board."""

    def __init__(self, workspace: Workspace, engine: Engine) -> None:
        self.workspace, self.engine = workspace, engine
        self.marks: dict[int, dict[tuple[str, str], float]] = {}
        """Per work item: when its first event of a kind and phase was committed, on `perf_counter`."""
        self._awaited: dict[int, tuple[str, asyncio.Future[str]]] = {}
        self._loop = asyncio.get_running_loop()

    def heard(self, events: Sequence[StoredEvent]) -> None:
        """On the writer's thread, as soon as the commit is durable."""
        now = perf_counter()
        for event in events:
            if event.work_item is None or event.kind == "delegation.recorded":
                continue
            phase = str(json.loads(event.payload).get("phase", ""))
            self.marks.setdefault(event.work_item, {}).setdefault((event.kind, phase), now)
            if event.kind.startswith("phase.") and event.kind != "phase.entered":
                self._loop.call_soon_threadsafe(self._round_ended, event.work_item, event.kind, phase)

    async def drive(self, until: str, request: Json, project: int | None = None) -> int:
        """The number of a new work item that has passed the phase `until`; it is cancelled, to be out of the way.

        Raises RuntimeError, with the question that was raised instead, when a phase does not pass.
        """

        def begin(tx: Transaction) -> int:
            number = work_items.create(tx, **request, project=project)
            work_items.stop_after(tx, number, until)
            return number

        store = self.workspace.store
        number = await store.write(begin)
        ended = self._loop.create_future()
        self._awaited[number] = (until, ended)
        await store.write(lambda tx: work_items.accept(tx, number, "bench"))
        async with asyncio.timeout(PATIENCE_SECONDS):
            outcome = await ended
        if outcome != "phase.passed":
            asked = await store.read(lambda r: reads_escalations.escalations(r, work_item=number))
            raise RuntimeError(f"{outcome}, and it was to pass: {[(q.question, q.missing, q.details) for q in asked]}")
        await store.write(lambda tx: work_items.cancel(tx, number, "bench"))
        async with asyncio.timeout(PATIENCE_SECONDS):
            # Its worktree is taken away now, and not while the next one is measured.
            await self.engine.until_settled([number])
        return number

    def _round_ended(self, number: int, kind: str, phase: str) -> None:
        until, ended = self._awaited[number]
        if not ended.done() and (kind != "phase.passed" or phase == until):
            ended.set_result(kind)


@asynccontextmanager
async def driven(folder: Path, runtimes: Mapping[str, Runtime] | None = None) -> AsyncIterator[Driven]:
    """A new workspace in the folder with an engine at work on it; stopped and closed at the end."""
    with Workspace.open(workspaces.create(folder)) as workspace:
        run = Driven(workspace, Engine(workspace, runtimes))
        workspace.store.subscribe(run.heard)
        await run.engine.start()
        try:
            yield run
        finally:
            await run.engine.stop()


async def add_sample_project(workspace: Workspace, folder: Path) -> int:
    """Write the demo's project into the folder and register it; its number."""
    facts = await registering.examine(await sample.write_project(folder))
    return await workspace.store.write(lambda tx: registering.add_project(tx, facts, {}))
