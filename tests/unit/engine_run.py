"""The engine of a workspace with scripted agents, and what a person would do to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from core.governance import escalations
from core.orchestration import work_items
from core.orchestration.engine import Engine
from core.store import reads, reads_escalations, rows
from core.workspace import Workspace
from tests.unit.scripted import Scripted


class Run:
    """An engine on the workspace with scripted agents, and what a person would do to it."""

    def __init__(self, workspace: Workspace) -> None:
        self.ws = workspace
        self.engine: Engine | None = None

    async def start(self, script: Scripted) -> bool:
        self.engine = Engine(self.ws, script.as_runtimes())
        return await self.engine.start()

    async def stop(self) -> None:
        if self.engine is not None:
            await self.engine.stop()

    async def settle(self) -> None:
        assert self.engine is not None
        async with asyncio.timeout(20):
            await self.engine.until_settled()

    async def add(self, *, until: str | None = "D1", **facts: Any) -> int:
        def write(tx: Any) -> int:
            number = work_items.create(tx, **{"title": "x", "project": None, **facts})
            work_items.accept(tx, number, "ada")
            work_items.stop_after(tx, number, until)
            return number

        return await self.ws.store.write(write)

    async def answer(self, option: str, number: int | None = None, reason: str = "because", **given: Any) -> None:
        asked = await self.questions()
        which = number or asked[0].id
        await self.ws.store.write(
            lambda tx: escalations.resolve(tx, which, option=option, by="ada", reason=reason, **given)
        )

    async def item(self, number: int) -> rows.WorkItemRow:
        live = self.engine.live() if self.engine is not None else None
        found = await self.ws.store.read(lambda r: reads.work_item(r, number, live=live))
        assert found is not None
        return found

    async def questions(self) -> tuple[rows.EscalationRow, ...]:
        return await self.ws.store.read(reads_escalations.escalations)

    async def outcomes(self, number: int) -> list[tuple[str, int, str | None]]:
        found = await self.ws.store.read(lambda r: reads.phase_runs(r, number))
        return [(p.phase, p.round, p.outcome) for p in found]

    async def do(self, write: Callable[..., Any], number: int, *args: Any) -> None:
        await self.ws.store.write(lambda tx: write(tx, number, *args))
