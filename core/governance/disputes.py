"""Decisions of a work item, held against each other: two owners who want different things on one topic differ.

A rule settles it only where both sides decided by their own authority. What a person decided, or has to, stays theirs.
"""

from __future__ import annotations

from core.governance.conflicts import NEITHER, ConflictRules, Dispute, follow, raise_conflict, same_topic, wanted
from core.governance.decisions import Choice, DecisionOutcome, make_decision
from core.governance.escalations import withdraw
from core.governance.holding import held_by_all
from core.store import reads, reads_governance, rows, states
from core.store.reads import build, select
from core.store.rows_governance import ConflictRow
from core.store.schema import Decision
from core.store.transaction import Transaction


def decide(tx: Transaction, choice: Choice, rules: ConflictRules) -> DecisionOutcome:
    """Decide or escalate, as `make_decision`, then look for another owner's decision that says otherwise.

    A rule that settles the difference gives both decisions what the winner wants. Where none does, or where one of
    the two is a person's, one question about the conflict takes the place of theirs.
    """
    outcome = make_decision(tx, choice, rules.first)
    own = reads_governance.decision(tx, outcome.decision)
    if own is None or own.conflict is not None or own.reverses is not None or not choice.topic:
        return outcome
    others = _others(tx, own)
    waiting = next((c for d in others if (c := _open_conflict(tx, d)) is not None), None)
    if waiting is not None:
        _join(tx, own, waiting)
        return outcome
    other = next((d for d in others if wanted(d) not in (wanted(own), NEITHER)), None)
    if other is not None:
        _dispute(tx, choice, other, own, rules)
    return outcome


def _others(tx: Transaction, own: rows.DecisionRow) -> list[rows.DecisionRow]:
    """Other owners' decisions on the same topic of the work item that stand."""
    query = select(rows.DecisionRow, Decision).where(
        (Decision.work_item == own.work_item)
        & (Decision.agent != own.agent)
        & (Decision.topic != "")
        & Decision.reverted_at.is_null()
    )
    found = build(rows.DecisionRow, Decision, tx.rows(query.order_by(Decision.id)))
    return [d for d in found if same_topic(d.topic, own.topic)]


def _open_conflict(tx: Transaction, decision: rows.DecisionRow) -> ConflictRow | None:
    found = None if decision.conflict is None else reads_governance.conflict(tx, decision.conflict)
    return found if found is not None and found.resolved_at is None else None


def _join(tx: Transaction, own: rows.DecisionRow, waiting: ConflictRow) -> None:
    """A further owner on a topic that is in dispute: what is answered to that holds for its decision too."""
    tx.update(Decision, own.id, conflict=waiting.id)
    tx.event("decision.disputed", work_item=own.work_item, conflict=waiting.id, decisions=[own.id])
    _replace_question(tx, own, waiting.escalation)


def _dispute(
    tx: Transaction, choice: Choice, other: rows.DecisionRow, own: rows.DecisionRow, rules: ConflictRules
) -> None:
    sides = (other, own)
    asked = [q for d in sides if (q := open_question(tx, d)) is not None]
    dispute = Dispute(
        between=(other.agent, own.agent),
        topic=choice.topic,
        impact=max(other.impact, own.impact),
        tags=tuple(sorted({*other.tags, *own.tags})),
        positions={d.agent: wanted(d) or "" for d in sides},
        work_item=own.work_item,
        phase=choice.phase,
        blocks=held_by_all(choice.blocks, *(q.blocks for q in asked)),
        chain=choice.chain,
        proposed=min(sides, key=lambda d: d.impact).agent,
        waits=_why_a_persons(sides),
    )
    made = raise_conflict(tx, dispute, rules)
    for decision in sides:
        tx.update(Decision, decision.id, conflict=made.conflict)
    found = reads_governance.conflict(tx, made.conflict)
    if made.winner is not None and found is not None:
        follow(tx, found, made.winner, by=made.rule, provenance="rule", reason=f"{made.winner} prevails: {made.rule}")
    tx.event("decision.disputed", work_item=own.work_item, conflict=made.conflict, decisions=[d.id for d in sides])
    for decision in sides:
        _replace_question(tx, decision, made.escalation)


def _why_a_persons(sides: tuple[rows.DecisionRow, rows.DecisionRow]) -> str:
    """Why no rule may settle the two; "" where one may."""
    for side in sides:
        if side.provenance == "human":
            return f"{side.kind} was decided by {side.decided_by}"
        if side.outcome == "escalated":
            return f"{side.kind} is a person's decision"
    for side, other in (sides, sides[::-1]):
        keys = {str(o["key"]) for o in side.options}
        if keys and wanted(other) not in keys:
            return f"{wanted(other)} is none of the options of {side.kind}"
    return ""


def _replace_question(tx: Transaction, decision: rows.DecisionRow, escalation: int | None) -> None:
    """The decision's own question goes, where the conflict is asked instead."""
    question = open_question(tx, decision)
    if question is not None and escalation is not None and question.merged_into is None:
        withdraw(tx, question.id, why=f"it is asked as the conflict in escalation {escalation}")


def open_question(tx: Transaction, decision: rows.DecisionRow) -> rows.EscalationRow | None:
    """The question that the decision waits for, by itself or merged into another, while nobody has answered it."""
    if decision.escalation is None or decision.decided_at is not None:
        return None
    row = reads.escalation(tx, decision.escalation)
    over = row is None or states.escalation_state(row, tx.now) in ("resolved", "withdrawn", "expired")
    return None if over else row
