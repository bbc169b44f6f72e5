"""A person takes back what an agent or a rule decided. Both decisions stay on the record; the later names the first.

A reversal of what an agent decided by its authority proposes at once that this authority ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.contract import UsageError, canonical_json
from core.governance import authority
from core.governance.cohorts import cohort_of
from core.governance.decisions import UNLISTED
from core.governance.persons import named_person
from core.governance.scope.analysis import Surroundings
from core.governance.scope.grounds import Grounds, read_kind, read_standing
from core.governance.scope.proposing import Draft, draft, put, supersede, surroundings
from core.governance.scope.records import is_by_authority
from core.governance.scope.requests import ASKED_FOR
from core.governance.scope.review import window_from
from core.governance.scope.suggestions import CONTRACTION, Suggestion, suggest
from core.sanitise import one_line
from core.store import reads, reads_governance
from core.store.reads import Connection
from core.store.rows import DecisionRow
from core.store.rows_governance import ScopeProposalRow
from core.store.schema import Decision
from core.store.transaction import Transaction

MOST_WORDS = 2_000


def reverse(tx: Transaction, decision: int, *, by: str, reason: str, choice: str | None = None) -> int:
    """Take a decision back, in favour of another of its options or of none; the number of the person's decision.

    Raises UsageError when `by` is no person or gives no reason, when the decision waits, is taken back already or is a
    person's own, and when `choice` is none of its options or the one that was taken.
    """
    person, why = named_person(tx, by), one_line(reason, MOST_WORDS)
    row = _reversible(tx, decision)
    if not why:
        raise UsageError(f"Decision {decision}: say why it is taken back.")
    _check_choice(row, choice)
    is_own = is_by_authority(tx, decision)
    number = _insert(tx, row, person, why, choice)
    tx.update(Decision, decision, reverted_at=tx.now, reverted_by=person, revert_reason=why)
    tx.event("decision.reversed", work_item=row.work_item, decision=decision, by=person, choice=choice, instead=number)
    if is_own:
        _propose_contraction(tx, row)
    return number


def _reversible(reader: Connection, decision: int) -> DecisionRow:
    row = reads_governance.decision(reader, decision)
    if row is None:
        raise UsageError(f"There is no decision {decision}.")
    if row.reverted_at is not None:
        raise UsageError(f"Decision {decision} was taken back already by {one_line(row.reverted_by or '', 60)}.")
    if row.decided_at is None:
        where = f"escalation {row.escalation}" if row.escalation is not None else "a conflict"
        raise UsageError(f"Decision {decision} still waits for {where}; answer that instead.")
    dispute = None if row.conflict is None else reads_governance.conflict(reader, row.conflict)
    if dispute is not None and dispute.resolved_at is None:
        raise UsageError(f"Decision {decision} is in dispute; answer escalation {dispute.escalation} instead.")
    asked = None if row.escalation is None else reads.escalation(reader, row.escalation)
    if asked is not None and asked.merged_into is not None:
        raise UsageError(
            f"Decision {decision} was answered with escalation {asked.merged_into}; "
            f"`apm escalation undo {asked.merged_into}` takes that back."
        )
    if row.provenance == "human":
        undo = (
            f"`apm escalation undo {row.escalation}` takes the answer back"
            if row.escalation is not None
            else "decide anew with `apm decide`"
        )
        raise UsageError(f"Decision {decision} is a person's own; {undo}.")
    return row


def _check_choice(row: DecisionRow, choice: str | None) -> None:
    legal = [str(option["key"]) for option in row.options] or list(UNLISTED)
    if choice is not None and choice not in legal:
        raise UsageError(f"Decision {row.id} is between {', '.join(legal)}; {one_line(choice, 64)!r} is none of them.")
    if choice is not None and choice == row.choice:
        raise UsageError(f"Decision {row.id} is {choice!r} already; name another option, or none.")


def _insert(tx: Transaction, row: DecisionRow, person: str, why: str, choice: str | None) -> int:
    # With the same key, what a work item's agents raise again finds the person's word and not the agent's.
    [(key,)] = tx.sql("SELECT key FROM decisions WHERE id = ?", (row.id,))
    return tx.insert(
        Decision,
        agent=row.agent,
        kind=row.kind,
        question=row.question,
        choice=choice,
        options=canonical_json(row.options),
        recommended=row.recommended,
        impact=row.impact,
        tags=canonical_json(row.tags),
        outcome="decided",
        rule=f"reversal: decision {row.id} was taken back",
        provenance="human",
        cohort=row.cohort,
        work_item=row.work_item,
        phase=row.phase,
        context=canonical_json(row.context),
        key=key,
        at=tx.now,
        decided_at=tx.now,
        topic=row.topic,
        reverses=row.id,
        reason=why,
        decided_by=person,
    )


def _propose_contraction(tx: Transaction, row: DecisionRow) -> None:
    """Put it to a person whether the agent goes on deciding this; an undecided proposal of it is replaced."""
    since = window_from(tx, tx.now)
    elders = [
        p
        for p in reads_governance.scope_proposals(tx, undecided_only=True, agent=row.agent)
        if (p.kind, p.change) == (row.kind, CONTRACTION)
    ]
    known = next((kind for kind in authority.kinds(tx, row.agent) if kind.key == row.kind), None)
    cohort = cohort_of(tx, row.agent)
    kind = read_kind(tx, row.agent, row.kind, cohort, known, tx.now, since)
    kind = replace(kind, reversals=tuple(sorted({*kind.reversals, row.id})))
    standing = read_standing(tx, row.agent, tx.now, renewing=[elder.id for elder in elders])
    for found in suggest(Grounds(row.agent, cohort, (kind,), (), standing)).contractions:
        made = _succeeding(tx, elders, found, surroundings(tx, since))
        for elder in elders:
            supersede(tx, elder.id, by=f"decision {row.id}", why=f"decision {row.id} was taken back as well")
        tx.event("scope.proposed", proposal=put(tx, made), agent=row.agent, kind=row.kind, decision=row.id)


def _succeeding(
    reader: Connection, elders: Sequence[ScopeProposalRow], found: Suggestion, around: Surroundings
) -> Draft:
    """The proposal in the place of those: who asked for one of them, and what was asked about it, go along."""
    wished = next((elder.analysis[ASKED_FOR] for elder in elders if ASKED_FOR in elder.analysis), None)
    if wished is not None:
        found = replace(found, facts={**found.facts, ASKED_FOR: wished})
    made = draft(reader, found, around)
    unclear = next((elder for elder in elders if elder.clarification), None)
    return made if unclear is None else made.answering(unclear.clarification or "", unclear)
