"""The JSON that the commands print: one pure function for each documented shape. Keys here are an interface.

Moments are ISO 8601 in UTC with milliseconds, spans are seconds. Booleans are made such: the database has numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from core.contract import Json
from core.governance.asking import Said
from core.governance.authority import Kind
from core.governance.decisions import DecisionOutcome
from core.phases import PHASE_BY_CODE
from core.store import rows, states
from core.store.reads_spending import PhaseCost

ENDED = ("passed", "blocked", "failed", "sent_back", "void")
"""Outcomes of a round; a phase whose last round has none is ready, running or waiting."""


def moment(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def project(row: rows.ProjectRow) -> Json:
    return {
        "id": row.id,
        "name": row.name,
        "path": row.path,
        "target": row.target,
        "tech": row.tech,
        "settings": row.settings,
        "thresholds": row.thresholds,
        "added_at": moment(row.created_at),
    }


def work_item_line(item: rows.WorkItemRow) -> Json:
    """A row of `work-item list`."""
    facts = item.facts
    return {
        "id": item.id,
        "title": item.title,
        "type": item.type,
        "state": item.state,
        "phase": item.phase,
        "project": item.project,
        "questions": item.questions,
        "tags": facts.tags,
        "impact": facts.impact,
        "origin": facts.origin,
        "parent": facts.parent,
        "paused": facts.paused_at is not None,
        "until": facts.until,
        "branch": facts.branch,
        "created_at": moment(facts.created_at),
    }


def work_item(
    item: rows.WorkItemRow,
    artifacts: Iterable[rows.ArtifactRow],
    runs: Sequence[rows.PhaseRunRow],
    delegations: Iterable[rows.DelegationRow],
    escalations: Iterable[rows.EscalationRow],
) -> Json:
    """`work-item show`."""
    return {
        **work_item_line(item),
        "artifacts": [artifact(a) for a in artifacts],
        "phases": phases(item.cells, runs),
        "delegations": [delegation(d) for d in delegations],
        "escalations": sorted(e.id for e in escalations),
    }


def phases(cells: Iterable[rows.PhaseCell], runs: Sequence[rows.PhaseRunRow]) -> list[Json]:
    """The phases reached so far, in their order, each as its last round left it.

    A blocked phase stays `blocked` while its question waits: that it waits is what the work item's state says.
    """
    outcomes = {run.phase: run.outcome for run in runs}
    return [
        {
            "phase": cell.phase,
            "status": outcomes[cell.phase] if outcomes.get(cell.phase) in ENDED else cell.status,
            "attempt": cell.round,
            "seconds": None if cell.milliseconds is None else cell.milliseconds / 1000,
        }
        for cell in cells
        if cell.status
    ]


def cost(paid: Iterable[PhaseCost]) -> Json:
    """What calls of models came to; `dollars` lack the `unpriced` ones, of which no price is known."""
    all_ = list(paid)
    return {
        "calls": sum(c.calls for c in all_),
        "tokens": sum(c.tokens for c in all_),
        "dollars": round(sum(c.dollars for c in all_), 6),
        "unpriced": sum(c.unpriced for c in all_),
    }


def artifact(row: rows.ArtifactRow) -> Json:
    return {
        "type": row.type,
        "id": row.id,
        "digest": row.digest,
        "parent": row.parent,
        "producer": row.producer,
        "work_item": row.work_item,
    }


def delegation(row: rows.DelegationRow) -> Json:
    return {
        "agent": row.agent,
        "phase": row.phase,
        "status": row.status,
        "runtime": row.runtime,
        "seconds": row.milliseconds / 1000,
        "attempt": row.round,
        "subject": row.subject,
    }


def gates(results: Iterable[rows.GateResultRow]) -> list[Json]:
    """What each gate said last, in the order of the phases."""
    last = {(r.work_item, r.phase): r for r in results}
    order = list(PHASE_BY_CODE)
    return [
        {
            "work_item": r.work_item,
            "phase": r.phase,
            "passed": bool(r.passed),
            "attempt": r.round,
            "criteria": r.criteria,
            "missing": r.missing,
            "suggested_action": r.suggested_action,
        }
        for r in sorted(last.values(), key=lambda r: (r.work_item, order.index(r.phase)))
    ]


def escalation(row: rows.EscalationRow, answers: Sequence[rows.AnswerRow], now: int) -> Json:
    """`escalation show`, and a row of `escalation list`. `now` is in milliseconds."""
    given = [a for a in answers if a.undone_at is None and not a.late]
    return {
        "id": row.id,
        "kind": row.kind,
        "question": row.question,
        "urgency": row.urgency,
        "status": states.escalation_state(row, now),
        "raised_at": moment(row.raised_at),
        "due_at": moment(row.due_at),
        "count": row.count,
        "chain": row.chain,
        "work_item": row.work_item,
        "title": row.title,
        "phase": row.phase,
        "missing": row.missing,
        "options": row.options,
        "recommended": row.recommended,
        "resolution": resolution(given[-1]) if given else None,
        "overdue": states.is_overdue(row, now),
        "assigned_to": row.assigned_to,
        "snoozed_until": moment(row.snoozed_until),
        "acknowledged_by": row.acknowledged_by,
        "blocks": row.blocks,
        "details": row.details,
        "digest": row.payload_digest,
        "late_answers": [resolution(a) for a in answers if a.late],
        "undone_answers": [
            {**resolution(a), "undone_by": a.undone_by, "undone_at": moment(a.undone_at), "why": a.undo_reason}
            for a in answers
            if a.undone_at is not None
        ],
        "merged_into": row.merged_into,
        "reminders": row.reminders,
        "breaches": row.breaches,
        "next_at": moment(row.next_at),
        "expires_at": moment(row.expires_at),
        "note": row.note,
    }


def thread(said: Iterable[Said]) -> list[Json]:
    """What was asked back about a question and replied, the oldest first."""
    return [{**one.to_json(), "at": moment(one.at)} for one in said]


def resolution(answer: rows.AnswerRow) -> Json:
    return {
        "option": answer.option,
        "answer": answer.answer,
        "reason": answer.reason,
        "by": answer.by,
        "at": moment(answer.at),
        "provenance": answer.provenance,
    }


def decision(outcome: DecisionOutcome) -> Json:
    """`decide`."""
    return {
        "outcome": outcome.outcome,
        "decision": outcome.decision,
        "escalation": outcome.escalation,
        "rule": outcome.rule,
        "choice": outcome.choice,
    }


def decision_line(row: rows.DecisionRow) -> Json:
    return {
        "id": row.id,
        "agent": row.agent,
        "kind": row.kind,
        "question": row.question,
        "outcome": row.outcome,
        "choice": row.choice,
        "impact": row.impact,
        "rule": row.rule,
        "provenance": row.provenance,
        "escalation": row.escalation,
        "phase": row.phase,
        "decided_by": row.decided_by,
        "reason": row.reason,
        "topic": row.topic,
        "conflict": row.conflict,
        "reverses": row.reverses,
        "reverted_at": moment(row.reverted_at),
    }


def agent_line(row: rows.AgentRow, counted: rows.CounterRow | None) -> Json:
    """A row of `agents list`: the agent, and what it has done since the workspace exists."""
    return {
        "role": row.role,
        "display_name": row.display_name,
        "tier": row.tier,
        "agent_type": row.agent_type,
        "phase": row.phase,
        "capabilities": row.capabilities,
        "runtime": row.runtime,
        "is_active": bool(row.is_active),
        "technologies": row.technologies,
        "serves": row.serves,
        "origin": row.origin,
        "metrics": metrics(counted),
    }


def agent(row: rows.AgentRow, counted: rows.CounterRow | None) -> Json:
    """`agents show`; `authority` and `context` are added for the domain agents."""
    phase = PHASE_BY_CODE.get(row.phase or "")
    return {
        **agent_line(row, counted),
        "description": row.description,
        "model": row.model,
        "outward": bool(row.outward),
        "tools": row.tools,
        "selection": row.selection,
        "skill": bool(row.skill),
        "file_path": row.file_path,
        "generated_at": moment(row.generated_at),
        "sop": row.sop_content,
        "gate": phase.gate_agent if phase else None,
    }


def metrics(counted: rows.CounterRow | None) -> Json:
    c = counted or rows.CounterRow("", 0, 0, 0, 0, 0.0, 0)
    return {
        "runs": c.runs,
        "failures": c.failures,
        "success_rate": (c.runs - c.failures) / c.runs if c.runs else None,
        "seconds": c.milliseconds / 1000,
        "tokens": c.tokens,
        "cost": round(c.cost, 6),
        "last_used_at": moment(c.last_at or None),
    }


def authority(kinds: Iterable[Kind]) -> Json:
    """A domain agent's kinds of decision by the mode in force."""
    found: dict[str, list[Json]] = {"autonomous": [], "escalate": []}
    for kind in kinds:
        found[kind.mode].append(
            {"key": kind.key, "title": kind.title, "impact": kind.impact, "reversible": bool(kind.reversible)}
        )
    return dict(found)


def event(row: rows.EventRow) -> Json:
    """A row of `audit tail`."""
    return {"seq": row.seq, "at": moment(row.at), "kind": row.kind, "work_item": row.work_item, "payload": row.payload}


def run_report(
    work_items: Sequence[Json],
    gate_results: Iterable[rows.GateResultRow],
    seconds: float,
    more: Mapping[str, Any] | None = None,
) -> Json:
    """`run` and `demo`. `work_items` have the shape of `work-item show`."""
    return {
        "work_items": list(work_items),
        "gates": gates(gate_results),
        "artifacts": [a for item in work_items for a in item["artifacts"]],
        "seconds": round(seconds, 3),
        **(more or {}),
    }
