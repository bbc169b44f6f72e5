"""Workspaces for the screen's tests, written through the store's own writes, under a clock that stands still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.contract import Json, canonical_json, digest_of
from core.governance.escalations import Option, Question, raise_question
from core.governance.life import acknowledge, snooze
from core.orchestration import gates
from core.orchestration.work_items import accept, create
from core.phases import PHASE_BY_CODE, PHASES
from core.store.schema import (
    Agent,
    Artifact,
    Counter,
    Delegation,
    Event,
    Evidence,
    GateResult,
    Lease,
    PhaseRun,
    Project,
    WorkItem,
)
from core.store.transaction import MS_PER_DAY, Transaction
from core.workspace import Workspace
from tests.fresh import fresh_store

MORNING = 1_772_443_800_000
"""2026-03-02 09:30 UTC, in milliseconds: when every seeded workspace is looked at."""
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


@dataclass
class Clock:
    """A clock that moves only when it is told to."""

    now: int = MORNING

    def __call__(self) -> int:
        return self.now


@dataclass
class SeededWorkspace:
    """A workspace that the tests write into, with the clock that its store reads."""

    folder: Path
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.state = self.folder / "state"
        self.store = fresh_store(self.state, synchronous="off", clock=self.clock)
        self.workspace = Workspace(self.folder, self.store)

    def close(self) -> None:
        self.store.close()

    def at(self, ago: int, work: Any) -> Any:
        """Write as if `ago` milliseconds before the morning."""
        self.clock.now = MORNING - ago
        try:
            return self.store.write_now(work)
        finally:
            self.clock.now = MORNING


OTHERS: Sequence[tuple[str, str, int]] = (
    ("context-delivery", "sub-agent", 3),
    ("evidence-writer", "utility", 3),
    ("workflow-updater", "utility", 3),
    ("decision-recorder", "utility", 3),
    ("technical", "domain", 3),
    ("strategy", "domain", 3),
    ("ux", "domain", 3),
    ("gtm", "domain", 3),
    ("python-specialist", "specialist", 3),
    ("sql-specialist", "specialist", 3),
    ("docker-specialist", "specialist", 3),
)


def seed_agents(tx: Transaction, runtimes: Mapping[str, str] | None = None) -> None:
    runtimes = runtimes or {}
    _agent(tx, "master-orchestrator", "orchestrator", 1, None, runtimes)
    for phase in PHASES:
        _agent(tx, phase.orchestrator, "orchestrator", 2, phase.code, runtimes)
    for phase in PHASES:
        for role in phase.roles:
            _agent(tx, role, "sub-agent", 3, phase.code, runtimes)
    for role, kind, tier in OTHERS:
        _agent(tx, role, kind, tier, None, runtimes)
    tx.event("agents.imported")


def _agent(tx: Transaction, role: str, kind: str, tier: int, phase: str | None, runtimes: Mapping[str, str]) -> None:
    tx.insert(
        Agent,
        role=role,
        display_name=role.replace("-", " ").title(),
        description=f"What {role} is for.",
        agent_type=kind,
        tier=tier,
        phase=phase,
        capabilities="[]",
        sop_content="",
        sop_digest="",
        runtime=runtimes.get(role, "tool"),
    )


def seed_project(tx: Transaction, name: str) -> int:
    number = tx.insert(
        Project,
        name=name,
        path=f"/projects/{name}",
        target="main",
        tech='{"languages":["python"]}',
        settings="{}",
        created_at=tx.now,
    )
    tx.event("project.added", project=number)
    return number


def seed_work_item(
    tx: Transaction, title: str, *, kind: str = "feature", project: int | None = None, **more: Any
) -> int:
    number = create(tx, title=title, type=kind, project=project, body=more.pop("body", ""), **more)
    accept(tx, number, by="ada")
    return number


def seed_phase(
    tx: Transaction, work_item: int, phase: str, outcome: str | None, seconds: float = 0.0, *, round_: int = 1
) -> None:
    """A round of a phase that began so many seconds before now and, with an outcome, ends now."""
    started = tx.now - int(seconds * SECOND)
    tx.insert(
        PhaseRun,
        work_item=work_item,
        phase=phase,
        round=round_,
        input_digest=digest_of([work_item, phase])[:32],
        started_at=started,
        ended_at=None if outcome is None else tx.now,
        outcome=outcome,
    )
    tx.event("phase.ended" if outcome else "phase.started", work_item=work_item, phase=phase)


def seed_passed(tx: Transaction, work_item: int, phases: Sequence[tuple[str, float]]) -> None:
    """Phases that passed one after the other in so many seconds each, the last of them just now."""
    ends = tx.now - sum(int(seconds * SECOND) for _, seconds in phases)
    for phase, seconds in phases:
        started, ends = ends, ends + int(seconds * SECOND)
        tx.insert(
            PhaseRun,
            work_item=work_item,
            phase=phase,
            round=1,
            input_digest=digest_of([work_item, phase])[:32],
            started_at=started,
            ended_at=ends,
            outcome="passed",
        )
        tx.event("phase.ended", work_item=work_item, phase=phase)


def seed_gate(tx: Transaction, work_item: int, phase: str, payload: Json, *, round_: int = 1) -> gates.GateVerdict:
    verdict = gates.check(phase, payload)
    tx.insert(
        GateResult,
        work_item=work_item,
        phase=phase,
        round=round_,
        passed=verdict.passed,
        criteria=canonical_json([c.to_json() for c in verdict.criteria]),
        missing=canonical_json(list(verdict.missing)),
        suggested_action=verdict.suggested_action,
        judged=canonical_json({"payload": digest_of(payload)}),
        at=tx.now,
    )
    tx.event("gate.judged", work_item=work_item, phase=phase, passed=verdict.passed)
    return verdict


def seed_gate_question(
    tx: Transaction,
    work_item: int,
    phase: str,
    payload: Json,
    *,
    asks: Mapping[str, str],
    findings: Sequence[str] = (),
    advice: Mapping[str, str] | None = None,
) -> int:
    """A gate that did not pass, and a question about it of the shape that the engine asks."""
    verdict = seed_gate(tx, work_item, phase, payload)
    spec = PHASE_BY_CODE[phase]
    failing = sum(not c.passed for c in verdict.criteria)
    return raise_question(
        tx,
        Question(
            kind="gate",
            subject={"phase": phase, "round": 1},
            question=f"{phase} {spec.title}: {failing} of {len(verdict.criteria)} criteria are not met. "
            f"{verdict.suggested_action}",
            urgency="DAILY",
            options=(
                Option("supply", "Supply what is missing", "The phase goes on with what you give it.", asks=asks),
                Option("retry", "Try again", "The phase runs again from where it stood; what is recorded is kept."),
                Option("stop", "Stop this work item", "It is cancelled; its branch is kept.", ends=True),
            ),
            recommended="supply",
            chain=("master-orchestrator", spec.orchestrator, spec.gate_agent),
            work_item=work_item,
            phase=phase,
            round=1,
            blocks=phase,
            missing=verdict.missing,
            details={
                "criteria": [c.to_json() for c in verdict.criteria],
                "suggested_action": verdict.suggested_action,
                "findings": list(findings),
                "agents": {role: {"suggestion": text} for role, text in (advice or {}).items()},
            },
        ),
    )


def seed_delegation(
    tx: Transaction,
    work_item: int,
    phase: str,
    agent: str,
    *,
    status: str = "SUCCESS",
    runtime: str = "tool",
    milliseconds: int = 40,
    subject: str = "",
    request: Json | None = None,
    response: Json | None = None,
    evidence: Sequence[Mapping[str, Any]] = (),
) -> int:
    asked = request or {
        "requesting_agent": PHASE_BY_CODE[phase].orchestrator,
        "input_artifact": {"title": "Export reports as CSV"},
        "context": {"work_item": {"id": work_item}},
        "expected_output": agent,
    }
    answered = response or {
        "responding_agent": agent,
        "output_artifact": {"files": ["src/rowdown/export.py"]},
        "status": status,
        "metadata": {"seconds": milliseconds / 1000, "runtime": runtime},
    }
    seq = tx.next_seq
    number = tx.insert(
        Delegation,
        work_item=work_item,
        phase=phase,
        round=1,
        agent=agent,
        subject=subject,
        status=status,
        runtime=runtime,
        request_digest=digest_of(asked)[:32],
        at=tx.now,
        milliseconds=milliseconds,
        event=seq,
    )
    for item in evidence:
        tx.insert(
            Evidence,
            work_item=work_item,
            delegation=number,
            agent=agent,
            command=canonical_json(list(item["command"])),
            cwd=item.get("cwd", "."),
            exit_code=item.get("exit_code", 0),
            output_digest=digest_of(item.get("output_tail", "")),
            output_tail=item.get("output_tail", ""),
            tool=item.get("tool", ""),
            tool_version=item.get("tool_version", ""),
            at=tx.now,
            milliseconds=milliseconds,
        )
    tx.event("delegation.recorded", work_item=work_item, request=asked, response=answered)
    return number


def seed_artifact(tx: Transaction, work_item: int, kind: str, producer: str, content: Json) -> str:
    parent = tx.rows(Artifact.select(Artifact.digest).where(Artifact.work_item == work_item).order_by(Artifact.id))
    digest = digest_of({"type": kind, "content": content})
    tx.insert(
        Artifact,
        work_item=work_item,
        type=kind,
        digest=digest,
        parent=parent[-1][0] if parent else None,
        producer=producer,
        content=canonical_json(content),
        at=tx.now,
    )
    tx.event("artifact.stored", work_item=work_item, type=kind)
    return digest


def seed_counter(tx: Transaction, agent: str, runs: int, *, cost: float = 0.0, failures: int = 0) -> None:
    day = MORNING // MS_PER_DAY
    tx.execute(Counter.insert(agent=agent, day=day, runs=runs, failures=failures, milliseconds=0, tokens=0, cost=cost))


def seed_running(tx: Transaction, delegations: Sequence[tuple[int, str, str, str, int]]) -> None:
    """Another process drives: delegations as (work item, phase, agent, subject, running for so many ms)."""
    live = {
        "work_items": sorted({d[0] for d in delegations}),
        "delegations": [
            {"work_item": w, "phase": p, "agent": a, "subject": s, "since": MORNING - ago}
            for w, p, a, s, ago in delegations
        ],
    }
    tx.execute(
        Lease.insert(name="engine", holder="seed", pid=1, fence=1, heartbeat_at=MORNING, live=canonical_json(live))
    )


__all__ = [
    "HOUR",
    "MINUTE",
    "MORNING",
    "SECOND",
    "Clock",
    "Event",
    "Option",
    "Question",
    "SeededWorkspace",
    "WorkItem",
    "acknowledge",
    "raise_question",
    "seed_agents",
    "seed_artifact",
    "seed_counter",
    "seed_delegation",
    "seed_gate",
    "seed_gate_question",
    "seed_passed",
    "seed_phase",
    "seed_project",
    "seed_running",
    "seed_work_item",
    "snooze",
]
