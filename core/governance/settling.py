"""What an answer settles besides its question, and what taking it back leaves unsettled again.

A decision that waited has its choice; a conflict has its winner; a budget has its limit; an authority that the team's
files and a person see differently is one or the other.
"""

from __future__ import annotations

from core.contract import UsageError
from core.governance import authority
from core.store import reads_governance
from core.store.rows import EscalationRow
from core.store.schema import Decision as DecisionTable
from core.store.schema import DecisionKind
from core.store.transaction import Transaction

KEEP, FOLLOW = "keep", "follow-file"
"""The answers: the grant stays in force, or what the files say takes its place."""

LIMIT = "budget"
"""The key of a question's details under which stands what was used up. A question about money in general has none."""
DETAIL = "authority"
"""The key of a question's details under which the grant and the files' word stand, as `core.governance.team` has it."""


def settle(tx: Transaction, row: EscalationRow, option: str, *, by: str, provenance: str, reason: str) -> None:
    """The decisions or the conflict that waited for this answer. The caller's next event carries it."""
    if row.kind == "decision":
        said = {"choice": option, "provenance": provenance, "decided_by": by, "reason": reason, "decided_at": tx.now}
        for decision in reads_governance.decisions_of_escalation(tx, row.id):
            if decision.decided_at is None:
                tx.update(DecisionTable, decision.id, **said)
    elif row.kind == "conflict":
        # Conflicts are raised as questions, so that module stands above the one that answers them.
        from core.governance.conflicts import settle_conflict

        found = reads_governance.conflict_of_escalation(tx, row.id)
        if found is not None and found.resolved_at is None:
            settle_conflict(tx, row, option, by=by, provenance=provenance, reason=reason)
    elif row.kind == "budget" and LIMIT in row.details:
        from core.governance.budget_questions import settle_budget

        settle_budget(tx, row, option, by=by, reason=reason)


def settle_alike(tx: Transaction, row: EscalationRow, option: str) -> None:
    """Close the questions that this answer has answered too. Writes events of its own."""
    if row.kind == "budget" and LIMIT in row.details:
        from core.governance.budget_questions import release_others

        release_others(tx, row, option)


def unsettle(tx: Transaction, row: EscalationRow, *, by: str, reason: str) -> None:
    """Take back what the answer to this question settled. Raises UsageError when others have built on it."""
    if row.kind == "decision":
        nothing = {"choice": None, "provenance": None, "decided_by": None, "reason": "", "decided_at": None}
        for decision in reads_governance.decisions_of_escalation(tx, row.id):
            tx.update(DecisionTable, decision.id, **nothing)
    elif row.kind == "conflict":
        from core.governance.conflicts import unsettle_conflict

        unsettle_conflict(tx, row)
    elif row.kind == "budget" and LIMIT in row.details:
        from core.governance.budget_questions import unsettle_budget

        unsettle_budget(tx, row, by=by, reason=reason)
    elif row.kind == "scope" and DETAIL in row.details:
        _grant_back(tx, row, by=by, reason=reason)


def settle_authority(tx: Transaction, row: EscalationRow, option: str, *, by: str, reason: str) -> None:
    """Put in force what the files say, where that is the answer. Writes its own event.

    Raises UsageError when the grant that was asked about is not the newest any more.
    """
    asked = row.details.get(DETAIL)
    if row.kind != "scope" or asked is None or option != FOLLOW:
        return
    agent, kind = asked["agent"], asked["kind"]
    newest = authority.granted(tx, agent, kind)
    if newest is None or newest.id != asked["grant"]:
        raise UsageError(
            f"Escalation {row.id}: {agent}'s authority over {kind} was granted anew since this was asked, so the files "
            f"are no answer to it any more; answer {KEEP!r}, or grant what you want."
        )
    authority.grant(tx, agent, kind, asked["mode"], by=by, reason=reason or "as agents.yaml says")
    if asked["says"] == "absent":
        _set_active(tx, agent, kind, active=False)
        tx.event("authority.kind_retired", agent=agent, kind=kind)


def _grant_back(tx: Transaction, row: EscalationRow, *, by: str, reason: str) -> None:
    """The grant that the files took the place of is given again, as a grant of its own."""
    asked = row.details[DETAIL]
    agent, kind = asked["agent"], asked["kind"]
    newest = authority.granted(tx, agent, kind)
    if newest is None or newest.id == asked["grant"]:
        return
    if newest.mode != asked["mode"] or newest.at != row.resolved_at:
        raise UsageError(
            f"Escalation {row.id}: {agent}'s authority over {kind} was granted anew since it was answered; "
            "grant what you want instead."
        )
    if asked["says"] == "absent":
        _set_active(tx, agent, kind, active=True)
    authority.grant(tx, agent, kind, asked["granted"], by=by, reason=reason or f"escalation {row.id} undone")


def _set_active(tx: Transaction, agent: str, kind: str, *, active: bool) -> None:
    where = (DecisionKind.agent == agent) & (DecisionKind.key == kind)
    for found in tx.rows(DecisionKind.select(DecisionKind.id).where(where & (DecisionKind.is_active != active))):
        tx.update(DecisionKind, int(found[0]), is_active=active)
