"""Decisions of a work item, held against each other: two owners who want different things on one topic differ."""

from __future__ import annotations

from core.contract import PHASE_CODES
from core.governance.conflicts import ConflictRules, Dispute, follow, raise_conflict, same_topic, wanted
from core.governance.decisions import Choice, DecisionOutcome, make_decision
from core.governance.escalations import withdraw
from core.store import reads, reads_governance, rows, states
from core.store.reads import build, select
from core.store.schema import Decision
from core.store.writer import Transaction


def decide(tx: Transaction, choice: Choice, rules: ConflictRules) -> DecisionOutcome:
    """Decide or escalate, as `make_decision`, then look for another owner's decision that says otherwise.

    A rule that settles the difference gives both decisions what the winner wants. Where none does, or where one of
    the two is a person's to make, one question about the conflict takes the place of theirs.
    """
    outcome = make_decision(tx, choice, rules.first)
    own = reads_governance.decision(tx, outcome.decision)
    if own is None or own.conflict is not None or not choice.topic:
        return outcome
    other = next((d for d in _others(tx, own) if wanted(d) != wanted(own)), None)
    if other is not None:
        _dispute(tx, choice, other, own, rules)
    return outcome


def _others(tx: Transaction, own: rows.DecisionRow) -> list[rows.DecisionRow]:
    """Other owners' decisions on the same topic of the work item that stand and were not disputed yet."""
    query = select(rows.DecisionRow, Decision).where(
        (Decision.work_item == own.work_item)
        & (Decision.agent != own.agent)
        & (Decision.topic != "")
        & Decision.conflict.is_null()
        & Decision.reverted_at.is_null()
    )
    found = build(rows.DecisionRow, Decision, tx.rows(query.order_by(Decision.id)))
    return [d for d in found if same_topic(d.topic, own.topic)]


def _dispute(
    tx: Transaction, choice: Choice, other: rows.DecisionRow, own: rows.DecisionRow, rules: ConflictRules
) -> None:
    sides = (other, own)
    asked = {d.agent: open_question(tx, d) for d in sides}
    waits = next((f"{d.kind} is a person's decision" for d in sides if asked[d.agent] is not None), "")
    dispute = Dispute(
        between=(other.agent, own.agent),
        topic=f"{choice.topic}: {other.agent} is for {wanted(other)}, {own.agent} for {wanted(own)}",
        impact=max(other.impact, own.impact),
        tags=tuple(sorted({*other.tags, *own.tags})),
        positions={d.agent: wanted(d) or "" for d in sides},
        work_item=own.work_item,
        phase=choice.phase,
        blocks=_blocks(choice.blocks, *(q.blocks for q in asked.values() if q is not None)),
        chain=choice.chain,
        proposed=min(sides, key=lambda d: d.impact).agent,
        waits=waits,
    )
    made = raise_conflict(tx, dispute, rules)
    for decision in sides:
        tx.update(Decision, decision.id, conflict=made.conflict)
    found = reads_governance.conflict(tx, made.conflict)
    if made.winner is not None and found is not None:
        follow(tx, found, made.winner, by=made.rule, provenance="rule", reason=f"{made.winner} prevails: {made.rule}")
    tx.event("decision.disputed", work_item=own.work_item, conflict=made.conflict, decisions=[d.id for d in sides])
    for question in asked.values():
        if question is not None and made.escalation is not None:
            withdraw(tx, question.id, why=f"it is asked as the conflict in escalation {made.escalation}")


def open_question(tx: Transaction, decision: rows.DecisionRow) -> rows.EscalationRow | None:
    """The question that the decision waits for, while nobody has answered it."""
    if decision.escalation is None or decision.decided_at is not None:
        return None
    row = reads.escalation(tx, decision.escalation)
    over = row is None or states.escalation_state(row, tx.now) in ("resolved", "withdrawn", "expired", "merged")
    return None if over else row


def _blocks(*asked: str) -> str:
    """What waits for the conflict: a phase before a task, the earlier phase before the later one."""
    phases = [b for b in asked if b in PHASE_CODES]
    if phases:
        return min(phases, key=PHASE_CODES.index)
    tasks = sorted({b for b in asked if b})
    return tasks[0] if len(tasks) == 1 else "I1" if tasks else ""
