"""The team of the chaos suite: what judges is scripted and costs nothing, what acts outward is the product's own.

Definition, planning and review answer what their gates ask for. The coders play a cassette, as the demo's do, so
their commits are real; release and evolution run the very functions that they run for a user.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, succeeded
from core.orchestration.gatekeeping import gate_functions
from core.phases import PHASE_BY_CODE
from core.runtimes.base import Runtime
from core.runtimes.functions import FunctionRuntime
from core.runtimes.replay import ReplayRuntime
from core.store.rows import AgentRow
from tests.unit.scripted import OUTPUTS, TASK, Scripted

CODERS = ("code-implementer", "test-implementer")
REAL = frozenset(
    step.agent for code in ("O1", "E1") for group in PHASE_BY_CODE[code].groups for step in group
) | frozenset(step.agent for step in PHASE_BY_CODE["O1"].after_gate)
"""Agents whose own functions run."""

TASKS: list[Json] = [
    {**TASK, "id": "T1", "title": "greet in German", "criteria": ["AC1", "AC2"]},
    {**TASK, "id": "T2", "title": "refuse other languages", "criteria": ["AC3"], "depends_on": ["T1"]},
]
DECISION: Json = {
    "kind": "api_endpoints",
    "domain": "technical",
    "question": "Does the language come by name or by position?",
    "impact": 10,
    "options": [
        {"key": "name", "label": "By name", "consequence": "Callers write more."},
        {"key": "position", "label": "By position", "consequence": "Callers may mix it up."},
    ],
    "recommended": "name",
    "blocks": "I1",
}
"""Put to a person, because its impact is beyond what any agent may decide."""

Note = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Counted:
    """A runtime whose executions are counted: `note(what, key)` is told of each as it begins and as it ends."""

    runtime: Runtime
    note: Note

    @property
    def name(self) -> str:
        return self.runtime.name

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        session: Any = bench.session
        key = f"{session.phase} {session.spender.round} {agent.role} {session.subject}".strip()
        self.note("began", key)
        response = await self.runtime.execute(request, agent, bench)
        self.note("ran", key)
        return response


class ChaosTeam:
    """Serves every runtime's name."""

    name = "chaos"

    def __init__(self, cassette: Path) -> None:
        self._script = Scripted(**_planned())
        self._functions = FunctionRuntime("tool", gate_functions())
        self._replay = ReplayRuntime(cassette)

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        if agent.role in CODERS:
            return await self._replay.execute(request, agent, bench)
        if agent.role in REAL:
            return await self._functions.execute(request, agent, bench)
        # A turn of the loop, as every agent that does anything takes: those beside it begin as well.
        await asyncio.sleep(0)
        return await self._script.execute(request, agent, bench)

    def as_runtimes(self) -> dict[str, Any]:
        return dict.fromkeys(("tool", "offline", "human", "replay"), self)


def _planned() -> dict[str, Callable[[AgentRequest], AgentResponse]]:
    order = [task["id"] for task in TASKS]
    curated = {**OUTPUTS["backlog-curator"], "tasks": TASKS, "order": order}
    return {
        "decomposer": lambda _: succeeded("decomposer", {"tasks": TASKS}, decisions=[DECISION]),
        "estimator": lambda _: succeeded("estimator", {"estimates": dict.fromkeys(order, 2)}),
        "dependency_mapper": lambda _: succeeded("dependency-mapper", {"depends_on": {"T2": ["T1"]}, "order": order}),
        "backlog_curator": lambda _: succeeded("backlog-curator", curated),
    }


def write_cassette(path: Path) -> None:
    """What the coders commit: one file each, on each task."""
    entries = [
        _entry(role, str(task["id"]), str(task["title"]), number)
        for number, task in enumerate(TASKS, start=1)
        for role in CODERS
    ]
    path.write_text(json.dumps({"format": 2, "note": "", "compares": ["title"], "entries": entries}))
    os.utime(path)


def _entry(role: str, task: str, title: str, number: int) -> Json:
    place = f"greeter/part{number}.py" if role == CODERS[0] else f"tests/test_part{number}.py"
    edits = [{"path": place, "content": f'"""{title}"""\n'}]
    return {
        "role": role,
        "subject": task,
        "request": {"title": title},
        "digest": f"{number:064x}" if role == CODERS[0] else f"{number + 100:064x}",
        "status": "SUCCESS",
        "output": {"summary": title, "verifies": {}},
        "metadata": {},
        "commits": [{"subject": f"{title} ({role})", "body": "", "trailers": {}, "edits": edits}],
    }
