"""What can execute agents here."""

from __future__ import annotations

from pathlib import Path

from core.orchestration.gatekeeping import gate_functions
from core.orchestration.requests import CODING
from core.runtimes.base import Runtime
from core.runtimes.functions import FunctionRuntime
from core.runtimes.human import HumanRuntime
from core.runtimes.replay import ReplayRuntime
from core.store.rows import AgentRow

AUTO = "auto"
AUTO_MEANS = ("anthropic", "openai-compatible")
"""What `auto` stands for, the first that is configured; where none is, the agent's fallback."""


def available_runtimes(cassette: Path | None) -> dict[str, Runtime]:
    """The runtimes that can execute agents here; `replay` where there is a cassette to play."""
    tools = FunctionRuntime("tool", gate_functions())
    found: dict[str, Runtime] = {"tool": tools, "offline": FunctionRuntime("offline"), "human": HumanRuntime()}
    if cassette is not None:
        found["replay"] = ReplayRuntime(cassette)
    return found


def runtime_names(agent: AgentRow) -> tuple[str, ...]:
    """The runtimes that may execute an agent, the first that is available being the one that does."""
    fallback = agent.parameters.get("fallback")
    if agent.runtime != AUTO:
        return (agent.runtime, *([fallback] if fallback else []))
    return (*AUTO_MEANS, str(fallback or ("human" if agent.role in CODING else "offline")))
