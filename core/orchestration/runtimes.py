"""What can execute agents here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.orchestration.gatekeeping import gate_functions
from core.orchestration.model_runtimes import FirstUsed, model_runtimes
from core.orchestration.requests import CODING
from core.registry.schema import MODEL_RUNTIMES
from core.runtimes.base import Runtime
from core.runtimes.functions import FunctionRuntime
from core.runtimes.human import HumanRuntime
from core.runtimes.recording import Recorder, RecordingRuntime
from core.runtimes.replay import ReplayRuntime
from core.store.rows import AgentRow

if TYPE_CHECKING:
    from core.workspace import Workspace

AUTO = "auto"
AUTO_MEANS = ("anthropic", "openai-compatible")
"""What `auto` stands for, the first that is configured; where none is, the agent's fallback."""


@dataclass(frozen=True, slots=True)
class Tape:
    """The cassettes of a run: one that it adds what models answer to, one that answers in their place."""

    recorder: Recorder | None = None
    player: ReplayRuntime | None = None

    @classmethod
    def open(cls, record: Path | None = None, replay: Path | None = None) -> Tape:
        """Both read, and the one that is added to begun. Raises UsageError for a cassette that is none."""
        return cls(Recorder.at(record) if record else None, ReplayRuntime.at(replay) if replay else None)


NO_TAPE = Tape()


@dataclass
class Available:
    """The runtimes by name. Close it when nothing runs any more: models keep their connections open."""

    by_name: dict[str, Runtime]
    models: tuple[FirstUsed, ...] = ()

    async def aclose(self) -> None:
        for model in self.models:
            await model.aclose()


def available_runtimes(
    workspace: Workspace, environ: Mapping[str, str] | None = None, tape: Tape = NO_TAPE
) -> Available:
    """The runtimes that can execute agents here: those of models where the environment names one and the workspace
    lets them, `replay` where there is a cassette to play."""
    tools = FunctionRuntime("tool", gate_functions())
    found: dict[str, Runtime] = {"tool": tools, "offline": FunctionRuntime("offline"), "human": HumanRuntime()}
    if workspace.cassette is not None:
        found["replay"] = ReplayRuntime(workspace.cassette)
    if tape.player is not None:
        return Available(found | dict.fromkeys(MODEL_RUNTIMES, tape.player))
    models = model_runtimes(workspace, os.environ if environ is None else environ)
    for name, runtime in models.items():
        found[name] = runtime if tape.recorder is None else RecordingRuntime(runtime, tape.recorder)
    return Available(found, tuple(models.values()))


def runtime_names(agent: AgentRow) -> tuple[str, ...]:
    """The runtimes that may execute an agent, the first that is available being the one that does."""
    fallback = agent.parameters.get("fallback")
    if agent.runtime != AUTO:
        return (agent.runtime, *([fallback] if fallback else []))
    return (AUTO, *AUTO_MEANS, without_model(agent))


def without_model(agent: AgentRow) -> str:
    """The runtime that does an agent's work where no model does it: its fallback, else a person what is coding, and
    apm's own rules the rest."""
    return str(agent.parameters.get("fallback") or ("human" if agent.role in CODING else "offline"))
