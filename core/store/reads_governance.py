"""Reads of governance: conflicts, decisions by number, scope reviews and proposals, notices, duties."""

from __future__ import annotations

from typing import Any

from peewee import fn

from core.store import rows, rows_governance
from core.store.reads import Connection, build, select
from core.store.schema import Authority, Conflict, Decision, Notification, ScopeProposal, ScopeReview


def decision(reader: Connection, number: int) -> rows.DecisionRow | None:
    found = _decisions(reader, Decision.id == number)
    return found[0] if found else None


def decisions_of_escalation(reader: Connection, escalation: int) -> tuple[rows.DecisionRow, ...]:
    """The decisions that wait for this question's answer, or were settled by it, oldest first."""
    return _decisions(reader, Decision.escalation == escalation)


def decisions_of_conflict(reader: Connection, conflict: int) -> tuple[rows.DecisionRow, ...]:
    return _decisions(reader, Decision.conflict == conflict)


def _decisions(reader: Connection, where: Any) -> tuple[rows.DecisionRow, ...]:
    query = select(rows.DecisionRow, Decision).where(where).order_by(Decision.id)
    return build(rows.DecisionRow, Decision, reader.rows(query))


def conflict(reader: Connection, number: int) -> rows_governance.ConflictRow | None:
    found = _conflicts(reader, select(rows_governance.ConflictRow, Conflict).where(Conflict.id == number))
    return found[0] if found else None


def conflicts(
    reader: Connection, *, work_item: int | None = None, since: int = 0, limit: int = 200
) -> tuple[rows_governance.ConflictRow, ...]:
    """Newest first, of those that came up at `since` (milliseconds) or later."""
    query = select(rows_governance.ConflictRow, Conflict).where(Conflict.at >= since)
    if work_item is not None:
        query = query.where(Conflict.work_item == work_item)
    return _conflicts(reader, query.order_by(Conflict.id.desc()).limit(limit))


def conflict_of_escalation(reader: Connection, escalation: int) -> rows_governance.ConflictRow | None:
    query = select(rows_governance.ConflictRow, Conflict).where(Conflict.escalation == escalation)
    found = _conflicts(reader, query)
    return found[0] if found else None


def _conflicts(reader: Connection, query: Any) -> tuple[rows_governance.ConflictRow, ...]:
    return build(rows_governance.ConflictRow, Conflict, reader.rows(query))


def scope_review(reader: Connection, number: int | None = None) -> rows_governance.ScopeReviewRow | None:
    """A review by number, or the newest one."""
    query = select(rows_governance.ScopeReviewRow, ScopeReview).order_by(ScopeReview.id.desc()).limit(1)
    if number is not None:
        query = query.where(ScopeReview.id == number)
    found = build(rows_governance.ScopeReviewRow, ScopeReview, reader.rows(query))
    return found[0] if found else None


def scope_proposal(reader: Connection, number: int) -> rows_governance.ScopeProposalRow | None:
    query = select(rows_governance.ScopeProposalRow, ScopeProposal).where(ScopeProposal.id == number)
    found = build(rows_governance.ScopeProposalRow, ScopeProposal, reader.rows(query))
    return found[0] if found else None


def scope_proposals(
    reader: Connection, *, undecided_only: bool = False, agent: str | None = None, limit: int = 500
) -> tuple[rows_governance.ScopeProposalRow, ...]:
    """Newest first."""
    query = select(rows_governance.ScopeProposalRow, ScopeProposal).order_by(ScopeProposal.id.desc()).limit(limit)
    if undecided_only:
        query = query.where(ScopeProposal.decided_at.is_null())
    if agent is not None:
        query = query.where(ScopeProposal.agent == agent)
    return build(rows_governance.ScopeProposalRow, ScopeProposal, reader.rows(query))


def in_force(newest: Any) -> Any:
    """The numbers of the grants that hold where those of the query are the newest of their kinds: each of them, or the
    elder one that it put in force again."""
    return Authority.select(fn.COALESCE(Authority.restores, Authority.id)).where(Authority.id.in_(newest))


def notifications(
    reader: Connection, *, unsettled_only: bool = False, limit: int = 200
) -> tuple[rows_governance.NotificationRow, ...]:
    """Newest first; `unsettled_only` those that are still to be sent."""
    query = select(rows_governance.NotificationRow, Notification).order_by(Notification.id.desc()).limit(limit)
    if unsettled_only:
        query = query.where(Notification.outcome.is_null())
    return build(rows_governance.NotificationRow, Notification, reader.rows(query))
