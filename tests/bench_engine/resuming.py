"""How soon a workspace goes on that was left with thousands of work items in the middle of their phases.

From `Engine.start`: until the first delegation is executed, and until every work item has been looked at, so that
the engine knows all that it could drive.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json
from core.orchestration import engine as engines
from core.orchestration.engine import Engine
from core.orchestration.picking import runnable
from core.store.reads import Connection
from core.store.rows import AgentRow
from tests.bench_engine.filling import driven_once, fill
from tests.bench_engine.ours import opened
from tests.bench_engine.standard import WORKERS
from tests.bench_engine.team import Idle, install

AT_ONCE = 50
PHASES_BEHIND = 3
"""The work items stand in the first so many phases, each after another number of steps."""
PATIENCE_SECONDS = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_engine.resuming")
    parser.add_argument("folder", type=Path, help="an empty folder for the database")
    parser.add_argument("--work-items", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    install(False, with_git=False)
    print(json.dumps(asyncio.run(measure(given.folder / "workspace", given.work_items, given.runs))))


async def measure(folder: Path, work_items: int, runs: int) -> Json:
    with opened(folder, AT_ONCE, "full") as workspace:
        pattern = await driven_once(workspace)
        await fill(workspace, pattern, [(n % PHASES_BEHIND, 1 + n % WORKERS) for n in range(work_items)])
    found = [await _resumed(folder) for _ in range(runs)]
    return {"first": [first for first, _ in found], "looked": [looked for _, looked in found]}


async def _resumed(folder: Path) -> tuple[float, float]:
    """Seconds to the first delegation, and to all looked at."""
    watched = Watched()
    with opened(folder, AT_ONCE, "full") as workspace:
        engine = Engine(workspace, watched.as_runtimes())
        began = perf_counter()
        vars(engines)["runnable"] = watched.looks
        await engine.start()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await watched.executed.wait()
        finally:
            await engine.stop()
            vars(engines)["runnable"] = runnable
    return watched.first - began, watched.looked - began


class Watched(Idle):
    """Agents that note when the first of them was asked; and when all work items were looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.executed = asyncio.Event()
        self.first = self.looked = 0.0

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        if not self.executed.is_set():
            self.first = perf_counter()
            self.executed.set()
        return await super().execute(request, agent, bench)

    def looks(self, reader: Connection, among: set[int] | None, parked: Mapping[int, frozenset[int]]) -> list[int]:
        """The engine's own look; the first that is at all of them is noted when it ends."""
        found = runnable(reader, among, parked)
        if among is None and not self.looked:
            self.looked = perf_counter()
        return found


if __name__ == "__main__":
    main()
