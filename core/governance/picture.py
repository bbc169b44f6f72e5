"""The records of governance as the journal gives them: events folded up to a moment, never today's tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from core.contract import Json
from core.store.reads import Connection

FOLDED = (
    *("decisions", "authority", "decision_kinds", "scope_proposals", "scope_reviews", "agents", "escalations"),
    *("answers", "conflicts", "settings"),
)
"""The tables whose rows say who may decide what, and who said what."""
_JSON_COLUMNS = ("options", "context", "details", "tags", "chain", "missing", "analysis", "answer", "positions")

Key = int | str
Entry = tuple[str, Key, Json]


@dataclass(frozen=True, slots=True)
class GovernanceEvent:
    """An event with the rows of `FOLDED` that it carries: (table, key, {column: value})."""

    seq: int
    at: int
    kind: str
    entries: tuple[Entry, ...]

    def values(self, table: str, key: Key | None) -> Json | None:
        """What it wrote into this row; None where it did not touch it."""
        found = [values for t, k, values in self.entries if t == table and k == key]
        return {name: value for values in found for name, value in values.items()} if found else None


def governance_events(reader: Connection) -> tuple[GovernanceEvent, ...]:
    """Every event that carries such a row, in order."""
    return tuple(_read(reader))


def _read(reader: Connection) -> Iterator[GovernanceEvent]:
    some = " OR ".join(f"INSTR(payload, '[\"{table}\",') > 0" for table in FOLDED)
    for seq, at, kind, payload in reader.sql(f"SELECT seq, at, kind, payload FROM events WHERE {some} ORDER BY seq"):
        carried = json.loads(payload).get("rows", ())
        entries = tuple((t, _key(t, key, values), values) for t, key, values in carried if t in FOLDED)
        if entries:
            yield GovernanceEvent(seq, at, kind, entries)


def _key(table: str, key: Key, values: Json) -> Key:
    """A new setting is numbered by the database and known by its name."""
    return str(values["key"]) if table == "settings" and "key" in values else key


@dataclass(slots=True)
class Picture:
    """The folded tables as they stood after an event."""

    tables: dict[str, dict[Key, Json]] = field(default_factory=lambda: {table: {} for table in FOLDED})

    def row(self, table: str, key: Key | None) -> Json | None:
        """The row with its key as `id`, JSON columns decoded."""
        found = self.tables[table].get(key) if key is not None else None
        return None if found is None else _decoded(key, found)

    def where(self, table: str, **facts: Any) -> list[Json]:
        """The rows with these values, oldest first."""
        rows = self.tables[table].items()
        return [_decoded(key, row) for key, row in rows if all(row.get(n) == v for n, v in facts.items())]


def _decoded(key: Key | None, row: Json) -> Json:
    values = {n: json.loads(v) if n in _JSON_COLUMNS and isinstance(v, str) else v for n, v in row.items()}
    return {"id": key, **values}


def picture_of(events: Iterable[GovernanceEvent], until: int | None = None) -> Picture:
    """As it stood after the event numbered `until`, or after the last."""
    picture = Picture()
    for event in events:
        if until is not None and event.seq > until:
            break
        for table, key, values in event.entries:
            rows = picture.tables[table]
            rows[key] = rows.get(key, {}) | values
    return picture
