"""How far the work items came that are in archives now: counted by their tags when they were moved.

The event that names an archive carries them under "counts", as [{"tags", **COLUMNS}], so that nothing has to be looked
for in a file that may be away. Archives from before this was kept have none, and are not counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

from core.contract import Json
from core.store.chain import ARCHIVED
from core.store.reads import Connection

COLUMNS = {
    "all": "COUNT(*)",
    **{name: f'COUNT("{name}_at")' for name in ("accepted", "released", "closed", "failed", "cancelled")},
    "kept": 'SUM(CASE WHEN "cancelled_at" IS NULL THEN 1 ELSE 0 END)',
    "done": """SUM(CASE WHEN "cancelled_at" IS NULL AND COALESCE("released_at", "closed_at") IS NOT NULL
        THEN 1 ELSE 0 END)""",
}
"""`kept` are those that nobody cancelled, `done` those of them that were released or closed."""


def counted(reader: Connection, work_items: Sequence[int]) -> list[Json]:
    """The counts of work items that are about to go, a row for each list of tags."""
    items = ", ".join(map(str, work_items))
    text = f'SELECT "tags", {", ".join(COLUMNS.values())} FROM "work_items" WHERE "id" IN ({items}) GROUP BY "tags"'
    found = reader.sql(f'{text} ORDER BY "tags"')
    return [{"tags": json.loads(tags), **dict(zip(COLUMNS, map(int, counts), strict=True))} for tags, *counts in found]


def archived(reader: Connection, is_meant: Callable[[list[str]], bool]) -> Counter[str]:
    """The sums over those whose tags are meant, by the names in `COLUMNS`."""
    sums: Counter[str] = Counter()
    for (payload,) in reader.sql("SELECT payload FROM events WHERE kind = ?", (ARCHIVED,)):
        for row in json.loads(payload).get("counts", ()):
            if is_meant(row["tags"]):
                sums.update({name: row[name] for name in COLUMNS})
    return sums
