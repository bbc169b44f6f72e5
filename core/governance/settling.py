"""What an answer settles besides its question: an authority that the team's files and a person see differently."""

from __future__ import annotations

from core.contract import UsageError
from core.governance import authority
from core.store.rows import EscalationRow
from core.store.schema import DecisionKind
from core.store.writer import Transaction

KEEP, FOLLOW = "keep", "follow-file"
"""The answers: the grant stays in force, or what the files say takes its place."""

DETAIL = "authority"
"""The key of a question's details under which the grant and the files' word stand, as `core.governance.team` has it."""


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
        where = (DecisionKind.agent == agent) & (DecisionKind.key == kind)
        for found in tx.rows(DecisionKind.select(DecisionKind.id).where(where & DecisionKind.is_active)):
            tx.update(DecisionKind, int(found[0]), is_active=False)
            tx.event("authority.kind_retired", agent=agent, kind=kind)
