"""Decisions of a work item, held against each other: two owners who want different things on one topic differ.

A rule settles it only where both sides decided by their own authority. What a person decided, or has to, stays theirs:
where the others are for something that it does not offer, it is not in dispute and keeps a question of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.governance.conflicts import (
    NEITHER,
    ConflictRules,
    Dispute,
    follow,
    is_asked,
    offered,
    raise_conflict,
    same_topic,
    wanted,
    wish,
)
from core.governance.decisions import DOMAIN_AGENTS, Choice, DecisionOutcome, make_decision
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
    if own is None or own.conflict is not None or own.reverses is not None or not own.topic:
        return outcome
    if own.agent not in DOMAIN_AGENTS:
        # Of no domain that there is: a person's from the start.
        return outcome
    others = _others(tx, own)
    waiting = next((c for d in others if (c := _open_conflict(tx, d)) is not None), None)
    if waiting is not None:
        if _can_join(own, waiting):
            _join(tx, choice, own, waiting, rules)
        return outcome
    # Nobody is for what a person reversed in favour of none.
    standing = [d for d in others if wanted(d) != NEITHER and (d.reverses is None or d.choice is not None)]
    # Whoever only follows an earlier answer is not the one to argue for it.
    other = min((d for d in standing if wanted(d) != wanted(own)), key=lambda d: wish(d) != wanted(d), default=None)
    if other is not None:
        _dispute(tx, choice, (other, own), _with_settled(tx, standing, own), rules)
    return outcome


def _others(tx: Transaction, own: rows.DecisionRow) -> list[rows.DecisionRow]:
    """Other owners' decisions on the same topic of the work item that stand, and could be in dispute with it."""
    query = select(rows.DecisionRow, Decision).where(
        (Decision.work_item == own.work_item)
        & Decision.agent.in_([agent for agent in DOMAIN_AGENTS if agent != own.agent])
        & (Decision.topic != "")
        & Decision.reverted_at.is_null()
    )
    found = build(rows.DecisionRow, Decision, tx.rows(query.order_by(Decision.id)))
    return [d for d in found if same_topic(d.topic, own.topic) and not _are_apart(d, own)]


def _are_apart(one: rows.DecisionRow, other: rows.DecisionRow) -> bool:
    """Whether one is a person's, and what the other is for is no answer to it: then each is asked by itself."""
    return any(
        a.outcome == "escalated" and wanted(b) not in (None, NEITHER, *offered(a))
        for a, b in ((one, other), (other, one))
    )


def _open_conflict(tx: Transaction, decision: rows.DecisionRow) -> ConflictRow | None:
    found = None if decision.conflict is None else reads_governance.conflict(tx, decision.conflict)
    return found if found is not None and is_asked(tx, found) else None


def _can_join(own: rows.DecisionRow, waiting: ConflictRow) -> bool:
    """Whether the conflict's answer can be this decision's: not where its agent is for something else there, or where
    a person has to decide it who may hear an answer that it does not offer."""
    said = waiting.positions.get(own.agent) or wanted(own)
    fits = own.outcome != "escalated" or set(waiting.positions.values()) <= {"", *offered(own)}
    return said == wanted(own) and fits


def _join(tx: Transaction, choice: Choice, own: rows.DecisionRow, waiting: ConflictRow, rules: ConflictRules) -> None:
    """A further owner on a topic in dispute: its position is asked about with theirs, and as grave as its own is."""
    asked = open_question(tx, own)
    joining = Dispute(
        between=(waiting.first, waiting.second),
        topic=waiting.topic,
        impact=own.impact,
        tags=tuple(own.tags),
        positions={own.agent: wanted(own) or ""},
        work_item=own.work_item,
        phase=choice.phase,
        blocks=held_by_all(choice.blocks, asked.blocks if asked is not None else ""),
        chain=choice.chain,
        waits=_why_a_persons((own,)),
    )
    raise_conflict(tx, joining, rules)
    tx.update(Decision, own.id, conflict=waiting.id)
    tx.event("decision.disputed", work_item=own.work_item, conflict=waiting.id, decisions=[own.id])
    _replace_question(tx, own, waiting.escalation)


def _with_settled(
    tx: Transaction, standing: Sequence[rows.DecisionRow], own: rows.DecisionRow
) -> list[rows.DecisionRow]:
    """All decisions on the topic that one answer has to hold for, with those that an earlier conflict settled."""
    settled = {d.conflict for d in standing if d.conflict is not None}
    together = [d for number in settled for d in reads_governance.decisions_of_conflict(tx, number)]
    found = {d.id: d for d in (*standing, *together, own) if d.reverted_at is None}
    return [found[number] for number in sorted(found)]


def _dispute(
    tx: Transaction,
    choice: Choice,
    between: tuple[rows.DecisionRow, rows.DecisionRow],
    everyone: Sequence[rows.DecisionRow],
    rules: ConflictRules,
) -> None:
    other, own = between
    asked = [q for d in everyone if (q := open_question(tx, d)) is not None]
    positions = {d.agent: wanted(d) or "" for d in between}
    positions = {**{d.agent: wish(d) or "" for d in everyone}, **positions}
    dispute = Dispute(
        between=(other.agent, own.agent),
        topic=own.topic,
        impact=max(d.impact for d in everyone),
        tags=tuple(sorted({tag for d in everyone for tag in d.tags})),
        positions=positions,
        work_item=own.work_item,
        phase=choice.phase,
        blocks=held_by_all(choice.blocks, *(q.blocks for q in asked)),
        chain=choice.chain,
        proposed=min(between, key=lambda d: d.impact).agent,
        waits=_why_a_persons(everyone) or (rules.otherwise if len(positions) > 2 else ""),
    )
    made = raise_conflict(tx, dispute, rules)
    for decision in everyone:
        tx.update(Decision, decision.id, conflict=made.conflict)
    found = reads_governance.conflict(tx, made.conflict)
    if made.winner is not None and found is not None:
        follow(tx, found, made.winner, by=made.rule, provenance="rule", reason=f"{made.winner} prevails: {made.rule}")
    tx.event("decision.disputed", work_item=own.work_item, conflict=made.conflict, decisions=[d.id for d in everyone])
    for decision in everyone:
        _replace_question(tx, decision, made.escalation)


def _why_a_persons(sides: Sequence[rows.DecisionRow]) -> str:
    """Why no rule may settle what they differ on; "" where one may."""
    for side in sides:
        if side.provenance == "human":
            return f"{side.kind} was decided by {side.decided_by}"
        if side.outcome == "escalated":
            return f"{side.kind} is a person's decision"
    for side in sides:
        strange = next((wanted(other) for other in sides if wanted(other) not in (NEITHER, *offered(side))), None)
        if strange is not None:
            return f"{strange} is none of the options of {side.kind}"
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
