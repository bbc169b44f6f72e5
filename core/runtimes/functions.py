"""The `tool` and `offline` runtimes: agents that are code. The one runs real tools, the other reads words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, ApmError
from core.store.rows import AgentRow

AgentFunction = Callable[[AgentRequest, Bench], Awaitable[AgentResponse]]

MODULES: Mapping[str, str] = {
    **dict.fromkeys(
        ("intent-triage", "context-assembler", "problem-framer", "value-articulator", "risk-notary", "ac-writer"),
        "core.agents.definition",
    ),
    **dict.fromkeys(
        ("decomposer", "estimator", "dependency-mapper", "mitigation-planner", "backlog-curator"),
        "core.agents.planning",
    ),
    **dict.fromkeys(("pattern-applier", "migration-author", "doc-toucher"), "core.agents.implementation"),
    **dict.fromkeys(("static-analyzer", "test-runner", "threat-screener", "ac-verifier"), "core.agents.review"),
    **dict.fromkeys(
        ("versioner", "changelog-curator", "deploy-orchestrator", "health-verifier", "incident-scribe"),
        "core.agents.release",
    ),
    **dict.fromkeys(
        ("signal-harvester", "insight-synthesizer", "debt-registrar", "refactor-proposer", "sunset-planner"),
        "core.agents.evolution",
    ),
    **dict.fromkeys(("technical", "strategy", "ux", "gtm"), "core.agents.deciding"),
}
"""Which module holds the agent of a role; the function has the role's name. Loaded when first asked."""


class FunctionRuntime:
    """Runs agents that are functions of this program: `name` is "tool" or "offline"."""

    def __init__(self, name: str, extra: Mapping[str, AgentFunction] | None = None) -> None:
        self.name = name
        self._extra = dict(extra or {})

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        """Raises ApmError for a role that no code serves."""
        return await self._function(agent.role)(request, bench)

    def _function(self, role: str) -> AgentFunction:
        if role in self._extra:
            return self._extra[role]
        if role not in MODULES:
            raise ApmError(f"No code serves {role} on the {self.name} runtime; give it another runtime in agents.yaml.")
        function: AgentFunction = getattr(import_module(MODULES[role]), role.replace("-", "_"))
        return function
