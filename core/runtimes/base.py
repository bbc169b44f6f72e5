"""What executes an agent: one small interface, whatever stands behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json
from core.store.rows import AgentRow


class Runtime(Protocol):
    """Executes one request. It needs the request, the agent's row and a bench, and nothing else of the engine.

    Raises WaitsForHuman when only a person can go on. Any other exception is a fault of the runtime, which the
    engine records as a FAILURE. Cancellation must leave no process behind.
    """

    name: str

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse: ...


@dataclass(frozen=True, slots=True)
class Ask:
    """The question that a runtime has for a person. `options` are {key, label, consequence, asks?, ends?}."""

    question: str
    options: tuple[Json, ...]
    recommended: str
    details: Json = field(default_factory=dict)
    missing: tuple[str, ...] = ()


class WaitsForHuman(Exception):
    """The delegation is parked until a person has answered."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask.question)
        self.ask = ask
