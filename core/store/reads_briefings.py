"""Reads of the briefings that were kept: a line for each, newest first, with what became of its notices."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from core.store.reads import Connection
from core.store.schema import Briefing, Notification

MADE_PREFIX = "briefing.made:"
"""How the key of a briefing's notices begins; its number follows."""
MOST = 1_000


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A briefing on record. `outcomes` are those of its notices by channel, None while one is under way."""

    id: int
    at: int
    outcomes: tuple[tuple[str, str | None], ...] = ()


def kept_briefings(reader: Connection, limit: int = MOST) -> tuple[KeptRow, ...]:
    """Newest first."""
    query = Briefing.select(Briefing.id, Briefing.at).order_by(Briefing.id.desc()).limit(limit)
    found = reader.rows(query)
    outcomes = _outcomes(reader, [row[0] for row in found])
    return tuple(KeptRow(number, at, tuple(outcomes.get(number, ()))) for number, at in found)


def _outcomes(reader: Connection, numbers: Collection[int]) -> dict[int, list[tuple[str, str | None]]]:
    keys = {f"{MADE_PREFIX}{number}": number for number in numbers}
    query = (
        Notification.select(Notification.key, Notification.channel, Notification.outcome)
        .where(Notification.key.in_(list(keys)))
        .order_by(Notification.id)
    )
    made: dict[int, list[tuple[str, str | None]]] = {}
    for key, channel, outcome in reader.rows(query):
        made.setdefault(keys[key], []).append((channel, outcome))
    return made
