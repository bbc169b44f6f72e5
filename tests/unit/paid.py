"""Scripted agents of which some roles pay before they answer, and limits in the workspace's file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from core.agents.bench import Bench
from core.agents.session import Session, Usage
from core.contract import AgentRequest, AgentResponse
from core.store.rows import AgentRow
from core.workspace import Workspace
from tests.unit.scripted import Scripted

Spending = Callable[[Session], Awaitable[None]]


@dataclass
class Paid(Scripted):
    """A runtime of which some roles pay before they answer."""

    spending: dict[str, Spending] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        if agent.role in self.spending:
            await self.spending[agent.role](bench.session)
        return await super().execute(request, agent, bench)

    def as_runtimes(self) -> dict[str, Any]:
        return dict.fromkeys(("tool", "offline", "human"), self)


def costing(dollars: float) -> Spending:
    async def spend(session: Session) -> None:
        held = await session.reserve("anthropic", "m", tokens=100, dollars=dollars)
        await session.settle(held, Usage(input=60, output=40, dollars=dollars), "req_1")

    return spend


def limit(workspace: Workspace, line: str) -> None:
    text = workspace.file.read_text()
    key = line.strip().partition(":")[0]
    old = next(one for one in text.splitlines() if one.startswith(f"    {key}:"))
    workspace.file.write_text(text.replace(old, f"    {line}"))
    workspace.update_registry()
