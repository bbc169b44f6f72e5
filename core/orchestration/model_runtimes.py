"""Which runtimes of models there are here. What they are made of is loaded at the first request to one of them.

Loading it takes a quarter of a second, which a start without a model would pay for nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse
from core.installing import install_extra
from core.runtimes.base import Runtime
from core.runtimes.claude_code.credentials import CREDENTIALS
from core.runtimes.models.endpoints import ANTHROPIC, OPENAI, read_endpoint
from core.store.rows import AgentRow

if TYPE_CHECKING:
    from core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Place:
    """What the runtimes of models are made of: the workspace's folder, and the environment that names them."""

    folder: Path
    environ: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Made:
    """A runtime and how to close what it opened."""

    runtime: Runtime
    aclose: Callable[[], Awaitable[None]]


@dataclass
class FirstUsed:
    """A runtime that is made when it is first asked, in a thread."""

    name: str
    place: Place
    _made: Made | None = None
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(self._make)
        return await self._made.runtime.execute(request, agent, bench)

    def _make(self) -> Made:
        from core.orchestration.making_models import MAKERS

        return MAKERS[self.name](self.place)

    async def aclose(self) -> None:
        if self._made is not None:
            await self._made.aclose()


def model_runtimes(workspace: Workspace, environ: Mapping[str, str]) -> dict[str, FirstUsed]:
    """The runtimes of models that the environment names, by name; none where the workspace asks no models."""
    if workspace.are_models_off:
        return {}
    place = Place(workspace.folder, environ)
    return {name: FirstUsed(name, place) for name, why_not in missing(environ).items() if not why_not}


def missing(environ: Mapping[str, str]) -> dict[str, str]:
    """By each runtime of models, what keeps it from being used here; empty for nothing. Only names, never values."""
    return {
        "anthropic": "" if read_endpoint(ANTHROPIC, environ) else "ANTHROPIC_API_KEY is not set",
        "openai-compatible": _extra("pydantic_ai", "openai-compatible")
        or ("" if read_endpoint(OPENAI, environ) else "OPENAI_API_KEY is not set"),
        "claude-code": _extra("claude_agent_sdk", "claude-code")
        or ("" if any(environ.get(n) for n in CREDENTIALS) else "ANTHROPIC_API_KEY is not set"),
    }


def _extra(package: str, extra: str) -> str:
    """Whether an optional package is missing; it is not loaded for that."""
    return "" if find_spec(package) is not None else f"it is not installed: {install_extra(extra)}"
