"""Agents that measure and can also mend: the measurement is code, and only what it finds missing goes to a model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Status
from core.runtimes.base import Runtime
from core.store.rows import AgentRow

MENDING = ("doc-toucher", "migration-author")
"""Roles that say whether a branch has what it needs, and whose missing part can be written."""
SPENT = ("model", "tokens", "cost", "usage", "request_ids", "turns", "sandbox", "evidence", "decisions", "seconds")
"""What of the work's metadata stands beside the measurement."""


@dataclass(frozen=True, slots=True)
class MeasuringRuntime:
    """Measures, lets `works` do what is missing, and measures again: what is answered is measured either way."""

    name: str
    measures: Runtime
    works: Runtime

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        begun = any(True for _ in await bench.session.turns())
        before = await self.measures.execute(request, agent, bench)
        if before.status is not Status.BLOCKED and not begun:
            return replace(before, metadata={**before.metadata, "runtime": self.measures.name})
        told = {"missing": before.missing, "suggestion": before.metadata.get("suggestion", "")}
        worked = await self.works.execute(replace(request, context={**request.context, **told}), agent, bench)
        after = await self.measures.execute(request, agent, bench)
        spent = {key: worked.metadata[key] for key in SPENT if key in worked.metadata}
        if worked.status is Status.FAILURE and after.status is not Status.SUCCESS:
            return replace(worked, metadata={**worked.metadata, "missing": after.missing})
        return replace(after, metadata={**after.metadata, **spent})
