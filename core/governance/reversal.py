"""A person takes back what an agent or a rule decided, or a person's answer that work has gone on from.

Both decisions stay on the record; the later names the first. A reversal of what an agent decided by its authority
proposes at once that this authority ends. A reversal may be taken back in its turn: then the first holds again, as if
nothing had been said against it, and what was proposed because of it is withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.contract import UsageError, canonical_json
from core.governance import authority, life
from core.governance.cohorts import cohort_of
from core.governance.decisions import UNLISTED
from core.governance.persons import named_person, stated_in_a_line
from core.governance.scope.analysis import Surroundings
from core.governance.scope.grounds import Grounds, KindGrounds, read_kind, read_standing
from core.governance.scope.proposing import Draft, draft, put, supersede, surroundings
from core.governance.scope.records import is_by_authority
from core.governance.scope.requests import ASKED_FOR, requested
from core.governance.scope.review import window_from
from core.governance.scope.suggestions import CONTRACTION, Suggestion, suggest
from core.sanitise import one_line
from core.store import reads, reads_governance
from core.store.reads import Connection
from core.store.rows import DecisionRow
from core.store.rows_governance import ScopeProposalRow
from core.store.schema import Decision
from core.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Reversed:
    """The decision that holds now, and the scope proposals that were withdrawn with the reversal that is taken back."""

    decision: int
    withdrawn: tuple[int, ...] = ()


def reverse(tx: Transaction, decision: int, *, by: str, reason: str, choice: str | None = None) -> Reversed:
    """Take a decision back, in favour of another of its options or of none; a reversal in favour of what it took back,
    unless another option is named.

    Raises UsageError when `by` is no person or gives no reason, when the decision waits, is taken back already or is a
    person's answer that can be undone, and when `choice` is none of its options or the one that was taken.
    """
    person, why = named_person(tx, by), stated_in_a_line(reason)
    row = reversible(tx, decision)
    if not why:
        raise UsageError(f"Decision {decision}: say why it is taken back.")
    _check_choice(row, choice)
    elder = None if row.reverses is None else reads_governance.decision(tx, row.reverses)
    tx.update(Decision, decision, reverted_at=tx.now, reverted_by=person, revert_reason=why)
    if elder is not None and choice in (None, elder.choice):
        return _restore(tx, row, elder, person)
    is_own = is_by_authority(tx, decision)
    number = _insert(tx, row, person, why, choice)
    tx.event("decision.reversed", work_item=row.work_item, decision=decision, by=person, choice=choice, instead=number)
    if is_own:
        _propose_contraction(tx, row)
    return Reversed(number)


def _restore(tx: Transaction, row: DecisionRow, elder: DecisionRow, person: str) -> Reversed:
    """Let what this reversal took back hold again."""
    tx.update(Decision, elder.id, reverted_at=None, reverted_by=None, revert_reason=None)
    named = [p for p in _contractions(tx, elder) if elder.id in p.analysis.get("reversals", ())]
    for proposal in named:
        supersede(tx, proposal.id, by=f"decision {elder.id}", why=f"decision {elder.id} holds again")
    withdrawn = tuple(proposal.id for proposal in named)
    facts = {"decision": row.id, "by": person, "choice": elder.choice, "instead": elder.id}
    tx.event("decision.reversed", work_item=row.work_item, **facts, withdrawn=list(withdrawn))
    for proposal in named:
        _propose_rest(tx, elder, proposal)
    return Reversed(elder.id, withdrawn)


def reversible(tx: Connection, decision: int) -> DecisionRow:
    """The decision, if it can be taken back. Raises UsageError where it cannot, saying what can be done instead."""
    row = reads_governance.decision(tx, decision)
    if row is None:
        raise UsageError(f"There is no decision {decision}.")
    if row.reverted_at is not None:
        raise UsageError(f"Decision {decision} was taken back already by {one_line(row.reverted_by or '', 60)}.")
    if row.decided_at is None:
        where = f"escalation {row.escalation}" if row.escalation is not None else "a conflict"
        raise UsageError(f"Decision {decision} still waits for {where}; answer that instead.")
    dispute = None if row.conflict is None else reads_governance.conflict(tx, row.conflict)
    if dispute is not None and dispute.resolved_at is None:
        raise UsageError(f"Decision {decision} is in dispute; answer escalation {dispute.escalation} instead.")
    _check_not_undone_instead(tx, row, dispute.escalation if dispute is not None else row.escalation)
    return row


def _check_not_undone_instead(tx: Connection, row: DecisionRow, escalation: int | None) -> None:
    """A person's answer, and one that several questions share, is undone where it can be: then it is asked anew."""
    asked = None if escalation is None else reads.escalation(tx, escalation)
    shared = None if asked is None or asked.merged_into is None else reads.escalation(tx, asked.merged_into)
    answered = shared or asked
    if answered is None or (shared is None and row.provenance != "human") or life.hindrance(tx, answered):
        return
    what = "is a person's own" if shared is None else f"was answered with escalation {answered.id}"
    raise UsageError(f"Decision {row.id} {what}; `apm escalation undo {answered.id}` takes that back.")


def options(row: DecisionRow) -> dict[str, str]:
    """What a decision is between: the words of each option, by its key."""
    found = {str(option["key"]): str(option.get("label", option["key"])) for option in row.options}
    return found or {key: key for key in UNLISTED}


def _check_choice(row: DecisionRow, choice: str | None) -> None:
    legal = options(row)
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


def _contractions(reader: Connection, row: DecisionRow) -> list[ScopeProposalRow]:
    """Undecided proposals to end the authority that the decision was made by."""
    found = reads_governance.scope_proposals(reader, undecided_only=True, agent=row.agent)
    return [p for p in found if (p.kind, p.change) == (row.kind, CONTRACTION)]


def _propose_contraction(tx: Transaction, row: DecisionRow) -> None:
    """Put it to a person whether the agent goes on deciding this; an undecided proposal of it is replaced."""
    elders = _contractions(tx, row)
    kind = _kind(tx, row)
    for made in _drafts(tx, replace(kind, reversals=tuple(sorted({*kind.reversals, row.id}))), row, elders):
        for elder in elders:
            supersede(tx, elder.id, by=f"decision {row.id}", why=f"decision {row.id} was taken back as well")
        tx.event("scope.proposed", proposal=put(tx, made), agent=row.agent, kind=row.kind, decision=row.id)


def _propose_rest(tx: Transaction, row: DecisionRow, elder: ScopeProposalRow) -> None:
    """What a withdrawn proposal stood on besides this decision: other reversals, and a person's wish."""
    kind, wish = _kind(tx, row), elder.analysis.get(ASKED_FOR)
    left = {*kind.reversals, *elder.analysis["reversals"]} - {row.id}
    if not left and wish is None:
        return
    made = _drafts(tx, replace(kind, reversals=tuple(sorted(left))), row, [elder])
    if not made and wish is not None:
        since = window_from(tx, tx.now)
        asked = requested(tx, row.agent, row.kind, CONTRACTION, wish, tx.now, since)
        made = [] if asked is None else [_succeeding(tx, [elder], asked, surroundings(tx, since))]
    for one in made:
        tx.event("scope.proposed", proposal=put(tx, one), agent=row.agent, kind=row.kind, decision=row.id)


def _kind(reader: Transaction, row: DecisionRow) -> KindGrounds:
    known = next((kind for kind in authority.kinds(reader, row.agent) if kind.key == row.kind), None)
    since = window_from(reader, reader.now)
    return read_kind(reader, row.agent, row.kind, cohort_of(reader, row.agent), known, reader.now, since)


def _drafts(
    reader: Transaction, kind: KindGrounds, row: DecisionRow, elders: Sequence[ScopeProposalRow]
) -> list[Draft]:
    """The contractions that these figures suggest, in the place of those proposals."""
    standing = read_standing(reader, row.agent, reader.now, renewing=[elder.id for elder in elders])
    grounds = Grounds(row.agent, cohort_of(reader, row.agent), (kind,), (), standing)
    around = surroundings(reader, window_from(reader, reader.now))
    return [_succeeding(reader, elders, found, around) for found in suggest(grounds).contractions]


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
