"""Agents that answer, fail, stay silent, ask and raise decisions as the chance has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, blocked, failed
from core.governance.decisions import DOMAIN_AGENTS
from core.orchestration.sessions import JournalSession
from core.runtimes.base import Ask, Unavailable, WaitsForHuman
from core.store.rows import AgentRow
from tests.unit.scripted import Scripted

Key = tuple[int, str, int, str, str]
"""Work item, phase, round, agent, subject: what makes a delegation the same delegation."""

KINDS = (
    ("technical", "api_endpoints"),
    ("technical", "caching"),
    ("technical", "architecture"),
    ("technical", "security"),
    ("ux", "naming_of_cats"),
    ("strategy", "backlog_order"),
)
OPTIONS: list[Json] = [
    {"key": "new", "label": "New", "consequence": "More to keep."},
    {"key": "old", "label": "Old", "consequence": "Less to keep."},
]
GO_ON: Json = {"key": "go", "label": "Go on", "consequence": "It goes on."}


SILENCE_SECONDS = 100.0
"""Longer than most agents may take here; one with a limit of its own is only late."""

PAUSES_SECONDS = (0.0, 0.01, 0.1, 1.0)
"""How long an answer may take at most, one of these."""
RETRY_SECONDS = 10.0
"""How long a provider takes no calls, at least."""


class Crash(Exception):
    """A fault in an agent's own code."""


@dataclass
class Ledger:
    """What was executed, as somebody who stands outside counts it; it outlives every process."""

    recorded: set[Key] = field(default_factory=set)
    running: set[tuple[int, Key]] = field(default_factory=set)
    """By the number of the process."""
    executions: int = 0
    violations: list[str] = field(default_factory=list)

    def begin(self, key: Key, process: int) -> None:
        self.executions += 1
        if key in self.recorded:
            self.violations.append(f"{key} was recorded, and is executed again")
        if (process, key) in self.running:
            self.violations.append(f"{key} is executed twice at once")
        self.running.add((process, key))

    def end(self, process: int) -> None:
        """The process has ended, and with it whatever it executed."""
        self.running = {one for one in self.running if one[0] != process}


class Agents:
    """One runtime in the place of all. While `is_calm`, everybody answers at once what their gate asks for."""

    name = "simulated"

    def __init__(self, ledger: Ledger, chance: Random, is_calm: Callable[[], bool], process: int = 0) -> None:
        self._ledger, self._chance, self._is_calm, self._process = ledger, chance, is_calm, process
        self._script = Scripted()

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        session = bench.session
        assert isinstance(session, JournalSession)
        spender = session.spender
        key = (spender.work_item, spender.phase, spender.round, spender.agent, spender.subject)
        self._ledger.begin(key, self._process)
        try:
            if not self._is_calm():
                await asyncio.sleep(self._chance.choice(PAUSES_SECONDS) * self._chance.random())
                answer = await self._trouble(request, agent.role)
                if answer is not None:
                    return answer
            response = await self._answer(key, request, agent, bench)
            return response if self._is_calm() else self._deciding(response, agent.role)
        finally:
            self._ledger.running.discard((self._process, key))

    async def _answer(self, key: Key, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        """What the agent answers where nothing goes wrong."""
        del key
        return await self._script.execute(request, agent, bench)

    async def _trouble(self, request: AgentRequest, role: str) -> AgentResponse | None:
        """What goes wrong this time, if anything does."""
        drawn = self._chance.randrange(100)
        if drawn < 3:
            return failed(role, "the oracle is silent", ["a word"], "Ask again.")
        if drawn < 6:
            return blocked(role, {}, ["a word"], "Say it.")
        if drawn < 8:
            raise Crash("a fault of its own")
        if drawn < 9:
            await asyncio.sleep(SILENCE_SECONDS)
        if 10 <= drawn < 14 and "human" not in request.context:
            raise WaitsForHuman(Ask("May it go on?", (GO_ON,), "go"))
        if 14 <= drawn < 16:
            raise Unavailable("simulated", "its quota is gone", RETRY_SECONDS * (1 + self._chance.random()))
        return None

    def _deciding(self, response: AgentResponse, role: str) -> AgentResponse:
        """The response, now and then with a decision that its owner or a person has to make."""
        if role in DOMAIN_AGENTS or self._chance.randrange(100) >= 16:
            return response
        domain, kind = self._chance.choice(KINDS)
        raised: Json = {
            "kind": kind,
            "domain": domain,
            "question": f"Which of the two for {role}?",
            "impact": self._chance.choice((3, 5, 9)),
            "options": OPTIONS,
            "recommended": self._chance.choice(("new", "old")),
            "blocks": self._chance.choice(("", "P1", "I1", "T1", "O1", "E1")),
            "topic": self._chance.choice(("", "performance", "the greeting")),
        }
        return replace(response, metadata={**response.metadata, "decisions": [raised]})

    def as_runtimes(self) -> dict[str, Any]:
        return dict.fromkeys(("tool", "offline", "human"), self)
