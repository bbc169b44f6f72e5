"""The gate checks as agents: each judges its phase's payload by `gates.check` and hands on verdict and payload.

They are always code. The one of I1 computes its payload itself, from git and a real test run, so that nothing of a
build is taken on an agent's word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.agents.bench import Bench
from core.contract import AgentRequest, AgentResponse, Json, succeeded
from core.orchestration.gates import check
from core.phases import PHASE_BY_CODE, PHASES
from core.runtimes.functions import AgentFunction
from core.store.rows import GateResultRow

EVIDENCE_FROM: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "D1": {
        "business_context": ("value-articulator",),
        "acceptance_criteria": ("ac-writer",),
        "risks": ("risk-notary",),
        "six_w_confidence": ("problem-framer",),
    },
    "P1": {
        "tasks_cover_criteria": ("decomposer", "backlog-curator"),
        "estimates": ("estimator",),
        "dependencies": ("dependency-mapper",),
        "mitigations": ("mitigation-planner",),
    },
    "I1": {
        "tests": ("test-implementer",),
        "feature_flags": ("code-implementer",),
        "docs": ("doc-toucher",),
        "migrations": ("migration-author",),
    },
    "R1": {
        "criteria_verified": ("ac-verifier",),
        "tests_pass": ("test-runner",),
        "coverage": ("test-runner",),
        "static_analysis": ("static-analyzer",),
        "security": ("threat-screener",),
    },
    "O1": {
        "version_bumped": ("versioner",),
        "changelog_updated": ("changelog-curator",),
        "deployment": ("deploy-orchestrator",),
        "health": ("health-verifier",),
        "monitoring": ("health-verifier",),
    },
    "E1": {
        "telemetry_analyzed": ("signal-harvester", "insight-synthesizer"),
        "improvements": ("refactor-proposer",),
        "technical_debt": ("debt-registrar",),
        "backlog": ("refactor-proposer", "sunset-planner"),
    },
}
"""Whose recorded work proves which criterion."""

COMMAND_KEYS = ("command", "exit_code", "output_digest", "tool", "tool_version", "seconds")


def gate_functions() -> dict[str, AgentFunction]:
    """The six gate checks by role."""
    return {phase.gate_agent: _gate_of(phase.code) for phase in PHASES}


def _gate_of(phase: str) -> AgentFunction:
    async def judge(request: AgentRequest, bench: Bench) -> AgentResponse:
        payload: Json = dict(request.input_artifact)
        commands: list[Json] = []
        if phase == "I1":
            from core.agents.implementation import build_bundle

            payload, commands = await build_bundle(request, bench)
        gate = request.context["gate"]
        own = {"tests": [{"agent": "implementation-gate-check", **_shown(c)} for c in commands]} if commands else {}
        proofs = _proofs(phase, request.context.get("proofs", {}))
        verdict = check(
            phase,
            payload,
            thresholds=gate["thresholds"],
            not_applicable=gate["not_applicable"],
            loosened=gate["loosened"],
            evidence={name: [*proofs[name], *own.get(name, [])] for name in proofs},
        )
        role = next(p.gate_agent for p in PHASES if p.code == phase)
        answer: Json = {"verdict": verdict.to_json()}
        if phase == "I1" or not verdict.passed:
            # Otherwise it is handed on as the phase's artifact, and stands there.
            answer["payload"] = payload
        return succeeded(role, answer, evidence=list(commands))

    return judge


def _proofs(phase: str, recorded: Mapping[str, Sequence[Json]]) -> dict[str, list[Json]]:
    """Per criterion the recorded delegations that prove it, with the commands that they ran."""
    return {
        criterion: [proof for role in roles for proof in recorded.get(role, ())]
        for criterion, roles in EVIDENCE_FROM[phase].items()
    }


def proof_of(role: str, number: int, response: AgentResponse) -> list[Json]:
    """What a recorded delegation proves: its number, and each command with exit code and output digest."""
    commands = [_shown(c) for c in response.metadata.get("evidence", ())]
    base: Json = {"agent": role, "delegation": number, "status": response.status.value}
    return [{**base, **c} for c in commands] or [base]


def unproven(gates: Sequence[GateResultRow], phase: str) -> dict[str, int]:
    """The roles whose answers did not get the phase through its newest gate, and that gate's round.

    Such an answer does not serve again: the request may be the same, but what failed may be mended outside of it, in
    an interpreter, a service, a model's second try.
    """
    newest = next((g for g in reversed(gates) if g.phase == phase), None)
    if newest is None or newest.passed:
        return {}
    failing = [c["name"] for c in newest.criteria if not c["passed"]]
    roles = {role for name in failing for role in EVIDENCE_FROM[phase].get(name, ())}
    return dict.fromkeys((*roles, PHASE_BY_CODE[phase].gate_agent), newest.round)


def _shown(command: Json) -> Json:
    cut = {key: True for key in ("timed_out", "truncated") if command.get(key)}
    return {k: command[k] for k in COMMAND_KEYS if k in command} | cut
