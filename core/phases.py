"""The six phases as data: who is asked, in which order, what each reads, what each may be told by a human.

`Step.reads` names the roles whose outputs an agent receives in `context["results"]`; `Step.asks` the keys of a
human's answer that it takes from `context["answers"]`. A request holds nothing else that changes, so an answer
that does not concern an agent leaves its request, and with it its journalled response, as it was.
"""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """One sub-agent's place in its phase."""

    agent: str
    reads: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    """Roles that must have ended in SUCCESS before this one is asked at all."""
    per_task: bool = False
    sees_commit: bool = False
    """Its answer depends on the branch's commit, which then is part of the request."""


class PhaseSpec(NamedTuple):
    """A phase: what arrives, what leaves, and its sub-agents; the agents of one group may run side by side."""

    code: str
    title: str
    orchestrator: str
    takes: str
    leaves: str
    groups: tuple[tuple[Step, ...], ...]
    gate_agent: str
    after_gate: tuple[Step, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for group in self.groups for step in group)

    @property
    def roles(self) -> tuple[str, ...]:
        """Every sub-agent of the phase in order, its gate check included."""
        return (*(s.agent for s in self.steps), self.gate_agent, *(s.agent for s in self.after_gate))


PHASES: tuple[PhaseSpec, ...] = (
    PhaseSpec(
        code="D1",
        title="Definition",
        orchestrator="definition-orch",
        takes="request.raw",
        leaves="workitem.ready",
        groups=(
            (Step("intent-triage", asks=("type", "domain", "complexity")),),
            (Step("context-assembler", reads=("intent-triage",)),),
            (
                Step(
                    "problem-framer",
                    reads=("intent-triage", "context-assembler"),
                    asks=("problem", "who", "what", "when", "where", "why", "how"),
                ),
            ),
            (
                Step("value-articulator", reads=("problem-framer",), asks=("business_context", "value")),
                Step("risk-notary", reads=("context-assembler", "problem-framer"), asks=("risks",)),
            ),
            (Step("ac-writer", reads=("problem-framer",), asks=("acceptance_criteria",)),),
        ),
        gate_agent="definition-gate-check",
    ),
    PhaseSpec(
        code="P1",
        title="Planning",
        orchestrator="planning-orch",
        takes="workitem.ready",
        leaves="plan.snapshot",
        groups=(
            (Step("decomposer", asks=("tasks",)),),
            (
                Step("estimator", reads=("decomposer",), asks=("estimates",)),
                Step("dependency-mapper", reads=("decomposer",), asks=("depends_on",)),
                Step("mitigation-planner", reads=("decomposer",), asks=("mitigations",)),
            ),
            (Step("backlog-curator", reads=("decomposer", "estimator", "dependency-mapper", "mitigation-planner")),),
        ),
        gate_agent="planning-gate-check",
    ),
    PhaseSpec(
        code="I1",
        title="Implementation",
        orchestrator="implementation-orch",
        takes="plan.snapshot",
        leaves="build.bundle",
        groups=(
            (Step("pattern-applier", per_task=True),),
            (Step("code-implementer", reads=("pattern-applier",), per_task=True),),
            (
                Step(
                    "test-implementer",
                    reads=("pattern-applier", "code-implementer"),
                    requires=("code-implementer",),
                    per_task=True,
                ),
            ),
            (
                Step(
                    "migration-author",
                    reads=("code-implementer", "test-implementer"),
                    asks=("migrations",),
                    requires=("code-implementer",),
                    per_task=True,
                ),
                Step(
                    "doc-toucher",
                    reads=("code-implementer", "test-implementer"),
                    asks=("docs",),
                    requires=("code-implementer",),
                    per_task=True,
                ),
            ),
        ),
        gate_agent="implementation-gate-check",
    ),
    PhaseSpec(
        code="R1",
        title="Review & Test",
        orchestrator="review-test-orch",
        takes="build.bundle",
        leaves="review.approved",
        groups=(
            (
                Step("static-analyzer", sees_commit=True),
                Step("test-runner", sees_commit=True),
                Step("threat-screener", sees_commit=True),
            ),
            (Step("ac-verifier", reads=("test-runner",), asks=("criteria",), sees_commit=True),),
        ),
        gate_agent="quality-gatekeeper",
    ),
    PhaseSpec(
        code="O1",
        title="Release & Operations",
        orchestrator="release-ops-orch",
        takes="review.approved",
        leaves="release.deployed",
        groups=(
            (Step("versioner", asks=("version",)),),
            (Step("changelog-curator", reads=("versioner",), requires=("versioner",)),),
            (
                Step(
                    "deploy-orchestrator",
                    reads=("versioner", "changelog-curator"),
                    asks=("deployment",),
                    requires=("versioner", "changelog-curator"),
                ),
            ),
            (
                Step(
                    "health-verifier",
                    reads=("versioner", "deploy-orchestrator"),
                    requires=("deploy-orchestrator",),
                ),
            ),
        ),
        gate_agent="operability-gatecheck",
        after_gate=(
            Step("incident-scribe", reads=("versioner", "changelog-curator", "deploy-orchestrator", "health-verifier")),
        ),
    ),
    PhaseSpec(
        code="E1",
        title="Evolution",
        orchestrator="evolution-orch",
        takes="telemetry.snapshot",
        leaves="evolution.backlog_delta",
        groups=(
            (Step("signal-harvester"),),
            (
                Step("insight-synthesizer", reads=("signal-harvester",)),
                Step("debt-registrar", reads=("signal-harvester",)),
            ),
            (
                Step("refactor-proposer", reads=("insight-synthesizer", "debt-registrar"), asks=("improvements",)),
                Step("sunset-planner", reads=("insight-synthesizer", "debt-registrar"), asks=("sunset",)),
            ),
        ),
        gate_agent="evolution-gate-check",
    ),
)

PHASE_BY_CODE = {phase.code: phase for phase in PHASES}
PHASE_OF_ROLE = {role: phase.code for phase in PHASES for role in (phase.orchestrator, *phase.roles)}
