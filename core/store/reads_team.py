"""Reads for what stands on the screen all the time: how many questions wait, who asks them, what today has cost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import NamedTuple

from peewee import fn

from core.store.reads import Connection
from core.store.reads_escalations import SECTION_SQL, section_sql
from core.store.schema import ScopeProposal, WorkItem
from core.store.transaction import MS_PER_DAY

_OPEN = 'COALESCE("resolved_at", "withdrawn_at", "expired_at", "merged_into") IS NULL'
"""The condition of the index over the open questions, to the letter: so that one is walked, at 0.2 ms a thousand."""
_NEEDS_ME, _OVERDUE = SECTION_SQL["needs-me"], SECTION_SQL["overdue"]


@dataclass(frozen=True, slots=True)
class Asker:
    """Questions that need a human now and came up through the same chain, `count` of them. Those of the `kind`
    "error" are about an agent that failed."""

    chain: tuple[str, ...]
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many questions need a human now, how many of the open ones are past their due time, and the next moment at
    which one of the two changes by itself (None: never)."""

    needs_me: int
    overdue: int
    until: int | None


def askers(reader: Connection, now: int) -> tuple[Asker, ...]:
    """Who asks. Looks at every open question: 7 ms where there are ten thousand, 140 ms where a hundred thousand."""
    found = reader.sql(
        f'SELECT "chain", "kind", COUNT(*) FROM "escalations" WHERE {_OPEN} AND {_NEEDS_ME} GROUP BY "chain", "kind"',
        (now, now),
    )
    return tuple(Asker(tuple(json.loads(chain)), kind, count) for chain, kind, count in found)


def waiting(reader: Connection, now: int, person: str | None = None) -> Waiting:
    """Counted by the rules of `states.needs_me`, of that person or of anybody, and `states.is_overdue`."""
    needs_me, values = section_sql("needs-me", now, person)
    [(needs, late, *moments)] = reader.sql(
        f"""SELECT COALESCE(SUM(CASE WHEN {needs_me} THEN 1 ELSE 0 END), 0),
        COALESCE(SUM(CASE WHEN {_OVERDUE} THEN 1 ELSE 0 END), 0),
        MIN(CASE WHEN "due_at" > ? THEN "due_at" END),
        MIN(CASE WHEN "snoozed_until" > ? THEN "snoozed_until" END),
        MIN(CASE WHEN "acknowledged_until" > ? THEN "acknowledged_until" END)
        FROM "escalations" WHERE {_OPEN}""",
        (*values, *(now,) * 4),
    )
    return Waiting(int(needs), int(late), min((m for m in moments if m is not None), default=None))


class Undecided(NamedTuple):
    """What needs a person beside the questions: scope proposals, and work items that nobody has accepted."""

    proposals: int
    work_items: int


def undecided(reader: Connection) -> Undecided:
    [(proposals,)] = reader.rows(
        ScopeProposal.select(fn.COUNT(ScopeProposal.id)).where(ScopeProposal.decided_at.is_null())
    )
    ends = (WorkItem.accepted_at, WorkItem.closed_at, WorkItem.cancelled_at, WorkItem.failed_at)
    asked = reduce(and_, (at.is_null() for at in ends))
    [(work_items,)] = reader.rows(WorkItem.select(fn.COUNT(WorkItem.id)).where(asked))
    return Undecided(int(proposals), int(work_items))


class DayCost(NamedTuple):
    """What agents have used on a day; `dollars` lack what no price is known of."""

    dollars: float
    tokens: int


def cost_of_day(reader: Connection, now: int) -> DayCost:
    """Of the day that `now` lies in (UTC)."""
    query = 'SELECT COALESCE(SUM("cost"), 0), COALESCE(SUM("tokens"), 0) FROM "counters" WHERE "day" = ?'
    [(dollars, tokens)] = reader.sql(query, (now // MS_PER_DAY,))
    return DayCost(float(dollars), int(tokens))


def is_replayed(reader: Connection) -> bool:
    """Whether an agent's answers come from a recording."""
    return bool(reader.sql('SELECT 1 FROM "agents" WHERE "is_active" AND "runtime" = ? LIMIT 1', ("replay",)))
