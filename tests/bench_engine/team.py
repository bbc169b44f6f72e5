"""apm's own engine on the standard workload: a phase table of five workers and a gate, and agents that do nothing.

The phases are data (`core.phases`), and so they are exchanged as data: `install` puts six phases in the place of the
product's six, each with exactly five of the product's own workers and its own gate. `context-assembler` works in R1
instead of D1, and `incident-scribe` before the gate of O1 instead of after it; in a sequence every worker is a group
of its own, side by side the five are one group. Everything else is the product as it ships: engine, master, requests
and their digests, intents of agents that act outward, budgets, gates that are judged by the real checks, gate rows,
artifacts, events, chain.

A worker's answer is 500 bytes of JSON that holds what its gate asks for. A gate's answer is the real verdict, which
is larger. Only workers and gates count as steps; that the engine also records each phase orchestrator's answer, each
intent and each phase's begin and end is part of what a step costs.

One thing cannot be had without git: O1 releases a branch, and a work item without a project has none. So in the
figures without git, `Ungitted` answers "yes" in the place of the question whether the branch may be released; the
figure with git has nothing replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, canonical_json, succeeded
from core.orchestration import engine
from core.orchestration.drive import Drive
from core.orchestration.gatekeeping import gate_functions
from core.orchestration.gates import check
from core.phases import PHASE_BY_CODE, PHASES, PhaseSpec, Step
from core.runtimes.base import Runtime
from core.store.rows import AgentRow
from tests.bench_engine.standard import RESULT_BYTES, WORKERS
from tests.unit.scripted import BUILD, OUTPUTS

MOVED = {"context-assembler": "R1"}
"""Workers that stand in another phase than the product's, so that each has five."""

ANSWERS: Mapping[str, Json] = OUTPUTS | {
    "versioner": {"version": {"from": "1.0.0", "to": "1.1.0"}},
    "changelog-curator": {"changelog": {"updated": True, "entry": "Added: what was asked for."}},
    "deploy-orchestrator": {"deployment": {"status": "success", "target": "local"}, "tag": "v1.1.0"},
    "health-verifier": {"health": {"status": "healthy", "response_ms": 1.0}, "monitoring": {"active": True}},
    "incident-scribe": {"incidents": []},
    "signal-harvester": {"signals": []},
    "insight-synthesizer": {"telemetry": {"analyzed": True}, "insights": []},
    "debt-registrar": {"debt": [{"id": "D1", "text": "a slow test", "location": "t.py", "cost": "an hour"}]},
    "refactor-proposer": {
        "improvements": [{"id": "I1", "text": "split a.py"}],
        "backlog": {"added": [], "updated": ["split a.py"]},
    },
    "sunset-planner": {"sunset": []},
}
I1_GATE = "implementation-gate-check"


def phase_table(side_by_side: bool) -> dict[str, PhaseSpec]:
    """Six phases of five workers and a gate."""
    by_phase: dict[str, list[Step]] = {phase.code: [] for phase in PHASES}
    for phase in PHASES:
        for step in (*phase.steps, *phase.after_gate):
            by_phase[MOVED.get(step.agent, phase.code)].append(step)
    return {phase.code: _regrouped(phase, by_phase[phase.code], side_by_side) for phase in PHASES}


def _regrouped(phase: PhaseSpec, steps: list[Step], side_by_side: bool) -> PhaseSpec:
    assert len(steps) == WORKERS, f"{phase.code} has {len(steps)} workers"
    alone = tuple((step,) for step in steps)
    together = (tuple(step._replace(reads=(), requires=()) for step in steps),)
    return phase._replace(groups=together if side_by_side else alone, after_gate=())


class Ungitted(Drive):
    """A drive of a work item without a project, which may be released as it stands: there is no branch to ask."""

    async def _ready_to_release(self, *_: Any) -> bool:
        return True


def install(side_by_side: bool, *, with_git: bool) -> None:
    """Exchange the phases of this process for those of the workload. There is no way back: the process is its own."""
    PHASE_BY_CODE.update(phase_table(side_by_side))
    if not with_git:
        vars(engine)["Drive"] = Ungitted


class Idle:
    """Every agent of the workload: answers at once, and no I/O."""

    name = "no-op"

    def __init__(self) -> None:
        self._gates = gate_functions()
        self.exchanges: dict[str, tuple[AgentRequest, AgentResponse]] = {}
        """The first request to every role, and its answer."""

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        role = agent.role
        response = await self._answer(role, request, bench)
        self.exchanges.setdefault(role, (request, response))
        return response

    async def _answer(self, role: str, request: AgentRequest, bench: Bench) -> AgentResponse:
        if role == I1_GATE:
            gate = request.context["gate"]
            verdict = check("I1", BUILD, thresholds=gate["thresholds"], not_applicable=gate["not_applicable"])
            return succeeded(role, {"verdict": verdict.to_json(), "payload": BUILD})
        if role in self._gates:
            return await self._gates[role](request, bench)
        return succeeded(role, padded(role))

    def as_runtimes(self) -> dict[str, Runtime]:
        return dict.fromkeys(("tool", "offline", "human"), self)


@cache
def padded(role: str) -> Json:
    """What a worker answers: what its gate asks for, filled up to 500 bytes."""
    bare: Json = {**ANSWERS[role], "text": ""}
    short = RESULT_BYTES - len(canonical_json(bare).encode())
    assert short >= 0, f"the answer of {role} is larger than {RESULT_BYTES} bytes"
    return {**bare, "text": "x" * short}
