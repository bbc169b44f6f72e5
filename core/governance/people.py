"""The persons that the record knows: whoever answered, took over, or saw a question lately."""

from __future__ import annotations

from core.store.reads import Connection

LATELY = 2_000
"""Of the newest answers and questions: how many are looked at."""

_NAMES = """
SELECT name, COUNT(*) FROM (
    SELECT "by" AS name FROM (SELECT "by", provenance FROM answers ORDER BY id DESC LIMIT ?) AS a
        WHERE provenance = 'human'
    UNION ALL SELECT assigned_to FROM (SELECT assigned_to FROM escalations ORDER BY id DESC LIMIT ?) AS b
    UNION ALL SELECT acknowledged_by FROM (SELECT acknowledged_by FROM escalations ORDER BY id DESC LIMIT ?) AS c
) AS named WHERE name IS NOT NULL GROUP BY name ORDER BY COUNT(*) DESC, name LIMIT ?
"""


def known_people(reader: Connection, *, limit: int = 50) -> tuple[str, ...]:
    """Names, the most frequent first."""
    return tuple(str(name) for name, _ in reader.sql(_NAMES, (LATELY, LATELY, LATELY, limit)))
