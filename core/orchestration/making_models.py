"""The runtimes that ask models, made from what the environment names. Loaded when one of them is first asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, UsageError, failed
from core.orchestration.model_runtimes import Made, Place
from core.orchestration.requests import CODING
from core.redaction import Redactor, secrets_of
from core.runtimes.base import Runtime
from core.runtimes.claude_code.runtime import ClaudeCodeRuntime
from core.runtimes.coding.loop import CodingRuntime
from core.runtimes.functions import FunctionRuntime
from core.runtimes.measuring import MENDING, MeasuringRuntime
from core.runtimes.models import anthropic_api, compatible
from core.runtimes.models.answering import AnsweringRuntime
from core.runtimes.models.calling import open_line
from core.runtimes.models.dialogue import Model
from core.runtimes.models.prices import read_own
from core.store.rows import AgentRow

ANTHROPIC_MODEL = "claude-sonnet-5-5"
"""Of the Messages API, where neither the team's files nor the variable ANTHROPIC_MODEL names another."""

ModelOf = Callable[[AgentRow], Model]


@dataclass
class ModelRuntime:
    """One provider's runtime: whoever changes code works in the worktree, whoever thinks answers once."""

    name: str
    answers: Runtime
    works: Runtime
    mends: Runtime
    _at_work: dict[Path, asyncio.Lock] = field(default_factory=dict)

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        role = request.expected_output
        if role not in CODING and role not in MENDING:
            return await self.answers.execute(request, agent, bench)
        chosen = self.works if role in CODING else self.mends
        if bench.worktree is None:
            return await chosen.execute(request, agent, bench)
        # Agents side by side share the worktree; whoever begins to work there begins from what is committed.
        async with self._at_work.setdefault(bench.worktree, asyncio.Lock()):
            return await chosen.execute(request, agent, bench)


@dataclass(frozen=True, slots=True)
class _WorksOnly:
    """Stands where a runtime cannot answer agents that only think."""

    name: str

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        return failed(
            agent.role,
            f"{self.name} executes agents that work on a branch, and {agent.role} only answers",
            suggestion=f"Give {agent.role} `runtime: auto` in agents.yaml.",
        )


def _anthropic(place: Place) -> Made:
    endpoint = anthropic_api.endpoint_from(place.environ)
    if endpoint is None:
        raise UsageError("ANTHROPIC_API_KEY is not set.")
    connection = anthropic_api.AnthropicConnection(
        open_line(endpoint, environ=place.environ, prices=read_own(place.folder))
    )
    usual = place.environ.get("ANTHROPIC_MODEL", "").strip() or ANTHROPIC_MODEL
    runtime = _runtime("anthropic", lambda agent: anthropic_api.AnthropicModel(agent.model or usual, connection), place)
    return Made(runtime, connection.aclose)


def _compatible(place: Place) -> Made:
    endpoint = compatible.endpoint_from(place.environ)
    if endpoint is None:
        raise UsageError("OPENAI_API_KEY is not set.")
    connection = compatible.CompatibleConnection(
        open_line(endpoint, environ=place.environ, prices=read_own(place.folder))
    )
    usual = place.environ.get("OPENAI_MODEL", "").strip()
    runtime = _runtime(
        "openai-compatible", lambda agent: compatible.CompatibleModel(_named(agent, usual), connection), place
    )
    return Made(runtime, connection.aclose)


def _claude_code(place: Place) -> Made:
    works = ClaudeCodeRuntime(place.folder / "state" / "claude-code", place.environ, place.folder)
    mends = MeasuringRuntime(works.name, FunctionRuntime("offline"), works)
    return Made(ModelRuntime(works.name, _WorksOnly(works.name), works, mends), _nothing)


async def _nothing() -> None:
    """Claude Code ends with each task."""


MAKERS: Mapping[str, Callable[[Place], Made]] = {
    "anthropic": _anthropic,
    "openai-compatible": _compatible,
    "claude-code": _claude_code,
}


def _runtime(name: str, model_of: ModelOf, place: Place) -> Runtime:
    clean = Redactor(secrets_of(place.environ)).text
    works = CodingRuntime(name, model_of, workspace=place.folder, clean=clean)
    return ModelRuntime(
        name,
        AnsweringRuntime(name, model_of),
        works,
        MeasuringRuntime(name, FunctionRuntime("offline"), works),
    )


def _named(agent: AgentRow, usual: str) -> str:
    """The model of an agent on a server whose models apm does not know. Raises UsageError where nobody named one."""
    name = agent.model or usual
    if not name:
        raise UsageError(
            f"Nobody says which model {agent.role} is to use: write `model:` under `defaults:` in agents.yaml, or set "
            "OPENAI_MODEL."
        )
    return name
