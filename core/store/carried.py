"""How an event carries the rows that were written with it: [table, key, values], the values by their columns' names.

Of a table to which every step of every agent adds a row, an event has the values alone, in a fixed order, and none that
the event says itself: the names would take as much room as the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core.contract import Json

PLACES: Mapping[str, tuple[str, ...]] = {
    "delegations": ("phase", "round", "agent", "subject", "status", "runtime", "request_digest", "milliseconds")
}
"""Never reordered: journals are read by it. A column that a later schema adds goes to the end."""

Row = tuple[str, int | str, Json]
"""A row's table, its key, and values by column."""


def packed(rows: Iterable[Row], *, seq: int, at: int, work_item: int | None) -> list[list[Any]]:
    """The rows as the event with these facts carries them."""
    own: Json = {"work_item": work_item, "at": at, "event": seq}
    return [[table, key, _values(table, values, own)] for table, key, values in rows]


def _values(table: str, values: Json, own: Json) -> Json | list[Any]:
    names = PLACES.get(table, ())
    if len(values) != len(names) + len(own) or any(values.get(name) != value for name, value in own.items()):
        return values
    return [values[name] for name in names]


def carried(payload: Mapping[str, Any], *, seq: int, at: int, work_item: int | None) -> Iterator[Row]:
    """The rows that an event's payload carries. Raises ValueError for what is no row."""
    for table, key, values in payload.get("rows", ()):
        if isinstance(values, list):
            named = dict(zip(PLACES[table], values, strict=False))
            yield table, key, named | {"work_item": work_item, "at": at, "event": seq}
        else:
            yield table, key, values
