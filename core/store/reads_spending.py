"""Reads of what calls of models have cost."""

from __future__ import annotations

from typing import NamedTuple

from core.store.reads import Connection


class PhaseCost(NamedTuple):
    """What an agent's calls in a phase of one work item came to. `dollars` lack the `unpriced` calls; tokens do not."""

    phase: str
    agent: str
    calls: int
    tokens: int
    dollars: float
    unpriced: int


def costs_by_phase(reader: Connection, work_item: int) -> list[PhaseCost]:
    """In the order in which the phases first paid for something."""
    found = reader.sql(
        """SELECT "phase", "agent", COUNT(*), COALESCE(SUM("tokens"), 0), COALESCE(SUM("cost"), 0),
        SUM(CASE WHEN "cost" IS NULL AND "tokens" > 0 THEN 1 ELSE 0 END)
        FROM "spend" WHERE "work_item" = ? AND "settled_at" IS NOT NULL AND NOT "is_lost"
        GROUP BY "phase", "agent" ORDER BY MIN("id")""",
        (work_item,),
    )
    return [PhaseCost(phase, agent, int(n), int(t), float(d), int(u)) for phase, agent, n, t, d, u in found]
