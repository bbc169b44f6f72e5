"""Many work items through one engine, with agents that fail and a person who answers, sampled on the way."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import psutil

from core import workspace as workspaces
from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, UsageError
from core.governance import escalations
from core.orchestration import work_items
from core.orchestration.engine import Engine
from core.store import reads, reads_escalations, rows
from core.store.rows import AgentRow
from core.store.transaction import Transaction
from core.workspace import Workspace
from tests.simulation import agents
from tests.simulation.agents import Agents, Ledger

AT_ONCE = 20
LIMIT_SECONDS = 1
QUICKER: Mapping[str, object] = {
    "SILENCE_SECONDS": 1.2,
    "RETRY_SECONDS": 0.1,
    "PAUSES_SECONDS": (0.0, 0.0, 0.001, 0.02),
}
"""What the simulated agents do here in real time."""
AHEAD = 3 * AT_ONCE
"""Work items that are there and not yet done: as many as keep every place taken."""
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 60.0
UNTIL = "R1"
NOBODY = rows.LiveRow(False, None, (), ())


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process takes when so many work items are done. `blocks` are Python's own allocations."""

    done: int
    rss: int
    blocks: int
    descriptors: int
    threads: int
    tasks: int
    database: int
    scratch: int


class Forgetful(Agents):
    """Agents that keep nothing of what they were asked."""

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        try:
            return await super().execute(request, agent, bench)
        finally:
            self._script.requests.clear()


@contextmanager
def _short_silences() -> Iterator[None]:
    before = {name: getattr(agents, name) for name in QUICKER}
    try:
        for name, value in QUICKER.items():
            setattr(agents, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(agents, name, value)


def _made(folder: Path) -> Path:
    """A workspace that drives as many work items at once as are wanted, and waits for nobody for long."""
    workspaces.create(folder)
    file = folder / "agents.yaml"
    text = file.read_text(encoding="utf-8")
    for before, after in (
        ("parallel_work_items: 4", f"parallel_work_items: {AT_ONCE}"),
        ("delegation_seconds: 600", f"delegation_seconds: {LIMIT_SECONDS}"),
    ):
        assert before in text
        text = text.replace(before, after)
    file.write_text(text, encoding="utf-8")
    return folder


class Soak:
    """Work items without end, and a person who answers what is asked and clears away what is done."""

    def __init__(self, workspace: Workspace, engine: Engine, chance: Random, ledger: Ledger) -> None:
        self._ws, self._engine, self._chance, self.ledger = workspace, engine, chance, ledger
        self._wanted = self._due = 0
        self._process = psutil.Process()
        self.at_rest: list[Sample] = []
        self.open: set[int] = set()
        self.made = self.done = self.answers = 0

    async def run(self, wanted: int, every: int, heard: Callable[[Sample], None]) -> None:
        """Until so many are done, and all is at rest; a sample after each `every` work items, and then.

        Raises TimeoutError when none is done for a minute.
        """
        self._wanted = wanted
        while self.done < wanted:
            if self.done >= self._due:
                heard(self.sample())
                self._due += every
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._one_more()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._engine.until_settled()
        # The worktrees and folders of the last ones are taken away by now, and their answers are recorded.
        self.at_rest.append(self.sample())
        heard(self.at_rest[-1])

    async def _one_more(self) -> None:
        before = self.done
        while self.done == before:
            await self._add()
            await self._answer()
            await self._clear()
            await asyncio.sleep(LOOK_SECONDS)

    async def _add(self) -> None:
        def add(tx: Transaction) -> int:
            number = work_items.create(tx, title=f"Work {self.made + 1}")
            work_items.accept(tx, number, "ada")
            work_items.stop_after(tx, number, UNTIL)
            return number

        while len(self.open) < AHEAD and self.made < self._wanted:
            self.open.add(await self._ws.store.write(add))
            self.made += 1

    async def _answer(self) -> None:
        asked = await self._ws.store.read(lambda r: reads_escalations.escalations(r, limit=500))
        await asyncio.gather(*(self._ws.store.write(partial(self._resolve, question=q)) for q in asked))
        self.answers += len(asked)

    def _resolve(self, tx: Transaction, question: rows.EscalationRow) -> None:
        plain = [o["key"] for o in question.options if not o.get("asks")]
        option = self._chance.choice([plain[0]] * 8 + plain)
        with contextlib.suppress(UsageError):
            # It was answered with another one, or its work item has ended since.
            escalations.resolve(tx, question.id, option=option, by="ada", reason="because")

    async def _clear(self) -> None:
        """What has come as far as it was to come is taken off the board, and what was given up is counted."""
        items = await self._ws.store.read(lambda r: reads.work_items(r, limit=AHEAD, among=self.open, live=NOBODY))
        for item in items:
            if any((cell.phase, cell.status) == (UNTIL, "passed") for cell in item.cells) and not item.facts.is_over:
                await self._ws.store.write(lambda tx, n=item.id: work_items.cancel(tx, n, "ada"))  # type: ignore[misc]
            elif not item.facts.is_over:
                continue
            self.open.discard(item.id)
            self.done += 1

    def sample(self) -> Sample:
        gc.collect()
        state = self._ws.state
        return Sample(
            done=self.done,
            rss=self._process.memory_info().rss,
            blocks=sys.getallocatedblocks(),
            descriptors=self._process.num_fds(),
            threads=threading.active_count(),
            tasks=len(asyncio.all_tasks()),
            database=sum(file.stat().st_size for file in state.glob("apm.db*")),
            scratch=sum(1 for _ in (state / "scratch").glob("*")),
        )


async def soak(folder: Path, seed: int, wanted: int, every: int, heard: Callable[[Sample], None]) -> Soak:
    """Work through a quarter of so many work items, come to rest, and work through the others."""
    chance, ledger = Random(seed), Ledger()
    with _short_silences(), Workspace.open(_made(folder)) as workspace:
        engine = Engine(workspace, Forgetful(ledger, chance, lambda: False).as_runtimes())
        work = Soak(workspace, engine, chance, ledger)
        await engine.start()
        try:
            await work.run(wanted // 4, every, heard)
            await work.run(wanted, every, heard)
        finally:
            await engine.stop()
        return work
