"""The workspace on the pictures: a small team in the middle of a morning's work."""

from __future__ import annotations

from pathlib import Path

from core.contract import Json
from core.governance.decisions import Choice, make_decision
from core.store.schema import WorkItem
from core.store.transaction import Transaction
from tests.app.seeding import (
    HOUR,
    MINUTE,
    SECOND,
    Option,
    Question,
    SeededWorkspace,
    acknowledge,
    raise_question,
    seed_agents,
    seed_artifact,
    seed_counter,
    seed_delegation,
    seed_gate,
    seed_gate_question,
    seed_passed,
    seed_phase,
    seed_project,
    seed_running,
    seed_work_item,
    snooze,
)

READY: Json = {
    "business_context": "Finance re-types every report by hand each month, which takes a day and lets errors in.",
    "acceptance_criteria": [{"id": f"AC{n}", "text": f"criterion {n}"} for n in range(1, 5)],
    "risks": [{"id": "R1", "text": "Excel reads the file with the wrong encoding"}],
    "six_w": dict.fromkeys(("who", "what", "when", "where", "why", "how"), 0.85),
}
PLANNED: Json = {
    **READY,
    "tasks": [
        {"id": "T1", "title": "Write the exporter", "criteria": ["AC1", "AC2"], "estimate_hours": 2, "depends_on": []},
        {"id": "T2", "title": "Wire it up", "criteria": ["AC3", "AC4"], "estimate_hours": 1, "depends_on": ["T1"]},
    ],
    "mitigations": [{"risk": "R1", "plan": "Write a byte order mark, and test with a real spreadsheet"}],
    "order": ["T1", "T2"],
}
BUILT: Json = {
    "tasks": [{"id": "T1", "agent": "code-implementer", "commits": ["4f1c2d9"], "files": ["src/rowdown/tax.py"]}],
    "tests": {"updated": True, "passed": 41, "failed": 0},
    "feature_flags": {"needed": False, "added": []},
    "docs": {"updated": True, "files": ["README.md"]},
    "migrations": {"schema_changed": False, "created": []},
}
REVIEWED_SHORT: Json = {
    **READY,
    "tests": {"total": 42, "passed": 41, "failed": 1, "coverage": 84.2},
    "static": {"tools": [{"name": "ruff", "exit_code": 0}], "issues": 0},
    "security": {"tools": [{"name": "bandit", "exit_code": 0}], "findings": 0},
    "criteria": [{"id": f"AC{n}", "verified": n != 3, "evidence": "test"} for n in range(1, 5)],
}
THIN: Json = {
    "business_context": "Nice to have.",
    "acceptance_criteria": [{"id": "AC1", "text": "it prints JSON"}],
    "risks": [],
    "six_w": {"who": 0.2, "what": 0.9, "when": 0.1, "where": 0.6, "why": 0.3, "how": 0.5},
}


def busy(folder: Path) -> SeededWorkspace:
    """Seven work items in every state, six questions of every urgency, agents at work."""
    made = SeededWorkspace(folder)
    made.at(30 * HOUR, _registry)
    made.at(26 * HOUR, _finished)
    made.at(5 * HOUR, _proposed)
    made.at(3 * HOUR, _released)
    made.at(90 * MINUTE, _planning_decision)
    made.at(55 * MINUTE, _thin_request)
    made.at(18 * MINUTE, _short_review)
    made.at(74 * SECOND, _implementing)
    made.at(0, _attended)
    return made


def _registry(tx: Transaction) -> None:
    seed_agents(tx, {"code-implementer": "replay", "test-implementer": "replay"})
    seed_project(tx, "rowdown")
    seed_project(tx, "ledger")
    for agent, runs in _RUNS.items():
        seed_counter(tx, agent, runs, cost=0.21 if agent == "code-implementer" else 0.0)


_RUNS = {
    "intent-triage": 9, "context-assembler": 9, "problem-framer": 9, "value-articulator": 8, "risk-notary": 8,
    "ac-writer": 8, "definition-gate-check": 9, "decomposer": 6, "estimator": 6, "dependency-mapper": 6,
    "mitigation-planner": 6, "backlog-curator": 6, "planning-gate-check": 6, "pattern-applier": 11,
    "code-implementer": 10, "test-implementer": 9, "migration-author": 9, "doc-toucher": 9,
    "implementation-gate-check": 4, "static-analyzer": 5, "test-runner": 5, "threat-screener": 5, "ac-verifier": 5,
    "quality-gatekeeper": 5, "versioner": 2, "changelog-curator": 2, "technical": 7, "strategy": 2, "ux": 1,
    "evidence-writer": 31, "workflow-updater": 24, "decision-recorder": 10, "context-delivery": 9,
}  # fmt: skip


def _finished(tx: Transaction) -> None:
    item = seed_work_item(tx, "日本語 column titles are cut in the middle", kind="bug", project=1)
    seed_passed(tx, item, (("D1", 0.8), ("P1", 0.3), ("I1", 262), ("R1", 21), ("O1", 9), ("E1", 2.4)))
    tx.update(WorkItem, item, started_at=tx.now, released_at=tx.now, closed_at=tx.now, accepted_at=tx.now)
    tx.event("work_item.closed", work_item=item)


def _proposed(tx: Transaction) -> None:
    item = seed_work_item(tx, "Split rows.py, the most complex module", kind="chore", project=1, origin="evolution")
    tx.update(WorkItem, item, accepted_at=None)
    tx.event("work_item.proposed", work_item=item)


def _released(tx: Transaction) -> None:
    item = seed_work_item(tx, "Upgrade to Python 3.13", kind="chore", project=2)
    seed_passed(tx, item, (("D1", 0.7), ("P1", 0.2), ("I1", 148), ("R1", 33), ("O1", 12)))
    tx.update(WorkItem, item, released_at=tx.now)
    tx.event("work_item.released", work_item=item)
    raise_question(
        tx,
        Question(
            kind="scope",
            subject={"kind": "dependency_update"},
            question="Let technical decide dependency updates by itself? 24 of 25 were accepted as recommended.",
            urgency="WEEKLY",
            options=(
                Option("approve", "Approve", "technical decides; you see each decision in the briefing."),
                Option("reject", "Reject", "It goes on asking; the reason is kept, with a cool-down of 14 days."),
            ),
            recommended="approve",
            chain=("master-orchestrator", "technical"),
        ),
    )


def _planning_decision(tx: Transaction) -> None:
    item = seed_work_item(tx, "Sign in with a hardware key", project=2, impact=9)
    seed_phase(tx, item, "D1", "passed", 0.9)
    seed_gate(tx, item, "D1", READY)
    seed_phase(tx, item, "P1", None)
    make_decision(
        tx,
        Choice(
            agent="technical",
            kind="auth_scheme",
            question="Which scheme shall sign-in use: WebAuthn passkeys, or one-time codes by mail?",
            impact=9,
            options=(
                {
                    "key": "passkeys",
                    "label": "WebAuthn passkeys",
                    "consequence": "No shared secret to steal; browsers before 2021 are left out.",
                },
                {
                    "key": "codes",
                    "label": "One-time codes by mail",
                    "consequence": "Works everywhere; a stolen mailbox opens the account.",
                },
                {
                    "key": "both",
                    "label": "Both",
                    "consequence": "Twice the code and twice the tests: about 3 days more.",
                },
            ),
            recommended="passkeys",
            work_item=item,
            phase="P1",
            blocks="I1",
            chain=("master-orchestrator", "planning-orch", "decomposer"),
        ),
    )


def _thin_request(tx: Transaction) -> None:
    item = seed_work_item(tx, "Add --json to the report command", project=1, body="Would be nice to have.")
    seed_phase(tx, item, "D1", "blocked", 0.6)
    six = dict.fromkeys(("who", "what", "when", "where", "why", "how"), "text")
    asks = {"business_context": "text", "acceptance_criteria": "lines", "risks": "lines", **six}
    advice = {"ac-writer": "Say what the output holds for an empty report, and for an error."}
    seed_gate_question(tx, item, "D1", THIN, asks=asks, advice=advice)


def _short_review(tx: Transaction) -> None:
    item = seed_work_item(tx, "Round tax totals half to even", kind="bug", project=2)
    seed_passed(tx, item, (("D1", 0.9), ("P1", 0.2), ("I1", 131)))
    seed_gate(tx, item, "D1", READY)
    seed_gate(tx, item, "P1", PLANNED)
    seed_gate(tx, item, "I1", BUILT)
    seed_artifact(tx, item, "workitem.ready", "definition-orch", READY)
    seed_artifact(tx, item, "plan.snapshot", "planning-orch", PLANNED)
    seed_artifact(tx, item, "build.bundle", "implementation-orch", BUILT)
    for role, took in (("decomposer", 12), ("estimator", 3), ("dependency-mapper", 4), ("backlog-curator", 5)):
        seed_delegation(tx, item, "P1", role, runtime="offline", milliseconds=took)
    seed_delegation(tx, item, "I1", "code-implementer", subject="T1", runtime="human", milliseconds=88_000)
    seed_delegation(tx, item, "I1", "test-implementer", subject="T1", runtime="human", milliseconds=41_000)
    seed_phase(tx, item, "R1", "blocked", 19)
    seed_delegation(
        tx,
        item,
        "R1",
        "test-runner",
        milliseconds=17_400,
        evidence=[
            {
                "command": ["python", "-m", "pytest", "--cov=ledger", "-q"],
                "exit_code": 1,
                "tool": "pytest",
                "tool_version": "8.4.2",
                "output_tail": "FAILED tests/test_tax.py::test_half_to_even - assert Decimal('2.3') == Decimal('2.2')\n"
                "1 failed, 41 passed in 16.92s",
            }
        ],
    )
    seed_delegation(tx, item, "R1", "static-analyzer", milliseconds=840)
    seed_delegation(tx, item, "R1", "threat-screener", milliseconds=2_310)
    seed_delegation(tx, item, "R1", "ac-verifier", milliseconds=12, status="BLOCKED")
    findings = ("tests/test_tax.py::test_half_to_even: assert Decimal('2.3') == Decimal('2.2')",)
    seed_gate_question(tx, item, "R1", REVIEWED_SHORT, asks={"criteria": "map"}, findings=findings)


def _implementing(tx: Transaction) -> None:
    item = seed_work_item(tx, "Export reports as CSV", project=1, impact=5)
    seed_passed(tx, item, (("D1", 0.8), ("P1", 0.2)))
    seed_gate(tx, item, "D1", READY)
    seed_artifact(tx, item, "workitem.ready", "definition-orch", READY)
    seed_gate(tx, item, "P1", PLANNED)
    seed_artifact(tx, item, "plan.snapshot", "planning-orch", PLANNED)
    seed_phase(tx, item, "I1", None)
    for role in ("intent-triage", "context-assembler", "problem-framer", "value-articulator", "risk-notary"):
        seed_delegation(tx, item, "D1", role, runtime="offline", milliseconds=31)
    seed_delegation(tx, item, "I1", "pattern-applier", subject="T1", milliseconds=220)
    seed_delegation(tx, item, "I1", "code-implementer", subject="T1", runtime="replay", milliseconds=38_200)
    seed_delegation(tx, item, "I1", "test-implementer", subject="T1", runtime="replay", milliseconds=21_900)
    raise_question(
        tx,
        Question(
            kind="error",
            subject={"agent": "doc-toucher"},
            question="I1: doc-toucher (T1) failed: README.md has two sections called Usage",
            urgency="DAILY",
            options=(
                Option("retry", "Try again", "The failed step runs again; what is recorded is kept."),
                Option("stop", "Stop this work item", "It is cancelled; its branch is kept.", ends=True),
            ),
            recommended="retry",
            chain=("master-orchestrator", "implementation-orch", "doc-toucher"),
            work_item=item,
            phase="I1",
            round=1,
            details={"blocker": "README.md has two sections called Usage", "required_action": "Rename one of them."},
        ),
    )


def _attended(tx: Transaction) -> None:
    """One question is put away, one is seen; what runs, runs."""
    asked = raise_question(
        tx,
        Question(
            kind="budget",
            subject={"day": 1},
            question="Raise today's budget from $5 to $10? 4 work items wait for a model.",
            urgency="DAILY",
            options=(
                Option("raise", "Raise it", "Work goes on."),
                Option("keep", "Keep it", "They wait for tomorrow."),
            ),
            recommended="keep",
            chain=("master-orchestrator", "strategy"),
        ),
    )
    snooze(tx, asked, until=tx.now + 4 * HOUR, by="ada")
    seen = raise_question(
        tx,
        Question(
            kind="conflict",
            subject={"between": ["technical", "ux"]},
            question="technical wants tables drawn by the terminal, ux wants them in a browser: which one?",
            urgency="DAILY",
            options=(
                Option("technical", "In the terminal", "One code path."),
                Option("ux", "In a browser", "A second screen to keep alive."),
            ),
            recommended="technical",
            chain=("master-orchestrator", "ux"),
        ),
    )
    acknowledge(tx, seen, by="ada")
    seed_running(
        tx,
        [
            (7, "I1", "code-implementer", "T2", 12 * SECOND),
            (7, "I1", "migration-author", "T1", 2 * SECOND),
            (4, "P1", "dependency-mapper", "", 3 * SECOND),
        ],
    )
