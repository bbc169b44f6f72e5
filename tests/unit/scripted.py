"""A runtime for tests of the engine: every sub-agent is a function of the test, every gate is the real one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from core.agents import deciding
from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, succeeded
from core.governance.decisions import DOMAIN_AGENTS
from core.orchestration.gatekeeping import gate_functions
from core.orchestration.gates import check
from core.store.rows import AgentRow

Answer = Callable[[AgentRequest], AgentResponse | Awaitable[AgentResponse]]

SIX = dict.fromkeys(("who", "what", "when", "where", "why", "how"), 0.9)
TASK: Json = {"id": "T1", "title": "do it", "criteria": ["AC1"], "estimate_hours": 2, "depends_on": []}

OUTPUTS: dict[str, Json] = {
    "intent-triage": {"classification": {"type": "feature", "domain": "cli", "complexity": "low"}},
    "context-assembler": {"languages": []},
    "problem-framer": {"problem": "p", "six_w": SIX, "confidence": 0.9},
    "value-articulator": {"value": "v", "business_context": "x" * 60},
    "risk-notary": {"risks": [{"id": "R1", "text": "slow", "severity": "low", "mitigation": "measure"}]},
    "ac-writer": {"acceptance_criteria": [{"id": f"AC{n}", "text": f"criterion {n}"} for n in (1, 2, 3)]},
    "decomposer": {"tasks": [TASK]},
    "estimator": {"estimates": {"T1": 2}},
    "dependency-mapper": {"depends_on": {}, "order": ["T1"]},
    "mitigation-planner": {"mitigations": [{"risk": "R1", "plan": "measure"}]},
    "backlog-curator": {
        "tasks": [{**TASK, "criteria": ["AC1", "AC2", "AC3"]}],
        "order": ["T1"],
        "mitigations": [{"risk": "R1", "plan": "measure"}],
    },
    "pattern-applier": {"patterns": []},
    "code-implementer": {"task": "T1", "commits": ["c0ffee0"], "files": ["a.py"], "summary": "done", "verifies": {}},
    "test-implementer": {"task": "T1", "commits": ["c0ffee1"], "files": ["t.py"], "summary": "done", "verifies": {}},
    "migration-author": {"schema_changed": False, "created": []},
    "doc-toucher": {"updated": True, "files": ["README.md"]},
    "static-analyzer": {"static": {"tools": ["ruff"], "issues": 0}},
    "test-runner": {"tests": {"total": 3, "passed": 3, "failed": 0, "skipped": 0, "coverage": 95.0}},
    "threat-screener": {"security": {"tools": ["bandit"], "findings": 0}},
    "ac-verifier": {"criteria": [{"id": f"AC{n}", "verified": True, "evidence": "t.py::test"} for n in (1, 2, 3)]},
}

BUILD: Json = {
    "branch": "apm/1-x",
    "base_commit": "0" * 40,
    "head_commit": "1" * 40,
    "tasks": [{"id": "T1", "agent": "code-implementer", "commits": ["c0ffee0"], "files": ["a.py"]}],
    "tests": {"updated": True, "passed": 3, "failed": 0},
    "feature_flags": {"needed": False, "added": []},
    "docs": {"updated": True, "files": ["README.md"]},
    "migrations": {"schema_changed": False, "created": []},
}

SERIAL = iter(range(1_000_000))


class Scripted:
    """Answers by role; `calls` counts who was really executed, `requests` keeps what was asked."""

    name = "scripted"

    def __init__(self, **answers: Answer) -> None:
        self.answers = {role.replace("_", "-"): answer for role, answer in answers.items()}
        self.calls: Counter[str] = Counter()
        self.requests: dict[str, list[AgentRequest]] = {}
        self._gates = gate_functions()

    async def execute(self, request: AgentRequest, agent: AgentRow, bench: Bench) -> AgentResponse:
        role = agent.role
        self.calls[role] += 1
        self.requests.setdefault(role, []).append(request)
        if role in self.answers:
            given = self.answers[role](request)
            return given if isinstance(given, AgentResponse) else await given
        if role == "implementation-gate-check":
            verdict = check("I1", BUILD)
            return succeeded(role, {"verdict": verdict.to_json(), "payload": BUILD})
        if role in self._gates:
            return await self._gates[role](request, bench)
        if role in DOMAIN_AGENTS:
            decided: AgentResponse = await getattr(deciding, role)(request, bench)
            return decided
        return succeeded(role, OUTPUTS[role])

    def as_runtimes(self) -> dict[str, Any]:
        return dict.fromkeys(("tool", "offline", "human"), self)


def failing_tests(*figures: int) -> Callable[[AgentRequest], AgentResponse]:
    """A test run that fails so many tests, round after round; the last figure stays."""
    left = list(figures)

    def answer(_: AgentRequest) -> AgentResponse:
        n = left.pop(0) if len(left) > 1 else left[0]
        tests: Json = {"total": 10, "passed": 10 - n, "failed": n, "skipped": 0, "coverage": 95.0 if n < 2 else 50.0}
        return succeeded("test-runner", {"tests": tests, "round": n})

    return answer


def fresh_build(request: AgentRequest) -> AgentResponse:
    payload = {**BUILD, "head_commit": str(len(request.context["proofs"])) * 40, "serial": next(SERIAL)}
    return succeeded("implementation-gate-check", {"verdict": check("I1", payload).to_json(), "payload": payload})
