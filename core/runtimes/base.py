"""What executes an agent: one small interface, whatever stands behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, ApmError, Json
from core.store.rows import AgentRow


class Runtime(Protocol):
    """Executes one request. It needs the request, the agent's row and a bench, and nothing else of the engine.

    Raises WaitsForHuman when only a person can go on, OverBudget when a budget has no room for the next call, and
    Unavailable when its provider answers nobody now: none of the three is recorded, and the delegation is executed
    again later, with the turns that its session kept. Any other exception is a fault of the runtime, which the
    engine records as a FAILURE. Cancellation must leave no process behind.
    """

    @property
    def name(self) -> str: ...

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


class Unavailable(ApmError):
    """The provider takes no calls now: its quota is gone, its key is refused, or it is down. Nothing more is sent to
    it until `retry_seconds` have passed; then the engine tries by itself."""

    def __init__(self, provider: str, why: str, retry_seconds: float) -> None:
        super().__init__(f"{provider} takes no calls now: {why}")
        self.provider, self.why, self.retry_seconds = provider, why, retry_seconds
