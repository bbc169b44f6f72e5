"""Decisions as a list: of one domain agent, of one work item, or all."""

from __future__ import annotations

from core.contract import UsageError
from core.governance.decisions import DOMAIN_AGENTS
from core.store import rows
from core.store.reads import Connection, build, select
from core.store.schema import Decision


def newest_decisions(
    reader: Connection, *, work_item: int | None = None, agent: str | None = None, limit: int = 50
) -> tuple[rows.DecisionRow, ...]:
    """Newest first. Raises UsageError for an agent that decides nothing."""
    if agent is not None and agent not in DOMAIN_AGENTS:
        raise UsageError(f"There is no domain agent {agent!r}; known are {', '.join(DOMAIN_AGENTS)}.")
    query = select(rows.DecisionRow, Decision)
    if work_item is not None:
        query = query.where(Decision.work_item == work_item)
    if agent is not None:
        query = query.where(Decision.agent == agent)
    return build(rows.DecisionRow, Decision, reader.rows(query.order_by(Decision.id.desc()).limit(limit)))
