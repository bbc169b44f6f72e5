"""A model whose replies a test has written down: the seam's own protocol, so that any provider can stand in for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.agents.bench import Bench
from core.agents.session import Alone, Session, Usage
from core.contract import AgentRequest, AgentResponse, ApmError, Json
from core.runtimes.models.answering import AnsweringRuntime
from core.runtimes.models.dialogue import Prompt, Reply
from core.store.rows import AgentRow

Said = str | Json | Sequence[Json] | ApmError | Callable[[Prompt], Any]
"""A text, the input of an `answer` call, whole blocks, what is raised instead, or what makes one of these."""


@dataclass
class Speaker:
    """Replies in order; `asked` keeps what it was sent. It has to be asked for every reply, and for no more."""

    said: list[Said]
    holds_to_shapes: bool = True
    provider: str = "scripted"
    name: str = "scripted-1"
    stop_reason: str = "end_turn"
    dollars: float | None = 0.001
    asked: list[Prompt] = field(default_factory=list)

    async def ask(self, prompt: Prompt, session: Session) -> Reply:
        self.asked.append(prompt)
        said = self.said.pop(0)
        if callable(said):
            said = said(prompt)
        if isinstance(said, ApmError):
            raise said
        usage = Usage(100, 20, 5, 3, self.dollars)
        return Reply(blocks(said), self.stop_reason, usage, self.name, f"req_{len(self.asked)}")


def blocks(said: Any) -> tuple[Json, ...]:
    if isinstance(said, str):
        return ({"type": "text", "text": said},)
    if isinstance(said, dict):
        return ({"type": "tool_use", "id": "call_1", "name": "answer", "input": said},)
    return tuple(said)


def as_text(answer: Json) -> str:
    return json.dumps(answer)


@dataclass
class Talk:
    """One runtime with one model, asked for one agent after the other, each in a session of its own."""

    model: Speaker
    home: Path
    sessions: list[Alone] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runtime = AnsweringRuntime("scripted", lambda row: self.model)

    async def ask(self, request: AgentRequest, agent: AgentRow, session: Alone | None = None) -> AgentResponse:
        self.sessions.append(session or Alone())
        return await self.runtime.execute(request, agent, Bench(None, self.home, self.home, self.sessions[-1]))

    @property
    def kept(self) -> list[Json]:
        return [turn.content for turn in self.sessions[-1].kept]
