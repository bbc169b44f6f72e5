"""What has happened to one question, read from the journal."""

from __future__ import annotations

import json
from collections.abc import Sequence

from core.store.reads import Connection
from core.store.rows import EscalationRow, EventRow
from core.store.schema import Event

PREFIX = "escalation."
RAISED = (f"{PREFIX}raised", f"{PREFIX}raised_again")
"""Events that carry a question with all its details, which may be large; its row says the same."""
SLACK_MS = 3_600_000
"""A clock is put right by less than this; see `_first_since`."""


def happenings(
    reader: Connection, row: EscalationRow, *, kinds: Sequence[str] | None = None, after: int = 0
) -> tuple[EventRow, ...]:
    """The events of this question behind the one numbered `after`, the oldest first, of these kinds or of all.

    Without those that raised it. `kinds` are written without their prefix.
    """
    if row.work_item is None:
        # Nothing but their age tells these from all other events that are about no work item.
        after = max(after, _first_since(reader, row.raised_at - SLACK_MS) - 1)
    wanted = (Event.work_item.is_null() if row.work_item is None else Event.work_item == row.work_item) & (
        Event.seq > after
    )
    if kinds is None:
        wanted &= Event.kind.startswith(PREFIX) & Event.kind.not_in(RAISED)
    else:
        wanted &= Event.kind.in_([PREFIX + kind for kind in kinds])
    wanted &= Event.payload.contains(f'"escalation":{row.id}')
    query = Event.select(Event.seq, Event.at, Event.kind, Event.payload).where(wanted).order_by(Event.seq)
    found = [EventRow(seq, at, kind, row.work_item, json.loads(text)) for seq, at, kind, text in reader.rows(query)]
    return tuple(event for event in found if event.payload.get("escalation") == row.id)


def head(reader: Connection) -> int:
    """The newest event's number."""
    [(newest,)] = reader.sql("SELECT COALESCE(MAX(seq), 0) FROM events")
    return int(newest)


def _first_since(reader: Connection, at: int) -> int:
    """The number of the first event at this moment or later, by halving; what is in an archive leaves numbers out."""
    low, high = 1, head(reader) + 1
    while low < high:
        middle = (low + high) // 2
        [(there, when)] = reader.sql("SELECT seq, at FROM events WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,))
        if when < at:
            low = there + 1
        else:
            high = middle
    return low
