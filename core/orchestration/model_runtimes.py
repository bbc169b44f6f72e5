"""The runtimes that ask models, made from what the environment and the team's files name.

Nothing is loaded and no connection is made before the first call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, UsageError, failed
from core.orchestration.requests import CODING
from core.redaction import Redactor, secrets_of
from core.runtimes.base import Runtime
from core.runtimes.claude_code.cli import CREDENTIALS
from core.runtimes.claude_code.runtime import ClaudeCodeRuntime
from core.runtimes.coding.loop import CodingRuntime
from core.runtimes.functions import FunctionRuntime
from core.runtimes.measuring import MENDING, MeasuringRuntime
from core.runtimes.models import anthropic_api, compatible
from core.runtimes.models.answering import AnsweringRuntime
from core.runtimes.models.calling import open_line
from core.runtimes.models.dialogue import Model
from core.store.rows import AgentRow

if TYPE_CHECKING:
    from core.workspace import Workspace

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


@dataclass
class ModelRuntimes:
    """The runtimes of models that are configured, by name, and how to close what they opened."""

    by_name: dict[str, Runtime] = field(default_factory=dict)
    _closes: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    @classmethod
    def of(cls, workspace: Workspace, environ: Mapping[str, str]) -> ModelRuntimes:
        found = cls()
        if not workspace.are_models_off:
            found._add_anthropic(workspace, environ)
            found._add_compatible(workspace, environ)
            found._add_claude_code(workspace, environ)
        return found

    def _add_anthropic(self, workspace: Workspace, environ: Mapping[str, str]) -> None:
        endpoint = anthropic_api.endpoint_from(environ)
        if endpoint is None:
            return
        connection = anthropic_api.AnthropicConnection(open_line(endpoint, environ=environ))
        usual = environ.get("ANTHROPIC_MODEL", "").strip() or ANTHROPIC_MODEL
        self._closes.append(connection.aclose)
        self._add(
            "anthropic",
            lambda agent: anthropic_api.AnthropicModel(agent.model or usual, connection),
            workspace.folder,
            environ,
        )

    def _add_compatible(self, workspace: Workspace, environ: Mapping[str, str]) -> None:
        endpoint = compatible.endpoint_from(environ)
        if endpoint is None or not is_installed("pydantic_ai"):
            return
        connection = compatible.CompatibleConnection(open_line(endpoint, environ=environ))
        usual = environ.get("OPENAI_MODEL", "").strip()
        self._closes.append(connection.aclose)
        self._add(
            "openai-compatible",
            lambda agent: compatible.CompatibleModel(_named(agent, usual), connection),
            workspace.folder,
            environ,
        )

    def _add_claude_code(self, workspace: Workspace, environ: Mapping[str, str]) -> None:
        if not is_installed("claude_agent_sdk") or not any(environ.get(name) for name in CREDENTIALS):
            return
        works = ClaudeCodeRuntime(workspace.state / "claude-code", environ)
        mends = MeasuringRuntime(works.name, FunctionRuntime("offline"), works)
        self.by_name[works.name] = ModelRuntime(works.name, _WorksOnly(works.name), works, mends)

    def _add(self, name: str, model_of: ModelOf, folder: Path, environ: Mapping[str, str]) -> None:
        clean = Redactor(secrets_of(environ)).text
        works = CodingRuntime(name, model_of, workspace=folder, clean=clean)
        mends = MeasuringRuntime(name, FunctionRuntime("offline"), works)
        self.by_name[name] = ModelRuntime(name, AnsweringRuntime(name, model_of), works, mends)

    async def aclose(self) -> None:
        for close in self._closes:
            await close()


def _named(agent: AgentRow, usual: str) -> str:
    """The model of an agent on a server whose models apm does not know. Raises UsageError where nobody named one."""
    name = agent.model or usual
    if not name:
        raise UsageError(
            f"Nobody says which model {agent.role} is to use: write `model:` under `defaults:` in agents.yaml, or set "
            "OPENAI_MODEL."
        )
    return name


def is_installed(package: str) -> bool:
    """Whether an optional package is there; it is not loaded for that."""
    return find_spec(package) is not None
