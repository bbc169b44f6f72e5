"""What calls have used, summed up: of those that are here, and by day of those that are in an archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.store.reads import Connection
from core.store.schema import SpendTotal
from core.store.transaction import MS_PER_DAY, Transaction

USED_SQL = """
    COALESCE(SUM(COALESCE("cost", CASE WHEN "settled_at" IS NULL OR "is_lost" THEN "reserved_cost" ELSE 0 END)), 0),
    COALESCE(SUM(COALESCE("tokens", "reserved_tokens")), 0),
    COALESCE(SUM("cost"), 0), COALESCE(SUM("tokens"), 0), COUNT(*),
    COALESCE(SUM(CASE WHEN "cost" IS NULL AND "tokens" > 0 THEN 1 ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN "is_lost" THEN 1 ELSE 0 END), 0)
"""
"""Over rows of `spend`, in the order of `COLUMNS`."""
COLUMNS = ("taken_cost", "taken_tokens", "cost", "tokens", "calls", "unpriced", "lost")
"""Of a day's totals: what budgets count (a lost call at its most), what was paid, and of how many calls."""

_SUMS = ", ".join(f'COALESCE(SUM("{name}"), 0)' for name in COLUMNS)
_ARCHIVED_SQL = f'SELECT {_SUMS} FROM "spend_totals"'
_ARCHIVED_ON_SQL = f'{_ARCHIVED_SQL} WHERE "day" = ?'
_DAY_SQL = f'SELECT {", ".join(COLUMNS)} FROM "spend_totals" WHERE "day" = ?'
_BY_DAY_SQL = 'SELECT "at" / {ms}, {used} FROM "spend" WHERE "work_item" IN ({items}) GROUP BY 1 ORDER BY 1'


def archived(reader: Connection, day: int | None = None) -> tuple[Any, ...]:
    """What calls that are in an archive now used on that day (days since the epoch, UTC), or ever, in the order of
    `COLUMNS`."""
    return reader.sql(_ARCHIVED_SQL if day is None else _ARCHIVED_ON_SQL, () if day is None else (day,))[0]


def add(tx: Transaction, work_items: Sequence[int]) -> None:
    """Count what these work items' calls used to their days' totals: their rows are about to go to an archive."""
    query = _BY_DAY_SQL.format(ms=MS_PER_DAY, used=USED_SQL, items=", ".join(map(str, work_items)))
    for day, *used in tx.sql(query):
        known = tx.sql(_DAY_SQL, (day,))
        if known:
            sums = (one + other for one, other in zip(known[0], used, strict=True))
            tx.update(SpendTotal, day, **dict(zip(COLUMNS, sums, strict=True)))
        else:
            tx.insert(SpendTotal, day=day, **dict(zip(COLUMNS, used, strict=True)))
